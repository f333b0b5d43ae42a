"""Near-copies: which texts say what a benchmark's question says, although not in the same words throughout.

A question is represented by its n-grams (`medo1.questions.grams`), each weighted by its rarity among the benchmarks'
questions; one that occurs in more than 2 % of them is boilerplate and has weight zero. A text's score for a question is
the share of the question's weight that it covers, or, where that is more, the share of the text's own weight that the
question covers (so that an excerpt is found).

| score | band | what it is |
|---|---|---|
| .40 and more | leak | the question itself, cut, changed or told within something longer |
| .20 up to .40 | sibling | a vignette of the same pattern, worth a look |
| below | | nothing |

Few shared n-grams are no evidence: common turns of speech cover much of a short question. Where fewer than eight rare
n-grams' worth is shared, the score is the lesser of the two shares: each has to cover the other.

The bands are chosen by planting leaks in real questions (`benchmarks/filtering.py` plants them again). All pairs are
compared by a product of sparse matrices, exactly; texts are streamed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from medo1.questions.grams import Grams, UnitReader, Units, batched, grams_of, unit_spans

LEAK, SIBLING = 0.40, 0.20
BOILERPLATE_SHARE = 0.02
BOILERPLATE_LEAST = 3  # questions; with few questions a share alone would make everything boilerplate
LEAST_SHARED = 8.0  # rarest n-grams' worth that two texts must share, unless each covers the other
SLACK = 1e-5
LONGEST_GAP = 6  # units without a shared n-gram within one passage
LONGEST_PASSAGE = 600  # characters that are shown of a passage

Band = Literal["leak", "sibling"]


@dataclass(frozen=True, slots=True)
class NearCopy:
    """A text and a question that say the same.

    Attributes:
        text: the text's place in what was given.
        question: the question's place in the index.
        of_question: share of the question's weight that the text covers, 0 to 1.
        of_text: share of the text's weight that the question covers; 0 where it was not asked for.
        score: what the band is drawn from.
        band: `leak` or `sibling`.
    """

    text: int
    question: int
    of_question: float
    of_text: float
    score: float
    band: Band


class Passages(NamedTuple):
    """The same passage in two texts, for a person to compare: where it stands, `(start, end)`, and its words."""

    text_span: tuple[int, int]
    text: str
    question_span: tuple[int, int]
    question: str


class NearCopyIndex:
    """Questions to hold texts against.

    Args:
        questions: stems, without their options: questions that share options are not the same.
        leak, sibling: lower edges of the bands, both of them within.
        boilerplate_share: an n-gram in more of the questions than this share weighs nothing.

    Raises:
        ValueError: the bands are not 0 < sibling <= leak <= 1.
    """

    def __init__(
        self,
        questions: Sequence[str],
        *,
        leak: float = LEAK,
        sibling: float = SIBLING,
        boilerplate_share: float = BOILERPLATE_SHARE,
    ) -> None:
        import numpy as np
        from scipy import sparse

        if not 0 < sibling <= leak <= 1:
            raise ValueError(f"the bands are sibling {sibling} and leak {leak}, expected 0 < sibling <= leak <= 1")
        self.questions = tuple(questions)
        self.leak, self.sibling = leak, sibling
        self._reader = UnitReader()
        count = len(self.questions)
        pieces = [self._grams(batch) for batch in batched(self.questions)]
        done = np.cumsum([0, *(texts for texts, _ in pieces)])
        hashes = np.concatenate([grams.hashes for _, grams in pieces]) if pieces else np.zeros(0, dtype=np.uint64)
        of = [grams.text + before for (_, grams), before in zip(pieces, done, strict=False)]
        question = np.concatenate(of) if of else np.zeros(0, dtype=np.int64)
        self._known, column = np.unique(hashes, return_inverse=True)
        present = sparse.csr_matrix(
            (np.ones(len(column), dtype=np.float32), (column, question)), shape=(len(self._known), count)
        )
        present.data[:] = 1.0  # duplicates were summed
        standing = np.diff(present.indptr)
        self.unit = float(np.log(count + 1)) if count else 1.0  # the weight of an n-gram in one question
        weight = np.log((count + 1) / np.maximum(standing, 1))
        weight[standing > max(BOILERPLATE_LEAST, boilerplate_share * count)] = 0.0
        self._weight = weight.astype(np.float32)
        weighted = sparse.diags_array(self._weight).tocsr() @ present
        self._weighted = sparse.csr_matrix(weighted)  # n-grams by questions
        self._weighted.eliminate_zeros()
        self._total = np.asarray(self._weighted.sum(axis=0), dtype=np.float64).ravel()
        self._least = np.minimum(LEAST_SHARED * self.unit, sibling * self._total).astype(np.float32) * (1 - SLACK)
        self._filter, self._shift = _bit_filter(self._known)

    def __len__(self) -> int:
        return len(self.questions)

    def found(self, texts: Iterable[str], *, excerpts: bool = True) -> Iterator[NearCopy]:
        """Every question that each text is a near-copy of, text by text, the best first.

        Args:
            texts: streamed; each may be a question or a longer text that contains one.
            excerpts: also find texts that are a part of a question, by the share of their own weight. For texts that
                hold much beside a question (chains) it says nothing, and costs time.
        """
        done = 0
        for batch in batched(texts):
            yield from self.found_in(self._reader.units(batch), excerpts=excerpts, first=done)
            done += len(batch)

    def found_in(self, units: Units, *, excerpts: bool = True, first: int = 0) -> Iterator[NearCopy]:
        """As `found`, for texts that are read as units already; `first` is the place of the first text."""
        import numpy as np
        from scipy import sparse

        texts = len(units.offsets) - 1
        if not len(self.questions) or not texts:
            return
        grams = grams_of(units)
        column = self._columns(grams.hashes)
        known = column >= 0
        shape = (texts, len(self._known))
        ones = np.ones(int(known.sum()), dtype=np.float32)
        present = sparse.csr_matrix((ones, (grams.text[known], column[known])), shape=shape)
        present.data[:] = 1.0
        product = present @ self._weighted
        # What can pass at all: a share of the question, or enough in itself. Most of the product is neither.
        near = np.flatnonzero(product.data >= self._least[product.indices])
        shared, question = product.data[near].astype(np.float64), product.indices[near]
        text = np.searchsorted(product.indptr, near, side="right") - 1
        share = shared / self._total[question]
        own = np.zeros(len(share))
        if excerpts:
            informative = present @ self._weight.astype(np.float64) + self.unit * _distinct(grams, ~known, texts)
            own = shared / np.maximum(informative[text], 1e-9)
        # Sums of weights in single precision: what is a hair below an edge is on it.
        evident = shared >= LEAST_SHARED * self.unit * (1 - SLACK)
        score = np.where(evident, np.maximum(own, share), np.minimum(own, share)) + SLACK
        chosen = np.flatnonzero(score >= self.sibling)
        order = chosen[np.lexsort((question[chosen], -score[chosen], text[chosen]))]
        columns = (text, question, share, own, np.minimum(score, 1.0))
        for place, copied, of_question, of_text, value in zip(*(c[order].tolist() for c in columns), strict=True):
            band: Band = "leak" if value >= self.leak else "sibling"
            yield NearCopy(first + place, copied, min(of_question, 1.0), min(of_text, 1.0), value, band)

    def passages(self, text: str, question: int) -> Passages:
        """The longest passage of a text that a question shares, beside the question's own words for it."""
        import numpy as np

        stem = self.questions[question]
        mine = grams_of(self._reader.units([text]))
        theirs = grams_of(self._reader.units([stem]))
        column = self._columns(mine.hashes)
        telling = (column >= 0) & (self._weight[np.maximum(column, 0)] > 0) if len(self._known) else column >= 0
        shared = mine.unit[telling & np.isin(mine.hashes, theirs.hashes)]
        if not len(shared):
            return Passages((0, 0), "", (0, 0), "")
        run = _longest_run(shared)
        told = mine.hashes[(mine.unit >= run[0]) & (mine.unit <= run[-1])]
        same = _longest_run(theirs.unit[np.isin(theirs.hashes, told)])
        first, last = (mine.hashes[mine.unit == run[end]][0] for end in (0, -1))
        begins = [unit for unit in theirs.unit[theirs.hashes == first] if same[0] <= unit <= same[-1]]
        ends = [unit for unit in theirs.unit[theirs.hashes == last] if same[0] <= unit <= same[-1]]
        begin, end = (begins or list(same))[0], (ends or list(same))[-1]
        here = _span(text, int(run[0]), int(run[-1]))
        there = _span(stem, int(begin), int(max(begin, end)))
        return Passages(here, text[slice(*here)], there, stem[slice(*there)])

    def _grams(self, texts: Sequence[str]) -> tuple[int, Grams]:
        return len(texts), grams_of(self._reader.units(texts))

    def _columns(self, hashes: Any) -> Any:
        """The place of each n-gram among the known ones; -1 for others."""
        import numpy as np

        column = np.full(len(hashes), -1, dtype=np.int64)
        if not len(self._known):
            return column
        likely = np.flatnonzero(self._filter[hashes >> self._shift])
        found = np.searchsorted(self._known, hashes[likely])
        found = np.minimum(found, len(self._known) - 1)
        hit = self._known[found] == hashes[likely]
        column[likely[hit]] = found[hit]
        return column


