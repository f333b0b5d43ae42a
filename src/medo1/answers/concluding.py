"""Conclusions: sentences that name an option without calling it the answer.

`The most likely diagnosis is **(C) Lupus**`, `Option C appears to be the most appropriate next step`, a line that ends
with a colon and the option below it. They count only where nothing is stated more plainly, and in the text's last
paragraphs (or its first sentence): the same words in its middle are part of weighing the options.
"""

# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re
from itertools import islice

from medo1.answers.candidates import Mention, label_at, mention_at, named_at
from medo1.answers.statements import Announced, Statement, conditional, statement_of
from medo1.answers.text import BLANK, Named, Text, option_at, own_text_follows, words

TAIL = 1600  # characters looked at, from the end
_PARAGRAPHS = 4  # looked at, from the end
_SUBJECT = 160  # characters of a sentence before its verdict
_LINES = 24  # of a paragraph
_LINE = 800  # characters of a line, from its end
_MENTIONS = 24  # of letters in a line
_TEXT_TAIL = 300  # characters that may follow a conclusion that names no letter
_OPENING = 400  # characters of a first sentence

# a sentence that concludes holds one of these
_WEIGHT = re.compile(
    r"\b(?:most|best|likely|likeliest|correct|closest|first[- ]line|primary|main|appropriate|optimal|ideal|"
    r"preferred|key|"
    r"strongest|only|conclusion|conclude|therefore|thus|hence|consequently|overall|diagnosis|choice|option|"
    r"based on|given|"
    r"considering|in summary|right|accurate|suitable|next step|cause|eliminat\w{1,5}|leav(?:es|ing)|left with|"
    r"stands out|"
    r"highest|greatest|increased risk|lowest|least|excluded|not|false|directly|associated|characteristic|first)\b"
)
_STRONG_WEIGHT = re.compile(
    r"\b(?:most (?!of\b)\w{3,20}|best|correct|first[- ]line|therefore|thus|conclu\w{2,6}|greatest|highest)\b"
    r"|^[\s*_#>]{0,6}(?:so )?(?:the|this|my) (?:final |probable |underlying )?diagnosis is\b"
)
_MAYBE = re.compile(
    r"\b(?:maybe|perhaps|possibly|might|mistake|pitfall|misconception|distractor|(?:another|one|other|second|"
    r"possible|plausible|alternative|potential) "
    r"(?:\w{1,16} )?(?:option|choice|possibility|answer|alternative|diagnosis|cause)(?! (?:that|which)))\b"
)
_MODAL = re.compile(r"\b(?:could|might|may|can)\s(?:also\s)?be\b[\s*_]{0,4}$")
_DENIED = re.compile(
    r"(?:\b(?:not|cannot|never|unlikely|ruled? out|exclud\w{1,4}|rather than|instead of|than|unlike|versus|vs|"
    r"similar to|such as|"
    r"or|without|compared (?:to|with)|except)|n['’]t)\s{0,3}(?:(?:be|is|a|an|the|to)\s{1,3}){0,2}[*_\"“(]{0,4}$"
)
_NEGATED_CLAUSE = re.compile(r"\b(?:not|never|unlikely|less|neither|nor|no|without|rather)\b|n['’]t\b")
_LISTS = re.compile(
    r"(?:\b(?:options|choices|possibilities|answers|alternatives|candidates|culprits|include|includes|including)\b"
    r"(?:\s(?:\w{1,12}\s)?(?:are|were|include))?|\bthe following)$"
)
_PLURAL_LIST = re.compile(
    r"\bhere (?:are|is)\b|\b(?:options|choices|answers|alternatives|candidates)\b[^.:]{0,40}\b(?:are|were)\b"
)
_WALKS = re.compile(
    r"\b(?:let['’]?s|let us|analy[sz]e|analy[sz]ing|evaluat(?:e|ing)|look at|step[- ]by[- ]step|one by one|"
    r"each (?:\w{1,12} )?(?:option|choice|of)|break (?:it|this) down|compare|review|eliminate|go through|"
    r"examine|consider)\b"
)
# a line that ends with a colon and announces no answer: it announces findings, reasons, lists
_ANNOUNCES_OTHER = re.compile(
    r"\b(?:options?|choices|possibilities|answers|alternatives|candidates|following|steps?|reasons?|findings|"
    r"features|symptoms|"
    r"signs|information|analysis|explanation|question|reasoning|rationale|history|presentation|vignette|example|"
    r"note|because|"
    r"why|incorrect|wrong|unlikely|false|less likely|ruled out|excluded|others?|here|points?|considerations?|"
    r"differential(?: diagnos[ie]s)?|"
    r"include[sd]?|including|are|were|(?:each|every|any|all|possible|remaining) (?:answer )?(?:choice|option|answer))"
    r"[\s*_]{0,4}$"
)
_STEP_FOLLOWS = re.compile(
    r"\b(?:next|first|initial|best|proper|appropriate|final|correct|management|diagnostic|single) (?:\w{1,12} )?step$"
)
_COPULA_END = re.compile(
    r"\b(?:is|be|was|remains|represents|by|from|for|to|of|with|as|at|in|diagnosis|conclusion|choice|selection|"
    r"treatment|recommendation|"
    r"decision|management|step|therapy|demonstrate|show|reveal|option|answer|drug|cause|agent|test|fits|matches|"
    r"explains|describes|shows|demonstrates|reveals|suggests|indicates|represents|causes|involves|requires|comes)\b"
    r"(?:[\s*_,]{1,4}(?:therefore|thus|likely|probably|clearly|most likely|as follows|now|then|"
    r"this)){0,2}[\s*_\"“(]{0,4}$"
)
_BULLETS = ("- ", "• ", "* ", "+ ")
_CONCLUDES = re.compile(
    r"[\s*_>#-]{0,6}(?:therefore|thus|hence|so|consequently|in conclusion|in summary|overall|based on|given|"
    r"considering)\b"
    r"|[^.:\n]{0,200}\b(?:most (?!of\b)\w{4,14}|best|correct|greatest|highest)\b"
)
_PLURALS = re.compile(
    r"\b(?:steps|causes|reasons|practices|diagnoses|agents|drugs|findings|features|conditions|factors|"
    r"treatments|tests)\b"
)
_ONE = re.compile(r"\b(?:is|one|be|was)\b")
_HEADINGS = frozenset(f"{kind}{noun}" for kind in ("", "final ") for noun in ("conclusion", "decision", "choice"))
_ITEM = re.compile(
    r"[\s>#]{0,8}(?:[-•*+]\s{1,3}|\d{1,2}[.)]\s{1,3})?[*_]{0,3}(?:option\s)?[(\[]?(?P<letter>[A-Z])[)\].:*]",
    re.ASCII | re.IGNORECASE,
)
_ITEM_BELOW = re.compile(
    r"\n[\s>#]{0,6}(?:[-•*+]\s{1,3}|\d{1,2}[.)]\s{1,3})?[*_]{0,3}(?:[Oo]ption\s)?[(\[]?(?P<letter>[A-Z])[)\].:*]"
)
_FOLLOWS = re.compile(r"\b(?:therefore|thus|hence|so|however|but|overall|in conclusion|consequently|among these)\b")


