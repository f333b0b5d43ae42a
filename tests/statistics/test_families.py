"""Corrected p-values and their intervals never contradict each other."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medo1.statistics.families import agreeing, holm, simultaneous_confidence
from medo1.statistics.intervals import Interval
from medo1.statistics.paired import difference_interval, exact_p


def test_holm_is_stepwise_and_keeps_the_order() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([]) == []


@cache
def interval(gained: int, lost: int, questions: int, confidence: float) -> Interval:
    return difference_interval(gained, lost, questions, confidence)


def corrected(found: list[tuple[int, int]], questions: int, confidence: float) -> list[tuple[Interval, bool]]:
    """The joint interval of each comparison, and whether its corrected p-value rejects."""
    level = simultaneous_confidence(confidence, len(found))
    adjusted = holm([exact_p(*one) for one in found])
    return [
        (agreeing(interval(*one, questions, level), p_value, confidence), p_value <= 1 - confidence)
        for one, p_value in zip(found, adjusted, strict=True)
    ]


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=8),
    st.integers(60, 300),
    st.sampled_from([0.8, 0.95, 0.99]),
)
def test_an_interval_never_contradicts_the_corrected_p_beside_it(
    found: list[tuple[int, int]], questions: int, confidence: float
) -> None:
    for (gained, lost), (joint, rejected) in zip(found, corrected(found, questions, confidence), strict=True):
        assert joint.low <= joint.value <= joint.high
        if rejected:
            assert joint.low >= 0 if gained > lost else joint.high <= 0
        else:
            assert joint.low <= 0 <= joint.high


# The last: three large differences and one that is nearly none, where a rule that truncates wrongly would show.
@pytest.mark.parametrize("truths", [(0.0, 0.0, 0.0, 0.0), (0.05, 0.05, 0.0, 0.0), (0.3, 0.3, 0.3, -0.002)])
def test_the_intervals_hold_all_truths_at_once_as_often_as_they_say(truths: tuple[float, ...]) -> None:
    rng = np.random.default_rng(5)
    runs, questions, discordant = 1000, 150, 0.4
    chances = [[(discordant + one) / 2, (discordant - one) / 2, 1 - discordant] for one in truths]
    drawn = np.stack([rng.multinomial(questions, one, runs)[:, :2] for one in chances], axis=1)
    held = 0
    for run in drawn.tolist():
        joint = corrected([(gained, lost) for gained, lost in run], questions, 0.95)
        held += all(one.low <= truth <= one.high for (one, _), truth in zip(joint, truths, strict=True))
    assert held / runs >= 0.935


def test_zero_is_the_bound_where_only_the_direction_is_told() -> None:
    assert agreeing(Interval(0.1, -0.01, 0.2), 0.03, 0.95) == Interval(0.1, 0.0, 0.2)
    assert agreeing(Interval(-0.1, -0.2, 0.01), 0.03, 0.95) == Interval(-0.1, -0.2, 0.0)
    assert agreeing(Interval(0.1, 0.01, 0.2), 0.06, 0.95) == Interval(0.1, 0.0, 0.2)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_statsmodels(p_values: list[float]) -> None:
    from statsmodels.stats.multitest import multipletests

    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1].tolist())
