"""Conclusions: sentences that name an option without calling it the answer.

`The most likely diagnosis is **(C) Lupus**`, `Option C appears to be the most appropriate next step`. They count only
where no statement was found, only in the last paragraphs, and only where the option's label, or its whole text,
stands right after the verb. The same words in the middle of a text are part of weighing the options. Called by
`medo1.answers.reading`.
"""

# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re
from itertools import islice

from medo1.answers.labels import Label, label_at
from medo1.answers.statements import Cue, Statement, conditional, from_label
from medo1.answers.text import Text, option_at, words
from medo1.answers.verdicts import subject_label, subject_text

TAIL = 1600  # characters looked at, from the end
_PARAGRAPHS = 4  # looked at, from the end
_SUBJECT = 160  # characters of a sentence before its verdict
_LINES = 24  # of a paragraph
_LINE = 800  # characters of a line, from its end
_MENTIONS = 24  # of letters in a line
_TEXT_TAIL = 300  # characters that may follow a conclusion that names no letter

_COPULAS = words("is are was be represents remains leaves leaving") | {"leaves us with", "left with"}
_WEIGHT = re.compile(
    r"\b(?:most|best|likely|likeliest|correct|closest|first[- ]line|primary|main|appropriate|optimal|"
    r"ideal|preferred|key|strongest|only|conclusion|conclude|therefore|thus|hence|consequently|overall|"
    r"diagnosis|"
    r"choice|option|based on|given|considering|in summary|right|accurate|suitable|next step|cause|"
    r"eliminat\w+|leav(?:es|ing)|left with|"
    r"stands out|highest|greatest|lowest|least|excluded|not|false|directly|associated|characteristic|"
    r"first)\b"
)
_STRONG_WEIGHT = re.compile(
    r"\b(?:most (?:likely|appropriate|probable|accurate|suitable|consistent)|best|correct|first[- ]line|"
    r"therefore|thus|conclu\w+)\b|^[\s*_#>]*(?:so )?(?:the|this|my) (?:final |probable |underlying )?diagnosis is\b"
)
_HEADINGS = frozenset(f"{kind}{noun}" for kind in ("", "final ") for noun in ("conclusion", "decision", "choice"))
# one of these stands in what `_WALKS` finds
_WALKING = ("let", "analy", "evaluat", "look at", "step-", "step ", "one by one", "each ", "break ")
# one of these stands in what `_STRONG_WEIGHT` and `_VERDICT` find
_STRONG = ("most ", "best", "correct", "first", "therefore", "thus", "conclu", "diagnosis is")
_CALLED = words("most best correct right likeliest closest selected chosen picked remains left")
_ANNOUNCING = words("is are was be remains diagnosis conclusion choice selection treatment recommendation decision")
_FILLING = words("therefore thus likely probably clearly to option choice with in by of for at as most follows")
_WALKS = re.compile(
    r"\b(?:let['’]?s|let us|analy[sz]e|analy[sz]ing|evaluat\w+|look at|step[- ]by[- ]step|one by one|"
    r"each (?:option|choice|of)|break (?:it|this) down)\b"
)
_LISTS = re.compile(
    r"(?:\b(?:options|choices|possibilities|answers|alternatives|candidates|include|includes|"
    r"including)\b(?:\s+(?:\w+\s+)?(?:are|were|include|is))?|\bthe following)$"
)
# one of these stands in what `_LISTS` finds, and what `_DENIED` finds ends with one of those or with another mark
_LISTED = ("option", "choice", "possib", "answer", "altern", "candid", "includ", "following")
_MAY_DENY = words("as to with of")
_DENIED = re.compile(
    r"(?:\b(?:not|never|unlikely|ruled? out|exclud\w+|rather than|instead of|than|unlike|versus|vs|"
    r"similar to|such as|or|without|compared (?:to|with)|except)|n['’]t)\s*(?:(?:be|is|a|an|the|"
    r"to)\s+){0,2}[*_\"“(]*$"
)
_NEGATED_CLAUSE = re.compile(r"\b(?:not|never|unlikely|less|neither|nor|no|without|rather)\b|n['’]t\b")
_MAYBE = re.compile(r"\b(?:maybe|perhaps|possibly|might)\b")
_MODAL = re.compile(r"\b(?:could|might|may|can)\s+(?:also\s+)?be\b[\s*_]*$")
_ITEM = re.compile(
    r"[\s>#]*(?:[-•*+]\s+|\d{1,2}[.)]\s+)?[*_]{0,3}(?:option\s+)?[(\[]?(?P<letter>[A-Z])[)\].:*]",
    re.ASCII | re.IGNORECASE,
)
_VERDICT = re.compile(
    r"\b(?:is|appears to be|seems to be|seems|appears|would be|remains|stands out as|best (?:fits|"
    r"describes|explains|matches))\s+(?P<not>not\s+)?(?:\w{2,12}ly\s+|therefore\s+|thus\s+|indeed\s+|"
    r"still\s+)?(?:the\s+)?"
    r"(?:most\s+\w+|best|correct|right|likeliest|closest)\b(?![^.\n]{0,60}, but)"
    r"|\b(?:should|must|has to|is to) be (?:selected|chosen|picked)\b(?! (?:only |mainly )?(?:if|when|unless|for|in)\b)"
    r"|\b(?:must|has to) be (?:correct|right)\b|\b(?P<rests>remains|is left)(?=[.!]?[*_]*$)"
)
_ENDS_SENTENCE = re.compile(r"[\s*_]*(?:[\w/-]++[ ]?){0,4}[*_]*(?:[.!]|\s*$|\n|[ ](?:in|for|of) this\b)")
_FOLLOWS = re.compile(r"\b(?:therefore|thus|hence|so|however|but|overall|in conclusion|consequently|among these)\b")
_BAD_GLOSS = re.compile(r"\b(?:not|if|than|least|or)\b|n['’]t|[,;] (?:but|while|whereas|and)\b")


