"""What the audit answers: each command on a small project, and what it says when something is wrong."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.lineage.tiny_project import TinyProject

Audit = Callable[..., Any]
COMMANDS = ("runs", "versions", "tag", "lineage", "diff", "trace", "stale", "verify", "rebuild", "prune", "export")


def test_the_commands_answer_without_pipelines_and_heavy_libraries(project: TinyProject) -> None:
    project.run()
    heavy = ("pandas", "torch", "transformers", "pandera", "pyarrow", "numpy", "safetensors")
    for arguments in (["runs"], ["versions", "results"], ["lineage", "results"], ["stale"], ["verify"], ["prune"]):
        script = (
            "import sys\nfrom pathlib import Path\nfrom kedro.framework.startup import bootstrap_project\n"
            "bootstrap_project(Path.cwd())\nfrom medo1.commands.audit import audit\n"
            f"try: audit({arguments!r})\nexcept SystemExit as end: assert end.code == 0, end.code\n"
            f"print('loaded', [name for name in {heavy!r} if name in sys.modules],"
            f" [name for name in sys.modules if name.startswith('{project.package}.') and 'settings' not in name])"
        )
        done = subprocess.run(  # noqa: PLW1510
            [sys.executable, "-c", script], cwd=project.path, capture_output=True, text=True, env=project.environment()
        )
        assert "loaded [] []" in done.stdout, (arguments, done.stdout, done.stderr)


@pytest.mark.slow
def test_every_command_prints_json_and_text(project: TinyProject, audit: Audit) -> None:
    project.run()
    project.run(params={"train": {"rate": 0.2}})
    arguments = {
        "lineage": ["results"], "diff": ["adapter"], "trace": ["results", "accuracy", "--where", "arm=taught"],
        "versions": ["results"],
    }  # fmt: skip
    for command in COMMANDS:
        code = 1 if command == "stale" else 0
        assert audit(project, command, *arguments.get(command, []), text=True, code=code).strip()
        if command != "export":
            audit(project, command, *arguments.get(command, []), code=code)


def test_a_name_that_is_wrong_is_answered_with_what_there_is(project: TinyProject, audit: Audit) -> None:
    project.run("learn")
    assert "Did you mean adapter" in audit(project, "lineage", "adaptor", code=2)
    assert "Latest runs" in audit(project, "runs", "1999", code=2)
    second = project.run("learn")
    assert "more than one run" in audit(project, "runs", second[:4], code=2)
    assert "has no version" in audit(project, "lineage", "adapter@2001", code=2)
    assert "has no column wrong" in audit(project, "trace", "questions", "wrong", code=2)
    assert "question_id is one of q0" in audit(project, "trace", "questions", "--where", "question_id=x", code=2)


# lineage


def test_lineage_goes_up_to_parameters_and_prompts_and_down_to_the_report(project: TinyProject, audit: Audit) -> None:
    project.run()
    told = audit(project, "lineage", "adapter")
    up = {row["dataset"] for row in told["up"]["versions"]}
    assert up == {"adapter", "kept_chains", "questions"}
    outside = {one["name"]: one for one in told["up"]["outside"]}
    # chains stay in memory: what they were made from is found through them
    assert {"teacher_prompt", "params:teacher", "params:train"} <= outside.keys()
    assert outside["params:train"]["detail"] == {"rate": 0.1}
    assert {row["dataset"] for row in told["down"]["versions"]} == {"adapter", "answers", "results", "report"}


def test_the_picture_holds_every_version(project: TinyProject, audit: Audit) -> None:
    project.run()
    audit(project, "lineage", "results", "--html", "out/picture.html", text=True)
    page = (project.path / "out" / "picture.html").read_text()
    for name in ("questions", "kept_chains", "adapter", "answers", "results", "report", "teacher_prompt"):
        assert f">{name}<" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


# diff


def test_diff_names_rows_cells_parameters_and_code(project: TinyProject, audit: Audit) -> None:
    project.run()
    project.edit("src/PACKAGE/helpers.py", "rate * 10", "rate * 20")
    project.run(params={"questions": {"count": 9}, "arm": {"shift": 1}})
    told = audit(project, "diff", "answers")
    rows = told["content"]["rows"]
    assert (rows["before"], rows["after"], rows["added"], rows["removed"]) == (8, 9, 1, 0)
    assert told["content"]["key"] == ["question_id", "arm"]
    assert rows["changed"] == 8
    assert rows["changed_by_column"]["letter"] == 8
    assert told["content"]["examples"]["added"] == [{"question_id": "q8", "arm": "taught"}]
    assert "letter" in told["content"]["distributions"]
    assert told["runs"]["parameters"] == ["arm.shift: 0 -> 1", "questions.count: 8 -> 9"]
    assert told["runs"]["code"] == [f"{project.package}.helpers:scaled"]
    assert {one["name"] for one in told["runs"]["inputs"]} == {"adapter", "kept_chains", "questions"}


def test_diff_of_adapters_gives_the_norms_of_weights(project: TinyProject, audit: Audit) -> None:
    project.run("learn")
    project.run("learn", params={"train": {"rate": 0.3}})
    [weights] = audit(project, "diff", "adapter")["content"]["weights"].values()
    assert weights["after"] == pytest.approx(3 * weights["before"], rel=1e-5)
    assert weights["change"] == pytest.approx(2 * weights["before"], rel=1e-5)


def test_diff_of_the_same_bytes_says_so(project: TinyProject, audit: Audit) -> None:
    project.run("learn")
    project.run("learn")
    assert audit(project, "diff", "adapter")["content"] == {"kind": "same"}


# trace


def test_a_number_leads_to_the_calls_that_paid_for_it(project: TinyProject, audit: Audit) -> None:
    project.run()
    told = audit(project, "trace", "results", "accuracy", "--where", "arm=taught", "--requests", "calls.csv")
    assert (told["recomputed"], told["adds_up"], told["mismatches"]) == (True, True, [])
    top = told["trace"]
    assert [(check["name"], check["way"]) for check in top["checks"]] == [("accuracy", "node")]
    listed = (project.path / "calls.csv").read_text().splitlines()
    assert len(listed) == 1 + 8 + 6
    used = {step["dataset"]: step for step in top["below"]}
    answers = used["answers"]
    assert (answers["rows"], answers["calls"]["calls"]) == (8, 8)
    assert used["plain_answers"]["rows"] == 0
    assert [check["name"] for check in answers["checks"]] == ["accuracy"]
    assert len(set(answers["calls"]["request_ids"])) == 8
    adapter = next(step for step in answers["below"] if step["dataset"] == "adapter")
    [kept] = [step for step in adapter["below"] if step["dataset"] == "kept_chains"]
    assert (kept["rows"], kept["calls"]["calls"]) == (6, 6)
    assert "teacher_prompt" in {one["name"] for one in kept["outside"]}


def test_a_number_that_does_not_come_out_again_is_pointed_out(project: TinyProject, audit: Audit) -> None:
    project.edit("src/PACKAGE/nodes.py", 'return table.astype({"accuracy": "float64"})',
                 'return table.astype({"accuracy": "float64"}).assign(accuracy=0.5)')  # fmt: skip
    project.run()
    told = audit(project, "trace", "results", "accuracy", "--where", "arm=taught", code=1)
    assert told["adds_up"] is False
    said = audit(project, "trace", "results", "accuracy", "--where", "arm=taught", code=1, text=True)
    assert said.count("does not add up") == 1


def test_what_is_no_table_is_traced_without_a_count_of_rows(project: TinyProject, audit: Audit) -> None:
    project.run()
    said = audit(project, "trace", "report", text=True)
    assert said.startswith("report  @"), said
    assert "None" not in said
    assert "kedro audit lineage adapter" in audit(project, "trace", "adapter", code=2)


def test_a_number_is_made_again_by_a_node_that_was_renamed_since(project: TinyProject, audit: Audit) -> None:
    project.run()
    project.edit("src/PACKAGE/pipeline_registry.py", 'name="page"', 'name="print_page"')
    sys.modules.pop(f"{project.package}.pipeline_registry")  # as a process that starts now finds it
    told = audit(project, "trace", "report")
    assert (told["recomputed"], told["adds_up"], told["not_recomputed_because"]) == (True, True, None)


def test_one_row_leads_to_its_own_call(project: TinyProject, audit: Audit) -> None:
    project.run()
    top = audit(project, "trace", "kept_chains", "--where", "question_id=q3")["trace"]
    assert top["rows"] == 1
    assert top["calls"]["example"]["request_id"] == top["sample"]["request_id"]
    [questions] = top["below"]
    assert (questions["dataset"], questions["rows"]) == ("questions", 1)


def test_what_a_call_cost_comes_from_the_completion_store(
    project: TinyProject, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine with a store: the trace finds the completion, its tokens and its text."""
    project.pay_for_chains()
    monkeypatch.chdir(project.path)
    project.run("learn")
    told = audit(project, "trace", "chains", "--where", "question_id=q3")["trace"]["calls"]
    assert (told["calls"], told["kept"], told["completion_tokens"]) == (1, 1, 7)
    assert told["usd"] == pytest.approx((3 * 2 + 7 * 10) / 1e6)
    assert told["example"]["text"] == "Think. q3"
    assert told["engine"].endswith("parrot.Parrot")


