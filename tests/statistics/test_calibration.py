"""Calibration and risk against coverage, against brute force and known truths."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medo1.statistics.calibration import (
    area_under_risk_coverage,
    brier,
    expected_calibration_error,
    reliability,
    risk_coverage,
)

scored = st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.booleans()), min_size=1, max_size=6)


@given(scored)
def test_the_area_is_the_mean_risk_over_all_orders_that_the_scores_allow(drawn: list[tuple[float, bool]]) -> None:
    orders = [order for order in permutations(drawn)
              if all(one[0] >= other[0] for one, other in pairwise(order))]  # fmt: skip
    risks = [np.mean([np.mean([not right for _, right in order[:end]]) for end in range(1, len(order) + 1)])
             for order in orders]  # fmt: skip
    scores, right = [score for score, _ in drawn], [right for _, right in drawn]
    assert area_under_risk_coverage(scores, right) == pytest.approx(float(np.mean(risks)))


@given(scored)
def test_the_curve_ends_at_all_questions(drawn: list[tuple[float, bool]]) -> None:
    scores, right = [score for score, _ in drawn], [right for _, right in drawn]
    curve = risk_coverage(scores, right)
    assert curve[-1].coverage == 1
    assert curve[-1].accuracy == pytest.approx(np.mean(right))
    assert sum(one.count for one in reliability(scores, right)) == len(drawn)


def test_a_calibrated_score_has_an_error_near_none_and_an_overconfident_one_its_excess() -> None:
    rng = np.random.default_rng(3)
    truth = rng.uniform(0, 1, 20_000)
    right = (rng.uniform(0, 1, 20_000) < truth).tolist()
    assert expected_calibration_error(truth.tolist(), right) < 0.02
    assert brier(truth.tolist(), right) == pytest.approx(1 / 6, abs=0.01)
    assert expected_calibration_error([1.0] * 20_000, right) == pytest.approx(0.5, abs=0.02)


def test_a_score_that_tells_nothing_has_the_area_of_the_error_rate() -> None:
    assert area_under_risk_coverage([0.5] * 10, [True] * 7 + [False] * 3) == pytest.approx(0.3)
    assert area_under_risk_coverage([0.9] * 7 + [0.1] * 3, [True] * 7 + [False] * 3) < 0.1


@pytest.mark.parametrize("scores", [[], [1.5], [-0.1], [float("nan")]])
def test_what_is_no_share_is_refused(scores: list[float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        brier(scores, [True] * len(scores))
