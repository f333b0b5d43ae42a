"""Records from JSON: a list, lines, an object of columns, of records under their keys, or of named lists of records.

An object that holds several lists of records gives each as a separate part under its key: `{"train": [...],
"test": [...]}`, or one list for each benchmark.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from medo1.questions.question_errors import FileRecord, QuestionsError, RejectedRow, excerpt

KEY = "_key"  # of records that stand in an object, under their key
_DEEPEST = 4  # objects around a list of records
_EXPECTED = (
    "expected a list of records, lists of records under their names, columns of equal length, or records under their "
    "keys"
)


class NamedRecords(NamedTuple):
    """Records of one part of a file: what the file calls it (empty where it is all of the file), rows, and bad rows."""

    key: str
    rows: list[FileRecord]
    rejected: list[RejectedRow]


def json_lines(name: str, text: str) -> list[NamedRecords]:
    """JSON lines; also a list, or objects that stand on several lines each, under a suffix that says lines."""
    rows: list[FileRecord] = []
    rejected: list[RejectedRow] = []
    stripped = text.lstrip()
    if stripped.startswith("["):
        value = _loaded_or_none(text)
        if isinstance(value, list):
            return [_numbered(name, "", value)]
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            rejected.append(RejectedRow(name, number, f"not JSON: {_told(error)}", excerpt(line)))
            continue
        if isinstance(value, dict):
            rows.append(FileRecord(number, value))
        else:
            reason = f"expected an object, found {type(value).__name__}"
            rejected.append(RejectedRow(name, number, reason, excerpt(line)))
    if not rows and rejected and stripped.startswith("{"):
        value = _loaded_or_none(text)
        if isinstance(value, dict):
            return json_parts(name, text)
        several = _several_objects(text)
        if several is not None:
            return [_numbered(name, "", several)]
    return [NamedRecords("", rows, rejected)]


def json_parts(name: str, text: str) -> list[NamedRecords]:
    """The parts of a JSON file.

    Raises:
        QuestionsError: for a text that is no JSON, or that holds no records.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise QuestionsError(
            f"{name}: objects are nested too deeply to be read (hundreds of brackets within each other)"
        ) from None
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            lines = json_lines(name, text)
            if lines[0].rows:
                return lines  # JSON lines under the other suffix
        raise QuestionsError(
            f"{name} is not JSON: {error.msg}, line {error.lineno} column {error.colno}; is it cut off?"
        ) from error
    if isinstance(value, list):
        return [_numbered(name, "", value)]
    if not isinstance(value, dict):
        raise QuestionsError(f"{name}: expected a list of records, found {type(value).__name__}")
    parts = _parts(name, value, ())
    if not parts:
        found = ", ".join(map(str, list(value)[:8]))
        raise QuestionsError(f"{name}: {_EXPECTED}; found an object with the keys {found}")
    return parts


def _parts(  # noqa: PLR0911  (a way of holding records each)
    name: str, value: dict[str, Any], path: tuple[str, ...]
) -> list[NamedRecords]:
    """The parts of an object, each under the keys that lead to it."""
    key = "/".join(path)
    records = _split_orient(value) or _columns(name, value)
    if records is not None:
        return [_numbered(name, key, records)]
    lists = {inner: held for inner, held in value.items() if _is_records(held)}
    if lists:
        return [_numbered(name, "/".join((*path, inner)), held) for inner, held in lists.items()]
    nested = {inner: held for inner, held in value.items() if isinstance(held, dict)}
    if len(nested) < len(value):  # beside names and numbers that describe the file
        holding = {inner: held for inner, held in nested.items() if _holds_records(held)}
        deeper = len(path) < _DEEPEST
        return [part for inner, held in holding.items() if deeper for part in _parts(name, held, (*path, inner))]
    if not value:
        return []
    if len(path) < _DEEPEST and all(_holds_records(held) for held in value.values()):
        return [part for inner, held in value.items() for part in _parts(name, held, (*path, inner))]
    if all(held and all(isinstance(cell, dict) for cell in held.values()) for held in value.values()):
        return [
            _numbered(name, "/".join((*path, inner)), [{KEY: own, **cell} for own, cell in held.items()])
            for inner, held in value.items()
        ]
    return [_numbered(name, key, [{KEY: own, **record} for own, record in value.items()])]


def _is_records(held: Any) -> bool:
    return isinstance(held, list) and bool(held) and any(isinstance(record, dict) for record in held[:20])


def _holds_records(held: dict[str, Any]) -> bool:
    """Whether an object holds lists of records, however deep."""
    return any(_is_records(inner) and not _is_options(key) for key, inner in held.items()) or (
        bool(held)
        and all(isinstance(inner, dict) for inner in held.values())
        and any(_holds_records(inner) for inner in held.values())
    )


def _is_options(key: str) -> bool:
    return key.lower() in ("options", "choices", "answers")


def _split_orient(value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """pandas' `orient="split"`: `{"columns": [...], "data": [[...], ...]}`."""
    columns, data = value.get("columns"), value.get("data")
    if not isinstance(columns, list) or not isinstance(data, list) or not data:
        return None
    if not all(isinstance(row, list) and len(row) == len(columns) for row in data):
        return None
    return [dict(zip(map(str, columns), row, strict=True)) for row in data]


def _columns(name: str, value: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The records of an object of columns: `{"question": {"0": ...}}` (pandas' own form) or `{"question": [...]}`."""
    columns = list(value.values())
    if len(columns) < 2 or not all(  # noqa: PLR2004
        isinstance(column, type(columns[0])) and isinstance(column, dict | list) for column in columns
    ):
        return None
    if isinstance(columns[0], dict):
        if any(
            isinstance(cell, dict | list) and not _is_options(key) and key.lower() not in ("context", "contexts")
            for key, column in value.items()
            for cell in list(column.values())[:1]
        ):
            return None  # records under their keys, not columns
        keys = list(columns[0])
        if not all(key.isdigit() for key in keys):
            return None
        for column_name, column in value.items():
            if column.keys() != columns[0].keys():
                raise QuestionsError(
                    f"{name}: column {column_name!r} has {len(column)} rows where {next(iter(value))!r} has {len(keys)}"
                )
        return [{column_name: column[key] for column_name, column in value.items()} for key in keys]
    if all(_is_records(column) or not column for column in columns):
        return None  # lists of records under their names
    lengths = {column_name: len(column) for column_name, column in value.items()}
    if len(set(lengths.values())) != 1:
        raise QuestionsError(f"{name}: columns of unequal length: {lengths}")
    return [dict(zip(value, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _numbered(name: str, key: str, records: Sequence[Any]) -> NamedRecords:
    """Records with their numbers; what is none is rejected."""
    title = f"{name}/{key}" if key else name
    rows, rejected = [], []
    for number, record in enumerate(records, 1):
        if isinstance(record, dict):
            rows.append(FileRecord(number, record))
        else:
            reason = f"expected an object, found {type(record).__name__}"
            rejected.append(RejectedRow(title, number, reason, excerpt(record)))
    return NamedRecords(key, rows, rejected)


def _several_objects(text: str) -> list[Any] | None:
    """Objects that follow each other without a comma; None where something else stands between them."""
    decoder, place, found = json.JSONDecoder(), 0, []
    try:
        while place < len(text):
            if text[place].isspace():
                place += 1
                continue
            value, place = decoder.raw_decode(text, place)
            found.append(value)
    except (ValueError, RecursionError):
        return None
    return found


def _loaded_or_none(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _told(error: Exception) -> str:
    return "objects are nested too deeply" if isinstance(error, RecursionError) else str(error)
