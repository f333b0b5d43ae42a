"""Which of a text's statements holds, and whether the text's end leaves it standing.

Called by `medo1.answers.reading`, whose docstring gives the rules.
"""

# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice

from medo1.answers.answer import Answer
from medo1.answers.labels import label_at
from medo1.answers.phrases import AFFIRMS, CONTRASTS, CORRECTS, DOUBTS, RETRACTS, REVISES, WAVERS
from medo1.answers.statements import Statement
from medo1.answers.text import SILENT, Text

_TENTATIVE = re.compile(
    r"\b(?:perhaps|maybe|probably|possibly|likely|seems?|appears?|leaning|lean|guess|suspect|think|thinking|thought|might|"
    r"could|suppose|tentative\w*|so far|for now|initial\w*|currently|at first)\b"
    # said of others: `many would say that the answer is B`
    r"|\b(?:many|some|others|people|students|one|you|textbooks?|experts?|doctors?|clinicians?|colleagues?|reviewers?)\b"
    r"[^.\n]{0,24}\b(?:says?|thinks?|argues?|claims?|believes?|chooses?|picks?|considers?)\b"
)
_CORRECTION = re.compile(
    r"\b(?:wait|actually|correction|sorry|(?<!: )(?<!: \*)no(?=[ ]?[,.;!—–-])|oops|scratch that|i mean|i meant|rather|"
    r"on second thought|my mistake|let me correct (?:that|myself)|changed? my answer to|changing (?:it|"
    r"my answer) to)\b[ \t,.:;!—–-]{0,6}"
    r"(?:(?:that|it)(?:['’]s| is| was| should be)\s+(?:(?:wrong|incorrect|not right)[\s,.;:]+)?|(?:not|"
    r"isn['’]t) \(?[a-z]\)?[\s,.;:]+(?:but\s+|it['’]s\s+)?|(?:it|that|this|the answer) (?:should|must|"
    r"would|has to) be\s+|"
    r"should be\s+|make that\s+|make it\s+|the answer is\s+|i (?:choose|pick|say|meant?|['’]d say)\s+)?"
)
_CORRECTED_TO = re.compile(r"\s*(?:$|[.,;:!)\n])|\s(?:is|because|since|as|not|instead)\b")
NEXT_QUESTION = re.compile(
    r"\n\s*+[*_#>]{0,4}+\s*+(?:(?P<question>(?:next |new |another |example |sample )?(?:question|problem|"
    r"exercise|passage|vignette|task)s?(?:\s*#?\d+)?\s*[*_]{0,2}\s*[:：.\n]|q\s?\d*\s*[:.])|(?:answer |"
    r"answer-)?(?:options|choices)\s*[*_]{0,2}[:：]|"
    r"(?:human|user|instruction|input|student|system)\s*:|(?:the following (?:is a|are) (?:multiple|"
    r"question)|now,? let['’]?s (?:summari[sz]e all|move|look at|solve|try|consider) |"
    r"let['’]?s (?:move on|try another|solve the next|look at the next)|here is another|example \d+\s*[:.\n]))"
)
_INLINE_QUESTION = re.compile(r"[.!?)*] {1,2}question(?: ?#?\d{1,3})?: ")  # of a text that lost its line breaks
_LIST_LINE = re.compile(r"\n[ \t]*[*_]{0,2}\(?(?P<letter>[A-Z])[).:][*_]{0,2}[ \t]+(?P<text>[^\n]{1,200})")

_LINES = frozenset({"final_line", "answer_line"})
_MORE_THOUGHT = 160  # characters after a statement in a text that thinks aloud: more than its reason
QUESTION_BEFORE = 120  # characters of an answer that may stand before a question that the text makes up
_LOOKED_AT = 400  # letters that may begin a question
_LISTED = 12  # lines of a list that are looked at, and words of one
_SAID = 80  # characters before a question that are an answer begun, not white space and marks
_AFTER = 3000  # characters after a statement in which a further question is looked for
_DELIBERATION = 3  # doubts before a statement that show a text which thinks aloud
_OPENING = 320  # a statement that begins within so many characters opens the text
_REST_OF_LINE = 24  # words that may follow a statement on its line


def holding(text: Text, found: list[Statement], *, cut: bool, cut_by: bool) -> Answer:
    """The answer of the statements that count, all of one tier or stronger.

    Args:
        text: the text and its options.
        found: all statements in order, also those that do not count.
        cut: the text was cut off, by what its finish reason or its end says.
        cut_by: its finish reason says so.
    """
    low = text.low
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
        undone = _undone_by_cut(text, holds, cut_by=cut_by) if cut else None
        if undone is not None:
            return Answer(None, "truncated", undone)
        return Answer(None, "conflict", "two_statements", (against.start, holds.end))
    rest = _rest(low, holds.end)
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
    if _tentative(low, earlier) and not _tentative(low, later, earlier.end):
        return True
    final = later.rule in ("final_line", "boxed", "tag") or "final" in low[later.clause : later.start]
    interim = earlier.tier != "formal" and "final" not in low[earlier.clause : earlier.start]
    between = (earlier.end, later.start)
    return final and interim and (DOUBTS.stand(low, *between) or CONTRASTS.stand(low, *between))


