"""What a reader of a form is made of, and the steps that readers share: texts, options and gold letters of a row."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from medo1.questions.question import LETTERS, normalised
from medo1.questions.question_errors import RowError

FEWEST_OPTIONS = 2
_LONGEST_LITERAL = 20_000  # characters of a cell that is read as a literal


@dataclass(frozen=True, slots=True)
class FileHints:
    """What a caller says about a file beside its path.

    Attributes:
        links: JAMA: a list of links with gold letters that the file's are checked against.
        test_urls: JAMA: the URLs of the test split; all other questions are the training pool.
        cop_base: MedMCQA: 0 or 1, the number of the first option in `cop`; None to find out from the file.
    """

    links: Path | None = None
    test_urls: Path | None = None
    cop_base: int | None = None


class FormSample(NamedTuple):
    """What a form is recognised by: the columns and the first rows."""

    columns: frozenset[str]
    rows: list[dict[str, Any]]


class RawQuestion(NamedTuple):
    """What a reader takes out of a row; checked and made a question by `medo1.questions.benchmark_reading`."""

    stem: str
    options: dict[str, str]
    gold: str
    answer: str = ""
    split: str | None = None
    extra: Mapping[str, str] = {}
    difficulty: int | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """One form.

    Attributes:
        name: what `form=` takes.
        benchmark: the benchmark's name, unless the caller gives one.
        split: the split where neither caller, row nor file name says one.
        columns: the columns that it has, for messages.
        recognise: the reason why a sample looks like this form, None where it does not.
        prepare: looks at all rows before the first is read: what `read` gets as its second argument, and notes on it.
        read: takes one row apart.
        header: the columns of a CSV file that has no line of names, where the form is found so.
    """

    name: str
    benchmark: str
    split: str
    columns: str
    recognise: Callable[[FormSample], str | None]
    read: Callable[[dict[str, Any], Any], RawQuestion]
    prepare: Callable[[Sequence[dict[str, Any]], FileHints], tuple[Any, list[str]]] = field(
        default=lambda rows, settings: (None, [])
    )
    header: tuple[str, ...] = ()


def is_missing(value: object) -> bool:
    """Whether a cell holds nothing: None, NaN, white space, or a text that stands for nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return isinstance(value, str) and value.strip().lower() in ("", "nan", "none", "null", "<na>")


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
            if not isinstance(value, str | int | float):
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


def extra_of(values: Mapping[str, Any], **columns: str) -> dict[str, str]:
    """Further texts of a row: name in `Question.extra` to column; those that are empty are left out."""
    return {name: text for name, column in columns.items() if (text := optional_text(values, column))}


def options_of(value: Any, where: str = "options") -> dict[str, str]:
    """Letter to text, out of the ways in which options are written.

    Those are an object of letters, a list of texts, a list of `{"key": "A", "value": ...}`, and each of these as text
    in a cell. Options at the end that are empty are left out.

    Raises:
        RowError: for anything else, fewer than two options, or an empty one between others.
    """
    if isinstance(value, str):
        value = _literal(value, where)
    if isinstance(value, Mapping):
        pairs = {str(letter).strip().upper().rstrip(".)"): text for letter, text in value.items()}
    elif isinstance(value, Sequence) or hasattr(value, "tolist"):
        items = value.tolist() if hasattr(value, "tolist") else list(value)
        if items and all(isinstance(item, Mapping) for item in items):
            pairs = {str(item.get("key", "")).strip().upper(): item.get("value") for item in items}
        else:
            pairs = dict(zip(LETTERS, items, strict=False))
            if len(items) > len(LETTERS):
                raise RowError(f"{len(items)} {where}, at most {len(LETTERS)} can have a letter")
    else:
        raise RowError(f"{where!r} is {type(value).__name__}, expected letters and texts")
    return checked_options(pairs)


def lettered(values: Mapping[str, Any], columns: Sequence[str]) -> dict[str, str]:
    """Options that stand in a column each, in the columns' order; a column that a row lacks counts as empty."""
    return checked_options(dict(zip(LETTERS, (values.get(column) for column in columns), strict=False)))


def checked_options(pairs: Mapping[str, Any]) -> dict[str, str]:
    """Letters from A without gaps, each with a text; empty ones at the end are left out.

    Raises:
        RowError: where that cannot be had.
    """
    unknown = [letter for letter in pairs if letter not in LETTERS or len(letter) != 1]
    if unknown:
        raise RowError(f"an option is keyed {unknown[0]!r}, expected a letter")
    texts = {letter: "" if is_option_missing(pairs[letter]) else str(pairs[letter]).strip() for letter in sorted(pairs)}
    while texts and not texts[max(texts)]:
        del texts[max(texts)]
    for letter, expected in zip(texts, LETTERS, strict=False):
        if letter != expected:
            raise RowError(f"there is no option {expected} although there is an option {letter}")
        if not texts[letter]:
            raise RowError(f"option {letter} is empty")
    if len(texts) < FEWEST_OPTIONS:
        raise RowError(f"{len(texts)} options, expected at least {FEWEST_OPTIONS}")
    return texts


def is_option_missing(value: object) -> bool:
    """Whether an option holds nothing; `None` and `nan` as texts may well be options."""
    return (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or (isinstance(value, str) and not value.strip())
    )


def _literal(text: str, where: str) -> Any:
    """An object or a list that stands as text in a cell: JSON, or as Python prints it."""
    stripped = text.strip()
    if not stripped.startswith(("{", "[")) or len(stripped) > _LONGEST_LITERAL:
        raise RowError(f"{where!r} is a text, expected letters and texts")
    try:
        return json.loads(stripped)
    except ValueError:
        try:
            return ast.literal_eval(stripped)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise RowError(f"{where!r} is a text that is neither JSON nor a literal") from None


def gold_letter(value: Any, options: Mapping[str, str], where: str) -> str:
    """The gold letter as a row gives it: a letter, in whatever case and brackets.

    Raises:
        RowError: for anything that is not the letter of one of the options.
    """
    if is_missing(value):
        raise RowError(f"{where!r} is empty, expected the gold letter")
    letter = str(value).strip().strip("().:[] ").upper()
    if letter not in options:
        raise RowError(f"{where!r} is {str(value)[:40]!r}, expected one of {', '.join(options)}")
    return letter


def gold_number(value: Any, options: Mapping[str, str], where: str, base: int = 0) -> str:
    """The gold letter out of the option's number.

    Raises:
        RowError: for anything that is not the number of one of the options.
    """
    letters = list(options)
    try:
        number = int(str(value).strip().removesuffix(".0"))
    except ValueError:
        raise RowError(f"{where!r} is {str(value)[:40]!r}, expected a number") from None
    if not base <= number < base + len(letters):
        last = base + len(letters) - 1
        raise RowError(f"{where!r} is {number}, expected {base} to {last} ({len(letters)} options)")
    return letters[number - base]


def gold_from_text(answer: str, options: Mapping[str, str], where: str) -> str:
    """The letter of the one option whose text the answer is.

    Raises:
        RowError: where none or several are.
    """
    letters = [letter for letter, text in options.items() if normalised(text) == normalised(answer)]
    if len(letters) != 1:
        found = "no option" if not letters else f"the options {', '.join(letters)}"
        raise RowError(f"{where!r} is {answer[:60]!r}, which is the text of {found}")
    return letters[0]
