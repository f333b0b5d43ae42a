"""A number that a reply gives after a label, as judges are asked for it: `Score: 7`, `Choice: 2`, `Match: none`.

Judges write it in many ways (`**Score:** 7/10`, `Choice: candidate 2`, `Score (0 to 10) = 7,5`). What names two
numbers, another scale or a range names none.
"""

from __future__ import annotations

import re
from functools import lru_cache

from medo1.answers.thinking import answer_part

NONE = "none"
_GAP = r"[\s:=*_`\"'“”(\[<{#>]{0,12}"
_DASH = r"[-\u2013\u2014]"
_RANGE = rf"(?:from|between|of|on\s+a\s+scale\s+(?:of|from))\s+\d+\s*(?:to|and|{_DASH})\s*\d+"
_ASIDE = rf"(?:\s*\([^()\n]{{0,60}}\)|\s+{_RANGE})?"
_ENDS = r"[*_`\"'”)\]>}\s]*"
_SCALE = re.compile(rf"{_ENDS}\(?(?:points?\s+)?(?:/|(?:out\s+)?of\b|von\b)\s*(\d+)", re.IGNORECASE)
_AND = rf"(?:or|and|to|through|oder|und|bis|[/,;&+]|{_DASH})"


def labelled_numbers(
    reply: str, label: str, *, noun: str = "", scale: int | None = None, finish_reason: str | None = None
) -> list[str | None]:
    """What stands behind each mention of a label in the answer part of a reply, in order.

    Args:
        reply: the whole output; what it thinks before its answer does not count.
        label: a regular expression for the label.
        noun: one for words that may stand before the number, such as `candidate`.
        scale: the greatest number, where fractions are numbers too and `/10` may follow; None for places in a list.
        finish_reason: `length` for a reply that was cut: a number at its very end may be the start of a longer one.

    Returns:
        for each mention the number as text, `none`, or None where it names no single number.
    """
    said = answer_of(reply)
    found: list[str | None] = []
    for match in _mention(label, noun).finditer(said):
        number, rest = match["number"].lower(), said[match.end() :]
        if finish_reason == "length" and not rest.strip():
            continue
        found.append(_single(number, rest, scale, _another(noun)))
    return found


def answer_of(reply: str) -> str:
    """A reply without what it thinks before it; empty where its thought never ends."""
    low = reply.lower()
    part = answer_part(reply, low if len(low) == len(reply) else reply)
    return "" if part.thinking == "open" else reply[part.start : part.end]


def _single(number: str, rest: str, scale: int | None, another: re.Pattern[str]) -> str | None:
    if number in ("none", "no", "null", "nothing"):
        return NONE
    whole = re.fullmatch(r"\d+", number) is not None
    if scale is None:
        return number if whole and not another.match(rest) else None
    of = _SCALE.match(rest)
    if of is not None:
        rest = rest[of.end() :]
        if int(of[1]) != scale:
            return None
    plain = re.fullmatch(r"\d+(?:\.\d+|,\d{1,2})?", number) is not None
    return number.replace(",", ".") if plain and not another.match(rest) else None


@lru_cache
def _another(noun: str) -> re.Pattern[str]:
    """What follows a number that is not the only one."""
    words = rf"(?:(?:{noun})\b\.?\s*)?" if noun else ""
    return re.compile(rf"{_ENDS}(?:%|{_AND}\s*{words}[#(\[*]*\d)", re.IGNORECASE)


@lru_cache
def _mention(label: str, noun: str) -> re.Pattern[str]:
    words = rf"(?:(?:{noun})\b\.?{_GAP})?" if noun else ""
    number = r"(?P<number>[-+\u2212]?\d+(?:[.,]\d+)*|none|no|null|nothing)(?!\w)"
    return re.compile(rf"(?:{label})\b{_ASIDE}{_GAP}(?:(?:is|was|ist)\b{_GAP})?{words}{number}", re.IGNORECASE)
