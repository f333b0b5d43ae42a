"""Votes: several answers to one question combined into one, by count or weighted by the model's confidence.

A vote is over what was read out of the texts, never over the texts: an abstention, a conflict or a truncated thought
does not vote. Ties go to the answer that was stated first: samples come in the order of their numbers, so the rule
needs no random number and favours no letter.

Sources: self-consistency (Wang et al. 2022, arXiv 2203.11171); Borda votes by self-certainty (Kang et al. 2025, arXiv
2502.18581); confidence-weighted votes and filtering by the lowest group confidence (DeepConf, Fu et al. 2025, arXiv
2508.15260); reciprocal ranks for lists (Voorhees 1999).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from medo1.statistics.rules import Weighing
from medo1.vocabulary import VoteMethod

TIE = 1e-9  # sums that differ by less of the greatest weight are equal: the order of addition must not decide


@dataclass(frozen=True, slots=True)
class Voter:
    """A sample that may vote: its letter (None does not vote) and how sure the model was, see `Completion`."""

    letter: str | None
    mean_logprob: float | None = None
    self_certainty: float | None = None
    confidence: float | None = None
    lowest_confidence: float | None = None
    score: float | None = None  # what a scorer gave it, 0 or more


@dataclass(frozen=True, slots=True)
class Vote:
    """The outcome: the winner (None without votes), its share of the weight, and how many voted at all."""

    letter: str | None
    share: float
    voters: int


def can_vote(samples: Sequence[Voter], method: VoteMethod) -> bool:
    """Whether every voter has what the method weighs; engines differ in what they give."""
    return all(
        (value := getattr(sample, field)) is not None and not isnan(value)
        for sample in samples
        if sample.letter is not None
        for field in NEEDS[method]
    )


def vote(samples: Sequence[Voter], method: VoteMethod = "majority", weighing: Weighing | None = None) -> Vote:
    """The winner among samples, which stand in the order of their numbers.

    Raises:
        ValueError: when a voter lacks what the method weighs; see `can_vote`.
    """
    if not can_vote(samples, method):
        raise ValueError(f"a vote by {method} needs {' and '.join(NEEDS[method])} of each voter")
    voters = [sample for sample in samples if sample.letter is not None]
    if not voters:
        return Vote(None, 0.0, 0)
    present = np.ones((1, len(voters)), bool)
    [weights] = weights_of(present, _numbers(voters, method)[:, None], method, weighing or Weighing())
    sums: dict[str, float] = {}  # in the order in which they were stated
    for sample, weight in zip(voters, weights.tolist(), strict=True):
        if weight > 0:
            assert sample.letter is not None
            sums[sample.letter] = sums.get(sample.letter, 0.0) + weight
    most = max(sums.values())
    winner = next(letter for letter, total in sums.items() if total >= most - TIE)
    return Vote(winner, sums[winner] / sum(sums.values()), len(voters))


def weights_of(present: np.ndarray, numbers: np.ndarray, method: VoteMethod, weighing: Weighing) -> np.ndarray:
    """What each sample's vote weighs, for many sets of samples at once; 0 for those that do not vote.

    Where all weights of a set are 0 its samples vote with equal weights: none is more confident than another. Beside
    one without bounds no other counts.

    Args:
        present: (sets, samples), whether a sample states a letter.
        numbers: (fields, sets, samples), what the method weighs, in the order of `NEEDS`.

    Returns:
        (sets, samples), each set's greatest weight being 1.
    """
    weights = np.maximum(np.where(present, WEIGHTS[method](present, numbers, weighing), 0.0), 0.0)
    greatest = weights.max(axis=1, keepdims=True, initial=0.0)
    scaled = np.where(np.isinf(greatest), np.isinf(weights), weights / np.where(_divides(greatest), greatest, 1.0))
    return np.where(greatest > 0, scaled, present.astype(float))


def _divides(numbers: np.ndarray) -> np.ndarray:
    return (numbers > 0) & np.isfinite(numbers)


def _numbers(samples: Sequence[Voter], method: VoteMethod) -> np.ndarray:
    """(fields, samples), what the method weighs."""
    return np.array([[getattr(sample, field) for sample in samples] for field in NEEDS[method]], dtype=float).reshape(
        len(NEEDS[method]), len(samples)
    )


def _equal(present: np.ndarray, numbers: np.ndarray, weighing: Weighing) -> np.ndarray:
    return np.ones(present.shape)


def _by_probability(present: np.ndarray, numbers: np.ndarray, weighing: Weighing) -> np.ndarray:
    """The geometric mean of the probabilities of a sample's tokens, as a share of the greatest one."""
    logprobs = np.minimum(numbers[0], 0.0)
    greatest = np.where(present, logprobs, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)
    return np.exp(np.minimum(logprobs - np.where(np.isfinite(greatest), greatest, 0.0), 0.0))


