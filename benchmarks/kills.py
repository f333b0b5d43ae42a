"""Kills the whole embedded journey in small: `kill -9` at random moments of 200 runs.

    python benchmarks/kills.py [--kills 200] [--seed 7]

The seven pipelines of the embedded world, with few cases, one format and two arms, so that a run takes seconds. Moments
are uniform over a run's time and drawn until so many runs stand in the ledger as interrupted (45 minutes).
A tenth as many more are killed at a moment in a save, because few of a run's moments are. After each kill, every new
version that claims to be complete is loaded and hashed, and the ledger must show exactly the killed runs as
interrupted. Completion stores are deleted before every third run, so that versions alone are left to go on from:
`unpaid` counts those whose answers went with a store. At the end one run is left alone: it must make the same as a run
that nobody disturbed. Prints a table; the last line is JSON. Exit status 1 when anything of this is not so.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]


def main() -> None:
    from tests.journey.killed_runs import in_a_process

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="killed runs that the ledger must show as interrupted")
    parser.add_argument("--seed", type=int, default=7, help="of the moments")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        done = in_a_process(Path(folder), arguments.kills, arguments.seed)
    if done.returncode:
        raise SystemExit(done.stdout)
    found = json.loads(done.stdout.splitlines()[-1])
    for name, value in rows(found).items():
        print(f"{name:<60}{value}")
    for problem in found["broken"] + found["wrong"]:
        print(f"wrong: {problem}")
    result = {
        "kills": found["at_random"]["killed"],
        "kills_in_a_save": found["kills"] - found["at_random"]["killed"],
        **{name: found[name] for name in ("interrupted", "ended", "half_versions", "loaded")},
        "loaded_half": len(found["broken"]),
        "ledger_wrong": len(found["wrong"]),
        "next_run_completes": found["next_run_completes"],
        "same_as_undisturbed": not found["differing"],
        "found": found["found"],
    }
    print(json.dumps(result))
    kept = found["next_run_completes"] and not (found["broken"] or found["wrong"] or found["differing"])
    if not kept or not found["found"].keys() <= {"half-written", "unknown", "unpaid"}:
        sys.exit(1)


def rows(found: dict[str, Any]) -> dict[str, str]:
    """The table."""
    return {
        "a run that nobody kills, in a warm process": f"{found['seconds_of_a_run']} s",
        "runs killed": f"{found['kills']}, {found['at_random']['killed']} at random moments",
        "  that the ledger shows as interrupted": f"{found['interrupted']}, in {found['nodes_hit']} different nodes",
        "  before the ledger's first row": str(found["before_the_ledger"]),
        "  after the ledger's last row": str(found["after_the_end"]),
        "runs that were over before their moment came": str(found["ended"]),
        "half-written directories left": f"{found['half_versions']}, {found['at_random']['half']} at random moments",
        "versions that claim to be complete, loaded and hashed": str(found["loaded"]),
        "  of these half or damaged": str(len(found["broken"])),
        "runs that the ledger shows otherwise than they ended": str(len(found["wrong"])),
        "the next run": "completes" if found["next_run_completes"] else "does not complete",
        f"  its {found['compared']} artifacts beside an undisturbed run's": told(found["differing"]) or "equal",
        "kedro audit verify at the end": counts(found["found"]),
        "  after kedro audit rebuild": counts(found["found_after_rebuild"]),
    }


def told(differing: list[str]) -> str:
    """What differs."""
    return f"differ in {', '.join(differing)}" if differing else ""


def counts(found: dict[str, int]) -> str:
    """Findings by kind."""
    return ", ".join(f"{number} {problem}" for problem, number in found.items()) or "nothing"


if __name__ == "__main__":
    main()