def conclusion(text: Text) -> Statement | None:
    """The conclusion that the text's end states, with `others` where the deciding paragraph names several options."""
    low = text.low
    floor = max(0, len(low) - TAIL)
    end = len(low.rstrip())
    for _ in range(_PARAGRAPHS):
        if end <= floor:
            return None
        at = low.rfind("\n\n", floor, end)
        start = at + 2 if at >= 0 else floor
        found = _announced(text, start, end, floor)
        line = low.rfind("\n", start, end) + 1
        if found is None and line > start:
            found = _announced(text, line, end, floor)
        if found is not None:
            return found
        several = _in_paragraph(text, start, end)
        if several:
            return _deciding(low, several)
        end = len(low[:start].rstrip())
    return None


def _deciding(low: str, found: list[Statement]) -> Statement:
    """The last conclusion of a paragraph; the earlier ones stand against it unless it follows from them."""
    last = found[-1]
    others = {statement.letter for statement in found} - {last.letter}
    if others and _FOLLOWS.search(low, found[-2].end, last.start) is None:
        last.others = tuple(sorted(letter for letter in others if letter))
    return last


def _announced(text: Text, start: int, end: int, floor: int) -> Statement | None:
    """`... the best next step is:` and, on a line of its own, the option."""
    body, low = text.body, text.low
    announces = low[floor:start].rstrip().rstrip("*_ ")
    heading = announces[announces.rfind("\n") + 1 :].strip("#*_: ") in _HEADINGS
    if not (heading or announces.endswith((":", " is", " be", " is -", " was"))):
        return None
    sentence = announces[max(announces.rfind("\n"), announces.rfind(". ")) + 1 :].rstrip(":*_ -")
    if not (heading or _is_announcement(sentence)):
        return None
    cue = Cue(start, start, "conclusion", "conclusion")
    label = label_at(text, start, formal=True)
    line_end = low.find("\n", start, end)
    if label is not None and label.letter in text.options:
        listed = _is_listed(text, label, start, line_end if line_end >= 0 else end)
        ends = label.strong or (not heading and body[label.end : label.end + 1] in ("", "\n", ".", ":", ")"))
        return from_label(text, label, cue) if ends and not (label.denied or label.doubt or listed) else None
    named = option_at(text, start)
    if named is not None and not body[named.end : line_end if line_end >= 0 else end].strip(" .*_\"')"):
        return cue.names(named.letter, named.end, "conclusion_text")
    return None


