"""Means of tokens and their differences, as SciPy has them."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from medo1.statistics.frontier import on_frontier, price_of_a_point
from medo1.statistics.means import difference_of_means, difference_within_strata, mean_with_t


def test_they_are_scipys() -> None:
    from scipy import stats

    rng = np.random.default_rng(1)
    first, second = rng.lognormal(3, 1, 30).tolist(), rng.lognormal(3, 0.5, 50).tolist()
    own, theirs = difference_of_means(first, second), stats.ttest_ind(first, second, equal_var=False)
    assert (own.low, own.high) == pytest.approx(tuple(theirs.confidence_interval(0.95)))
    alone = stats.ttest_1samp(first, 0).confidence_interval(0.95)
    assert (mean_with_t(first).low, mean_with_t(first).high) == pytest.approx(tuple(alone))


def test_a_difference_within_strata_is_statsmodels_and_no_difference_between_them() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(2)
    strata = np.repeat([0, 1, 2, 3], 40)
    marked = rng.random(160) < 0.1 + 0.25 * strata  # the higher strata are marked more often,
    values = 50 * strata + rng.normal(0, 1 + strata, 160)  # and higher, but not because of the mark
    own = difference_within_strata(values.tolist(), marked.tolist(), strata.tolist())
    design = np.column_stack([marked, *(strata == one for one in range(4))]).astype(float)
    fitted = sm.OLS(values, design).fit(cov_type="HC1", use_t=True)
    assert own.value == pytest.approx(fitted.params[0])
    assert (own.low, own.high) == pytest.approx(tuple(fitted.conf_int()[0]))
    assert own.low < 0 < own.high
    values_marked, others = values[marked].tolist(), values[~marked].tolist()
    assert difference_of_means(values_marked, others).low > 20


def test_strata_that_are_all_of_one_kind_tell_nothing() -> None:
    assert isnan(difference_within_strata([1.0, 2.0], [True, False], ["a", "b"]).value)
    one = difference_within_strata([3.0, 1.0], [True, False], ["a", "a"])
    assert one.value == 2
    assert isnan(one.low)
    with pytest.raises(ValueError, match="one of each"):
        difference_within_strata([1.0], [True, False], ["a"])


def test_one_value_has_no_interval() -> None:
    assert isnan(mean_with_t([3.0]).low)
    assert isnan(difference_of_means([3.0], [1.0, 2.0]).high)
    with pytest.raises(ValueError, match="at least one"):
        mean_with_t([])


def test_a_point_that_another_beats_at_no_more_cost_is_off_the_frontier() -> None:
    assert on_frontier([10, 20, 20, 30, None], [0.5, 0.6, 0.55, 0.6, 0.9]) == [True, True, False, False, False]
    assert on_frontier([10, 10], [0.5, 0.5]) == [True, True]


def test_the_price_of_a_point_is_the_extra_cost_of_each() -> None:
    assert price_of_a_point(110, 0.6, 10, 0.5) == pytest.approx(10)
    assert price_of_a_point(110, 0.5, 10, 0.5) is None
    assert price_of_a_point(None, 0.6, 10, 0.5) is None
