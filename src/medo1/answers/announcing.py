"""Statements that words announce: `the answer is C`, `I would choose C`, `Answer: C`.

The words are the rows of `medo1.answers.rules.CUES`; here is the grammar of each form: what may stand before the words,
what links them to the option, and that what they name is read in one way, `mention_at`.
"""
# ruff: noqa: RUF001  (patterns hold the marks and letters that models write)

from __future__ import annotations

import re
from itertools import islice

from medo1.answers.candidates import label_at, mention_at, named_at, run_together
from medo1.answers.concluding import verdict_before
from medo1.answers.phrases import GAP
from medo1.answers.rules import Cue, rows
from medo1.answers.statements import (
    CLAUSE,
    FIRST_CUES,
    LAST_CUES,
    Announced,
    Statement,
    begins_line,
    clause_start,
    conditional,
    cues,
    statement_of,
)
from medo1.answers.text import Text, plain, words

_NOUNS, _GOOD_NOUNS, _VERBS, _LINES = rows("noun"), rows("good noun"), rows("verb"), rows("line")

LENGTH = 6  # of `answer`, `choice` and `option`

# before the noun: what makes it another answer than the model's
_NOT_THE_ANSWER = words(
    """incorrect inaccurate wrong not no partial alternative possible potential plausible tempting initial first
    previous earlier original common student students other another second false example sample attractive distractor
    each every any single user provide give neither nor never find verify check determine an to will can cannot could
    should must would may might you they people who"""
)
_DENIED_BEFORE = re.compile(
    r"\b(?:do|does|did|would|can|could)(?:n['’]t| not|not)\s{1,6}(?:really\s{1,6})?"
    r"(?:think|believe|say|consider|feel|conclude|mean|see|support|know)\b[^.]{0,80}$"
)
_MAYBE = re.compile(r"\b(?:maybe|perhaps|possibly|might|could)\b")
_OF_EXAMPLE = re.compile(
    r"\bexamples?(?: ?\d|:)|\b(?:first|second|third|fourth|fifth|last|previous|earlier|above|worked) examples?\b"
)
_NEAR_NOUN = 40  # characters after a noun that may say whose answer it is
_PLURAL = re.compile(r"[ _](?:choices|options|sheet|explanations?|letters)\b")
_MARKS = " \t*_\"'`()[]{}<>|#“”‘’,:-"

# between the noun and what it names
_LINK = re.compile(
    r"(?P<tail>(?:\(s\))?(?:[_ ](?:choice|option|letter|idx|index|key)(?![a-z]))?(?:\s?\([^()\n]{1,40}\))?"
    r"(?:\s?\[[^\[\]\n]{1,24}\](?=\s{0,4}[:：=]))?(?:\s#?\d{1,3}(?=\s{0,4}[:：]))?[*_`\"'”’)\]}】」]{0,6})"
    r"(?:(?P<verb>['’]s(?=[ ])|[\s*_]{1,3}(?:is|are|was|would be|should be|must be|will be|has to be|ought to be|"
    r"remains|becomes|"
    r"would have to be|needs to be|seems to be|appears to be|seems|appears|lies in|corresponds to|would seem to be|"
    r"being|=)(?![a-z\d]))"
    r"|(?P<formal>[\s*_]{0,3}(?:[:：=|»]|-{1,2}>|→|⇒|➜|⟶|➡|–|—|-(?=\s)|>{1,3})[\s*_:：=>|]{0,8})"
    r"|(?P<hedge>[\s*_]{1,3}(?:could|might|may|can|cannot|could not|can't)(?:\s\w{1,12}ly)?(?:\snot)?\sbe(?![a-z]))"
    r"|(?P<heading>[*_:：\s]{0,4}\n[\s*_>#-]{0,12})"
    r"|(?P<bare>[ \t]?(?=[(\[*]{1,3}[a-z][)\]*.])|[ \t](?=[a-z](?:[.)]|\s{0,8}$))|"
    r"(?<=\])[ \t]?(?=[a-z](?![a-z0-9]))))"
)
_FILL = re.compile(
    r"(?:[\s*_,:：]{0,4}(?:most likely|likely|most probably|probably|clearly|therefore|thus|hence|definitely|"
    r"certainly|"
    r"indeed|still|simply|actually|then|now|in fact|obviously|undoubtedly|as follows|the following|given by|to be|"
    r"going to be|best represented by|represented by|indicated by|also|quite|either|both|best described as|best|"
    r"closest to|that of|most closely|found in|given as|listed as|under|stated in|labell?ed|one of|"
    r"i(?:['’](?:d|ll) (?:say|go with|pick|choose)| (?:choose|pick|think|believe|would say|"
    r"guess))(?: that)?(?: it(?:['’]s| is| must be| should be))?|"
    r"it(?:['’]s| is| must be| should be))\b){1,4}"
)
_NOT = re.compile(
    r"[\s*_]{0,4}(?:(?:most )?(?:definitely|certainly|clearly|probably|likely|actually|simply|therefore)\s{1,4})?"
    r"(?:not|neither|none|no longer|never|nothing|n['’]t|rather than)\b"
)
_BUT = re.compile(r"(?:[\s*_(]{0,4}[a-z]\.)?[^.\n]{0,80}?\b(?:but(?: rather)?|it['’]?s|it is|rather|instead)\s{1,4}")
_FAR = re.compile(
    rf"{GAP}(?:is|are|was|be)\b(?: (?:therefore|thus|clearly|likely|most likely|probably|the|to be|as follows|"
    rf"that)){{0,4}}"
    r"[\s*_]{0,4}[:：]?[\s*_]{0,4}"
)
_UNLIKELY = re.compile(r"\b(?:unlikely|not|never|neither|rather than|less likely|incorrect)\b|n['’]t\b")
_NAME_THEN_LABEL = re.compile(
    r"[\s*_]{0,3}(?P<name>(?!(?:not|n['’]t|that|if|none|either|neither|"
    r"one)\b)[^\W_][^.,;:?!()\[\]\n]{0,60}?)[\s*_]{1,3}"
    r"(?=[(\[](?:option |choice )?[a-z][)\]])"
)
_NOT_A_NAME = re.compile(
    r"\b(?:not|than|or|but|like|unlike|versus|because|since|which|so|if|unless|except|"
    r"without)\b"
)
_SENTENCE_ENDS = (". ", "! ", "? ")
_SENTENCE_END = re.compile(r"[.!?](?=\s)|\n|[。！？]")


