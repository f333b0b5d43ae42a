"""Nodes of ingest."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from medo1.errors import MissingFileError
from medo1.frames import Frame
from medo1.pipelines.ingest.params import IngestParams


def read_benchmark_files(folder: Path, params: IngestParams) -> tuple[Frame, Frame, dict[str, Any]]:
    """Every usable question of the named files, every unusable row with its reason, and the count of both.

    Args:
        folder: where the files lie.
        params: which files, of which benchmark and split.

    Returns:
        The table of questions, the table of rejected rows, and a summary in which the counts add up.

    Raises:
        MissingFileError: naming the file that is missing and what the folder holds.
    """
    from medo1 import tables
    from medo1.questions import question_rows, read_questions

    rows: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    summary: list[dict[str, Any]] = []
    seen: dict[tuple[str, str, str], str] = {}
    for entry in params.files:
        path = folder / entry.file
        if not path.is_file():
            there = ", ".join(sorted(file.name for file in folder.iterdir())) or "nothing"
            raise MissingFileError(
                f"ingest.files names {entry.file}, which is not in {folder} (there: {there}). "
                "Put it there, correct the name, or take the entry out of conf's parameters_ingest.yml."
            )
        questions, refused = read_questions(path, entry.form, benchmark=entry.benchmark, split=entry.split)
        refusals = [{"file": r.file, "row": r.row, "reason": r.reason, "content": r.content} for r in refused]
        for row in question_rows(questions):
            key = (row["question_id"], row["benchmark"], row["split"])
            if key in seen:
                refusals.append(_repeated(row, seen[key]))
            else:
                seen[key] = row["source"]
                rows.append(row)
        kept = len(questions) + len(refused) - len(refusals)
        summary.append(
            {
                "file": entry.file,
                "benchmark": entry.benchmark,
                "split": entry.split,
                "rows": len(questions) + len(refused),
                "questions": kept,
                "rejected": len(refusals),
                "reasons": dict(Counter(str(refusal["reason"]).partition(":")[0] for refusal in refusals)),
            }
        )
        rejected.extend(refusals)
    return (
        tables.as_table(tables.QUESTIONS, rows),
        tables.as_table(tables.QUESTIONS_REJECTED, rejected),
        {"files": summary, "questions": len(rows), "rejected": len(rejected)},
    )


def _repeated(row: dict[str, Any], first: str) -> dict[str, Any]:
    file, _, number = row["source"].rpartition(":")
    return {
        "file": file or row["source"],
        "row": int(number) if number.isdigit() else 0,
        "reason": f"duplicate: the same stem and options as {first}",
        "content": row["stem"][:200],
    }
