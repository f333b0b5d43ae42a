"""Kills a small study at random moments and looks at what is left. Called by tests and by benchmarks/lineage.py.

    python -m tests.lineage.killed_runs FOLDER COUNT SEED

One warm process forks a run after another, so that a kill costs half a second and not a start of Kedro. Prints JSON:
how many were killed, how many of those inside a save, and what was found afterwards.
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from tests.lineage.tiny_project import TinyProject


def kill_runs(folder: Path, count: int, seed: int) -> dict[str, Any]:
    """Kill `count` runs, each at another moment; after each, load everything that claims to be complete."""
    from kedro.framework.startup import bootstrap_project

    project = TinyProject(folder)
    rng = random.Random(seed)
    project.run()
    os.chdir(project.path)
    bootstrap_project(project.path)
    whole = _seconds(project)
    killed = half = finished = 0
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            _run_quietly(project)
        time.sleep(rng.uniform(0, whole))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        killed += os.WIFSIGNALED(status)
        finished += not os.WIFSIGNALED(status)
        half += _check_everything_loads(project)
    states: dict[str, int] = {}
    ledger = project.ledger()
    from medo1.lineage.audit.runs import latest_runs

    with ledger.reading() as connection:
        for run in latest_runs(connection, ledger, 10 * count):
            states[run["state"]] = states.get(run["state"], 0) + 1
    ledger.close()
    last = project.run()
    return {"killed": killed, "ended": finished, "half_versions": half, "states": states, "last": last,
            "damaged": _damaged(project)}  # fmt: skip


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
