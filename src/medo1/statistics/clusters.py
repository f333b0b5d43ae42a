"""Accuracy where some questions are near-copies: there are fewer independent observations than questions."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from medo1.statistics.intervals import Interval, share_interval


def clustered_error(outcomes: Sequence[bool], clusters: Sequence[Hashable]) -> float:
    """The standard error of a share whose observations stand in clusters.

    Cluster-robust, with the usual factor for few clusters (Liang and Zeger 1986; Miller 2024, arXiv 2411.00640).

    Args:
        outcomes: right or wrong, one an observation.
        clusters: the cluster of each.

    Raises:
        ValueError: with fewer than two clusters, or lists of unequal length.
    """
    if len(outcomes) != len(clusters):
        raise ValueError(f"{len(outcomes)} outcomes and {len(clusters)} clusters: expected one for each")
    mean = sum(outcomes) / len(outcomes) if outcomes else 0.0
    sums: dict[Hashable, float] = {}
    for outcome, cluster in zip(outcomes, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + (outcome - mean)
    count = len(sums)
    if count < 2:  # noqa: PLR2004
        raise ValueError(f"{count} cluster, expected at least two")
    return math.sqrt(sum(total**2 for total in sums.values()) * count / (count - 1)) / len(outcomes)


def clustered_interval(outcomes: Sequence[bool], clusters: Sequence[Hashable], confidence: float) -> Interval:
    """A share with Wilson's interval for as many observations as the clustered error is worth.

    Where all outcomes are the same, or all stand in one cluster, as many as there are clusters.

    Raises:
        ValueError: without an outcome.
    """
    count, right = len(outcomes), sum(outcomes)
    if not count:
        raise ValueError("no outcomes, expected at least one")
    share = right / count
    worth = float(len(set(clusters)))
    if 0 < right < count and worth > 1:
        error = clustered_error(outcomes, clusters)
        worth = min(float(count), share * (1 - share) / error**2)
    found = share_interval(share * worth, worth, confidence)
    return Interval(share, found.low, found.high)