def conclusion(text: Text, *, ended: bool = True) -> Statement | None:
    """The conclusion that the text's end states, with `others` where the deciding paragraph names several options.

    `ended` says that the text is known not to be cut, so that its last line is not the first of a list's.
    """
    low = text.low
    floor = max(0, len(low) - TAIL)
    end = len(low.rstrip())
    for _ in range(_PARAGRAPHS):
        if end <= floor:
            break
        at = low.rfind("\n\n", floor, end)
        start = at + 2 if at >= 0 else floor
        found = _below_a_colon(text, start, end, floor, ended=ended)
        line = low.rfind("\n", start, end) + 1
        if found is None and line > start:
            found = _below_a_colon(text, line, end, floor, ended=ended)
        if found is not None:
            return found
        several = _in_paragraph(text, start, end)
        if several:
            return _deciding(low, several)
        end = len(low[:start].rstrip())
    return _in_first_sentence(text)


def _in_first_sentence(text: Text) -> Statement | None:
    """The conclusion that a text opens with, where it gives its reasons after it."""
    start = len(text.low) - len(text.low.lstrip())
    stop = re.compile(r"[.!?](?=\s)|\n").search(text.low, start, start + _OPENING)
    if stop is None:
        return None
    found = _in_line(text, start, stop.end(), strong=True)
    return _deciding(text.low, found) if found else None


