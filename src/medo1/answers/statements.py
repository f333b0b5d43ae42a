"""Statements that an option is the answer, read around the word `answer`, `choice`, `option` or a verb of choosing.

A statement is found by its cue and read by patterns that are bounded in length and start at that cue. So the cost grows with
the number of cues, which is capped, and never with the text's shape. Called by `medo1.answers.reading`.

Tiers, strongest first: `formal` (a line, a box, a tag: written for a reader who looks for the answer), `sentence` (prose that
says so: `the answer is C`), `choice` (`I would choose C`, `the best option is C`), `conclusion` (`the most likely diagnosis is
C`), `verdict` (`C is the best option`: in a walk through the options several may be called so).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from medo1.answers.labels import Label, label_at
from medo1.answers.text import Text, option_at, own_text_follows

Tier = Literal["formal", "sentence", "choice", "conclusion", "verdict"]
Weak = Literal["denied", "doubt", "not_offered"]

# cues looked at in one text: its last ones, and where there are more its first ones
LAST_CUES = 14
FIRST_CUES = 6
CLAUSE = 240  # characters on either side of a cue that are read


@dataclass(slots=True)
class Statement:
    """One statement that an option is, or is not, the answer.

    Attributes:
        letter: the option; None where it states none.
        start, end: where it stands.
        clause: where the clause that it belongs to begins.
        rule: one of `medo1.answers.answer.RULES`.
        tier: how plainly it states the answer.
        others: further options in the same statement.
        clash: another option that the same words may mean, and the rule that says so.
        weak: why it does not count, None where it does.
        denies: the option that it says is not the answer.
    """

    letter: str | None
    start: int
    end: int
    rule: str
    tier: Tier
    clause: int
    others: tuple[str, ...] = ()
    clash: str | None = None
    weak: Weak | None = None
    denies: str | None = None

    @property
    def counts(self) -> bool:
        """Whether it states an option without taking it back in the same breath."""
        return self.weak is None and self.letter is not None


def cues(low: str, cue: str, start: int = 0) -> list[int]:
    """Where a cue stands from `start` on, in order: all places up to a cap, beyond it the first ones and the last ones."""
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
    found = []
    at = low.rfind(cue)
    while len(found) < LAST_CUES and at > after:
        found.append(at)
        at = low.rfind(cue, 0, at)
    return found[::-1]


def clause_start(low: str, at: int) -> int:
    """Where the clause before `at` begins: after the last sentence end or line break, at most `CLAUSE` characters back."""
    start = at - CLAUSE if at > CLAUSE else 0
    line = low.rfind("\n", start, at)
    if line >= 0:
        start = line + 1
    stop = low.rfind(". ", start, at)
    if stop >= 0:
        start = stop + 2
    if at - start > 4:  # noqa: PLR2004
        clause = low[start:at]
        for mark in ("?", "!", ";", "。", "\\n"):
            if mark in clause:
                end = clause.rfind(mark) + len(mark)
                if end == len(clause) or mark in "。\\n" or clause[end] == " ":
                    start, clause = start + end, clause[end:]
    return start


_MARKS = " \t*_\"'`()[]{}<>|#“”‘’,:-"


def _previous_word(low: str, start: int, at: int) -> str:
    """The last word of a clause, without marks."""
    before = low[start if start > at - 32 else at - 32 : at].rstrip(_MARKS)
    return before[before.rfind(" ") + 1 :].strip(_MARKS)


_BAD_WORDS = frozenset(
    "incorrect inaccurate wrong not no partial alternative possible potential plausible tempting initial "
    "first previous earlier original common student students other another"
    "second false example sample attractive distractor each every any single user provide give neither "
    "nor never find verify check determine an to will can cannot could"
    " should must may might you they people who".split()
)
_DENIED_BEFORE = re.compile(
    r"\b(?:do|does|did|would|can|could)(?:n['’]t| not|not)\s+(?:really\s+)?(?:think|believe|say|consider|"
    r"feel|conclude|mean|see|support|know)\b[^.]{0,80}$"
)
_CONDITION = re.compile(
    r"(?<!even )\b(?:if|unless|suppose|supposing)\b(?!\s+(?:i|we|one|you)\s+(?:had|have|must|were|was|am|"
    r"are|can|could)?\s*(?:to|forced|only|pick|choose|select|guess)|\s+(?:any|forced|necessary|needed|so|"
    r"not))"
)
TENTATIVE = re.compile(
    r"\b(?:perhaps|maybe|probably|possibly|likely|seems?|appears?|leaning|lean|guess|suspect|think|"
    r"thinking|thought|might|could|suppose|tentative\w*|so far|for now|initial\w*|currently)\b"
)
_GOOD_BEFORE = frozenset(
    "best correct right final chosen selected preferred optimal ideal accurate suitable appropriate "
    "likely fitting reasonable valid true proper my only strongest closest recommended answer treatment"
    " diagnostic management therapeutic".split()
)
_BAD_GOOD = frozenset("least incorrect not inaccurate inappropriate wrong false second next n't isn't".split())

# what may stand between a cue and what it names
_LINK = re.compile(
    r"(?P<tail>(?:\(s\))?(?:[_ ](?:choice|option|letter|idx|index|"
    r"key)(?![a-z]))?(?:\s?\([^()\n]{1,40}\))?(?:\s?\[[^\[\]\n]{1,24}\](?=\s*[:：=]))?(?:\s#?\d{1,3}(?"
    r"=\s*[:：]))?[*_`\"'”’)\]}】」]{0,6})"
    r"(?:(?P<verb>[\s*_]{1,3}(?:is|are|was|would be|should be|must be|will be|has to be|ought to be|"
    r"remains|becomes|would have to be|needs to be|seems to be|appears to be|seems|appears|"
    r"lies in|corresponds to|would seem to be|being|=)(?![a-z\d]))"
    r"|(?P<formal>[\s*_]{0,3}(?:[:：=|»]|-{1,2}>|→|⇒|➜|⟶|➡|–|—|-(?=\s)|>{1,3})[\s*_:：=>|]{0,8})"
    r"|(?P<hedge>[\s*_]{1,3}(?:could|might|may|can|cannot|could not|can't)(?:\s\w+ly)?(?:\snot)?\sbe(?![a-z]))"
    r"|(?P<heading>[*_:：\s]{0,4}\n[\s*_>#-]{0,12})"
    r"|(?P<bare>[ \t]?(?=[(\[*]{1,3}[a-z][)\]*.])|[ \t](?=[a-z](?:[.)]|\s*$))|(?<=\])[ \t]?(?=[a-z](?![a-z0-9]))))"
)
_FILL = re.compile(
    r"(?:[\s*_,:：]{0,4}(?:most likely|likely|most probably|probably|clearly|therefore|thus|hence|"
    r"definitely|certainly|indeed|still|simply|actually|then|now|in fact|obviously|undoubtedly|"
    r"as follows|the following|given by|to be|going to be|best represented by|represented by|indicated by|"
    r"also|quite|either|both|best described as|best|closest to|that of|"
    r"most closely|found in|given as|listed as|under|stated in|labell?ed|one of)\b){1,4}"
)
_NOT = re.compile(
    r"[\s*_]{0,4}(?:(?:most )?(?:definitely|certainly|clearly|probably|likely|actually|simply|"
    r"therefore)\s+)?(?:not|neither|none|no longer|never|nothing|n['’]t|rather than)\b"
)
_BUT = re.compile(r"[^.\n]{0,80}?\b(?:but(?: rather)?|it['’]?s|it is|rather|instead)\s+")
_FAR = re.compile(
    r"\b(?:is|are|was|be)\b(?: (?:therefore|thus|clearly|likely|most likely|probably|the|to be|as follows|"
    r"that))*[\s*_]*[:：]?[\s*_]*"
)
_UNLIKELY = re.compile(r"\b(?:unlikely|not|never|neither|rather than|less likely|incorrect)\b|n['’]t\b")
_SENTENCE_END = re.compile(r"[.!?](?=\s)|\n|[。！？]")
_LINE_LEAD = re.compile(
    r"[^\w\n]*(?:\d{1,2}[.)]\s*[*_]*)?(?:(?:so|thus|therefore|hence|conclusion|and)[,:]?\s*)?(?:(?:the|my|"
    r"our|your|a|model|single|is|short|brief|proposed|suggested)\s+)*"
    r"(?:(?:final|correct|best|right|most likely|most appropriate|selected|chosen|overall|predicted|"
    r"most probable|most accurate|exact|actual|true)\s+(?:and\s+)?){0,2}(?:diagnosis and |"
    r"multiple[- ]choice )?[^\w\n]{0,8}$"
)


def begins_line(low: str, at: int) -> bool:
    """Whether only marks and a few words such as `the final` stand before `at` on its line."""
    start = low.rfind("\n", max(0, at - 60), at) + 1
    if start == 0 and at > 60:  # noqa: PLR2004
        return False
    return start == at or _LINE_LEAD.match(low[start:at]) is not None


def answer_statements(text: Text) -> list[Statement]:
    """Statements around the word `answer`."""
    found = []
    for at in cues(text.low, "answer"):
        statement = statement_around(text, at, "sentence")
        if statement is not None:
            found.append(statement)
    return found


def choice_statements(text: Text, start: int = 0) -> list[Statement]:
    """Statements around `choice`, `option` and verbs of choosing, from `start` on."""
    low = text.low
    found: list[Statement | None] = []
    if len(low) - start < 400 and _CHOICE_HINT.search(low, start) is None:  # noqa: PLR2004
        return []
    for cue in ("cho", "opt"):
        for at in cues(low, cue, start):
            if low.startswith(("choice", "option"), at):
                good = (
                    _previous_word(low, 0, at) in _GOOD_BEFORE
                    and low.find("ing the ", max(0, at - 40), at) < 0
                    and _BAD_GOOD.isdisjoint(low[max(0, at - 40) : at].split()[-3:])
                )
                if good or (cue == "cho" and begins_line(low, at)):
                    found.append(statement_around(text, at, "choice"))
            else:
                for verb in _CHO_VERBS:
                    if low.startswith(verb, at):
                        found.append(_chosen(text, at, at + len(verb)))
    for verb in ("select", "pick"):
        found.extend(_chosen(text, at, at + len(verb)) for at in cues(low, verb, start))
    for at in cues(low, "go", start):
        for verb in ("go with", "going with"):
            if low.startswith(verb, at):
                found.append(_chosen(text, at, at + len(verb)))
    return [statement for statement in found if statement is not None]


_CHO_VERBS = ("choos", "chose", "opt for", "opting for")
_CHOICE_HINT = re.compile(r"cho[ios]|option|select|pick|(?:go|going) with|opt(?:ing)? for")


def statement_around(text: Text, at: int, tier: Tier) -> Statement | None:
    """The statement around a noun that stands at `at`: what follows it, or what stands before it."""
    low = text.low
    end = at + 6
    if low[at - 3 : at] == "to " or (at and low[at - 1].isalnum() and low[at - 2 : at] != "\\n"):
        return None
    then = low[end : end + 1]
    if then.isalpha() or (then in " _" and low[end + 1 : end + 2] in "ckosel" and _PLURAL.match(low, end)):
        return None
    start = clause_start(low, at)
    word = _previous_word(low, start, at) if at > start else ""
    refused = (
        word in _BAD_WORDS
        or word.endswith(("n't", "n’t"))
        or (word == "the" and low[start : at - 4].rstrip().endswith(("if", "whether", "why")))
    )
    if not refused and at - start > 8 and (low.find("n't ", start, at) >= 0 or low.find(" not ", start, at) >= 0):  # noqa: PLR2004
        refused = _DENIED_BEFORE.search(low, start, at) is not None
    if not refused:
        link = _LINK.match(low, end)
        statement = _after_link(text, link, at, start, tier) if link is not None else None
        if statement is None and (link is None or link["verb"] or link["bare"] is not None) and then in " *,\n":
            statement = _far_after(text, end, at, start, tier)
        if statement is not None:
            if (
                statement.weak is None
                and at - start > 5
                and (conditional(low, start, at) or _MAYBE.search(low, max(start, at - 40), at))
            ):  # noqa: PLR2004
                statement.weak = "doubt"
            return statement
    return _before(text, at, start) if at - start > 3 else None  # noqa: PLR2004


_MAYBE = re.compile(r"\b(?:maybe|perhaps|possibly|might|could)\b")
_PLURAL = re.compile(r"[ _](?:choices|options|sheet|explanations?|letters)\b")


def conditional(low: str, start: int, at: int) -> bool:
    """Whether the clause up to `at` makes what follows a condition's consequence."""
    if at - start < 6:  # noqa: PLR2004
        return False
    clause = low[start:at]
    return ("if " in clause or "unless" in clause or "suppos" in clause) and _CONDITION.search(clause) is not None


