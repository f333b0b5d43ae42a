"""A mean with its interval by the bootstrap, for numbers that are no mere right and wrong: expected votes, tokens.

Source: the bias-corrected and accelerated bootstrap (Efron 1987), over clusters where observations stand in them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from medo1.statistics.intervals import Interval

DRAWS = 4_000
CHUNK = 2_000_000  # numbers drawn at once


def bootstrap_mean(
    values: Sequence[float],
    confidence: float = 0.95,
    *,
    clusters: Sequence[Hashable] | None = None,
    seed: int = 0,
    draws: int = DRAWS,
) -> Interval:
    """The mean with its BCa interval; equal values give an interval of no width.

    Args:
        values: one an observation.
        clusters: of each, where some are not independent; whole clusters are drawn.
        seed: of the draws; equal inputs give equal bounds.

    Raises:
        ValueError: without a value, or with clusters of another number.
    """
    from scipy.stats import norm

    numbers = np.asarray(values, dtype=float)
    if not len(numbers) or (clusters is not None and len(clusters) != len(numbers)):
        raise ValueError(f"{len(numbers)} values and {len(clusters or ())} clusters: expected one cluster for each")
    sums, sizes = _by_cluster(numbers, clusters)
    mean, groups = float(numbers.mean()), len(sums)
    if groups < 2 or np.ptp(sums / sizes) == 0:  # noqa: PLR2004
        return Interval(mean, mean, mean)
    generator = np.random.default_rng(seed)
    drawn = np.concatenate(
        [_means(sums, sizes, generator.integers(0, groups, (rows, groups))) for rows in _rows_at_once(draws, groups)]
    )
    below = (np.sum(drawn < mean) + np.sum(drawn == mean) / 2) / draws
    bias = float(norm.ppf(np.clip(below, 0.5 / draws, 1 - 0.5 / draws)))
    without = (sums.sum() - sums) / (sizes.sum() - sizes)
    away = without.mean() - without
    spread = float((away**2).sum()) ** 1.5
    skew = float((away**3).sum()) / (6 * spread) if spread else 0.0
    tails = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
    shifted = bias + norm.ppf(tails)
    low, high = np.quantile(drawn, norm.cdf(bias + shifted / (1 - skew * shifted)))
    return Interval(mean, min(float(low), mean), max(float(high), mean))


def _by_cluster(numbers: np.ndarray, clusters: Sequence[Hashable] | None) -> tuple[np.ndarray, np.ndarray]:
    """The sum and the number of each cluster's values, in the order of their first."""
    if clusters is None:
        return numbers, np.ones(len(numbers))
    places: dict[Hashable, int] = {}
    index = np.array([places.setdefault(cluster, len(places)) for cluster in clusters])
    return np.bincount(index, weights=numbers), np.bincount(index).astype(float)


def _means(sums: np.ndarray, sizes: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    found: np.ndarray = sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1)
    return found


def _rows_at_once(draws: int, groups: int) -> list[int]:
    most = max(1, CHUNK // groups)
    return [min(most, draws - start) for start in range(0, draws, most)]
