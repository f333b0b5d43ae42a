"""Rows from files: JSON in each of its shapes, separated text, Parquet, Excel, and compressed ones.

A row that is not a record (a line that is not JSON, a CSV line with a field too many) is rejected with its reason and
the rest is read. A file can have parts: members of a zip file, sheets, lists of records under names.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from medo1.questions.json_records import KEY, json_lines, json_parts
from medo1.questions.question_errors import FileRecord, QuestionsError, RejectedRow, excerpt
from medo1.questions.separated_values import separated_rows

LINES = (".jsonl", ".ndjson", ".jsonlines")
SEPARATED = (".csv", ".tsv")
SUFFIXES = (*LINES, ".json", *SEPARATED, ".parquet", ".xlsx")
UNPACKED: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}
PACKED = (*UNPACKED, ".zip")
_BATCH = 256  # rows of a Parquet file that are held at once
LARGEST = 4 << 30  # bytes of a file once unpacked
_ASIDE = ("__macosx", ".")  # what a zip file holds beside its files

__all__ = ["KEY", "FilePart", "FileRecord", "excerpt", "read_parts", "read_rows", "rows_of", "stream_rows"]


@dataclass(frozen=True, slots=True)
class FilePart:
    """One part of a file, mostly all of it.

    Attributes:
        title: the file's name, and the part's where there are several.
        keys: what the file itself calls the part: a member of a zip file, a sheet, a key; outermost first.
        rows: its records; `rejected` what is none.
    """

    title: str
    keys: tuple[str, ...] = ()
    rows: list[FileRecord] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)


def read_parts(path: Path, *, header: Sequence[str] | None = None, encoding: str | None = None) -> list[FilePart]:
    """The parts of a file, each with all of its records and the rows that are none.

    Args:
        path: the file; its suffix says what it is.
        header: names of the columns of a CSV or TSV file that has no line of names.
        encoding: of a text that is not UTF-8.

    Raises:
        QuestionsError: for a file that is missing, of another kind, or broken as a whole.
    """
    if not path.is_file():
        raise QuestionsError(f"{path} is not a file: give the path of one of {', '.join(SUFFIXES)}")
    return _parts_of(path.name, path.name, path.read_bytes(), header, encoding, ())


def read_rows(path: Path, *, header: Sequence[str] | None = None) -> tuple[list[FileRecord], list[RejectedRow]]:
    """All records of a file that is one table, and the rows that are none.

    Raises:
        QuestionsError: as `read_parts`, and for a file of several parts.
    """
    parts = read_parts(path, header=header)
    if len(parts) > 1:
        raise QuestionsError(f"{path.name} holds {len(parts)} tables ({', '.join(part.title for part in parts[:4])}): "
                             "give a file with one")  # fmt: skip
    return (parts[0].rows, parts[0].rejected) if parts else ([], [])


def stream_rows(path: Path) -> Iterator[FileRecord | RejectedRow]:
    """The records of a file that is one table, and the rows that are none, one after the other.

    A file of JSON lines, packed or not, and a Parquet file are never held whole; of other kinds all is read first.

    Raises:
        QuestionsError: as `read_rows`.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    packed = suffixes[-1:] == [".gz"]
    kind = suffixes[-2:-1] if packed else suffixes[-1:]
    if path.is_file() and kind and kind[0] in LINES and _has_lines(path, packed=packed):
        yield from _streamed_lines(path, packed=packed)
    elif path.is_file() and kind == [".parquet"] and not packed:
        yield from _streamed_parquet(path)
    else:
        rows, rejected = read_rows(path)
        numbered: list[tuple[int, FileRecord | RejectedRow]] = [(row.number, row) for row in rows]
        numbered += [(bad.row, bad) for bad in rejected]
        numbered.sort(key=lambda pair: pair[0])
        yield from (row for _, row in numbered)


def _opened(path: Path, *, packed: bool) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb") if packed else path.open("rb"))


def _has_lines(path: Path, *, packed: bool) -> bool:
    """Whether the first line that holds something is an object by itself, in UTF-8."""
    try:
        with _opened(path, packed=packed) as file:
            first = next((line for line in file if line.strip(b"\xef\xbb\xbf \t\r\n")), b"")
        return isinstance(json.loads(first.decode("utf-8-sig")), dict)
    except (OSError, EOFError, ValueError, RecursionError, zlib.error):
        return False


