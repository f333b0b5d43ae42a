"""A declared family of comparisons: p-values corrected for their number, and intervals that say the same.

Holm's step-down correction (Holm 1979) bounds the chance of any false claim. Its exact simultaneous intervals say of a
rejected hypothesis little more than the sign (Strassburger and Bretz 2008; Guilbaud 2008), which no reader can use. So
each interval here is Bonferroni's, at the level 1 - alpha / m, and where Holm's step decides what the level of the
first step does not, its bound stands at zero: the direction is known, the size is not.
"""

from __future__ import annotations

from collections.abc import Sequence

from medo1.statistics.intervals import Interval


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given."""
    adjusted = [0.0] * len(p_values)
    greatest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda one: p_values[one])):
        greatest = max(greatest, min(1.0, p_values[index] * (len(p_values) - place)))
        adjusted[index] = greatest
    return adjusted


def simultaneous_confidence(confidence: float, size: int) -> float:
    """The level of each of `size` intervals that hold all at once with this confidence (Bonferroni)."""
    return 1 - (1 - confidence) / max(1, size)


def agreeing(interval: Interval, p_value: float, confidence: float) -> Interval:
    """An interval of a difference that never contradicts the test beside it.

    A test that does not reject "no difference" stands beside an interval that holds zero; one that does, beside an
    interval that lies on one side of it (zero may be its end). Intervals and tests of different make (a score interval
    and an exact test, say) disagree near the border; there the bound moves to zero.
    """
    value, low, high = interval.value, interval.low, interval.high
    if p_value > 1 - confidence:
        return Interval(value, min(low, 0.0), max(high, 0.0))
    return Interval(value, max(low, 0.0), high) if value > 0 else Interval(value, low, min(high, 0.0))
