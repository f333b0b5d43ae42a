"""MedXpertQA (text): up to ten options and `label`, the gold letter.

The hub's form repeats the options at the end of the question (`Answer Choices: (A) ... (B) ...`); they are taken off
the stem. Rows with images need what a text cannot show and are rejected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from medo1.questions.question_errors import RowError
from medo1.questions.readers.form import (
    Form,
    FormSample,
    RawQuestion,
    extra_of,
    gold_letter,
    is_missing,
    options_of,
    text_of,
)

_CHOICES = re.compile(r"\s*(?:answer choices|options)\s*:\s*(?=\(?A[).])", re.IGNORECASE)


def _recognise(sample: FormSample) -> str | None:
    return "columns question, options, label" if {"question", "options", "label"} <= sample.columns else None


def without_choices(stem: str, options: Mapping[str, str]) -> str:
    """A stem without the options that stand at its end, where exactly these do."""
    found = None
    for found in _CHOICES.finditer(stem):  # noqa: B007
        pass
    if found is None:
        return stem
    tail = " ".join(stem[found.end() :].split())
    written = (" ".join(f"({letter}) {' '.join(text.split())}" for letter, text in options.items()),
               " ".join(f"{letter}. {' '.join(text.split())}" for letter, text in options.items()))  # fmt: skip
    return stem[: found.start()].rstrip() if tail in written else stem


def _read(values: dict[str, Any], _: None) -> RawQuestion:
    images = values.get("images")
    if not is_missing(images) and images != []:
        raise RowError("'images' is not empty: the question needs what a text cannot show")
    options = options_of(values.get("options"))
    gold = gold_letter(values.get("label"), options, "label")
    stem = without_choices(text_of(values, "question"), options)
    extra = extra_of(
        values, id="id", medical_task="medical_task", body_system="body_system", question_type="question_type"
    )
    return RawQuestion(stem, options, gold, extra=extra)


FORM = Form("medxpertqa", "medxpertqa", "test", "question, options, label", _recognise, _read)
