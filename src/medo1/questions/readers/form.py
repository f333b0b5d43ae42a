"""What a form is made of, and the steps that the forms share: which columns of a file hold what, and a row's texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from medo1.questions.question_errors import RowError
from medo1.questions.readers.gold_answers import GoldIs, GoldReader, gold_letter, gold_reader, is_missing
from medo1.questions.readers.option_texts import (
    LabelledOptions,
    by_labels,
    checked_options,
    labelled_options,
    options_of,
    trailing_options,
)

__all__ = [
    "FileHints", "Form", "Prepared", "RawQuestion", "RowsSample", "checked_options", "extra_of", "gold_letter",
    "is_missing", "optional_text", "options_of", "text_of",
]  # fmt: skip

STEMS = (
    "question", "stem", "query", "problem", "question_text", "problem_text", "question_stem", "qtext", "prompt",
    "input", "frage", "pregunta", "题目", "问题", "問題", "문제",
)  # fmt: skip
OPTIONS = (
    "options", "choices", "answer_choices", "answer_options", "candidates", "answers", "option", "mc_options",
    "mc1_targets",
    "选项", "選択肢", "보기",
)  # fmt: skip
GOLDS = (
    "answer_idx", "answer_letter", "answerkey", "answer_key", "gold", "gold_letter", "label", "correct_option",
    "correct_letter", "correct_choice", "correct_answer", "correct_answers", "correct", "correct_idx", "correct_index",
    "answer_index", "answer_id", "right_answer", "right_option", "target", "cop", "ra", "answer", "answer_text",
    "answer_string", "correct_answer_text", "gold_answer", "gold_text", "ground_truth",
    "solution_key", "答案", "正答", "정답",
)  # fmt: skip
IMAGES = (
    "image",
    "images",
    "image_path",
    "image_url",
    "img",
    "img_path",
    "figure",
    "figures",
    "picture",
    "photo",
    "media",
)
_FAMILY = re.compile(
    r"^(?P<word>|op|opt|option|choice|answer|ans|answer_choice|answer_option)[ _-]?(?P<label>[a-z]|\d{1,2})$"
)
_WIDEST = 26


@dataclass(frozen=True, slots=True)
class FileHints:
    """What a caller says about a file beside its path.

    Attributes:
        context: columns that come before the question, in order.
        ignore: columns that are no part of the question.
        gold_is: how the column of the right option is meant; None to find out from the file.
        gold_base: 0 or 1, the number of the first option; None to find out from the file.
        links: JAMA: a list of links with gold letters that the file's are checked against.
        test_urls: JAMA: the URLs of the test split; all other questions are the training pool.
        split_ids: split to a file of the ids that it has; `id_column` names the column of the ids.
        rest: the split of rows whose id is in no list; None: they are left out, with the reason.
        encoding: of a text file that is not UTF-8.
        part: of a file of several parts (sheets, members, named lists) the one to read; None: all.
        shareable: whether the text may be passed on; None: as the form says.
    """

    context: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    gold_is: GoldIs | None = None
    gold_base: int | None = None
    links: Path | None = None
    test_urls: Path | None = None
    split_ids: Mapping[str, Path] = field(default_factory=dict)
    id_column: str | None = None
    rest: str | None = None
    encoding: str | None = None
    part: str | None = None
    shareable: bool | None = None


class RowsSample(NamedTuple):
    """What a form is recognised by: the columns and the first rows."""

    columns: frozenset[str]
    rows: list[dict[str, Any]]


class RawQuestion(NamedTuple):
    """What a form takes out of a row; checked and made a question by `medo1.questions.benchmark_reading`."""

    stem: str
    options: dict[str, str]
    gold: str
    split: str | None = None
    extra: Mapping[str, str] = {}
    difficulty: int | None = None


class Prepared(NamedTuple):
    """How all rows of a file are read.

    Attributes:
        read: takes one row apart; raises `RowError`.
        used: the columns that become part of the question.
        beside: the columns that the form knows and that are no part of it.
        notes: what was found out about the file.
    """

    read: Callable[[dict[str, Any]], RawQuestion]
    used: frozenset[str]
    beside: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """One form.

    Attributes:
        name: what `form=` takes.
        split: the split where neither caller, row nor file name says one.
        columns: the columns that it has, for messages.
        recognise: the reason why a sample looks like this form, None where it does not.
        prepare: looks at all rows before the first is read.
        header: the names of the columns of a CSV file that has no line of them; empty where it has one.
        shareable: whether the licence lets its text be passed on.
    """

    name: str
    split: str
    columns: str
    recognise: Callable[[RowsSample], str | None]
    prepare: Callable[[Sequence[dict[str, Any]], FileHints], Prepared]
    header: Callable[[RowsSample], tuple[str, ...]] | None = None
    shareable: bool = True


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns of a file hold the parts of a question.

    Attributes:
        stem: the column of the question.
        options: the one column of all options, or a column each with its label; empty where they end the stem.
        golds: the columns that say which option is right, the likeliest first.
    """

    stem: str
    options: str | Mapping[str, str] | None
    golds: tuple[str, ...]

    def read_options(self, values: Mapping[str, Any]) -> LabelledOptions:
        """A row's options.

        Raises:
            RowError: where they cannot be had.
        """
        if self.options is None:
            found = trailing_options(text_of(values, self.stem))
            if found is None:
                raise RowError(f"{self.stem!r} does not end with lettered options, and no column holds them")
            return found[1]
        if isinstance(self.options, str):
            return labelled_options(values.get(self.options), self.options)
        return by_labels({label: values.get(column) for column, label in self.options.items()})

    def read_stem(self, values: Mapping[str, Any], options: LabelledOptions) -> str:
        """A row's question, without the options where these stand at its end as well."""
        stem = text_of(values, self.stem)
        if self.options is None:
            found = trailing_options(stem)
            return found[0] if found is not None else stem
        return without_options(stem, options.texts)

    def columns(self) -> frozenset[str]:
        """Every column that is part of the question."""
        of_options = [self.options] if isinstance(self.options, str) else list(self.options or ())
        return frozenset((self.stem, *of_options, *self.golds))


