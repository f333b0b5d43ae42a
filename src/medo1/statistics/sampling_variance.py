"""Where the error of an accuracy comes from: from which questions were asked, or from which samples were drawn.

Source: the decomposition of Miller 2024 (arXiv 2411.00640, section 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Variances:
    """Of one sample's outcome (0 or 1): between questions, within a question, and what more samples would do.

    Attributes:
        between: variance of the questions' own accuracies, without the sampling in them.
        within: mean variance of a question's outcomes.
        halving: samples of each question that halve the variance of the mean of one sample; None where no number does,
            because the questions themselves differ too much.
    """

    between: float
    within: float
    halving: float | None

    @property
    def total(self) -> float:
        return self.between + self.within


def variances(right: Sequence[int], samples: Sequence[int]) -> Variances:
    """Between and within questions, unbiased, from how often each question was answered right.

    Args:
        right: right samples of each question.
        samples: samples of each, two at least.

    Raises:
        ValueError: for fewer than two questions, or a question with one sample.
    """
    if len(right) < 2 or min(samples) < 2:  # noqa: PLR2004
        raise ValueError(f"{len(right)} questions, {min(samples, default=0)} samples at least: expected two of each")
    shares = [count / number for count, number in zip(right, samples, strict=True)]
    own = [share * (1 - share) * number / (number - 1) for share, number in zip(shares, samples, strict=True)]
    mean = sum(shares) / len(shares)
    apart = sum((share - mean) ** 2 for share in shares) / (len(shares) - 1)
    noise = sum(one / number for one, number in zip(own, samples, strict=True)) / len(shares)
    within, between = sum(own) / len(own), max(0.0, apart - noise)
    halving = 2 * within / (within - between) if within > between else None
    return Variances(between, within, halving)
