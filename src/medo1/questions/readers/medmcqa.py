"""MedMCQA: question, opa to opd and `cop`, the number of the right option.

Two conventions are found: the authors' JSON counts from 1, the hub's from 0 (with -1 where the answer is withheld). A
wrong one gives every question the gold letter of its neighbour, so it is never assumed: a 0 or a 4 anywhere in the
file decides, both contradict each other, neither asks the caller. Explanations that open with `Ans. (c)` are held
against it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from medo1.questions.question_errors import QuestionsError, RowError
from medo1.questions.readers.form import (
    FileHints,
    Form,
    FormSample,
    RawQuestion,
    extra_of,
    gold_number,
    is_missing,
    lettered,
    text_of,
)
from medo1.questions.readers.medbullets import COLUMNS

_EXPLAINED = re.compile(
    r"^\s*ans(?:wer)?\.?\s*(?:is|:|-)?\s*[('\"\u2018]*(?P<letter>[a-d])[)'\"\u2019.,:\s]", re.IGNORECASE
)
_ENOUGH = 20  # explanations that name a letter, to say anything by them
_AGREE = 0.5  # of them, for a base to be believed


def _recognise(sample: FormSample) -> str | None:
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


def _prepare(rows: Sequence[dict[str, Any]], settings: FileHints) -> tuple[int, list[str]]:
    numbers = {number for row in rows if (number := _number(row)) is not None}
    base, why = settings.cop_base, "as the caller says"
    if base not in (None, 0, 1):
        raise QuestionsError(f"cop_base is {base!r}, expected 0 or 1")
    if base is None:
        if {0, 4} <= numbers:
            raise QuestionsError("'cop' holds both 0 and 4: rows of both conventions are mixed; split the file by them")
        if not numbers & {0, 4}:
            raise QuestionsError(
                f"'cop' holds {sorted(numbers)}: that may count from 0 (the hub's files) or from 1 (the authors' "
                "JSON); say which with cop_base"
            )
        base, why = (0, "a 0 stands in the file") if 0 in numbers else (1, "a 4 stands in the file")
    notes = [f"cop counts from {base}: {why}"]
    named, agree = _by_explanations(rows, base)
    if named >= _ENOUGH:
        if agree < _AGREE * named:
            raise QuestionsError(
                f"counting from {base}, 'cop' agrees with {agree} of {named} explanations that name a letter; counting "
                f"from {1 - base} with {_by_explanations(rows, 1 - base)[1]}: check cop_base"
            )
        notes.append(f"it agrees with {agree} of {named} explanations that name a letter")
    return base, notes


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


def _read(values: dict[str, Any], base: int) -> RawQuestion:
    if _number(values) == -1:
        raise RowError("'cop' is -1: the answer is withheld")
    if is_missing(values.get("cop")):
        raise RowError("'cop' is empty, expected the number of the right option")
    stem = text_of(values, "question")
    options = lettered(values, COLUMNS[:4])
    gold = gold_number(values.get("cop"), options, "cop", base)
    extra = extra_of(values, id="id", explanation="exp", subject="subject_name", topic="topic_name")
    return RawQuestion(stem, options, gold, extra=extra)


FORM = Form("medmcqa", "medmcqa", "dev", "question, opa to opd, cop", _recognise, _read, _prepare)