def _is_announcement(sentence: str) -> bool:
    """Whether a sentence announces a conclusion: not a list of options, not a walk through them, no condition."""
    last = sentence[-60:]
    words = last.rsplit(None, 3)[-3:]
    return (
        _announces(words)
        and _WEIGHT.search(sentence) is not None
        and not ((words[-1] in _MAY_DENY or not words[-1].isalpha()) and _DENIED.search(last))
        and not (any(map(last.__contains__, _LISTED)) and _LISTS.search(last))
        and not conditional(sentence, 0, len(sentence))
        and not (any(map(sentence.__contains__, _WALKING)) and _WALKS.search(sentence, sentence.rfind(",") + 1))
    )


def _is_listed(text: Text, label: Label, start: int, line_end: int) -> bool:
    """Whether the label is an item of a list: a bullet stands before it or another option's label below it."""
    if text.body[start : label.start].lstrip()[:2] in ("- ", "* ", "• ", "+ "):
        return True
    following = _ITEM.match(text.body[line_end:].lstrip())
    return following is not None and following["letter"].upper() in set(text.options) - {label.letter}


_NO_MARKS = {ord(mark): None for mark in '*_"“('}


def _announces(last: list[str]) -> bool:
    """Whether a line's last words announce what follows its colon: a verb, or a verb and fillers, or a noun."""
    for written in reversed(last):
        word = written if written.isalpha() else written.translate(_NO_MARKS)
        if word in _ANNOUNCING:
            return True
        if word and word not in _FILLING:
            return False
    return False


def _in_paragraph(text: Text, start: int, end: int) -> list[Statement]:
    """The conclusions of one paragraph; lines that are one option's turn in a walk through the options are left out."""
    found: list[Statement] = []
    line_start = start
    for _ in range(_LINES):
        if line_start >= end:
            break
        line_end = text.low.find("\n", line_start, end)
        line_end = end if line_end < 0 else line_end
        item = _ITEM.match(text.body, line_start, line_end)
        turn = item is not None and item["letter"].upper() in text.options
        if not turn:
            found.extend(_in_line(text, line_start, line_end) or verdicts(text, line_start, line_end))
        elif line_start == start and line_end == end:
            found.extend(verdicts(text, line_start, line_end))
        line_start = line_end + 1
    return found


_MENTION = re.compile(r"\([A-Z]\)|\*\*\(?[A-Z](?=[).:*\s])|(?<![A-Za-z0-9(])[A-Z](?=\)|\.?\**$)|\b[Oo]ption \(?[A-Z]\b")
_LONE_CAPITAL = re.compile(r"[A-Z](?<![A-Za-z0-9][A-Z])(?![A-Za-z0-9])")  # stands in all that `_MENTION` finds
_NAMES = re.compile(
    r"\b(?P<verb>is|are|was|be|represents|remains|leaves us with|left with|leaves|leaving|involves|with|administer|"
    r"perform|to|at|by|from|of|as|"
    r"suggests|indicates)(?P<colon>[\s*_\"“]*:)?(?:\s+(?:therefore|thus|clearly|likely|most likely|"
    r"probably|to|by|the|option|an|a))*[\s*_\"“(]*$"
)
_COPULA = re.compile(
    r"(?:\b(?:is|are|was|be|represents|remains)\b|:)(?:\s+(?:therefore|thus|clearly|likely|most likely|"
    r"probably|the|an|a|to|by))*[\s*_\"“(:]*"
)


