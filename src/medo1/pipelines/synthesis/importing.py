"""Bring your own chains: reasoning that exists already, in place of a teacher."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medo1.answers import read_answer
from medo1.errors import MissingFileError
from medo1.pipelines.synthesis.params import ImportParams
from medo1.questions import Question, read_questions
from medo1.questions.files import read_rows


def imported_chains(
    path: Path, params: ImportParams, wanted: set[str], format: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Chains of a file's rows.

    A chain is a row's reasoning, its answer, and the line `Final answer: X`, which is added where the answer states an
    option and the line is missing. X is what the answer states, never the gold letter.

    Args:
        path: a file of any kind that questions are read from.
        params: where in a row the parts stand.
        wanted: ids of the questions to take; a row of another question is left where it is.
        format: the chains' format.

    Returns:
        Rows for `CHAINS`, and rows for `CHAINS_REJECTED`: rows without a text, and rows beyond the first of a question.

    Raises:
        MissingFileError, QuestionsError: naming the file and what is missing in it.
    """
    if not path.is_file():
        raise MissingFileError(f"There is no file {path} to import {format} chains from.")
    questions, _ = read_questions(path, params.form, benchmark="imported", split="train")
    rows = {row.number: row.values for row in read_rows(path)[0]}
    chains: dict[str, dict[str, Any]] = {}
    rejected = []
    for question in questions:
        if question.question_id not in wanted:
            continue
        row = rows[_row_number(question)]
        text, problem = _chain_text(row, question, params)
        keys = {"question_id": question.question_id, "format": format, "sample": 0}
        if question.question_id in chains:
            problem = "a second chain for the same question"
        if problem:
            rejected.append({**keys, "reason": f"{question.source}: {problem}", "content": text})
            continue
        chains[question.question_id] = {
            **keys,
            "text": text,
            "finish_reason": "stop",
            "completion_tokens": None,
            "teacher": f"imported:{path.name}",
            "guided": False,
            "request_id": "",
            "request_ids": [],
        }
    return list(chains.values()), rejected


def _chain_text(row: dict[str, Any], question: Question, params: ImportParams) -> tuple[str, str | None]:
    missing = [field for field in (params.reasoning, params.answer) if field and not str(row.get(field) or "").strip()]
    if missing:
        return "", f"field {', '.join(missing)} is missing or empty"
    reply = str(row[params.answer]).strip()
    parts = [str(row[params.reasoning]).strip(), reply] if params.reasoning else [reply]
    text = "\n\n".join(parts)
    stated = read_answer(reply, question.options)
    if stated.letter and "final answer" not in reply.lower():
        text += f"\n\nFinal answer: {stated.letter}"
    return text, None


def _row_number(question: Question) -> int:
    return int(question.source.rpartition(":")[2])
