"""What a statement is, and what the readers of statements share: cues, clauses, and the step from a label to a
statement.

A statement is found by its cue (the word `answer`, a box, a tag) and read by patterns that are bounded in length and
start at that cue. So the cost grows with the number of cues, which is capped, and never with the text's shape: reading
takes time that grows with the text's length and no faster, whatever the text.

Tiers, strongest first: `formal` (a line, a box, a tag: written for a reader who looks for the answer), `sentence`
(prose that says so: `the answer is C`), `choice` (`I would choose C`, `the best option is C`), `conclusion` (`the
most likely diagnosis is C`), `verdict` (`C is the best option`: in a walk through the options several may be called
so).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from medo1.answers.candidates import Mention
from medo1.answers.rules import Tier
from medo1.answers.text import Text

Weak = Literal["denied", "doubt", "not_offered"]

# cues looked at in one text: its last ones, and where there are more its first ones
LAST_CUES = 14
FIRST_CUES = 6
CLAUSE = 240  # characters on either side of a cue that are read

_LINE_LEAD_LENGTH = 60  # characters that may stand before a cue on a line that it begins
_SHORT_TEXT = 3  # characters of an option's text that may be a label as well


@dataclass(slots=True)
class Statement:
    """One statement that an option is, or is not, the answer.

    Attributes:
        letter: the option; None where it states none.
        start, end: where it stands.
        clause: where the clause that it belongs to begins.
        rule: one of `medo1.answers.rules.RULES`.
        tier: how plainly it states the answer.
        others: further options in the same statement.
        clash: the rule that says why the same words may mean another option.
        weak: why it does not count, None where it does.
        denies: the option that it says is not the answer.
    """

    letter: str | None
    start: int
    end: int
    clause: int
    rule: str
    tier: Tier
    others: tuple[str, ...] = ()
    clash: str | None = None
    weak: Weak | None = None
    denies: str | None = None

    @property
    def counts(self) -> bool:
        """Whether it states an option without taking it back in the same breath."""
        return self.weak is None and self.letter is not None


class Announced(NamedTuple):
    """A place where a cue stands: where its clause begins, and what a statement by it is."""

    at: int
    clause: int
    rule: str
    tier: Tier
    formal: bool = False
    heading: bool = False
    bare: bool = False

    def denies(self, end: int, letter: str | None) -> Statement:
        """The statement that an option is not the answer, or that none is."""
        return Statement(None, self.at, end, self.clause, self.rule, self.tier, weak="denied", denies=letter)


def cues(low: str, cue: str, start: int = 0) -> list[int]:
    """Where a cue stands from `start` on, in order: all places up to a cap, beyond it the first and the last ones."""
    found: list[int] = []
    at = low.find(cue, start)
    while at >= 0:
        if len(found) == LAST_CUES + FIRST_CUES:
            return [*found[:FIRST_CUES], *_last_cues(low, cue, found[FIRST_CUES - 1])]
        found.append(at)
        at = low.find(cue, at + len(cue))
    return found


def _last_cues(low: str, cue: str, after: int) -> list[int]:
    """The last places of a cue, those up to `after` left out."""
    found: list[int] = []
    at = low.rfind(cue)
    while len(found) < LAST_CUES and at > after:
        found.append(at)
        at = low.rfind(cue, 0, at)
    return found[::-1]


def clause_start(low: str, at: int) -> int:
    """Where the clause before `at` begins: after the last sentence or line, at most `CLAUSE` characters back."""
    start = at - CLAUSE if at > CLAUSE else 0
    line = low.rfind("\n", start, at)
    if line >= 0:
        start = line + 1
    stop = low.rfind(". ", start, at)
    if stop >= 0:
        start = stop + 2
    clause = low[start:at]
    for mark in ("?", "!", ";", "。", "\\n"):
        if mark in clause:
            end = clause.rfind(mark) + len(mark)
            if end == len(clause) or mark in "。\\n" or clause[end] == " ":
                start, clause = start + end, clause[end:]
    return start


_LINE_LEAD = re.compile(
    r"[^\w\n]{0,12}(?:\d{1,2}[.)]\s{0,4}[*_]{0,4})?(?:(?:so|thus|therefore|hence|conclusion|and)[,:]?\s{0,4})?"
    r"(?:(?:the|my|our|your|a|model|single|is|short|brief|proposed|suggested)\s{1,6}){0,6}"
    r"(?:(?:final|correct|best|right|most likely|most appropriate|selected|chosen|overall|predicted|most probable|"
    r"most accurate|exact|actual|true)\s{1,6}(?:and\s{1,6})?){0,2}(?:diagnosis and |multiple[- ]choice )?[^\w\n]{0,8}$"
)

# the usual ones
_LINE_LEADS = frozenset(
    ("**", "### ", "## ", "#### ", "final ", "**final ", "### final ", "the final ", "the ", "the correct ")
)


def begins_line(low: str, at: int) -> bool:
    """Whether only marks and a few words such as `the final` stand before `at` on its line."""
    start = low.rfind("\n", max(0, at - _LINE_LEAD_LENGTH), at) + 1
    if start == 0 and at > _LINE_LEAD_LENGTH:
        return False
    return start == at or (lead := low[start:at]) in _LINE_LEADS or _LINE_LEAD.match(lead) is not None


# `if ...` makes what follows hypothetical, `if I had to choose` does not
_CONDITION = re.compile(
    r"(?<!even )\b(?:if|unless|suppose|supposing)\b"
    r"(?!\s{1,6}(?:i|we|one|you)\s{1,6}(?:had|have|must|were|was|am|are|can|could)?\s{0,6}(?:to|forced|only|pick|choose|select|guess)"
    r"|\s{1,6}(?:any|forced|necessary|needed|so|not))"
)


def conditional(low: str, start: int, at: int) -> bool:
    """Whether the clause up to `at` makes what follows the consequence of a condition."""
    clause = low[start:at]
    return ("if " in clause or "unless" in clause or "suppos" in clause) and _CONDITION.search(clause) is not None


def statement_of(text: Text, mention: Mention, cue: Announced) -> Statement:
    """The statement that a cue makes of the option that it names."""
    rule = "option_text" if mention.by_text and cue.rule not in ("tag", "boxed", "conclusion_text") else cue.rule
    statement = Statement(mention.letter, cue.at, mention.last, cue.clause, rule, cue.tier, mention.others)
    if mention.letter not in text.options:
        statement.letter, statement.weak = None, "not_offered"
    elif mention.doubt or mention.walked or mention.offers:
        statement.weak = "doubt"
    elif mention.denied:
        statement.letter, statement.weak, statement.denies = None, "denied", mention.letter
    elif mention.clash is not None:
        statement.clash = mention.clash
    elif not (mention.strong or mention.others) and cue.tier != "formal" and is_a_text(text.options, mention.letter):
        statement.clash = "letter_or_text"
    return statement


def is_a_text(options: Mapping[str, str], letter: str) -> bool:
    """Whether the letter is another option's text (blood groups, vitamins): prose does not say which it means."""
    return any(
        key != letter and len(option) <= _SHORT_TEXT and option.strip(" .").upper() == letter
        for key, option in options.items()
    )
