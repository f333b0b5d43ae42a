"""Records of a file, and what can go wrong: the whole file cannot be read, or one row of it cannot be used."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from medo1.errors import UserError

_EXCERPT = 80


class FileRecord(NamedTuple):
    """One record of a file: its number from 1 and its values by column."""

    number: int
    values: dict[str, Any]


class QuestionsError(UserError, ValueError):
    """A file cannot be read as questions: the text says what was found, what was expected and what to do."""


class MissingTextError(QuestionsError):
    """A file lists questions without their text, which is under licence: the text says how to obtain it."""


class NumberBaseError(QuestionsError):
    """Nothing in a table tells from where the numbers of its right options count: the text says what to write."""


class RowError(ValueError):
    """One row cannot be used; the text is the reason that the table of rejected rows gives."""


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that could not be used.

    Attributes:
        file: the file's name.
        row: the row's number in the file, from 1 (of a JSONL file the line's number).
        reason: what was found and what was expected.
        content: the beginning of what the row holds, to find it by.
    """

    file: str
    row: int
    reason: str
    content: str = ""

    def as_row(self) -> dict[str, str | int]:
        """The row of a `questions_rejected` table."""
        return asdict(self)


def excerpt(value: object) -> str:
    """The beginning of a row, on one line."""
    if isinstance(value, str):
        text = value
    else:
        try:
            text = json.dumps(value, ensure_ascii=False, default=str)
        except (RecursionError, ValueError, TypeError):  # nested too deeply, or keys that are no texts
            text = f"({type(value).__name__} that cannot be shown)"
    text = " ".join(text.split()).encode("utf-8", "backslashreplace").decode()  # no file can hold half a character
    return text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…"
