"""A project of its own for a test: this repository's configuration and code, and an empty data folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT

CONTROLS = {"answer_only": "control_answer", "shuffled": "control_shuffled", "filler": "control_filler"}  # format: arm
# 40 cases to train on, 10 of each benchmark to test, 5 of each as dev.
FEW_CASES: dict[str, Any] = {
    "train": {0: 5, 1: 5, 2: 6, 3: 6, 4: 6, 5: 6, 6: 6},
    "test": {
        "clinic_basics": {0: 4, 1: 2, 2: 4},
        "clinic_cases": {0: 2, 1: 0, 2: 4, 3: 2, 4: 2},
        "clinic_puzzles": {0: 2, 1: 2, 3: 0, 4: 2, 5: 2, 6: 2},
    },
}
# The embedded world in small: some forty seconds. What its arms score says nothing.
SMALL: dict[str, Any] = {
    "clinic": {
        "exam": FEW_CASES,
        "textbook": {"documents": 400},
        "base": {
            "gates": {"pick": 0.0, "opening": 0.0, "alone": 0.0, "update": 0.0},
            "loop": {"steps": 30, "rows": 20, "width": 128, "learning_rate": 5e-3, "warmup_steps": 5, "skip": 120},
        },
    },
    "formats": dict.fromkeys(CONTROLS),
    "arms": dict.fromkeys(CONTROLS.values()),
    "synthesis": {"questions": 40},
    "finetune": {name: {"epochs": 1} for name in ("cot", "longstep", "longmonolog")},
    "inference": {"max_new_tokens": 48, "budgets": [16], "samples": 2, "votes": {"numbers": [1, 2]}},
}


class Scratch:
    """A project in a folder, run as a user runs it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        shutil.copytree(ROOT / "conf", path / "conf", ignore=shutil.ignore_patterns("local"))
        (path / "conf/local").mkdir()
        shutil.copy(ROOT / "pyproject.toml", path)
        shutil.copy(ROOT / ".telemetry", path)
        (path / "src").mkdir()
        (path / "src/medo1").symlink_to(ROOT / "src/medo1")

    def configure(self, file: str, values: dict[str, Any]) -> None:
        """Write a file below conf/, such as `local/parameters.yml`."""
        target = self.path / "conf" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yaml.safe_dump(values), encoding="utf-8")

    def kedro(self, *arguments: str, wait: float = 600, **environment: str) -> subprocess.CompletedProcess[str]:
        """`kedro ...` in the folder, for at most `wait` seconds."""
        command, variables = self.command(*arguments)
        return subprocess.run(
            command,
            cwd=self.path,
            env=variables | environment,
            capture_output=True,
            text=True,
            timeout=wait,
            check=False,
        )

    def command(self, *arguments: str) -> tuple[list[str], dict[str, str]]:
        """`kedro ...` as a command line, and its environment."""
        variables = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200", "OMP_NUM_THREADS": "1"}
        variables.pop("KEDRO_ENV", None)
        return [sys.executable, "-m", "kedro", *arguments], variables

    def versions(self, artifact: str) -> list[Path]:
        """The versions of an artifact by its path below data/, oldest first."""
        return sorted(path for path in (self.path / "data" / artifact).glob("20*") if path.is_dir())