def _streamed_lines(path: Path, *, packed: bool) -> Iterator[FileRecord | RejectedRow]:
    try:
        with _opened(path, packed=packed) as file:
            for number, line in enumerate(file, 1):
                try:
                    text = line.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise QuestionsError(
                        f"{path.name} is not UTF-8: byte {line[error.start]:#04x} on line {number}; save it as UTF-8"
                    ) from error
                for part in json_lines(path.name, text.rstrip("\n")):
                    yield from (row._replace(number=number) for row in part.rows)
                    yield from (replace(bad, row=number) for bad in part.rejected)
    except (OSError, EOFError, zlib.error) as error:
        raise QuestionsError(f"{path.name} cannot be read to its end: {error}; was it fetched whole?") from error


def _streamed_parquet(path: Path) -> Iterator[FileRecord]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = _class_names(file.schema_arrow.metadata)
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH):
                for record in named_classes(batch.to_pylist(), names):
                    number += 1
                    yield FileRecord(number, record)
    except pyarrow.ArrowException as error:
        raise QuestionsError(f"{path.name} is not a Parquet file that can be read: {error}") from error


def _parts_of(
    title: str, name: str, data: bytes, header: Sequence[str] | None, encoding: str | None, keys: tuple[str, ...]
) -> list[FilePart]:
    """The parts of a file's bytes: `title` for messages, `name` for its kind, `keys` lead to it in another file."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in UNPACKED:
        inner = name[: -len(suffix)]
        if PurePosixPath(inner).suffix.lower() not in (*SUFFIXES, *PACKED):
            raise QuestionsError(f"{title}: name it after what is packed in it, such as {inner}.jsonl{suffix}")
        return _parts_of(title, inner, _unpacked(title, data, UNPACKED[suffix]), header, encoding, keys)
    if suffix == ".zip":
        return _members(title, data, header, encoding, keys)
    if suffix == ".parquet":
        return [FilePart(title, keys, _parquet_rows(title, data))]
    if suffix == ".xlsx":
        return _sheets(title, data, keys)
    if suffix not in SUFFIXES:
        raise QuestionsError(
            f"{title}: files are read by their suffix, one of {', '.join((*SUFFIXES, *PACKED))}{_looks_like(data)}"
        )
    text = _text(title, data, encoding)
    if suffix in SEPARATED:
        rows, rejected = separated_rows(title, text, tabs=suffix == ".tsv", header=header)
        return [FilePart(title, keys, rows, rejected)]
    found = json_parts(title, text) if suffix == ".json" else json_lines(title, text)
    return [
        FilePart(f"{title}/{part.key}", (*keys, *part.key.split("/")), part.rows, part.rejected)
        if part.key
        else FilePart(title, keys, part.rows, part.rejected)
        for part in found
    ]


def _unpacked(title: str, data: bytes, unpack: Callable[[bytes], bytes]) -> bytes:
    try:
        unpacked = unpack(data)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise QuestionsError(f"{title} cannot be unpacked: {error}; was it fetched whole?") from error
    if len(unpacked) > LARGEST:
        raise QuestionsError(f"{title} is larger than {LARGEST >> 30} GiB once unpacked: split it")
    return unpacked


def _members(
    title: str, data: bytes, header: Sequence[str] | None, encoding: str | None, keys: tuple[str, ...]
) -> list[FilePart]:
    """The parts of the files in a zip file that can be read; others are passed over."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile as error:
        raise QuestionsError(f"{title} is not a zip file that can be read: {error}; was it fetched whole?") from error
    with archive:
        readable = [entry for entry in archive.infolist() if _is_member(entry)]
        if not readable:
            held = ", ".join(entry.filename for entry in archive.infolist()[:5]) or "nothing"
            raise QuestionsError(f"{title}: none of its files is one of {', '.join(SUFFIXES)}; it holds {held}")
        if sum(entry.file_size for entry in readable) > LARGEST:
            raise QuestionsError(f"{title} is larger than {LARGEST >> 30} GiB once unpacked: split it")
        parts = []
        for entry in readable:
            try:
                content = archive.read(entry)
            except (zipfile.BadZipFile, RuntimeError, zlib.error, NotImplementedError) as error:
                raise QuestionsError(f"{title}: {entry.filename} cannot be unpacked: {error}") from error
            inside = tuple(entry.filename.split("/"))
            named = f"{title}/{entry.filename}"
            parts.extend(_parts_of(named, inside[-1], content, header, encoding, (*keys, *inside)))
    return parts


