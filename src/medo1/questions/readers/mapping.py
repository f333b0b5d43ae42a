"""A user's own file, by a mapping of its columns in the parameters.

mapping:
  stem: case_text                          # the column of the case and the question
  options: [choice_1, choice_2, choice_3]  # a column each, in the letters' order; or {A: c1, B: c2}; or one column
  gold: answer                             # the column of the right option
  gold_is: letter                          # letter, text, number_from_0 or number_from_1
  context: abstract                        # optional: a column, or several, that come before the stem
  split: fold                              # optional: a column with train, dev or test
  extra: {subject: topic}                  # optional: further columns to keep
  ignore: [notes]                          # optional: columns of text that are no part of the questions
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from medo1.questions.question import LETTERS
from medo1.questions.question_errors import QuestionsError
from medo1.questions.readers.form import (
    FileHints,
    Form,
    Layout,
    Prepared,
    RawQuestion,
    RowsSample,
    optional_text,
    passage_of,
    prepared,
)
from medo1.questions.readers.gold_answers import GOLD_IS, GoldIs


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Which columns of a user's own file hold what.

    Attributes:
        stem: the column of the case and the question.
        options: the columns of the options in the order of their letters, letter to column, or the one column that
            holds them all (an object, a list, lettered lines, or any of these as text).
        gold: the column of the right option.
        gold_is: how it is given: its letter, its text, or its number counted from 0 or from 1.
        context: a column, or several, that come before the stem, with an empty line between; lists are joined.
        split: a column with `train`, `dev` or `test`.
        extra: name to column of what else is kept.
        ignore: columns of text that are no part of the questions.
    """

    stem: str
    options: str | Sequence[str] | Mapping[str, str]
    gold: str
    gold_is: GoldIs = "letter"
    context: str | Sequence[str] | None = None
    split: str | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    ignore: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.gold_is not in GOLD_IS:
            raise QuestionsError(f"mapping: gold_is is {self.gold_is!r}, expected one of {', '.join(GOLD_IS)}")
        if isinstance(self.options, Mapping):
            letters = "".join(self.options)
            if letters != LETTERS[: len(letters)]:
                raise QuestionsError(f"mapping: options are keyed {list(self.options)}, expected A, B, C ... in order")

    def contexts(self) -> tuple[str, ...]:
        """The columns that come before the stem."""
        return (self.context,) if isinstance(self.context, str) else tuple(self.context or ())

    def option_columns(self) -> list[str]:
        """The columns of the options."""
        if isinstance(self.options, str):
            return [self.options]
        return list(self.options.values() if isinstance(self.options, Mapping) else self.options)

    def columns(self) -> list[str]:
        """Every column that a file must have."""
        further = [self.split] if self.split else []
        return [self.stem, *self.option_columns(), self.gold, *self.contexts(), *further, *self.extra.values()]

    def layout(self) -> Layout:
        """The same as forms have it."""
        options: str | Mapping[str, str]
        if isinstance(self.options, str):
            options = self.options
        else:
            options = dict(zip(self.option_columns(), LETTERS, strict=False))
        return Layout(self.stem, options, (self.gold,))


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

    def prepare(rows: Sequence[dict[str, Any]], hints: FileHints) -> Prepared:
        have = set().union(*rows) if rows else set()
        missing = [column for column in mapping.columns() if column not in have]
        if rows and missing:
            raise QuestionsError(
                f"mapping: there is no column {missing[0]!r}; the file has {', '.join(sorted(map(str, have)))}"
            )
        told = replace(hints, gold_is=mapping.gold_is)
        found = prepared(rows, told, mapping.layout(), extra=mapping.extra, beside=mapping.ignore, required=True)

        def read(values: dict[str, Any]) -> RawQuestion:
            question = found.read(values)
            passages = [passage_of(values, column) for column in mapping.contexts()]
            stem = "\n\n".join([*(text for text in passages if text), question.stem])
            split = optional_text(values, mapping.split) or None if mapping.split else None
            return question._replace(stem=stem, split=split)

        used = found.used | set(mapping.contexts()) | ({mapping.split} if mapping.split else set())
        return found._replace(read=read, used=frozenset(used))

    def recognise(sample: RowsSample) -> str | None:
        return None

    return Form("mapping", "test", ", ".join(mapping.columns()), recognise, prepare)
