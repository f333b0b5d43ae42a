"""Reading a benchmark file: recognise its form, take each row apart, and account for every row and every column of it.

Nothing vanishes: rows read = questions + rejected. A form that is guessed is reported with the reason, a guess with
more than one candidate is an error that names them, text that the form does not use stops the reading until the caller
says what it is, and a file without one usable row is an error. The public entry is `read_questions`.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medo1.questions.benchmark_names import RowBenchmarks
from medo1.questions.figure_references import flags_of
from medo1.questions.question import Question, case_matters, normalised, question_id
from medo1.questions.question_errors import NumberBaseError, QuestionsError, RejectedRow, RowError
from medo1.questions.readers import FORMS, Form
from medo1.questions.readers.columns import accounted
from medo1.questions.readers.form import IMAGES, FileHints, Prepared, RawQuestion, RowsSample, is_missing, passage_of
from medo1.questions.readers.mapping import ColumnMapping, as_mapping, form_of
from medo1.questions.record_files import FilePart, FileRecord, excerpt, read_parts
from medo1.questions.row_splits import SPLIT_NAMES, RowSplits
from medo1.questions.tidy_rows import tidied
from medo1.vocabulary import SPLITS

logger = logging.getLogger(__name__)

_COUNTS = re.compile(r" counts from ([01]): ")
_SAMPLE = 50  # rows by which a form is recognised
_REASONS = 3  # that an error about a whole file gives
_MANY = 0.05  # share of rejected rows from which on a guessed form is doubted aloud


@dataclass(frozen=True, slots=True)
class BenchmarkReading:
    """What came of one file.

    Attributes:
        file: its name.
        form: the form that it was read as, and `why`: named by the caller, or by what it was recognised.
        benchmark, split_why: the benchmarks' names; where the questions' split comes from.
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
    hints: FileHints = FileHints(),  # noqa: B008  (frozen)
    ordered: bool = False,
) -> tuple[list[Question], list[RejectedRow]]:
    """The questions of a file, and the rows of it that cannot be used.

    Args and errors are those of `read_benchmark`, which also says how the file was read.
    """
    reading = read_benchmark(
        path, form, benchmark=benchmark, split=split, mapping=mapping, hints=hints, ordered=ordered
    )
    return reading.questions, reading.rejected


def read_benchmark(
    path: Path | str,
    form: str | None = None,
    *,
    benchmark: str | None = None,
    split: str | None = None,
    mapping: ColumnMapping | Mapping[str, Any] | None = None,
    hints: FileHints = FileHints(),  # noqa: B008  (frozen)
    ordered: bool = False,
) -> BenchmarkReading:
    """A file's questions, and how it was read.

    Args:
        path: a file of any kind of `medo1.questions.record_files`.
        form: the name of its form, one of `FORMS`; None to recognise it.
        benchmark: the benchmark's name; None for what a column, else the part's, the file's or the folder's name says.
        split: `train`, `dev` or `test`; None for what the row, else the part's or the file's name, else the form says.
        mapping: the columns of a file of the user's own; excludes `form`.
        hints: what else is known of the file, see `FileHints`.
        ordered: the options' order is part of a question's identity.

    Raises:
        QuestionsError: for a file that cannot be read as a whole, whose form is not recognised or not certain, or that
            has no row which can be used.
    """
    path = Path(path)
    mapping = None if mapping is None else as_mapping(mapping)
    if mapping is not None and form not in (None, "mapping"):
        raise QuestionsError(f"{path.name}: both the form {form!r} and a mapping are given; give one of them")
    parts = _chosen(path.name, read_parts(path, encoding=hints.encoding), hints.part)
    readings: list[BenchmarkReading | None] = []
    untold: dict[int, NumberBaseError] = {}

    def read(part: FilePart, hints: FileHints) -> BenchmarkReading:
        return read_part(
            part,
            form,
            benchmark=benchmark,
            split=split,
            mapping=mapping,
            hints=hints,
            ordered=ordered,
            folder=path.resolve().parent.name,
            alone=len(parts) == 1,
        )

    for part in parts:
        header = None if form is not None or mapping is not None or len(parts) > 1 else _missing_header(part)
        if header:
            part = read_parts(path, header=header, encoding=hints.encoding)[0]  # noqa: PLW2901
        try:
            readings.append(read(part, hints))
        except NumberBaseError as error:
            untold[len(readings)] = error
            readings.append(None)
    bases = {note[1] for one in readings if one is not None for told in one.notes if (note := _COUNTS.search(told))}
    for place, asks in untold.items():  # another part of the file may tell
        if len(bases) != 1:
            raise asks
        found = read(parts[place], replace(hints, gold_base=int(min(bases))))
        notes = tuple(note.replace("as the caller says", "as in another part of the file") for note in found.notes)
        readings[place] = replace(found, notes=notes)
    reading = _merged(path.name, [one for one in readings if one is not None])
    if not reading.questions:
        first = reading.rejected[0].reason if reading.rejected else "it is empty"
        raise QuestionsError(
            f"{path.name}: not one of {reading.rows_read} rows of its {len(parts)} parts can be used. First: {first}"
        )
    log_reading(reading)
    return reading


