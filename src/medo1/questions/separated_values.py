"""Rows from separated text: CSV in all its dialects, TSV, and spreadsheet exports.

The separator is detected from the file. A quote that is never closed, or that swallows the lines after it, costs its
own line and no other: the line is rejected with its number, and reading continues at the next one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from medo1.questions.question_errors import FileRecord, QuestionsError, RejectedRow, excerpt

SEPARATORS = (",", ";", "\t", "|")
_LOOKED_AT = 20  # records from which the separator is detected
_MOST_LINES = 300  # of one record: a quote that stays open longer is taken for a stray one
_SAID = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)  # Excel's own first line
_INDEX_NAMES = ("", "unnamed: 0", "unnamed:0")


class _Record(NamedTuple):
    line: int  # of the file, from 1
    fields: list[str]


def separated_rows(
    name: str, text: str, *, tabs: bool, header: Sequence[str] | None
) -> tuple[list[FileRecord], list[RejectedRow]]:
    """Records of separated text by column, and the lines that are none.

    Args:
        name: the file's name, for messages.
        text: what the file holds.
        tabs: the file says by its suffix that tabs separate.
        header: names of the columns where the text has no line of names.

    Raises:
        QuestionsError: where a column's name stands twice.
    """
    csv.field_size_limit(1 << 30)
    said = _SAID.match(text)
    skipped = 0
    if said is not None:
        text, skipped = text[said.end() :], 1
    separator = said[1] if said is not None else _separator(text, tabs=tabs)
    records, broken = _records(text, separator, skipped)
    if not records:
        return _with_numbers(name, [], broken)
    columns = list(header) if header is not None else [column.strip() for column in records[0].fields]
    body = records if header is not None else records[1:]
    if header is None:
        columns = _named(name, columns, body)
        if _lacks_index_name(columns, body):
            columns = ["", *columns]
    good: list[tuple[int, dict[str, str]]] = []
    for record in body:
        if len(record.fields) == len(columns):
            values = dict(zip(columns, record.fields, strict=True))
            good.append((record.line, {column: value for column, value in values.items() if column is not None}))
        else:
            reason = f"{len(record.fields)} fields where the first line has {len(columns)} (line {record.line})"
            broken.append((record.line, reason, separator.join(record.fields)))
    return _with_numbers(name, good, broken)


def _with_numbers(
    name: str, good: list[tuple[int, dict[str, str]]], broken: list[tuple[int, str, str]]
) -> tuple[list[FileRecord], list[RejectedRow]]:
    """Rows and rejected ones numbered together in the order of their lines."""
    rows: list[FileRecord] = []
    rejected: list[RejectedRow] = []
    both = [(line, 0, place) for place, (line, _) in enumerate(good)]
    both += [(line, 1, place) for place, (line, _, _) in enumerate(broken)]
    for number, (_, is_broken, place) in enumerate(sorted(both), 1):
        if is_broken:
            _, reason, content = broken[place]
            rejected.append(RejectedRow(name, number, reason, excerpt(content)))
        else:
            rows.append(FileRecord(number, good[place][1]))
    return rows, rejected


def _separator(text: str, *, tabs: bool) -> str:
    """The separator by which the first records have the same number of fields, and most of them."""
    head = text[: 1 << 18]
    best, scored = "\t" if tabs else ",", (0.0, 0)
    for separator in ("\t", *SEPARATORS) if tabs else SEPARATORS:
        records = _head(head, separator)
        if not records or len(records[0]) < 2:  # noqa: PLR2004
            continue
        first = len(records[0])
        same = sum(len(record) == first for record in records) / len(records)
        if (round(same, 1), first) > scored:
            best, scored = separator, (round(same, 1), first)
    return best


def _head(text: str, separator: str) -> list[list[str]]:
    found: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            if record:
                found.append(record)
            if len(found) > _LOOKED_AT:
                break
    except csv.Error:
        pass
    return found


def _records(text: str, separator: str, skipped: int) -> tuple[list[_Record], list[tuple[int, str, str]]]:
    """All records with their lines. The quick way first; where it meets trouble, line by line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    records: list[_Record] = []
    line = 1
    try:
        for fields in reader:
            if fields:
                records.append(_Record(line + skipped, fields))
            line = reader.line_num + 1
    except csv.Error:
        return _line_by_line(text, separator, skipped)
    width = len(records[0].fields) if records else 0
    spans = any(len(record.fields) != width and any("\n" in one for one in record.fields) for record in records)
    return _line_by_line(text, separator, skipped) if spans else (records, [])


