"""Paired differences that were measured several times: the same questions under several seeds, or in several worlds.

Chance enters twice. Another seed trains another model, and moves all of its answers together; another question would
have been answered otherwise by all models. So observations are clustered in two crossing ways, and the variance of the
mean is that of Cameron, Gelbach and Miller (2011): over repetitions, plus over questions, less the part counted twice.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from medo1.statistics.intervals import Interval, share_interval

LEAST_VARIANCE = 1e-6  # a tenth of a point: equal repetitions are chance
MOST_DEGREES = 30.0  # more is never believed of a prior


@dataclass(frozen=True, slots=True)
class RepeatedDifference:
    """A mean difference.

    Attributes:
        interval: of the mean, as a share from -1 to 1.
        p_value: two-sided, of no difference.
        of_repetition: the difference in each repetition, in their order.
        questions: how many different ones there are.
    """

    interval: Interval
    p_value: float
    of_repetition: tuple[float, ...]
    questions: int

    @property
    def spread(self) -> float | None:
        """The standard deviation between repetitions; None with one."""
        number = len(self.of_repetition)
        if number < 2:  # noqa: PLR2004
            return None
        mean = sum(self.of_repetition) / number
        return math.sqrt(sum((one - mean) ** 2 for one in self.of_repetition) / (number - 1))


@dataclass(frozen=True, slots=True)
class SpreadPrior:
    """What a family of comparisons tells of how much repetitions differ.

    Attributes:
        variance: of a repetition's difference, typical of the family.
        degrees: of freedom that this is worth.
    """

    variance: float
    degrees: float


def spread_prior(spreads: Sequence[tuple[float, int]]) -> SpreadPrior | None:
    """The prior of a family, by the moments of the logarithms of its variances (Smyth 2004, section 6.2).

    A variance from two or three repetitions alone is worth next to nothing, and its interval is wider than anything
    that could be found. Comparisons of one family are trained and asked alike, so each borrows from the others.

    Args:
        spreads: of each comparison, the standard deviation between its repetitions and how many there were.

    Returns:
        None where fewer than three comparisons were repeated.
    """
    from scipy.special import digamma, polygamma

    known = [(max(spread**2, LEAST_VARIANCE), count - 1) for spread, count in spreads if count > 1]
    if len(known) < 3:  # noqa: PLR2004
        return None
    logs = [math.log(variance) - float(digamma(free / 2)) + math.log(free / 2) for variance, free in known]
    mean = math.fsum(logs) / len(logs)
    between = math.fsum((one - mean) ** 2 for one in logs) / (len(logs) - 1)
    between -= math.fsum(float(polygamma(1, free / 2)) for _, free in known) / len(known)
    degrees = MOST_DEGREES if between <= 0 else min(MOST_DEGREES, 2 * _inverse_trigamma(between))
    return SpreadPrior(math.exp(mean + float(digamma(degrees / 2)) - math.log(degrees / 2)), degrees)


def _inverse_trigamma(value: float) -> float:
    """Where the trigamma function has this value."""
    from scipy.optimize import brentq
    from scipy.special import polygamma

    return float(brentq(lambda x: float(polygamma(1, x)) - value, 1e-6, 1e7))


def repeated_difference(
    measured: Mapping[Hashable, Mapping[Hashable, float]],
    confidence: float = 0.95,
    prior: SpreadPrior | None = None,
) -> RepeatedDifference:
    """The mean of differences over questions and repetitions.

    With one repetition and no prior the interval is over questions alone, and says nothing of another seed. Else it
    has Student's quantile at the degrees of freedom that the two parts of the variance come to (Satterthwaite 1946):
    few where the few repetitions differ most.

    Args:
        measured: repetition to question to the difference between two answers to it (1, 0 or -1).
        confidence: level of the interval.
        prior: what the family tells of how much repetitions differ; None: these tell alone.

    Raises:
        ValueError: without a measurement.
    """
    from scipy.stats import t

    observations = [
        (repetition, question, value) for repetition, values in measured.items() for question, value in values.items()
    ]
    if not observations:
        raise ValueError("no differences, expected at least one")
    number = len(observations)
    mean = math.fsum(value for _, _, value in observations) / number
    by_repetition: dict[Hashable, float] = {}
    by_question: dict[Hashable, float] = {}
    single = 0.0
    for repetition, question, value in observations:
        by_repetition[repetition] = by_repetition.get(repetition, 0.0) + value - mean
        by_question[question] = by_question.get(question, 0.0) + value - mean
        single += (value - mean) ** 2
    over_questions = _variance(by_question, number)
    variance, free = over_questions, float(len(by_question) - 1)
    if len(by_repetition) > 1 or prior is not None:
        over_repetitions, free_repetitions = _variance(by_repetition, number), float(len(by_repetition) - 1)
        if prior is not None:
            own = over_repetitions * len(by_repetition) * free_repetitions
            free_repetitions += prior.degrees
            over_repetitions = (own + prior.variance * prior.degrees) / free_repetitions / len(by_repetition)
        both = over_repetitions + over_questions - single / number**2
        variance = max(both, over_repetitions, over_questions)
        known = over_repetitions**2 / free_repetitions
        known += over_questions**2 / free if free > 0 else 0.0
        free = variance**2 / known if known > 0 else free_repetitions
    if single == 0:  # all the same: nothing to see of chance, but that it is rarer than once in so many questions
        half = share_interval(0, len(by_question), confidence).high
        bounds = Interval(mean, max(-1.0, mean - half), min(1.0, mean + half))
        return RepeatedDifference(bounds, 0.0 if abs(mean) > half else 1.0, _each(measured), len(by_question))
    each = _each(measured)
    if free < 1:
        return RepeatedDifference(Interval(mean, -1.0, 1.0), 1.0, each, len(by_question))
    error = math.sqrt(variance)
    half = float(t.ppf((1 + confidence) / 2, free)) * error
    p_value = float(2 * t.sf(abs(mean) / error, free))
    return RepeatedDifference(
        Interval(mean, max(-1.0, mean - half), min(1.0, mean + half)), p_value, each, len(by_question)
    )


def _each(measured: Mapping[Hashable, Mapping[Hashable, float]]) -> tuple[float, ...]:
    return tuple(math.fsum(values.values()) / len(values) for values in measured.values() if values)


def _variance(sums: Mapping[Hashable, float], number: int) -> float:
    """Of the mean, from the sums of residuals in clusters, with the factor for few of them."""
    count = len(sums)
    return math.fsum(one**2 for one in sums.values()) * count / max(1, count - 1) / number**2
