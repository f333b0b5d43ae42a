"""All questions of all files, each once, and an account of every row.

Per file: rows = questions + rejected + left_out (those beyond the entry's `limit`). What stands more than once is
settled over all files together, see `medo1.questions.without_duplicates`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from medo1.errors import MissingFileError
from medo1.pipelines.ingest.params import DoubtfulParams, IngestParams, QuestionFile
from medo1.questions import (
    BenchmarkReading,
    FileHints,
    Question,
    RejectedRow,
    read_benchmark,
    read_hub,
    without_duplicates,
)
from medo1.questions.figure_references import Flag
from medo1.questions.question import normalised
from medo1.questions.question_errors import QuestionsError
from medo1.questions.readers.form import STEMS
from medo1.questions.record_files import read_parts
from medo1.questions.repeats import RepeatGroup, audit_questions, clustered, rejected_question

logger = logging.getLogger(__name__)

_REASONS = 6  # that the log gives
_NEEDS = {
    "figure": "it speaks of a figure that is not in the text",
    "missing_case": "its case is not in the text",
    "doubtful": "a list calls it doubtful",
}


@dataclass(frozen=True, slots=True)
class Gathered:
    """What all files hold.

    Attributes:
        questions: those that are used, in the order of the files.
        rejected: rows that are not, each with its reason.
        repeated: every question that stands more than once.
        files: one row a file (of a hub data set: a split) that says how it was read and what came of it.
    """

    questions: list[Question]
    rejected: list[RejectedRow]
    repeated: list[RepeatGroup]
    files: list[dict[str, Any]]


def gathered(folder: Path, params: IngestParams) -> Gathered:
    """The questions of all files that the parameters name.

    Raises:
        MissingFileError, QuestionsError: naming the file and what is wrong with it.
    """
    doubtful = frozenset() if params.doubtful is None else _doubtful(folder, params.doubtful)
    readings = [
        (_without(_flagged(reading, doubtful), params.exclude), source)
        for source in params.files
        for reading in _readings(folder, source, params.ordered)
    ]
    limited = [(_first(reading, source.limit), len(reading.questions)) for reading, source in readings]
    questions = [question for reading, _ in limited for question in reading.questions]
    kept, repeated = without_duplicates(questions, ordered=params.ordered)
    audited = audit_questions(questions, ordered=params.ordered)
    if doubtful:
        _report_doubtful(doubtful, kept)
    used = {id(question) for question in kept}
    again = iter(repeated)
    rejected: list[RejectedRow] = []
    files = []
    for reading, had in limited:
        refused = [*reading.rejected, *(next(again) for question in reading.questions if id(question) not in used)]
        refused.sort(key=lambda bad: bad.row)
        rejected.extend(refused)
        own = [question for question in reading.questions if id(question) in used]
        files.append(_account(reading, own, refused, left_out=had - len(reading.questions)))
    _report(kept, rejected, files)
    if params.near_copies:
        kept, near = clustered(kept)
        audited.extend(near)
    return Gathered(kept, rejected, audited, files)


def _doubtful(folder: Path, params: DoubtfulParams) -> frozenset[str]:
    """The stems of the questions that a list calls doubtful, as they are compared.

    Raises:
        QuestionsError: for a file without a column of questions, or without the columns that are named.
    """
    rows = [row.values for part in read_parts(_file(folder, params.file)) for row in part.rows]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    lower = {column.lower(): column for column in columns}
    column = params.question or next((lower[name] for name in STEMS if name in lower), None)
    missing = [name for name in (column, *params.where) if name not in columns]
    if missing:
        raise QuestionsError(
            f"ingest.doubtful: {params.file} has no column {missing[0] or 'of questions'!r}; it has "
            f"{', '.join(columns)}"
        )
    told = {name: {str(value).strip().lower() for value in values} for name, values in params.where.items()}
    chosen = [row for row in rows if all(str(row.get(name)).strip().lower() in values for name, values in told.items())]
    return frozenset(normalised(str(row[column])) for row in chosen if column is not None and row.get(column))


def _flagged(reading: BenchmarkReading, doubtful: frozenset[str]) -> BenchmarkReading:
    if not doubtful:
        return reading
    questions = [
        replace(question, flags=(*question.flags, "doubtful")) if normalised(question.stem) in doubtful else question
        for question in reading.questions
    ]
    return replace(reading, questions=questions)


def _report_doubtful(doubtful: frozenset[str], kept: list[Question]) -> None:
    count = sum("doubtful" in question.flags for question in kept)
    logger.log(
        logging.INFO if count else logging.WARNING,
        "%d of %d doubtful questions are among the %d that are used",
        count,
        len(doubtful),
        len(kept),
    )


def _without(reading: BenchmarkReading, excluded: tuple[Flag, ...]) -> BenchmarkReading:
    """A reading whose questions of these flags are rejected."""
    kept, refused = [], []
    for question in reading.questions:
        found = next((flag for flag in question.flags if flag in excluded), None)
        if found is None:
            kept.append(question)
        else:
            refused.append(rejected_question(question, f"excluded: {_NEEDS[found]}"))
    rejected = sorted([*reading.rejected, *refused], key=lambda bad: bad.row)
    return reading if not refused else replace(reading, questions=kept, rejected=rejected)


def _report(kept: list[Question], rejected: list[RejectedRow], files: list[dict[str, Any]]) -> None:
    """Says what came of all files together; aloud where anything is not used."""
    reasons = Counter(_kind(bad.reason) for bad in rejected).most_common(_REASONS)
    told = "; ".join(f"{reason} ({count})" for reason, count in reasons)
    left_out = sum(file["left_out"] for file in files)
    logger.log(
        logging.WARNING if rejected else logging.INFO,
        "%d rows: %d questions, %d rejected%s%s",
        sum(file["rows"] for file in files),
        len(kept),
        len(rejected),
        f" ({told}; all are in questions_rejected)" if rejected else "",
        f", {left_out} left out by limits" if left_out else "",
    )


def _readings(folder: Path, source: QuestionFile, ordered: bool) -> Iterator[BenchmarkReading]:
    """How a file was read; of a hub data set, each of its splits."""
    hints = FileHints(
        context=source.context,
        ignore=source.ignore,
        gold_is=source.gold_is,
        gold_base=source.gold_base,
        links=_beside(folder, source.links),
        test_urls=_beside(folder, source.test_urls),
        split_ids={split: _file(folder, name) for split, name in source.split_ids.items()},
        id_column=source.id_column,
        rest=source.rest,
        encoding=source.encoding,
        part=source.part,
        shareable=source.shareable,
    )
    mapping = None if source.mapping is None else source.mapping.as_mapping()
    if source.file is not None:
        yield read_benchmark(
            _file(folder, source.file),
            source.form,
            benchmark=source.benchmark,
            split=source.split,
            mapping=mapping,
            hints=hints,
            ordered=ordered,
        )
        return
    saved = folder / source.title
    for reading in read_hub(
        str(saved) if saved.is_dir() else source.title,
        source.form,
        name=source.hub_name,
        split=source.hub_split,
        revision=source.revision,
        benchmark=source.benchmark,
        mapping=mapping,
        hints=hints,
        ordered=ordered,
    ):
        if source.split is None:
            yield reading
        else:
            questions = [replace(question, split=source.split) for question in reading.questions]
            yield replace(reading, questions=questions, split_why="given by the caller")


def _beside(folder: Path, name: str | None) -> Path | None:
    return None if name is None else _file(folder, name)


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        there = ", ".join(sorted(file.name for file in folder.iterdir())) or "nothing"
        raise MissingFileError(
            f"ingest.files names {name}, which is not in {folder} (there: {there}). "
            "Put it there, correct the name, or take the entry out of the parameters of ingest."
        )
    return path


def _first(reading: BenchmarkReading, limit: int | None) -> BenchmarkReading:
    return reading if limit is None else replace(reading, questions=reading.questions[:limit])


def _account(
    reading: BenchmarkReading, questions: list[Question], refused: list[RejectedRow], left_out: int
) -> dict[str, Any]:
    """One file's row of the summary."""
    splits = Counter(question.split for question in questions)
    names = ", ".join(splits) if len(splits) < 2 else ", ".join(f"{name} {count}" for name, count in splits.items())  # noqa: PLR2004
    return {
        "file": reading.file,
        "form": reading.form,
        "why": reading.why,
        "benchmark": reading.benchmark,
        "split": names,
        "split_why": reading.split_why,
        "rows": reading.rows_read,
        "questions": len(questions),
        "rejected": len(refused),
        "left_out": left_out,
        "reasons": dict(Counter(_kind(bad.reason) for bad in refused)),
        "notes": list(reading.notes),
    }


def _kind(reason: str) -> str:
    """A reason without the row's own words, so that rows of one kind are counted together."""
    return reason.partition(":")[0].partition(" (")[0][:80]