def _line_by_line(text: str, separator: str, skipped: int) -> tuple[list[_Record], list[tuple[int, str, str]]]:
    """The same of a text with a stray quote: a record ends where its quotes do and it is as wide as the first."""
    lines = list(_lines(text))
    records: list[_Record] = []
    broken: list[tuple[int, str, str]] = []
    width, place = 0, 0
    while place < len(lines):
        if not lines[place].strip():
            place += 1
            continue
        found = None
        for end in range(place + 1, min(len(lines), place + _MOST_LINES) + 1):
            if end > place + 1 and '"' not in lines[end - 1]:
                continue  # only a line with a quote can close one
            fields = _fields("".join(lines[place:end]), separator)
            if fields is not None and (not width or len(fields) == width):
                found = (fields, end)
                break
            if '"' not in lines[place] or fields is not None:
                break  # no quote to stay open; or closed, with another number of fields
        if found is not None:
            records.append(_Record(place + 1 + skipped, found[0]))
            width = width or len(found[0])
            place = found[1]
            continue
        alone = _fields(lines[place], separator)
        if alone is not None:
            records.append(_Record(place + 1 + skipped, alone))  # told by its number of fields
        else:
            reason = f"line {place + 1 + skipped}: a quote is opened and not closed; double the quotes inside a text"
            broken.append((place + 1 + skipped, reason, lines[place]))
        place += 1
    return records, broken


def _lines(text: str) -> Iterator[str]:
    yield from io.StringIO(text, newline="")


def _fields(text: str, separator: str) -> list[str] | None:
    """The fields of one record; None where its quotes do not close or do not stand at a field's ends."""
    try:
        found = [
            record for record in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True) if record
        ]
    except csv.Error:
        return None
    return found[0] if len(found) == 1 else None


def _named(name: str, columns: list[str], body: Sequence[_Record]) -> list[str]:
    """The columns' names: an unnamed one is the rows' index, is empty, or is named by its position."""
    named = []
    for place, column in enumerate(columns):
        if column.lower() in _INDEX_NAMES and place == 0 and _counts([record.fields[:1] for record in body]):
            named.append("index" if "index" not in columns else column)
        elif not column:
            filled = any(record.fields[place : place + 1] not in ([], [""]) for record in body)
            named.append(f"column {place + 1}" if filled else f"(empty column {place + 1})")
        else:
            named.append(column)
    doubled = sorted({column for column in named if named.count(column) > 1})
    if doubled:
        places = " and ".join(str(place) for place, column in enumerate(named, 1) if column == doubled[0])
        raise QuestionsError(
            f"{name}: the column {doubled[0]!r} stands more than once in the first line (columns {places}): rename one"
        )
    return named


def _lacks_index_name(columns: Sequence[str], body: Sequence[_Record]) -> bool:
    """Whether every line has one field more than there are names, the first a running number (R writes so)."""
    longer = [record.fields[:1] for record in body if len(record.fields) == len(columns) + 1]
    return bool(body) and len(longer) == len(body) and _counts(longer)


def _counts(cells: Sequence[list[str]]) -> bool:
    """Whether cells are whole numbers, none twice: a running number."""
    texts = [cell[0].strip() if cell else "" for cell in cells]
    return bool(texts) and all(text.isdigit() for text in texts) and len(set(texts)) == len(texts)
