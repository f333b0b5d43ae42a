"""MedMCQA: question, opa to opd and `cop`, the number of the right option.

Two conventions are found: the authors' JSON counts from 1, the hub's from 0 (with -1 where the answer is withheld). A
wrong one gives every question the gold letter of its neighbour, so the file or the caller decides; explanations
that open with `Ans. (c)` are used as a check.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from medo1.questions.question_errors import QuestionsError
from medo1.questions.readers.form import FileHints, Form, Layout, Prepared, RowsSample, is_missing, prepared
from medo1.questions.readers.gold_answers import GoldReader

_EXPLAINED = re.compile(
    r"^\s*ans(?:wer)?\.?\s*(?:is|:|-)?\s*[('\"\u2018]*(?P<letter>[a-d])[)'\"\u2019.,:\s]", re.IGNORECASE
)
_ENOUGH = 20  # explanations that name a letter, to say anything by them
_AGREE = 0.5  # of them, for a base to be believed
_EXTRA = {"id": "id", "explanation": "exp", "subject": "subject_name", "topic": "topic_name"}
_OPTIONS = {"opa": "a", "opb": "b", "opc": "c", "opd": "d"}


def _recognise(sample: RowsSample) -> str | None:
    if {"question", "opa", "opb", "opc", "opd", "cop"} <= sample.columns:
        return "columns question, opa to opd, cop"
    return None


def _number(row: dict[str, Any]) -> int | None:
    value = row.get("cop")
    if is_missing(value):
        return None
    try:
        return int(str(value).strip().removesuffix(".0"))
    except ValueError:
        return None


def _prepare(rows: Sequence[dict[str, Any]], hints: FileHints) -> Prepared:
    def check(gold: GoldReader) -> list[str]:
        base = gold.columns[0].base
        if base is None:
            return []
        named, agree = _by_explanations(rows, base)
        if named < _ENOUGH:
            return []
        if agree < _AGREE * named:
            raise QuestionsError(
                f"counting from {base}, 'cop' agrees with {agree} of {named} explanations that name a letter; counting "
                f"from {1 - base} with {_by_explanations(rows, 1 - base)[1]}: check gold_base"
            )
        return [f"it agrees with {agree} of {named} explanations that name a letter"]

    columns = {column for row in rows for column in row}
    options = {**_OPTIONS, **({"ope": "e"} if "ope" in columns else {})}
    return prepared(
        rows,
        hints,
        Layout("question", options, ("cop",)),
        extra=_EXTRA,
        beside=("choice_type",),
        required=True,
        numbers=("cop",),
        check=check,
    )


def _by_explanations(rows: Sequence[dict[str, Any]], base: int) -> tuple[int, int]:
    """How many explanations name a letter, and with how many `cop` agrees when it counts from `base`."""
    named = agree = 0
    for row in rows:
        explained = _EXPLAINED.match(str(row.get("exp") or ""))
        number = _number(row)
        if explained is not None and number is not None:
            named += 1
            agree += "abcd".find(explained["letter"].lower()) == number - base
    return named, agree


FORM = Form("medmcqa", "dev", "question, opa to opd, cop", _recognise, _prepare)
