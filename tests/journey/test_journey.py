"""The whole journey in small, run as a user runs it: all at once, then each pipeline alone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import ROOT
from tests.journey.scratch import SMALL, Scratch

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """A project after one `kedro run` of the embedded world in small."""
    scratch = Scratch(tmp_path_factory.mktemp("journey"))
    scratch.configure("local/parameters.yml", SMALL)
    done = scratch.kedro("run")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (scratch.path / "first_run.txt").write_text(done.stdout)
    return scratch


def test_a_plain_run_ends_with_the_table_and_the_page(project: Scratch) -> None:
    told = (project.path / "first_run.txt").read_text()
    for arm in ("vanilla", "vanilla_cot", "cot_sft", "longstep_sft", "longmonolog_sft"):
        assert re.search(rf"│ {arm} ", told), told[-3000:]
    (page,) = re.findall(r"The page: (\S+)", told)
    html = Path(page).read_text(encoding="utf-8")
    assert "does not replicate" in html
    assert "longmonolog_sft" in html


def test_every_row_is_accounted_for(project: Scratch) -> None:
    summary = latest_json(project, "03_primary/ingest_summary.json")
    assert summary["questions"] + summary["rejected"] == 40 + 30 + 15
    for name in ("cot", "longstep", "longmonolog"):
        told = latest_json(project, f"05_model_input/{name}/filter_summary.json")
        assert told["kept"] + sum(told["dropped"].values()) == told["chains"]
        kept = latest_table(project, f"05_model_input/{name}/kept_chains.parquet")
        trained = latest_table(project, f"05_model_input/{name}/training_examples.parquet")
        too_long = latest_table(project, f"05_model_input/{name}/training_rejected.parquet")
        assert len(kept) == told["kept"] == len(trained) + len(too_long)
    asked = latest_table(project, "07_model_output/cot_sft/asked_questions.parquet")
    generations = latest_table(project, "07_model_output/cot_sft/generations.parquet")
    drawn = generations[generations["draw"].isin(["greedy", "sampled"])]
    assert len(drawn.drop_duplicates(["question_id", "draw", "sample"])) == len(asked) * (1 + 2)


def test_every_version_has_a_manifest_that_names_run_and_digest(project: Scratch) -> None:
    manifests = list((project.path / "data").rglob("_manifest.json"))
    assert len(manifests) > 80
    for path in manifests:
        told = json.loads(path.read_text())
        assert told["run"] == told["version"] == path.parent.name
        assert re.fullmatch("[0-9a-f]{64}", told["digest"])


@pytest.mark.parametrize(
    ("pipeline", "artifact"),
    [
        ("ingest", "03_primary/questions.parquet"),
        ("synthesis", "04_feature/longstep/chains.parquet"),
        ("filtering", "05_model_input/longstep/kept_chains.parquet"),
        ("finetune", "06_models/longstep/adapter"),
        ("inference", "07_model_output/longstep_sft/votes.parquet"),
        ("reporting", "08_reporting/report.html"),
    ],
)
def test_each_pipeline_runs_alone_and_makes_the_same_again(project: Scratch, pipeline: str, artifact: str) -> None:
    before = project.versions(artifact)
    done = project.kedro("run", f"--pipelines={pipeline}")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    after = project.versions(artifact)
    assert len(after) == len(before) + 1
    if pipeline != "reporting":  # the page names its run
        assert len({json.loads((path / "_manifest.json").read_text())["digest"] for path in after}) == 1


def test_a_number_of_the_table_leads_back_to_its_calls(project: Scratch) -> None:
    done = project.kedro(
        "audit", "trace", "results", "accuracy", "--where", "arm=longstep_sft", "--where", "benchmark=all", "--json"
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    below = json.loads(done.stdout)["trace"]["below"]
    (check,) = next(step["checks"] for step in below if step["dataset"] == "answers")
    assert check["stated"] == pytest.approx(check["recomputed"])
    assert "medo1.clinic.expert.Expert" in done.stdout  # who taught the adapter
    assert project.kedro("audit", "verify").returncode == 0


def test_a_row_of_all_formats_leads_to_its_own_format_alone(project: Scratch) -> None:
    kept = latest_table(project, "05_model_input/kept_chains.parquet").iloc[0]
    rows = {
        "kept_chains": [f"format={kept['format']}", f"question_id={kept['question_id']}", f"sample={kept['sample']}"],
        "training_log": ["format=longstep", "step=1"],
    }
    for name, where in rows.items():
        done = project.kedro("audit", "trace", name, *[word for one in where for word in ("--where", one)], "--json")
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        below = json.loads(done.stdout)["trace"]["below"]
        assert [(step["dataset"], step["rows"]) for step in below if step["rows"]] == [
            (f"{where[0].partition('=')[2]}.{name}", 1)
        ]


# What the page's tables and figures are made from; what the page itself reads is asked of its lineage.
BELOW = ("by_difficulty", "chain_lengths", "teaching_costs", "filter_funnel", "timing")


def test_every_number_of_the_page_comes_out_again_from_what_lies_below_it(project: Scratch) -> None:
    read = json.loads(project.kedro("audit", "lineage", "report", "--up", "--depth", "1", "--json").stdout)["up"]
    names = sorted({row["dataset"] for row in read["versions"]} | set(BELOW))
    assert {"report", "results", "comparisons", "vote_curve", "budget_curve", "tokens", "outcomes"} <= set(names)
    script = (
        "import json, sys\nfrom pathlib import Path\nfrom click.testing import CliRunner\n"
        "from kedro.framework.startup import bootstrap_project\nbootstrap_project(Path.cwd())\n"
        "from medo1.commands.audit import audit\n"
        "for name in sys.argv[1:]:\n"
        "    done = CliRunner().invoke(audit, ['trace', name, '--json'])\n"
        "    told = json.loads(done.stdout) if done.exit_code < 2 else {'recomputed': done.output}\n"
        "    print(json.dumps([name, done.exit_code, told['recomputed'], told.get('mismatches')]))\n"
        "    print(name, told.get('not_recomputed_because'), told.get('adds_up'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *names], cwd=project.path, capture_output=True, text=True, check=False
    )
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    # For these a model would have to be asked or trained; everything else is made again.
    asked = [name for name in names if name.endswith((".generations", ".training_log", "model_sizes"))]
    assert told == [[name, 0, name not in asked, []] for name in names], done.stdout[-3000:] + done.stderr[-3000:]


def test_runs_are_compared_on_one_page(project: Scratch) -> None:
    runs = [path.name for path in project.versions("07_model_output/longstep_sft/answers.parquet")]
    done = project.kedro("compare", runs[0], runs[-1], "--output", "compared/page.html", "--json")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert {row["difference"] for row in told["comparisons"]} == {0}  # the same study twice
    page = (project.path / "compared/page.html").read_text()
    assert "longstep_sft (B)" in page
    assert runs[0] in page
    refused = project.kedro("compare", runs[0])
    assert refused.returncode != 0
    assert "takes 2 to 26 runs" in refused.stdout + refused.stderr


def test_the_older_option_for_one_pipeline_works_too(project: Scratch) -> None:
    before = project.versions("06_models/cot/adapter")
    done = project.kedro("run", "--pipeline=finetune")
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(project.versions("06_models/cot/adapter")) == len(before) + 1


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")))
def test_notebooks_run_from_top_to_bottom(project: Scratch, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    notebook = nbformat.read(ROOT / f"notebooks/{name}.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "notebooks are kept without outputs"
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(project.path)}}).execute()
    printed = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    assert all(printed[1:]), [len(outputs) for outputs in printed]


def test_a_base_model_that_is_absent_is_one_message(project: Scratch) -> None:
    project.configure(
        "elsewhere/catalog.yml", {"base_model": {"type": "medo1.datasets.HubModel", "name": "./models/nowhere"}}
    )
    project.configure("elsewhere/parameters.yml", SMALL | {"base_model": "./models/nowhere"})
    done = project.kedro("run", "--env", "elsewhere", "--pipelines=finetune")
    assert done.returncode == 1
    assert "There is no model directory ./models/nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_arm_that_never_ran_runs_alone_from_what_earlier_runs_stored(project: Scratch) -> None:
    # The last test of this project: what it removes, `audit verify` would miss.
    shutil.rmtree(project.path / "data/07_model_output/longstep_sft")
    done = project.kedro("run", "--namespaces=inference.longstep_sft")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert len(project.versions("07_model_output/longstep_sft/votes.parquet")) == 1


def latest_table(project: Scratch, artifact: str) -> pd.DataFrame:
    return pd.read_parquet(project.versions(artifact)[-1])


def latest_json(project: Scratch, artifact: str) -> dict:  # type: ignore[type-arg]
    folder = project.versions(artifact)[-1]
    return json.loads((folder / Path(artifact).name).read_text())
