"""The study on one page runs as it stands, without Kedro."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SCRIPT = ROOT / "notebooks/the_study_flat.py"


@pytest.mark.slow
def test_the_flat_study_runs_and_compares_every_arm() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--small"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for arm in ("vanilla", "vanilla_cot", "cot_sft", "longstep_sft", "longmonolog_sft"):
        assert re.search(rf"^{arm} +\d+\.\d% +\d+\.\d% to", done.stdout, re.MULTILINE), done.stdout


def test_the_flat_study_needs_no_kedro() -> None:
    code = f"import runpy, sys; runpy.run_path({str(SCRIPT)!r}); print('kedro' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "False", done.stderr[-2000:]