def answer_statements(text: Text) -> list[Statement]:
    """Statements around the word `answer`."""
    return [
        statement
        for cue in _NOUNS
        for word in cue.words
        for at in cues(text.cues, word)
        if (statement := statement_around(text, at, cue)) is not None
    ]


def statement_around(text: Text, at: int, row: Cue) -> Statement | None:
    """The statement around a noun that stands at `at`: what follows it, or what stands before it."""
    low = text.cues
    end = at + LENGTH
    if low[at - 3 : at] == "to " or (at and low[at - 1].isalnum() and low[at - 2 : at] != "\\n"):
        return None  # `to answer`; the n of `\n` in escaped text is no word
    then = low[end : end + 1]
    if then.isalpha() or (then in " _" and low[end + 1 : end + 2] in "csoel" and _PLURAL.match(low, end)):
        return None
    clause = clause_start(low, at)
    if not refused(low, clause, at):
        statement = _after(text, Announced(at, clause, row.rule, row.tier), end, then)
        if statement is not None:
            if statement.weak is None and at > clause and _is_supposed(low, clause, at):
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


def _is_supposed(low: str, clause: int, at: int) -> bool:
    """Whether the clause before the noun makes a condition or a mere possibility of it."""
    line = low.rfind("\n", max(0, at - 2 * CLAUSE), at) + 1
    if "example" in low[line : at + _NEAR_NOUN] and _OF_EXAMPLE.search(low, line, at + _NEAR_NOUN) is not None:
        return True
    return conditional(low, clause, at) or _MAYBE.search(low, max(clause, at - 40), at) is not None


def _after(text: Text, cue: Announced, end: int, then: str) -> Statement | None:
    """What follows the noun names."""
    link = _LINK.match(text.cues, end)
    statement = _after_link(text, link, cue) if link is not None else None
    if statement is None and then in " *,:\n" and (link is None or link.lastgroup in ("verb", "bare", "formal")):
        statement = _far_after(text, cue, end)
    return statement


def _after_link(text: Text, link: re.Match[str], cue: Announced) -> Statement | None:
    """What `answer is ...`, `answer: ...` or a heading `Answer` names."""
    low, at = text.cues, cue.at
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
            cue = Announced(at, cue.clause, rule, "formal", True, *kind)
        else:
            cue = Announced(at, cue.clause, cue.rule, cue.tier, group == "formal", *kind)
    hedged = group == "hedge"
    position = link.end()
    if not (hedged and "not" in link[0]):
        statement = _named(text, position, cue)
        if statement is not None:
            if hedged and statement.weak is None:
                statement.weak = "doubt"
            return statement
    negation = _NOT.match(low, position)
    if negation is not None:
        return _after_not(text, position, negation.end(), cue)
    return _after_not(text, position, position, cue) if hedged and "not" in link[0] else None


