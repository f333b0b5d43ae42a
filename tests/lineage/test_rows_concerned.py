"""Rows that name their run, or their group, are traced into versions of that run and datasets of that group alone."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from medo1.lineage.audit.tracing import _concerned

ROWS = pd.DataFrame({"format": ["cot", "cot"], "run": ["r1", "r2"], "step": [1, 2]})


@pytest.mark.parametrize(
    ("rule", "dataset", "run", "concerned"),
    [
        ({"group": "format"}, "cot.training_log", "r9", True),
        ({"group": "format"}, "longstep.training_log", "r1", False),
        ({"run": "run"}, "longstep.training_log", "r2", True),
        ({"run": "run"}, "cot.training_log", "r3", False),
        ({"run": "run", "group": "format"}, "cot.training_log", "r3", False),
        ({"group": "arm"}, "longstep.training_log", "r1", True),  # a column that the rows do not have
        ({"match": {"step": "step"}}, "longstep.training_log", "r1", True),
    ],
)
def test_rows_are_made_from_their_own_run_and_group(rule: Any, dataset: str, run: str, concerned: bool) -> None:
    above = {"rows_from": {"*.training_log": rule}}
    version = {"dataset": dataset, "run_id": run, "version": "v"}
    assert _concerned(above, ROWS, version) is concerned
    assert _concerned(above, None, version)  # all of a table
