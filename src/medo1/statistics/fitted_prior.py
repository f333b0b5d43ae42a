"""How the answers of questions are spread, learned from questions whose samples were all drawn.

A question's letters (and samples that state nothing) are drawn from a symmetric Dirichlet law: a small concentration
gives nearly all samples to one letter, a large one spreads them evenly. Which share of questions has which
concentration is what is fitted, without looking at what is right: the mixture under which the counts of all questions
are likeliest, by expectation and maximisation (Dempster et al. 1977; the nonparametric maximum likelihood of Kiefer and
Wolfowitz 1956, on a grid).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from medo1.statistics.rules import Mixture

CONCENTRATIONS = (0.01, 0.03, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
ROUNDS = 300

Drawn = tuple[Sequence[str | None], int]  # what a question's samples stated, None for nothing; how many options it has


def fitted_prior(questions: Sequence[Drawn]) -> Mixture:
    """The mixture of concentrations that the questions show, as pairs of a concentration and its share.

    One more question counts that is spread evenly over all concentrations, so that no kind is held impossible because
    few questions were seen.

    Args:
        questions: with as many samples each as were drawn.
    """
    if not questions:
        return tuple((one, 1 / len(CONCENTRATIONS)) for one in CONCENTRATIONS)
    logs = np.array([_log_likelihoods(_counts(*question), CONCENTRATIONS) for question in questions])
    likelihoods = np.exp(logs - logs.max(axis=1, keepdims=True))
    weights = np.full(len(CONCENTRATIONS), 1 / len(CONCENTRATIONS))
    for _ in range(ROUNDS):
        belongs = likelihoods * weights
        belongs /= belongs.sum(axis=1, keepdims=True)
        weights = (belongs.sum(axis=0) + 1 / len(weights)) / (len(questions) + 1)
    return tuple((one, round(float(weight), 6)) for one, weight in zip(CONCENTRATIONS, weights, strict=True))


@lru_cache(maxsize=100_000)
def posterior(prior: Mixture, counts: tuple[int, ...]) -> list[float]:
    """What the counts of one question leave of a mixture: the share of each of its concentrations.

    Args:
        prior: the mixture. counts: samples of each letter that may be stated, and of no answer.
    """
    logs = _log_likelihoods(counts, tuple(concentration for concentration, _ in prior))
    left = np.exp(logs - logs.max()) * [weight for _, weight in prior]
    return [float(share) for share in left / left.sum()]


def _counts(letters: Sequence[str | None], options: int) -> tuple[int, ...]:
    stated = Counter(letters)
    silent = stated.pop(None, 0)
    return (*stated.values(), *[0] * max(0, options - len(stated)), silent)


def _log_likelihoods(counts: Sequence[int], concentrations: Sequence[float]) -> np.ndarray:
    """Of these counts in some order, under the symmetric Dirichlet law of each concentration."""
    from scipy.special import gammaln

    found, weights = np.asarray(counts, dtype=float), np.asarray(concentrations)
    kinds, drawn = len(found), found.sum()
    return np.asarray(
        gammaln(kinds * weights)
        - gammaln(kinds * weights + drawn)
        + (gammaln(found + weights[:, None]) - gammaln(weights)[:, None]).sum(axis=1)
    )