# stale


def _stale(project: TinyProject, audit: Audit) -> dict[str, Any]:
    told = audit(project, "stale", code=None)
    return {one["dataset"]: one for one in told["stale"]}


def test_a_parameter_whose_keys_are_numbers_is_what_it_was(project: TinyProject, audit: Audit) -> None:
    project.edit("conf/base/parameters.yml", "keep: {skip: 2}", "keep: {skip: 2, levels: {0: 4, 1: [5, null]}}")
    project.run()
    assert _stale(project, audit) == {}
    project.edit("conf/base/parameters.yml", "0: 4", "0: 3")
    assert _stale(project, audit)["kept_chains"]["reasons"] == ["params:keep: levels.0: 4 -> 3"]


def test_nothing_is_stale_after_a_run(project: TinyProject, audit: Audit) -> None:
    project.run()
    assert audit(project, "stale") == {"looked_at": 9, "stale": []}


@pytest.mark.parametrize(
    ("file", "old", "new", "first", "untouched"),
    [
        ("conf/base/parameters.yml", "rate: 0.1", "rate: 0.2", "adapter", "kept_chains"),
        ("conf/base/prompts/teacher.md", "Think.", "Think!", "kept_chains", "questions"),
        ("src/PACKAGE/helpers.py", "rate * 10", "rate * 11", "adapter", "kept_chains"),
        ("src/PACKAGE/nodes.py", "1.0, 0.5]", "1.0, 0.4]", "training_log", "answers_plain"),
    ],
)
def test_a_change_makes_stale_what_depends_on_it_and_nothing_else(
    project: TinyProject, audit: Audit, file: str, old: str, new: str, first: str, untouched: str
) -> None:
    project.run()
    project.edit(file, old, new)
    stale = _stale(project, audit)
    assert stale[first]["reasons"]
    assert stale["report"]["through"] == ["results"]
    assert untouched not in stale
    assert "questions" not in stale


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("src/PACKAGE/helpers.py", "  # a comment", "  # another comment"),
        ("src/PACKAGE/helpers.py", "return 0", "return 1"),
        ("src/PACKAGE/nodes.py", '"""Docstrings do not count."""', '"""Indeed."""'),
        ("conf/base/parameters.yml", "teacher: {style: careful}", "teacher:\n  style: careful"),
    ],
)
def test_what_changes_nothing_makes_nothing_stale(
    project: TinyProject, audit: Audit, file: str, old: str, new: str
) -> None:
    project.run()
    project.edit(file, old, new)
    assert _stale(project, audit) == {}


