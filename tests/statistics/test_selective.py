"""Selective thought: each threshold costs and scores what following it would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medo1.statistics.selective import TwoAnswers, chosen_tau, selective_points

scores = st.one_of(st.none(), st.floats(0, 1))
tokens = st.integers(0, 500)
questions = st.lists(st.builds(TwoAnswers, scores, st.booleans(), st.booleans(), tokens, tokens), min_size=1)


@settings(deadline=None, max_examples=40)
@given(questions, st.integers(1, 30))
def test_a_point_is_what_following_the_rule_gives(asked: list[TwoAnswers], points: int) -> None:
    for point in selective_points(asked, points):
        thinks = [point.tau > 0 and (one.score is None or one.score < point.tau) for one in asked]
        right = [one.thought_correct if think else one.first_correct for one, think in zip(asked, thinks, strict=True)]
        thought = [(one.thought_tokens or 0) * think for one, think in zip(asked, thinks, strict=True)]
        spent = [(one.first_tokens or 0) + more for one, more in zip(asked, thought, strict=True)]
        assert point.accuracy.value == pytest.approx(np.mean(right))
        assert point.tokens == pytest.approx(np.mean(spent))
        assert point.thought_share == pytest.approx(np.mean(thinks))
        assert 0 <= point.accuracy.low <= point.accuracy.value <= point.accuracy.high <= 1


@settings(deadline=None, max_examples=40)
@given(questions)
def test_the_curve_goes_from_never_to_always(asked: list[TwoAnswers]) -> None:
    found = selective_points(asked)
    assert (found[0].tau, found[0].thought_share) == (0.0, 0.0)
    assert found[-1].thought_share == 1.0
    shares = [point.thought_share for point in found]
    assert shares == sorted(shares)
    assert len(found) <= 22


@settings(deadline=None, max_examples=40)
@given(questions, st.floats(0, 0.3))
def test_the_chosen_threshold_keeps_the_accuracy_of_thinking_always_with_the_fewest_thoughts(
    asked: list[TwoAnswers], margin: float
) -> None:
    always = np.mean([one.thought_correct for one in asked])
    tau = chosen_tau(asked, margin)

    def accuracy(tau: float) -> float:
        return float(np.mean([
            one.thought_correct if tau > 0 and (one.score is None or one.score < tau) else one.first_correct
            for one in asked
        ]))  # fmt: skip

    assert accuracy(tau) >= always - margin - 1e-9
    smaller = [one.score for one in asked if one.score is not None and 0 < one.score < tau]
    assert all(accuracy(other) < always - margin for other in [*smaller, *([0.0] if tau > 0 else [])])


def test_where_recall_is_known_at_once_and_cases_need_thought_little_thought_keeps_the_accuracy() -> None:
    """Seven of ten questions are known at once; the others are guessed, and the guesser is unsure."""
    draw = np.random.default_rng(5)
    asked = []
    for _ in range(2000):
        recall = draw.random() < 0.7
        sure = draw.beta(8, 1) if recall else draw.beta(2, 4)
        asked.append(TwoAnswers(sure, draw.random() < (0.96 if recall else 0.3), draw.random() < 0.95, 4, 100))
    tau = chosen_tau(asked[:500], margin=0.01)
    [point] = [one for one in selective_points(asked[500:], 2000) if one.tau >= tau][:1]
    always = selective_points(asked[500:])[-1]
    assert point.accuracy.value > always.accuracy.value - 0.02
    assert point.tokens is not None
    assert point.tokens < 60, (point.tokens, always.tokens)


def test_what_is_not_counted_is_not_called_free() -> None:
    [never, *_, always] = selective_points([TwoAnswers(0.4, True, True, 3, None), TwoAnswers(0.9, True, True, 3, 9)])
    assert never.tokens == 3
    assert always.tokens is None
