"""Two arms on the same questions.

Sources: the exact McNemar test on discordant pairs (McNemar 1947), the interval for a difference of paired proportions
by Tango's score method (Tango 1998), the same score as a test of non-inferiority (Tango 1998; Liu et al. 2002).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from medo1.statistics.intervals import Interval


@dataclass(frozen=True, slots=True)
class Paired:
    """Two arms on the same questions.

    Attributes:
        gained, lost: questions that only the first, only the second has right.
        questions: how many.
        difference: first minus second.
        p_value: exact, of no difference.
        correlation: of right and wrong over the questions (phi); None where an arm has all right or all wrong.
    """

    gained: int
    lost: int
    questions: int
    difference: Interval
    p_value: float
    correlation: float | None


def paired(first: Sequence[bool], second: Sequence[bool], confidence: float = 0.95) -> Paired:
    """The first arm against the second, question by question (both in the same order).

    Raises:
        ValueError: when the arms answered different numbers of questions.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"paired arms answer the same questions; found {len(first)} and {len(second)}")
    gained = sum(a and not b for a, b in zip(first, second, strict=True))
    lost = sum(b and not a for a, b in zip(first, second, strict=True))
    difference = difference_interval(gained, lost, len(first), confidence)
    correlation = _phi(sum(first), sum(second), gained, len(first))
    return Paired(gained, lost, len(first), difference, exact_p(gained, lost), correlation)


def exact_p(gained: int, lost: int) -> float:
    """McNemar's exact p-value of no difference: whether the discordant questions are split evenly."""
    from scipy.stats import binom

    fewer, discordant = min(gained, lost), gained + lost
    return min(1.0, 2 * float(binom.cdf(fewer, discordant, 0.5))) if discordant else 1.0


def _phi(first: int, second: int, gained: int, total: int) -> float | None:
    spread = sqrt(first * (total - first) * second * (total - second))
    both = first - gained
    return (total * both - first * second) / spread if spread else None


def difference_interval(gained: int, lost: int, total: int, confidence: float = 0.95) -> Interval:
    """Tango's score interval for a difference of paired proportions: where the score statistic passes its quantile."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    quantile = float(norm.ppf(0.5 + confidence / 2))
    estimate = (gained - lost) / total
    edge = 1 - 1e-9

    def bound(sign: int) -> float:
        far = edge * sign
        if (_score(gained, lost, total, far) + sign * quantile) * sign > 0:
            return float(sign)
        return float(brentq(lambda delta: _score(gained, lost, total, delta) + sign * quantile, estimate, far))

    return Interval(estimate, bound(-1), bound(1))


def _score(gained: int, lost: int, total: int, delta: float) -> float:
    """Tango's statistic of the difference being `delta`; standard normal if it is."""
    # The constrained estimate of the lost share, the root of a quadratic (Tango 1998, eq. 8 to 10).
    a = 2.0 * total
    b = -gained - lost + (2 * total - gained + lost) * delta
    c = -lost * delta * (1 - delta)
    share = (sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = total * (2 * share + delta * (1 - delta))
    return (gained - lost - total * delta) / sqrt(max(variance, 1e-12))


def p_of_inferiority(gained: int, lost: int, total: int, margin: float) -> float:
    """The one-sided p-value of "the first arm is worse by `margin` or more": small says that it is no worse than that.

    It is below a level alpha exactly where the interval of confidence 1 - 2 alpha lies above -margin.

    Args:
        gained, lost: questions that only the first, only the second has right.
        total: questions.
        margin: the greatest loss that does not matter, a share in (0, 1).

    Raises:
        ValueError: for a margin that is no share.
    """
    from scipy.stats import norm

    if not 0 < margin < 1:
        raise ValueError(f"the margin is {margin}, expected a share between 0 and 1, such as 0.01 for a point")
    return float(norm.sf(_score(gained, lost, total, -margin)))
