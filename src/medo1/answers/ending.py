"""The answer of a text that ends with it, as most do: a scan from the end that looks at little of the text.

What is read here `medo1.answers.reading.read_whole` reads too, several times slower; a text that is anything but plain
is left to it. Called by `medo1.answers.reading`.
"""

# ruff: noqa: RUF001  (marks that models write)

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product

from medo1.answers.answer import Answer
from medo1.answers.bare import may_open
from medo1.answers.holding import NEXT_QUESTION, QUESTION_BEFORE, question_before, span_of
from medo1.answers.marks import may_hold_marks
from medo1.answers.nouns import answer_statement, is_supposed, refused
from medo1.answers.statements import LAST_CUES, Statement, begins_line, clause_start, is_a_text
from medo1.answers.text import SILENT, Text

_END = 320  # characters from the last cue to the end of a text that ends with its answer

# all that stands before `answer` in its sentence or line, in most plain statements
_OPENERS = ("", *(f"{word}{comma} " for word in ("therefore", "thus", "so", "hence") for comma in (",", "")),
            *(f"based on {which}, " for which in ("this analysis", "this reasoning", "the analysis")))  # fmt: skip
_KINDS = ("", "the ", *(f"the {kind} " for kind in (
    "final", "correct", "best", "right", "most appropriate", "most accurate", "most likely")))  # fmt: skip
_LEADS = frozenset(map("".join, product(_OPENERS, _KINDS))) | {"### ", "**", "**final ", "final "}
_LONGEST_LEAD = max(map(len, _LEADS)) + 3
_USUAL_LEADS = tuple(f"{end}{lead}" for lead in (
    "the ", "therefore, the ", "thus, the ", "### ", "therefore, the correct ", "based on this analysis, the correct ",
    "**", "therefore, the best ") for end in (". ", "\n"))  # fmt: skip
_BRACKET_ENDS = frozenset((")", ").", ").\n", ")\n", ")\n\n"))  # from the closing bracket of `answer is (C).`
_PLAIN = re.compile(
    r"answer(?:((?: to (?:the|this) question)? is:?)|(\*{0,2}:\*{0,2})|(?=[ ]?\n))([ \n*(]{1,6})([a-z])([)*]{0,8})"
    r"($|\.?\n|\.$|\. the answer is \()?"
)
_PROMPT = "answer: let's think step by step"  # says nothing of the answer, and stands in many few-shot outputs
_TAGGED = frozenset("<[\"'_")  # before `answer`: a tag, a key
_BETWEEN = re.compile(r"[ *:.\n(–-]{1,4}")  # what may stand between a label and its option's own text
_CLOSES = ("\n", ".\n", ". \n", "**\n", "**.\n", ". the answer is (")  # after an option's text


# of a plain statement: the option, where its label or text ends, and whether it is a line that says it is the answer
_Plain = tuple[str, int, bool]


def read_end(text: Text) -> Answer | None:  # noqa: PLR0911
    """The answer of a text that ends with it and states nothing else; None for every other text."""
    low = text.low
    at = low.rfind("answer")
    if at < 0 or len(low) - at > _END or may_hold_marks(low) or may_open(text.body):
        return None
    last = _plain(text.body, low, text.options, at)
    if last is None:
        return _read_other_end(text, at)
    letter, end, formal = last
    if low[end:].strip(SILENT):
        return None
    first = at
    earlier = low.rfind("answer", 0, at)
    if earlier >= 0:
        agreeing = _first_agreeing(text, earlier, at, letter, "formal" if formal else "sentence")
        if agreeing is None or (agreeing < at and NEXT_QUESTION.search(low, agreeing, at)):
            return None
        first = agreeing
    if first > QUESTION_BEFORE and question_before(low, first, text.options):
        return None
    if formal:
        rule = "final_line" if "final" in low[max(0, at - 24) : at] else "answer_line"
        return Answer(letter, "answer", rule, span_of(low, at, end, rule))
    return Answer(letter, "answer", "answer_sentence", (at, end))


