"""The smallest difference between two arms that a benchmark of this size would show, given how alike the arms are."""

from __future__ import annotations

import numpy as np

TAIL = 1e-10  # chance of numbers of discordant questions that are left out


def smallest_detectable(discordant: float, questions: int, alpha: float = 0.05, power: float = 0.8) -> float | None:
    """The least true difference that the exact McNemar test finds with this power; None where it finds none.

    Arms that answer alike (a high correlation) disagree on few questions, and then a smaller difference shows: what
    counts is the share of questions on which exactly one of them is right. The power is exact, not approximate.

    Args:
        discordant: share of questions on which exactly one arm is right, in [0, 1].
        questions: how many are paired.
        alpha: level of the test; divided by their number where several comparisons are made.
        power: wanted chance to find it.
    """
    from scipy.optimize import brentq

    if questions < 1 or discordant <= 0:
        return None
    counts, chances, critical = _discordances(discordant, questions, alpha)

    def shown(difference: float) -> float:
        return _power(difference / discordant, counts, chances, critical)

    if shown(discordant) < power:
        return None
    return float(brentq(lambda difference: shown(difference) - power, 0.0, discordant, xtol=1e-6))


def exact_power(difference: float, discordant: float, questions: int, alpha: float = 0.05) -> float:
    """The chance that the exact McNemar test rejects at a true difference, of arms that disagree on this share."""
    return _power(difference / discordant, *_discordances(discordant, questions, alpha))


def _discordances(discordant: float, questions: int, alpha: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of discordant questions, the chance of each, and how many of each the winner needs to be significant."""
    from scipy.stats import binom

    counts = np.arange(int(binom.ppf(TAIL, questions, discordant)), int(binom.isf(TAIL, questions, discordant)) + 1)
    # P(X >= c) <= alpha / 2 under Binomial(count, 1/2).
    return counts, binom.pmf(counts, questions, discordant), binom.isf(alpha / 2, counts, 0.5) + 1


def _power(lean: float, counts: np.ndarray, chances: np.ndarray, critical: np.ndarray) -> float:
    from scipy.stats import binom

    gain = (1 + min(1.0, max(-1.0, lean))) / 2  # of the discordant questions, the share that the better arm wins
    rejected = binom.sf(critical - 1, counts, gain) + binom.sf(critical - 1, counts, 1 - gain)
    return float((chances * rejected).sum())
