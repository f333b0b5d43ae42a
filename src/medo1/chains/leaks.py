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

_RIGHT = r"(?:correct|right|final|true|best|actual)"
_ANSWER = r"(?:answer|option|choice|solution|label)"
# What an answer is called by one who was shown it. Of a diagnosis medicine itself says some of these.
_GIVEN = (
    r"(?:given|provided|supplied|reference|gold(?:en)?(?:[- ]standard)?|expected|official|marked|designated|annotated|"
    r"labell?ed|target|model|intended|desired|required|supposed(?:ly)?|ground[- ]truth|pre[- ]?(?:given|determined|specified))"
)
_GIVEN_DIAGNOSIS = r"(?:given|provided|supplied|reference|gold|official|marked|target|expected|ground[- ]truth)"
_TOLD = r"(?:given|provided|supplied|told|shown|handed|informed|disclosed|revealed)"
_WE_WERE = r"(?:(?:i|we|you)\s+(?:was|were|am|are|have been|had been)|(?:i|we|you)['\u2019](?:m|re|ve|d)(?:\s+been)?)"
_SOURCE = (
    r"(?:hint|user|prompt|question|instructions?|task|problem|dataset|answer sheet|(?:answer )?key|solution|exercise)"
)
_SAYS = r"(?:says?|said|states?|stated|tells?|told|gives?|gave|specifies|indicates?|notes?|mentions?|claims?|picks?|reads?|has|lists?|marks?)"
_LETTER = r"(?-i:[B-J]\b|A(?=[.,;:)]|$))"  # `A` alone begins too many sentences
_IS = r"(?:is|was|must be|should be|has to be|:)"
_MUST = r"(?:must|need to|have to|has to|asked to|supposed to|told to|required to|task is to|goal is to|job is to)"

