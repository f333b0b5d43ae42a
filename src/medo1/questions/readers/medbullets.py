"""Medbullets with four or five options: CSV, or the column-oriented JSON of its authors (ChallengeClinicalQA).

Columns link, question, opa to opd (and ope), answer_idx, answer, explanation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from medo1.questions.readers.form import FileHints, Form, Prepared, RowsSample, prepared
from medo1.questions.readers.medqa import layout_with


def has_option_columns(sample: RowsSample) -> bool:
    """Whether the columns are those of ChallengeClinicalQA: question, opa to opd and answer_idx."""
    return {"question", "opa", "opb", "opc", "opd", "answer_idx"} <= sample.columns and "cop" not in sample.columns


def _recognise(sample: RowsSample) -> str | None:
    if not has_option_columns(sample) or sample.columns & {"diagnosis", "field"}:
        return None
    links = [str(row.get("link", "")) for row in sample.rows]
    if any("jamanetwork" in link for link in links):
        return None
    if any("medbullets" in link for link in links):
        return "columns question, opa to opd, answer_idx; links to medbullets.com"
    return "columns question, opa to opd, answer_idx"


def _prepare(rows: Sequence[dict[str, Any]], hints: FileHints) -> Prepared:
    extra = {"link": "link", "explanation": "explanation"}
    return prepared(rows, hints, layout_with(rows, FORM.columns, hints), extra=extra, required=True)


FORM = Form("medbullets", "test", "question, opa to opd or ope, answer_idx", _recognise, _prepare)
