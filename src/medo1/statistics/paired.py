"""Two arms on the same questions, and many such pairs corrected for their number.

Sources: the exact McNemar test on discordant pairs (McNemar 1947), the interval for a difference of paired proportions
by Tango's score method (Tango 1998), Holm's correction (Holm 1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from medo1.statistics.intervals import Interval


@dataclass(frozen=True, slots=True)
class Paired:
    """Two arms on the same questions: how many the first gained and lost, the difference, and its p-value."""

    gained: int
    lost: int
    difference: Interval
    p_value: float


def paired(first: Sequence[bool], second: Sequence[bool], confidence: float = 0.95) -> Paired:
    """The first arm against the second, question by question (both in the same order).

    Raises:
        ValueError: when the arms answered different numbers of questions.
    """
    from scipy.stats import binomtest

    if len(first) != len(second) or not first:
        raise ValueError(f"paired arms answer the same questions; found {len(first)} and {len(second)}")
    gained = sum(a and not b for a, b in zip(first, second, strict=True))
    lost = sum(b and not a for a, b in zip(first, second, strict=True))
    p_value = float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0
    low, high = _tango(gained, lost, len(first), confidence)
    return Paired(gained, lost, Interval((gained - lost) / len(first), low, high), p_value)


def _tango(gained: int, lost: int, total: int, confidence: float) -> tuple[float, float]:
    """Tango's score interval for a difference of paired proportions: where the score statistic passes its quantile."""
    from math import sqrt

    from scipy.optimize import brentq
    from scipy.stats import norm

    quantile = float(norm.ppf(0.5 + confidence / 2))

    def score(delta: float) -> float:
        # The constrained estimate of the lost share, the root of a quadratic (Tango 1998, eq. 8 to 10).
        a = 2.0 * total
        b = -gained - lost + (2 * total - gained + lost) * delta
        c = -lost * delta * (1 - delta)
        share = (sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
        variance = total * (2 * share + delta * (1 - delta))
        return (gained - lost - total * delta) / sqrt(max(variance, 1e-12))

    estimate = (gained - lost) / total
    edge = 1 - 1e-9

    def bound(sign: int) -> float:
        far = edge * sign
        if (score(far) + sign * quantile) * sign > 0:
            return float(sign)
        return float(brentq(lambda delta: score(delta) + sign * quantile, estimate, far))

    return bound(-1), bound(1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given."""
    if not p_values:
        return []
    from statsmodels.stats.multitest import multipletests

    return [float(value) for value in multipletests(p_values, method="holm")[1]]
