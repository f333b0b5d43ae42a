"""`kedro seeds` shows every run, failed ones too, and loses none that finished."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from medo1.commands import seeds as command
from medo1.commands.seeds import Repetition, seeds
from medo1.lineage.manifests import Provenance
from tests.journey.scratch import Scratch

ACCURACY = {"vanilla": 0.5, "longstep_sft": 0.625}


def results(seed: int) -> pd.DataFrame:
    rows = [
        {
            "arm": arm,
            "benchmark": "clinic_basics",
            "questions": 80,
            "answered": 80,
            "unread": 0,
            "truncated": 0,
            "correct": int(80 * share) + seed,
            "accuracy": share + seed / 80,
            "accuracy_low": 0.0,
            "accuracy_high": 1.0,
            "mean_tokens": 12.0,
        }
        for arm, share in ACCURACY.items()
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def project(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path)


@pytest.fixture
def ran(project: Scratch, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that were asked for, in a project where a run saves its results, and one of them fails."""
    monkeypatch.chdir(project.path)
    asked: list[str] = []

    def run(one: Repetition, env: str | None, params: str) -> int:
        asked.append(one.params)
        if one == Repetition(2, 8):
            return 1
        saved = command._datasets(env)[0]
        saved.provenance = Provenance("results")
        saved.save(results(one.seed))
        return 0

    monkeypatch.setattr(command, "_run", run)
    return asked


def kept() -> Any:
    return command._datasets(None)[1]


def test_every_seed_runs_in_every_world_and_a_failed_run_is_shown_and_stops_no_other(ran: list[str]) -> None:
    done = CliRunner().invoke(seeds, ["1", "2", "3", "--world", "7", "--world", "8"])
    assert ran == [f"world={world},seed={seed}" for world in (7, 8) for seed in (1, 2, 3)]
    assert done.exit_code == 1
    assert "1 of 6 runs failed: world 8, seed 2" in done.output
    assert done.output.count("failed") >= 3, "a column of the table for it too"
    table = kept().load()
    assert sorted(set(zip(table["world"], table["seed"], strict=True))) == [(7, 1), (7, 2), (7, 3), (8, 1), (8, 3)]
    assert len(kept().complete_versions()) == 5, "saved after every run"
    assert "+12.5 [+12.5, +12.5]" in done.output, "the difference is taken run by run"
    assert "52.5%" in done.output, "the median of 51.2, 52.5, 53.8, 51.2 and 53.8"


def test_without_a_world_the_configured_one_is_run_and_the_table_leaves_it_open(ran: list[str]) -> None:
    done = CliRunner().invoke(seeds, ["4"])
    assert (done.exit_code, ran) == (0, ["seed=4"])
    assert kept().load()["world"].isna().all()


@pytest.mark.parametrize("words", [["1", "1"], ["1", "--world", "7", "--world", "7"]])
def test_a_seed_or_world_named_twice_is_refused(ran: list[str], words: list[str]) -> None:
    done = CliRunner().invoke(seeds, words)
    assert (done.exit_code, ran) == (1, [])
    assert "names one twice" in done.output


def test_a_number_of_the_table_is_traced_to_the_run_that_it_is_of(ran: list[str], project: Scratch) -> None:
    def audit(*words: str) -> Any:
        done = project.kedro("audit", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout) if "--json" in words else None

    CliRunner().invoke(seeds, ["1", "3"])
    audit("rebuild")  # the runs here are stand-ins, which write no ledger
    traced = audit("trace", "results_by_seed", "accuracy", "--where", "seed=3", "--where", "arm=vanilla", "--json")
    (below,) = traced["trace"]["below"]
    version = max(command._datasets(None)[0].complete_versions())
    assert len(ran) == 2
    assert (below["dataset"], below["version"], below["rows"]) == ("results", version, 1)
    assert below["checks"][0]["comes_out"]
    gone = audit("prune", "--keep-last", "1", "--json")["versions"]
    assert {one["dataset"] for one in gone} == {"results_by_seed"}, "the newest table was made from both runs"
