"""What a question is, and when two questions are the same.

A question's identity comes from its content (normalised stem and options), never from its place in a file, so that
the same case keeps its id across files, orders and runs.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from medo1.lineage.digests import digest_of_value

LETTERS = string.ascii_uppercase
ID_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Question:
    """One multiple-choice question.

    Attributes:
        question_id: 16 hex digits from the content, see `question_id`.
        benchmark: the benchmark that it belongs to, such as `medqa`.
        split: `train`, `dev` or `test`.
        stem: the case and what is asked, without the options.
        options: letter to text, letters from A without gaps.
        gold: the letter of the right option.
        difficulty: a benchmark's own measure of difficulty, where it has one (the embedded world: findings to weigh).
        source: file and row that it was read from, for messages.
        extra: what else the source says of it, as texts: a link, an explanation, a recorded chain (`complex_cot`,
            `response`), a subject.
    """

    question_id: str
    benchmark: str
    split: str
    stem: str
    options: dict[str, str]
    gold: str
    difficulty: int | None = None
    source: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def gold_text(self) -> str:
        """The right option's text: what a free-form answer is held against."""
        return self.options[self.gold]


def normalised(text: str) -> str:
    """A text as identity sees it: Unicode NFKC, lower case, runs of white space as one space."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().lower()


def question_id(stem: str, options: Mapping[str, str], *, ordered: bool = False) -> str:
    """Identity of a question: the same for the same stem and the same set of options, in whatever order they stand.

    The gold letter is left out on purpose: the same question with another gold letter is a conflict to report,
    not another question.

    Args:
        stem: the case and what is asked.
        options: letter to text.
        ordered: the options' order is part of the identity, so that a shuffled question is another one.
    """
    texts = [normalised(text) for text in options.values()]
    return digest_of_value([normalised(stem), texts if ordered else sorted(texts)])[:ID_DIGITS]
