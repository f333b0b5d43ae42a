"""Between questions and within them, against simulated truths."""

from __future__ import annotations

import numpy as np
import pytest

from medo1.statistics.sampling_variance import variances


def test_both_parts_are_unbiased() -> None:
    rng = np.random.default_rng(3)
    samples, questions = 4, 400
    found = [
        variances(rng.binomial(samples, rng.beta(2, 1, questions)).tolist(), [samples] * questions) for _ in range(150)
    ]
    # Beta(2, 1): variance of the questions' own accuracies 1/18, mean of p (1 - p) 1/6.
    assert np.mean([one.between for one in found]) == pytest.approx(1 / 18, abs=0.001)
    assert np.mean([one.within for one in found]) == pytest.approx(1 / 6, abs=0.001)


def test_so_many_samples_halve_the_variance() -> None:
    found = variances([0, 1, 2, 3, 4, 2, 2, 1, 3, 2], [4] * 10)
    assert found.halving is not None
    assert found.between + found.within / found.halving == pytest.approx(found.total / 2)


def test_where_questions_differ_too_much_no_number_halves_it() -> None:
    assert variances([0, 4, 0, 4, 0, 3], [4] * 6).halving is None


@pytest.mark.parametrize(("right", "samples"), [([1], [4]), ([1, 1], [1, 4])])
def test_one_of_either_is_refused(right: list[int], samples: list[int]) -> None:
    with pytest.raises(ValueError, match="expected two"):
        variances(right, samples)
