"""What the tests of lineage share: a small project, and the audit's commands on it."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.lineage.tiny_project import SOURCE, TinyProject

os.environ.setdefault("KEDRO_DISABLE_TELEMETRY", "1")
os.environ.setdefault("DO_NOT_TRACK", "1")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or fills the user's cache."""
    os.environ["MEDO1_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["PYTHONPATH"] = str(SOURCE)  # of the processes that tests start, wherever those stand


@pytest.fixture
def project(tmp_path: Path) -> TinyProject:
    return TinyProject(tmp_path / "project")


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What pinning warns of; Kedro sets up logging anew in each run, so it is caught at its source."""
    told: list[str] = []
    monkeypatch.setattr("medo1.lineage.pins.logger.warning", lambda text, *values: told.append(text % values))
    return told


@pytest.fixture
def audit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`kedro audit ...` in a project: returns exit code and text, or the JSON that was printed."""

    def run(project: TinyProject, *arguments: str, code: int | None = 0, text: bool = False) -> Any:
        from click.testing import CliRunner
        from kedro.framework.startup import bootstrap_project

        from medo1.commands.audit import audit as group

        bootstrap_project(project.path)
        monkeypatch.chdir(project.path)
        options = [] if text else ["--json"]
        result = CliRunner().invoke(group, [*arguments, *options])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert code is None or result.exit_code == code, result.output
        if text or result.exit_code == 2:
            return result.output
        return json.loads(result.stdout)

    return run


@pytest.fixture
def paid(project: TinyProject, monkeypatch: pytest.MonkeyPatch) -> TinyProject:
    """A project whose chains were paid for, in a completion store, after one run."""
    project.pay_for_chains()
    monkeypatch.chdir(project.path)
    project.commit()
    project.run()
    return project


def sql(file: Path, statement: str, *values: Any) -> None:
    """Change a SQLite file behind medo1's back."""
    with sqlite3.connect(file) as database:
        assert database.execute(statement, values).rowcount != 0
    database.close()
