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
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

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
    whole = _seconds(project)
    killed = half = finished = 0
    while (states := _states(project)).get("interrupted", 0) < count or not half:
        if killed + finished > MOST_RUNS_EACH * count:
            raise SystemExit(f"{killed} kills and {finished} whole runs, and the ledger shows {states}")
        started = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            _run_quietly(project)
        _wait(pid, rng.uniform(0, whole))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            killed += 1
        else:  # it was faster than thought: the moments are drawn from a shorter time
            finished += 1
            whole = min(whole, time.perf_counter() - started)
        half += _check_everything_loads(project)
    last = project.run()
    return {"killed": killed, "ended": finished, "half_versions": half, "states": states, "last": last,
            "damaged": _damaged(project)}  # fmt: skip


# Of the runs started, for each that must be found interrupted: kills before the ledger's first row do not count.
MOST_RUNS_EACH = 20


def _states(project: TinyProject) -> dict[str, int]:
    """How many runs the ledger shows in each state."""
    from medo1.lineage.audit.runs import latest_runs

    ledger = project.ledger()
    with ledger.reading() as connection:
        states = Counter(run["state"] for run in latest_runs(connection, ledger, 1_000_000))
    ledger.close()
    return dict(states)


def _wait(pid: int, seconds: float) -> None:
    """Until the time is over or the process has ended; it stays to be waited for."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return
        time.sleep(0.001)


def _run_quietly(project: TinyProject) -> None:
    logging.disable(logging.CRITICAL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(1, 2)
    try:
        project.run()
    finally:
        os._exit(0)


def _seconds(project: TinyProject) -> float:
    """How long a run takes in a forked process."""
    started = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        _run_quietly(project)
    os.waitpid(pid, 0)
    return time.perf_counter() - started


def _check_everything_loads(project: TinyProject) -> int:
    """Load every version that claims to be complete; returns how many directories are half-written ones."""
    from kedro.io.core import Version

    from medo1.datasets import AdapterDirectory, Page, Table

    half = 0
    for folder in project.data.iterdir():
        kind: Any = {".parquet": Table, ".jsonl": Table, ".html": Page, "": AdapterDirectory}.get(folder.suffix)
        if not folder.is_dir() or kind is None or folder.name.startswith("."):
            continue
        complete = kind(filepath=str(folder)).complete_versions()
        half += len(list(folder.iterdir())) - len(complete)
        for version in complete[:3]:
            kind(filepath=str(folder), version=Version(version, None)).load()
    return half


def _damaged(project: TinyProject) -> list[str]:
    from medo1.lineage.audit.verification import unaccounted, verify, versions_to_verify
    from medo1.lineage.places import Places

    ledger = project.ledger()
    places = Places(ledger.settings)
    with ledger.reading() as connection:
        found = verify(versions_to_verify(connection, ledger), places)
        found += unaccounted(connection, ledger, places, ledger.settings.roots)
    ledger.close()
    return sorted({one.problem for one in found})


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    print(json.dumps(kill_runs(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
