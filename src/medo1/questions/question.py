"""What a question is, and when two questions are the same.

A question's identity comes from its content (normalised stem and options), never from its place in a file, so that
the same case keeps its id across files, orders and runs.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

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
        flags: what it needs that its text does not hold (`medo1.questions.figure_references`).
        cluster: the id of the first question that says nearly the same; empty where none does.
        shareable: whether its licence lets the text be passed on; where not, link and id stand in its place.
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
    flags: tuple[str, ...] = ()
    cluster: str = ""
    shareable: bool = True

    @property
    def gold_text(self) -> str:
        """The right option's text, which free-form answers are compared with."""
        return self.options[self.gold]


def normalised(text: str) -> str:
    """A text as identity sees it: Unicode NFKC, lower case, runs of white space as one space."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().lower()


def _spaced(text: str) -> str:
    """As `normalised`, with upper and lower case kept apart."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip()


_LONGEST_SYMBOL = 3  # letters; `Gout` and `gout` are one word, `Bb` and `BB` are two symbols


def _differ_as_symbols(same: Sequence[str]) -> bool:
    """Whether texts that are the same but for their case differ in short words."""
    for one, other in pairwise(same):
        words = zip(re.findall(r"[^\W\d_]+", one), re.findall(r"[^\W\d_]+", other), strict=False)
        if any(a != b and len(a) <= _LONGEST_SYMBOL for a, b in words):
            return True
    return False


_ALLELES = re.compile(r"(?<![A-Za-z])(?:[A-Za-z]{2}){1,3}(?![A-Za-z])")


def case_matters(stem: str, options: Iterable[str]) -> bool:
    """Whether upper and lower case say different things: `BB` and `Bb` are two genotypes, `D` and `d` two symbols.

    They do where options differ in nothing else, and where a word pairs a letter with itself in the other case.
    """
    texts = [_spaced(text) for text in options]
    alike: dict[str, list[str]] = {}
    for text in dict.fromkeys(texts):
        alike.setdefault(text.lower(), []).append(text)
    if any(_differ_as_symbols(group) for group in alike.values()):
        return True
    words = _ALLELES.findall(" ".join((stem, *texts)))
    pairs = [word[place : place + 2] for word in words for place in range(0, len(word), 2)]
    return any(pair[0] != pair[1] and pair[0].lower() == pair[1].lower() for pair in pairs)


def question_id(stem: str, options: Mapping[str, str], *, ordered: bool = False) -> str:
    """Identity of a question: the same for the same stem and the same set of options, in whatever order they stand.

    The gold letter is left out on purpose: the same question with another gold letter is a conflict to report,
    not another question. Upper and lower case are the same but where they carry meaning (`case_matters`).

    Args:
        stem: the case and what is asked.
        options: letter to text.
        ordered: the options' order is part of the identity, so that a shuffled question is another one.
    """
    even = _spaced if case_matters(stem, options.values()) else normalised
    texts = [even(text) for text in options.values()]
    return digest_of_value([even(stem), texts if ordered else sorted(texts)])[:ID_DIGITS]
