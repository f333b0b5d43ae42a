"""The whole embedded journey, killed at random moments: nothing half-written is read, and the next run completes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.journey.killed_runs import in_a_process


@pytest.mark.slow
def test_a_journey_killed_at_random_moments_is_interrupted_and_the_next_makes_the_same(tmp_path: Path) -> None:
    done = in_a_process(tmp_path, 4, 1)
    assert done.returncode == 0, done.stdout[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["interrupted"] >= 4
    assert told["half_versions"] > 0, "no kill fell into a save: the test shows nothing"
    assert told["loaded"] > 0
    assert told["broken"] == told["wrong"] == []
    assert told["next_run_completes"]
    assert told["compared"] > 30
    assert told["differing"] == []
    # A version whose run was killed between its manifest and the ledger is whole, and `rebuild` finds it. Stores are
    # deleted before every third run, so answers that versions before it were made from are found missing.
    assert told["found"].keys() <= {"half-written", "unknown", "unpaid"}
    assert told["found_after_rebuild"].keys() <= {"half-written", "unpaid"}
