"""Statements around a noun: `the answer is C`, `Answer: C`, `the best option is (C)`, a heading `Answer` with C below
it.

Called by `medo1.answers.reading` for `answer` and by `medo1.answers.choosing` for `choice` and `option`.
"""
# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re
from itertools import islice

from medo1.answers.labels import label_at
from medo1.answers.phrases import GAP
from medo1.answers.statements import (
    CLAUSE,
    FIRST_CUES,
    Cue,
    Statement,
    Tier,
    begins_line,
    clause_start,
    conditional,
    cues,
    from_label,
)
from medo1.answers.text import Text, option_at, words
from medo1.answers.verdicts import verdict_before

LENGTH = 6  # of `answer`, `choice` and `option`

# before the noun: what makes it another answer than the model's
_NOT_THE_ANSWER = words(
    """incorrect inaccurate wrong not no partial alternative possible potential plausible tempting initial first
    previous earlier original common student students other another second false example sample attractive distractor
    each every any single user provide give neither nor never find verify check determine an to will can cannot could
    should must would may might you they people who"""
)
_DENIED_BEFORE = re.compile(
    r"\b(?:do|does|did|would|can|could)(?:n['’]t| not|not)\s+(?:really\s+)?"
    r"(?:think|believe|say|consider|feel|conclude|mean|see|support|know)\b[^.]{0,80}$"
)
_MAYBE = re.compile(r"\b(?:maybe|perhaps|possibly|might|could)\b")
_PLURAL = re.compile(r"[ _](?:choices|options|sheet|explanations?|letters)\b")
_MARKS = " \t*_\"'`()[]{}<>|#“”‘’,:-"

# between the noun and what it names
_LINK = re.compile(
    r"(?P<tail>(?:\(s\))?(?:[_ ](?:choice|option|letter|idx|index|key)(?![a-z]))?(?:\s?\([^()\n]{1,40}\))?"
    r"(?:\s?\[[^\[\]\n]{1,24}\](?=\s*[:：=]))?(?:\s#?\d{1,3}(?=\s*[:：]))?[*_`\"'”’)\]}】」]{0,6})"
    r"(?:(?P<verb>['’]s(?=[ ])|[\s*_]{1,3}(?:is|are|was|would be|should be|must be|will be|has to be|ought to be|"
    r"remains|becomes|"
    r"would have to be|needs to be|seems to be|appears to be|seems|appears|lies in|corresponds to|would seem to be|"
    r"being|=)(?![a-z\d]))"
    r"|(?P<formal>[\s*_]{0,3}(?:[:：=|»]|-{1,2}>|→|⇒|➜|⟶|➡|–|—|-(?=\s)|>{1,3})[\s*_:：=>|]{0,8})"
    r"|(?P<hedge>[\s*_]{1,3}(?:could|might|may|can|cannot|could not|can't)(?:\s\w+ly)?(?:\snot)?\sbe(?![a-z]))"
    r"|(?P<heading>[*_:：\s]{0,4}\n[\s*_>#-]{0,12})"
    r"|(?P<bare>[ \t]?(?=[(\[*]{1,3}[a-z][)\]*.])|[ \t](?=[a-z](?:[.)]|\s*$))|(?<=\])[ \t]?(?=[a-z](?![a-z0-9]))))"
)
_FILL = re.compile(
    r"(?:[\s*_,:：]{0,4}(?:most likely|likely|most probably|probably|clearly|therefore|thus|hence|definitely|certainly|"
    r"indeed|still|simply|actually|then|now|in fact|obviously|undoubtedly|as follows|the following|given by|to be|"
    r"going to be|best represented by|represented by|indicated by|also|quite|either|both|best described as|best|"
    r"closest to|that of|most closely|found in|given as|listed as|under|stated in|labell?ed|one of)\b){1,4}"
)
_NOT = re.compile(
    r"[\s*_]{0,4}(?:(?:most )?(?:definitely|certainly|clearly|probably|likely|actually|simply|therefore)\s+)?"
    r"(?:not|neither|none|no longer|never|nothing|n['’]t|rather than)\b"
)
_BUT = re.compile(r"(?:[\s*_(]{0,4}[a-z]\.)?[^.\n]{0,80}?\b(?:but(?: rather)?|it['’]?s|it is|rather|instead)\s+")
_FAR = re.compile(
    rf"{GAP}(?:is|are|was|be)\b(?: (?:therefore|thus|clearly|likely|most likely|probably|the|to be|as follows|that))*"
    r"[\s*_]*[:：]?[\s*_]*"
)
_UNLIKELY = re.compile(r"\b(?:unlikely|not|never|neither|rather than|less likely|incorrect)\b|n['’]t\b")
_SENTENCE_ENDS = (". ", "! ", "? ")
_SENTENCE_END = re.compile(r"[.!?](?=\s)|\n|[。！？]")


