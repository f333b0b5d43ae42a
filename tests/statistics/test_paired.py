"""The statistics say what their sources say."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medo1.statistics.paired import difference_interval, exact_p, p_of_inferiority, paired


def test_mcnemar_is_exact() -> None:
    # 9 gained, 1 lost: two tails of Binomial(10, 1/2), 2 * (1 + 10) / 1024.
    outcome = paired([True] * 9 + [False] + [True] * 5, [False] * 9 + [True] + [True] * 5)
    assert outcome.p_value == pytest.approx(22 / 1024)
    assert (outcome.gained, outcome.lost, outcome.difference.value) == (9, 1, pytest.approx(8 / 15))


def test_arms_that_never_differ_are_no_evidence() -> None:
    outcome = paired([True, False], [True, False])
    assert outcome.p_value == 1.0
    assert outcome.difference.low < 0 < outcome.difference.high


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
def test_swapping_the_arms_mirrors_the_interval(pairs: list[tuple[bool, bool]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    there, back = paired(first, second), paired(second, first)
    assert there.difference.low == pytest.approx(-back.difference.high, abs=1e-6)
    assert there.difference.high == pytest.approx(-back.difference.low, abs=1e-6)
    assert there.difference.low - 1e-9 <= there.difference.value <= there.difference.high + 1e-9
    assert -1 <= there.difference.low <= there.difference.high <= 1


def test_the_interval_of_a_difference_holds_the_truth_as_often_as_it_says() -> None:
    rng = random.Random(3)
    gained, lost, questions, runs = 0.25, 0.10, 120, 1500
    held = 0
    for _ in range(runs):
        draws = [rng.random() for _ in range(questions)]
        first = [draw < gained for draw in draws]
        second = [gained <= draw < gained + lost for draw in draws]
        interval = paired(first, second).difference
        held += interval.low <= gained - lost <= interval.high
    assert 0.935 <= held / runs <= 0.965


def test_arms_of_different_questions_are_refused() -> None:
    with pytest.raises(ValueError, match="same questions"):
        paired([True], [True, False])


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_exact_p_is_scipys(gained: int, lost: int) -> None:
    from scipy.stats import binomtest

    theirs = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert exact_p(gained, lost) == pytest.approx(theirs)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=60))
def test_the_correlation_is_numpys(pairs: list[tuple[bool, bool]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    found = paired(first, second).correlation
    if len(set(first)) < 2 or len(set(second)) < 2:
        assert found is None
    else:
        assert found == pytest.approx(np.corrcoef(first, second)[0, 1])


@given(st.integers(0, 30), st.integers(0, 30), st.sampled_from([0.01, 0.05, 0.2]))
def test_no_worse_is_said_exactly_where_the_interval_lies_above_the_margin(
    gained: int, lost: int, margin: float
) -> None:
    interval = difference_interval(gained, lost, 120, 0.95)
    if abs(interval.low + margin) > 1e-6:
        assert (p_of_inferiority(gained, lost, 120, margin) < 0.025) == (interval.low > -margin)


def test_an_arm_worse_by_the_margin_is_called_no_worse_as_rarely_as_it_says() -> None:
    rng = np.random.default_rng(8)
    margin, questions = 0.05, 400
    drawn = rng.multinomial(questions, [0.10, 0.10 + margin, 0.80 - margin], 4000)[:, :2].tolist()
    wrongly = sum(p_of_inferiority(gained, lost, questions, margin) < 0.025 for gained, lost in drawn)
    assert 0.015 <= wrongly / 4000 <= 0.035


def test_a_margin_that_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="share between 0 and 1"):
        p_of_inferiority(1, 2, 30, 1.0)
