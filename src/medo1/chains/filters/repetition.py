"""Whether a text goes round in circles: runs of words said before, and one line said again and again."""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby
from typing import NamedTuple

from medo1.chains.filters.specs import RepetitionSpec

RUN_WORDS = 10
SHORTEST_LOOP = 12  # characters of a line that may be said again without being a loop
LINES = re.compile(r"(?<=[.!?。！？])\s+|\n+|(?<=[。！？])")  # noqa: RUF001


class Repetition(NamedTuple):
    """How much a text says again.

    Attributes:
        share: of its runs of ten words, those said before.
        run: the run said most often.
        line, times: the sentence or line that stands most often in a row, and how often.
    """

    share: float
    run: str
    line: str
    times: int


def repetition(text: str) -> Repetition:
    """What a text repeats."""
    words = text.lower().split()
    runs = Counter(tuple(words[place : place + RUN_WORDS]) for place in range(len(words) - RUN_WORDS + 1))
    total = sum(runs.values())
    lines = [line.strip().lower() for line in LINES.split(text)]
    told = [(line, sum(1 for _ in same)) for line, same in groupby(line for line in lines if line)]
    line, times = max(
        (pair for pair in told if len(pair[0]) >= SHORTEST_LOOP), key=lambda pair: pair[1], default=("", 0)
    )
    run = " ".join(runs.most_common(1)[0][0]) if runs else ""
    return Repetition(1 - len(runs) / total if total else 0.0, run, line, times)


def goes_in_circles(text: str, spec: RepetitionSpec | None = None) -> bool:
    """Whether it says more again than a text may."""
    spec = spec or RepetitionSpec()
    found = repetition(text)
    return found.times > spec.max_in_a_row or found.share > spec.max_share
