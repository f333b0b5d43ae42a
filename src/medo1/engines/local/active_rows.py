"""The active rows and what is known of them, as arrays: what happens at every token happens to all rows at once.

A row's place here is its row in the KV cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medo1.engines.local.sampling import SampledTokens


@dataclass(slots=True, eq=False)
class DecodingRow:
    """One draw.

    Attributes:
        prompt: its tokens. limit: new tokens at most. seed: of its random numbers.
        stops: texts that end it.
        tag: the caller's; not looked at.
        tokens: what was sampled so far, the ending token included.
        logprobs, certainty, confidence: of each of them, see `sampling.SampledTokens`; no confidence for greedy rows.
        ended: why it is done: `stop`, `length`, or `error` with the reason in `error`; None while it is not.
        started: when its prefill began, seconds of the monotonic clock.
    """

    prompt: list[int]
    limit: int
    temperature: float
    top_p: float
    seed: int
    stops: tuple[str, ...] = ()
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    tag: Any = None
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    certainty: list[float] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    ended: str | None = None
    error: str | None = None
    started: float = 0.0

    @property
    def cached(self) -> int:
        """Columns of the KV cache that are filled when its next token is computed."""
        return len(self.prompt) + max(0, len(self.tokens) - 1)

    @property
    def most_columns(self) -> int:
        """Columns that the row can need at most: the keys of its last token are never needed."""
        return len(self.prompt) + self.limit - 1

    @property
    def stop_tokens(self) -> int:
        """The last tokens in whose text a stop text must be looked for: a token adds a byte at least."""
        return max(len(stop.encode()) for stop in self.stops) + 3


NOT_A_NUMBER = (
    "the model computed no number (NaN): its weights are damaged, or its dtype is too narrow for it (take float32 or "
    "bfloat16 instead of float16)"
)
NUMBERS = ("logprobs", "certainty", "confidence")
OF_EACH_ROW = (
    "cached", "most_columns", "count", "limit", "seed", "temperature", "top_p", "top_k", "min_p", "repetition_penalty",
    "_stopping",
)  # fmt: skip


class ActiveRows:
    """Active rows. Arrays hold what changes with every token; a row gets its lists when it leaves."""

    def __init__(self) -> None:
        self.rows: list[DecodingRow] = []
        self._rows_reserved = 0
        self._columns_reserved = 0
        self.cached = np.zeros(0, np.int64)
        self.most_columns = np.zeros(0, np.int64)
        self.count = np.zeros(0, np.int64)
        self.limit = np.zeros(0, np.int64)
        self.seed = np.zeros(0, np.uint64)
        self.temperature = np.zeros(0)
        self.top_p = np.zeros(0)
        self.top_k = np.zeros(0, np.int64)
        self.min_p = np.zeros(0)
        self.repetition_penalty = np.zeros(0)
        self._stopping = np.zeros(0, bool)
        self._tokens = np.zeros((0, 0), np.int64)
        self._numbers = {name: np.zeros((0, 0)) for name in NUMBERS}

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def last_tokens(self) -> np.ndarray:
        """(rows,), the token that each row got last."""
        size = len(self.rows)
        return self._tokens[np.arange(size), self.count[:size] - 1]

    def of(self, name: str) -> np.ndarray:
        """(rows,), one of the arrays, cut to the rows in work."""
        array: np.ndarray = getattr(self, name)[: len(self.rows)]
        return array

    def add(self, rows: Sequence[DecodingRow]) -> None:
        """Rows come in behind those that are there, with the tokens that they may have."""
        first = len(self.rows)
        self._reserve(first + len(rows), max(len(row.tokens) for row in rows) + 1)
        for place, row in enumerate(rows, start=first):
            size = len(row.tokens)
            self.cached[place], self.most_columns[place] = row.cached, row.most_columns
            self.count[place], self.limit[place] = size, row.limit
            self.seed[place], self.temperature[place], self.top_p[place] = row.seed, row.temperature, row.top_p
            self.top_k[place], self.min_p[place] = row.top_k, row.min_p
            self.repetition_penalty[place] = row.repetition_penalty
            self._stopping[place] = bool(row.stops)
            self._tokens[place, :size] = row.tokens
            for name, array in self._numbers.items():
                had = getattr(row, name)
                array[place, : len(had)] = had
        self.rows.extend(rows)

    def note(self, first: int, sampled: SampledTokens, ends: np.ndarray) -> np.ndarray:
        """Write down what the rows from `first` on got.

        Args:
            first: the first of them; all behind it got a token too.
            sampled: one per row.
            ends: tokens that end a row.

        Returns:
            places of the rows that ended with it, or have their limit.
        """
        size = len(self.rows)
        places = np.arange(first, size)
        self._reserve(size, int(self.count[first:size].max()) + 1)
        counts = self.count[first:size]
        tokens = sampled.tokens.numpy(force=True)
        self._tokens[places, counts] = tokens
        values = (sampled.logprobs, sampled.certainty, sampled.confidence)
        for array, numbers in zip(self._numbers.values(), values, strict=True):
            array[places, counts] = numbers.numpy(force=True)
        self.cached[first:size] += counts > 0  # the first token comes with the prefill
        self.count[first:size] += 1
        ended = np.isin(tokens, ends)
        for place in places[ended]:
            self.rows[place].ended = "stop"
        full = (self.count[first:size] >= self.limit[first:size]) & ~ended
        for place in places[full]:
            self.rows[place].ended = "length"
        broken = np.isnan(self._numbers["logprobs"][places, counts - 1])
        for place in places[broken]:
            self.rows[place].ended, self.rows[place].error = "error", NOT_A_NUMBER
        return places[ended | full | broken]

    def looking(self, first: int) -> Iterable[tuple[DecodingRow, list[int]]]:
        """Rows with stop texts that did not end by a token, and the last tokens in which to look for those."""
        for place in np.flatnonzero(self._stopping[: len(self.rows)]):
            row = self.rows[place]
            if place >= first and row.ended != "stop":
                count = self.count[place]
                yield row, self._tokens[place, max(0, count - row.stop_tokens) : count].tolist()

    def seen(self, place: int) -> list[int]:
        """The tokens of a row's prompt and of its answer so far."""
        return [*self.rows[place].prompt, *self._tokens[place, : self.count[place]].tolist()]

    def sync(self, place: int) -> DecodingRow:
        """The row at a place, with all that was written down."""
        row, count = self.rows[place], self.count[place]
        row.tokens = self._tokens[place, :count].tolist()
        for name, array in self._numbers.items():
            setattr(row, name, array[place, :count].tolist())
        return row

    def remove(self, place: int) -> int | None:
        """Take a row out; the last one comes into its place, whose old place is returned (None if it was the last)."""
        self.sync(place)
        last = len(self.rows) - 1
        if place != last:
            for name in (*OF_EACH_ROW, "_tokens"):
                array = getattr(self, name)
                array[place] = array[last]
            for array in self._numbers.values():
                array[place] = array[last]
            self.rows[place] = self.rows[last]
        self.rows.pop()
        return None if place == last else last

    def _reserve(self, rows: int, columns: int) -> None:
        if rows <= self._rows_reserved and columns <= self._columns_reserved:
            return
        old_rows = self._rows_reserved
        self._rows_reserved = max(self._rows_reserved, 2 * rows if rows > self._rows_reserved else 0)
        self._columns_reserved = max(self._columns_reserved, 2 * columns if columns > self._columns_reserved else 0)
        for name in OF_EACH_ROW:
            array = getattr(self, name)
            setattr(self, name, np.concatenate([array, np.zeros(self._rows_reserved - old_rows, array.dtype)]))
        self._tokens = _enlarged(self._tokens, self._rows_reserved, self._columns_reserved)
        self._numbers = {
            name: _enlarged(array, self._rows_reserved, self._columns_reserved) for name, array in self._numbers.items()
        }


def _enlarged(array: np.ndarray, rows: int, columns: int) -> np.ndarray:
    larger = np.zeros((rows, columns), array.dtype)
    larger[: array.shape[0], : array.shape[1]] = array
    return larger
