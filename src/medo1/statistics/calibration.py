"""Whether a model knows when it is right: reliability, Brier score, expected calibration error, risk against coverage.

Sources: Brier 1950; ECE (Naeini et al. 2015) over bins of equal width; the area under the risk-coverage curve
(Geifman and El-Yaniv 2017, arXiv 1705.08500), with ties in any order alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose score lies in a stretch: how sure they were on average, and how often right."""

    low: float
    high: float
    count: int
    mean_score: float
    right: int

    @property
    def accuracy(self) -> float:
        return self.right / self.count


def reliability(scores: Sequence[float], right: Sequence[bool], bins: int = BINS) -> list[Bin]:
    """Bins of equal width over [0, 1] that hold an answer; a score on a border is in the bin above it, 1 in the last.

    Raises:
        ValueError: for a score outside [0, 1], or lists of unequal length.
    """
    numbers, outcomes = _checked(scores, right)
    place = np.minimum((numbers * bins + 1e-9).astype(int), bins - 1)
    return [
        Bin(one / bins, (one + 1) / bins, int(mine.sum()), float(numbers[mine].mean()), int(outcomes[mine].sum()))
        for one in range(bins)
        if (mine := place == one).any()
    ]


def brier(scores: Sequence[float], right: Sequence[bool]) -> float:
    """The mean squared distance between score and outcome: 0 is perfect, 0.25 is always saying one half."""
    numbers, outcomes = _checked(scores, right)
    return float(((numbers - outcomes) ** 2).mean())


def expected_calibration_error(scores: Sequence[float], right: Sequence[bool], bins: int = BINS) -> float:
    """The mean distance between score and accuracy over the bins, weighted by answers; few answers bias it upwards."""
    found = reliability(scores, right, bins)
    return sum(one.count * abs(one.mean_score - one.accuracy) for one in found) / len(scores)


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """Answering from `threshold` on: which share of the questions, and how often right on these."""

    threshold: float
    coverage: float
    accuracy: float


def risk_coverage(scores: Sequence[float], right: Sequence[bool]) -> list[CoveragePoint]:
    """What answering only from some score on gives; one point for each score, surest first."""
    numbers, outcomes = _checked(scores, right, bounded=False)
    points = []
    for threshold in np.unique(numbers)[::-1]:
        answered = numbers >= threshold
        points.append(CoveragePoint(float(threshold), float(answered.mean()), float(outcomes[answered].mean())))
    return points


def area_under_risk_coverage(scores: Sequence[float], right: Sequence[bool]) -> float:
    """The mean error over all coverages, 1/n to 1, surest first; of equal scores the mean over their orders.

    The error rate is what a score without information gets.
    """
    numbers, outcomes = _checked(scores, right, bounded=False)
    wrong_before, answered_before, total = 0.0, 0, 0.0
    for threshold in np.unique(numbers)[::-1]:
        tied = outcomes[numbers == threshold]
        wrong = float((1 - tied).sum())
        places = np.arange(1, len(tied) + 1)
        total += float(((wrong_before + wrong * places / len(tied)) / (answered_before + places)).sum())
        wrong_before, answered_before = wrong_before + wrong, answered_before + len(tied)
    return total / len(numbers)


def _checked(scores: Sequence[float], right: Sequence[bool], *, bounded: bool = True) -> tuple[np.ndarray, np.ndarray]:
    numbers, outcomes = np.asarray(scores, dtype=float), np.asarray(right, dtype=float)
    if len(numbers) != len(outcomes) or not len(numbers):
        raise ValueError(f"{len(numbers)} scores and {len(outcomes)} outcomes: expected one score for each, and some")
    if np.isnan(numbers).any() or (bounded and (numbers.min() < 0 or numbers.max() > 1 + 1e-9)):
        raise ValueError(f"scores lie between {numbers.min()} and {numbers.max()}: expected shares from 0 to 1")
    return numbers, outcomes
