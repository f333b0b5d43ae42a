"""Asking a judge which diagnosis of a list is the gold one, where their names differ.

The pure half: the judge's prompt and the parsing of its reply. `medo1.differential.judging` sends them. The prompt's
text is the caller's, a file under conf/, with two placeholders: `{gold}` and `{differential}` (numbered lines). The
judge must end with `Match: <number>` or `Match: none`; a reply without such a line is `unread`, never a match.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from medo1.answers.labelled_number import NONE, answer_of, labelled_numbers

PLACES = frozenset({"gold", "differential"})

_MATCH = r"(?:^|(?<=\n))[ \t*_#>]*(?:match(?:es|ed)?|answer|rank|verdict)(?=[ \t*_]*[:=])"
_ALONE = re.compile(r"\W*(?P<verdict>\d{1,3}|none)\W*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judge's verdict: the rank (from 1) of the diagnosis that is the gold one.

    Attributes:
        rank: None unless `status` is `match`.
        status: `match`, `no_match`, or `unread` (the reply names neither, contradicts itself or was cut).
    """

    rank: int | None
    status: Literal["match", "no_match", "unread"]


def judge_prompt(template: str, names: Sequence[str], gold: str) -> str:
    """The prompt with its places filled.

    Args:
        template: text with `{gold}` and `{differential}`, each at least once, and no other place (`{{` is a brace).
        names: the diagnoses, the most likely one first.
        gold: the gold diagnosis.

    Raises:
        ValueError: for a template with other places.
    """
    try:
        places = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise ValueError(f"the judge's prompt is no template: {error}; a brace is written twice") from error
    if places != PLACES:
        found = ", ".join(sorted(places)) or "none"
        raise ValueError(f"the judge's prompt must have the places {{gold}} and {{differential}} alone, found: {found}")
    return template.format(gold=gold, differential="\n".join(f"{rank}. {name}" for rank, name in enumerate(names, 1)))


def read_verdict(reply: str, count: int, finish_reason: str | None = None) -> Verdict:
    """The verdict that a judge's reply states.

    Args:
        reply: the judge's whole output.
        count: how many diagnoses it was given.
        finish_reason: `length` for a reply that was cut; only a complete line in it counts.
    """
    said = answer_of(reply)
    found = labelled_numbers(reply, _MATCH, noun="item|number|no|rank|place|diagnosis", finish_reason=finish_reason)
    alone = None if found else _ALONE.fullmatch(said)
    if alone is not None and not (finish_reason == "length" and said.rstrip().endswith(alone["verdict"])):
        found = [alone["verdict"].lower()]
    if len(set(found)) != 1:
        return Verdict(None, "unread")
    [verdict] = set(found)
    if verdict is None:
        return Verdict(None, "unread")
    rank = 0 if verdict == NONE else int(verdict)
    if rank == 0:
        return Verdict(None, "no_match")
    return Verdict(rank, "match") if rank <= count else Verdict(None, "unread")