def near_copies_within(questions: Sequence[str], **bands: float) -> list[NearCopy]:
    """Pairs of questions that are near-copies of each other, each pair once (`text` before `question`), by its better
    direction; for the audit of benchmarks.

    Args:
        questions: stems.
        bands: as for `NearCopyIndex`.
    """
    best: dict[tuple[int, int], NearCopy] = {}
    for one in NearCopyIndex(questions, **bands).found(questions):
        if one.text == one.question:
            continue
        pair = (min(one.text, one.question), max(one.text, one.question))
        if pair not in best or one.score > best[pair].score:
            best[pair] = one
    return [
        one if one.text == pair[0] else NearCopy(*pair, one.of_text, one.of_question, one.score, one.band)
        for pair, one in sorted(best.items())
    ]


def _bit_filter(known: Any) -> tuple[Any, Any]:
    """A table that says of most other hashes, by their first bits, that they are not among `known`."""
    import numpy as np

    bits = max(10, min(26, int(np.ceil(np.log2(max(len(known), 1)))) + 4))
    shift = np.uint64(64 - bits)
    table = np.zeros(1 << bits, dtype=bool)
    table[known >> shift] = True
    return table, shift


def _distinct(grams: Grams, chosen: Any, texts: int) -> Any:
    """How many different ones of the chosen n-grams each text has, (texts,)."""
    import numpy as np

    text, hashes = grams.text[chosen], grams.hashes[chosen]
    order = np.lexsort((hashes, text))
    text, hashes = text[order], hashes[order]
    new = np.ones(len(text), dtype=bool)
    new[1:] = (text[1:] != text[:-1]) | (hashes[1:] != hashes[:-1])
    return np.bincount(text[new], minlength=texts)


def _longest_run(places: Any) -> Any:
    """The most places that follow each other without a long gap."""
    import numpy as np

    return max(np.split(places, np.flatnonzero(np.diff(places) > LONGEST_GAP) + 1), key=len)


def _span(text: str, first: int, last: int) -> tuple[int, int]:
    """The characters from the n-gram that begins at unit `first` to the end of the one that begins at `last`."""
    spans = unit_spans(text)
    begin, end = spans[first][0], spans[min(last + 2, len(spans) - 1)][1]
    return begin, min(end, begin + LONGEST_PASSAGE)
