"""Reading a benchmark file: recognise its form, take each row apart, and account for every one of them.

Nothing vanishes: rows read = questions + rejected. A form that is guessed is reported with the reason, a guess with
more than one candidate is an error that names them, and a file without one usable row is an error. The public entry is
`read_questions`.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medo1.questions.question import Question, normalised, question_id
from medo1.questions.question_errors import QuestionsError, RejectedRow, RowError
from medo1.questions.readers import FORMS, Form
from medo1.questions.readers.form import FileHints, FormSample, RawQuestion
from medo1.questions.readers.mapping import ColumnMapping, as_mapping, form_of
from medo1.questions.record_files import FileRecord, excerpt, read_rows

logger = logging.getLogger(__name__)

SPLITS = ("train", "dev", "test")
_SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "dev": "dev",
    "valid": "dev",
    "validation": "dev",
    "val": "dev",
    "test": "test",
}
_SPLIT_IN_NAME = re.compile(r"(?:^|[^a-z])(train(?:ing)?|dev|valid(?:ation)?|val|test)(?:[^a-z]|$)")
_SAMPLE = 50  # rows by which a form is recognised
_REASONS = 3  # that an error about a whole file gives
_MANY = 0.05  # share of rejected rows from which on a guessed form is doubted aloud


@dataclass(frozen=True, slots=True)
class BenchmarkReading:
    """What came of one file.

    Attributes:
        file: its name.
        form: the form that it was read as, and `why`: named by the caller, or by what it was recognised.
        benchmark, split_why: the benchmark's name; where the questions' split comes from.
        rows_read: `len(questions) + len(rejected)`.
        questions: in the order of the file.
        rejected: rows that cannot be used, each with its reason.
        notes: what else there is to know, such as which convention a number follows.
    """

    file: str
    form: str
    why: str
    benchmark: str
    split_why: str
    rows_read: int
    questions: list[Question]
    rejected: list[RejectedRow]
    notes: tuple[str, ...] = ()

    def summary(self) -> dict[str, str | int]:
        """One row of an ingest report."""
        splits = Counter(question.split for question in self.questions)
        return {
            "file": self.file,
            "form": self.form,
            "why": self.why,
            "benchmark": self.benchmark,
            "rows_read": self.rows_read,
            "questions": len(self.questions),
            "rejected": len(self.rejected),
            **{split: splits[split] for split in SPLITS},
            "split_why": self.split_why,
            "notes": "; ".join(self.notes),
        }


def read_questions(
    path: Path | str,
    form: str | None = None,
    *,
    benchmark: str | None = None,
    split: str | None = None,
    mapping: ColumnMapping | Mapping[str, Any] | None = None,
    settings: FileHints = FileHints(),  # noqa: B008  (frozen)
    ordered: bool = False,
) -> tuple[list[Question], list[RejectedRow]]:
    """The questions of a file, and the rows of it that cannot be used.

    Args and errors are those of `read_benchmark`, which also says how the file was read.
    """
    reading = read_benchmark(
        path, form, benchmark=benchmark, split=split, mapping=mapping, settings=settings, ordered=ordered
    )
    return reading.questions, reading.rejected


def read_benchmark(
    path: Path | str,
    form: str | None = None,
    *,
    benchmark: str | None = None,
    split: str | None = None,
    mapping: ColumnMapping | Mapping[str, Any] | None = None,
    settings: FileHints = FileHints(),  # noqa: B008  (frozen)
    ordered: bool = False,
) -> BenchmarkReading:
    """A file's questions, and how it was read.

    Args:
        path: a JSONL, JSON, CSV, TSV or Parquet file.
        form: the name of its form, one of `FORMS`; None to recognise it.
        benchmark: the benchmark's name; None for the form's own (of a mapping: the file's name).
        split: `train`, `dev` or `test`; None for what the row, else the file's name, else the form says.
        mapping: the columns of a file of the user's own; excludes `form`.
        settings: what else is known of the file, see `FileHints`.
        ordered: the options' order is part of a question's identity.

    Raises:
        QuestionsError: for a file that cannot be read as a whole, whose form is not recognised or not certain, or that
            has no row which can be used.
    """
    path = Path(path)
    rows, rejected = read_rows(path)
    chosen, why = _form_of(path.name, rows, form, mapping)
    if chosen.header and _lacks_header(chosen, rows):
        rows, rejected = read_rows(path, header=chosen.header)
    return questions_of(
        rows,
        rejected,
        chosen,
        why,
        name=path.name,
        benchmark=benchmark,
        split=split,
        settings=settings,
        ordered=ordered,
    )


def questions_of(
    rows: Sequence[FileRecord],
    rejected: list[RejectedRow],
    form: Form,
    why: str,
    *,
    name: str,
    benchmark: str | None,
    split: str | None,
    settings: FileHints,
    ordered: bool,
) -> BenchmarkReading:
    """The questions of rows that a form describes."""
    if split is not None and split not in _SPLIT_NAMES:
        raise QuestionsError(f"split is {split!r}, expected one of {', '.join(SPLITS)}")
    try:
        context, notes = form.prepare([row.values for row in rows], settings)
    except QuestionsError as error:
        raise type(error)(f"{name}: {error}") from None
    benchmark = benchmark or form.benchmark or Path(name).stem
    default, split_why = _default_split(name, split, form)
    questions, rejected = [], list(rejected)
    for row in rows:
        try:
            raw = form.read(row.values, context)
            questions.append(_question(raw, benchmark, split, default, f"{name}:{row.number}", ordered=ordered))
        except RowError as error:
            rejected.append(RejectedRow(name, row.number, str(error), excerpt(row.values)))
    rejected.sort(key=lambda bad: bad.row)
    if not questions:
        reasons = Counter(bad.reason for bad in rejected).most_common(_REASONS)
        found = "; ".join(f"{reason} ({count} rows)" for reason, count in reasons) or "there are no rows"
        raise QuestionsError(
            f"{name}, read as {form.name} ({why}): not one of {len(rejected)} rows can be used: {found}"
        )
    reading = BenchmarkReading(
        name, form.name, why, benchmark, split_why, len(questions) + len(rejected), questions, rejected, tuple(notes)
    )
    _report(reading)
    return reading


def _report(reading: BenchmarkReading) -> None:
    """Says how a file was read, louder where a guess may be wrong."""
    guessed = reading.why.startswith("recognised")
    level = logging.WARNING if guessed and len(reading.rejected) > _MANY * reading.rows_read else logging.INFO
    logger.log(
        level,
        "%s: read as %s (%s): %d rows, %d questions, %d rejected%s",
        reading.file,
        reading.form,
        reading.why,
        reading.rows_read,
        len(reading.questions),
        len(reading.rejected),
        "".join(f"; {note}" for note in reading.notes),
    )


def _form_of(
    name: str, rows: Sequence[FileRecord], form: str | None, mapping: ColumnMapping | Mapping[str, Any] | None
) -> tuple[Form, str]:
    """The form that the caller names, or the one that the rows are recognised by."""
    if mapping is not None:
        if form not in (None, "mapping"):
            raise QuestionsError(f"{name}: both the form {form!r} and a mapping are given; give one of them")
        return form_of(as_mapping(mapping)), "by the mapping"
    if form is not None:
        if form not in FORMS:
            raise QuestionsError(f"{name}: there is no form {form!r}; forms are {', '.join(FORMS)}, or give a mapping")
        return FORMS[form], "named by the caller"
    return recognised(name, rows)


def recognised(name: str, rows: Sequence[FileRecord]) -> tuple[Form, str]:
    """The one form that rows look like, and the reason.

    Raises:
        QuestionsError: where none does, or more than one.
    """
    sample = FormSample(
        frozenset(str(column) for row in rows[:_SAMPLE] for column in row.values),
        [row.values for row in rows[:_SAMPLE]],
    )
    found = {form.name: why for form in FORMS.values() if (why := form.recognise(sample)) is not None}
    if len(found) == 1:
        ((chosen, why),) = found.items()
        return FORMS[chosen], f"recognised by {why}"
    if found:
        candidates = "; ".join(f"{candidate} ({why})" for candidate, why in found.items())
        raise QuestionsError(f"{name} may be any of: {candidates}. Say which with form")
    if not rows:
        raise QuestionsError(f"{name} has no rows that are records: nothing to recognise its form by")
    forms = "".join(f"\n  {form.name}: {form.columns}" for form in FORMS.values())
    have = ", ".join(sorted(sample.columns)[:20])
    raise QuestionsError(
        f"{name}: the columns ({have}) are those of no known form. Give a mapping of your columns, or rename them to "
        f"one of:{forms}"
    )


def _lacks_header(form: Form, rows: Sequence[FileRecord]) -> bool:
    """Whether the first line of a CSV file was taken for names although it is a question."""
    columns = {column for row in rows[:1] for column in row.values}
    return len(columns) == len(form.header) and "question" not in columns


def _check_characters(raw: RawQuestion) -> None:
    """Refuses half characters (`\\ud83d` alone, as a JSON text cut in an emoji has): no file can hold them."""
    for text in (raw.stem, *raw.options.values(), *raw.extra.values()):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise RowError(f"half a character, {text[error.start]!a}, in {text[:40]!a}") from None


def _default_split(name: str, split: str | None, form: Form) -> tuple[str, str]:
    """The split of rows that do not say one themselves, and where it comes from."""
    if split is not None:
        return _SPLIT_NAMES[split], "given by the caller"
    named = _SPLIT_IN_NAME.search(name.lower())
    if named is not None:
        return _SPLIT_NAMES[named[1]], "from the file's name"
    return form.split, f"{form.name}'s own"


def _question(
    raw: RawQuestion, benchmark: str, split: str | None, default: str, source: str, *, ordered: bool
) -> Question:
    """A checked question out of what a reader took from a row.

    Raises:
        RowError: where the parts of the row do not agree, or a text is none that can be saved.
    """
    _check_characters(raw)
    gold_text = normalised(raw.options[raw.gold])
    same = [letter for letter, text in raw.options.items() if normalised(text) == gold_text]
    if len(same) > 1:
        raise RowError(f"the options {' and '.join(same)} have the same text, which is the right one")
    if raw.answer and normalised(raw.answer) not in (gold_text, raw.gold.lower()):
        raise RowError(f"the answer is {raw.answer[:60]!r}, but option {raw.gold} is {raw.options[raw.gold][:60]!r}")
    if raw.split is not None and raw.split.lower() not in _SPLIT_NAMES:
        raise RowError(f"the split is {raw.split[:40]!r}, expected one of {', '.join(SPLITS)}")
    row_split = _SPLIT_NAMES[raw.split.lower()] if raw.split is not None and split is None else default
    return Question(
        question_id=question_id(raw.stem, raw.options, ordered=ordered),
        benchmark=benchmark,
        split=row_split,
        stem=raw.stem,
        options=raw.options,
        gold=raw.gold,
        difficulty=raw.difficulty,
        source=source,
        extra=dict(raw.extra),
    )
