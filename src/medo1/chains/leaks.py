"""Whether a chain betrays that its author was shown the answer: the one check, for teachers' texts and for filters.

A chain that says "the given answer is C, so ..." teaches a student to argue backwards from an answer that it will not
have. The patterns speak of an answer as given, provided, marked or expected, or of knowing it beforehand; medicine's
own uses of these words ("given the rash", "as indicated", "the expected course") are not meant and do not match.
English, Chinese and Japanese.
"""

# ruff: noqa: E501  (a pattern is read as one line)

from __future__ import annotations

import re
from typing import NamedTuple

_GIVEN = (
    r"(?:given|provided|supplied|reference|gold(?:en)?(?:[- ]standard)?|expected|official|marked|stated|listed|"
    r"designated|annotated|labell?ed|target|known|model|ground[- ]truth|pre[- ]?(?:given|determined|specified))"
)
_ANSWER = r"(?:answer|option|choice|solution|label|response|(?:correct|right|final) diagnosis)"
_RIGHT = r"(?:correct|right|final|true|best|actual)"
_TOLD = r"(?:given|provided|supplied|told|shown|handed|informed|known|disclosed|revealed|specified|indicated)"
_US = r"(?:i|we|me|us|you)"

LEAKS = re.compile(
    "|".join(
        (
            # the given answer; our reference solution; that marked correct option
            rf"\b(?:the|this|that|our|my|your|its)\s+{_GIVEN}(?:\s+{_RIGHT})?\s+(?:{_ANSWER}|diagnosis)\b(?!\s+(?:to|rate|time))",
            # the correct answer is given (as C); the answer has been provided; the answer given is
            rf"\b(?:the|this)\s+(?:{_RIGHT}\s+)?{_ANSWER}\s+(?:here\s+)?(?:is|was|(?:has|had)\s+(?:already\s+)?been|being)\s+(?:already\s+)?"
            r"(?:given|provided|supplied|known|marked|disclosed|revealed|specified|told)\b(?!\s+(?:by|in)\s+(?:the\s+)?"
            r"(?:biopsy|history|culture|examination|lab))",
            rf"\b(?:the|this)\s+(?:{_RIGHT}\s+)?{_ANSWER}\s+(?:given|provided|supplied|shown|marked)\b(?=\s*(?:is|was|[,.:;(]|to\s+(?:me|us)|in\s+the\s+(?:prompt|question|key)))",
            # the answer that I was given; the option we have been told
            rf"\b{_ANSWER}\s+(?:that\s+|which\s+)?{_US}\s+(?:was|were|have been|had been|am|are|already know)\b",
            r"\b(?:according to|per|as per|following|matches|matching|consistent with|in line with|as (?:stated|given|listed|indicated|shown) "
            r"(?:in|by)|based on) the (?:answer[- ]key|key|marking scheme|(?:provided|given|reference|gold|official|stated) (?:correct )?"
            r"(?:answer|solution|option|label))\b",
            r"\banswer[- ]keys?\b",
            r"\bground[- ]truth\b",
            r"\bgold(?:en)?[- ](?:standard )?(?:answer|label|option)\b",
            # since we already know the answer; knowing that the correct option is C
            rf"\b(?:since|because|as|given that|now that)\s+{_US}\s+(?:already\s+|do\s+)?know\s+(?:that\s+)?(?:the|what the)\s+"
            rf"(?:{_RIGHT}\s+)?(?:{_ANSWER}|diagnosis)\b",
            rf"\bknowing\s+(?:that\s+)?(?:the|what the)\s+(?:{_RIGHT}\s+)?{_ANSWER}\b",
            rf"\bgiven\s+that\s+the\s+(?:{_RIGHT}\s+)?{_ANSWER}\s+(?:is|was|must be|should be)\b",
            # I was told that the answer; the question tells us that the answer is
            rf"\b{_US}\s+(?:was|were|am|are|have been|had been)\s+{_TOLD}\s+(?:with\s+|that\s+)?(?:the\s+)?(?:{_RIGHT}\s+)?(?:{_ANSWER}|diagnosis)\b",
            rf"\b(?:question|prompt|task|instructions?|problem|dataset|key)\s+(?:already\s+)?(?:says?|states?|tells?\s+us|gives?|specifies|"
            rf"indicates|notes)\s+(?:that\s+)?(?:the\s+)?(?:{_RIGHT}\s+)?{_ANSWER}\b",
            # work backwards from the answer; justify why the answer is said to be C; the answer is supposed to be C
            rf"\b(?:work|working|reason|reasoning|argue|arguing)\s+back(?:wards?)?\s+from\s+(?:the|this|that)\s+(?:{_RIGHT}\s+)?(?:{_ANSWER}|diagnosis)\b",
            rf"\b(?:the\s+)?(?:{_RIGHT}\s+)?{_ANSWER}\s+(?:is|was)\s+(?:supposed|said|stated|claimed|meant|required)\s+to\s+be\b",
            rf"\b(?:must|need to|have to|should|asked to|supposed to)\s+(?:arrive at|reach|justify|support|match|lead to|end (?:up )?(?:at|with))\s+"
            rf"(?:the|this|that)\s+(?:{_GIVEN}\s+)?(?:{_RIGHT}\s+)?{_ANSWER}\s+(?:of\s+|is\s+|\(?)[A-J]\b",
            # Chinese and Japanese
            r"(?:给定|给出|所给|提供|已知|标准|参考)的?(?:正确)?答案",
            r"(?:正确)?答案(?:已|已经)(?:给出|知道|告知|提供)",
            r"(?:既然|因为|由于)(?:我们|我)?(?:已经)?知道(?:正确)?答案",
            r"(?:与えられた|提示された|示された|既知の|模範)(?:正解|解答|答え)",
            r"(?:正解|解答|答え)(?:は|が)(?:すでに|既に)(?:与えられ|示され|分かって)",
        )
    ),
    re.IGNORECASE,
)


class Leak(NamedTuple):
    """The words in which a text speaks of a given answer, and where they stand."""

    words: str
    span: tuple[int, int]


def leak_in(text: str) -> Leak | None:
    """The first place where a text speaks of a given answer; None where it does not."""
    found = LEAKS.search(text)
    return Leak(found[0], found.span()) if found else None


def leak(text: str) -> str | None:
    """The words in which a text speaks of a given answer; None where it does not."""
    found = leak_in(text)
    return found.words if found else None
