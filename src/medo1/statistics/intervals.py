"""Confidence intervals for a share of right answers, or a mean of shares.

Sources: Wilson's score interval (Wilson 1927); the effective number of questions (Korn and Graubard 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate between its bounds."""

    value: float
    low: float
    high: float


def share_interval(count: float, total: float, confidence: float = 0.95) -> Interval:
    """`count` of `total` with Wilson's interval, which stays inside [0, 1] also near its ends."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(count, total, alpha=1 - confidence, method="wilson")
    return Interval(count / total, float(low), float(high))


def repeated_share(counts: Sequence[tuple[float, float]], confidence: float = 0.95) -> Interval:
    """A share that was counted in several repetitions: Wilson's interval for as many observations as it is worth.

    Where repetitions differ by more than chance within them, that is fewer than there are (Korn and Graubard 1998, with
    the repetitions as clusters).

    Args:
        counts: of each repetition, how many and of how many.
        confidence: level of the interval.

    Raises:
        ValueError: without an observation.
    """
    total = sum(number for _, number in counts)
    if not total:
        raise ValueError("no observations, expected at least one")
    share = sum(count for count, _ in counts) / total
    worth = total
    if len(counts) > 1:
        spread = sum((count - number * share) ** 2 for count, number in counts) * len(counts) / (len(counts) - 1)
        worth = min(total, max(1.0, share * (1 - share) * total**2 / spread)) if spread else total
    found = share_interval(share * worth, worth, confidence)
    return Interval(share, found.low, found.high)


def mean_interval(shares: Sequence[float], confidence: float = 0.95) -> Interval:
    """The mean of numbers in [0, 1], one a question, with an interval over questions.

    Wilson's interval with the effective number of questions: shares vary less than truths and lies do, by the factor
    s2 / p(1 - p). It stays in [0, 1], and does not shrink to nothing where all shares are equal.
    """
    import numpy as np

    values = np.asarray(shares, dtype=float)
    mean, number = float(values.mean()), len(values)
    most = mean * (1 - mean)
    variance = float(values.var(ddof=1)) if number > 1 else most
    effective = number * most / variance if most > 0 and 0 < variance < most else float(number)
    found = share_interval(mean * effective, effective, confidence)
    return Interval(mean, min(mean, max(0.0, found.low)), max(mean, min(1.0, found.high)))


def median_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The median of a few runs with its interval by order statistics, which supposes no distribution.

    The narrowest pair of the k-th smallest and the k-th largest value that covers the median with this confidence
    (David and Nagaraja 2003, section 7.1). Five values or fewer cannot reach 95 %: they give their range.
    """
    from scipy.stats import binom

    ordered, number = sorted(values), len(values)
    outside = 0  # values left out at each end
    while 2 * (outside + 1) < number and 2 * binom.cdf(outside + 1, number, 0.5) <= 1 - confidence:
        outside += 1
    middle = (ordered[(number - 1) // 2] + ordered[number // 2]) / 2
    return Interval(middle, ordered[outside], ordered[number - 1 - outside])
