"""MedQA: JSONL with four or five options, as its authors, MedReason and the hub spread it.

`{"question", "options": {"A": ...}, "answer_idx": "C", "answer": ...}`; options also as a list of key and value, and
the hub's nested form `{"data": {"Question", "Options", "Correct Option"}}`. A whole number under `difficulty` is kept:
the embedded world writes one.
"""

from __future__ import annotations

from typing import Any

from medo1.questions.readers.form import (
    Form,
    FormSample,
    RawQuestion,
    extra_of,
    gold_from_text,
    gold_letter,
    optional_text,
    options_of,
    text_of,
)


def _recognise(sample: FormSample) -> str | None:
    if {"question", "options", "answer_idx"} <= sample.columns and not sample.columns & {"Complex_CoT", "label"}:
        return "columns question, options, answer_idx"
    nested: dict[str, Any] = next((row["data"] for row in sample.rows if isinstance(row.get("data"), dict)), {})
    if {"Question", "Options", "Correct Option"} <= nested.keys():
        return "data with Question, Options, Correct Option"
    return None


def _read(values: dict[str, Any], _: None) -> RawQuestion:
    nested = values.get("data")
    if isinstance(nested, dict) and "Question" in nested:
        options = options_of(nested.get("Options"), "Options")
        gold = gold_letter(nested.get("Correct Option"), options, "Correct Option")
        return RawQuestion(text_of(nested, "Question"), options, gold, optional_text(nested, "Correct Answer"))
    stem = text_of(values, "question")
    options = options_of(values.get("options"))
    answer = optional_text(values, "answer")
    if "answer_idx" in values or not answer:
        gold = gold_letter(values.get("answer_idx"), options, "answer_idx")
    else:
        gold = gold_from_text(answer, options, "answer")
    difficulty = values.get("difficulty")
    return RawQuestion(
        stem,
        options,
        gold,
        answer,
        extra=extra_of(values, meta_info="meta_info"),
        difficulty=difficulty if isinstance(difficulty, int) else None,
    )


FORM = Form("medqa", "medqa", "test", "question, options, answer_idx", _recognise, _read)
