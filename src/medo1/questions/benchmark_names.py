"""The benchmark name of each row: from the caller, else a column, or the name of the part, file or folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from medo1.questions.readers.form import is_missing
from medo1.questions.record_files import FilePart

_COLUMNS = ("benchmark", "benchmark_name", "dataset", "dataset_name")
_SHARD = re.compile(r"-\d{5}-of-\d{5}")
_SUFFIXES = re.compile(r"(?:\.(?:jsonl|ndjson|jsonlines|json|csv|tsv|parquet|xlsx|zip|gz|bz2|xz))+$", re.IGNORECASE)
_SPLIT = re.compile(
    r"(?:^|(?<=[_.\s-]))(?:train(?:ing)?|dev|valid(?:ation)?|val|test(?:ing)?)(?=$|[_.\s-])", re.IGNORECASE
)
# names that say nothing of a benchmark
_NO_NAMES = frozenset(
    ("data", "questions", "rows", "examples", "items", "records", "results", "instances", "default", "main", "all",
     "file", "sheet1", "benchmark", "benchmarks", "raw", "output", "qa", "exams", "dataset", "datasets", "tmp", "")
)  # fmt: skip
_LONGEST = 60  # characters of a cell that can be a benchmark's name


class RowBenchmarks:
    """The benchmark's name of each row: as the caller says, else a column, the part's or the file's name."""

    def __init__(self, part: FilePart, columns: Sequence[str], told: str | None, folder: str) -> None:
        self._column = None
        if told is None:
            self._column = next((name for name in _COLUMNS if name in columns and _holds_names(part, name)), None)
        self._name = told or benchmark_name((*part.keys[::-1], part.title.partition("/")[0], folder))

    def of(self, values: Mapping[str, Any]) -> str:
        said = values.get(self._column) if self._column else None
        return str(said).strip() if said is not None and not is_missing(said) else self._name


def _holds_names(part: FilePart, column: str) -> bool:
    held = [row.values[column] for row in part.rows if not is_missing(row.values.get(column))]
    return bool(held) and all(isinstance(one, str) and len(one) <= _LONGEST for one in held)


def benchmark_name(names: Sequence[str]) -> str:
    """The first of some names that says more than a split: `medqa` of `medqa_test-00000-of-00001.parquet`."""
    for name in names:
        bare = _SHARD.sub("", name)
        words = _SPLIT.sub("", _SUFFIXES.sub("", bare))
        words = re.sub(r"[_.\s-]{2,}", "_", words).strip("_.- ")
        if words.lower() not in _NO_NAMES:
            return words
    return "questions"
