"""What votes can reach, against enumeration and simulation."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medo1.statistics.vote_curves import expected_majority
from medo1.statistics.vote_limits import chance_of_leading, modal_share, pass_at


@given(st.integers(1, 8), st.data())
def test_pass_at_k_is_the_share_of_subsets_with_a_right_one(samples: int, data: st.DataObject) -> None:
    right, k = data.draw(st.integers(0, samples)), data.draw(st.integers(1, samples))
    subsets = list(combinations([True] * right + [False] * (samples - right), k))
    assert pass_at(right, samples, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))


@given(st.integers(0, 6), st.lists(st.integers(0, 6), max_size=4), st.integers(0, 3))
def test_the_modal_answer_is_the_majority_of_all_samples(right: int, wrong: list[int], silent: int) -> None:
    if right + sum(wrong) + silent:
        total = right + sum(wrong) + silent
        assert modal_share(right, wrong) == pytest.approx(expected_majority(right, wrong, silent, total), abs=1e-9)


def test_the_chance_of_leading_is_the_dirichlets() -> None:
    rng = np.random.default_rng(1)
    for counts, options in (((3, 2, 1), 4), ((0, 5), 4), ((8,), 5), ((1, 1, 1, 1), 4)):
        prior = np.array([*counts, *[0] * (options - len(counts))]) + 0.25
        drawn = rng.dirichlet(prior, 40_000)
        assert chance_of_leading(counts[0], counts[1:], options) == pytest.approx(
            (drawn.argmax(axis=1) == 0).mean(), abs=0.01
        )


@pytest.mark.parametrize("samples", [4, 8, 32])
def test_the_limit_is_near_the_truth_with_few_samples_too(samples: int) -> None:
    """Questions whose answers are as spread as those of the embedded world's exam: some sure, some torn."""
    rng = np.random.default_rng(6)
    shares = rng.dirichlet([0.5, 0.25, 0.25, 0.25], 3000)
    truth = float((shares.argmax(axis=1) == 0).mean())
    counts = np.array([rng.multinomial(samples, one) for one in shares])
    known: dict[tuple[int, ...], float] = {}
    leads = []
    for first, *others in counts.tolist():
        key = (first, *sorted(others))
        if key not in known:
            known[key] = chance_of_leading(first, others, 4)
        leads.append(known[key])
    assert np.mean(leads) == pytest.approx(truth, abs=0.025)


@pytest.mark.parametrize(("right", "samples", "k"), [(3, 2, 1), (1, 4, 5), (1, 4, 0)])
def test_more_than_there_are_is_refused(right: int, samples: int, k: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        pass_at(right, samples, k)