def answer_statements(text: Text) -> list[Statement]:
    """Statements around the word `answer`."""
    found = (answer_statement(text, at) for at in cues(text.low, "answer"))
    return [statement for statement in found if statement is not None]


def answer_statement(text: Text, at: int) -> Statement | None:
    """The statement around the word `answer` that stands at `at`; read once."""
    if text.read is None:
        text.read = {}
    if at not in text.read:
        text.read[at] = statement_around(text, at, "sentence")
    statement: Statement | None = text.read[at]
    return statement


def statement_around(text: Text, at: int, tier: Tier) -> Statement | None:
    """The statement around a noun that stands at `at`: what follows it, or what stands before it."""
    low = text.low
    end = at + LENGTH
    if low[at - 3 : at] == "to " or (at and low[at - 1].isalnum() and low[at - 2 : at] != "\\n"):
        return None  # `to answer`; the n of `\n` in escaped text is no word
    then = low[end : end + 1]
    if then.isalpha() or (then in " _" and low[end + 1 : end + 2] in "csoel" and _PLURAL.match(low, end)):
        return None
    clause = clause_start(low, at)
    if not refused(low, clause, at):
        cue = Cue(at, clause, "answer_sentence" if tier == "sentence" else "choice_sentence", tier)
        statement = _after(text, cue, end, then)
        if statement is not None:
            if statement.weak is None and at > clause and is_supposed(low, clause, at):
                statement.weak = "doubt"
            return statement
    return verdict_before(text, at, clause)


def previous_word(low: str, start: int, at: int) -> str:
    """The last word before `at`, without marks."""
    before = low[start if start > at - 32 else at - 32 if at > 32 else 0 : at].rstrip(_MARKS)  # noqa: PLR2004
    return before[before.rfind(" ") + 1 :].strip(_MARKS)


def refused(low: str, clause: int, at: int) -> bool:
    """Whether what stands before the noun makes it no answer of the model's: `a wrong answer`, `if the answer`."""
    if at == clause:
        return False
    word = "the" if low.startswith(" the ", at - 5) else previous_word(low, clause, at)
    if word in _NOT_THE_ANSWER or word.endswith(("n't", "n’t")):
        return True
    if word == "the" and low[clause : at - 4].rstrip().endswith(("if", "whether", "why")):
        return True
    denied = low.find("n't ", clause, at) >= 0 or low.find(" not ", clause, at) >= 0
    return denied and _DENIED_BEFORE.search(low, clause, at) is not None


def is_supposed(low: str, clause: int, at: int) -> bool:
    """Whether the clause before the noun makes a condition or a mere possibility of it."""
    if conditional(low, clause, at):
        return True
    start = max(clause, at - 40)
    near = low[start:at]
    if "mayb" in near or "perha" in near or "possib" in near or "might" in near or "could" in near:
        return _MAYBE.search(low, start, at) is not None
    return False


def _after(text: Text, cue: Cue, end: int, then: str) -> Statement | None:
    """What follows the noun names."""
    link = _LINK.match(text.low, end)
    statement = _after_link(text, link, cue) if link is not None else None
    if statement is None and then in " *,\n" and (link is None or link.lastgroup in ("verb", "bare")):
        statement = _far_after(text, cue, end)
    return statement


