"""`kedro completions`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from medo1.commands.completions import completions
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from tests.conftest import ROOT
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
    assert "1 of 1 answer" in told.output
    assert "1 of 1 answer" in run(path, "show", "--finish-reason", "length").output
    assert "HTTP 500" in run(path, "show", "--failures").output
    for command in ("show", "stats"):
        assert "none of its 5 answers fits" in run(path, command, "--before", "2020-01-01").output


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
    assert "1 answer deleted" in run(path, "prune", "--finish-reason", "length", "--delete").output
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


@pytest.fixture
def project(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with this configuration, where a run of base left two stores."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf", ignore=shutil.ignore_patterns("local"))
    (tmp_path / "conf/local").mkdir()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for folder in ("04_feature", "07_model_output"):
        (tmp_path / "data" / folder).mkdir(parents=True)
        shutil.copy(path, tmp_path / "data" / folder / "completions.sqlite")
    monkeypatch.chdir(tmp_path)
    for name in ("KEDRO_ENV", "MEDO1_ROOT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def told(*words: str, code: int = 0) -> str:
    found = CliRunner().invoke(completions, list(words), catch_exceptions=False)
    assert found.exit_code == code, found.output
    return found.output


STUDENTS, TEACHERS = "data/07_model_output/completions.sqlite", "data/04_feature/completions.sqlite"


def test_without_options_every_store_that_the_environments_engines_write_to_is_looked_into(project: Path) -> None:
    counted = told("stats")
    assert STUDENTS in counted
    assert TEACHERS in counted
    assert len(told("export").splitlines()) == 11  # five of each, and how many
    assert told("prune", "--finish-reason", "length").count("1 of 5 answers would be deleted") == 2
    assert told("retry").count("1 failure forgotten") == 2


def test_the_root_of_the_study_moves_the_stores_that_are_looked_into(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "data").rename(project / "elsewhere")
    monkeypatch.setenv("MEDO1_ROOT", "elsewhere")
    assert "elsewhere/04_feature/completions.sqlite" in told("show", "-n", "1")


@pytest.mark.parametrize("words", [("stats", "-e", "served"), ("-e", "served", "stats")])
def test_options_stand_before_the_commands_name_or_after_it(project: Path, words: tuple[str, ...]) -> None:
    (project / "data/served").mkdir()
    (project / "data/07_model_output").rename(project / "data/served/07_model_output")
    found = told(*words)
    assert "data/served/07_model_output" in found
    assert "data/04_feature" not in found


def test_stores_are_found_from_below_the_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "notebooks").mkdir()
    monkeypatch.chdir(project / "notebooks")
    assert "5 answers" in told("show")


def test_nothing_found_says_where_was_looked_and_what_to_do(project: Path) -> None:
    found = told("stats", "-e", "paper", code=1)
    assert "data/completions.sqlite" in found
    assert "--store" in found
    assert "kedro run" in found
    assert "There is no answer ffff" in told("show", "--id", "ffff", code=1)
    assert "conf/nobody" in told("-e", "nobody", "stats", code=1)


def test_what_changes_one_store_asks_which_where_there_are_several(project: Path, tmp_path: Path) -> None:
    assert "say which with --store" in told("recover", "--to", str(tmp_path / "new.sqlite"), code=1)
    assert "5 answers recovered" in told("recover", "--to", str(tmp_path / "new.sqlite"), "--store", STUDENTS)
    refused = told("migrate", "--engine", "zz", "--model", "x", code=1)
    assert STUDENTS in refused
    assert "0 engines" in refused