def layout_of(
    rows: Sequence[Mapping[str, Any]],
    *,
    stem: str | None = None,
    golds: Sequence[str] = GOLDS,
    ignore: Sequence[str] = (),
) -> Layout | None:
    """Which columns hold what, by their usual names; None where a part is nowhere."""
    columns = list(dict.fromkeys(column for row in rows for column in row if column not in ignore))
    stem = stem or next((name for name in STEMS if name in columns), None)
    if stem is None:
        return None
    options: str | Mapping[str, str] | None = next(
        (name for name in OPTIONS if name in columns and name != stem and _hold_options(rows, name)), None
    )
    if options is None:
        options = _family(columns)
    if options is None and not _end_with_options(rows, stem):
        return None
    taken = {stem, *([options] if isinstance(options, str) else options or ())}
    return Layout(stem, options, tuple(name for name in golds if name in columns and name not in taken))


def _hold_options(rows: Sequence[Mapping[str, Any]], column: str) -> bool:
    held = [row[column] for row in rows[:50] if column in row]
    for value in held:
        try:
            labelled_options(value, column)
        except RowError:
            continue
        return True
    return column in ("options", "choices") and bool(held)


def _end_with_options(rows: Sequence[Mapping[str, Any]], stem: str) -> bool:
    texts = [row[stem] for row in rows[:50] if isinstance(row.get(stem), str)]
    return bool(texts) and sum(trailing_options(text) is not None for text in texts) > len(texts) / 2


def _family(columns: Sequence[str]) -> dict[str, str] | None:
    """Column to label of columns that hold an option each: A to E, opa to ope, option_1 to option_5."""
    families: dict[tuple[str, bool], dict[str, str]] = {}
    for column in columns:
        mark = _FAMILY.match(column.lower())
        if mark is not None and (mark["word"] or mark["label"].isalpha()):
            families.setdefault((mark["word"], mark["label"].isdigit()), {})[mark["label"]] = column
    best: dict[str, str] = {}
    for (_, numbered), family in families.items():
        labels = [str(n) for n in range(_WIDEST + 1)] if numbered else [chr(ord("a") + n) for n in range(_WIDEST)]
        if numbered and "0" not in family:
            labels = labels[1:]
        row = []
        for label in labels:
            if label not in family:
                break
            row.append(label)
        if len(row) > max(1, len(best)):
            best = {family[label]: label for label in row}
    return best or None


