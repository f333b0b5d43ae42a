"""Accuracy over the number of votes, as an expectation over subsets of the samples that were drawn.

With n samples of a question, the vote of k of them depends on which k; averaging over all subsets of size k uses every
sample for every k and estimates, without bias, what a vote of k fresh samples would get (a U-statistic, Hoeffding
1948). Reading off one draw of k, as the figures of most papers do, adds its luck to the curve.

For equal weights the average is exact, from counts alone. For other weights it is exact where the subsets are few, and
over a stated number of random subsets where they are many.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np

from medo1.statistics.rules import Weighing
from medo1.statistics.votes import NEEDS, TIE, Voter, ranked_winner, weights_of
from medo1.vocabulary import VoteMethod

SUBSETS = 1_000  # per question and size: all if there are no more, else this many at random
RANKED_SUBSETS = 200  # the same, of lists
ORDERS = 60  # in which the samples of few subsets are taken, about
NEGLIGIBLE = 1e-25  # a chance that no sum sees


def expected_majority(right: int, wrong: Sequence[int], silent: int, size: int) -> float:
    """The probability that the majority of `size` of the samples is right; exact, for any number of samples.

    Ties go to the letter stated first, and in a random order of a random subset each of t tied letters is first with
    probability 1/t. Each sample is thought to be taken by itself with probability size / all of them, and the chance of
    the event together with `size` samples in all is divided by that of `size` samples: no number grows beyond 1, where
    counts of subsets would overflow.

    Args:
        right: samples with the right letter. wrong: samples with each other letter. silent: samples that do not vote.
        size: how many are taken, from 1 to all.
    """
    from scipy.stats import binom

    total = right + sum(wrong) + silent
    share = size / total

    def taken(count: int) -> np.ndarray:
        return binom.pmf(np.arange(count + 1), count, share)[: size + 1]

    quiet, rivals, votes_for_right = taken(silent), [taken(count) for count in wrong], taken(right)
    won = 0.0
    for votes in range(1, len(votes_for_right)):
        if votes_for_right[votes] < NEGLIGIBLE:
            continue
        tied = [quiet]  # chances of each number of samples of rivals and silence, by how many rivals tie
        for rival in rivals:
            equal = np.where(np.arange(len(rival)) == votes, rival, 0.0)
            behind = [np.convolve(chances, rival[:votes])[: size + 1] for chances in tied]
            level = [np.convolve(chances, equal)[: size + 1] for chances in tied]
            tied = [_sum(one, other) for one, other in zip([*behind, np.zeros(1)], [np.zeros(1), *level], strict=True)]
        rest = size - votes
        won += votes_for_right[votes] * sum(
            chances[rest] / (ties + 1) for ties, chances in enumerate(tied) if rest < len(chances)
        )
    return min(1.0, float(won / binom.pmf(size, total, share)))


def _sum(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    size = max(len(one), len(other))
    return np.pad(one, (0, size - len(one))) + np.pad(other, (0, size - len(other)))


def expected_accuracy(
    samples: Sequence[Voter], gold: str, size: int, method: VoteMethod, weighing: Weighing, seed: int
) -> float:
    """The probability that the vote of `size` of these samples is right, over subsets in random order.

    Args:
        samples: of one question. gold: the right letter.
        size: how many vote.
        seed: of the subsets, where they are too many to take all.
    """
    letters = sorted({sample.letter for sample in samples if sample.letter is not None} | {gold})
    if method == "majority":
        counts = {letter: sum(sample.letter == letter for sample in samples) for letter in letters}
        right = counts.pop(gold)
        silent = sum(sample.letter is None for sample in samples)
        return expected_majority(right, list(counts.values()), silent, size)
    index = np.array([-1 if sample.letter is None else letters.index(sample.letter) for sample in samples])
    numbers = np.array(
        [[np.nan if (value := getattr(sample, field)) is None else value for sample in samples]
         for field in NEEDS[method]]
    )  # fmt: skip
    chosen = subsets(len(samples), size, seed)
    stated = index[chosen]
    known = np.where(np.isnan(numbers), 0.0, numbers)  # of samples that state nothing
    weights = weights_of(stated >= 0, known[:, chosen], method, weighing)
    of_letter = stated[:, :, None] == np.arange(len(letters))
    sums = (weights[:, :, None] * of_letter).sum(axis=1)
    voters = ((weights > 0)[:, :, None] & of_letter).sum(axis=1)
    # Of letters that tie, the one stated first wins: in a random order, each as likely as it has voters.
    best = voters * ((sums >= sums.max(axis=1, keepdims=True) - TIE) & (sums > 0))
    won = best[:, letters.index(gold)] / np.maximum(best.sum(axis=1), 1)
    return float(won.mean())


def expected_ranked_accuracy(ballots: Sequence[Sequence[str]], gold: str, size: int, seed: int) -> float:
    """The share of subsets of `size` of these lists whose ranked vote is right; some at random where they are many."""
    if not ballots:
        return 0.0
    chosen = subsets(len(ballots), size, seed)[:RANKED_SUBSETS]
    won = [ranked_winner([ballots[place] for place in places]).letter == gold for places in chosen]
    return sum(won) / len(won)


def subsets(total: int, size: int, seed: int) -> np.ndarray:
    """(subsets, size), places of samples: all subsets, each as often, or some; all of it in random order."""
    if comb(total, size) <= SUBSETS:
        every = np.array(list(combinations(range(total), size)))
        every = every.repeat(max(1, ORDERS // len(every)), axis=0)  # who is first decides between equals
        generator = np.random.default_rng(seed)
        return generator.permuted(generator.permutation(every), axis=1)
    return np.random.default_rng(seed).random((SUBSETS, total)).argsort(axis=1)[:, :size]
