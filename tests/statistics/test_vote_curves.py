"""A curve's points are averages over all subsets, in all orders, without bias."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medo1.statistics import vote_curves
from medo1.statistics.rules import Weighing
from medo1.statistics.vote_curves import expected_accuracy, expected_majority
from medo1.statistics.votes import Voter, vote
from medo1.vocabulary import VoteMethod

WEIGHING = Weighing()


def by_hand(samples: list[Voter], gold: str, size: int, method: VoteMethod) -> float:
    """Every subset in every order, one vote each."""
    outcomes = [
        vote(list(order), method, WEIGHING).letter == gold
        for subset in combinations(samples, size)
        for order in permutations(subset)
    ]
    return sum(outcomes) / len(outcomes)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["A", "B", "C", None]), min_size=1, max_size=6))
def test_the_exact_majority_curve_is_the_average_over_all_subsets_and_orders(letters: list[str | None]) -> None:
    samples = [Voter(letter) for letter in letters]
    for size in range(1, len(samples) + 1):
        expected = by_hand(samples, "A", size, "majority")
        assert expected_accuracy(samples, "A", size, "majority", WEIGHING, 0) == pytest.approx(expected)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["A", "B", "C", None]), st.integers(1, 4)), min_size=1, max_size=5),
    st.sampled_from(["confidence", "filtered", "self_certainty"]),
)
def test_a_weighted_curve_is_the_average_over_all_subsets(
    drawn: list[tuple[str | None, int]], method: VoteMethod
) -> None:
    # Lowest confidences all differ: which of two equally sure ones is filtered depends on their order.
    samples = [
        Voter(letter, None, sure + place / 10, float(sure), sure + place / 10)
        for place, (letter, sure) in enumerate(drawn)
    ]
    for size in range(1, len(samples) + 1):
        expected = by_hand(samples, "A", size, method)
        assert expected_accuracy(samples, "A", size, method, WEIGHING, 0) == pytest.approx(expected)


def majority_curve(right: int, wrong: list[int], silent: int) -> np.ndarray:
    sizes = range(1, right + sum(wrong) + silent + 1)
    return np.array([expected_majority(right, wrong, silent, size) for size in sizes])


def test_known_curves() -> None:
    assert majority_curve(2, [], 0).tolist() == pytest.approx([1.0, 1.0])
    assert majority_curve(0, [2], 1).tolist() == [0.0, 0.0, 0.0]
    assert majority_curve(1, [1], 0).tolist() == pytest.approx([0.5, 0.5])
    assert majority_curve(2, [1], 0).tolist() == pytest.approx([2 / 3, 2 / 3, 1.0])  # pairs: AA, AB, AB


def test_an_estimate_from_few_samples_is_right_on_average() -> None:
    """Unbiased: the mean over many sets of 9 samples is the probability that the vote of 5 fresh ones is right."""
    generator = np.random.default_rng(1)
    shares = [0.4, 0.35, 0.25]
    letters = np.array(list("ABC"))
    estimates = []
    for _ in range(1500):
        samples = [Voter(str(letter)) for letter in generator.choice(letters, 9, p=shares)]
        estimates.append(expected_accuracy(samples, "A", 5, "majority", WEIGHING, 0))
    fresh = [
        vote([Voter(str(letter)) for letter in draw]).letter == "A"
        for draw in generator.choice(letters, (20_000, 5), p=shares)
    ]
    error = np.hypot(np.std(estimates) / 1500**0.5, np.std(fresh) / 20_000**0.5)
    assert abs(np.mean(estimates) - np.mean(fresh)) < 4 * error


def test_many_subsets_are_sampled_with_a_stated_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(2)
    samples = [Voter(str(letter), confidence=float(generator.random())) for letter in generator.choice(list("ABC"), 16)]
    first = expected_accuracy(samples, "A", 8, "confidence", WEIGHING, 7)
    assert expected_accuracy(samples, "A", 8, "confidence", WEIGHING, 7) == first
    monkeypatch.setattr(vote_curves, "SUBSETS", 20_000)  # all 12,870
    assert first == pytest.approx(expected_accuracy(samples, "A", 8, "confidence", WEIGHING, 7), abs=0.06)


def test_a_large_number_of_samples_is_exact_too() -> None:
    curve = majority_curve(20, [12, 8], 24)
    assert curve[0] == pytest.approx(20 / 64)
    assert curve[-1] == pytest.approx(1.0)
    assert ((curve >= 0) & (curve <= 1)).all()
    assert (np.diff(curve) > -1e-12).all()  # the leader gains with every vote


@pytest.mark.parametrize("size", [1, 700, 1500, 2999, 3000])
def test_thousands_of_samples_neither_overflow_nor_vanish(size: int) -> None:
    found = expected_majority(1300, [1200, 300], 200, size)
    assert 1300 / 3000 - 1e-9 <= found <= 1  # the leader gains with every vote
    if size == 1:
        assert found == pytest.approx(1300 / 3000)
    if size == 3000:
        assert found == pytest.approx(1.0)


@pytest.mark.parametrize("size", [1, 7, 20, 64])
def test_exact_counts_of_subsets_agree(size: int) -> None:
    """Two letters and silence in whole numbers: subsets of each size by how many of each they have."""
    from math import comb

    right, other, silent = 30, 25, 10
    ways = 0.0
    for votes in range(1, min(right, size) + 1):
        for rival in range(min(other, size - votes, votes) + 1):
            if (rest := size - votes - rival) <= silent:
                share = 0.5 if votes == rival else 1.0
                ways += share * comb(right, votes) * comb(other, rival) * comb(silent, rest)
    assert expected_majority(right, [other], silent, size) == pytest.approx(ways / comb(right + other + silent, size))


@pytest.mark.parametrize(("total", "size"), [(6, 3), (40, 9)])
def test_samples_stand_in_random_order_in_all_subsets_and_in_some(total: int, size: int) -> None:
    chosen = vote_curves.subsets(total, size, 1)
    assert 0.35 < (np.diff(chosen, axis=1) > 0).mean() < 0.65
    assert all(len(set(row)) == size for row in chosen.tolist())