def _tentative(low: str, statement: Statement, start: int = 0) -> bool:
    """Whether a statement, from `start` on, says that it is likely, supposed or another's rather than so."""
    clause = max(statement.clause, start)
    return statement.tier != "formal" and _TENTATIVE.search(low, clause, statement.end) is not None


def _rest(low: str, end: int) -> str:
    """What follows a statement; of a long rest its beginning and its end."""
    if len(low) - end <= 2 * _AFTER:
        return low[end:]
    return f"{low[end : end + _AFTER]}\n{low[-_AFTER:]}"


def _left_in_doubt(low: str, statement: Statement, rest: str) -> bool:
    """Whether a statement in prose is followed by deliberation that never comes back to it."""
    if statement.tier == "formal":
        return False
    wavers = WAVERS.ends(rest)
    if wavers:
        return not AFFIRMS.stand(rest, wavers[-1])
    return len(rest) > _MORE_THOUGHT and _deliberates(low, statement)


def _corrections(text: Text, first: Statement) -> list[Statement]:
    """`wait, C`: letters that an earlier statement is corrected to, without the word answer."""
    found: list[Statement] = []
    end = min(len(text.low), first.end + _AFTER)
    if not CORRECTS.stand(text.low, first.end, end):
        return found
    for match in _CORRECTION.finditer(text.low, first.end, end):
        label = label_at(text, match.end())
        if label is None or label.letter not in text.options or label.doubt or label.denied or label.others:
            continue
        then = text.body[label.end : label.end + 12]
        if not label.strong and (
            _CORRECTED_TO.match(then) is None or (label.letter in "AI" and then[:1] not in ("", ".", "!", "\n", ","))
        ):
            continue
        found.append(Statement(label.letter, match.start(), label.end, match.start(), "correction", "sentence"))
    return found


def settled(text: Text, statement: Statement, *, cut: bool, cut_by: bool) -> Answer:
    """The answer of the statement that holds, unless the text's end undoes it or it names several options."""
    undone = _undone_by_cut(text, statement, cut_by=cut_by) if cut else None
    if undone is not None:
        return Answer(None, "truncated", undone)
    span = span_of(text.low, statement.start, statement.end, statement.rule)
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


def _undone_by_cut(text: Text, statement: Statement, *, cut_by: bool) -> str | None:  # noqa: PLR0911
    """Why a statement in a cut text does not hold, None where it does."""
    body, low = text.body, text.low
    rest = _rest(low, statement.end)
    if not rest.strip():
        # the start of `Ceftriaxone`, or of `Ceftriaxone and azithromycin`; an option's text may open a sentence too
        half = not rest and body[statement.end - 1].isalnum()
        unannounced = statement.rule == "option_text" and statement.tier == "formal" and statement.start == 0
        return "cut_in_statement" if cut_by and (half or unannounced) else None
    if NEXT_QUESTION.match("\n" + rest.lstrip(" .*_)\n")) or foreign_list(text, statement.end) == statement.end:
        return None
    line, _, after = rest.partition("\n")
    doubt = DOUBTS.stand(rest)
    own_line = len(line.split()) <= _REST_OF_LINE
    if statement.tier == "formal":
        return (
            "cut_after_interim"
            if doubt and not (own_line and after.strip() and not DOUBTS.stand(line) and statement.start <= _OPENING)
            else None
        )
    if doubt or _tentative(low, statement):
        return "cut_after_interim"
    if statement.start <= _OPENING or (
        own_line and after.strip() and not CONTRASTS.stand(line) and not _deliberates(low, statement)
    ):
        return None
    if len(rest) <= 80 and "answer" in rest and not CONTRASTS.stand(rest):  # noqa: PLR2004
        return None
    return "cut_after_interim"


def _deliberates(low: str, statement: Statement) -> bool:
    """Whether what stands before a statement thinks aloud, so that more thought was to follow."""
    return len(DOUBTS.ends(low, max(0, statement.start - _AFTER), statement.start)) >= _DELIBERATION


def before_next_question(text: Text, found: list[Statement]) -> tuple[list[Statement], bool]:
    """The statements made before the text goes on to a question of its own; whether even the first comes after one."""
    low = text.low
    first = next(statement for statement in found if statement.counts)
    if first.start > QUESTION_BEFORE and question_before(low, first.start, text.options):
        return found, True
    limit = len(low)
    after = (first.end, first.end + _AFTER)
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
    for line in islice(_LIST_LINE.finditer(text.body, at, at + _AFTER), _LISTED):
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
