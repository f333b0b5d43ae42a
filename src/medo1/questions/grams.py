"""Texts as streams of hashed units, and their n-grams: what near-copies and near-duplicates are compared by.

A unit is a word in lower case, or one character of a script that is written without spaces (Chinese, Japanese, Thai
...). Every number is the same unit, whatever its digits or number word, and what is written of a quantity after its
first number (its unit of measurement, further numbers) is left out: `120/80 mm Hg`, `16 kPa` and `one hundred` are
all one unit. An n-gram is three units in a row, four where it begins with a character of a script without spaces.

Texts are taken many at a time: pyarrow splits them at white space and numbers their different words, so that Python
looks at each different word once, and numpy does the rest. About 4 million words a second on one core.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Hashes = NDArray[Any]  # uint64
else:
    Hashes = Any

WORDS_OF_A_GRAM = 3
CHARACTERS_OF_A_GRAM = 4
KNOWN_WORDS = 400_000  # different words that are remembered between batches; bounds memory
BATCH_CHARACTERS = 8_000_000

WORD, NUMBER, MEASURE, CHARACTER = range(4)  # kinds of units

_NO_SPACES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_UNIT = re.compile(
    rf"(?P<character>[{_NO_SPACES}])|(?P<digits>\d+)|(?P<word>(?:(?![{_NO_SPACES}])[^\W\d_])+)|(?P<sign>[%°])"
)

_NUMBER_WORDS = frozenset(
    re.findall(
        r"\w+",
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred "
        "thousand million billion dozen half",
    )
)
_NUMBER_CHARACTERS = frozenset("〇零一二三四五六七八九十百千万萬亿億两兩")
# What may follow a number and says what it counts or measures. Read as such only directly after a number.
_MEASURE_WORDS = frozenset(
    re.findall(
        r"\w+",
        "mg g kg mcg ug µg μg ng pg lb lbs pound pounds oz ounce ounces gram grams kilogram kilograms ml l dl "
        "cl liter liters litre litres cc mm cm m km in inch inches ft foot feet mmol mol umol µmol μmol nmol "
        "pmol meq eq mosm osm iu u units unit hg mmhg kpa pa torr c f celsius fahrenheit degree degrees "
        "percent per bpm beats breaths min mins minute minutes h hr hrs hour hours s sec second seconds d day "
        "days wk week weeks mo month months yr yrs year years x rd th st nd a cells hpf μl µl ul",
    )
)
_MEASURE_CHARACTERS = frozenset("岁歳才年月日天周週时時分秒度毫克斤米升次间間小个個公厘华摄氏回")


class Units(NamedTuple):
    """The units of several texts.

    Attributes:
        hashes: (units,) uint64, text after text.
        without_spaces: (units,) bool, whether a unit is a character of a script without spaces.
        offsets: (texts + 1,) int64; text `i` has the units from `offsets[i]` to `offsets[i + 1]`.
    """

    hashes: Hashes
    without_spaces: Any
    offsets: Any


class Grams(NamedTuple):
    """The n-grams of several texts, not yet each once.

    Attributes:
        hashes: (grams,) uint64.
        text: (grams,) int64, the place of the text that a gram stands in.
        unit: (grams,) int64, the place in that text's units where it begins.
    """

    hashes: Hashes
    text: Any
    unit: Any


class UnitReader:
    """Reads texts as units; remembers words between batches, so that a long stream costs little more than splitting."""

    def __init__(self) -> None:
        self._clear()

    def _clear(self) -> None:
        import numpy as np

        self._places: dict[str, int] = {}
        self._starts = np.zeros(1, dtype=np.int64)  # of each word's units; one more than there are words
        self._hashes = np.zeros(0, dtype=np.uint64)
        self._kinds = np.zeros(0, dtype=np.uint8)

    def units(self, texts: Sequence[str]) -> Units:
        """The units of each text."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        if len(self._places) > KNOWN_WORDS:
            self._clear()
        split = pc.utf8_split_whitespace(pa.array(texts, type=pa.large_string()))
        coded = split.flatten().dictionary_encode()
        rows = self._rows(coded.dictionary.to_pylist())
        words = rows[coded.indices.to_numpy()] if len(coded) else np.zeros(0, dtype=np.int64)
        ends_of_texts = split.offsets.to_numpy().astype(np.int64) - split.offsets[0].as_py()

        lengths = self._starts[words + 1] - self._starts[words]
        ends = np.concatenate(([0], np.cumsum(lengths)))
        total = int(ends[-1])
        places = np.arange(total) + np.repeat(self._starts[words] - ends[:-1], lengths)
        offsets = ends[ends_of_texts]
        return _without_measures(self._hashes[places], self._kinds[places], offsets)

    def _rows(self, words: list[str]) -> Any:
        """The place of each word among those that are remembered; new ones are read."""
        import numpy as np

        hashes: list[int] = []
        kinds: list[int] = []
        starts: list[int] = []
        begin = int(self._starts[-1])
        rows = np.empty(len(words), dtype=np.int64)
        known = self._places
        for place, word in enumerate(words):
            row = known.get(word)
            if row is None:
                row = known[word] = len(known)
                for unit in units_of(word):
                    hashes.append(unit.hash)
                    kinds.append(unit.kind)
                starts.append(begin + len(hashes))
            rows[place] = row
        if starts:
            self._starts = np.concatenate((self._starts, np.array(starts, dtype=np.int64)))
            self._hashes = np.concatenate((self._hashes, np.array(hashes, dtype=np.uint64)))
            self._kinds = np.concatenate((self._kinds, np.array(kinds, dtype=np.uint8)))
        return rows


