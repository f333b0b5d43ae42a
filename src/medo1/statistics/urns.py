"""Pólya's urn with a leader: how likely it is that no other letter passes it in the draws to come.

Of R draws to come, the letters' gains follow the Dirichlet-multinomial law: independent negative binomial gains, given
that they sum to R. So the probability is a sum over the leader's gain, of the chance that every rival ends below it and
all gains sum to R. That chance is a coefficient of a product of polynomials, one a letter, cut where the rival would
pass. It is read off their values at roots of unity, as many as the product has coefficients: exact, and the values of
all cuts are running sums. The negative binomials' chance of success, which cancels, is the one that makes a sum of R
likely, so that neither many samples nor few overflow.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TypeAlias

import numpy as np

Rivals: TypeAlias = tuple[tuple[int, bool], ...]  # votes of each, and whether it wins a tie against the leader
ALMOST_SURE = 1 - 1e-12
NEGLIGIBLE = 1e-14  # how likely a gain of the leader is that is left out
ROOTS_AT_ONCE = 256  # bounds the memory that thousands of draws take


def cannot_be_caught(leader: int, rivals: Rivals, remaining: int) -> bool:
    """Whether no rival passes the leader, whatever is drawn."""
    return all(votes + remaining + wins_ties <= leader for votes, wins_ties in rivals)


@lru_cache(maxsize=200_000)
def stays_ahead(leader: int, rivals: Rivals, others: int, kinds: int, remaining: int, prior: float) -> float:
    """The probability that no rival passes the leader; 1 only where none can.

    Args:
        leader: its votes.
        rivals: of each other letter.
        others: samples that are of no rival, such as those that stated nothing. kinds: how many kinds these are of.
        remaining: samples to come.
        prior: pseudo-count of each letter and of each other kind.
    """
    if cannot_be_caught(leader, rivals, remaining):
        return 1.0
    own_weight, other_weight = leader + prior, others + kinds * prior
    weight = own_weight + other_weight + sum(votes + prior for votes, _ in rivals)
    chance = remaining / (weight + remaining)
    coefficients = (len(rivals) + 1) * remaining + 1
    half = coefficients // 2 + 1  # the other roots give the conjugates
    gained = np.flatnonzero(_of_the_leader(own_weight, weight, remaining) > NEGLIGIBLE)
    own = _gains(own_weight, remaining, chance)[gained]
    total = 0.0
    for start in range(0, half, ROOTS_AT_ONCE):
        roots = start, min(half, start + ROOTS_AT_ONCE), coefficients
        product = _powers(remaining, *roots)[remaining - gained].conj()
        product *= own[:, None]
        for (votes, wins_ties), alike in Counter(rivals).items():
            cut = np.clip(leader + gained - votes - wins_ties, -1, remaining) + 1
            values = _cut(votes + prior, remaining, chance, roots)[cut]
            for _ in range(alike):
                product *= values
        twice = np.full(roots[1] - start, 2.0)
        if start == 0:
            twice[0] = 1.0
        if coefficients % 2 == 0 and roots[1] == half:
            twice[-1] = 1.0
        elsewhere = _cut(other_weight, remaining, chance, roots)[-1]
        total += float((product.sum(axis=0) * elsewhere).real @ twice)
    every = _gains(weight, remaining, chance)[-1]
    return float(min(ALMOST_SURE, max(0.0, total / coefficients / every)))


def _of_the_leader(own: float, every: float, most: int) -> np.ndarray:
    """(most + 1,), how likely the leader gains 0 ... `most` of as many draws.

    Args:
        own, every: weights of the leader and of all letters together.
    """
    from scipy.special import betaln, gammaln

    gained = np.arange(most + 1)
    ways = gammaln(most + 1) - gammaln(gained + 1) - gammaln(most - gained + 1)
    return np.exp(ways + betaln(gained + own, most - gained + every - own) - betaln(own, every - own))


def _gains(weight: float, most: int, chance: float) -> np.ndarray:
    """(most + 1,), how likely a letter of this weight gains 0 ... most more votes."""
    from scipy.special import gammaln

    gained = np.arange(most + 1)
    logs = gammaln(weight + gained) - gammaln(weight) - gammaln(gained + 1)
    return np.exp(logs + gained * np.log(chance) + weight * np.log1p(-chance))


@lru_cache(maxsize=64)
def _powers(most: int, first: int, last: int, coefficients: int) -> np.ndarray:
    """(most + 1, last - first): the powers 0 ... most of these roots of unity."""
    exponents = np.outer(np.arange(most + 1), np.arange(first, last)) % coefficients
    return np.exp(2j * np.pi * exponents / coefficients)


@lru_cache(maxsize=128)
def _cut(weight: float, most: int, chance: float, roots: tuple[int, int, int]) -> np.ndarray:
    """(most + 2, roots): the values of a letter's polynomial that ends before the power 0, 1, ... most + 1."""
    terms = _gains(weight, most, chance)[:, None] * _powers(most, *roots)
    return np.concatenate([np.zeros_like(terms[:1]), terms.cumsum(axis=0)])
