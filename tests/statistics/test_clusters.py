"""Shares of questions that stand in clusters, held against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medo1.statistics.clusters import clustered_error, clustered_interval
from medo1.statistics.intervals import share_interval


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), min_size=3, max_size=60))
def test_the_error_is_statsmodels_cluster_robust_one(drawn: list[tuple[bool, int]]) -> None:
    import statsmodels.api as sm

    outcomes, clusters = [one for one, _ in drawn], [cluster for _, cluster in drawn]
    if len(set(clusters)) < 2:
        with pytest.raises(ValueError, match="expected at least two"):
            clustered_error(outcomes, clusters)
        return
    fit = sm.OLS(np.array(outcomes, dtype=float), np.ones(len(outcomes))).fit(
        cov_type="cluster", cov_kwds={"groups": np.array(clusters), "use_correction": False}
    )
    count = len(set(clusters))
    assert clustered_error(outcomes, clusters) == pytest.approx(fit.bse[0] * np.sqrt(count / (count - 1)), abs=1e-9)


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=2, max_size=60))
def test_without_clusters_the_interval_is_wilsons_nearly(outcomes: list[bool]) -> None:
    own = clustered_interval(outcomes, range(len(outcomes)), 0.95)
    wilson = share_interval(sum(outcomes), len(outcomes), 0.95)
    assert own.value == wilson.value
    assert own.high - own.low >= wilson.high - wilson.low - 1e-9
    assert own.high - own.low <= (wilson.high - wilson.low) * 1.2


def test_doubled_questions_are_worth_no_more_than_once() -> None:
    once = [True, False, True, True, False, False, True, False] * 4
    twice = clustered_interval([*once, *once], [*range(32), *range(32)], 0.95)
    alone = clustered_interval(once, range(32), 0.95)
    assert (twice.low, twice.high) == pytest.approx((alone.low, alone.high), abs=1e-6)
