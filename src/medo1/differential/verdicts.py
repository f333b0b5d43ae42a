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

from medo1.answers.thinking import answer_part

PLACES = frozenset({"gold", "differential"})

_MATCH = re.compile(
    r"(?:^|\n)[ \t*_#>]*(?:match(?:es|ed)?|answer|rank|verdict)[ \t*_]*[:=][ \t*_\"(\[]*"
    r"(?P<verdict>\d{1,3}|none|no|null)\b",
    re.IGNORECASE,
)
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
    low = reply.lower()
    part = answer_part(reply, low if len(low) == len(reply) else reply)
    if part.thinking == "open":
        return Verdict(None, "unread")
    said = reply[part.start : part.end]
    found = [match["verdict"].lower() for match in _MATCH.finditer(said)]
    alone = _ALONE.fullmatch(said)
    if not found and alone is not None:
        found = [alone["verdict"].lower()]
    if finish_reason == "length" and found and said.rstrip().lower().endswith(found[-1]):
        found = []  # `1` may be the start of `12`
    if len(set(found)) != 1:
        return Verdict(None, "unread")
    if not found[0].isdigit() or int(found[0]) == 0:
        return Verdict(None, "no_match")
    rank = int(found[0])
    return Verdict(rank, "match") if rank <= count else Verdict(None, "unread")
