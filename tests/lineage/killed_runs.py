"""Kills a small study at random moments and looks at what is left. Called by tests and by benchmarks/lineage.py.

    python -m tests.lineage.killed_runs FOLDER COUNT SEED

One warm process forks a run after another, so that a kill costs half a second and not a start of Kedro. Prints JSON:
how many were killed, how many half-written directories were seen, and what was found afterwards.
"""

from __future__ import annotations

import json
import logging
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from tests.lineage.killing import MOST_RUNS_EACH, KilledRuns, damaged
from tests.lineage.tiny_project import TinyProject


def kill_runs(folder: Path, count: int, seed: int) -> dict[str, Any]:
    """Kill runs at random moments until `count` of them stand in the ledger as interrupted and one left a half version.

    How many kills that takes is up to the machine's speed on the day; after each, everything that claims to be complete
    is loaded.
    """
    from kedro.framework.startup import bootstrap_project

    project = TinyProject(folder)
    rng = random.Random(seed)
    project.run()
    os.chdir(project.path)
    bootstrap_project(project.path)
    runs = KilledRuns(project)
    started = time.perf_counter()
    runs.run_one()
    whole = time.perf_counter() - started
    while runs.counted()["interrupted"] < count or not runs.half:
        if runs.killed + runs.ended > MOST_RUNS_EACH * count:
            raise SystemExit(f"{runs.killed} kills and {runs.ended} whole runs, the ledger shows {runs.counted()}")
        started = time.perf_counter()
        before = runs.ended
        runs.kill_one(rng.uniform(0, whole))
        if runs.ended > before:  # it was faster than thought: the moments are drawn from a shorter time
            whole = min(whole, time.perf_counter() - started)
    last = runs.run_one()
    return {"killed": runs.killed, "ended": runs.ended, "half_versions": len(runs.half), "states": runs.counted(),
            "last": last, "broken": runs.broken, "wrong": runs.wrong, "damaged": damaged(project)}  # fmt: skip


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(json.dumps(kill_runs(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
