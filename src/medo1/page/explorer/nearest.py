"""The chain that an arm learnt from which is most like a question: of the question itself where it was trained on,
else of the
training question that shares its rarest words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from medo1.frames import Frame
from medo1.page.material import Material

WORD = re.compile(r"\w+")
AT_ONCE = 500  # questions that are compared together


def nearest_training_questions(
    material: Material, questions: Frame, learnt: Mapping[str, str]
) -> dict[int, dict[str, dict[str, Any]]]:
    """By the question's place and the arm: the stem of the training question, its chain, and whether it is the same
    question.

    Likeness is the cosine of the words' counts, weighted by how rare a word is in the training questions.
    """
    import numpy as np
    from scipy.sparse import csr_matrix

    taught = material.frame("training_questions")
    found: dict[int, dict[str, dict[str, Any]]] = {}
    if taught is None or not len(taught):
        return found
    stems = dict(zip(taught["question_id"], taught["stem"], strict=True))
    asked = [_words(stem) for stem in questions["stem"]]
    kept = material.frame("kept_chains")
    if kept is None:
        return found
    for format in sorted(set(learnt.values())):
        chains = kept[kept["format"] == format]
        known = chains[chains["question_id"].isin(stems.keys())].drop_duplicates("question_id")
        if not len(known):
            continue
        ids = known["question_id"].tolist()
        taught_words = [_words(stems[one]) for one in ids]
        vocabulary = {word: place for place, word in enumerate(sorted(set().union(*taught_words)))}
        spread = np.zeros(len(vocabulary))
        for words in taught_words:
            for word in words:
                spread[vocabulary[word]] += 1
        rarity = np.log(1 + len(ids) / spread)
        left, right = (_matrix(rows, vocabulary, rarity, csr_matrix) for rows in (asked, taught_words))
        texts = known["text"].tolist()
        places = {one: place for place, one in enumerate(ids)}
        for start in range(0, len(asked), AT_ONCE):
            likeness = (left[start : start + AT_ONCE] @ right.T).toarray()
            for row, best in enumerate(likeness.argmax(axis=1)):
                number = start + row
                same = places.get(questions["question_id"].iloc[number])
                chosen = int(best) if same is None else same
                shown = {"stem": stems[ids[chosen]], "chain": texts[chosen], "same": same is not None}
                for arm, of in learnt.items():
                    if of == format:
                        found.setdefault(number, {})[arm] = shown
    return found


def _words(text: str) -> set[str]:
    return set(WORD.findall(text.lower()))


def _matrix(rows: list[set[str]], vocabulary: Mapping[str, int], rarity: Any, kind: Any) -> Any:
    """A row of unit length for each set of words."""
    import numpy as np

    indices, ends = [], [0]
    for words in rows:
        indices += sorted(vocabulary[word] for word in words if word in vocabulary)
        ends.append(len(indices))
    data = rarity[indices] if indices else np.zeros(0)
    sizes = np.array([np.sqrt((data[a:b] ** 2).sum()) or 1.0 for a, b in pairwise(ends)])
    data = data / np.repeat(sizes, np.diff(ends))
    return kind((data, indices, ends), shape=(len(rows), len(vocabulary)))
