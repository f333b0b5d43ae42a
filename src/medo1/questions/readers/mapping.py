"""A user's own file, by a mapping of its columns in the parameters.

mapping:
  stem: case_text                          # the column of the case and the question
  options: [choice_1, choice_2, choice_3]  # a column each, in the letters' order; or {A: c1, B: c2}; or one column
  gold: answer                             # the column of the right option
  gold_is: letter                          # letter, text, number_from_0 or number_from_1
  context: abstract                        # optional: a column that comes before the stem
  split: fold                              # optional: a column with train, dev or test
  extra: {subject: topic}                  # optional: further columns to keep
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from medo1.questions.question_errors import QuestionsError
from medo1.questions.readers.form import (
    FileHints,
    Form,
    FormSample,
    RawQuestion,
    extra_of,
    gold_from_text,
    gold_letter,
    gold_number,
    lettered,
    optional_text,
    options_of,
    text_of,
)

GoldIs = Literal["letter", "text", "number_from_0", "number_from_1"]


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Which columns of a user's own file hold what.

    Attributes:
        stem: the column of the case and the question.
        options: the columns of the options in the order of their letters, letter to column, or the one column that
            holds them all (an object, a list, or either as text).
        gold: the column of the right option.
        gold_is: how it is given: its letter, its text, or its number counted from 0 or from 1.
        context: a column that comes before the stem, with an empty line between.
        split: a column with `train`, `dev` or `test`.
        extra: name to column of what else is kept.
    """

    stem: str
    options: str | Sequence[str] | Mapping[str, str]
    gold: str
    gold_is: GoldIs = "letter"
    context: str | None = None
    split: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.gold_is not in get_args(GoldIs):
            raise QuestionsError(f"mapping: gold_is is {self.gold_is!r}, expected one of {', '.join(get_args(GoldIs))}")
        if isinstance(self.options, Mapping):
            letters = "".join(self.options)
            if letters != "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(letters)]:
                raise QuestionsError(f"mapping: options are keyed {list(self.options)}, expected A, B, C ... in order")

    def columns(self) -> list[str]:
        """Every column that a file must have."""
        options = self.options
        of_options = (
            [options]
            if isinstance(options, str)
            else list(options.values() if isinstance(options, Mapping) else options)
        )
        further = [column for column in (self.context, self.split) if column]
        return [self.stem, *of_options, self.gold, *further, *self.extra.values()]


def as_mapping(mapping: ColumnMapping | Mapping[str, Any]) -> ColumnMapping:
    """A mapping out of parameters.

    Raises:
        QuestionsError: for a key that is not one of a mapping's, or one that is missing.
    """
    if isinstance(mapping, ColumnMapping):
        return mapping
    known = [entry.name for entry in fields(ColumnMapping)]
    unknown = [key for key in mapping if key not in known]
    if unknown:
        raise QuestionsError(f"mapping: unknown key {unknown[0]!r}, expected some of {', '.join(known)}")
    missing = [key for key in ("stem", "options", "gold") if key not in mapping]
    if missing:
        raise QuestionsError(f"mapping: {missing[0]!r} is missing; stem, options and gold are needed")
    return ColumnMapping(**mapping)


def form_of(mapping: ColumnMapping) -> Form:
    """The form of files that a mapping describes."""

    def prepare(rows: Sequence[dict[str, Any]], settings: FileHints) -> tuple[None, list[str]]:
        have = set().union(*rows) if rows else set()
        missing = [column for column in mapping.columns() if column not in have]
        if rows and missing:
            raise QuestionsError(
                f"mapping: there is no column {missing[0]!r}; the file has {', '.join(sorted(map(str, have)))}"
            )
        return None, []

    def read(values: dict[str, Any], _: None) -> RawQuestion:
        stem = text_of(values, mapping.stem)
        if mapping.context and (context := optional_text(values, mapping.context)):
            stem = f"{context}\n\n{stem}"
        options = mapping.options
        if isinstance(options, str):
            texts = options_of(values.get(options), options)
        else:
            texts = lettered(values, list(options.values()) if isinstance(options, Mapping) else options)
        gold = _gold(values.get(mapping.gold), texts, mapping)
        split = optional_text(values, mapping.split) or None if mapping.split else None
        return RawQuestion(stem, texts, gold, split=split, extra=extra_of(values, **mapping.extra))

    def recognise(sample: FormSample) -> str | None:
        return None

    return Form("mapping", "", "test", ", ".join(mapping.columns()), recognise, read, prepare)


def _gold(value: Any, options: dict[str, str], mapping: ColumnMapping) -> str:
    if mapping.gold_is == "letter":
        return gold_letter(value, options, mapping.gold)
    if mapping.gold_is == "text":
        return gold_from_text(str(value).strip(), options, mapping.gold)
    return gold_number(value, options, mapping.gold, int(mapping.gold_is[-1]))