def _by_rank(present: np.ndarray, numbers: np.ndarray, weighing: Weighing) -> np.ndarray:
    """Borda: the surest of n votes with n ** power, the least sure with 1; equally sure ones share their places."""
    from scipy.stats import rankdata

    order = np.unique(numbers[0], return_inverse=True)[1].reshape(present.shape)
    ranked = rankdata(np.where(present, order, -1), axis=1)
    absent = (~present).sum(axis=1, keepdims=True)
    return np.maximum(ranked - absent, 0.0) ** weighing.borda_power


def _by_itself(present: np.ndarray, numbers: np.ndarray, weighing: Weighing) -> np.ndarray:
    return numbers[0]


def _of_the_surest(present: np.ndarray, numbers: np.ndarray, weighing: Weighing) -> np.ndarray:
    """Confidence of those whose least sure stretch is among the surest; one at least is kept."""
    lowest = np.where(present, numbers[1], -np.inf)
    kept = np.ceil(weighing.keep_share * present.sum(axis=1, keepdims=True))
    # The first of equally sure ones is kept: order the later ones behind it.
    place = np.argsort(np.argsort(-lowest, axis=1, kind="stable"), axis=1)
    return np.where(place < np.maximum(kept, 1), numbers[0], 0.0)


NEEDS: dict[VoteMethod, tuple[str, ...]] = {
    "majority": (),
    "logprob": ("mean_logprob",),
    "self_certainty": ("self_certainty",),
    "confidence": ("confidence",),
    "filtered": ("confidence", "lowest_confidence"),
    "scored": ("score",),
}
WEIGHTS: dict[VoteMethod, Callable[[np.ndarray, np.ndarray, Weighing], np.ndarray]] = {
    "majority": _equal,
    "logprob": _by_probability,
    "self_certainty": _by_rank,
    "confidence": _by_itself,
    "filtered": _of_the_surest,
    "scored": _by_itself,
}


@dataclass(frozen=True, slots=True)
class RankedDiagnosis:
    """A diagnosis in the differential that several lists make together: its score, and in how many lists it stands."""

    name: str
    score: float
    lists: int


def ranked_vote(lists: Sequence[Sequence[str]]) -> list[RankedDiagnosis]:
    """Several differentials made one, most likely first.

    A diagnosis scores 1 / rank in each list in which it stands (its best rank there). Equal scores go to the one in
    more lists, then to the one that was named first.

    Args:
        lists: names, most likely first; equal names are equal texts, so they come here normalised.
    """
    scores: dict[str, float] = {}
    found: dict[str, int] = {}
    for names in lists:
        for rank, name in enumerate(dict.fromkeys(names), start=1):
            scores[name] = scores.get(name, 0.0) + 1 / rank
            found[name] = found.get(name, 0) + 1
    named = list(scores)
    order = sorted(named, key=lambda name: (-round(scores[name], 9), -found[name], named.index(name)))
    return [RankedDiagnosis(name, scores[name], found[name]) for name in order]


def ranked_winner(lists: Sequence[Sequence[str]]) -> Vote:
    """The leader of a ranked vote, with its share of all scores; lists that name nothing do not vote."""
    ranked = ranked_vote(lists)
    if not ranked:
        return Vote(None, 0.0, 0)
    return Vote(ranked[0].name, ranked[0].score / sum(one.score for one in ranked), sum(map(bool, lists)))
