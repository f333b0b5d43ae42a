"""Any table with a question, options and the right one under usual names: what most benchmarks are."""

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
    extra_of,
    layout_of,
    prepared,
    text_of,
)
from medo1.questions.readers.medqa import layout_with
from medo1.questions.readers.option_texts import in_order

EXTRA = {"explanation": "explanation", "link": "link", "subject": "subject", "id": "id"}
_WRONG = ("incorrect_answer_", "distractor", "distractor_", "wrong_answer_", "incorrect_")


def _recognise(sample: RowsSample) -> str | None:
    layout = layout_of(sample.rows)
    if layout is None:
        return None
    options = layout.options if isinstance(layout.options, str) else ", ".join(layout.options or ("lettered lines",))
    if not layout.golds:
        return f"columns {layout.stem}, {options} with the right one marked" if _marked(sample, layout) else None
    return f"columns {layout.stem}, {options}, {layout.golds[0]}"


def _marked(sample: RowsSample, layout: Layout) -> bool:
    """Whether the options themselves say which is right."""
    for row in sample.rows:
        try:
            if layout.read_options(row).right is not None:
                return True
        except RowError:
            continue
    return False


def _prepare(rows: Sequence[dict[str, Any]], hints: FileHints) -> Prepared:
    layout = layout_with(rows, FORM.columns, hints)
    return prepared(rows, hints, layout, extra=EXTRA)


def _wrong(columns: frozenset[str]) -> list[str]:
    """The columns of wrong answers, where a file has them apart from the right one."""
    for word in _WRONG:
        found = [f"{word}{n}" for n in range(1, 10) if f"{word}{n}" in columns]
        if found:
            return found
    return []


def _recognise_apart(sample: RowsSample) -> str | None:
    wrong = _wrong(sample.columns)
    if {"question", "correct_answer"} <= sample.columns and wrong:
        return f"columns question, correct_answer, {', '.join(wrong)}"
    return None


def _prepare_apart(rows: Sequence[dict[str, Any]], hints: FileHints) -> Prepared:
    wrong = _wrong(frozenset(column for row in rows for column in row))

    def read(values: dict[str, Any]) -> RawQuestion:
        right = text_of(values, "correct_answer")
        texts = sorted((right, *(text_of(values, column) for column in wrong)))
        options = in_order(texts).texts
        gold = next(letter for letter, text in zip(options, texts, strict=True) if text == right)
        return RawQuestion(text_of(values, "question"), options, gold, extra=extra_of(values, **EXTRA))

    note = "the file gives the options no order: they stand in that of the alphabet"
    return Prepared(read, frozenset(("question", "correct_answer", *wrong)), notes=(note,))


FORM = Form("choices", "test", "question, options (or A, B, C ...), answer", _recognise, _prepare)
APART = Form(
    "right_and_wrong", "test", "question, correct_answer, incorrect_answer_1 ...", _recognise_apart, _prepare_apart
)