def read_part(
    part: FilePart,
    form: str | None,
    *,
    benchmark: str | None,
    split: str | None,
    mapping: ColumnMapping | None,
    hints: FileHints,
    ordered: bool,
    folder: str = "",
    alone: bool = True,
) -> BenchmarkReading:
    """The questions of one part of a file, or of one split of a data set.

    `folder` is where it lies; `alone` says that nothing else is read, so that a part without a question is an error.
    """
    rows, spelled = tidied(part.rows, plain=mapping is not None)
    if mapping is not None:
        hints = replace(hints, ignore=(*hints.ignore, *mapping.ignore))
    known = {own: name for name, own in spelled.items()}
    hints = replace(
        hints,
        context=tuple(known.get(column, column) for column in hints.context),
        ignore=tuple(known.get(column, column) for column in hints.ignore),
        id_column=known.get(hints.id_column, hints.id_column) if hints.id_column else None,
    )
    chosen, why = _form_of(part, rows, form, mapping)
    return _questions_of(
        replace(part, rows=rows),
        chosen,
        why,
        folder=folder,
        benchmark=benchmark,
        split=split,
        hints=hints,
        ordered=ordered,
        spelled=spelled,
        alone=alone,
    )


def _missing_header(part: FilePart) -> tuple[str, ...]:
    """The names of a CSV file's columns where its first line is a question; empty where it names them."""
    sample = _sample(tidied(part.rows)[0])
    return next((names for form in FORMS.values() if form.header is not None and (names := form.header(sample))), ())


def _chosen(name: str, parts: list[FilePart], wanted: str | None) -> list[FilePart]:
    """The parts that are read: all, or the one that the caller names; those without a row are passed over."""
    if wanted is not None:
        found = [part for part in parts if wanted in (part.title, *part.keys, "/".join(part.keys))]
        if not found:
            there = ", ".join("/".join(part.keys) or part.title for part in parts)
            raise QuestionsError(f"{name}: there is no part {wanted!r}; it has {there}")
        return found
    filled = [part for part in parts if part.rows or part.rejected]
    return filled or parts


def _merged(name: str, readings: Sequence[BenchmarkReading]) -> BenchmarkReading:
    """What came of all parts of a file."""
    if len(readings) == 1:
        return replace(readings[0], file=name)

    def each(texts: Iterable[str]) -> str:
        return ", ".join(dict.fromkeys(texts))

    return BenchmarkReading(
        name,
        each(reading.form for reading in readings),
        each(reading.why for reading in readings),
        each(reading.benchmark for reading in readings),
        each(reading.split_why for reading in readings),
        sum(reading.rows_read for reading in readings),
        [question for reading in readings for question in reading.questions],
        [bad for reading in readings for bad in reading.rejected],
        tuple(dict.fromkeys(note for reading in readings for note in reading.notes)),
    )


