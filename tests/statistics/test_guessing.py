"""An arm beside who states its letters without reading the questions."""

from __future__ import annotations

import numpy as np
import pytest

from medo1.statistics.guessing import guesser


def test_always_one_letter_is_no_knowledge_however_often_it_is_right() -> None:
    gold = ["C"] * 40 + ["A"] * 20 + ["B"] * 15 + ["D"] * 15
    said = ["C"] * 80 + ["A"] * 10
    found = guesser(said, gold)
    assert (found.commonest, found.commonest_share) == ("C", pytest.approx(80 / 90))
    assert found.accuracy > 0.4
    assert found.always == pytest.approx(40 / 90)
    assert guesser(["C"] * 90, gold).p_value == 1.0


def test_mean_and_test_are_those_of_dealing_the_letters_at_random() -> None:
    rng = np.random.default_rng(2)
    gold = np.array(["A"] * 30 + ["B"] * 20 + ["C"] * 10)
    said = np.array(["A"] * 25 + ["C"] * 20 + ["B"] * 10 + [""] * 5)
    dealt = np.array([(rng.permutation(said) == gold).sum() for _ in range(20_000)])
    right = 27
    stated = _with_right(said, gold, right)
    found = guesser([one or None for one in stated], gold.tolist())
    assert found.guessed * 60 == pytest.approx(dealt.mean(), abs=0.1)
    assert found.p_value == pytest.approx((dealt >= right).mean(), abs=0.006)


def _with_right(said: np.ndarray, gold: np.ndarray, right: int) -> list[str]:
    rng = np.random.default_rng(0)
    while True:
        dealt = rng.permutation(said)
        for _ in range(400):
            one, other = rng.integers(0, len(said), 2)
            swapped = dealt.copy()
            swapped[[one, other]] = dealt[[other, one]]
            now, then = (swapped == gold).sum(), (dealt == gold).sum()
            if abs(now - right) <= abs(then - right):
                dealt = swapped
            if (dealt == gold).sum() == right:
                return [str(one) for one in dealt]


def test_an_arm_that_knows_is_told_from_its_guesser() -> None:
    rng = np.random.default_rng(5)
    gold = rng.choice(list("ABCD"), 80).tolist()
    said = [letter if rng.random() < 0.5 else str(rng.choice(list("ABCD"))) for letter in gold]
    assert guesser(said, gold).p_value < 0.001


def test_unread_answers_are_right_for_nobody() -> None:
    found = guesser([None] * 4, ["A", "B", "C", "D"])
    assert (found.accuracy, found.guessed, found.p_value, found.commonest) == (0, 0, 1.0, None)
