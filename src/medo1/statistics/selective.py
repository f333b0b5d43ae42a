"""Selective thought: answer at once, and think only where that answer is unsure; evaluated on answers that are stored.

A first answer has a score; the question is thought about when the score is below `tau`. As both answers to each
question are known, each `tau` has an accuracy and a price, and no model is asked again. Choosing the best `tau` on the
questions on which it is then reported would flatter it, and the best of few questions is mostly luck: `chosen_tau`
chooses on others the cheapest one that is shown to lose little.

Sources: thinking only where it pays, Selective CoT (arXiv 2602.20130), AdaThink-Med (ICML 2026); a decision from one
finished answer (arXiv 2603.08999).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log

import numpy as np

from medo1.statistics.intervals import Interval, mean_interval
from medo1.statistics.paired import difference_interval, p_of_inferiority
from medo1.statistics.rules import CONFIDENCE, MARGIN

POINTS = 20  # steps of a curve, at most


@dataclass(frozen=True, slots=True)
class TwoAnswers:
    """One question, answered at once and after thought.

    Attributes:
        score: how sure the first answer is, 0 or more; None where nothing was stated, which is as unsure as can be.
        first_correct, thought_correct: whether each is right.
        first_tokens, thought_tokens: what each cost; None where the engine does not count.
    """

    score: float | None
    first_correct: bool
    thought_correct: bool
    first_tokens: float | None = None
    thought_tokens: float | None = None


@dataclass(frozen=True, slots=True)
class SelectivePoint:
    """What one `tau` comes to.

    Attributes:
        tau: questions are thought about whose score is below it.
        thought_share: of the questions.
        accuracy: with its interval over questions.
        first_tokens: per question, of the first answers, which are always paid. thought_tokens: of the thoughts.
    """

    tau: float
    thought_share: float
    accuracy: Interval
    first_tokens: float | None
    thought_tokens: float | None

    @property
    def tokens(self) -> float | None:
        """Per question, of both."""
        if self.first_tokens is None or self.thought_tokens is None:
            return None
        return self.first_tokens + self.thought_tokens


def selective_points(questions: Sequence[TwoAnswers], points: int = POINTS) -> list[SelectivePoint]:
    """The whole frontier, from never thinking (`tau` 0) to thinking about every question.

    Args:
        questions: at least one.
        points: how many steps between the two, at most; fewer where there are fewer different scores.
    """
    scores = _scores(questions)
    return [_point(questions, scores, tau) for tau in _taus(scores, points)]


def point_at(questions: Sequence[TwoAnswers], tau: float) -> SelectivePoint:
    """What one `tau` comes to."""
    return _point(questions, _scores(questions), tau)


@dataclass(frozen=True, slots=True)
class ChosenTau:
    """The threshold that these questions allow, and what they promise of others like them.

    Attributes:
        point: what it comes to here; None where none could be chosen: think about every question, and ask no first
            answer.
        difference: its accuracy less that of thinking always, paired, with an interval of confidence
            2 * confidence - 1; None where none was chosen.
        needed: as many questions as it takes for a choice at all, if no answer is lost.
    """

    point: SelectivePoint | None
    difference: Interval | None
    needed: int


def chosen_tau(
    questions: Sequence[TwoAnswers], margin: float = MARGIN, confidence: float = CONFIDENCE, points: int = POINTS
) -> ChosenTau:
    """The cheapest `tau` whose accuracy is shown to be less than `margin` below that of thinking always.

    From thinking always downwards, each step is tested for non-inferiority at `confidence`, until one fails (testing in
    a fixed order, so that having tried several costs nothing; learn then test, Angelopoulos et al. 2021, arXiv
    2110.01052). On other questions drawn as these were, the chosen one therefore loses `margin` or more in at most
    1 - `confidence` of all studies.

    Args:
        questions: at least one, none of them among those on which the result is reported.
        margin: the greatest loss of accuracy that does not matter, a share in (0, 1).
        confidence: that less is lost, a share in (0.5, 1).
        points: steps that are tried, at most.
    """
    scores = _scores(questions)
    needed = ceil(log(1 - confidence) / log(1 - margin))
    chosen = None
    for tau in reversed(_taus(scores, points)):
        gained, lost = _discordant(questions, scores, tau)
        if _p_of_a_loss(gained, lost, len(questions), margin) > 1 - confidence:
            break
        chosen = tau, gained, lost
    if chosen is None:
        return ChosenTau(None, None, needed)
    tau, gained, lost = chosen
    difference = difference_interval(gained, lost, len(questions), 2 * confidence - 1)
    return ChosenTau(_point(questions, scores, tau), difference, needed)


def _discordant(questions: Sequence[TwoAnswers], scores: np.ndarray, tau: float) -> tuple[int, int]:
    """Questions that only this `tau`, only thinking always has right."""
    at_once = [one for one, think in zip(questions, _thinks(scores, tau), strict=True) if not think]
    return (
        sum(one.first_correct and not one.thought_correct for one in at_once),
        sum(one.thought_correct and not one.first_correct for one in at_once),
    )


def _p_of_a_loss(gained: int, lost: int, total: int, margin: float) -> float:
    """Tango's p-value, which is too small where hardly any question is discordant: not below the exact one of losing
    at most so many on balance where none is gained."""
    from scipy.stats import binom

    rare = float(binom.cdf(max(0, lost - gained), total, margin))
    return max(p_of_inferiority(gained, lost, total, margin), rare)


def _scores(questions: Sequence[TwoAnswers]) -> np.ndarray:
    return np.array([-np.inf if one.score is None else one.score for one in questions])


def _taus(scores: np.ndarray, points: int) -> list[float]:
    """0, values at which another share of the questions is thought about, and one above all scores."""
    distinct = np.unique(scores[np.isfinite(scores) & (scores > 0)])
    above = float(np.nextafter(distinct[-1], np.inf)) if len(distinct) else 1.0
    if len(distinct) > points - 1:
        shares = np.linspace(0, 1, points + 1)[1:-1]
        distinct = np.unique(np.quantile(distinct, shares, method="lower"))
    return sorted({0.0, *(float(value) for value in distinct), above})


def _thinks(scores: np.ndarray, tau: float) -> np.ndarray:
    return (scores < tau) if tau > 0 else np.zeros(len(scores), bool)


def _point(questions: Sequence[TwoAnswers], scores: np.ndarray, tau: float) -> SelectivePoint:
    thinks = _thinks(scores, tau)
    right = [one.thought_correct if think else one.first_correct for one, think in zip(questions, thinks, strict=True)]
    first = [one.first_tokens for one in questions]
    thought = [one.thought_tokens if think else 0.0 for one, think in zip(questions, thinks, strict=True)]
    return SelectivePoint(
        tau=tau,
        thought_share=float(thinks.mean()),
        accuracy=mean_interval([float(one) for one in right]),
        first_tokens=_mean(first),
        thought_tokens=_mean(thought),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    """None where one of them is not known: what is left out would make it cheaper."""
    known = [float(value) for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None
