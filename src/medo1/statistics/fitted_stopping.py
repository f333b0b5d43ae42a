"""A stopping rule whose promise is checked on questions whose samples were all drawn: `fitted`, with its threshold.

A mixture of Dirichlet laws is a model, and questions may be spread in other ways. So the threshold at which drawing
stops is not taken at its word: the rule is replayed on the questions at hand, each half with the prior of the other,
over random orders of their samples, and the lowest threshold is taken whose disagreement with the vote of all samples
is small enough (conformal risk control, Angelopoulos et al. 2022, arXiv 2208.02814).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from medo1.statistics.fitted_prior import Drawn, fitted_prior
from medo1.statistics.rules import Mixture, StoppingRule
from medo1.statistics.stopping import standings, stops_at

# How likely the leader is to stay ahead when drawing stops, from the safest on.
STOP_AT = (1.0, 0.9999, 0.999, 0.998, 0.995, 0.99, 0.98, 0.97, 0.95, 0.925, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)
ORDERS = 8  # of each question's samples, fewer where there are many questions: they are what the promise is about
REPLAYS = 1000


class Calibrated(NamedTuple):
    """The threshold that holds a promise.

    Attributes:
        threshold: of the rule; None where there are too few questions for the promise.
        agreement: with the vote of all samples, as replayed. drawn: samples per question.
        needed: questions that the promise takes at least.
    """

    threshold: float | None
    agreement: float | None
    drawn: float | None
    needed: int


def calibrated(questions: Sequence[Drawn], rule: StoppingRule, promises: Sequence[float]) -> list[Calibrated]:
    """For each promised agreement the threshold that holds it on other questions drawn as these were, on average.

    Args:
        questions: at least two; each with as many samples as would be drawn at most, all the same number.
        rule: when to look.
        promises: shares in (0, 1).
    """
    agreed, drawn = _replayed(questions, rule)
    total = len(questions)
    found = []
    for promise in promises:
        chosen = None
        for place in range(len(STOP_AT)):
            if (total * (1 - agreed[place]) + 1) / (total + 1) > 1 - promise + 1e-12:
                break
            chosen = place
        needed = int(np.ceil(1 / (1 - promise) - 1e-9)) - 1
        if chosen is None:
            found.append(Calibrated(None, None, None, needed))
        else:
            found.append(Calibrated(STOP_AT[chosen], float(agreed[chosen]), float(drawn[chosen]), needed))
    return found


def priors_of_others(questions: Sequence[Drawn]) -> list[Mixture]:
    """The prior of each question: fitted on the half of the questions in which it is not."""
    halves = fitted_prior(questions[1::2]), fitted_prior(questions[::2])
    return [halves[place % 2] for place in range(len(questions))]


def _replayed(questions: Sequence[Drawn], rule: StoppingRule) -> tuple[np.ndarray, np.ndarray]:
    """Agreement and samples drawn at each of `STOP_AT`, means over questions and orders."""
    draw = np.random.default_rng(1)
    orders = max(1, min(ORDERS, REPLAYS // len(questions)))
    agreed, drawn = np.zeros(len(STOP_AT)), np.zeros(len(STOP_AT))
    for (letters, options), prior in zip(questions, priors_of_others(questions), strict=True):
        fitted = rule.model_copy(update={"rule": "fitted", "mixture": prior})
        for _ in range(orders):
            order = [letters[place] for place in draw.permutation(len(letters))]
            stopped = stops_at(order, options, fitted, STOP_AT)
            [whole] = standings(order, options, [len(order)])
            agreed += [stop.leader == whole.leader for stop in stopped]
            drawn += [stop.drawn for stop in stopped]
    return agreed / (len(questions) * orders), drawn / (len(questions) * orders)
