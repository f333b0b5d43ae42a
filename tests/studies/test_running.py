"""A study runs from its declaration to its page, goes on where it stopped, and comes out the same again."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from markupsafe import escape

from medo1.studies.declaration import declared, names
from tests.conftest import ROOT
from tests.journey.scratch import Scratch

STUDIES = ROOT / "conf/studies"
EMBEDDED = [name for name in names(STUDIES) if declared(STUDIES, name).env == "studies"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    return Scratch(tmp_path_factory.mktemp("studies"))


@pytest.mark.slow
@pytest.mark.parametrize("name", EMBEDDED)
def test_every_study_of_the_embedded_world_runs_in_small(project: Scratch, name: str) -> None:
    ran = project.kedro("study", name, "--small")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    page = (project.path / f"data/studies/small/{name}/index.html").read_text(encoding="utf-8")
    assert str(escape(declared(STUDIES, name).question)) in page
    assert " done)" in ran.stdout


@pytest.mark.slow
def test_a_study_goes_on_where_it_stopped_and_a_cell_comes_out_the_same_again(project: Scratch) -> None:
    name, folder = "format", Path("data/studies/small/format")
    results = sorted((project.path / folder).glob("size-*.json"))
    if not results:
        project.kedro("study", name, "--small")
        results = sorted((project.path / folder).glob("size-*.json"))
    kept = results[0].read_bytes()
    results[-1].unlink()
    plan = project.kedro("study", name, "--small", "--dry-run")
    assert "2 cells: 1 done, 0 failed, 1 missing" in plan.stdout, plan.stdout + plan.stderr
    went_on = project.kedro("study", name, "--small")
    assert went_on.stdout.count("of 2 done)") == 1, went_on.stdout + went_on.stderr
    assert results[0].read_bytes() == kept
    again = project.kedro("study", name, "--small", "--only", "recipe=epochs", "--reproduce")
    assert again.returncode == 0, again.stdout + again.stderr
    changed = json.loads(kept)
    arm = changed["arms"]["vanilla"]["clinic_basics"]
    arm["right"] = arm["right"].translate(str.maketrans("01", "10"))
    results[0].write_text(json.dumps(changed), encoding="utf-8")
    other = project.kedro("study", name, "--small", "--only", "recipe=epochs", "--reproduce")
    assert other.returncode != 0
    assert "vanilla on clinic_basics: 10 of 10 questions come out otherwise" in other.stdout


def test_a_cell_that_fails_is_kept_with_its_reason_and_stops_no_other(tmp_path: Path) -> None:
    project = Scratch(tmp_path)
    study = {
        "question": "Does it fail?", "hypothesis": "Yes.", "refuted_if": "No.", "pipelines": ["clinic"],
        "grid": {"steps": {"none": {"clinic": {"base": {"loop": {"steps": 0}}}}, "misspelt": {"clinik": {}}}},
        "comparisons": {},
    }  # fmt: skip
    project.configure("studies/failing.yml", study)
    ran = project.kedro("study", "failing", "--jobs", "2")
    assert ran.returncode != 0
    assert "No cell of failing is done" in ran.stderr
    why = {
        file.name: json.loads(file.read_text())["why"]
        for file in (tmp_path / "docs/results/failing").glob("*.failed.json")
    }
    assert set(why) == {"steps-none.failed.json", "steps-misspelt.failed.json"}
    assert "clinik" in why["steps-misspelt.failed.json"]
    plan = project.kedro("study", "failing", "--dry-run")
    assert "2 cells: 0 done, 2 failed, 0 missing" in plan.stdout


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_study_that_is_told_to_end_takes_its_runs_along_and_calls_none_of_them_failed(
    tmp_path: Path, told: signal.Signals
) -> None:
    project = Scratch(tmp_path)
    study = {
        "question": "Does it end?", "hypothesis": "Yes.", "refuted_if": "No.", "pipelines": ["clinic"],
        "grid": {"seed": [1, 2, 3]}, "comparisons": {},
        "parameters": {"clinic": {"base": {"loop": {"steps": 100000}}}},
    }  # fmt: skip
    project.configure("studies/long.yml", study)
    folder = tmp_path / "docs/results/long"
    command, environment = project.command("study", "long", "--jobs", "2")
    process = subprocess.Popen(command, cwd=tmp_path, env=environment)
    runs: set[int] = set()
    try:
        for _ in range(600):
            claims = [json.loads(file.read_text()) for file in folder.glob("*.claim")]
            runs = {pid for claim in claims for pid in claim["pids"]} - {process.pid}
            if len(runs) == 2 or process.poll() is not None:
                break
            time.sleep(0.1)
        process.send_signal(told)
        assert process.wait(120) != 0
    finally:
        process.kill()
    assert len(runs) == 2
    assert [pid for pid in runs if Path(f"/proc/{pid}").exists()] == []
    assert sorted(file.name for file in folder.iterdir()) == ["study.json"]
