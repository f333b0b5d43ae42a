"""How the report's sentences write numbers."""

from __future__ import annotations

from medo1.statistics.intervals import Interval


def points(share: float) -> str:
    """A share in percent: `73.8 %`."""
    return f"{100 * share:.1f} %"


def signed_points(difference: float) -> str:
    """A difference of shares in points: `+10.9 points`."""
    return f"{100 * difference:+.1f} points"


def between(interval: Interval) -> str:
    """The bounds of a difference in points: `(+4.7 to +17.2)`."""
    return f"({100 * interval.low:+.1f} to {100 * interval.high:+.1f})"