def _after_link(text: Text, link: re.Match[str], at: int, start: int, tier: Tier) -> Statement | None:
    """What `answer is ...`, `answer: ...` or a heading `Answer` names."""
    low = text.low
    position = link.end()
    group = link.lastgroup
    line = begins_line(low, at) if group in ("formal", "heading", "bare") else False
    if (group == "heading" and not line) or (
        group == "bare"
        and (link["tail"].strip(" *_\"')]") or not (line or low[at - 4 : at] == "the " or low[at - 1 : at] == "["))
    ):
        return None
    quoted = low[at - 1 : at] in ("<", '"', "'") or low[max(0, at - 1) : at] == "_"
    rule, named_tier = "answer_sentence" if tier == "sentence" else "choice_sentence", tier
    if group in ("formal", "heading", "bare") and ((quoted and link["tail"].strip()) or low[at - 1 : at] in ("<", "[")):
        rule, named_tier = "tag", "formal"
    elif line:
        rule, named_tier = ("final_line" if "final" in low[max(0, at - 24) : at] else "answer_line"), "formal"
    hedged = group == "hedge"
    formal = named_tier == "formal" or group == "formal"
    if not (hedged and "not" in link[0]):
        statement = _named_at(
            text, position, at, start, rule, named_tier, formal=formal, heading=group == "heading", bare=group == "bare"
        )
        if statement is not None:
            if hedged and statement.weak is None:
                statement.weak = "doubt"
            return statement
    negation = _NOT.match(low, position)
    if negation is not None or (hedged and "not" in link[0]):
        return _after_not(text, negation, position, at, start, tier)
    return None


