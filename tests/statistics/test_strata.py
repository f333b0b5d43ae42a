"""The weighted mean over benchmarks and its interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medo1.statistics.intervals import share_interval
from medo1.statistics.strata import weighted_interval


@settings(deadline=None)
@given(st.integers(1, 200), st.integers(0, 200))
def test_of_one_benchmark_it_is_wilsons(total: int, right: int) -> None:
    right = min(right, total)
    own, wilson = weighted_interval([(right, total)]), share_interval(right, total)
    assert (own.value, own.low, own.high) == pytest.approx((wilson.value, wilson.low, wilson.high))


def test_the_papers_mean_is_weighted_by_size_also_where_fewer_are_asked() -> None:
    sizes = {"jama": (59.28, 646), "medbullets": (76.29, 308), "medqa": (86.48, 1273)}
    counts = [(round(share), 100) for share, _ in sizes.values()]
    found = weighted_interval(counts, [size for _, size in sizes.values()])
    assert found.value == pytest.approx((59 * 646 + 76 * 308 + 86 * 1273) / 2227 / 100)


# The paper's own sizes and accuracies; small strata near the end of the scale; equal shares.
@pytest.mark.parametrize(
    ("shares", "asked", "sizes"),
    [((0.593, 0.763, 0.865), (646, 308, 1273), None), ((0.95, 0.6), (40, 60), (1, 1)), ((0.5, 0.5), (50, 50), (9, 1))],
)
def test_it_holds_the_truth_as_often_as_it_says(
    shares: tuple[float, ...], asked: tuple[int, ...], sizes: tuple[float, ...] | None
) -> None:
    rng = np.random.default_rng(7)
    weights = np.array(sizes or asked) / sum(sizes or asked)
    truth, runs, held = float(weights @ np.array(shares)), 1000, 0
    for counts in rng.binomial(asked, shares, (runs, len(asked))).tolist():
        found = weighted_interval(list(zip(counts, asked, strict=True)), sizes)
        held += found.low <= truth <= found.high
    assert 0.93 <= held / runs <= 0.97


def test_pooling_would_be_wider_where_benchmarks_differ() -> None:
    own, pooled = weighted_interval([(95, 100), (30, 100)]), share_interval(125, 200)
    assert own.value == pooled.value
    assert own.high - own.low < 0.85 * (pooled.high - pooled.low)


@pytest.mark.parametrize(("counts", "weights"), [([], None), ([(0, 0)], None), ([(1, 2)], [1, 2]), ([(1, 2)], [0])])
def test_what_has_no_mean_is_refused(counts: list[tuple[int, int]], weights: list[float] | None) -> None:
    with pytest.raises(ValueError, match="expected"):
        weighted_interval(counts, weights)