LEAKS = re.compile(
    "|".join(
        (
            # the given answer; our reference solution; that marked correct option; the stated correct answer
            rf"\b(?:the|this|that|our|my|your|its)\s+{_GIVEN}(?:\s+{_RIGHT})?\s+{_ANSWER}\b(?!\s+to\s)",
            rf"\b(?:the|this|that)\s+(?:stated|listed|known)\s+(?:{_RIGHT}\s+{_ANSWER}|answer)\b",
            rf"\b(?:the|this|that|our|my)\s+{_GIVEN_DIAGNOSIS}(?:\s+{_RIGHT})?\s+diagnosis\b(?!\s+of\s+\w+(?:\s+\w+)?\s+in\s+(?:the|her|his)\b)",
            # the correct answer is given (as C); the answer has already been provided; the answer is known to be C
            rf"\b(?:the|this)\s+(?:{_RIGHT}\s+)?{_ANSWER}\s+(?:here\s+)?(?:is|was|(?:has|had)\s+(?:already\s+)?been|being)\s+(?:already\s+)?"
            r"(?:given|provided|supplied|marked|disclosed|revealed|specified|told)\b(?!\s+(?:by|in)\s+(?:the\s+)?"
            r"(?:biopsy|history|culture|examination|lab))",
            rf"\b(?:the|this)\s+(?:{_RIGHT}\s+)?{_ANSWER}\s+(?:is|was)\s+(?:already\s+)?known\b(?=\s+(?:to\s+be|already|beforehand|in\s+advance)|\s*[,.;:])",
            rf"\b(?:the|this)\s+{_RIGHT}\s+diagnosis\s+(?:is|was|(?:has|had)\s+(?:already\s+)?been)\s+(?:already\s+)?(?:given|provided|supplied|disclosed|revealed)\b"
            r"(?!\s+(?:by|in)\s+(?:the\s+)?(?:biopsy|history|culture|examination|lab))",
            rf"\b(?:{_RIGHT}\s+)?{_ANSWER}[^.\n]{{0,12}}\((?:as\s+)?(?:given|provided|supplied)\)",
            rf"\b(?:the|this)\s+(?:{_RIGHT}\s+{_ANSWER}|answer|solution|label)\s+(?:given|provided|supplied|shown|marked)\b(?=\s*(?:is|was|says|[,.:;(]|to\s+(?:me|us)|in\s+the\s+(?:prompt|question|key)))",
            r"\b(?:given|stated|provided|named|mentioned|listed)\s+in\s+the\s+(?:answer|solution)s?(?:\s+key)?\b",
            # marked as correct; listed as the right answer
            r"\b(?:marked|listed|labell?ed|flagged|designated|denoted|tagged|highlighted)\s+as\s+(?:the\s+|being\s+)?(?:correct|right|true|gold)\b",
            rf"\bgiven\s+as\s+the\s+{_RIGHT}\s+{_ANSWER}\b",
            # the answer that I was given; the option we have been told; the solution provided says B
            rf"\b{_ANSWER}\s+(?:that\s+|which\s+)?{_WE_WERE}\s+(?:\w+\s+)?{_TOLD}\b",
            # according to the key; based on the provided answer; from the answer key
            r"\b(?:according to|per|as per|following|matches|matching|consistent with|in line with|as (?:stated|given|listed|indicated|shown) "
            r"(?:in|by)|based on) the (?:answer[- ]key|key|marking scheme|answer sheet|(?:provided|given|reference|gold|official|stated) (?:correct )?"
            r"(?:answer|solution|option|label))\b(?!\s+(?:finding|feature|sign|symptom|point))",
            r"\bfrom the (?:answer )?key\b(?!\s+(?:finding|feature|sign|symptom|point|event|word|step|fact))",
            r"\banswer[- ](?:keys?|sheets?)\b",
            r"\bground[- ]truth\b",
            r"\bgold(?:en)?[- ](?:standard )?(?:answer|label|option)\b",
            # since we already know the answer; knowing that the correct option is C; with the answer already in hand
            rf"\b(?:since|because|as|given that|now that)\s+(?:i|we)\s+(?:already\s+|do\s+)?know\s+(?:that\s+)?(?:the|what the)\s+"
            rf"(?:{_RIGHT}\s+)?(?:{_ANSWER}|diagnosis)\b",
            rf"\bknowing\s+(?:that\s+)?(?:the|what the)\s+(?:{_RIGHT}\s+)?{_ANSWER}\b",
            rf"\b(?:i|we)\s+already\s+(?:have|know|see)\s+(?:what\s+)?the\s+(?:{_RIGHT}\s+)?{_ANSWER}\b",
            rf"\bthe\s+(?:{_RIGHT}\s+)?{_ANSWER}\s+(?:already\s+)?in\s+hand\b",
            rf"\bgiven\s+(?:to\s+(?:me|us)\s+)?that\s+the\s+(?:{_RIGHT}\s+)?{_ANSWER}\s+{_IS}",
            # I was told that the answer; you told me the answer is; as you mentioned, the correct answer
            rf"\b{_WE_WERE}\s+(?:\w+\s+)?{_TOLD}\s+(?:with\s+|that\s+)?(?:the\s+)?(?:{_RIGHT}\s+)?(?:{_ANSWER}|diagnosis)\b(?!\s+to\s)",
            rf"\b(?:as\s+)?you\s+(?:told|gave|mentioned|said|stated|provided|indicated)\s*(?:me|us)?,?\s*(?:that\s+)?the\s+(?:{_RIGHT}\s+)?{_ANSWER}\b",
            # the question tells us that the answer is; the key says B
            rf"\b(?:the|this|your)\s+{_SOURCE}(?:\s+(?:given|provided))?\s+(?:already\s+|clearly\s+|explicitly\s+)?{_SAYS}\s+(?:me\s+|us\s+)?(?:that\s+)?(?:the\s+)?"
            rf"(?:(?:{_RIGHT}\s+){_ANSWER}\b|{_ANSWER}\s+{_IS}|(?:it\s+is\s+|option\s+)?{_LETTER})",
            # work backwards from the answer; the answer is supposed to be C; my task is to explain why B is correct
            rf"\b(?:work|working|reason|reasoning|argue|arguing)\s+back(?:wards?)?\s+from\s+(?:the|this|that)\s+(?:{_RIGHT}\s+)?(?:{_ANSWER}|diagnosis)\b",
            rf"\b(?:the\s+)?(?:{_RIGHT}\s+)?{_ANSWER}\s+(?:is|was)\s+(?:supposed|said|stated|claimed|meant|required)\s+to\s+be\b",
            rf"\b{_MUST}\s+(?:explain|justify|show|argue|support|rationali[sz]e|prove|defend)\s+(?:why\s+|that\s+)?(?:(?:the\s+)?(?:{_RIGHT}\s+)?{_ANSWER}\s+{_IS}|(?:option\s+)?(?-i:[A-J])\s+is\b)",
            rf"\b(?:{_MUST}|should)\s+(?:arrive at|reach|justify|support|match|lead to|end (?:up )?(?:at|with))\s+"
            rf"(?:the|this|that)\s+(?:{_GIVEN}\s+)?(?:{_RIGHT}\s+)?{_ANSWER}\s+(?:of\s+|is\s+|\(?)(?-i:[A-J])\b",
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