def _named_at(
    text: Text,
    position: int,
    at: int,
    start: int,
    rule: str,
    tier: Tier,
    *,
    formal: bool,
    heading: bool = False,
    bare: bool = False,
) -> Statement | None:
    """The label or the option's text at `position`, or after filling words (`most likely`)."""
    statement = _labelled_at(text, position, at, start, rule, tier, formal=formal, heading=heading, bare=bare)
    if statement is not None:
        return statement
    if _NOT.match(text.low, position):
        return None
    fill = _FILL.match(text.low, position)
    if (
        fill is not None
        and (" both" in fill[0] or " either" in fill[0])
        and (named := option_at(text, position)) is not None
    ):
        return Statement(named.letter, at, named.end, "option_text", tier, start)
    if fill is not None:
        statement = _labelled_at(text, fill.end(), at, start, rule, tier, formal=formal, heading=heading, bare=bare)
        if statement is not None:
            return statement
        if (negation := _NOT.match(text.low, fill.end())) is not None:
            return _after_not(text, negation, fill.end(), at, start, tier)
    for place in (position,) if fill is None else (fill.end(), position):
        named = option_at(text, place)
        if named is not None:
            return Statement(
                named.letter, at, named.end, rule if rule in ("tag", "boxed") else "option_text", tier, start
            )
    return None


