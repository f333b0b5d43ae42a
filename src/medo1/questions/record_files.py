"""Rows out of files: JSONL, JSON (a list, an object of columns, or an object of records), CSV, TSV and Parquet.

A row that is no record (a line that is no JSON, a CSV line with a field too many) is rejected with its reason and the
rest is read.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from medo1.questions.question_errors import QuestionsError, RejectedRow

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
KEY = "_key"  # of records that stand in an object, under their key
_EXCERPT = 80
_WRAPPERS = ("data", "questions", "rows", "examples", "items", "test", "train", "dev")


class FileRecord(NamedTuple):
    """One record of a file: its number from 1 and its values by column."""

    number: int
    values: dict[str, Any]


def read_rows(path: Path, *, header: Sequence[str] | None = None) -> tuple[list[FileRecord], list[RejectedRow]]:
    """All records of a file, and the rows that are none.

    Args:
        path: the file; its suffix says what it is.
        header: names of the columns of a CSV or TSV file that has no line of names.

    Raises:
        QuestionsError: for a file that is missing, of another kind, or broken as a whole.
    """
    suffix = path.suffix.lower()
    if not path.is_file():
        raise QuestionsError(f"{path} is not a file: give the path of one of {', '.join(SUFFIXES)}")
    if suffix not in SUFFIXES:
        raise QuestionsError(f"{path.name}: files are read by their suffix, one of {', '.join(SUFFIXES)}; rename it")
    if suffix == ".parquet":
        return _parquet_rows(path), []
    text = _text(path)
    if suffix in (".csv", ".tsv"):
        return _separated_rows(path.name, text, "\t" if suffix == ".tsv" else ",", header)
    if suffix == ".json":
        return _json_rows(path.name, text)
    return _json_lines(path.name, text)


def _text(path: Path) -> str:
    """The file's text: UTF-8, with or without a byte order mark."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise QuestionsError(
            f"{path.name} is not UTF-8: byte {data[error.start]:#04x} on line {line}; save it as UTF-8"
        ) from error


def excerpt(value: object) -> str:
    """The beginning of a row, on one line."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split()).encode("utf-8", "backslashreplace").decode()  # no file can hold half a character
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…"


def _json_lines(name: str, text: str) -> tuple[list[FileRecord], list[RejectedRow]]:
    rows: list[FileRecord] = []
    rejected: list[RejectedRow] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            rejected.append(RejectedRow(name, number, f"not JSON: {error}", excerpt(line)))
            continue
        if isinstance(value, dict):
            rows.append(FileRecord(number, value))
        else:
            reason = f"expected an object, found {type(value).__name__}"
            rejected.append(RejectedRow(name, number, reason, excerpt(line)))
    return rows, rejected


def _json_rows(name: str, text: str) -> tuple[list[FileRecord], list[RejectedRow]]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and error.lineno > 1:
            return _json_lines(name, text)  # JSON lines under the other suffix
        raise QuestionsError(f"{name} is not JSON: {error}; is it cut off?") from error
    if isinstance(value, dict):
        value = _unwrapped(value)
    if isinstance(value, dict):
        records = _columns(name, value) or _keyed_records(value)
        if records is None:
            found = ", ".join(map(str, list(value)[:8]))
            raise QuestionsError(
                f"{name}: expected a list of records, columns of equal length, or records under their keys; found an "
                f"object with the keys {found}"
            )
        value = records
    if not isinstance(value, list):
        raise QuestionsError(f"{name}: expected a list of records, found {type(value).__name__}")
    rows, rejected = [], []
    for number, record in enumerate(value, 1):
        if isinstance(record, dict):
            rows.append(FileRecord(number, record))
        else:
            reason = f"expected an object, found {type(record).__name__}"
            rejected.append(RejectedRow(name, number, reason, excerpt(record)))
    return rows, rejected


def _unwrapped(value: dict[str, Any]) -> Any:
    """The list that a file wraps in an object: `{"data": [...]}`."""
    for key in _WRAPPERS:
        inner = value.get(key)
        if isinstance(inner, list) and inner and isinstance(inner[0], dict):
            return inner
    return value


def _columns(name: str, value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The records of an object of columns: `{"question": {"0": ...}}` (pandas' own form) or `{"question": [...]}`."""
    columns = list(value.values())
    if not columns or not all(
        isinstance(column, type(columns[0])) and isinstance(column, dict | list) for column in columns
    ):
        return None
    if isinstance(columns[0], dict):
        if any(
            isinstance(cell, dict | list) and key not in ("options", "choices")
            for key, column in value.items()
            for cell in list(column.values())[:1]
        ):
            return None  # records under their keys, not columns
        keys = list(columns[0])
        if len(value) < 2 or not all(key.isdigit() for key in keys):  # noqa: PLR2004
            return None
        for column_name, column in value.items():
            if column.keys() != columns[0].keys():
                raise QuestionsError(
                    f"{name}: column {column_name!r} has {len(column)} rows where {next(iter(value))!r} has {len(keys)}"
                )
        return [{column_name: column[key] for column_name, column in value.items()} for key in keys]
    lengths = {column_name: len(column) for column_name, column in value.items()}
    if len(set(lengths.values())) != 1:
        raise QuestionsError(f"{name}: columns of unequal length: {lengths}")
    return [dict(zip(value, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _keyed_records(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The records of an object whose values are records: `{"12345": {"QUESTION": ...}}`."""
    if not value or not all(isinstance(record, dict) for record in value.values()):
        return None
    return [{KEY: key, **record} for key, record in value.items()]


def _separated_rows(
    name: str, text: str, delimiter: str, header: Sequence[str] | None
) -> tuple[list[FileRecord], list[RejectedRow]]:
    csv.field_size_limit(1 << 30)
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise QuestionsError(f"{name} is not well-formed CSV: {error}; is a quote left open?") from error
    records = [record for record in records if record]
    if not records:
        return [], []
    columns = list(header) if header is not None else [column.strip() for column in records[0]]
    if header is None:
        doubled = sorted({column for column in columns if columns.count(column) > 1})
        if doubled:
            raise QuestionsError(f"{name}: the column {doubled[0]!r} stands more than once in the first line")
        records = records[1:]
    rows, rejected = [], []
    for number, record in enumerate(records, 1):
        if len(record) == len(columns):
            rows.append(FileRecord(number, dict(zip(columns, record, strict=True))))
        else:
            reason = f"{len(record)} fields where the first line has {len(columns)}"
            rejected.append(RejectedRow(name, number, reason, excerpt(delimiter.join(record))))
    return rows, rejected


def _parquet_rows(path: Path) -> list[FileRecord]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except pyarrow.ArrowException as error:
        raise QuestionsError(f"{path.name} is not a Parquet file that can be read: {error}") from error
    return list(rows_of(table.to_pylist()))


def rows_of(records: Sequence[dict[str, Any]]) -> Iterator[FileRecord]:
    """Numbered rows of records that are already in memory."""
    for number, record in enumerate(records, 1):
        yield FileRecord(number, record)