def _deciding(low: str, found: list[Statement]) -> Statement:
    """The last conclusion of a paragraph; the earlier ones stand against it unless it follows from them."""
    last = found[-1]
    others = {statement.letter for statement in found} - {last.letter}
    if others and _FOLLOWS.search(low, found[-2].end, last.start) is None:
        last.others = tuple(sorted({*last.others, *(letter for letter in others if letter)}))
    return last


def _below_a_colon(text: Text, start: int, end: int, floor: int, *, ended: bool) -> Statement | None:  # noqa: PLR0911
    """`... the best next step is:` and, on a line of its own, the option."""
    low = text.low
    announces = text.cues[floor:start].rstrip().rstrip("*_ ")
    line = announces[announces.rfind("\n") + 1 :]
    heading = line.strip("#*_: ") in _HEADINGS
    if not (heading or announces.endswith((":", "：", " is", " be", " is -", " was"))):
        return None
    sentence = line[line.rfind(". ") + 1 :].rstrip(":：*_ -")
    if not (heading or announcing(sentence)):
        return None
    cue = Announced(start, start, "conclusion", "conclusion", formal=True)
    mention = mention_at(text, start, formal=True)
    if mention is None or mention.letter not in text.options or mention.denied or mention.doubt or mention.walked:
        return None
    line_end = low.find("\n", mention.last, end)
    line_end = line_end if line_end >= 0 else end
    rest = text.body[mention.last : line_end]
    bullet = text.body[start : mention.start].lstrip().startswith(_BULLETS)
    if bullet and not ended and not text.low[line_end:].strip():
        return None
    if mention.by_text:
        if rest.strip(" .*_\"')"):
            return None
        return statement_of(text, mention, cue._replace(rule="conclusion_text"))
    if heading and not mention.strong:
        return None
    if not (mention.strong or not rest.strip(" .*_\"')")):
        return None
    if bullet and rest.lstrip(" *_")[:1] in (":", "-", "–"):
        return None  # a turn of a walk
    own_line = mention.whole or not rest.strip(" .*_\"')") or not text.options[mention.letter]
    if (not own_line and rest.lstrip(" *_")[:1] in (":", "-", "–")) or _listed(text, mention, start, line_end):
        return None
    return statement_of(text, mention, cue)


def announcing(sentence: str) -> bool:
    """Whether a sentence that ends with a colon announces a conclusion: no list of options, no walk through them, no
    condition, nothing denied, and it ends with a verb or a noun that the option completes."""
    last = sentence[-60:].strip()
    if _ANNOUNCES_OTHER.search(last) and not _STEP_FOLLOWS.search(last):
        return False
    return (
        (_COPULA_END.search(last) is not None or _CONCLUDES.match(sentence) is not None)
        and not _DENIED.search(last)
        and not _PLURAL_LIST.search(sentence)
        and (_PLURALS.search(last) is None or _ONE.search(last) is not None)
        and not conditional(sentence, 0, len(sentence))
        and not _WALKS.search(sentence, sentence.rfind(",") + 1)
    )


def _listed(text: Text, mention: Mention, start: int, line_end: int) -> bool:
    """Whether the label is an item of a list: another option's label begins a line below it, or the one above it."""
    for item in islice(_ITEM_BELOW.finditer(text.body, line_end, line_end + TAIL), _LINES):
        if item["letter"] in text.options and item["letter"] != mention.letter:
            return True
    above = text.body.rfind("\n", 0, max(0, len(text.body[:start].rstrip())))
    item_above = _ITEM.match(text.body, above + 1) if above >= 0 else None
    return (
        item_above is not None
        and item_above["letter"].upper() in set(text.options) - {mention.letter}
        and (text.body[above + 1 : start].count("\n") <= 1)
    )


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


