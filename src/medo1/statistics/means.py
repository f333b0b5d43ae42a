"""Means of numbers that are no shares, such as tokens, and the difference of two of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import isfinite, nan, sqrt

from medo1.statistics.intervals import Interval


def mean_with_t(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The mean with Student's interval; its bounds are NaN for one value.

    Raises:
        ValueError: without a value.
    """
    from scipy.stats import t

    if not values:
        raise ValueError("no values, expected at least one")
    mean, variance = _moments(values)
    if len(values) == 1:
        return Interval(mean, nan, nan)
    half = float(t.ppf(0.5 + confidence / 2, len(values) - 1)) * sqrt(variance / len(values))
    return Interval(mean, mean - half, mean + half)


def difference_of_means(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> Interval:
    """First minus second, of independent values of unequal variance, with Welch's interval (Welch 1947).

    Bounds are NaN where a side has fewer than two values.

    Raises:
        ValueError: where a side has none.
    """
    from scipy.stats import t

    if not first or not second:
        raise ValueError(f"{len(first)} and {len(second)} values, expected at least one of each")
    (one, variance), (other, other_variance) = _moments(first), _moments(second)
    if min(len(first), len(second)) < 2:  # noqa: PLR2004
        return Interval(one - other, nan, nan)
    parts = variance / len(first), other_variance / len(second)
    spread = sum(parts)
    if spread == 0:
        return Interval(one - other, one - other, one - other)
    freedom = spread**2 / (parts[0] ** 2 / (len(first) - 1) + parts[1] ** 2 / (len(second) - 1))
    half = float(t.ppf(0.5 + confidence / 2, freedom)) * sqrt(spread) if isfinite(freedom) else nan
    return Interval(one - other, one - other - half, one - other + half)


def difference_within_strata(
    values: Sequence[float], marked: Sequence[bool], strata: Sequence[Hashable], confidence: float = 0.95
) -> Interval:
    """How much larger the marked values are than the others of the same stratum, on average.

    The coefficient of the mark in a regression with a level for each stratum, with the interval of its
    heteroskedasticity-robust error (HC1; MacKinnon and White 1985). A stratum whose values are all marked, or all not,
    has no part in it. Value and bounds are NaN where no stratum has both, bounds where nothing is left to estimate an
    error from.

    Raises:
        ValueError: for lists of unequal length.
    """
    import numpy as np
    from scipy.stats import t

    if not len(values) == len(marked) == len(strata):
        raise ValueError(f"{len(values)} values, {len(marked)} marks and {len(strata)} strata: expected one of each")
    groups: dict[Hashable, list[int]] = {}
    for place, stratum in enumerate(strata):
        groups.setdefault(stratum, []).append(place)
    mixed = [places for places in groups.values() if len({bool(marked[place]) for place in places}) > 1]
    if not mixed:
        return Interval(nan, nan, nan)

    def centred(numbers: Sequence[float]) -> np.ndarray:
        parts = [np.array([float(numbers[place]) for place in places]) for places in mixed]
        return np.concatenate([part - part.mean() for part in parts])

    y, x = centred(values), centred(marked)
    slope = float(x @ y / (x @ x))
    freedom = len(y) - len(mixed) - 1
    if freedom < 1:
        return Interval(slope, nan, nan)
    left = y - slope * x
    error = sqrt(float((x**2) @ (left**2)) * len(y) / freedom) / float(x @ x)
    half = float(t.ppf(0.5 + confidence / 2, freedom)) * error
    return Interval(slope, slope - half, slope + half)


def _moments(values: Sequence[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    return mean, sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1)
