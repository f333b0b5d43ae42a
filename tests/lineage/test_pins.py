"""A run reads one state of its inputs, whatever happens meanwhile, and says so when it cannot."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kedro.io.core import DatasetError

from medo1.lineage.pins import inputs_from
from tests.lineage.test_runs import _started, _wait_for
from tests.lineage.tiny_project import TinyProject

Audit = Callable[..., Any]


def test_two_runs_at_once_never_mix(project: TinyProject) -> None:
    """Two processes: a slow run reads what was there when it started, although another saves all of it anew."""
    first = project.run("learn")
    project.edit("src/PACKAGE/nodes.py", "def answer_directly(questions, params):",
                 "def answer_directly(questions, params):\n    held(params)")  # fmt: skip
    hold = project.hold()
    slow = project.start("--pipelines=ask", f"--params=arm.held_by={hold}")
    _wait_for(lambda: _started(project, "answer_directly") or _started(project, "answer"))
    quick = project.run("learn", params={"questions": {"count": 5}, "train": {"rate": 0.9}})
    Path(hold).unlink()
    output, _ = slow.communicate(timeout=300)
    assert slow.returncode == 0, output
    slow_run = next(row["id"] for row in project.table("run") if row["id"] not in (first, quick))
    read = {(row["name"], row["version"]) for row in project.table("pin", where=f"WHERE run_id = '{slow_run}'")}
    assert read == {("adapter", first), ("questions", first)}
    joined = (
        "JOIN node_run ON node_run.id = input.node_run_id JOIN version ON version.id = input.version_id "
        f"WHERE node_run.run_id = '{slow_run}'"
    )
    inputs = project.table("input", where=joined)
    assert {row["version"] for row in inputs} == {first}


def test_versions_of_a_run_that_goes_on_are_not_taken(project: TinyProject, warned: list[str]) -> None:
    first = project.run("learn")
    going = project.start(f"--params=teacher.held_by={project.hold()}")
    _wait_for(lambda: _started(project, "write_chains", runs=2))  # its questions are saved by now
    second = project.versions("questions.parquet")[-1]
    run = project.run("ask")
    assert {row["version"] for row in project.table("pin", where=f"WHERE run_id = '{run}'")} == {first}
    assert "still going on" in warned[0]
    named = project.run("ask", load_versions={"questions": second})
    assert project.table("pin", where=f"WHERE run_id = '{named}' AND name = 'questions'")[0]["version"] == second
    os.kill(going.pid, signal.SIGKILL)
    going.wait()
    later = project.run("ask")
    assert project.table("pin", where=f"WHERE run_id = '{later}' AND name = 'questions'")[0]["version"] == second


@pytest.mark.parametrize(
    ("name", "reason"),
    [("answers", "made by this run"), ("report", "no input of this run"), ("teacher_prompt", "no input of this run")],
)
def test_a_pin_that_cannot_take_effect_is_an_error(project: TinyProject, name: str, reason: str) -> None:
    version = project.run("learn")
    with pytest.raises(DatasetError, match=reason):
        project.run("ask", load_versions={name: version})
    with pytest.raises(DatasetError, match="has no versions"):
        project.run("learn", load_versions={"teacher_prompt": version})


def test_a_pin_on_a_version_that_is_not_there_is_an_error(project: TinyProject) -> None:
    project.run("learn")
    with pytest.raises(DatasetError, match="No complete version"):
        project.run("ask", load_versions={"adapter": "2020-01-01T00.00.00.000Z"})
    with pytest.raises(DatasetError, match="no version 'gold'"):
        project.run("ask", load_versions={"adapter": "gold"})


def test_a_tag_is_a_pin(project: TinyProject, audit: Audit) -> None:
    first = project.run("learn")
    audit(project, "tag", f"adapter@{first}", "gold", "--protect")
    project.run("learn", params={"train": {"rate": 0.7}})
    run = project.run("ask", load_versions={"adapter": "gold"})
    assert project.table("pin", where=f"WHERE run_id = '{run}' AND name = 'adapter'")[0]["version"] == first


def test_every_free_input_comes_from_the_run_that_is_named(project: TinyProject) -> None:
    first = project.run()
    project.run(params={"questions": {"count": 5}})
    with inputs_from(first):
        run = project.run("ask", "report")
    assert {row["version"] for row in project.table("pin", where=f"WHERE run_id = '{run}'")} == {first}
    assert project.table("run", where=f"WHERE id = '{run}'")[0]["from_run"] == first
    with inputs_from("latest"):  # what that run read itself
        again = project.run("ask")
    assert {row["version"] for row in project.table("pin", where=f"WHERE run_id = '{again}'")} == {first}


def test_from_run_says_what_has_changed_and_takes_it_when_told(project: TinyProject) -> None:
    first = project.run()
    project.edit("conf/base/prompts/teacher.md", "Think.", "Think twice.")
    with inputs_from(first), pytest.raises(DatasetError, match="--changed teacher_prompt"):
        project.run("learn")
    with inputs_from(first, frozenset({"teacher_prompt"})):
        project.run("learn")
    ask = project.run("ask")
    with inputs_from(ask), pytest.raises(DatasetError, match="neither read nor wrote teacher_prompt"):
        project.run("learn")


def test_from_run_is_an_option_of_kedro_run() -> None:
    from medo1.commands.run import run

    assert {"from_run", "changed"} <= {parameter.name for parameter in run.params}


def test_a_prompt_that_is_edited_during_a_run_stops_it(project: TinyProject) -> None:
    project.edit("src/PACKAGE/pipeline_registry.py", '"results", "report", name="page"',
                 '["results", "teacher_prompt"], "report", name="page"')  # fmt: skip
    project.edit("src/PACKAGE/nodes.py", "def page(results):", "def page(results, prompt):")
    project.edit("src/PACKAGE/nodes.py", "def score(answers, plain_answers):",
                 "def score(answers, plain_answers):\n"
                 "    Path('conf/base/prompts/teacher.md').write_text('Other.')")  # fmt: skip
    with pytest.raises(DatasetError, match="was changed while the run was going on"):
        _in_folder(project.path, project.run)


def test_inputs_from_different_contents_of_one_ancestor_are_pointed_out(
    project: TinyProject, warned: list[str]
) -> None:
    first = project.run()
    second = project.run(params={"questions": {"count": 6}})
    project.run("report", load_versions={"answers": first, "plain_answers": second})
    assert "different versions of questions" in warned[0]
    warned.clear()
    project.run("report")
    assert not warned


def test_what_is_left_out_because_it_exists_is_pinned_too(project: TinyProject) -> None:
    first = project.run()
    import shutil

    shutil.rmtree(project.data / "report.html")
    run = project.run(only_missing_outputs=True)
    assert project.versions("report.html") == [run]
    assert {row["version"] for row in project.table("pin", where=f"WHERE run_id = '{run}' AND kind = 'version'")} == {
        first
    }


def test_strays_renamed_and_removed_versions_do_not_confuse_the_latest(project: TinyProject) -> None:
    first, second = project.run("learn"), project.run("learn", params={"train": {"rate": 0.5}})
    third = project.run("learn", params={"train": {"rate": 0.6}})
    folder = project.data / "adapter"
    (folder / third).rename(folder / "2098-01-01T00.00.00.000Z")  # renamed: no longer what it says
    (folder / "zzz-backup").mkdir()
    (folder / "2097-01-01T00.00.00.000Z").mkdir()  # half-written
    run = project.run("ask")
    pins = {row["name"]: row["version"] for row in project.table("pin", where=f"WHERE run_id = '{run}'")}
    assert pins["adapter"] == second
    import shutil

    shutil.rmtree(folder / second)
    run = project.run("ask")
    pins = {row["name"]: row["version"] for row in project.table("pin", where=f"WHERE run_id = '{run}'")}
    assert pins["adapter"] == first


def _in_folder(path: Path, call: Callable[[], Any]) -> Any:
    before = Path.cwd()
    os.chdir(path)
    try:
        return call()
    finally:
        os.chdir(before)