def _named(text: Text, position: int, cue: Announced) -> Statement | None:
    """The option that is named at `position`, or after filling words such as `most likely`."""
    statement = _mentioned(text, position, cue)
    if statement is not None or _NOT.match(text.cues, position):
        return statement
    fill = _FILL.match(text.cues, position)
    if fill is None:
        return _text_named(text, position, cue) or _name_then_label(text, position, cue)
    if "one of" in fill[0] and statement is None:
        statement = _mentioned(text, fill.end(), cue)
        if statement is not None and statement.others:
            statement.weak = "doubt"
    if " both" in fill[0] or " either" in fill[0]:  # an option may read `both A and B`
        statement = _text_named(text, position, cue)
    statement = statement or _mentioned(text, fill.end(), cue)
    if statement is None and (negation := _NOT.match(text.cues, fill.end())) is not None:
        statement = _after_not(text, fill.end(), negation.end(), cue)
    return (
        statement
        or _text_named(text, fill.end(), cue)
        or _text_named(text, position, cue)
        or _name_then_label(text, fill.end(), cue)
    )


def _text_named(text: Text, position: int, cue: Announced) -> Statement | None:
    """The option whose whole text stands at `position`."""
    named = named_at(text, position)
    return None if named is None else statement_of(text, named, cue)


def _name_then_label(text: Text, position: int, cue: Announced) -> Statement | None:
    """`HPLC (C)`: a name in other words than the option's, and its label in brackets."""
    named = _NAME_THEN_LABEL.match(text.cues, position)
    if named is None or _NOT_A_NAME.search(named["name"]):
        return None
    label = label_at(text, named.end())
    return None if label is None or label.letter not in text.options else statement_of(text, label, cue)


def _mentioned(text: Text, position: int, cue: Announced) -> Statement | None:
    """The option whose label stands at `position`; an option's text where it reads like labels."""
    mention = mention_at(text, position, formal=cue.formal)
    if mention is None and cue.formal:
        mention = run_together(text, position)
    if mention is None and cue.tier == "sentence" and text.body[position : position + 3].strip(" *")[:1] == "(":
        mention = run_together(text, position)
    if mention is None or (mention.by_text and label_at(text, position, formal=cue.formal) is None):
        return None
    if cue.bare and not (mention.strong or text.body[mention.start].isupper()):
        return None
    if cue.heading and not (mention.strong or text.body[mention.end : mention.end + 1] in ("", "\n", ".", ")", ":")):
        return None
    return statement_of(text, mention, cue)


def _after_not(text: Text, position: int, after: int, cue: Announced) -> Statement:
    """`the answer is not B`, `... is not B but C`, `... is none of the above`."""
    statement = _text_named(text, position, cue)  # an option may read `None of the above`
    if statement is not None:
        return statement if after > position else cue.denies(statement.end, statement.letter)
    but = _BUT.match(text.cues, after)
    if but is not None and "neither" not in text.cues[position:after]:
        label = label_at(text, but.end())
        if label is not None and label.letter in text.options:
            return statement_of(text, label, cue)
    denied = label_at(text, after)
    return cue.denies(after, None) if denied is None else cue.denies(denied.end, denied.letter)


def _far_after(text: Text, cue: Announced, end: int) -> Statement | None:
    """`the answer to the question of whether ... is:` and the option, within one sentence."""
    low = text.cues
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
            if (colon or low[position - 1] in "*_") and (statement := _text_named(text, position, cue)) is not None:
                return statement
        elif label.letter in text.options and (
            label.strong or colon or not text.body[label.end : sentence_end].strip(" .*_")
        ):
            statement = statement_of(text, label, cue)
            if statement.weak is None:
                return statement
    return None


# choosing

_GOOD = words(
    """best correct right final chosen selected preferred optimal ideal accurate suitable appropriate likely fitting
    reasonable valid true proper my only strongest closest recommended answer treatment diagnostic management
    therapeutic"""
)
_NOT_GOOD = words("least incorrect not inaccurate inappropriate wrong false second next n't isn't each every any")
_CHOOSER = re.compile(
    r"(?:\b(?:i|we|but|let['’]?s|let me|let us|therefore|thus|so|hence|finally|my)(?:['’](?:ll|d|m|ve|re))?,?\s{1,4}"
    r"(?:(?:\w{1,12}ly|will|would|have|am|are|was|can|should|must|shall|had|need|decided|going|inclined|choose|"
    r"prefer|want|to|"
    r"now|then|still|also|best|opt|the)\s{1,4}){0,4}|^[\s*_>#-]{0,12})$"
)
_TAIL = re.compile(
    r"(?:e|s|ing|ed|en)?(?:\s{1,4}(?:for|with|on|the|answer|is|as|my|final|to|that)){0,6}(?=[\s:*_])[\s:*_]{0,8}"
)
_MERE = re.compile(r"\b(?:might|may|could|why)\b")
_NEGATIONS = ("not", "n't", "n’t", "never")