def _after_link(text: Text, link: re.Match[str], cue: Cue) -> Statement | None:
    """What `answer is ...`, `answer: ...` or a heading `Answer` names."""
    low, at = text.low, cue.at
    group = link.lastgroup
    if group not in ("verb", "hedge"):
        before = low[at - 1 : at]
        line = begins_line(low, at)
        if group == "heading" and not line:
            return None
        if group == "bare" and (
            link["tail"].strip(" *_\"')]")
            or not (line or before == "[" or low[at - 4 : at] == "the " or low[at - 2 : at] in _SENTENCE_ENDS)
        ):
            return None
        if before in ("<", "[") or (before in ("'", '"', "_") and link["tail"].strip()):
            rule = "tag"
        elif line:
            rule = "final_line" if "final" in low[max(0, at - 24) : at] else "answer_line"
        else:
            rule = ""
        kind = (group == "heading", group == "bare")
        if rule:
            cue = Cue(at, cue.clause, rule, "formal", True, *kind)
        else:
            cue = Cue(at, cue.clause, cue.rule, cue.tier, group == "formal", *kind)
    hedged = group == "hedge"
    position = link.end()
    if not (hedged and "not" in link[0]):
        statement = _named_at(text, position, cue)
        if statement is not None:
            if hedged and statement.weak is None:
                statement.weak = "doubt"
            return statement
    negation = _NOT.match(low, position)
    if negation is not None:
        return _after_not(text, position, negation.end(), cue)
    return _after_not(text, position, position, cue) if hedged and "not" in link[0] else None


def _named_at(text: Text, position: int, cue: Cue) -> Statement | None:
    """The option that is named at `position`, or after filling words such as `most likely`."""
    statement = _labelled_at(text, position, cue)
    if statement is not None or _NOT.match(text.low, position):
        return statement
    fill = _FILL.match(text.low, position)
    if fill is None:
        return _text_at(text, position, cue)
    if " both" in fill[0] or " either" in fill[0]:  # an option may read `both A and B`
        statement = _text_at(text, position, cue)
    statement = statement or _labelled_at(text, fill.end(), cue)
    if statement is None and (negation := _NOT.match(text.low, fill.end())) is not None:
        statement = _after_not(text, fill.end(), negation.end(), cue)
    return statement or _text_at(text, fill.end(), cue) or _text_at(text, position, cue)


def _text_at(text: Text, position: int, cue: Cue) -> Statement | None:
    """The option whose whole text stands at `position`."""
    named = option_at(text, position)
    if named is None:
        return None
    return cue.names(named.letter, named.end, None if cue.rule == "tag" else "option_text")


def _labelled_at(text: Text, position: int, cue: Cue) -> Statement | None:
    """The option whose label stands at `position`."""
    label = label_at(text, position, formal=cue.formal)
    if label is None or (cue.bare and not (label.strong or text.body[label.start].isupper())):
        return None
    if label.others or label.letter not in text.options:
        statement = _text_at(text, position, cue)  # an option may read `A and B`, or `I and D of the abscess`
        if statement is not None:
            return statement
    if cue.heading and not (label.strong or text.body[label.end : label.end + 1] in ("", "\n", ".", ")", ":")):
        return None
    return from_label(text, label, cue)


def _after_not(text: Text, position: int, after: int, cue: Cue) -> Statement:
    """`the answer is not B`, `... is not B but C`, `... is none of the above`."""
    statement = _text_at(text, position, cue)  # an option may read `None of the above`
    if statement is not None:
        return statement
    but = _BUT.match(text.low, after)
    if but is not None and "neither" not in text.low[position:after]:
        label = label_at(text, but.end())
        if label is not None and label.letter in text.options:
            return from_label(text, label, cue)
    denied = label_at(text, after)
    return cue.denies(after, None) if denied is None else cue.denies(denied.end, denied.letter)


def _far_after(text: Text, cue: Cue, end: int) -> Statement | None:
    """`the answer to the question of whether ... is:` and the option, within one sentence."""
    low = text.low
    limit = min(len(low), end + CLAUSE + 80)
    stop = _SENTENCE_END.search(low, end + 1, limit)
    sentence_end = stop.start() if stop is not None else limit
    for link in islice(_FAR.finditer(low, end, min(len(low), sentence_end + 1)), FIRST_CUES):
        position = link.end()
        if _NOT.match(low, position) or _UNLIKELY.search(low, end, position):
            continue
        colon = ":" in link[0][1:] or "：" in link[0][1:]
        label = label_at(text, position, formal=colon)
        if label is None:
            if (colon or low[position - 1] in "*_") and (statement := _text_at(text, position, cue)) is not None:
                return statement
        elif label.letter in text.options and (
            label.strong or colon or not text.body[label.end : sentence_end].strip(" .*_")
        ):
            statement = from_label(text, label, cue)
            if statement.weak is None:
                return statement
    return None