def _questions_of(
    part: FilePart,
    form: Form,
    why: str,
    *,
    benchmark: str | None,
    split: str | None,
    hints: FileHints,
    ordered: bool,
    folder: str = "",
    spelled: Mapping[str, str] | None = None,
    alone: bool = True,
) -> BenchmarkReading:
    """The questions of rows that a form describes.

    Args:
        part: the rows and what is known of them by their names.
        form, why: how they are read, and why so.
        benchmark, split: as the caller says; None: as the rows, the part's or the file's name say.
        hints: what else the caller says.
        ordered: the options' order is part of a question's identity.
        folder: the folder that the file lies in, where its own name says nothing.
        spelled: column to its name in the file, where that is written otherwise.
        alone: a part without a question is an error, because there is no other part.
    """
    name = part.title
    if split is not None and split not in SPLIT_NAMES:
        raise QuestionsError(f"split is {split!r}, expected one of {', '.join(SPLITS)}")
    columns = list(dict.fromkeys(column for row in part.rows for column in row.values))
    try:
        _check_hints(columns, hints)
        prepared = form.prepare([row.values for row in part.rows], hints)
        splits = RowSplits(part, columns, split, form, hints)
    except QuestionsError as error:
        raise type(error)(f"{name}: {_in_the_files_words(str(error), spelled)}") from None
    names = RowBenchmarks(part, columns, benchmark, folder)
    shareable = form.shareable if hints.shareable is None else hints.shareable
    questions: list[Question] = []
    read: list[tuple[Mapping[str, Any], str]] = []
    rejected = list(part.rejected)
    for row in part.rows:
        try:
            raw = _with_context(prepared.read(row.values), row.values, hints.context)
            question = _question(
                raw, names.of(row.values), splits.of(row.values, raw), f"{name}:{row.number}", ordered=ordered
            )
            flags = flags_of(raw.stem, raw.options.values(), has_image=_has_image(row.values))
        except (RowError, RecursionError) as error:
            told = str(error) if isinstance(error, RowError) else "objects are nested too deeply"
            reason = _in_the_files_words(told, spelled)
            rejected.append(RejectedRow(name, row.number, reason, excerpt(row.values)))
            continue
        questions.append(replace(question, flags=flags, shareable=shareable))
        read.append((row.values, " ".join((raw.stem, *raw.options.values()))))
    rejected.sort(key=lambda bad: bad.row)
    if not questions and (alone or not rejected):
        raise QuestionsError(_nothing_usable(name, form, why, rejected))
    notes = [*prepared.notes, *splits.notes, *_flag_notes(questions)]
    if splits.why.startswith("nothing"):
        notes.append("no split is named: all are for testing")
    notes.append(_columns_note(name, columns, read, prepared, splits.column, hints, spelled))
    return BenchmarkReading(
        name,
        form.name,
        why,
        ", ".join(dict.fromkeys(question.benchmark for question in questions)),
        splits.why,
        len(questions) + len(rejected),
        questions,
        rejected,
        tuple(note for note in notes if note),
    )


def _nothing_usable(name: str, form: Form, why: str, rejected: Sequence[RejectedRow]) -> str:
    reasons = Counter(bad.reason for bad in rejected).most_common(_REASONS)
    if not reasons:
        return f"{name}, read as {form.name} ({why}): there are no rows"
    first = next(bad for bad in rejected if bad.reason == reasons[0][0])
    found = "; ".join(f"{reason} ({count} rows)" for reason, count in reasons)
    return (
        f"{name}, read as {form.name} ({why}): not one of {len(rejected)} rows can be used: {found}. "
        f"Row {first.row} is {first.content}"
    )


def _columns_note(
    name: str,
    columns: Sequence[str],
    read: Sequence[tuple[Mapping[str, Any], str]],
    prepared: Prepared,
    split_column: str | None,
    hints: FileHints,
    spelled: Mapping[str, str] | None,
) -> str:
    """The role of every column; stops where unused text may be part of the questions."""
    used = prepared.used | set(hints.context) | ({split_column} if split_column else set())
    try:
        account = accounted(
            read, columns, used=frozenset(used), beside=prepared.beside, ignored=frozenset(hints.ignore)
        )
    except QuestionsError as error:
        raise QuestionsError(f"{name}: {_in_the_files_words(str(error), spelled)}") from None
    return account.note()


def _check_hints(columns: Sequence[str], hints: FileHints) -> None:
    for what, named in (("context", hints.context), ("ignore", hints.ignore)):
        missing = [column for column in named if column not in columns]
        if missing and columns:
            raise QuestionsError(
                f"{what} names the column {missing[0]!r}; the file has {', '.join(sorted(map(str, columns)))}"
            )


def _with_context(raw: RawQuestion, values: Mapping[str, Any], context: Sequence[str]) -> RawQuestion:
    """A question with the texts before it that the caller names."""
    passages = [text for column in context if (text := passage_of(values, column))]
    return raw if not passages else raw._replace(stem="\n\n".join((*passages, raw.stem)))