_MENTION = re.compile(
    r"\([A-Z]\)|\[[A-Z]\]|\((?:[Oo]ption|[Cc]hoice) [A-Z]\)|\*\*\(?[A-Z](?=[).:*\s])|"
    r"(?<![A-Za-z0-9(])[A-Z](?=[).:]|\s[-–—]\s|\.?\*{0,3}$)|"
    r"\b[Oo]ption \(?[A-Z]\b"
)
_COPULAS = words("is are was be represents remains leaves leaving which") | {"leaves us with", "left with"}
_NAMES = re.compile(
    r"\b(?P<verb>is|are|was|be|represents|remains|leaves us with|left with|leaves|leaving|involves|with|administer|"
    r"perform|to|at|by|from|of|as|in|for|demonstrates|shows|suggests|indicates)(?P<colon>[\s*_\"“]{0,4}:)?"
    r"(?:\s{1,3}(?:therefore|thus|clearly|likely|most likely|probably|to|by|the|option|an|a)){0,6}[\s*_\"“(\[]{0,4}$"
)
# a name in other words than the option's stands between the verb and the label in brackets
_NAMES_FIRST = re.compile(
    r"\b(?P<verb>is|are|was|be|represents|remains|risk for|demonstrates|shows|suggests|"
    r"indicates)\b(?P<name>[^.;:?!\n()\[\]]{2,90})$"
)
_COPULA = re.compile(
    r"(?:\b(?:is|are|was|be|represents|remains)\b|:)(?:\s{1,3}(?:therefore|thus|clearly|likely|most likely|"
    r"probably|the|an|a|to|by)\b){0,6}[\s*_\"“(:]{0,4}"
)
# `this leads us to option C`, in the last paragraph
_LEADS_TO = re.compile(
    r"\b(?:this|that|which|it|these|findings?|presentation|picture|analysis|reasoning|evidence|description|"
    r"features|all)\b"
    r"[^.\n]{0,60}\b(?:leads? (?:us |me )?to|corresponds? to|match(?:es)?|points? (?:to|towards?)|supports?|"
    r"favou?rs?|"
    r"brings? (?:us |me )?to|aligns? with|fits?|(?:strongly |most |clearly )suggests?|is (?:most )?consistent with|"
    r"(?:is|are) (?:classic|typical|pathognomonic|characteristic|diagnostic) (?:for|of))(?: the| an?)?$"
)
# `..., so he needs a beta blocker, as stated in option (B)`: the label refers to what the sentence concludes
_REFERS = re.compile(
    r"(?:,|—|–|;|\(|\bwhich)\s{0,3}(?:(?:just |exactly )?as (?:is )?(?:stated|described|listed|given|mentioned|noted|"
    r"indicated|shown|presented|offered|outlined|suggested|proposed|seen|represented|reflected|captured)?\s?(?:in|by|"
    r"under|with|per)|(?:i\.e\.|that is|namely|in other words|corresponding to|corresponds to|matching|matches|"
    r"which is|making it|equivalent to|represented by|reflected in|listed as|listed under|given as|given in|"
    r"described in|described by|stated in)),?\s{0,3}(?:(?:the |answer ){0,2}(?:option|choice|answer|letter))?$"
)
_SO = re.compile(
    r"\b(?:so|therefore|thus|hence|consequently|must|should|most|best|accordingly|"
    r"in conclusion|overall|it follows|what (?:he|she|they|we) needs?)\b"
)
_REFUSED = re.compile(
    r"\b(?:not|never|unlikely|less|least|neither|nor|cannot|incorrect\w{0,2}|wrong\w{0,2}|false|avoid\w{0,3}|contraindicated|"
    r"rul\w{1,3} out|exclud\w{1,4}|eliminat\w{1,4}|instead|rather|could|might|may|can|some|many|often)\b|n['’]t\b"
)
_MAKES = re.compile(
    r"\b(?:makes?|"
    r"making) (?:[^.,;\n(]{3,60} (?=\())?(?:option )?[*_(]{0,3}(?:option )?[*_(]{0,3}(?P<letter>[a-z])[)*_]{0,3} "
    r"(?:the )?(?:most|best|correct|right|likeliest|only)\b"
)


