"""Selective thought: each threshold costs and scores what following it would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medo1.statistics.selective import TwoAnswers, chosen_tau, point_at, selective_points

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
@given(st.lists(st.builds(TwoAnswers, scores, st.booleans(), st.booleans(), tokens, tokens), min_size=1), st.data())
def test_a_chosen_threshold_is_non_inferior_where_it_was_chosen_as_are_all_that_think_more(
    asked: list[TwoAnswers], data: st.DataObject
) -> None:
    margin = data.draw(st.floats(0.01, 0.5))
    chosen = chosen_tau(asked, margin, 0.9)
    if chosen.point is None:
        return
    assert len(asked) >= chosen.needed
    assert chosen.difference is not None
    assert chosen.difference.low > -margin
    always = float(np.mean([one.thought_correct for one in asked]))
    assert chosen.point.accuracy.value - always == pytest.approx(chosen.difference.value)
    for point in selective_points(asked):
        if point.tau >= chosen.point.tau:
            assert point.accuracy.value > always - margin


def study(draw: np.random.Generator, kind: str, count: int) -> list[TwoAnswers]:
    """Questions of which, without a score below some `tau`, a little more than 3 points are lost, or less."""
    score = draw.random(count)
    thought = draw.random(count) < 0.8
    first = {
        "losses are rare and nothing is gained": thought & (draw.random(count) > 0.0377),
        "the first answer knows half": draw.random(count) < 0.3 + 0.68 * score,
        "the score says nothing": draw.random(count) < 0.765,
        "the score is too sure of itself": draw.random(count) < 0.6 + 0.2 * score**2,
    }[kind]
    return [TwoAnswers(*one, 5, 50) for one in zip(score.tolist(), first.tolist(), thought.tolist(), strict=True)]


@pytest.mark.parametrize("count", [110, 400])
@pytest.mark.parametrize(
    "kind",
    [
        "losses are rare and nothing is gained",
        "the first answer knows half",
        "the score says nothing",
        "the score is too sure of itself",
    ],
)
def test_the_promised_gap_holds_on_other_questions_in_the_promised_share_of_studies(kind: str, count: int) -> None:
    many = study(np.random.default_rng(0), kind, 100_000)
    order = np.argsort([one.score for one in many])
    sorted_scores = np.array([many[place].score for place in order])
    lost = np.array([float(many[place].thought_correct) - many[place].first_correct for place in order])
    gaps = np.append(np.cumsum(lost[::-1])[::-1], 0.0) / len(many)  # of answering at once from this score on
    held = []
    for seed in range(150):
        point = chosen_tau(study(np.random.default_rng([1, seed]), kind, count), 0.03, 0.95).point
        held.append(point is None or gaps[np.searchsorted(sorted_scores, point.tau)] <= 0.03)
    assert np.mean(held) >= 0.95 - 2 * np.sqrt(0.95 * 0.05 / len(held))


def test_with_too_few_questions_nothing_is_chosen_and_it_says_how_many_it_takes() -> None:
    right = TwoAnswers(0.9, True, True, 5, 50)
    short = chosen_tau([right] * 98, 0.03, 0.95)
    assert (short.point, short.difference, short.needed) == (None, None, 99)
    enough = chosen_tau([right] * 99, 0.03, 0.95)
    assert enough.point is not None
    assert enough.point.tau == 0.0, "no answer is better for thinking"


def test_where_recall_is_known_at_once_and_cases_need_thought_little_thought_keeps_the_accuracy() -> None:
    """Seven of ten questions are known at once; the others are guessed, and the guesser is unsure."""
    draw = np.random.default_rng(5)
    asked = []
    for _ in range(2000):
        recall = draw.random() < 0.7
        sure = draw.beta(8, 1) if recall else draw.beta(2, 4)
        asked.append(TwoAnswers(sure, draw.random() < (0.96 if recall else 0.3), draw.random() < 0.95, 4, 100))
    chosen = chosen_tau(asked[:500]).point
    assert chosen is not None
    point = point_at(asked[500:], chosen.tau)
    always = selective_points(asked[500:])[-1]
    assert point.accuracy.value > always.accuracy.value - 0.03
    assert point.tokens is not None
    assert point.tokens < 60, (point.tokens, always.tokens)


def test_what_is_not_counted_is_not_called_free() -> None:
    [never, *_, always] = selective_points([TwoAnswers(0.4, True, True, 3, None), TwoAnswers(0.9, True, True, 3, 9)])
    assert never.tokens == 3
    assert always.tokens is None
