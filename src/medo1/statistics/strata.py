"""The mean over benchmarks, weighted by size, with its own interval."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from medo1.statistics.intervals import Interval, share_interval


def weighted_interval(
    counts: Sequence[tuple[int, int]], weights: Sequence[float] | None = None, confidence: float = 0.95
) -> Interval:
    """The weighted mean of shares of different benchmarks.

    Pooling all questions as if they were of one benchmark counts the differences between benchmarks as chance, and has
    no meaning for weights other than the numbers asked. Here the interval is put together from Wilson's intervals of
    the benchmarks by the method of variance estimates recovery (MOVER; Zou and Donner 2008): with one benchmark it is
    Wilson's.

    Args:
        counts: right answers and questions of each benchmark.
        weights: of each; None weighs by the questions asked.

    Raises:
        ValueError: without a question, or with weights that are not one for each benchmark and positive in sum.
    """
    if not counts or any(total < 1 for _, total in counts):
        raise ValueError(f"right answers and questions of each benchmark are {list(counts)}, expected some of each")
    given = [float(total) for _, total in counts] if weights is None else list(weights)
    if len(given) != len(counts) or min(given) < 0 or sum(given) <= 0:
        raise ValueError(f"{len(counts)} benchmarks and weights {given}: expected one for each, none below zero")
    parts = [share_interval(right, total, confidence) for right, total in counts]
    scaled = [weight / sum(given) for weight in given]
    value = sum(weight * part.value for weight, part in zip(scaled, parts, strict=True))
    below = sqrt(sum((weight * (part.value - part.low)) ** 2 for weight, part in zip(scaled, parts, strict=True)))
    above = sqrt(sum((weight * (part.high - part.value)) ** 2 for weight, part in zip(scaled, parts, strict=True)))
    return Interval(value, max(0.0, value - below), min(1.0, value + above))