def _in_line(text: Text, start: int, end: int, *, strong: bool = False) -> list[Statement]:
    """Conclusions within one line: an option after a verb, in a sentence that weighs (`strong`: plainly)."""
    found: list[Statement] = []
    taken = start
    for match in list(islice(_MENTION.finditer(text.body, max(start, end - _LINE), end), 4 * _MENTIONS))[-_MENTIONS:]:
        if match.start() < taken or text.cues[match.end() - 1] == BLANK:
            continue
        label = label_at(text, match.start())
        if label is None or label.letter not in text.options:
            continue
        sentence = _sentence_start(text.low, start, match.start())
        left = text.cues[sentence : match.start()]
        bracketed = match[0][0] in "(["
        statement = _concluded(text, label, sentence, left, end, bracketed=bracketed, strong=strong)
        if statement is not None:
            found.append(statement)
            taken = label.last
    counted = [statement for statement in found if statement.counts]
    if counted or found or len(text.low.rstrip()) - end > _TEXT_TAIL:
        return counted
    return _text_in_line(text, start, end)


def _concluded(  # noqa: PLR0911
    text: Text, label: Mention, sentence: int, left: str, end: int, *, bracketed: bool, strong: bool
) -> Statement | None:
    """The conclusion that a sentence draws whose words up to the label are `left`."""
    own = left.rstrip(' *_("[')
    option = text.options[label.letter].lower().strip(" .")
    named = option != "" and own.endswith((option, BLANK))
    if named:  # `... is **lupus (C)**`
        left = own[: -len(option)]
    clause = left[left.rfind(",") + 1 :]
    leads = _LEADS_TO.search(left[-110:].rstrip(" *_([").removesuffix("option").rstrip(' *_(["“'))
    if leads is not None and len(text.low.rstrip()) - end <= _TEXT_TAIL and not _NEGATED_CLAUSE.search(clause):
        return statement_of(text, label, Announced(label.start, sentence, "conclusion", "conclusion"))
    refers = _REFERS.search(left[-90:].rstrip(' *_([“"'))
    if refers is not None and len(text.low.rstrip()) - end <= _TEXT_TAIL:
        if _SO.search(left) is None or _REFUSED.search(left) or conditional(left, 0, len(left)):
            return None
        return statement_of(text, label, Announced(label.start, sentence, "conclusion", "conclusion"))
    names = _NAMES.search(left[-60:])
    if names is None:
        first = _NAMES_FIRST.search(left[-130:]) if bracketed else None
        if first is None or _NEGATED_CLAUSE.search(first["name"]) or _STRONG_WEIGHT.search(left) is None:
            return None
    else:
        bare = not (label.strong or named)
        rest = text.low[label.end : end].strip(" .*_\"')")
        if bare and (names["verb"] not in _COPULAS or (rest and names["colon"] is None)):
            return None
        if names["verb"] not in _COPULAS and _NEGATED_CLAUSE.search(clause):
            return None
    if _STRONG_WEIGHT.search(left) is None if strong else not weighs(left):
        return None
    if not weighs(left) or _PLURAL_LIST.search(left):
        return None
    if any(
        key != label.letter and len(other) > _SHORTEST and own.endswith(other.lower().strip(" ."))
        for key, other in text.options.items()
    ):
        label.clash = "letter_and_text"  # `the most likely drug is clonidine (B)`
    return statement_of(text, label, Announced(label.start, sentence, "conclusion", "conclusion"))


def _text_in_line(text: Text, start: int, end: int) -> list[Statement]:
    """`The most likely diagnosis is **lupus**`: an option's whole text after the verb of a sentence that concludes."""
    low = text.cues
    for verb in reversed(list(islice(_COPULA.finditer(low, max(start, end - _LINE), end), 4 * _MENTIONS))[-_MENTIONS:]):
        sentence = _sentence_start(low, start, verb.start())
        left = low[sentence : verb.end()]
        if _STRONG_WEIGHT.search(left) is None or not weighs(left):
            continue
        named = named_at(text, verb.end())
        if named is not None and len(low.rstrip()) - named.end <= _TEXT_TAIL:
            statement = statement_of(text, named, Announced(verb.start(), sentence, "conclusion_text", "conclusion"))
            return [statement] if statement.counts else []
    return []


def _sentence_start(low: str, start: int, at: int) -> int:
    """Where the sentence that holds `at` begins, within the line from `start` on."""
    start = max(start, at - _LINE)
    return max(
        start, *(place + 2 if (place := low.rfind(mark, start, at)) >= 0 else start for mark in (". ", "? ", "! "))
    )


