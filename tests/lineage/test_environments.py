"""What one environment made is no other's free input, unless it is named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest
from kedro.io.core import DatasetError

from medo1.lineage.pins import inputs_from
from tests.lineage.tiny_project import TinyProject

Audit = Callable[..., Any]


@pytest.fixture
def two(project: TinyProject) -> TinyProject:
    """A project that ran in base, with another environment that did not."""
    project.add_environment("mine")
    project.run()
    return project


def test_an_environment_does_not_read_what_another_made_and_says_how_to(two: TinyProject) -> None:
    with pytest.raises(DatasetError, match=r"Environment base has some.*--from-run base/latest"):
        two.run("ask", env="mine")
    two.run("learn", env="mine")
    two.run("ask", env="mine")
    assert two.versions("mine/answers.parquet")


def test_versions_that_were_moved_between_environments_are_not_taken(two: TinyProject, warned: list[str]) -> None:
    two.run("learn", env="mine")
    shutil.rmtree(two.data / "adapter")
    shutil.copytree(two.data / "mine" / "adapter", two.data / "adapter")
    with pytest.raises(DatasetError, match="belongs to a run that is still going on, or to another environment"):
        two.run("ask")
    assert any("was made in environment mine" in text for text in warned)


@pytest.mark.parametrize("named", ["base/latest", "run id", "pin"])
def test_a_named_run_or_version_of_another_environment_is_taken_and_kept_in_the_lineage(
    two: TinyProject, audit: Audit, named: str
) -> None:
    [base] = two.versions("adapter")
    if named == "pin":
        pins = {"adapter": base, "questions": base}
        two.run("ask", env="mine", load_versions=pins)
    else:
        with inputs_from("base/latest" if named == "base/latest" else base):
            two.run("ask", env="mine")
    told = audit(two, "lineage", "answers", "--up", "--env", "mine")
    assert told["version"]["location"] == "data/mine/answers.parquet"
    above = {row["dataset"]: row["location"] for row in told["up"]["versions"]}
    assert above["adapter"] == "data/adapter"
    assert above["kept_chains"] == "data/kept_chains.parquet"  # the whole way, through both environments
    assert audit(two, "verify")["findings"] == []
    assert audit(two, "stale", "--env", "mine")["stale"] == []


def test_latest_is_that_of_the_environment(two: TinyProject, audit: Audit) -> None:
    [base] = two.versions("results.parquet")
    mine = two.run(env="mine")
    for env, run in (("base", base), ("local", base), ("mine", mine)):
        assert audit(two, "runs", "latest", "--env", env)["id"] == run
        assert audit(two, "runs", f"{env}/latest")["id"] == run
        assert audit(two, "trace", "results", "--where", "arm=plain", "--env", env)["trace"]["version"] == run
        assert {row["version"] for row in audit(two, "versions", "--env", env)} == {run}
    assert audit(two, "runs", "latest")["id"] == base
    assert [row["id"] for row in audit(two, "runs")] == [mine, base]
    assert "Runs of each environment: base/latest, mine/latest" in audit(two, "runs", "other/latest", code=2)