def _labelled_at(
    text: Text, position: int, at: int, start: int, rule: str, tier: Tier, *, formal: bool, heading: bool, bare: bool
) -> Statement | None:
    """The statement of the label at `position`."""
    label = label_at(text, position, formal=formal)
    if label is None or (bare and not (label.strong or text.body[label.start].isupper())):
        return None
    if (label.others or label.letter not in text.options) and (named := option_at(text, position)) is not None:
        return Statement(named.letter, at, named.end, "option_text", tier, start)  # an option that reads `both A and B`
    if heading and not (label.strong or text.body[label.end : label.end + 1] in ("", "\n", ".", ")", ":")):
        return None
    return from_label(text, label, at, start, rule, tier)


def _after_not(text: Text, negation: re.Match[str] | None, position: int, at: int, start: int, tier: Tier) -> Statement:
    """`the answer is not B`, `... is not B but C`, `... is none of the above`."""
    named = option_at(text, position)  # an option that reads `None of the above`
    if named is not None:
        return Statement(named.letter, at, named.end, "option_text", tier, start)
    after = negation.end() if negation is not None else position
    denied = label_at(text, after)
    but = _BUT.match(text.low, after)
    if but is not None and "neither" not in text.low[position:after]:
        label = label_at(text, but.end())
        if label is not None and label.letter in text.options:
            return from_label(text, label, at, start, "answer_sentence", tier)
    end = denied.end if denied is not None else after
    return Statement(
        None, at, end, "answer_sentence", tier, start, weak="denied", denies=denied.letter if denied else None
    )


