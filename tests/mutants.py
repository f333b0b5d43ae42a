"""Would the tests notice? Changes the code of one room in small ways, one at a time, and runs the room's tests on each.

    make mutants ROOM=statistics             # 40 changes, chosen by seed; those that no test noticed are printed
    make mutants ROOM=answers/cut.py COUNT=100 SEED=2

The work is done on a copy of the repository under build/, so that the code that you edit is never touched. Changes come
from Cosmic Ray (comparisons, arithmetic, constants, conditions, decorators, early exits).
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIED = (
    "src",
    "tests",
    "conf",
    "docs",
    "benchmarks",
    "notebooks",
    "pyproject.toml",
    "README.md",
    "Makefile",
    ".telemetry",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("room", help="a folder or file below src/medo1, such as statistics or answers/cut.py")
    parser.add_argument("--tests", help="what to run on each change; tests/<room> where not given")
    parser.add_argument("--count", type=int, default=40, help="how many changes are tried")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument(
        "--timeout", type=float, default=120.0, help="seconds for the tests; a change that hangs is noticed"
    )
    given = parser.parse_args()
    copy = ROOT / "build/mutants"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy / name)
    if not (copy.parent / "shared").exists() and (ROOT.parent / "shared").is_dir():
        (copy.parent / "shared").symlink_to(ROOT.parent / "shared")  # where tests look for the benchmark files
    tests = given.tests or f"tests/{given.room.split('/')[0]}"
    command = f"{sys.executable} -m pytest -q -x -p no:cacheprovider -m 'not slow and not vllm' {tests}"
    (copy / "mutants.toml").write_text(
        f"[cosmic-ray]\nmodule-path = 'src/medo1/{given.room}'\ntimeout = {given.timeout}\nexcluded-modules = []\n"
        f'test-command = "env PYTHONPATH=src {command}"\n[cosmic-ray.distributor]\nname = "local"\n'
    )
    tool = [sys.executable, "-m", "cosmic_ray.cli"]
    subprocess.run([*tool, "init", "mutants.toml", "session.sqlite"], cwd=copy, check=True)
    chosen = _choose(copy / "session.sqlite", given.count, given.seed)
    subprocess.run([*tool, "baseline", "mutants.toml"], cwd=copy, check=True)
    subprocess.run([*tool, "exec", "mutants.toml", "session.sqlite"], cwd=copy, check=True)
    lived = _survivors(subprocess.check_output([*tool, "dump", "session.sqlite"], cwd=copy, text=True))
    sys.stdout.write("".join(f"\nno test noticed:\n{change}\n" for change in lived))
    sys.stdout.write(f"\n{chosen - len(lived)} of {chosen} changes to {given.room} were noticed by {tests}\n")
    return 0


def _choose(session: Path, count: int, seed: int) -> int:
    """Keep so many of the changes that the tool found, the same ones for a seed; how many there are."""
    order = "module_path, start_pos_row, start_pos_col, operator_name, occurrence"
    with sqlite3.connect(session) as database:
        jobs = [row[0] for row in database.execute(f"select job_id from mutation_specs order by {order}")]
        kept = set(random.Random(seed).sample(jobs, min(count, len(jobs))))
        for job in set(jobs) - kept:
            database.execute("delete from mutation_specs where job_id = ?", (job,))
            database.execute("delete from work_items where job_id = ?", (job,))
    return len(kept)


def _survivors(dumped: str) -> list[str]:
    found = []
    for line in dumped.splitlines():
        _, result = json.loads(line)
        if result and result["test_outcome"] == "survived":
            found.append(result["diff"])
    return found


if __name__ == "__main__":
    sys.exit(main())
