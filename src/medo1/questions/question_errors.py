"""What can go wrong with a benchmark file: the whole file cannot be read, or one row of it cannot be used."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from medo1.errors import UserError


class QuestionsError(UserError, ValueError):
    """A file cannot be read as questions: the text says what was found, what was expected and what to do."""


class MissingTextError(QuestionsError):
    """A file lists questions without their text, which is under licence: the text says how to obtain it."""


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