def from_label(text: Text, label: Label, at: int, start: int, rule: str, tier: Tier) -> Statement:
    """A statement from the label that it names."""
    statement = Statement(label.letter, at, label.own_end or label.end, rule, tier, start, label.others)
    if label.letter not in text.options:
        statement.letter, statement.weak = None, "not_offered"
    elif label.doubt:
        statement.weak = "doubt"
    elif label.denied:
        statement.letter, statement.weak, statement.denies = None, "denied", label.letter
    elif label.others and len(label.others) + 1 >= len(text.options) > 2:  # noqa: PLR2004
        statement.weak = "doubt"  # `A, B, C or D` repeats what was asked
    elif label.clash is not None:
        statement.clash = "letter_and_text"
    elif not label.strong and tier != "formal" and not label.others:
        letter = label.letter
        if any(
            key != letter and len(option) <= 3 and option.strip(" .").upper() == letter
            for key, option in text.options.items()
        ):  # noqa: PLR2004
            statement.clash = "letter_or_text"  # blood groups, vitamins: prose does not say which is meant
    return statement


def _far_after(text: Text, end: int, at: int, start: int, tier: Tier) -> Statement | None:
    """`the answer to the question of whether ... is:` and the option, within one sentence."""
    low = text.low
    limit = min(len(low), end + CLAUSE + 80)
    stop = _SENTENCE_END.search(low, end + 1, limit)
    rule = "answer_sentence" if tier == "sentence" else "choice_sentence"
    for link in islice(_FAR.finditer(low, end, min(len(low), (stop.start() if stop else limit) + 1)), FIRST_CUES):
        position = link.end()
        if _NOT.match(low, position) or _UNLIKELY.search(low, end, position):
            continue
        colon = ":" in link[0] or "：" in link[0]
        label = label_at(text, position, formal=colon)
        ends = label is not None and not text.body[label.end : stop.start() if stop else limit].strip(" .*_")
        if label is not None and (label.strong or colon or ends) and label.letter in text.options:
            statement = from_label(text, label, at, start, rule, tier)
            if statement.weak is None:
                return statement
        if label is None and (colon or low[position - 1] in "*_"):
            named = option_at(text, position)
            if named is not None:
                return Statement(named.letter, at, named.end, "option_text", tier, start)
    return None


# ------------------------------------------------------------------------------------------ labels that precede their cue
_IS_THE = re.compile(
    r"(?:\b(?:is|are|be|being|as|remains|represents|was|provides|offers|constitutes|seems|appears|"
    r"looks like|would be|stands out as|becomes|makes)\b|['’]s)"
    r"\s+(?P<mid>(?:(?:\w+ly|thus|indeed|still|then|to be|both|likely|in fact)\s+){0,2}(?:the|our|my|a|"
    r"an)?\s*(?:[\w/-]+,?\s+){0,4})$"
)
_BAD_MID = re.compile(
    r"\b(?P<no>not|never|hardly|neither|in(?:correct|accurate|appropriate)|wrong|false|least|less|"
    r"unlikely)\b|\b(?:another|also|possible|plausible|potential|alternative|a|an|second|partial\w*|part|"
    r"one|among|close|good|"
    r"reasonable|tempting|often|sometimes|usually|typically|considered|generally)\b"
)
_NEAR = 72  # characters before a noun that may hold `is the most appropriate`
_VERB_BEFORE = re.compile(r"(?:(?P<no>\bnot|\bnever|n['’]t)|\b(?:may|might|could|can|would))\s+(?:also\s+)?$")
_SUBJECT_LABEL = re.compile(
    r"(?<![A-Za-z0-9])(?:(?P<noun>option|choice|answer|"
    r"letter)\s+)?(?P<open>[*_(\[\"'“]{0,5})(?P<letter>[A-Z])(?P<close>[*_)\]\"'”.:]{0,5})(?![A-Za-z0-9'’-])",
    re.IGNORECASE,
)
SUBJECT_LEAD = re.compile(
    r"[\s,;:*_>#\"'“-]*(?:(?:so|thus|therefore|hence|and|because|that|this means|this makes|consequently|"
    r"overall|in conclusion|in summary|to summarize|given this|i think|i believe|we conclude|it is clear|"
    r"clearly|as such|means|(?:among|of|out of|given|based on|"
    r"considering) [^,\n]{1,80},)[\s,:]*(?:that\s+)?){0,3}",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"[\w\s,*)]{0,24}\?")
