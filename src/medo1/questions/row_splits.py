"""The split of each row: from the caller, else from lists of ids, the row, or the name of the part or file."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from medo1.questions.question_errors import QuestionsError, RowError
from medo1.questions.readers import Form
from medo1.questions.readers.form import FileHints, RawQuestion, is_missing
from medo1.questions.record_files import KEY, FilePart
from medo1.vocabulary import SPLITS

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "dev": "dev",
    "valid": "dev",
    "validation": "dev",
    "val": "dev",
    "test": "test",
    "testing": "test",
}
_COLUMNS = ("split", "fold", "subset", "partition", "set")
_ID_COLUMNS = ("id", "qid", "question_id", "pubid", "pmid", "uid", "uuid", "idx", "realidx", KEY)
_IN_NAME = re.compile(r"(?:^|[^a-z])(train(?:ing)?|dev|valid(?:ation)?|val|test(?:ing)?)(?:[^a-z]|$)")


class RowSplits:
    """The split of each row: as the caller says, else a list of ids, the row, the part's and the file's name say."""

    def __init__(self, part: FilePart, columns: Sequence[str], split: str | None, form: Form, hints: FileHints) -> None:
        self.notes: list[str] = []
        self.column: str | None = None
        self._told = None if split is None else SPLIT_NAMES[split]
        self._ids = _Ids(part, columns, hints) if hints.split_ids else None
        if self._told is None and self._ids is None:
            self.column = next((name for name in _COLUMNS if name in columns and _holds_splits(part, name)), None)
        self._default, self.why = _default_split(part, split, form)
        if self._ids is not None:
            self.why = "by lists of ids"
            self.notes.append(self._ids.note())
        elif self.column is not None:
            self.why = f"from the column {self.column}"

    def of(self, values: Mapping[str, Any], raw: RawQuestion) -> str:
        """The split of one row.

        Raises:
            RowError: where the row says one that is none, or its id is in no list.
        """
        if self._told is not None:
            return self._told
        if self._ids is not None:
            return self._ids.split_of(values)
        said = raw.split or (
            str(values[self.column]) if self.column and not is_missing(values.get(self.column)) else ""
        )
        if not said:
            return self._default
        if said.strip().lower() not in SPLIT_NAMES:
            raise RowError(f"the split is {said[:40]!r}, expected one of {', '.join(SPLITS)}")
        return SPLIT_NAMES[said.strip().lower()]


def _holds_splits(part: FilePart, column: str) -> bool:
    held = [str(row.values[column]).strip().lower() for row in part.rows if not is_missing(row.values.get(column))]
    return (
        bool(held)
        and (column == "split" or sum(one in SPLIT_NAMES for one in held) > len(held) / 2)
        and any(one in SPLIT_NAMES for one in held)
    )


class _Ids:
    """Splits by lists of ids."""

    def __init__(self, part: FilePart, columns: Sequence[str], hints: FileHints) -> None:
        self._rest = hints.rest
        named = [*hints.split_ids, *([hints.rest] if hints.rest else [])]
        unknown = [split for split in named if split not in SPLITS]
        if unknown:
            raise QuestionsError(f"split_ids: {unknown[0]!r} is no split, expected {', '.join(SPLITS)}")
        self._split: dict[str, str] = {}
        for split, path in hints.split_ids.items():
            for one in read_ids(path):
                if self._split.setdefault(one, split) != split:
                    raise QuestionsError(f"split_ids: {one!r} is in the lists of {self._split[one]} and of {split}")
        tried = (hints.id_column,) if hints.id_column else tuple(name for name in _ID_COLUMNS if name in columns)
        found = {name: {str(row.values.get(name)).strip() for row in part.rows} for name in tried}
        if hints.id_column and hints.id_column not in columns:
            raise QuestionsError(
                f"id_column: there is no column {hints.id_column!r}; the file has {', '.join(columns)}"
            )
        matching = {name: len(ids & self._split.keys()) for name, ids in found.items()}
        best = max(matching, key=lambda name: matching[name], default="")
        if not best or not matching[best]:
            raise QuestionsError(
                f"split_ids: none of the {len(self._split)} ids is in the file (looked in "
                f"{', '.join(tried) or 'no column of ids'}); say with id_column which column holds them"
            )
        missing = self._split.keys() - found[best]
        if missing:
            shown = ", ".join(sorted(missing)[:3])
            raise QuestionsError(f"split_ids: {len(missing)} of {len(self._split)} ids are not in the file: {shown}")
        self._column = best

    def note(self) -> str:
        """What the lists are."""
        counts = Counter(self._split.values())
        told = ", ".join(f"{split} {count}" for split, count in counts.items())
        return f"split by ids in {self._column}: {told}; the rest {self._rest or 'is left out'}"

    def split_of(self, values: Mapping[str, Any]) -> str:
        found = self._split.get(str(values.get(self._column)).strip(), self._rest)
        if found is None:
            raise RowError(f"the id {str(values.get(self._column))[:40]!r} is in no list of split_ids")
        return found


def read_ids(path: Path) -> list[str]:
    """The ids of a list: JSON (a list, or an object whose keys they are), or one a line, perhaps under a heading.

    Raises:
        QuestionsError: for a file that is no such list.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionsError(f"split_ids: {path.name} cannot be read as a list of ids: {error}") from error
    if text.lstrip()[:1] in ("[", "{"):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise QuestionsError(f"split_ids: {path.name} is not JSON: {error}") from error
        if isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
            raise QuestionsError(f"split_ids: {path.name} holds records, expected ids")
        return [str(one).strip() for one in value]
    rows = [row for row in csv.reader(text.splitlines()) if row]
    if any(len(row) > 1 for row in rows):
        raise QuestionsError(f"split_ids: {path.name} has {max(map(len, rows))} columns, expected one id a line")
    ids = [row[0].strip() for row in rows]
    return ids[1:] if ids and ids[0].lower() in (*_ID_COLUMNS, "ids", "pmids") else ids


def _default_split(part: FilePart, split: str | None, form: Form) -> tuple[str, str]:
    """The split of rows that do not say one themselves, and where it comes from."""
    if split is not None:
        return SPLIT_NAMES[split], "given by the caller"
    for key in reversed(part.keys):
        named = _IN_NAME.search(key.lower())
        if named is not None:
            return SPLIT_NAMES[named[1]], "from the part's name"
    named = _IN_NAME.search(part.title.partition("/")[0].lower())
    if named is not None:
        return SPLIT_NAMES[named[1]], "from the file's name"
    if form.split == "test":
        return "test", "nothing says which: kept for testing, so that it is never learnt from"
    return form.split, f"{form.name}'s own"
