"""A whole study, run again from the record of its run."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.journey.scratch import SMALL, Scratch

# What measures the run itself, and nothing else, may come out otherwise.
MEASURED = {
    "timing", "training_timing", "teaching_costs", "teaching_estimate", "training_estimate", "training_page",
    "training_pages",
    "frontier", # seconds of each way of asking
}  # fmt: skip


@pytest.mark.slow
def test_a_whole_study_comes_out_again(tmp_path: Path) -> None:
    project = Scratch(tmp_path)
    package = tmp_path / "src/medo1"
    package.unlink()
    shutil.copytree(ROOT / "src/medo1", package, ignore=shutil.ignore_patterns("__pycache__"))
    project.configure("local/parameters.yml", SMALL)
    (tmp_path / ".gitignore").write_text("/data/\n/conf/local/\n", encoding="utf-8")
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    for words in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "a study")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    ran = project.kedro("run")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    again = project.kedro("audit", "reproduce", "latest", "--json")
    told = json.loads(again.stdout)
    different = [one["dataset"] for one in told["versions"] if one["outcome"] in ("different", "missing")]
    assert (again.returncode, told["equal"], different) == (0, True, []), again.stderr
    measured = {one["dataset"].rpartition(".")[2] for one in told["versions"] if one["outcome"] == "measured"}
    assert measured <= MEASURED
    assert len(told["versions"]) > 50
