"""The option that a reply in prose concludes with, by its text: for chains that name no letter.

A reply that was written to an open question ends in a sentence ("the most likely diagnosis is caustic ingestion"), not
in a letter. Such a sentence states an option when it names that option alone, word for word, and claims it: a
conclusion's words, no denial. The last paragraphs are read from the end, then the reply's first sentence. Anything
else is no answer: two options claimed, an option named in passing, a name that differs from the option's text. This
decides which chains are trained on; no model is scored with it.
"""

# ruff: noqa: E501  (a pattern is read as one line)

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from medo1.questions import normalised

END_CHARACTERS = 1600  # of a long chain that may hold its conclusion

_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?![\s\"')\]\u201d*]|$)[^.!?\n]*)*[.!?]?[\"')\]\u201d*]*")
_CLAIM = re.compile(
    r"\b(?:most likely|most probable|most probably|most appropriate|most (?:fitting|plausible|suitable|consistent|suggestive|"
    r"accurate|closely|commonly)|best|optimal|correct|likely|preferred|recommended|ideal|right|therefore|thus|hence|conclusion|"
    r"conclude[sd]?|in summary|overall|ultimately|diagnosis|answer|diagnostic of|consistent with|suggestive of|indicative of|"
    r"points? (?:to|towards?)|caused by|is (?:called|known as|termed|responsible|classified as)|drug of choice|treatment of choice|"
    r"should be|(?:excellent|good|suitable|appropriate|first[- ]line) (?:choice|option|medication|drug|agent|test|step)|leaning towards?|settl(?:e|ing) on|go(?:ing)? with|fits? (?:well|best|nicely|quite|perfectly|the)|"
    r"align(?:s|ed)? with|appears? to be|seems? to be)\b",
    re.IGNORECASE,
)
_DENIAL = re.compile(
    r"\b(?:not|no|nor|neither|never|cannot|unlikely|unlike|rather than|instead of|except|exception|excluding|excludes?|"
    r"rules? out|ruled out|ruling out|without|differs? from|distinguish\w* (?:it|this|that|these|them|him|her) from|as opposed to|other than|absence of|lacks?|"
    r"least|less|incorrect|false|unable)\b|n['\u2019]t\b",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"\b(?:although|though|while|whereas|however|could|might|may|possibly|perhaps|maybe|either|if|some|sometimes|"
    r"consider\w*\b(?! to be| as))\b",
    re.IGNORECASE,
)
_NEGATIVE_QUESTION = re.compile(
    r"\b(?:except|not|false|incorrect|untrue|least|cannot|can't|unable|contraindicated|never)\b", re.IGNORECASE
)
LONG_WORD = 4
_ASKING = frozenset(
    {"which", "what", "following", "this", "that", "with", "from", "these", "most", "likely", "patient"}
)
_NO_NAME = frozenset({"all", "none", "any", "both", "other", "others", "either", "neither", "some", "unknown"})
_LEFT_OUT = re.compile(r"^(?:an?|the)\s+|\s+(?:infection|disease|syndrome|therapy|phase|stage|mode)$")


class Concluded(NamedTuple):
    """The option that a reply concludes on, and the sentence that does."""

    letter: str
    sentence: str


def concluded_option(text: str, question: str, options: Mapping[str, str]) -> Concluded | None:
    """The option that a text in prose claims at its end; None where it claims none, or more than one.

    Args:
        text: a chain, or the reply at its end.
        question: the stem. Where it asks for the exception (`EXCEPT`, `not`), a denial claims and nothing else does.
        options: letter to text.
    """
    asked = _asked(question)
    exception = _NEGATIVE_QUESTION.search(asked) is not None
    names = {letter: name for letter, option in options.items() if (name := _name(option))}
    if len(set(names.values())) < len(names):  # two options that read the same
        return None
    reply = text[-END_CHARACTERS:]
    sentences = [match[0].strip() for match in _SENTENCE.finditer(reply) if match[0].strip()]
    if len(reply) < len(text):
        sentences = sentences[1:]  # the first is cut in the middle
    ends = {sentences[0], sentences[-1]} if sentences else set()
    claimed: dict[str, str] = {}
    for sentence in reversed(sentences):
        named = _named(sentence, names)
        if len(named) != 1 or _beside(sentence, names[next(iter(named))]):
            continue
        says = sentence in ends and _says(sentence, names[next(iter(named))], alone=len(sentences) == 1)
        if not (says or _CLAIM.search(sentence) or _echoes(sentence, asked)):
            continue
        if _HEDGE.search(sentence) or (_DENIAL.search(sentence) is not None) != exception:
            continue
        [letter] = named
        claimed.setdefault(letter, sentence)
    if len(claimed) != 1:
        return None
    [(letter, sentence)] = claimed.items()
    return Concluded(letter, sentence)


def _asked(question: str) -> str:
    """The sentence that asks: the last one, with what is left of the stem after it."""
    sentences = [match[0] for match in _SENTENCE.finditer(question) if match[0].strip()]
    return sentences[-1] if sentences else question


def _name(option: str) -> str:
    """An option's text as it may stand in a sentence; empty where it says nothing by itself (`20 %`, `all of these`)."""
    plain = _LEFT_OUT.sub("", _plain(re.sub(r"\([^)]*\)", " ", option)))
    if set(plain.split()) & _NO_NAME:
        return ""
    signs = plain.replace(" ", "")
    return plain if len(signs) >= 3 and not signs.isdigit() else ""  # noqa: PLR2004  (`ad`, `20 %`: no name)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"[^\w]+", " ", normalised(text))).strip()


def _beside(sentence: str, name: str) -> bool:
    """Whether a sentence names it only to compare: `more likely than gout`."""
    return re.search(rf"\bthan (?:\w+ ){{0,3}}{re.escape(name)}\b", _plain(sentence)) is not None


def _says(sentence: str, name: str, *, alone: bool) -> bool:
    """Whether a reply's first or last sentence says nothing but that it is this: `It is gout.`, or `Gout` alone."""
    words = r"\W+".join(map(re.escape, name.split()))
    if alone and re.match(rf"\W*(?:an? |the )?{words}\s*(?:[,.;:(]|$)", normalised(sentence)):
        return True
    plain = _plain(sentence)
    return re.search(rf"\b(?:is|are|be) (?:\w+ ){{0,2}}{re.escape(name)}(?:s|es)?$", plain) is not None


def _echoes(sentence: str, asked: str) -> bool:
    """Whether a sentence says again what was asked: half of its longer words, three at least."""
    words = {word for word in _plain(asked).split() if len(word) >= LONG_WORD} - _ASKING
    said = words & set(_plain(sentence).split())
    return len(said) >= 3 and 2 * len(said) >= len(words)  # noqa: PLR2004


def _named(sentence: str, names: Mapping[str, str]) -> set[str]:
    """Letters of the options that a sentence names; a name that stands only within another's, or in a range of
    numbers, is not named."""
    padded = f" {_plain(sentence)} "
    found = {
        letter
        for letter, name in names.items()
        if re.search(rf"(?<!\d to)(?<!\d and)(?<!\d or) {re.escape(name)}(?:s|es)? ", padded)
    }
    return {
        letter
        for letter in found
        if not any(names[letter] != names[other] and names[letter] in names[other] for other in found)
    }
