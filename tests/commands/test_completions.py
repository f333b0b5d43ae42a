"""`kedro completions`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from medo1.commands.completions import completions
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from tests.engines.conftest import ask, engine_for, server  # noqa: F401
from tests.engines.http.server import Server


@pytest.fixture
def path(server: Server, tmp_path: Path) -> Path:  # noqa: F811
    """A store with five answers (one of them cut) and a failure."""
    path = tmp_path / "c.sqlite"
    with Stored(engine_for(server, max_attempts=1), CompletionStore(path)) as engine:
        asked = [*(ask(f"A patient with “fever” {n}") for n in range(4)), ask("[faults: length]"), ask("[faults: 500]")]
        list(engine.complete(asked))
    return path


def run(path: Path, *words: str) -> Result:
    return CliRunner().invoke(completions, ["--store", str(path), *words])


def test_show_prints_prompts_and_answers(path: Path) -> None:
    told = run(path, "show", "--text", "“fever” 2")
    assert told.exit_code == 0
    assert "user: A patient with “fever” 2" in told.output
    assert "Final answer" in told.output
    assert "1 of 1 answers" in told.output
    assert "1 of 1 answers" in run(path, "show", "--finish-reason", "length").output
    assert "HTTP 500" in run(path, "show", "--failures").output
    assert "0 of 0" in run(path, "show", "--before", "2020-01-01").output


def test_export_writes_one_json_line_an_answer(path: Path, tmp_path: Path) -> None:
    told = run(path, "export", "--text", "fever", "-o", str(tmp_path / "out.jsonl"))
    assert told.exit_code == 0, told.output
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(rows) == 4
    assert rows[0]["messages"][0][0] == "user"
    assert rows[0]["engine"]["model"] == "teacher"
    assert rows[0]["sampling"]["max_new_tokens"] == 1024
    assert len(run(path, "export").stdout.splitlines()) == 5


def test_prune_says_what_would_go_and_does_it_only_when_told(path: Path) -> None:
    assert "1 of 5 answers would be deleted" in run(path, "prune", "--finish-reason", "length").output
    assert "1 answers deleted" in run(path, "prune", "--finish-reason", "length", "--delete").output
    store = CompletionStore(path)
    assert store.count() == 4
    store.close()
    refused = run(path, "prune", "--delete")
    assert refused.exit_code != 0
    assert "say which answers" in refused.output


def test_stats_counts_by_engine(path: Path) -> None:
    told = run(path, "stats")
    assert told.exit_code == 0
    assert "teacher" in told.output
    assert "length" in told.output


def test_a_missing_store_is_named(tmp_path: Path) -> None:
    told = run(tmp_path / "none.sqlite", "stats")
    assert told.exit_code != 0
    assert "no such completion store" in told.output