def weighs(left: str) -> bool:
    """Whether a sentence up to the option concludes, and neither denies nor conditions it."""
    return not (
        _WEIGHT.search(left) is None
        or _MAYBE.search(left)
        or _DENIED.search(left[-60:])
        or _MODAL.search(left[-40:])
        or _LISTS.search(left[-60:].rstrip(" *_(["))
        or conditional(left, 0, len(left))
    )


# verdicts: the option stands before what is said of it

_NEAR = 72  # characters before a noun that may hold `is the most appropriate`
_SHORTEST = 5  # characters of `b is `
_IS_THE = re.compile(
    r"(?:\b(?:is|are|be|being|as|remains|represents|was|provides|offers|constitutes|seems|appears|looks like|"
    r"would be|"
    r"stands out as|becomes|makes)\b|['’]s)"
    r"\s{1,3}(?P<mid>(?:(?:\w{1,12}ly|thus|indeed|still|then|to be|both|likely|in fact)\s{1,3}){0,2}(?:the|our|"
    r"my|a|an)?\s{0,3}"
    r"(?:[\w/-]{1,24},?\s{1,3}){0,4})$"
)
_BAD_MID = re.compile(
    r"\b(?P<no>not|never|hardly|neither|in(?:correct|accurate|appropriate)|wrong|false|least|less|unlikely)\b"
    r"|\b(?:another|also|possible|plausible|potential|alternative|a|an|second|partial\w{0,3}|part|one|among|"
    r"close|good|"
    r"reasonable|tempting|often|sometimes|usually|typically|considered|generally)\b"
)
_VERB_BEFORE = re.compile(r"(?:(?P<no>\bnot|\bnever|n['’]t)|\b(?:may|might|could|can|would))\s{1,3}(?:also\s{1,3})?$")
_QUESTION = re.compile(r"[\w\s,*)]{0,24}\?")
_SUBJECT_LABEL = re.compile(
    r"(?<![A-Za-z0-9&])(?:(?P<noun>option|choice|answer|letter)\s{1,3})?(?P<open>[*_(\[\"'“]{0,5})(?P<letter>[A-Z])"
    r"(?P<close>[*_)\]\"'”.:]{0,5})(?![A-Za-z0-9'’&-])",
    re.IGNORECASE,
)
_SUBJECT_LEAD = re.compile(
    r"[\s,;:*_>#\"'“-]{0,12}(?:(?:so|thus|therefore|hence|and|because|that|this means|this makes|consequently|"
    r"overall|"
    r"in conclusion|in summary|by (?:process of )?elimination|to summarize|given this|i think|i believe|we conclude|"
    r"it is clear|clearly|as such|means|only|it follows|accordingly|ultimately|finally|in short|"
    r"(?:among|of|out of|given|based|considering|as|in|for|by|after|to|with|"
    r"taken) [^,\n]{1,80},)[\s,:]{0,4}(?:that\s{1,3})?){0,3}",
    re.IGNORECASE,
)
_VERDICT = re.compile(
    r"\b(?:is|appears to be|seems to be|seems|appears|would be|remains|stands out as|best (?:fits|"
    r"describes|explains|matches))\s{1,3}(?P<not>not\s{1,3})?(?:\w{2,12}ly\s{1,3}|therefore\s{1,3}|thus\s{1,3}|"
    r"indeed\s{1,3}|"
    r"still\s{1,3})?(?:the\s{1,3})?"
    r"(?:most\s{1,3}\w{2,20}|best|correct|right|likeliest|closest)\b(?![^.\n]{0,60}(?:, but| if | unless ))"
    r"|\bbest (?:fits|describes|explains|matches|accounts for)\b"
    r"|\b(?:should|must|has to|is to) be (?:selected|chosen|picked)\b(?! (?:only |mainly )?(?:if|when|unless|"
    r"for|in)\b)"
    r"|\bis (?:the one|what) (?:that |which )?(?:(?:we|i|you)(?:['’](?:re|m|ve|d|ll))? (?:(?:are|am|should|would|will|"
    r"must|have been) )?(?:want|need|pick|choose|select|prefer|go with|after|looking for|look for|"
    r"seek|keep)|(?:best |most closely )?(?:fits|matches|explains|applies|works|remains|is (?:left|right|correct|"
    r"needed|called for))|to (?:pick|"
    r"choose|select|go with|keep|give|take))\b(?![^.\n]{0,60}(?:, but| if | unless | least | to (?:avoid|rule|exclude|"
    r"eliminate|reject)))"
    r"|\b(?:must|has to) be (?:correct|right)\b|\b(?P<rests>remains|is left)(?=[.!]?[*_]{0,4}$)"
)
_ENDS_SENTENCE = re.compile(
    r"[\s*_]{0,4}(?:[\w/-]{1,24}+[ ]?){0,4}[*_]{0,4}(?:[.!]|\s{0,4}$|\n|[ ](?:in|for|of) (?:this|\w{3,16})\b)"
)
_BAD_GLOSS = re.compile(r"\b(?:not|if|than|least|or)\b|n['’]t|[,;] (?:but|while|whereas|and)\b")
_CALLED = (
    "most",
    "best",
    "correct",
    "right",
    "likeliest",
    "closest",
    "selected",
    "chosen",
    "picked",
    "remains",
    "left",
    "the one",
    "what",
)


