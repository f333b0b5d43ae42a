"""Selective thought: answer at once, and think only where that answer is unsure; evaluated on answers that are stored.

A first answer has a score; the question is thought about when the score is below `tau`. As both answers to each
question are known, each `tau` has an accuracy and a price, and no model is asked again. Choosing the best `tau` on the
questions on which it is then reported would flatter it: choose it on others (`chosen_tau`).

Sources: thinking only where it pays, Selective CoT (arXiv 2602.20130), AdaThink-Med (ICML 2026); a decision from one
finished answer (arXiv 2603.08999).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medo1.statistics.intervals import Interval, mean_interval

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


def chosen_tau(questions: Sequence[TwoAnswers], margin: float = 0.0) -> float:
    """The smallest `tau`, of all that differ, whose accuracy is at most `margin` below that of thinking about all."""
    scores = _scores(questions)
    found = [_point(questions, scores, tau) for tau in _taus(scores, len(questions))]
    needed = found[-1].accuracy.value - margin - 1e-9
    return next(point.tau for point in found if point.accuracy.value >= needed)


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


def _point(questions: Sequence[TwoAnswers], scores: np.ndarray, tau: float) -> SelectivePoint:
    thinks = (scores < tau) if tau > 0 else np.zeros(len(scores), bool)
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
