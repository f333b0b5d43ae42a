"""Two values of each of the same questions, where one is a mean over several answers.

With one answer each this is `paired` (exact McNemar, Tango). Else the p-value is that of a sign-flip test (Fisher 1935;
random flips, both ways of the mean difference) and the interval a studentised one over questions, which Tango's widens
where the differences do not vary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from medo1.statistics.intervals import Interval
from medo1.statistics.paired import paired

FLIPS = 9_999
SEED = 20_501


@dataclass(frozen=True, slots=True)
class PairedMeans:
    """The mean difference, first less second, with its interval; and the p-value of no difference."""

    difference: Interval
    p_value: float


def paired_means(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> PairedMeans:
    """The first values against the second, question by question; each from 0 to 1.

    Raises:
        ValueError: when there are none, or different numbers of them.
    """
    import numpy as np
    from scipy.stats import t

    if len(first) != len(second) or not first:
        raise ValueError(f"paired values are of the same questions; found {len(first)} and {len(second)}")
    if all(value in (0, 1) for value in (*first, *second)):
        exact = paired([bool(one) for one in first], [bool(one) for one in second], confidence)
        return PairedMeans(exact.difference, exact.p_value)
    differences = np.array(first, dtype=float) - np.array(second, dtype=float)
    size, mean = len(differences), float(differences.mean())
    # At least as wide as if no difference but one of a whole question had been seen: a few equal ones prove little.
    spread = max(float(differences.std(ddof=1)) if size > 1 else 1.0, 1 / size)
    half = float(t.ppf(0.5 + confidence / 2, max(size - 1, 1))) * spread / size**0.5
    signs = np.random.default_rng(SEED).choice((-1.0, 1.0), size=(FLIPS, size))
    flipped = np.abs(signs @ differences) >= abs(float(differences.sum())) - 1e-9
    interval = Interval(mean, max(-1.0, mean - half), min(1.0, mean + half))
    return PairedMeans(interval, float((flipped.sum() + 1) / (FLIPS + 1)))