def verdict_before(text: Text, at: int, clause: int) -> Statement | None:
    """The option, by label or whole text, that the clause calls the noun which stands at `at`."""
    low = text.cues
    if at - clause < _SHORTEST:
        return None
    near = low[max(clause, at - _NEAR) : at]
    is_the = _IS_THE.search(near)
    if is_the is None:
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
    label = subject_label(text, subject, clause)
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
    lead = _SUBJECT_LEAD.match(subject)
    named = option_at(text, clause + (lead.end() if lead else 0))
    return None if named is None or named.end < clause + len(subject.rstrip(" *_\"'")) else named


def subject_label(text: Text, subject: str, start: int) -> tuple[str, int] | None:
    """The one label in a sentence's subject, which begins at `start`, and where in it; None where it is not one."""
    found: dict[str, int] = {}
    for match in _SUBJECT_LABEL.finditer(subject):
        if text.cues[start + match.start("letter")] == BLANK:
            continue
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
    lead = _SUBJECT_LEAD.match(subject)
    alone = not subject[match.end() :].strip() or match["close"][:1] in (".", ":")
    return alone and lead is not None and lead.end() >= match.start()


def verdicts(text: Text, start: int, end: int) -> list[Statement]:
    """`Option C is correct.`, `(C) seems the most appropriate.`; none where several options are called so."""
    low = text.cues
    found: list[Statement] = []
    if not any(map(low[max(start, end - _LINE) : end].__contains__, _CALLED)):
        return found
    for verdict in islice(_VERDICT.finditer(low, max(start, end - _LINE), end), _MENTIONS):
        sentence = max(_sentence_start(low, start, verdict.start()), verdict.start() - _SUBJECT)
        label = subject_label(text, text.body[sentence : verdict.start()], sentence)
        rests = verdict["rests"] is not None  # said of a symptom as well as of an option
        if label is None and not (verdict["not"] or rests) and _ENDS_SENTENCE.match(low, verdict.end()):
            named = subject_text(text, sentence, verdict.start())
            if named is not None and not conditional(low, sentence, verdict.start()):
                span = (named.start, verdict.end(), sentence)
                found.append(Statement(named.letter, *span, "conclusion_text", "verdict"))
            continue
        if label is None or verdict["not"]:
            continue
        gloss = low[sentence + label[1] + 1 : verdict.start()]
        if _BAD_GLOSS.search(gloss) is None and not conditional(low, sentence, verdict.start()):
            found.append(Statement(label[0], sentence + label[1], verdict.end(), sentence, "conclusion", "verdict"))
    for makes in islice(_MAKES.finditer(low, max(start, end - _LINE), end), _MENTIONS):
        at = makes.start("letter")
        if text.body[at] in text.options and not conditional(low, start, makes.start()):
            found.append(Statement(text.body[at], makes.start(), at + 1, makes.start(), "conclusion", "verdict"))
    return found if len({statement.letter for statement in found}) <= 1 else []
