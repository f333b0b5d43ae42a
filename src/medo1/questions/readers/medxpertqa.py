"""MedXpertQA (text): up to ten options and `label`, the gold letter.

The hub's form repeats the options at the end of the question (`Answer Choices: (A) ... (B) ...`); they are removed from
the stem. Rows with images are rejected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from medo1.questions.question_errors import RowError
from medo1.questions.readers.form import (
    FileHints,
    Form,
    Layout,
    Prepared,
    RawQuestion,
    RowsSample,
    is_missing,
    prepared,
)
from medo1.questions.readers.medqa import present

_EXTRA = {"id": "id", "medical_task": "medical_task", "body_system": "body_system", "question_type": "question_type"}


def _recognise(sample: RowsSample) -> str | None:
    return "columns question, options, label" if {"question", "options", "label"} <= sample.columns else None


def _prepare(rows: Sequence[dict[str, Any]], hints: FileHints) -> Prepared:
    found = prepared(
        rows,
        hints,
        Layout("question", "options", present(rows, ("label", "answer_idx", "answer"))),
        extra=_EXTRA,
        required=True,
    )

    def read(values: dict[str, Any]) -> RawQuestion:
        images = values.get("images")
        if not is_missing(images) and images != []:
            raise RowError("'images' is not empty: the question needs what a text cannot show")
        return found.read(values)

    return found._replace(read=read)


FORM = Form("medxpertqa", "test", "question, options, label", _recognise, _prepare)