def _is_member(entry: zipfile.ZipInfo) -> bool:
    name = entry.filename.lower()
    aside = any(folder.startswith(_ASIDE) for folder in name.split("/"))
    bare = next((name[: -len(suffix)] for suffix in UNPACKED if name.endswith(suffix)), name)
    return not entry.is_dir() and not aside and bare.endswith(SUFFIXES)


def _looks_like(data: bytes) -> str:
    """What the first bytes say that a file of an unknown suffix is."""
    signs = {b"PAR1": ".parquet", b"\x1f\x8b": ".gz", b"PK\x03\x04": ".zip or .xlsx"}
    found = next((suffix for sign, suffix in signs.items() if data.startswith(sign)), "")
    if not found and data.lstrip()[:1] in (b"{", b"["):
        found = ".json or .jsonl"
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return "; this is an old Excel file: save it as .xlsx or .csv"
    return f"; by its first bytes this one is {found}: copy it under a name that ends so" if found else ""


def _text(name: str, data: bytes, encoding: str | None) -> str:
    """The file's text: UTF-8 (a byte order mark or none), UTF-16 with one, or the encoding that the caller names."""
    if encoding is None and data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    try:
        return data.decode(encoding or "utf-8-sig")
    except LookupError:
        raise QuestionsError(
            f"{name}: there is no encoding {encoding!r}; common ones are utf-8, cp1252, gb18030"
        ) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = "UTF-8" if encoding is None else encoding
        raise QuestionsError(
            f"{name} is not {what}: byte {data[error.start]:#04x} on line {line}; save it as UTF-8, or name its "
            "encoding (`encoding: cp1252`)"
        ) from error


def _sheets(title: str, data: bytes, keys: tuple[str, ...]) -> list[FilePart]:
    """The sheets of an Excel file that hold rows; a sheet's first row names its columns."""
    import warnings

    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever a broken file makes it stumble over
        raise QuestionsError(
            f"{title} is not an Excel file that can be read: {type(error).__name__}: {error}"
        ) from error
    tables = {sheet.title: _cells(sheet) for sheet in book.worksheets}
    book.close()
    filled = {name: rows for name, rows in tables.items() if len(rows) > 1}
    if not filled:
        return [FilePart(title, keys)]
    parts = []
    for name, table in filled.items():
        several = len(filled) > 1
        own = f"{title}/{name}" if several else title
        text = io.StringIO(newline="")
        import csv

        csv.writer(text).writerows(table)  # the same rules for names and lengths as a CSV file's
        rows, rejected = separated_rows(own, text.getvalue(), tabs=False, header=None)
        parts.append(FilePart(own, (*keys, name) if several else keys, rows, rejected))
    return parts


def _cells(sheet: Any) -> list[list[str]]:
    """A sheet's rows as texts, without what is empty at its edges."""
    table = [["" if cell is None else _cell(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    table = [row for row in table if any(row)]
    width = max((max((place for place, cell in enumerate(row, 1) if cell), default=0) for row in table), default=0)
    return [(row + [""] * width)[:width] for row in table]


def _cell(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _parquet_rows(title: str, data: bytes) -> list[FileRecord]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(io.BytesIO(data))
    except pyarrow.ArrowException as error:
        raise QuestionsError(f"{title} is not a Parquet file that can be read: {error}") from error
    return list(rows_of(named_classes(table.to_pylist(), _class_names(table.schema.metadata))))


def _class_names(metadata: Mapping[bytes, bytes] | None) -> dict[str, list[str]]:
    """The names behind numbers, which `datasets` keeps in a Parquet file: column to names."""
    try:
        features = json.loads((metadata or {}).get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    except (ValueError, AttributeError):
        return {}
    return {
        column: feature["names"]
        for column, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and isinstance(feature.get("names"), list)
    }


def named_classes(records: list[dict[str, Any]], names: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Records whose class numbers are replaced by the classes' names: what a number means is read, not guessed."""
    for column, classes in names.items():
        for record in records:
            number = record.get(column)
            if isinstance(number, int) and 0 <= number < len(classes):
                record[column] = classes[number]
    return records


def rows_of(records: Sequence[dict[str, Any]]) -> Iterator[FileRecord]:
    """Numbered rows of records that are already in memory."""
    for number, record in enumerate(records, 1):
        yield FileRecord(number, record)
