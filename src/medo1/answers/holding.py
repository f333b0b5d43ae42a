"""Which of a text's statements holds, and whether the text's end leaves it standing.

The rules stand in the docstring of `medo1.answers.reading`.
"""

# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice

from medo1.answers.answer import Answer
from medo1.answers.candidates import label_at
from medo1.answers.cut import AFTER, deliberates, rest_after, tentative, undone_by_cut
from medo1.answers.phrases import AFFIRMS, CONTRASTS, CORRECTS, DOUBTS, RETRACTS, REVISES, WAVERS
from medo1.answers.statements import Statement
from medo1.answers.text import SILENT, Text

_CORRECTION = re.compile(
    r"\b(?:wait|actually|correction|sorry|(?<!: )(?<!: \*)no(?=[ ]?[,.;!—–-])|oops|scratch that|i mean|i meant|"
    r"rather|"
    r"on second thought|my mistake|let me correct (?:that|myself)|changed? my answer to|changing (?:it|"
    r"my answer) to)\b[ \t,.:;!—–-]{0,6}"
    r"(?:(?:that|it)(?:['’]s| is| was| should be)\s{1,6}(?:(?:wrong|incorrect|not right)[\s,.;:]{1,6})?|(?:not|"
    r"isn['’]t) \(?[a-z]\)?[\s,.;:]{1,6}(?:but\s{1,6}|it['’]s\s{1,6})?|(?:it|that|this|the answer) (?:should|must|"
    r"would|has to) be\s{1,6}|"
    r"should be\s{1,6}|make that\s{1,6}|make it\s{1,6}|the answer is\s{1,6}|i (?:choose|pick|say|meant?|"
    r"['’]d say)\s{1,6})?"
)
_CORRECTED_TO = re.compile(
    r"\s{0,6}(?:$|[.,;:!)\n])|\s(?:because|since|as|not|instead|is (?:the )?(?:correct|right|best|better|answer))\b"
)
NEXT_QUESTION = re.compile(
    r"\n\s{0,8}+[*_#>]{0,4}+\s{0,8}+(?:(?P<question>(?:next |new |another |example |sample )?(?:question|problem|"
    r"exercise|passage|vignette|task)s?(?:\s{0,6}#?\d+)?\s{0,4}[*_]{0,2}\s{0,4}[:：.\n]|q\s?\d*\s{0,6}[:.])|"
    r"(?:answer |"
    r"answer-)?(?:options|choices)\s{0,6}[*_]{0,2}[:：]|"
    r"(?:human|user|instruction|input|student|system)\s{0,6}:|(?:the following (?:is a|are) (?:multiple|"
    r"question)|now,? let['’]?s (?:summari[sz]e all|move|look at|solve|try|consider) |"
    r"let['’]?s (?:move on|try another|solve the next|look at the next)|here is another|example \d+\s{0,6}[:.\n]))"
)
_OF_ANOTHER = re.compile(
    r"\b(?:now|for) (?:to |for )?(?:the|our) (?:actual |present |current |given )?(?:question|case)\b|"
    r"\bthe question at hand\b|"
    r"\n[\s*_#>]{0,6}(?:for|regarding|as for|to|in) (?:the )?(?:question|case|problem)\b"
)
_INLINE_QUESTION = re.compile(r"[.!?)*] {1,2}question(?: ?#?\d{1,3})?: ")  # of a text that lost its line breaks
_LIST_LINE = re.compile(r"\n[ \t]{0,12}[*_]{0,2}\(?(?P<letter>[A-Z])[).:][*_]{0,2}[ \t]{1,4}(?P<text>[^\n]{1,200})")

_LINES = frozenset({"final_line", "answer_line"})
_MORE_THOUGHT = 160  # characters after a statement in a text that thinks aloud: more than its reason
QUESTION_BEFORE = 120  # characters of an answer that may stand before a question that the text makes up
_LOOKED_AT = 400  # letters that may begin a question
_LISTED = 12  # lines of a list that are looked at, and words of one
_SAID = 80  # characters before a question that are an answer begun, not white space and marks


