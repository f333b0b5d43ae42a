"""The smallest detectable difference is the one that is found as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from medo1.statistics.paired import exact_p
from medo1.statistics.power import exact_power, smallest_detectable


@pytest.mark.parametrize(("discordant", "questions", "alpha"), [(0.2, 308, 0.05), (0.1, 1273, 0.0125), (0.5, 60, 0.05)])
def test_it_is_found_in_four_of_five_studies(discordant: float, questions: int, alpha: float) -> None:
    difference = smallest_detectable(discordant, questions, alpha)
    assert difference is not None
    rng = np.random.default_rng(2)
    chances = [(discordant + difference) / 2, (discordant - difference) / 2, 1 - discordant]
    drawn = rng.multinomial(questions, chances, 2000)[:, :2]
    known: dict[tuple[int, int], bool] = {}
    found = [known.setdefault((a, b), exact_p(a, b) <= alpha) for a, b in drawn.tolist()]
    assert sum(found) / len(found) == pytest.approx(0.8, abs=0.03)


def test_arms_that_answer_alike_show_smaller_differences() -> None:
    alike, apart = smallest_detectable(0.05, 500), smallest_detectable(0.4, 500)
    assert alike is not None
    assert apart is not None
    assert alike < apart


def test_the_power_at_no_difference_is_at_most_the_level() -> None:
    assert exact_power(0.0, 0.2, 308) <= 0.05


@pytest.mark.parametrize(("discordant", "questions"), [(0.0, 100), (0.02, 100), (0.5, 4)])
def test_too_few_questions_find_nothing(discordant: float, questions: int) -> None:
    assert smallest_detectable(discordant, questions) is None
