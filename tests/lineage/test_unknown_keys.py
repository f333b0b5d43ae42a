"""A row whose key holds something unknown is found again: unknown is the same as unknown."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from medo1.lineage.audit.tracing import _same


@pytest.mark.parametrize("unknown", [None, pd.NA, float("nan")])
@pytest.mark.parametrize("kind", ["Int64", "float64", "object", "string"])
def test_unknown_is_the_same_as_unknown_and_as_nothing_else(kind: str, unknown: Any) -> None:
    known: Any = "1" if kind in ("object", "string") else 1
    column = pd.Series([known, None, known], dtype=kind)
    assert [bool(one) for one in _same(column, unknown)] == [False, True, False]
    assert [bool(one) for one in _same(column, known).fillna(False)] == [True, False, True]