def holding(text: Text, found: list[Statement], *, cut: bool, cut_by: bool) -> Answer:
    """The answer of the statements that count, all of one tier or stronger.

    Args:
        text: the text and its options.
        found: all statements in order, also those that do not count.
        cut: the text was cut off, by what its finish reason or its end says.
        cut_by: its finish reason says so.
    """
    low = text.cues
    counted = [statement for statement in found if statement.counts]
    if low[counted[0].end :].strip(SILENT) and (corrections := _corrections(text, counted[0])):
        counted = sorted([*counted, *corrections], key=lambda statement: statement.start)
    holds = counted[0]
    against: Statement | None = None
    before: Statement | None = None
    for statement in counted[1:]:
        if statement.end <= holds.end and statement.letter != holds.letter:
            continue
        if statement.letter == holds.letter and set(statement.others) == set(holds.others):
            if holds.tier != "formal" or statement.tier == "formal":
                before, holds = holds, statement
            continue
        against = None if _supersedes(low, holds, statement) else holds
        before, holds = None, statement
    if against is not None:
        undone = undone_by_cut(text, holds, cut_by=cut_by) if cut else None
        if undone is not None:
            return Answer(None, "truncated", undone)
        return Answer(None, "conflict", "two_statements", (against.start, holds.end))
    rest = rest_after(low, holds.end)
    if rest.strip(SILENT):
        denied = any(statement.denies == holds.letter and statement.start > holds.end for statement in found)
        if denied or RETRACTS.stand(rest) or _left_in_doubt(low, holds, rest):
            return (
                Answer(None, "truncated", "cut_after_interim")
                if cut
                else Answer(None, "abstain", "taken_back", (holds.start, holds.end))
            )
    answer = settled(text, holds, cut=cut, cut_by=cut_by)
    if answer.rule == "cut_in_statement" and before is not None:
        return settled(text, before, cut=cut, cut_by=cut_by)  # a text that says it again and again until it is cut
    return answer


def _supersedes(low: str, earlier: Statement, later: Statement) -> bool:
    """Whether a later statement takes an earlier, different one back."""
    if later.rule == "correction" or REVISES.stand(low, earlier.end, later.start):
        return True
    if earlier.others and not later.others and later.letter in (earlier.letter, *earlier.others):
        return True  # `B or C. ... The answer is C`
    if tentative(low, earlier) and not tentative(low, later, earlier.end):
        return True
    final = later.rule in ("final_line", "boxed", "tag") or "final" in low[later.clause : later.start]
    interim = earlier.tier != "formal" and "final" not in low[earlier.clause : earlier.start]
    between = (earlier.end, later.start)
    if _OF_ANOTHER.search(low, *between):
        return True  # answers to the questions of a series: this text's own is the last
    return final and interim and (DOUBTS.stand(low, *between) or CONTRASTS.stand(low, *between))


def _left_in_doubt(low: str, statement: Statement, rest: str) -> bool:
    """Whether a statement in prose is followed by deliberation that never comes back to it."""
    if statement.tier == "formal":
        return False
    wavers = WAVERS.ends(rest)
    if wavers:
        return not AFFIRMS.stand(rest, wavers[-1])
    return len(rest) > _MORE_THOUGHT and deliberates(low, statement)


def _corrections(text: Text, first: Statement) -> list[Statement]:
    """`wait, C`: letters that an earlier statement is corrected to, without the word answer."""
    found: list[Statement] = []
    end = min(len(text.cues), first.end + AFTER)
    if not CORRECTS.stand(text.cues, first.end, end):
        return found
    for match in _CORRECTION.finditer(text.cues, first.end, end):
        label = label_at(text, match.end())
        if label is None or label.letter not in text.options or label.doubt or label.denied or label.others:
            continue
        then = text.body[label.end : label.end + 24]
        if re.match(r"\s(?:is|says|was)\b", then) and _CORRECTED_TO.match(then) is None:
            continue  # `wait, (C) is "..."` quotes
        if not label.strong and (
            _CORRECTED_TO.match(then) is None or (label.letter in "AI" and then[:1] not in ("", ".", "!", "\n", ","))
        ):
            continue
        found.append(Statement(label.letter, match.start(), label.end, match.start(), "correction", "sentence"))
    return found