def test_an_input_made_again_with_the_same_content_makes_nothing_stale(project: TinyProject, audit: Audit) -> None:
    project.run()
    project.run("learn")
    assert _stale(project, audit) == {}
    project.run("learn", params={"train": {"rate": 0.5}})
    stale = _stale(project, audit)
    assert any("made from" in reason for reason in stale["answers"]["reasons"])


def test_the_command_that_is_printed_names_only_nodes_that_are_still_there(
    project: TinyProject, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that was taken out, as an arm or a format is, leaves versions behind that nothing makes again."""
    from kedro.framework import project as kedro_project

    project.run(params={"arm": {"shift": 1}})
    whole = audit(project, "stale", code=1, text=True)
    assert "--from-nodes=answer,answer_directly" in whole
    left = kedro_project.pipelines["__default__"].filter(node_names=["answer", "make_questions"])
    registry = kedro_project.pipelines
    monkeypatch.setattr(type(registry), "__getitem__", lambda self, name: left)
    told = audit(project, "stale", code=1, text=True)
    assert "--from-nodes=answer\n" in told
    assert "No longer part of the study, so nothing makes it again: answer_directly" in told


# verify


@pytest.mark.parametrize("name", ["results.parquet", "report.html", "adapter", "training_log.jsonl"])
def test_one_flipped_byte_is_found(project: TinyProject, audit: Audit, name: str) -> None:
    run = project.run()
    for file in sorted((project.data / name / run).rglob("*")):
        if not file.is_file():
            continue
        original = file.read_bytes()
        for place in {0, len(original) // 2, len(original) - 1}:
            changed = bytearray(original)
            changed[place] ^= 1
            file.write_bytes(changed)
            findings = audit(project, "verify", code=1)["findings"]
            assert {one["version"] for one in findings} == {run}
            assert {one["problem"] for one in findings} <= {"damaged", "altered"}
        file.write_bytes(original)
    assert audit(project, "verify")["findings"] == []


def test_a_damaged_input_is_refused_by_the_run_that_would_read_it(project: TinyProject) -> None:
    from kedro.io.core import DatasetError

    run = project.run()
    file = project.data / "answers.parquet" / run / "answers.parquet"
    changed = bytearray(file.read_bytes())
    changed[100] ^= 1
    file.write_bytes(changed)
    with pytest.raises(DatasetError, match="the version is damaged"):
        project.run("report")


def test_verify_tells_missing_renamed_unknown_half_written_and_stray(project: TinyProject, audit: Audit) -> None:
    first, second = project.run("learn"), project.run("learn")
    data = project.data
    shutil.rmtree(data / "questions.parquet" / first)
    (data / "adapter" / first).rename(data / "adapter" / "2001-01-01T00.00.00.000Z")
    (data / "training_log.jsonl" / first / "_manifest.json").unlink()
    (data / "kept_chains.parquet" / second / "notes.txt").write_text("x")
    found = {(one["problem"], one["location"]) for one in audit(project, "verify", code=1)["findings"]}
    assert found == {
        ("missing", "data/questions.parquet"),
        ("missing", "data/adapter"),
        ("renamed", "data/adapter"),
        ("missing", "data/training_log.jsonl"),
        ("stray", "data/kept_chains.parquet"),
    }


# rebuild


@pytest.mark.slow
def test_the_ledger_comes_back_from_the_manifests(project: TinyProject, audit: Audit) -> None:
    project.commit()
    run = project.run(params={"train": {"rate": 0.2}})
    audit(project, "tag", "results", "gold", "--protect")
    before = {name: audit(project, "lineage", name) for name in ("results", "adapter")}
    for file in project.data.glob("ledger.sqlite*"):
        file.unlink()
    told = audit(project, "rebuild")
    assert (told["manifests"], told["new_versions"], told["new_runs"], told["problems"]) == (9, 9, 1, [])
    for name, then in before.items():
        now = audit(project, "lineage", name)
        for side in ("up", "down"):
            assert {(row["dataset"], row["digest"]) for row in now[side]["versions"]} == {
                (row["dataset"], row["digest"]) for row in then[side]["versions"]
            }
        assert {one["name"] for one in now["up"]["outside"]} == {one["name"] for one in then["up"]["outside"]}
    [row] = audit(project, "runs")
    assert (row["id"], row["state"], row["runtime_params"]) == (run, "finished", {"train": {"rate": 0.2}})
    assert audit(project, "tag")[0]["protected"]
    assert audit(project, "verify")["findings"] == []
    assert audit(project, "rebuild")["new_versions"] == 0


# prune


def test_prune_shows_and_deletes_nothing_until_it_is_told(project: TinyProject, audit: Audit) -> None:
    runs = [project.run(params={"train": {"rate": rate}}) for rate in (0.1, 0.2, 0.3)]
    plan = audit(project, "prune", "--keep-last", "1")
    assert len(plan["versions"]) == 18
    assert plan["deleted"] is False
    assert project.versions("adapter") == runs
    audit(project, "prune", "--keep-last", "1", "--yes")
    assert project.versions("adapter") == runs[2:]
    assert audit(project, "verify")["findings"] == []
    assert audit(project, "versions", "adapter", "--gone")[-1]["state"] == "pruned"


def test_prune_keeps_what_something_kept_was_made_from(project: TinyProject, audit: Audit) -> None:
    first = project.run()
    audit(project, "tag", f"report@{first}", "submitted")
    project.run(params={"train": {"rate": 0.2}})
    last = project.run(params={"train": {"rate": 0.3}})
    audit(project, "prune", "--keep-last", "1", "--yes")
    assert project.versions("adapter") == [first, last]  # the report's, and the latest
    assert project.versions("questions.parquet") == [first, last]
    assert project.versions("dropped_chains.parquet") == [last]
    for file in project.data.glob("ledger.sqlite*"):  # the tag lies beside the version too
        file.unlink()
    audit(project, "rebuild")
    assert audit(project, "prune", "--keep-last", "1")["kept"]["tagged or protected"] == 1


def test_prune_clears_what_killed_saves_left(project: TinyProject, audit: Audit) -> None:
    project.run("learn")
    left = project.data / "adapter" / "2026-01-01T00.00.00.000Z" / ".tmp-x"
    left.mkdir(parents=True)
    (left / "part").write_bytes(b"x" * 1000)
    assert audit(project, "prune")["leftovers"][0]["size_bytes"] == 1000
    audit(project, "prune", "--yes")
    assert not left.parent.exists()


# reproduce


@pytest.mark.slow
def test_a_run_comes_out_again_with_its_uncommitted_changes_and_pins(project: TinyProject, audit: Audit) -> None:
    project.commit()
    project.run("learn")
    project.edit("src/PACKAGE/helpers.py", "rate * 10", "rate * 12")
    (project.path / "src" / project.package / "new.py").write_text("VALUE = 1\n")
    project.edit("src/PACKAGE/nodes.py", "from PACKAGE import helpers".replace("PACKAGE", project.package),
                 f"from {project.package} import helpers, new")  # fmt: skip
    # Processes of their own: this one holds the code as it was before the edit.
    assert project.start("--params=train.rate=0.4,keep.skip=1").wait() == 0
    assert project.start("--pipelines=ask").wait() == 0
    ask, run = (audit(project, "runs", name)["id"] for name in ("latest", "latest~1"))
    project.git("checkout", "-q", ".")
    (project.path / "src" / project.package / "new.py").unlink()
    project.run("learn")
    told = audit(project, "reproduce", run)
    assert told["equal"] is True
    assert (told["worktree"], len(told["versions"])) == (None, 9)
    assert audit(project, "runs", run)["reproductions"] == []  # nothing is written unasked
    assert audit(project, "reproduce", ask, "--remember")["equal"] is True
    assert audit(project, "runs", ask)["reproductions"][0]["equal"] is True
    assert project.git("worktree", "list").count("\n") == 1


def test_what_measures_the_run_itself_is_outside_the_verdict(project: TinyProject, audit: Audit) -> None:
    project.edit("src/PACKAGE/nodes.py", "def page(results):", "def page(results):\n    return str(time.time_ns())")
    project.edit("conf/base/catalog.yml", "  filepath: data/report.html",
                 "  filepath: data/report.html\n  metadata: {measures_run: true}")  # fmt: skip
    project.commit()
    told = audit(project, "reproduce", project.run("report" if project.run("learn", "ask") else ""))
    assert told["equal"] is True
    assert {one["dataset"]: one["outcome"] for one in told["versions"]} == {"report": "measured", "results": "equal"}


def test_a_page_that_says_by_which_run_it_was_made_comes_out_again(project: TinyProject, audit: Audit) -> None:
    from medo1.lineage.page_marks import mark

    project.edit("src/PACKAGE/nodes.py", "<!--medo1:evidence-->", f"{mark('id')}<!--medo1:evidence-->")
    project.commit()
    run = project.run()
    [page] = project.data.glob("report.html/*/report.html")
    assert run in page.read_text()
    told = audit(project, "reproduce", run)
    [outcome] = [one for one in told["versions"] if one["dataset"] == "report"]
    assert (outcome["outcome"], outcome["before"] == outcome["after"]) == ("equal", False)


def test_a_row_of_runs_fits_a_hundred_columns(
    project: TinyProject, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    run = project.run("learn", params={"questions": {"count": 5}, "train": {"rate": 0.123456789}})
    [line] = [line for line in audit(project, "runs", text=True).splitlines() if run in line]
    assert len(line) <= 100
    assert "finished" in line
    assert audit(project, "root")["root"][:12] in line


def test_what_comes_out_otherwise_is_told(project: TinyProject, audit: Audit) -> None:
    project.edit("src/PACKAGE/nodes.py", "def page(results):", "def page(results):\n    return str(time.time_ns())")
    project.commit()
    run = project.run()
    told = audit(project, "reproduce", run, code=1)
    assert [one["dataset"] for one in told["versions"] if one["outcome"] == "different"] == ["report"]
    assert Path(told["worktree"]).is_dir()
    shutil.rmtree(Path(told["worktree"]).parent)


def test_a_run_that_cannot_come_out_again_says_why(project: TinyProject, audit: Audit) -> None:
    run = project.run("learn")
    assert "outside a git repository" in audit(project, "reproduce", run, code=2)
    project.commit()
    (project.path / "src" / "big.txt").write_text("x" * (1 << 20) + "\n")
    run = project.run("learn")
    assert "larger than 1 MiB" in audit(project, "reproduce", run, code=2)
    (project.path / "src" / "big.txt").unlink()
    first = project.run("learn")
    run = project.run("ask")
    shutil.rmtree(project.data / "adapter" / first)
    assert "is not there any more" in audit(project, "reproduce", run, code=2)


# export


def test_events_are_valid_open_lineage(project: TinyProject, audit: Audit) -> None:
    from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState

    project.commit()
    project.run()
    audit(project, "export", "-o", "events.jsonl")
    events = [json.loads(line) for line in (project.path / "events.jsonl").read_text().splitlines()]
    assert len(events) == 2 + 2 * 8
    for event in events:  # the client's own classes check types and forms
        RunEvent(
            eventTime=event["eventTime"],
            eventType=RunState[event["eventType"]],
            producer=event["producer"],
            run=Run(event["run"]["runId"]),
            job=Job(event["job"]["namespace"], event["job"]["name"]),
            inputs=[InputDataset(one["namespace"], one["name"]) for one in event["inputs"]],
            outputs=[OutputDataset(one["namespace"], one["name"]) for one in event["outputs"]],
        )
    assert [event["eventType"] for event in events].count("COMPLETE") == 9
    ends = [event for event in events if event["eventType"] == "COMPLETE" and event["outputs"]]
    results = [one for event in ends for one in event["outputs"] if one["name"] == "data/results.parquet"]
    assert results[0]["outputFacets"]["outputStatistics"]["rowCount"] == 2
    assert results[0]["namespace"] == "medo1://tiny"
    assert len(results[0]["facets"]["medo1_sha256"]["sha256"]) == 64
    assert events[0]["run"]["facets"]["medo1_parameters"]["parameters"]["train"] == {"rate": 0.1}
    for facet in (results[0]["facets"]["medo1_sha256"], events[0]["run"]["facets"]["medo1_parameters"]):
        assert facet["_producer"]
        assert facet["_schemaURL"].startswith("https://openlineage.io/spec/")


# kedro-viz


def test_previews_say_version_run_and_digest(project: TinyProject) -> None:
    from medo1.datasets import AdapterDirectory, Table

    run = project.run()
    table = Table(filepath=str(project.data / "results.parquet"))
    digest = table.manifest().digest
    told = json.dumps(table.preview(1))
    assert run in told
    assert digest[:12] in told
    told = str(AdapterDirectory(filepath=str(project.data / "adapter")).preview())
    assert run in told
    assert '"node": "train"' in told


# Tags, cost, corrupt files


def test_a_tag_names_one_version_or_what_one_run_saved(project: TinyProject, audit: Audit) -> None:
    first, second = project.run("learn"), project.run("learn")
    audit(project, "tag", f"adapter@{first}", "gold")
    assert "names adapter@" in audit(project, "tag", f"adapter@{second}", "gold", code=2)
    audit(project, "tag", f"adapter@{second}", "gold", "--move")
    assert audit(project, "lineage", "adapter@gold")["version"]["version"] == second
    audit(project, "tag", "--run", first, "old")
    assert "already" in audit(project, "tag", "--run", second, "old", code=2)


def test_what_is_stale_is_made_again_by_the_command_that_is_printed(project: TinyProject, audit: Audit) -> None:
    import shlex

    project.run()
    project.edit("conf/base/parameters.yml", "rate: 0.1", "rate: 0.2")
    told = audit(project, "stale", text=True, code=1)
    [command] = [line for line in told.splitlines() if line.strip().startswith("kedro run")]
    arguments = shlex.split(command)[2:]
    assert project.start(*arguments).wait() == 0
    assert audit(project, "stale")["stale"] == []


@pytest.mark.parametrize("name", ["ledger", "manifest", "record", "tags"])
def test_a_corrupt_file_ends_in_one_message_with_what_to_do(project: TinyProject, audit: Audit, name: str) -> None:
    run = project.run("learn")
    folder = project.data / "adapter" / run
    if name == "tags":
        audit(project, "tag", "adapter", "gold")
    file = {
        "ledger": project.data / "ledger.sqlite",
        "manifest": folder / "_manifest.json",
        "record": project.data / ".lineage" / "runs" / f"{run}.json",
        "tags": folder / "_tags.json",
    }[name]
    for other in project.data.glob("ledger.sqlite-*"):
        other.unlink()
    file.write_bytes(b"\x00garbage" * 100)
    commands = {
        "ledger": ["runs"],
        "manifest": ["trace", "training_log"],
        "record": ["root"],
        "tags": ["tag", "adapter", "x"],
    }
    told = audit(project, *commands[name], code=None, text=True)
    assert "Traceback" not in told
    if name == "ledger":
        assert "move it away and run `kedro audit rebuild`" in told
    if name in ("ledger", "record", "tags"):
        audit(project, *commands[name], code=2)
