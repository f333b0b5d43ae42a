"""Verdicts: `C is the correct answer`, `(C) appears to be the most appropriate next step`.

The option stands before what is said of it. In a walk through the options several may be called so, and one may be
called so under a condition; a verdict therefore decides only where nothing else is stated. Called by
`medo1.answers.nouns` and `medo1.answers.conclusions`.
"""
# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re

from medo1.answers.statements import Statement, conditional
from medo1.answers.text import Named, Text, option_at, own_text_follows

_NEAR = 72  # characters before a noun that may hold `is the most appropriate`
_SHORTEST = 5  # characters of `b is `
_IS_WORDS = (
    " is ", "'s ", "’s ", " be ", " are ", " as ", " was ", "remains", "seems", "appears", "makes", "offers", "being",
    "represents", "becomes", "provides", "looks", "constitutes", "stands",
)  # fmt: skip
_IS_THE = re.compile(
    r"(?:\b(?:is|are|be|being|as|remains|represents|was|provides|offers|constitutes|seems|appears|looks like|would be|"
    r"stands out as|becomes|makes)\b|['’]s)"
    r"\s+(?P<mid>(?:(?:\w+ly|thus|indeed|still|then|to be|both|likely|in fact)\s+){0,2}(?:the|our|my|a|an)?\s*"
    r"(?:[\w/-]+,?\s+){0,4})$"
)
_BAD_MID = re.compile(
    r"\b(?P<no>not|never|hardly|neither|in(?:correct|accurate|appropriate)|wrong|false|least|less|unlikely)\b"
    r"|\b(?:another|also|possible|plausible|potential|alternative|a|an|second|partial\w*|part|one|among|close|good|"
    r"reasonable|tempting|often|sometimes|usually|typically|considered|generally)\b"
)
_VERB_BEFORE = re.compile(r"(?:(?P<no>\bnot|\bnever|n['’]t)|\b(?:may|might|could|can|would))\s+(?:also\s+)?$")
_QUESTION = re.compile(r"[\w\s,*)]{0,24}\?")
_SUBJECT_LABEL = re.compile(
    r"(?<![A-Za-z0-9])(?:(?P<noun>option|choice|answer|letter)\s+)?(?P<open>[*_(\[\"'“]{0,5})(?P<letter>[A-Z])"
    r"(?P<close>[*_)\]\"'”.:]{0,5})(?![A-Za-z0-9'’-])",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"[\s,;:*_>#\"'“-]*(?:(?:so|thus|therefore|hence|and|because|that|this means|this makes|consequently|overall|"
    r"in conclusion|in summary|by (?:process of )?elimination|to summarize|given this|i think|i believe|we conclude|"
    r"it is clear|clearly|as such|means|only|"
    r"(?:among|of|out of|given|based on|considering) [^,\n]{1,80},)[\s,:]*(?:that\s+)?){0,3}",
    re.IGNORECASE,
)


def verdict_before(text: Text, at: int, clause: int) -> Statement | None:
    """The option, by label or whole text, that the clause calls the noun which stands at `at`."""
    low = text.low
    if at - clause < _SHORTEST:
        return None
    near = low[max(clause, at - _NEAR) : at]
    if not any(map(near.__contains__, _IS_WORDS)) or (is_the := _IS_THE.search(near)) is None:
        return None
    verb_at = at - len(near) + is_the.start()
    statement = _subject(text, clause, verb_at, at)
    if statement is None:
        return None
    bad = _BAD_MID.search(is_the["mid"])
    verb = _VERB_BEFORE.search(low, max(clause, verb_at - 20), verb_at)
    if (bad is not None and bad["no"]) or (verb is not None and verb["no"]):
        statement.letter, statement.weak, statement.denies = None, "denied", statement.letter
    elif bad is not None or verb is not None or conditional(low, clause, at) or _QUESTION.match(low, at + 6):
        statement.weak = "doubt"
    return statement


def _subject(text: Text, clause: int, verb_at: int, at: int) -> Statement | None:
    """The option that is the subject of a clause whose verb stands at `verb_at` and whose noun stands at `at`."""
    subject = text.body[clause:verb_at]
    label = subject_label(text, subject)
    if label is not None:
        letter, place = label
        if own_text_follows(text, letter, clause + place + 1) > at:
            return None  # the noun is part of the option's own text
        return Statement(letter, clause + place, at + 6, clause, "answer_sentence", "verdict")
    named = subject_text(text, clause, verb_at)
    return None if named is None else Statement(named.letter, named.start, at + 6, clause, "option_text", "verdict")


def subject_text(text: Text, clause: int, verb_at: int) -> Named | None:
    """The option whose whole text is the subject of a clause whose verb stands at `verb_at`."""
    subject = text.body[clause:verb_at]
    lead = _LEAD.match(subject)
    named = option_at(text, clause + (lead.end() if lead else 0))
    return None if named is None or named.end < clause + len(subject.rstrip(" *_\"'")) else named


def subject_label(text: Text, subject: str) -> tuple[str, int] | None:
    """The one label in a sentence's subject and where it stands; None where there is none or more than one."""
    found: dict[str, int] = {}
    for match in _SUBJECT_LABEL.finditer(subject):
        if match["letter"] in text.options and (_is_marked(text, match, subject) or _is_alone(match, subject)):
            found[match["letter"]] = match.start("letter")
    if len(found) != 1:
        return None
    return next(iter(found.items()))


def _is_marked(text: Text, match: re.Match[str], subject: str) -> bool:
    """`option C`, `(C)`, `C)`, `**C**`, or C and its own text."""
    opened, closed = match["open"], match["close"]
    if match["noun"] or closed[:1] == ")" or (opened and closed and opened[-1] in "([*" and closed[0] in ")]*"):
        return True
    own = text.options[match["letter"]].lower()
    return own != "" and subject[match.end() :].lstrip(" (,:-–*_\"'").lower().startswith(own)


def _is_alone(match: re.Match[str], subject: str) -> bool:
    """A bare letter that is the whole subject."""
    lead = _LEAD.match(subject)
    alone = not subject[match.end() :].strip() or match["close"][:1] in (".", ":")
    return alone and lead is not None and lead.end() >= match.start()