def settled(text: Text, statement: Statement, *, cut: bool, cut_by: bool) -> Answer:
    """The answer of the statement that holds, unless the text's end undoes it or it names several options."""
    undone = undone_by_cut(text, statement, cut_by=cut_by) if cut else None
    if undone is not None:
        return Answer(None, "truncated", undone)
    span = span_of(text.cues, statement.start, statement.end, statement.rule)
    if statement.others:
        return Answer(None, "conflict", "several_letters", span)
    if statement.clash is not None:
        return Answer(None, "conflict", statement.clash, span)
    return Answer(statement.letter, "answer", statement.rule, span)


def span_of(low: str, start: int, end: int, rule: str) -> tuple[int, int]:
    """Where a statement stands; one that is a line begins with that line's first word: `Final answer: C`."""
    if rule in _LINES:
        line = low.rfind("\n", 0, start) + 1
        lead = low[line:start]
        start = line + len(lead) - len(lead.lstrip(" \t*_#>-•"))
    return start, end


def before_next_question(text: Text, found: list[Statement]) -> tuple[list[Statement], bool]:
    """The statements made before the text goes on to a question of its own; whether even the first comes after one."""
    low = text.cues
    first = next(statement for statement in found if statement.counts)
    if first.start > QUESTION_BEFORE and question_before(low, first.start, text.options):
        return found, True
    limit = len(low)
    after = (first.end, first.end + AFTER)
    if first.end + 20 < len(low) and "\n" in low[first.end :]:
        boundary = NEXT_QUESTION.search(low, *after)
        foreign = foreign_list(text, first.end)
        limit = min(limit if boundary is None else boundary.start(), limit if foreign is None else foreign)
    if "question" in low[first.end : limit] and (inline := _INLINE_QUESTION.search(low, *after)) is not None:
        limit = min(limit, inline.start())
    return [statement for statement in found if statement.start <= limit], False


def question_before(low: str, end: int, options: Mapping[str, str]) -> bool:
    """Whether, before `end`, the text sets out a question that is not this one's (its options are not these)."""
    at = low.find("q", QUESTION_BEFORE, end)  # a rare letter: found faster than the words that it begins
    for _ in range(_LOOKED_AT):
        if at < 0:
            return False
        if low[at - 1] == "\n" or low[at : at + 8] == "question":
            line = low.rfind("\n", at - 40, at + 1)
            boundary = NEXT_QUESTION.match(low, line) if line >= 0 else None
            if boundary is not None and boundary["question"] and len(low[:line].strip()) > _SAID:
                between = low[boundary.end() : end]
                restated = sum(option.lower()[:40] in between for option in options.values())
                if restated < 2:  # noqa: PLR2004
                    return True
        at = low.find("q", at + 1, end)
    return False


def foreign_list(text: Text, at: int) -> int | None:
    """Where, after `at`, a list of options begins that are not this question's."""
    previous: tuple[int, str, int] | None = None
    for line in islice(_LIST_LINE.finditer(text.body, at, at + AFTER), _LISTED):
        letter, written = line["letter"], line["text"].lower().strip()
        own = text.options.get(letter, "").lower()
        ours = own != "" and (written.startswith(own[:16]) or own.startswith(written[:16]))
        if ours or len(written.split()) > _LISTED:
            previous = None
            continue
        if previous is not None and line.start() <= previous[0] + 1 and ord(letter) == ord(previous[1]) + 1:
            return previous[2]
        previous = (line.end(), letter, line.start())
    return None
