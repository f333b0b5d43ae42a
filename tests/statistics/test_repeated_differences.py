"""Intervals over repetitions and questions hold as often as they say; interactions and crossings are found."""

from __future__ import annotations

import numpy as np
import pytest

from medo1.statistics.interactions import PairedCounts, interaction
from medo1.statistics.intervals import repeated_share
from medo1.statistics.repeated_differences import repeated_difference, spread_prior


@pytest.mark.parametrize(("seeds", "questions"), [(0.0, 0.3), (0.1, 0.0), (0.05, 0.15)])
def test_intervals_cover_the_truth_as_often_as_they_say(seeds: float, questions: float) -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(500):
        of_seed, of_question = rng.normal(0, seeds, 5), rng.normal(0, questions, 80)
        measured = {s: dict(enumerate(0.1 + of_seed[s] + of_question + rng.normal(0, 0.5, 80))) for s in range(5)}
        found = repeated_difference(measured).interval
        covered += found.low <= 0.1 <= found.high
    assert 0.93 <= covered / 500 <= 0.985


def test_one_repetition_is_over_questions_alone_as_a_paired_t_test() -> None:
    from scipy.stats import ttest_1samp

    values = [1, 1, 0, -1, 0, 1, 0, 0, 1, 0]
    found = repeated_difference({"only": dict(enumerate(map(float, values)))})
    assert found.p_value == pytest.approx(ttest_1samp(values, 0).pvalue)
    assert found.spread is None


def test_equal_differences_are_no_certainty() -> None:
    found = repeated_difference({1: dict.fromkeys(range(20), 0.0), 2: dict.fromkeys(range(20), 0.0)})
    assert found.interval.low < 0 < found.interval.high
    assert found.p_value == 1.0


def test_without_a_measurement_there_is_no_difference() -> None:
    with pytest.raises(ValueError, match="no differences"):
        repeated_difference({})


def counts(slope: float, shift: float, seed: int) -> list[PairedCounts]:
    """Runs at six scales, three each, whose arms are equal at the scale 32 where `shift` is zero."""
    rng = np.random.default_rng(seed)
    found = []
    for scale in (8, 16, 32, 64, 128, 256):
        for _ in range(3):
            z = np.log2(scale) - 5
            u, v = rng.normal(0, 0.2, 2)
            shares = 1 / (1 + np.exp(-np.array([0.3 * z + u, 0.3 * z + u + shift + slope * z + v])))
            against, right = rng.binomial(200, shares)
            found.append(PairedCounts(scale, int(right), int(against), 200))
    return found


def test_an_interaction_is_found_with_its_crossing() -> None:
    found = interaction(counts(0.5, 0.0, 1), draws=60)
    assert found.slope.low < 0.5 < found.slope.high
    assert found.slope.low > 0.2
    assert found.crossing is not None
    assert found.crossing.low < 32 < found.crossing.high


def test_no_crossing_is_seen_where_one_arm_is_always_ahead() -> None:
    found = interaction(counts(0.05, 1.2, 2), draws=60)
    assert found.crossing is None
    assert found.slope.low < 0.05 < found.slope.high


def test_an_interaction_needs_runs_on_two_scales() -> None:
    with pytest.raises(ValueError, match="at least three on two"):
        interaction([PairedCounts(8, 3, 2, 10)] * 4)


def test_a_share_over_repetitions_is_worth_fewer_observations_where_they_differ() -> None:
    equal, differing = repeated_share([(80, 100)] * 4), repeated_share([(95, 100), (60, 100), (90, 100), (75, 100)])
    assert equal.value == differing.value == pytest.approx(0.8)
    assert differing.high - differing.low > 1.5 * (equal.high - equal.low)
    assert repeated_share([(0, 50)]).high > 0.05
    with pytest.raises(ValueError, match="no observations"):
        repeated_share([])


@pytest.mark.parametrize(("repetitions", "unequal"), [(2, 0.0), (3, 0.7)])
def test_intervals_that_borrow_from_their_family_cover_as_often_and_are_narrower(
    repetitions: int, unequal: float
) -> None:
    rng = np.random.default_rng(5)
    covered, widths, alone = [], [], []
    for _ in range(40):
        family = []
        for _ in range(10):
            of_seed = rng.normal(0, 0.05 * np.exp(rng.normal(0, unequal)), repetitions)
            of_question = rng.normal(0, 0.2, 60)
            family.append({
                seed: dict(enumerate(0.1 + of_seed[seed] + of_question + rng.normal(0, 0.5, 60)))
                for seed in range(repetitions)
            })  # fmt: skip
        prior = spread_prior([(repeated_difference(one).spread or 0.0, repetitions) for one in family])
        for one in family:
            found, own = repeated_difference(one, prior=prior).interval, repeated_difference(one).interval
            covered.append(found.low <= 0.1 <= found.high)
            widths.append(found.high - found.low)
            alone.append(own.high - own.low)
    assert 0.92 <= np.mean(covered) <= 0.985
    assert np.mean(widths) < 0.8 * np.mean(alone)


def test_a_comparison_measured_once_borrows_what_its_family_knows_of_other_seeds() -> None:
    rng = np.random.default_rng(6)
    covered, alone = [], []
    for _ in range(150):
        family = [
            {
                seed: dict(enumerate(0.1 + rng.normal(0, 0.1) + rng.normal(0, 0.4, 80)))
                for seed in range(1 if place == 0 else 3)
            }
            for place in range(8)
        ]
        prior = spread_prior([(repeated_difference(one).spread or 0.0, len(one)) for one in family])
        found, own = repeated_difference(family[0], prior=prior).interval, repeated_difference(family[0]).interval
        covered.append(found.low <= 0.1 <= found.high)
        alone.append(own.low <= 0.1 <= own.high)
    assert 0.91 <= np.mean(covered) <= 0.99
    assert np.mean(alone) < 0.75, "over questions alone it says nothing of other seeds"


def test_a_family_of_two_comparisons_tells_nothing_of_the_spread() -> None:
    assert spread_prior([(0.1, 3), (0.2, 3)]) is None
    assert spread_prior([(0.1, 1)] * 9) is None
    equal = spread_prior([(0.1, 5)] * 9)
    assert equal is not None
    assert equal.variance == pytest.approx(0.01, rel=0.3)
    assert equal.degrees == 30