def _in_line(text: Text, start: int, end: int) -> list[Statement]:
    """Conclusions within one line: an option after a verb, in a sentence that weighs."""
    place = max(start, end - _LINE)
    found: list[Statement] = []
    mentions = _MENTION.finditer(text.body, place, end) if _LONE_CAPITAL.search(text.body, place, end) else ()
    for mention in islice(mentions, _MENTIONS):
        label = label_at(text, mention.start())
        if label is None or label.letter not in text.options:
            continue
        sentence = _sentence_start(text.low, start, mention.start())
        left = text.low[sentence : mention.start()]
        own = left.rstrip(' *_("')
        named = own.endswith(text.options[label.letter].lower()) and text.options[label.letter] != ""
        if named:  # `... is **lupus (C)**`
            left = own[: -len(text.options[label.letter])]
        names = _NAMES.search(left[-60:])
        if names is None:
            continue
        bare = not (label.strong or named)
        if bare and (names["verb"] not in _COPULAS or text.low[label.end : end].strip(" .*_\"')")):
            continue
        if names["verb"] not in _COPULAS and _NEGATED_CLAUSE.search(left[left.rfind(",") + 1 :]):
            continue
        if _weighs(left):
            found.append(from_label(text, label, Cue(mention.start(), sentence, "conclusion", "conclusion")))
    found = [statement for statement in found if statement.counts]
    if found or len(text.low.rstrip()) - end > _TEXT_TAIL:
        return found
    return _text_in_line(text, start, end)


def _text_in_line(text: Text, start: int, end: int) -> list[Statement]:
    """`The most likely diagnosis is **lupus**`: an option's whole text after the verb of a sentence that concludes."""
    low = text.low
    if not any(map(low[start:end].__contains__, _STRONG)):
        return []
    for verb in reversed(list(_COPULA.finditer(low, max(start, end - _LINE), end))[-_MENTIONS:]):
        sentence = _sentence_start(low, start, verb.start())
        left = low[sentence : verb.end()]
        if _STRONG_WEIGHT.search(left) is None or not _weighs(left):
            continue
        named = option_at(text, verb.end())
        if named is not None and len(low.rstrip()) - named.end <= _TEXT_TAIL:
            return [Statement(named.letter, verb.start(), named.end, sentence, "conclusion_text", "conclusion")]
    return []


def _sentence_start(low: str, start: int, at: int) -> int:
    """Where the sentence that holds `at` begins, within the line from `start` on."""
    return max(
        start, *(place + 2 if (place := low.rfind(mark, start, at)) >= 0 else start for mark in (". ", "? ", "! "))
    )


def _weighs(left: str) -> bool:
    """Whether a sentence up to the option concludes, and neither denies nor conditions it."""
    return not (
        _WEIGHT.search(left) is None
        or _MAYBE.search(left)
        or _DENIED.search(left[-60:])
        or _MODAL.search(left[-40:])
        or conditional(left, 0, len(left))
    )


def verdicts(text: Text, start: int, end: int) -> list[Statement]:
    """`Option C is correct.`, `(C) seems the most appropriate.`; none where several options are called so."""
    low = text.low
    found: list[Statement] = []
    if not any(map(low[max(start, end - _LINE) : end].__contains__, _CALLED)):
        return found
    for verdict in islice(_VERDICT.finditer(low, max(start, end - _LINE), end), _MENTIONS):
        sentence = max(_sentence_start(low, start, verdict.start()), verdict.start() - _SUBJECT)
        subject = text.body[sentence : verdict.start()]
        label = subject_label(text, subject)
        rests = verdict["rests"] is not None  # said of a symptom as well as of an option
        if label is None and not (verdict["not"] or rests) and _ENDS_SENTENCE.match(low, verdict.end()):
            named = subject_text(text, sentence, verdict.start())
            if named is not None and not conditional(low, sentence, verdict.start()):
                span = (named.start, verdict.end(), sentence)
                found.append(Statement(named.letter, *span, "conclusion_text", "verdict"))
            continue
        if label is None or verdict["not"]:
            continue
        gloss = subject[label[1] + 1 :].lower()
        if _BAD_GLOSS.search(gloss) is None and not conditional(low, sentence, verdict.start()):
            found.append(Statement(label[0], sentence + label[1], verdict.end(), sentence, "conclusion", "verdict"))
    return found if len({statement.letter for statement in found}) <= 1 else []
