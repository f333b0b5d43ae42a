"""Medbullets with four or five options: CSV, or the column-oriented JSON of its authors (ChallengeClinicalQA).

Columns link, question, opa to opd (and ope), answer_idx, answer, explanation.
"""

from __future__ import annotations

from typing import Any

from medo1.questions.readers.form import (
    Form,
    FormSample,
    RawQuestion,
    extra_of,
    gold_letter,
    lettered,
    optional_text,
    text_of,
)

COLUMNS = ("opa", "opb", "opc", "opd", "ope")


def has_option_columns(sample: FormSample) -> bool:
    """Whether the columns are those of ChallengeClinicalQA: question, opa to opd and answer_idx."""
    return {"question", "opa", "opb", "opc", "opd", "answer_idx"} <= sample.columns and "cop" not in sample.columns


def _recognise(sample: FormSample) -> str | None:
    if not has_option_columns(sample) or sample.columns & {"diagnosis", "field"}:
        return None
    links = [str(row.get("link", "")) for row in sample.rows]
    if any("jamanetwork" in link for link in links):
        return None
    if any("medbullets" in link for link in links):
        return "columns question, opa to opd, answer_idx; links to medbullets.com"
    return "columns question, opa to opd, answer_idx"


def _read(values: dict[str, Any], _: None) -> RawQuestion:
    stem = text_of(values, "question")
    options = lettered(values, COLUMNS)
    gold = gold_letter(values.get("answer_idx"), options, "answer_idx")
    return RawQuestion(
        stem,
        options,
        gold,
        optional_text(values, "answer"),
        extra=extra_of(values, link="link", explanation="explanation"),
    )


FORM = Form("medbullets", "medbullets", "test", "question, opa to opd or ope, answer_idx", _recognise, _read)
