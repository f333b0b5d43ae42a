"""mediQ: MedQA's cases taken apart. The case stands as a list of sentences in `context`, the question asks about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from medo1.questions.question_errors import RowError
from medo1.questions.readers.form import FileHints, Form, Prepared, RawQuestion, RowsSample, passage_of, prepared
from medo1.questions.readers.medqa import layout_with

_BESIDE = ("facts", "atomic_facts", "patient", "context_len", "initial_info")


def _recognise(sample: RowsSample) -> str | None:
    if not {"question", "options", "context"} <= sample.columns or not sample.columns & {"answer_idx", "answer"}:
        return None
    sentences = [row["context"] for row in sample.rows if row.get("context") is not None]
    if sentences and all(isinstance(one, list) for one in sentences) and "final_decision" not in sample.columns:
        return "columns question, context (a list of sentences), options"
    return None


def _prepare(rows: Sequence[dict[str, Any]], hints: FileHints) -> Prepared:
    found = prepared(rows, hints, layout_with(rows, FORM.columns, hints), beside=_BESIDE, required=True)

    def read(values: dict[str, Any]) -> RawQuestion:
        question = found.read(values)
        case = passage_of(values, "context")
        if not case:
            raise RowError("'context' is empty: the case is missing")
        return question._replace(stem=f"{case} {question.stem}")

    return found._replace(read=read, used=found.used | {"context"})


FORM = Form("mediq", "test", "question, context (a list of sentences), options, answer_idx", _recognise, _prepare)