class Unit(NamedTuple):
    """One unit of a word.

    Attributes:
        hash: of its normalised text; all numbers have the same.
        kind: WORD, NUMBER, MEASURE or CHARACTER.
        start, end: where it stands in the word as NFKC writes it.
    """

    hash: int
    kind: int
    start: int
    end: int


def units_of(word: str) -> list[Unit]:
    """The units of a piece of text without white space, in order."""
    found = []
    for match in _UNIT.finditer(unicodedata.normalize("NFKC", word).lower()):
        text = match[0]
        if match["digits"] or text in _NUMBER_WORDS or text in _NUMBER_CHARACTERS:
            kind, hashed = NUMBER, _NUMBER_HASH
        elif match["sign"]:
            kind, hashed = MEASURE, _hash(text)
        elif match["character"]:
            kind, hashed = (MEASURE if text in _MEASURE_CHARACTERS else CHARACTER), _hash(text)
        else:
            kind, hashed = (MEASURE if text in _MEASURE_WORDS else WORD), _hash(text)
        found.append(Unit(hashed, kind, match.start(), match.end()))
    return found


def _hash(text: str) -> int:
    """64 bits of a text, the same in every process."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "little")


_NUMBER_HASH = _hash("0")
_SIGNS = frozenset(map(_hash, "%°"))


def _without_measures(hashes: Hashes, kinds: Any, offsets: Any) -> Units:
    """Of each run of numbers and measures that a number begins, the first number alone."""
    import numpy as np

    total = len(hashes)
    place = np.arange(total)
    number = kinds == NUMBER
    quantity = number | (kinds == MEASURE)
    start = np.repeat(offsets[:-1], np.diff(offsets))
    last_number = np.full(total, -1, dtype=np.int64)
    last_other = np.full(total, -1, dtype=np.int64)
    if total > 1:
        last_number[1:] = np.maximum.accumulate(np.where(number, place, -1))[:-1]
        last_other[1:] = np.maximum.accumulate(np.where(quantity, -1, place))[:-1]
    dropped = quantity & (last_number >= start) & (last_number > last_other)
    dropped |= np.isin(hashes, np.fromiter(_SIGNS, dtype=np.uint64)) & ~dropped  # a sign alone says nothing
    kept = ~dropped
    before = np.concatenate(([0], np.cumsum(kept)))
    characters = np.fromiter(map(_hash, sorted(_MEASURE_CHARACTERS)), dtype=np.uint64)
    without_spaces = (kinds == CHARACTER) | ((kinds == MEASURE) & np.isin(hashes, characters))
    return Units(hashes[kept], without_spaces[kept], before[offsets])


_ODD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F)


def grams_of(units: Units) -> Grams:
    """The n-grams of each text: of every place where a whole one begins, and of a text shorter than one, all of it."""
    import numpy as np

    hashes, without_spaces, offsets = units
    total = len(hashes)
    lengths = np.diff(offsets)
    text = np.repeat(np.arange(len(lengths)), lengths)
    end = np.repeat(offsets[1:], lengths)
    start = np.repeat(offsets[:-1], lengths)
    place = np.arange(total)
    mixed = hashes * np.uint64(_ODD[0])
    for step in range(1, CHARACTERS_OF_A_GRAM):
        within = place + step < end
        if step >= WORDS_OF_A_GRAM:
            within &= without_spaces
        following = np.zeros(total, dtype=np.uint64)
        following[: max(total - step, 0)] = hashes[step:]
        mixed ^= mixed >> np.uint64(29)
        mixed += np.where(within, following, np.uint64(0)) * np.uint64(_ODD[step])
        mixed *= np.uint64(_ODD[4])
    mixed ^= mixed >> np.uint64(32)
    size = np.where(without_spaces, CHARACTERS_OF_A_GRAM, WORDS_OF_A_GRAM)
    whole = (place + size <= end) | (place == start)
    return Grams(mixed[whole], text[whole], (place - start)[whole])


def batched(texts: Iterable[str], characters: int = BATCH_CHARACTERS) -> Iterator[list[str]]:
    """The texts in lists of about this many characters, so that memory is bounded."""
    batch: list[str] = []
    held = 0
    for text in texts:
        batch.append(text)
        held += len(text)
        if held >= characters:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def unit_spans(text: str) -> list[tuple[int, int]]:
    """Where each unit that `UnitReader` gives of a text stands in it, in the same order.

    A word whose NFKC form has another length is given whole for each of its units.
    """
    spans: list[tuple[int, int]] = []
    after_number = False
    for piece in re.finditer(r"\S+", text):
        same = len(unicodedata.normalize("NFKC", piece[0]).lower()) == len(piece[0])
        for unit in units_of(piece[0]):
            quantity = unit.kind in (NUMBER, MEASURE)
            if quantity and after_number:
                continue
            after_number = unit.kind == NUMBER
            if unit.hash in _SIGNS:
                continue
            begin = piece.start()
            spans.append((begin + unit.start, begin + unit.end) if same else (begin, piece.end()))
    return spans
