"""The answer of a text that ends with it, as most do: a scan from the end that looks at little of the text.

What is read here `medo1.answers.reading.read_whole` reads too, several times slower; a text that is anything but plain
is left to it. Called by `medo1.answers.reading`.
"""

# ruff: noqa: RUF001  (marks that models write)

from __future__ import annotations

import re
from itertools import product

from medo1.answers.answer import Answer
from medo1.answers.bare import may_open
from medo1.answers.holding import NEXT_QUESTION, QUESTION_BEFORE, question_before, span_of
from medo1.answers.nouns import statement_around
from medo1.answers.statements import LAST_CUES, Statement, is_a_text
from medo1.answers.text import Text

_TAG_LIKE = re.compile(r"<[/a-z|]")
_END = 320  # characters from the last cue to the end of a text that ends with its answer

# all that stands before `answer` in a plain statement's sentence
_OPENERS = ("", *(f"{word}{comma} " for word in ("therefore", "thus", "so", "hence") for comma in (",", "")),
            *(f"based on {which}, " for which in ("this analysis", "this reasoning", "the analysis")))  # fmt: skip
_KINDS = ("", "the ", *(f"the {kind} " for kind in (
    "final", "correct", "best", "right", "most appropriate", "most accurate", "most likely")))  # fmt: skip
_LEADS = frozenset(map("".join, product(_OPENERS, _KINDS)))
_LONGEST_LEAD = max(map(len, _LEADS))
_PLAIN = re.compile(r"answer is:?(?P<open>[ \n*(]{1,6})(?P<letter>[a-z])(?P<close>[)*]{0,4})")
_ENDS = frozenset(("", ".", "\n", ".\n", "\n\n"))
_BEFORE_TEXT = " *:.\n-–"  # what may stand between a label and its option's own text
_BETWEEN = 4  # characters of it


def read_end(text: Text) -> Answer | None:
    """The answer of a text that ends with it and states nothing else; None for every other text."""
    low = text.low
    at = low.rfind("answer")
    if at < 0 or len(low) - at > _END or _may_hold_marks(low) or may_open(text.body):
        return None
    last = _plain_statement(text, at) or statement_around(text, at, "sentence")
    if last is None or not last.counts or last.tier == "verdict" or last.others or last.clash:
        return None
    if low[last.end :].strip(" .*_)\n"):
        return None
    first = _first_agreeing(text, at, last)
    if first is None or (first > QUESTION_BEFORE and question_before(text, first)):
        return None
    if first < last.start and NEXT_QUESTION.search(low, first, last.start):
        return None
    return Answer(last.letter, "answer", last.rule, span_of(text, last))


def _may_hold_marks(low: str) -> bool:
    """Whether `mark_statements` may find anything: a quick look, wrong on the safe side."""
    return (
        ('"' in low and '":' in low)
        or ("<" in low and _TAG_LIKE.search(low) is not None)
        or ("[" in low and "[[" in low)
        or ("#" in low and "####" in low)
        or ("{" in low and ("boxed" in low or "':" in low or '" :' in low or "{" in low[:16]))
    )


def _plain_statement(text: Text, at: int) -> Statement | None:
    """`The answer is (C).` and `Therefore, the correct answer is **(C) Lupus**` where a sentence is nothing else.

    `statement_around` reads them too, but not so fast.
    """
    low = text.low
    match = _PLAIN.match(low, at)
    if match is None:
        return None
    letter, end = text.body[match.start("letter")], match.end()
    opened, closed = match["open"], match["close"]
    clause = _sentence_start(low, at)
    if letter not in text.options or ("(" in opened) != (")" in closed) or low[clause:at] not in _LEADS:
        return None
    if low[end : end + 2] in _ENDS and ("*" in opened) == ("*" in closed):
        stands = closed or not is_a_text(text, letter)
    else:
        stands = closed and ("*" in opened or ")" in closed) and (end := _own_text_end(text, letter, end))
    return Statement(letter, at, end, clause, "answer_sentence", "sentence") if stands else None


def _sentence_start(low: str, at: int) -> int:
    """Where the sentence or line begins that `at` stands in; farther back than any plain one where it is not near."""
    floor = max(0, at - _LONGEST_LEAD - 3)
    start = max(low.rfind("\n", floor, at) + 1, low.rfind(". ", floor, at) + 2)
    if start <= 1:
        return floor
    return start + (low[start] == " ")


def _own_text_end(text: Text, letter: str, end: int) -> int:
    """Where the option's own text ends that follows its label and ends the text; 0 where it does not."""
    low = text.low
    own = text.options[letter].lower().strip(" *_\"'(")
    start = end
    while start < end + _BETWEEN and low[start : start + 1] in _BEFORE_TEXT:
        start += 1
    if not own or not low.startswith(own, start) or low[start + len(own) :].strip(" .*_)\n"):
        return 0
    return start + len(own)


def _first_agreeing(text: Text, at: int, last: Statement) -> int | None:
    """Where the first statement with the word `answer` up to `at` stands; None where one differs from the last."""
    low = text.low
    first = at
    for _ in range(LAST_CUES):
        at = low.rfind("answer", 0, at)
        if at < 0:
            return first
        if low[at - 3 : at] == "to ":
            continue
        statement = _plain_statement(text, at) or statement_around(text, at, "sentence")
        if statement is None or (statement.tier == "verdict" and statement.counts):
            continue
        if not statement.counts or statement.others or (statement.letter, statement.tier) != (last.letter, last.tier):
            return None
        first = at
    return None
