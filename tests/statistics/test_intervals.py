"""Intervals are their sources', and cover as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from medo1.statistics.intervals import mean_interval, median_interval, share_interval


def test_wilson_agrees_with_its_textbook_value() -> None:
    # Newcombe 1998, table I: 81 of 263, Wilson's score interval without continuity correction.
    estimate = share_interval(81, 263)
    assert (round(estimate.low, 4), round(estimate.high, 4)) == (0.2553, 0.3662)


def test_an_interval_of_truths_and_lies_is_wilsons() -> None:
    from statsmodels.stats.proportion import proportion_confint

    shares = [1.0] * 30 + [0.0] * 10
    low, high = proportion_confint(30, 40, method="wilson")
    found = mean_interval(shares)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.003)  # ddof: 39 in place of 40


def test_an_interval_of_shares_is_narrower_and_holds_the_mean() -> None:
    generator = np.random.default_rng(3)
    shares = generator.uniform(0.5, 0.9, 40)
    narrow, wide = mean_interval(shares.tolist()), mean_interval((shares > 0.7).tolist())
    assert narrow.high - narrow.low < wide.high - wide.low
    assert narrow.low < narrow.value < narrow.high


def test_an_interval_covers_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(4)
    covered = 0
    for _ in range(600):
        found = mean_interval(generator.beta(4, 1, 50).tolist())
        covered += found.low <= 0.8 <= found.high
    assert 0.92 < covered / 600 < 0.98


def test_an_interval_where_all_is_right_does_not_shrink_to_nothing() -> None:
    found = mean_interval([1.0] * 20)
    assert found.value == found.high == 1.0
    assert 0.8 < found.low < 0.9
    assert mean_interval([0.0] * 20).low == 0.0


def test_the_median_of_runs_is_covered_as_often_as_it_says_and_few_runs_give_their_range() -> None:
    found = median_interval([4.0, 1.0, 3.0, 2.0, 5.0])
    assert (found.value, found.low, found.high) == (3.0, 1.0, 5.0)
    ten = median_interval([float(value) for value in range(10)])
    assert (ten.value, ten.low, ten.high) == (4.5, 1.0, 8.0)  # the second and the ninth: 97.9 %
    generator = np.random.default_rng(5)
    for number, least in ((6, 0.95), (10, 0.95), (25, 0.95)):
        drawn = [median_interval(list(generator.exponential(1.0, number))) for _ in range(1500)]
        covered = sum(one.low <= np.log(2) <= one.high for one in drawn) / len(drawn)
        assert least - 0.02 < covered < 0.995
