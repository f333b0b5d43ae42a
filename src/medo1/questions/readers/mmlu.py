"""MMLU and its kin (C-Eval, CMMLU, KMMLU), and MMLU-Pro: choices in a list or in A, B, C ..., and the right one.

MMLU's own CSV files have no header: question, choices, a letter. Its hub files count `answer` from 0, KMMLU's
from 1: detected from the file. MMLU-Pro has up to ten `options`, `answer_index` and the letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from medo1.questions.question import LETTERS
from medo1.questions.readers.form import FileHints, Form, Prepared, RowsSample, prepared
from medo1.questions.readers.medqa import layout_with

_OWN = frozenset({"opa", "answer_idx", "cop", "final_decision", "label", "Complex_CoT"})


def _recognise(sample: RowsSample) -> str | None:
    if sample.columns & _OWN:
        return None
    if {"question", "choices", "answer"} <= sample.columns:
        return "columns question, choices, answer"
    if {"question", "A", "B", "answer"} <= sample.columns:
        return "columns question, A, B ..., answer"
    names = _header(sample)
    return f"{len(names)} columns without a line of names, the last a letter" if names else None


def _header(sample: RowsSample) -> tuple[str, ...]:
    """The names of a file that has none: its last column holds letters of the columns before it."""
    count = len(sample.columns) - 2
    if not sample.rows or "question" in sample.columns or not 2 <= count <= len(LETTERS):  # noqa: PLR2004
        return ()
    letters = set(LETTERS[:count])
    first = str(list(sample.rows[0])[-1]).strip()  # the line that was taken for names
    last = {str(list(row.values())[-1]).strip() for row in sample.rows if len(row) == count + 2}
    if first not in letters or not last <= letters:
        return ()
    return ("question", *LETTERS[:count], "answer")


def _prepare(rows: Sequence[dict[str, Any]], hints: FileHints) -> Prepared:
    layout = layout_with(rows, FORM.columns, hints)
    extra = {"subject": "subject", "explanation": "explanation"}
    return prepared(rows, hints, layout, extra=extra, required=True)


def _recognise_pro(sample: RowsSample) -> str | None:
    if {"question", "options", "answer_index"} <= sample.columns:
        return "columns question, options, answer_index"
    return None


def _prepare_pro(rows: Sequence[dict[str, Any]], hints: FileHints) -> Prepared:
    whole = [{**values, "options": _without_na(values.get("options"))} for values in rows]
    found = prepared(
        whole,
        hints,
        layout_with(whole, PRO.columns, hints),
        extra={"subject": "category", "src": "src", "id": "question_id"},
        beside=("cot_content",),
        required=True,
        numbers=("answer_index",),
    )
    return found._replace(read=lambda values: found.read({**values, "options": _without_na(values.get("options"))}))


def _without_na(options: Any) -> Any:
    """MMLU-Pro fills up to ten options with `N/A`; those at the end are left out."""
    if hasattr(options, "tolist"):
        options = options.tolist()
    if isinstance(options, list):
        options = list(options)
        while options and str(options[-1]).strip().upper() == "N/A":
            options.pop()
    return options


FORM = Form("mmlu", "test", "question, choices (or A, B ...), answer", _recognise, _prepare, header=_header)
PRO = Form("mmlu_pro", "test", "question, options, answer_index", _recognise_pro, _prepare_pro)