def _has_image(values: Mapping[str, Any]) -> bool:
    for column in IMAGES:
        held = values.get(column)
        if held is None or isinstance(held, bool) or is_missing(held):
            continue
        if isinstance(held, bytes | str | Mapping) or (hasattr(held, "__len__") and len(held)):
            return True
    return values.get("text_only") is False or values.get("has_image") is True


def _flag_notes(questions: Sequence[Question]) -> list[str]:
    counts = Counter(flag for question in questions for flag in question.flags)
    return [f"{count} speak of a figure that is not in the text" if flag == "figure" else
            f"{count} ask about a case that is not in the text" for flag, count in sorted(counts.items())]  # fmt: skip


def _in_the_files_words(text: str, spelled: Mapping[str, str] | None) -> str:
    """A message with the columns' names as the file writes them."""
    for column, own in (spelled or {}).items():
        text = text.replace(repr(column), repr(own))
    return text


def log_reading(reading: BenchmarkReading) -> None:
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
    part: FilePart, rows: Sequence[FileRecord], form: str | None, mapping: ColumnMapping | None
) -> tuple[Form, str]:
    """The form that the caller names, or the one that the rows are recognised by."""
    if mapping is not None:
        return form_of(mapping), "by the mapping"
    if form is not None:
        if form not in FORMS:
            raise QuestionsError(
                f"{part.title}: there is no form {form!r}; forms are {', '.join(FORMS)}, or give a mapping"
            )
        return FORMS[form], "named by the caller"
    return recognised(part, rows)


def _sample(rows: Sequence[FileRecord]) -> RowsSample:
    return RowsSample(
        frozenset(str(column) for row in rows[:_SAMPLE] for column in row.values),
        [row.values for row in rows[:_SAMPLE]],
    )


def recognised(part: FilePart, rows: Sequence[FileRecord]) -> tuple[Form, str]:
    """The one form that rows look like, and the reason.

    Raises:
        QuestionsError: where none does, or more than one.
    """
    name = part.title
    sample = _sample(rows)
    found = {form.name: why for form in FORMS.values() if (why := form.recognise(sample)) is not None}
    if len(found) > 1:
        found.pop("choices", None)  # what any table of questions is
    if len(found) == 1:
        ((chosen, why),) = found.items()
        return FORMS[chosen], f"recognised by {why}"
    if found:
        candidates = "; ".join(f"{candidate} ({why})" for candidate, why in found.items())
        raise QuestionsError(f"{name} may be any of: {candidates}. Say which with form")
    if not rows:
        told = Counter(bad.reason for bad in part.rejected).most_common(1)
        first = next((bad for bad in part.rejected if told and bad.reason == told[0][0]), None)
        why = (
            "it is empty"
            if first is None
            else (
                f"none of its {len(part.rejected)} rows is a record. Row {first.row}: {first.reason}: {first.content}"
            )
        )
        raise QuestionsError(f"{name}: {why}")
    forms = "".join(f"\n  {form.name}: {form.columns}" for form in FORMS.values())
    have = ", ".join(sorted(sample.columns)[:20])
    raise QuestionsError(
        f"{name}: the columns ({have}) are those of no known form. Give a mapping of your columns, or rename them to "
        f"one of:{forms}"
    )


def _check_characters(raw: RawQuestion) -> None:
    """Refuses half characters (`\\ud83d` alone, as a JSON text cut in an emoji has): no file can hold them."""
    for text in (raw.stem, *raw.options.values(), *raw.extra.values()):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise RowError(f"half a character, {text[error.start]!a}, in {text[:40]!a}") from None


def _question(raw: RawQuestion, benchmark: str, split: str, source: str, *, ordered: bool) -> Question:
    """A checked question out of what a form took from a row.

    Raises:
        RowError: where the parts of the row do not agree, or a text is none that can be saved.
    """
    _check_characters(raw)
    exact = case_matters(raw.stem, raw.options.values())

    def even(text: str) -> str:
        return " ".join(text.split()) if exact else normalised(text)

    gold_text = even(raw.options[raw.gold])
    same = [letter for letter, text in raw.options.items() if even(text) == gold_text]
    if len(same) > 1:
        raise RowError(f"the options {' and '.join(same)} have the same text, which is the right one")
    return Question(
        question_id=question_id(raw.stem, raw.options, ordered=ordered),
        benchmark=benchmark,
        split=split,
        stem=raw.stem,
        options=raw.options,
        gold=raw.gold,
        difficulty=raw.difficulty,
        source=source,
        extra=dict(raw.extra),
    )