def _read_other_end(text: Text, at: int) -> Answer | None:
    """As `read_end`, where the last statement is not quite so plain."""
    low = text.low
    last = answer_statement(text, at)
    if last is None or not last.counts or last.tier == "verdict" or last.others or last.clash:
        return None
    if last.letter is None or low[last.end :].strip(SILENT):
        return None
    first = _first_agreeing(text, low.rfind("answer", 0, at), last.start, last.letter, last.tier)
    if first is None or (first > QUESTION_BEFORE and question_before(low, first, text.options)):
        return None
    if first < last.start and NEXT_QUESTION.search(low, first, last.start):
        return None
    return Answer(last.letter, "answer", last.rule, span_of(low, last.start, last.end, last.rule))


def _plain(body: str, low: str, options: Mapping[str, str], at: int) -> _Plain | None:
    """`The answer is (C).`, `Therefore, the correct answer is: **(C) Lupus**`, `### Answer: C`.

    `nouns.statement_around` reads them too, but not so fast.
    """
    if low[at + 6 : at + 11] == " is (" and low[at + 12 : at + 15] in _BRACKET_ENDS and body[at + 11] in options:
        return (body[at + 11], at + 13, False) if _may_lead(low, at) else None  # the plainest
    match = _PLAIN.match(low, at)
    if match is None or not _may_lead(low, at):
        return None
    verb, colon, opened, _, closed, then = match.groups()
    letter = body[match.start(4)]
    if letter not in options or ("(" in opened and ")" not in closed):
        return None
    formal = verb is None and begins_line(low, at)
    if not (verb or formal or colon):
        return None
    end = match.end(5)
    if then is not None or not low[end:].strip(SILENT):
        strong = closed[:1] == ")" or (closed[:1] == "*" and opened[-1] == "*")
        return None if not strong and not formal and is_a_text(options, letter) else (letter, end, formal)
    end = _own_text_end(low, options[letter], end)
    return (letter, end, formal) if end else None


def _may_lead(low: str, at: int) -> bool:
    """Whether what stands before `answer` in its clause leaves the statement as plain as it is."""
    if low.endswith(_USUAL_LEADS, 0, at):
        return True
    floor = max(0, at - _LONGEST_LEAD)
    start = max(low.rfind("\n", floor, at) + 1, low.rfind(". ", floor, at) + 2)
    if low[start if start > 1 else floor : at].lstrip(" ") in _LEADS:
        return True
    before = low[at - 1 : at]
    if before.isalnum() or before in _TAGGED or low[at - 3 : at] == "to ":
        return False
    clause = clause_start(low, at)
    return not (refused(low, clause, at) or is_supposed(low, clause, at))


def _own_text_end(low: str, option: str, end: int) -> int:
    """Where the option's own text ends that follows its label and ends the text; 0 where it does not."""
    between = _BETWEEN.match(low, end)
    if between is None:
        return 0
    own = option.lower().strip(" *_\"'(")
    start = between.end()
    if not own or not low.startswith(own, start):
        return 0
    end = start + len(own)
    return end if low.startswith(_CLOSES, end) or not low[end:].strip(SILENT) else 0


def _first_agreeing(text: Text, at: int, last: int, letter: str, tier: str) -> int | None:
    """Where the first statement with the word `answer` stands; None where one differs from the last.

    Args:
        text: the text and its options.
        at: where the word stands before the last statement.
        last: where the last statement stands.
        letter, tier: of the last statement.
    """
    body, low, options = text.body, text.low, text.options
    first = last
    for _ in range(LAST_CUES):
        if at < 0:
            return first
        if low[at - 3 : at] != "to " and not low.startswith(_PROMPT, at):
            plain = _plain(body, low, options, at)
            if plain is not None:
                if plain[0] != letter or plain[2] != (tier == "formal"):
                    return None
                first = at
            else:
                statement = answer_statement(text, at)
                if statement is not None and (statement.tier != "verdict" or not statement.counts):
                    if not _agrees(statement, letter, tier):
                        return None
                    first = at
        at = low.rfind("answer", 0, at)
    return None


def _agrees(statement: Statement, letter: str, tier: str) -> bool:
    return statement.counts and not statement.others and (statement.letter, statement.tier) == (letter, tier)
