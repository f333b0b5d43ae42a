"""MMLU and MMLU-Pro: `choices` and the number of the right one; up to ten `options` and `answer_index`.

MMLU's own CSV files have no line of names: question, four choices, a letter. With a line of names the choices stand in
A to D.
"""

from __future__ import annotations

from typing import Any

from medo1.questions.question_errors import RowError
from medo1.questions.readers.form import (
    Form,
    FormSample,
    RawQuestion,
    extra_of,
    gold_letter,
    gold_number,
    is_missing,
    lettered,
    optional_text,
    options_of,
    text_of,
)

HEADER = ("question", "A", "B", "C", "D", "answer")


def _recognise(sample: FormSample) -> str | None:
    if {"question", "choices", "answer"} <= sample.columns:
        return "columns question, choices, answer"
    if set(HEADER) <= sample.columns:
        return "columns question, A to D, answer"
    last = {str(list(row.values())[-1]).strip() for row in sample.rows}
    if len(sample.columns) == len(HEADER) and sample.columns & set("ABCD") and last <= set("ABCD"):
        return "six columns without a line of names, the last a letter"
    return None


def _read(values: dict[str, Any], _: None) -> RawQuestion:
    stem = text_of(values, "question")
    options = options_of(values["choices"], "choices") if "choices" in values else lettered(values, HEADER[1:5])
    answer = values.get("answer")
    if is_missing(answer):
        raise RowError("'answer' is empty, expected the number or the letter of the right choice")
    written = str(answer).strip()
    gold = gold_letter(written, options, "answer") if written.isalpha() else gold_number(written, options, "answer")
    return RawQuestion(stem, options, gold, extra=extra_of(values, subject="subject"))


def _recognise_pro(sample: FormSample) -> str | None:
    if {"question", "options", "answer_index"} <= sample.columns:
        return "columns question, options, answer_index"
    return None


def _read_pro(values: dict[str, Any], _: None) -> RawQuestion:
    stem = text_of(values, "question")
    options = options_of(_without_na(values.get("options")))
    gold = gold_number(values.get("answer_index"), options, "answer_index")
    letter = optional_text(values, "answer")
    if letter and letter.upper() != gold:
        raise RowError(
            f"'answer' is {letter[:40]!r} and 'answer_index' is {values.get('answer_index')}, which is {gold}"
        )
    return RawQuestion(stem, options, gold, extra=extra_of(values, subject="category", src="src", id="question_id"))


def _without_na(options: Any) -> Any:
    """MMLU-Pro fills up to ten options with `N/A`; those at the end are left out."""
    if hasattr(options, "tolist"):
        options = options.tolist()
    if isinstance(options, list):
        options = list(options)
        while options and str(options[-1]).strip().upper() == "N/A":
            options.pop()
    return options


FORM = Form("mmlu", "mmlu", "test", "question, choices, answer", _recognise, _read, header=HEADER)
PRO = Form("mmlu_pro", "mmlu_pro", "test", "question, options, answer_index", _recognise_pro, _read_pro)