_IS_WORDS = (
    " is ",
    "'s ",
    "’s ",
    " be ",
    " are ",
    " as ",
    " was ",
    "remains",
    "seems",
    "appears",
    "makes",
    "offers",
    "being",
    "represents",
    "becomes",
    "provides",
)


def _before(text: Text, at: int, start: int) -> Statement | None:
    """`C is the correct answer`: the label, or an option's whole text, before the noun."""
    low = text.low
    near = low[max(start, at - _NEAR) : at]
    if not any(word in near for word in _IS_WORDS):
        return None
    is_the = _IS_THE.search(near)
    if is_the is None:
        return None
    verb_at = at - len(near) + is_the.start()
    subject = text.body[start:verb_at]
    found = subject_label(text, subject)
    if found is not None:
        if own_text_follows(text, found[0], start + found[1] + 1) > at:
            return None  # the noun is part of the option's own text
        statement = Statement(found[0], start + found[1], at + 6, "answer_sentence", "verdict", start)
    else:
        lead = SUBJECT_LEAD.match(subject)
        begin = start + (lead.end() if lead else 0)
        named = option_at(text, begin)
        if named is None or named.end < start + len(subject.rstrip(" *_\"'")):
            return None
        statement = Statement(named.letter, named.start, at + 6, "option_text", "verdict", start)
    bad = _BAD_MID.search(is_the["mid"])
    verb = _VERB_BEFORE.search(low, max(start, verb_at - 20), verb_at)
    if (bad is not None and bad["no"]) or (verb is not None and verb["no"]):
        statement.letter, statement.weak, statement.denies = None, "denied", statement.letter
    elif bad is not None or verb is not None or conditional(low, start, at) or _QUESTION.match(low, at + 6):
        statement.weak = "doubt"
    return statement


def subject_label(text: Text, subject: str) -> tuple[str, int] | None:
    """The one label in a sentence's subject and where it stands; None where there is none or more than one."""
    found: dict[str, int] = {}
    for match in _SUBJECT_LABEL.finditer(subject):
        letter, close = match["letter"], match["close"]
        if letter not in text.options:
            continue
        rest = subject[match.end() :].lstrip(" (,:-–*_\"'").lower()
        named = bool(rest) and rest.startswith(text.options[letter].lower()) and text.options[letter] != ""
        if not (
            named
            or match["noun"]
            or close[:1] == ")"
            or (match["open"] and close and match["open"][-1] in "([*" and close[0] in ")]*")
        ):
            lead = SUBJECT_LEAD.match(subject)
            alone = not subject[match.end() :].strip() or close[:1] in (".", ":")
            if not alone or lead is None or lead.end() < match.start():
                continue
        found[letter] = match.start("letter")
    if len(found) != 1:
        return None
    return next(iter(found.items()))


# ------------------------------------------------------------------------------------------------------- verbs of choosing
_CHOOSER = re.compile(
    r"(?:\b(?:i|we|let['’]?s|let me|let us|therefore|thus|so|hence|finally|my)(?:['’](?:ll|d|m|ve|"
    r"re))?,?\s+(?:(?:\w+ly|will|would|have|am|are|was|can|should|must|shall|had|need|decided|going|"
    r"inclined|choose|prefer|want|to|now|then|still|also|"
    r"best|opt|the)\s+){0,4}|^[\s*_>#-]*)$"
)
_CHOICE_TAIL = re.compile(
    r"(?:e|s|ing|ed|en)?(?:\s+(?:for|with|on|the|answer|is|as|my|final|to|that))*(?=[\s:*_])[\s:*_]*"
)


def _chosen(text: Text, at: int, end: int) -> Statement | None:
    """`I choose C`, `I would go with option C`."""
    low = text.low
    if at and low[at - 1].isalnum():
        return None
    tail = _CHOICE_TAIL.match(low, end)
    label = label_at(text, tail.end()) if tail is not None else None
    if label is None:
        return None
    start = clause_start(low, at)
    left = low[start:at]
    if _CHOOSER.search(left) is None:
        return None
    statement = from_label(text, label, at, start, "choice_sentence", "choice")
    if "not" in left or "n't" in left or "n’t" in left or "never" in left:
        statement.letter, statement.weak, statement.denies = None, "denied", label.letter
    elif statement.weak is None and (conditional(low, start, at) or re.search(r"\b(?:might|may|could|why)\b", left)):
        statement.weak = "doubt"
    return statement
