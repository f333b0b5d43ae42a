"""A question without its options, for the arms that answer freely (the paper's hypothetico-deductive method).

`Which of the following is the most likely diagnosis?` asks for a choice: it becomes `What is the most likely
diagnosis?`.
Questions that cannot be answered without their options (`... EXCEPT`, `which statement is true`, a gold answer such as
`None of the above`) say so in `needs_options`: a free-form score over them would mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from medo1.questions.question import Question

_IS = r"(?P<is>is|are|was|were|would|should|will|can|could|does|do|did|has|have|may|might|must)"
_WHICH = r"\b(?P<w>W|w)hich (?:one )?of"
_SINGULAR = frozenset({"is", "was", "does", "has"})


def _one_of(noun: str, verb: str) -> str:
    """`drugs` as `drug` before a verb that speaks of one: `which of the following drugs is` is about one of them."""
    if verb not in _SINGULAR or not noun.endswith("s") or noun.endswith(("ss", "us", "is")):
        return noun
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    return noun[:-2] if noun.endswith(("sses", "xes", "ches", "shes")) else noun[:-1]


# first match counts: (pattern, replacement)
_REWRITES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(
            rf"{_WHICH} (?:the following|these|the options(?: below| listed)?)(?: options| choices| answers)?,? {_IS}\b"
        ),
        r"\g<w>hat \g<is>",
    ),
    (re.compile(rf"{_WHICH} the following (?=(?:best|most|primarily|likely|additional)\b)"), r"\g<w>hat "),
    (
        re.compile(
            rf"{_WHICH} the following (?P<noun>[a-z][\w-]*(?: [a-z][\w-]*){{0,5}}?) (?P<is>is|are|was|were|would|"
            r"should|will|can|could|does|do|did|has|have|may|might|must|best|most)\b"
        ),
        lambda match: f"{match['w']}hich {_one_of(match['noun'], match['is'])} {match['is']}",
    ),
    (re.compile(rf"{_WHICH} the following\b"), r"\g<w>hat"),
    (
        re.compile(
            r"\b(?P<prep>[Tt]o|[Ii]n|[Ww]ith|[Oo]f|[Ff]or|[Ff]rom|[Bb]y|[Oo]n|[Aa]t) which (?:one )?of the following "
            r"(?P<noun>[a-z][\w-]*)"
        ),
        r"\g<prep> which \g<noun>",
    ),
    (re.compile(r"\b(?:one )?of the following (?P<noun>[a-z][\w-]*)\b"), r"\g<noun>"),
    (
        re.compile(
            r"(?:,? ?(?:from|among) (?:the (?:following|options(?: below| listed)?|choices(?: below)?|list below)|"
            r"these options))\b"
        ),
        "",
    ),
    (re.compile(r"\bthe following(?: options?| choices?)?:?\s*$"), "what"),
)
_NEEDS = (
    (
        re.compile(r"\bexcept\b|\ball of the following\b|\bnone of the following\b", re.IGNORECASE),
        "it asks for the exception",
    ),
    (
        re.compile(
            r"\b(?:is|are|was|were|would be|does|do|has|have|will|should) (?:NOT|not)\b[^.?]*\?|\bleast\b[^.?]*\?"
            r"|\bfalse\b[^.?]*\?|\bincorrect\b[^.?]*\?"
        ),
        "it asks for what does not hold",
    ),
    (
        re.compile(r"\bstatements?\b[^.?]*\?|\btrue\b[^.?]*\?|\bcorrect(?:ly)?\b[^.?]*\?", re.IGNORECASE),
        "it asks to judge the options",
    ),
    (
        re.compile(
            r"\b(?:option|choice|answer choice|figure|image|graph|curve|arrow|photograph)s?\b[^.?]*\?", re.IGNORECASE
        ),
        "it points at something that is not in the text",
    ),
)
_GOLD_NEEDS = re.compile(
    r"^(?:none|all|both|neither|any|either)\b.*\b(?:above|these|options|choices|[a-j] and [a-j]|[a-j] or [a-j])\b"
    r"|^(?:both )?[a-j] (?:and|&|or) [a-j]$|^<img|^\(?[ivx]+\)?(?: and \(?[ivx]+\)?)?(?: only)?$",
    re.IGNORECASE,
)
_LAST = 400  # characters of the stem's end in which the question stands


@dataclass(frozen=True, slots=True)
class FreeForm:
    """A question that is asked without options.

    Attributes:
        question_id: the question's.
        text: the stem, asking freely.
        gold: the right option's text, which answers are compared with.
        needs_options: why it cannot be answered freely; None where it can.
    """

    question_id: str
    text: str
    gold: str
    needs_options: str | None


def free_form(question: Question) -> FreeForm:
    """The question without its options."""
    stem = question.stem.strip()
    needs = _needs_options(question, stem)
    return FreeForm(question.question_id, free_stem(stem), question.gold_text, needs)


def free_stem(stem: str) -> str:
    """A stem that speaks of no options."""
    cut = max(0, len(stem) - _LAST)
    before, asked = stem[:cut], stem[cut:]
    for pattern, replacement in _REWRITES:
        asked, count = pattern.subn(replacement, asked)
        if count and "following" not in asked.lower():
            break
    return re.sub(r"[ \t]{2,}", " ", f"{before}{asked}").strip()


def _needs_options(question: Question, stem: str) -> str | None:
    if _GOLD_NEEDS.match(question.gold_text.strip()):
        return f"the right answer is {question.gold_text.strip()[:40]!r}"
    asked = stem[-_LAST:]
    last = asked[max(asked.rfind(". ", 0, -2), asked.rfind("\n")) + 1 :]
    for pattern, reason in _NEEDS:
        if pattern.search(last if last.strip() else asked):
            return reason
    return None


def free_form_prompt(question: FreeForm, request: str) -> str:
    """The user's message: the case without options, then what is asked of the model (`request`, from a prompt file)."""
    return f"{question.text}\n{request.strip()}"
