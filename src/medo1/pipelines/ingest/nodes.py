"""Nodes of ingest."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from medo1.frames import Frame
from medo1.pipelines.ingest.params import IngestParams


def read_benchmark_files(folder: Path, params: IngestParams) -> tuple[Frame, Frame, Frame, Frame, dict[str, Any]]:
    """Every usable question of the named files, and an account of everything else.

    Args:
        folder: where the files lie.
        params: which files, how they are read, and whether options are shuffled.

    Returns:
        The questions; the rows that are none, with reasons; every question that stands more than once; the order in
        which each question's options stand (`QUESTIONS_ORDER`); and a summary in which the counts add up.

    Raises:
        MissingFileError, QuestionsError: naming the file that is missing or cannot be read, and what to do.
    """
    from medo1 import tables
    from medo1.pipelines.ingest.gathering import gathered
    from medo1.questions import as_asked, order_rows, question_rows

    found = gathered(folder, params)
    shuffling = params.shuffle_options
    asked = as_asked(found.questions, shuffling.seed, shuffling.splits) if shuffling else as_asked(found.questions)
    summary = {
        "files": found.files,
        "rows": sum(file["rows"] for file in found.files),
        "questions": len(found.questions),
        "rejected": len(found.rejected),
        "left_out": sum(file["left_out"] for file in found.files),
        "repeated": len(found.repeated),
        "flags": dict(Counter(flag for question in found.questions for flag in question.flags)),
        "clusters": len({question.cluster or question.question_id for question in found.questions}),
        "shuffled": sum(question.is_shuffled for question in asked),
    }
    return (
        tables.as_table(tables.QUESTIONS, question_rows(one.question for one in asked)),
        tables.as_table(tables.QUESTIONS_REJECTED, [bad.as_row() for bad in found.rejected]),
        tables.as_table(tables.QUESTIONS_AUDIT, [group.as_row() for group in found.repeated]),
        tables.as_table(tables.QUESTIONS_ORDER, order_rows(asked)),
        summary,
    )
