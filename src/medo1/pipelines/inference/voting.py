"""Votes: several answers to one question made one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vote:
    """The outcome: the winner (None when nobody voted), its votes, and how many voted at all."""

    letter: str | None
    votes: int
    voters: int


def majority(letters: Sequence[str | None]) -> Vote:
    """Most frequent letter. An abstention (None) does not vote. A tie goes to the letter that was stated first.

    The first-stated rule needs no random numbers and favours no letter: samples come in the order of their numbers.
    """
    counts = Counter(letter for letter in letters if letter is not None)
    if not counts:
        return Vote(None, 0, 0)
    letter, votes = counts.most_common(1)[0]  # equal counts keep the order of first appearance
    return Vote(letter, votes, counts.total())