_CHOICES = re.compile(r"\s*(?:answer choices|options|choices)\s*:\s*(?=[(\[]?A[).:\]])", re.IGNORECASE)
_LETTERED = re.compile(r"\n\s*(?=[(\[]?A[).:\]])")


def without_options(stem: str, options: Mapping[str, str]) -> str:
    """A stem without the options that stand at its end, where exactly these do."""
    for pattern in (_CHOICES, _LETTERED):
        marks = list(pattern.finditer(stem))
        if not marks:
            continue
        tail = " ".join(stem[marks[-1].end() :].split())
        for form in ("({}) {}", "{}. {}", "{}) {}", "{}: {}"):
            if tail == " ".join(form.format(letter, " ".join(text.split())) for letter, text in options.items()):
                return stem[: marks[-1].start()].rstrip()
    return stem


def prepared(
    rows: Sequence[dict[str, Any]],
    hints: FileHints,
    layout: Layout,
    *,
    extra: Mapping[str, str] | None = None,
    beside: Sequence[str] = (),
    required: bool = False,
    numbers: Sequence[str] = (),
    check: Callable[[GoldReader], list[str]] = lambda _: [],
) -> Prepared:
    """Reads the rows of a file by its layout, with how its right options are said found out from all of them.

    Args:
        rows: every row.
        hints: what the caller says.
        layout: which columns hold what.
        extra: name to column of what is kept beside the question.
        beside: further columns that are known to be no part of it.
        required: the first of the layout's gold columns is the one, whatever stands in it.
        numbers: gold columns that are known to hold numbers.
        check: a look at how the right options are said; gives notes, or raises `QuestionsError`.
    """
    opened: list[tuple[Mapping[str, Any], LabelledOptions]] = []
    for values in rows:
        try:
            opened.append((values, layout.read_options(values)))
        except RowError:
            continue
    gold = gold_reader(
        opened, layout.golds, gold_is=hints.gold_is, gold_base=hints.gold_base, required=required, numbers=numbers
    )
    notes = (*gold.notes, *check(gold))
    kept = dict(extra or {})

    def read(values: dict[str, Any]) -> RawQuestion:
        text_of(values, layout.stem)  # a row without a question is reported as such first
        options = layout.read_options(values)
        stem = layout.read_stem(values, options)
        letter = gold.letter(values, options)
        difficulty = values.get("difficulty")
        return RawQuestion(
            stem,
            options.texts,
            letter,
            extra=extra_of(values, **kept),
            difficulty=difficulty if isinstance(difficulty, int) and not isinstance(difficulty, bool) else None,
        )

    columns = Layout(layout.stem, layout.options, tuple(column.name for column in gold.columns)).columns()
    known = frozenset((*kept.values(), *beside, *IMAGES))
    return Prepared(read, columns, known, notes)


def text_of(values: Mapping[str, Any], *columns: str) -> str:
    """The text in the first of the columns that the row has.

    Raises:
        RowError: where there is none, or no text in it.
    """
    for column in columns:
        if column in values:
            value = values[column]
            if is_missing(value):
                raise RowError(f"{column!r} is empty")
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise RowError(f"{column!r} is {type(value).__name__}, expected a text")
            return str(value).strip()
    raise RowError(f"{columns[0]!r} is missing")


def optional_text(values: Mapping[str, Any], *columns: str) -> str:
    """The text in the first of the columns that holds one; empty where none does."""
    for column in columns:
        value = values.get(column)
        if not is_missing(value) and isinstance(value, str | int | float):
            return str(value).strip()
    return ""


def passage_of(values: Mapping[str, Any], column: str) -> str:
    """A column's text that comes before the question: a text, or a list of texts that follow each other.

    Raises:
        RowError: for anything else.
    """
    value: Any = values.get(column)
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        if not all(isinstance(part, str | int | float) for part in value):
            raise RowError(f"{column!r} is a list of {type(value[0]).__name__}, expected a text or a list of texts")
        return " ".join(str(part).strip() for part in value if not is_missing(part))
    if is_missing(value):
        return ""
    if not isinstance(value, str | int | float):
        raise RowError(f"{column!r} is {type(value).__name__}, expected a text or a list of texts")
    return str(value).strip()


def extra_of(values: Mapping[str, Any], **columns: str) -> dict[str, str]:
    """Further texts of a row: name in `Question.extra` to column; those that are empty are left out."""
    return {name: text for name, column in columns.items() if (text := optional_text(values, column))}
