"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = ROOT.parent / "shared" / "benchmarks"


@pytest.fixture(scope="session")
def benchmark_files() -> Path:
    """The folder of real benchmark files; tests that need it are skipped where it is absent, but never in CI."""
    if not BENCHMARKS.is_dir():
        if os.environ.get("MEDO1_CI"):
            pytest.fail(f"the benchmark files must be at {BENCHMARKS} in CI")
        pytest.skip(f"the benchmark files are not at {BENCHMARKS} (docs/bring_real_data.md)")
    return BENCHMARKS
