"""Whether a training question was seen in a test set, word n-grams held against word n-grams.

Plain n-gram overlap flags most of MedQA's own validation set, because questions share their closing phrase. So an
n-gram that stands in many questions is boilerplate and does not count. Options are left out on both sides: comparing
a question with its options to one without misses verbatim leaks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

WORD = re.compile(r"\w+")


def word_ngrams(text: str, length: int) -> Iterator[tuple[str, ...]]:
    """All runs of `length` words of a text, lower-cased; the whole text where it is shorter."""
    words = WORD.findall(text.lower())
    if len(words) <= length:
        yield tuple(words)
        return
    for start in range(len(words) - length + 1):
        yield tuple(words[start : start + length])


def contaminated(
    training: dict[str, str], test: Iterable[str], length: int = 13, boilerplate_questions: int = 3
) -> dict[str, str]:
    """The training questions that share an n-gram with a test question, and the n-gram.

    Args:
        training: stems by question id.
        test: stems of all test questions.
        length: words in an n-gram.
        boilerplate_questions: an n-gram in more test questions than this counts for nothing.
    """
    counts: Counter[tuple[str, ...]] = Counter()
    for stem in test:
        counts.update(set(word_ngrams(stem, length)))
    telling = {ngram for ngram, count in counts.items() if count <= boilerplate_questions}
    found = {}
    for question_id, stem in training.items():
        shared = next((ngram for ngram in word_ngrams(stem, length) if ngram in telling), None)
        if shared is not None:
            found[question_id] = " ".join(shared)
    return found
