"""HuatuoGPT-o1's verifiable problems with their recorded chains: question, options, answer_idx, Complex_CoT, Response.

The chain and the response go to the question's `extra` (`complex_cot`, `response`), so that recorded chains can be
imported beside the questions. Its other file, of chains without options, is no benchmark and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from medo1.questions.question_errors import QuestionsError
from medo1.questions.readers.form import FileHints, Form, Layout, Prepared, RowsSample, prepared
from medo1.questions.readers.medqa import present

_EXTRA = {
    "open_question": "Open-ended Verifiable Question",
    "true_answer": "Ground-True Answer",
    "complex_cot": "Complex_CoT",
    "response": "Response",
}


def _recognise(sample: RowsSample) -> str | None:
    return "columns Complex_CoT and Response" if {"Complex_CoT", "Response"} <= sample.columns else None


def _prepare(rows: Sequence[dict[str, Any]], hints: FileHints) -> Prepared:
    if rows and not any("options" in row for row in rows):
        raise QuestionsError(
            "chains without options: expected question, options and answer_idx beside Complex_CoT. This is "
            "HuatuoGPT-o1's fine-tuning set; its chains can be imported as chains, its questions are no multiple choice"
        )
    return prepared(
        rows,
        hints,
        Layout("question", "options", present(rows, ("answer_idx", "answer"))),
        extra=_EXTRA,
        beside=("Question",),
        required=True,
    )


FORM = Form("huatuo", "train", "question, options, answer_idx, Complex_CoT, Response", _recognise, _prepare)
