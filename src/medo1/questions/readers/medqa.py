"""MedQA: four or five options, as distributed by its authors, MedReason and the hub.

`{"question", "options": {"A": ...}, "answer_idx": "C", "answer": ...}`; options also as a list of key and value, and
the hub's form with `Question`, `Options`, `Correct Option` and `Correct Answer` below `data`. A whole number under
`difficulty` is kept: the embedded world writes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from medo1.questions.question_errors import QuestionsError
from medo1.questions.readers.form import FileHints, Form, Layout, Prepared, RowsSample, layout_of, prepared

_GOLDS = ("answer_idx", "correct_option", "answer", "correct_answer", "answer_text")
_BESIDE = ("metamap_phrases", "meta_info", "difficulty")


def _recognise(sample: RowsSample) -> str | None:
    if sample.columns & {"Complex_CoT", "label", "answer_index"} or _has_case(sample):
        return None
    if {"question", "options", "answer_idx"} <= sample.columns:
        return "columns question, options, answer_idx"
    if {"question", "options", "correct_option"} <= sample.columns:
        return "columns Question, Options, Correct Option"
    return None


def _has_case(sample: RowsSample) -> bool:
    return any(isinstance(row.get("context"), list) for row in sample.rows)


def present(rows: Sequence[dict[str, Any]], golds: Sequence[str]) -> tuple[str, ...]:
    """Those of some columns that a file has; the first where it has none."""
    return tuple(name for name in golds if any(name in row for row in rows)) or (golds[0],)


def layout_with(rows: Sequence[dict[str, Any]], columns: str, hints: FileHints) -> Layout:
    """The usual layout of a named form.

    Raises:
        QuestionsError: where a part is nowhere.
    """
    layout = layout_of(rows, ignore=hints.ignore)
    if layout is None:
        have = ", ".join(sorted({str(column) for row in rows for column in row})[:20])
        raise QuestionsError(
            f"the columns of a question or of its options are missing: expected {columns}; found {have or 'none'}"
        )
    return layout


def _prepare(rows: Sequence[dict[str, Any]], hints: FileHints) -> Prepared:
    layout = Layout("question", "options", present(rows, _GOLDS))
    return prepared(rows, hints, layout, extra={"meta_info": "meta_info"}, beside=_BESIDE, required=True)


FORM = Form("medqa", "test", "question, options, answer_idx", _recognise, _prepare)
