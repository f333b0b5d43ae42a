"""Whether an arm knows anything: its letters beside those of a guesser who likes the same letters as much.

An arm that always says C is right as often as C is right, which on some benchmarks is well above chance. What it has
right beyond that is agreement of answers and truths as in Cohen's kappa (Cohen 1960), and its test is exact in its mean
and variance: of all ways to deal the arm's letters to the questions (a permutation test's first two moments).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True)
class Guesser:
    """What a guesser with the arm's letters gets, and how surely the arm does better.

    Attributes:
        accuracy: of the arm.
        guessed: expected when its letters are dealt to the questions at random; an unread answer stays unread.
        p_value: one-sided, of the arm doing no better than that.
        commonest: the letter that it states most often; None where it states none.
        commonest_share: of all questions, those where it states that letter.
        always: the accuracy of always giving the letter that is right most often.
    """

    accuracy: float
    guessed: float
    p_value: float
    commonest: str | None
    commonest_share: float
    always: float


def guesser(stated: Sequence[str | None], gold: Sequence[str]) -> Guesser:
    """An arm's letters against those of a guesser who states each letter as often.

    Args:
        stated: the letter read from each answer, None where none is.
        gold: the right ones.

    Raises:
        ValueError: without a question, or lists of unequal length.
    """
    from scipy.stats import norm

    total = len(gold)
    if len(stated) != total or not total:
        raise ValueError(f"{len(stated)} answers and {total} truths: expected one answer for each, and some")
    said, true = Counter(letter for letter in stated if letter is not None), Counter(gold)
    right = sum(one == other for one, other in zip(stated, gold, strict=True))
    products = [said[letter] * true[letter] for letter in true]
    expected = sum(products) / total
    # X_l, the agreements at letter l, are hypergeometric; their covariances are products of the margins.
    spread = 0.0
    if total > 1:
        own = sum(said[one] * true[one] * (total - said[one]) * (total - true[one]) for one in true)
        others = sum(products) ** 2 - sum(product**2 for product in products)
        spread = (own + others) / (total**2 * (total - 1))
    above = right - expected - 0.5  # a correction for continuity: agreements are whole
    p_value = float(norm.sf(above / sqrt(spread))) if spread > 0 else 1.0
    commonest = min(said, key=lambda letter: (-said[letter], letter)) if said else None
    return Guesser(
        accuracy=right / total,
        guessed=expected / total,
        p_value=p_value,
        commonest=commonest,
        commonest_share=said[commonest] / total if commonest else 0.0,
        always=max(true.values()) / total,
    )