def choice_statements(text: Text, start: int = 0) -> list[Statement]:
    """Statements of choosing, from `start` on."""
    found = [
        statement_around(text, at, row)
        for row in _GOOD_NOUNS
        for word in row.words
        for at in cues(text.cues, word, start)
        if _is_good(text.cues, at)
    ]
    found += [
        _chosen(text, at, at + len(word), row)
        for row in _VERBS
        for word in row.words
        for at in cues(text.cues, word, start)
    ]
    return [statement for statement in found if statement is not None]


def _is_good(low: str, at: int) -> bool:
    """Whether the noun at `at` is called best, correct and the like, or begins a line; `choosing the best option` is a
    heading."""
    if low[at + LENGTH : at + LENGTH + 1].isalpha():
        return False  # `options`
    before = low[max(0, at - 40) : at]
    if not _NOT_GOOD.isdisjoint(before.split()[-3:]):
        return False
    good = previous_word(low, 0, at) in _GOOD and "ing the " not in before
    return good or (low.startswith("cho", at) and begins_line(low, at))


def _chosen(text: Text, at: int, end: int, row: Cue) -> Statement | None:
    """What the verb from `at` to `end` chooses, where the model is its subject."""
    low = text.cues
    if at and low[at - 1].isalnum():
        return None
    tail = _TAIL.match(low, end)
    mention = mention_at(text, tail.end(), formal="\n" in tail[0]) if tail is not None else None
    clause = clause_start(low, at)
    if mention is None and (which := _WHICH_IS.match(low, end)) is not None:
        mention = mention_at(text, which.end())
    if mention is None:
        return None
    left = low[max(clause, low.rfind(" but ", clause, at)) : at]
    if _CHOOSER.search(left[-80:]) is None:
        return None
    cue = Announced(at, clause, row.rule, row.tier)
    if any(negation in left for negation in _NEGATIONS):
        return cue.denies(mention.end, mention.letter)
    statement = statement_of(text, mention, cue)
    if statement.weak is None and (conditional(low, clause, at) or _MERE.search(left)):
        statement.weak = "doubt"
    return statement


_WHICH_IS = re.compile(r"[^.,;:\n]{1,90}, (?:which|that) (?:is|would be) ")


# lines

_LINE_WORDS = "|".join(word for cue in _LINES for word in cue.words)
_LABELLED = (
    r"[^\w\n]{0,6}+(?=[a-z])(?:(?:final|correct|my|the|best|selected|model)\s{1,3}){0,2}"
    rf"(?:(?:{_LINE_WORDS})\b[*_.)]{{0,3}}\s{{0,2}}[:=.–—-][\s*_]{{0,4}}|"
    # `Best drug: C`, on one line, and one of a kind
    r"(?:best|correct|right|preferred|recommended|likeliest|"
    r"most \w{4,12})(?: \w{2,14}){0,2} \w{1,13}[a-rt-z][*_]{0,3}:[ *_]{1,4})"
)
_FIRST_LABELLED = re.compile(_LABELLED)
_LABEL_LINE = re.compile("\n(?!\n)" + _LABELLED)
_OTHERS_WRONG = re.compile(r"(?:the )?(?:incorrect|wrong|others?)\b", re.IGNORECASE)


def labelled_line(text: Text) -> Statement | None:
    """The last line such as `Ans: C` or `Diagnosis: (C) Lupus`, with nothing else on it."""
    found: Statement | None = None
    first = _FIRST_LABELLED.match(text.cues)
    lines = [*([first] if first is not None else []), *islice(_LABEL_LINE.finditer(text.cues), LAST_CUES)]
    for announced in reversed(lines):
        start = announced.start() + text.low.startswith("\n", announced.start())
        label = mention_at(text, announced.end(), formal=True) or run_together(text, announced.end())
        if label is None or label.letter not in text.options or label.denied or label.doubt or label.walked:
            continue
        end = text.low.find("\n", label.end)
        rest = text.body[label.end : end if end >= 0 else len(text.body)].strip(" .:*_)\"'-–—,$`]|")
        silent = not rest or label.whole or plain(rest) == text.offered.plain[label.letter]
        if not (silent or label.others or _OTHERS_WRONG.match(rest)):
            continue
        if found is None:
            found = statement_of(text, label, Announced(start, start, "answer_line", "formal"))
        elif found.letter != label.letter:
            found.others = (label.letter,)
    return found
