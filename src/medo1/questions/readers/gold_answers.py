"""Which option is right, from the many ways in which files give it: a letter, a label, a number, a text, or several.

A value alone is ambiguous: 1 may count from 0 or from 1, and `B` may be a letter or the text of an
option (blood groups). The whole file decides: every row is examined before the first is read. Where the file
cannot tell, the caller is asked; nothing is assumed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from medo1.questions.question import LETTERS, normalised
from medo1.questions.question_errors import NumberBaseError, QuestionsError, RowError
from medo1.questions.readers.option_texts import LabelledOptions, folded_label

GoldIs = Literal["letter", "text", "number_from_0", "number_from_1"]
GOLD_IS = get_args(GoldIs)
_LONGEST_LETTER = 3  # characters of a letter or number, with its brackets
_LARGEST = 1e6  # a number of an option is far below

# `C. Gout`, `(C) Gout`, `C) Gout`
_LETTER_AND_TEXT = re.compile(r"^[(\[]?(?P<label>[A-Za-z]|\d{1,2})(?:[.):\]]\)?|\s-)\s*(?P<text>\S.*)$", re.DOTALL)
_EXPLAINED = re.compile(r"\s*(?:\n|\bexplanation\s*:)", re.IGNORECASE)
_SEVERAL = re.compile(r"^\(?[A-Z]\)?(?:\s*(?:,|;|/|&|\+|\band\b)\s*\(?[A-Z]\)?)+$")


def is_missing(value: object) -> bool:
    """Whether a cell holds nothing: None, NaN, white space, or a text that stands for nothing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return isinstance(value, str) and value.strip().lower() in ("", "nan", "none", "null", "<na>")


@dataclass(frozen=True, slots=True)
class Meanings:
    """What a value could mean: the letters that it leads to when read as each kind; None where it cannot be read so."""

    letter: str | None = None
    text: str | None = None
    number: int | None = None


def single(value: Any, where: str) -> Any:
    """The one value of a list of one; a value that is no list is itself.

    Raises:
        RowError: for a list of several, by name, and for one that holds nothing.
    """
    if isinstance(value, str) and value.strip().startswith("[") and value.strip().endswith("]"):
        try:
            value = json.loads(value.strip().replace("'", '"'))
        except (ValueError, RecursionError):
            return value
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple | set | frozenset):
        kept = [one for one in value if not is_missing(one)]
        if len(kept) > 1:
            raise RowError(several(map(str, kept), where))
        return kept[0] if kept else None
    return value


def several(found: Iterable[str], where: str) -> str:
    """The reason why a question with several right answers is refused."""
    return f"{where!r} names several right answers ({', '.join(found)[:60]}): a question with one is expected"


def meanings(value: Any, options: LabelledOptions, where: str) -> Meanings:
    """What a value could mean.

    Raises:
        RowError: where it names several right answers, or its letter and its text are of different options.
    """
    if isinstance(value, bool):
        return Meanings()
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST):
        number: int | None = int(value)
        written = str(number)
    else:
        written = str(value).strip()
        number = int(written) if re.fullmatch(r"-?\d{1,3}(?:\.0)?", written.removesuffix(".0")) else None
    if any(own.isdigit() for own in options.labels):
        number = None  # a number is the option's own label here
    texts = options.texts
    label = folded_label(written)
    letter = options.labels.get(label)
    plain = written.strip("().:[] ").upper()
    if letter is None and plain in texts and len(plain) == 1:
        letter = plain
    text = _by_text(written, texts)
    if letter is None and text is None:
        letter, text = _letter_and_text(written, options, where)
    if letter is None and text is None:
        named = re.findall(r"[A-Z]", written)
        together = re.fullmatch(r"[A-Z]{2,}", written) is not None and named == sorted(set(named))
        if (_SEVERAL.match(written) or together) and set(named) <= texts.keys():
            raise RowError(several(named, where))
    return Meanings(letter, text, number)


def _says_nothing(value: Any, options: LabelledOptions) -> bool:
    """Whether a value is missing; `None` and `nan` may well be the right option's text."""
    return is_missing(value) and (not isinstance(value, str) or _by_text(value.strip(), options.texts) is None)


def _by_text(written: str, texts: Mapping[str, str]) -> str | None:
    """The letter of the option that a text is: as written, else in another case where that leaves one."""
    exact = [letter for letter, text in texts.items() if text == written]
    if len(exact) == 1:
        return exact[0]
    folded = [letter for letter, text in texts.items() if normalised(text) == normalised(written)]
    return folded[0] if len(folded) == 1 else None


def _letter_and_text(written: str, options: LabelledOptions, where: str) -> tuple[str | None, str | None]:
    """The letter of `C. Gout`, where Gout is option C, and of `Gout. Explanation: ...`."""
    mark = _LETTER_AND_TEXT.match(written)
    if mark is not None:
        label = folded_label(mark["label"])
        letter = options.labels.get(label) or (label.upper() if label.upper() in options.texts else None)
        rest = normalised(mark["text"])
        if letter is not None:
            own = normalised(options.texts[letter])
            other = _by_text(mark["text"].strip(), options.texts)
            if rest == own or (
                len(rest) > 1 and (own.startswith(rest) or rest.startswith(own)) and other in (None, letter)
            ):
                return letter, None
            if other is not None:
                raise RowError(
                    f"{where!r} is {written[:60]!r}, but that is the text of option {other}, not of {letter}"
                )
    cut = _EXPLAINED.search(written)
    if cut is not None and cut.start():
        return None, _by_text(written[: cut.start()].strip().rstrip("."), options.texts) or _by_text(
            written[: cut.start()].strip(), options.texts
        )
    return None, None


@dataclass(frozen=True, slots=True)
class GoldColumn:
    """How one column of a file says which option is right.

    Attributes:
        name: the column.
        kind: whether its values are letters (or labels), texts, or numbers; `either` where each row tells by itself.
        base: the number of the first option, where they are numbers.
    """

    name: str
    kind: Literal["letter", "text", "number", "either"]
    base: int | None = None

    def letter(self, value: Any, options: LabelledOptions) -> str:
        """The letter of the right option.

        Raises:
            RowError: where the value is missing, or leads to no option or to several.
        """
        value = single(value, self.name)
        if _says_nothing(value, options):
            raise RowError(f"{self.name!r} is empty, expected {self._expected(options)}")
        meant = meanings(value, options, self.name)
        found: str | None
        if self.kind == "number":
            found = self._numbered(meant, options) if meant.number is not None else meant.text
            if found is None:
                raise RowError(f"{self.name!r} is {str(value)[:40]!r}, expected a number")
        elif self.kind == "text":
            found = meant.text or meant.letter
        elif self.kind == "letter":
            found = meant.letter
        else:
            found = meant.letter or meant.text
            if found is None and meant.number is not None and self.base is not None:
                found = self._numbered(meant, options)
        if found is None:
            if self.kind == "text":
                same = [letter for letter, text in options.texts.items() if normalised(text) == normalised(str(value))]
                named = f"the options {', '.join(same)}" if same else "no option"
                raise RowError(f"{self.name!r} is {str(value)[:60]!r}, which is the text of {named}")
            raise RowError(f"{self.name!r} is {str(value)[:40]!r}, expected {self._expected(options)}")
        return found

    def _numbered(self, meant: Meanings, options: LabelledOptions) -> str:
        assert meant.number is not None
        base, count = self.base or 0, len(options.texts)
        if meant.number == -1:
            raise RowError(
                f"{self.name!r} is -1: the answer is withheld (expected {base} to {base + count - 1}, {count} options)"
            )
        if not base <= meant.number < base + count:
            raise RowError(f"{self.name!r} is {meant.number}, expected {base} to {base + count - 1} ({count} options)")
        return LETTERS[meant.number - base]

    def _expected(self, options: LabelledOptions) -> str:
        if self.kind == "number":
            return "a number, that of the right option"
        if self.kind == "text":
            return "the text of the right option"
        if self.base is not None:
            return f"a number or one of {', '.join(options.texts)}"
        return f"one of {', '.join(options.texts)}"


@dataclass(frozen=True, slots=True)
class GoldReader:
    """All columns of a file that say which option is right; they must agree.

    Attributes:
        columns: the first decides, the others are checked against it.
        notes: what was found out, such as from where numbers count.
    """

    columns: tuple[GoldColumn, ...]
    notes: tuple[str, ...] = field(default=())

    def letter(self, values: Mapping[str, Any], options: LabelledOptions) -> str:
        """The letter of a row's right option.

        Raises:
            RowError: no column gives it, or two disagree.
        """
        if not self.columns:
            if options.right is None:
                raise RowError("no option is marked as the right one")
            return options.right
        first = next((column for column in self.columns if column.name in values), self.columns[0])
        found = first.letter(values.get(first.name), options)
        if options.right is not None and options.right != found:
            raise RowError(f"{first.name!r} is {found}, but option {options.right} is marked as right")
        for column in self.columns:
            if column is first or _says_nothing(values.get(column.name), options):
                continue
            self._agree(column, values, options, first, found)
        return found

    def _agree(
        self, column: GoldColumn, values: Mapping[str, Any], options: LabelledOptions, first: GoldColumn, found: str
    ) -> None:
        value = values[column.name]
        try:
            meant = meanings(single(value, column.name), options, column.name)
            if found in (meant.letter, meant.text):
                return
            other = column.letter(value, options)
        except RowError:
            other = None
        if other == found:
            return
        if column.kind in ("letter", "number") and other is not None and len(str(value)) <= _LONGEST_LETTER:
            raise RowError(
                f"{column.name!r} is {value!r:.42} and {first.name!r} is {values[first.name]!r:.42}, which is {found}"
            )
        said = str(single(value, column.name))[:60]
        raise RowError(f"the answer is {said!r}, but option {found} is {options.texts[found][:60]!r}")


def gold_reader(
    rows: Sequence[tuple[Mapping[str, Any], LabelledOptions]],
    candidates: Sequence[str],
    *,
    gold_is: GoldIs | None = None,
    gold_base: int | None = None,
    required: bool = False,
    numbers: Sequence[str] = (),
) -> GoldReader:
    """How a file's columns say which option is right, from all of its rows.

    Args:
        rows: values and options of every row whose options can be read.
        candidates: columns that may say it, the likeliest first.
        gold_is: how the first column is meant, where the caller says so.
        gold_base: the number of the first option, where the caller says so.
        required: the first candidate is the one, whatever stands in it.
        numbers: columns that are known to hold numbers.

    Raises:
        QuestionsError: where the file cannot tell from where numbers count, or whether letters or texts are meant.
    """
    if gold_base not in (None, 0, 1):
        raise QuestionsError(f"gold_base is {gold_base!r}, expected 0 or 1")
    if gold_is is not None and gold_is.startswith("number"):
        gold_base = int(gold_is[-1])
    columns: list[GoldColumn] = []
    for name in candidates:
        first = not columns
        told = gold_is if first else None
        kind = "number" if name in numbers else _kind(name, rows, told, decides=first)
        if kind is None:
            if not (required and first):
                continue
            kind = "letter"
        columns.append(GoldColumn(name, kind))
    notes: list[str] = []
    based = []
    for column in columns:
        if column.kind != "number" and not (column.kind == "either" and _mostly_numbers(column.name, rows)):
            based.append(column)
            continue
        others = [one for one in columns if one.kind != "number" and one is not column]
        base, why = _base(column.name, rows, others, gold_base)
        notes.append(f"{column.name} counts from {base}: {why}")
        based.append(GoldColumn(column.name, column.kind, base))
    return GoldReader(tuple(based), tuple(notes))


def _kind(  # noqa: PLR0911, PLR0912  (each way in which a column can be meant)
    name: str, rows: Sequence[tuple[Mapping[str, Any], LabelledOptions]], told: GoldIs | None, *, decides: bool
) -> Literal["letter", "text", "number", "either"] | None:
    """How a column's values are meant; None where hardly any of them leads to an option."""
    if told is not None:
        return "number" if told.startswith("number") else told  # type: ignore[return-value]
    only_letter = only_text = apart = number = text_or_number = held = odd = 0
    shown = ""
    for values, options in rows:
        try:
            value = single(values.get(name), name)
            if _says_nothing(value, options):
                continue
            held += 1
            meant = meanings(value, options, name)
        except RowError:
            held += 1
            odd += 1  # several, or at odds: told row by row
            continue
        if meant.letter and meant.text and meant.letter != meant.text:
            apart += 1
            shown = shown or f"{value!r}, which is option {meant.letter} by its letter and {meant.text} by its text"
        elif meant.letter:
            only_letter += 1
        elif meant.text and meant.number is not None:
            text_or_number += 1
            shown = shown or f"{value!r}, which is an option's text and may be an option's number"
        elif meant.text:
            only_text += 1
        elif meant.number is not None:
            number += 1
    if not held or not (only_letter + only_text + apart + number + text_or_number + odd):
        return None
    ask = f"{name!r} holds {shown}: say which with gold_is ({', '.join(GOLD_IS)})"
    if not decides and (apart or text_or_number):
        return "either"
    if apart:
        if bool(only_letter) == bool(only_text):
            raise QuestionsError(ask)
        return "letter" if only_letter else "text"
    if text_or_number:
        if number and not only_text:
            return "number"
        if only_text or not number:
            if not only_text and not only_letter and _all_in_range(name, rows):
                raise QuestionsError(ask)
            return "text"
    if number and not (only_letter or only_text):
        return "number"
    if number or (only_letter and only_text):
        return "either"
    if only_letter:
        return "letter"
    return "text" if only_text else "letter"


def _mostly_numbers(name: str, rows: Sequence[tuple[Mapping[str, Any], LabelledOptions]]) -> bool:
    held = [values.get(name) for values, _ in rows if not is_missing(values.get(name))]
    return sum(_number(value) is not None for value in held) > len(held) / 2


def _all_in_range(name: str, rows: Sequence[tuple[Mapping[str, Any], LabelledOptions]]) -> bool:
    """Whether every value of a column could be an option's number, from 0 or from 1."""
    numbers = [(n, len(options.texts)) for values, options in rows if (n := _number(values.get(name))) is not None]
    return all(0 <= n <= count for n, count in numbers)


def _number(value: Any) -> int | None:
    try:
        value = single(value, "")
        return None if is_missing(value) or isinstance(value, bool) else int(str(value).strip().removesuffix(".0"))
    except (RowError, ValueError):
        return None


def _base(
    name: str,
    rows: Sequence[tuple[Mapping[str, Any], LabelledOptions]],
    others: Sequence[GoldColumn],
    told: int | None,
) -> tuple[int, str]:
    """The number of the first option, and why.

    Raises:
        QuestionsError: where the file contradicts itself or cannot tell.
    """
    zero = last = 0
    agree = [0, 0]
    compared = 0
    seen: set[int] = set()
    for values, options in rows:
        number = _number(values.get(name))
        if number is None:
            continue
        seen.add(number)
        zero += number == 0
        last += number == len(options.texts)
        letter = _first_letter(others, values, options)
        if letter is not None:
            compared += 1
            for base in (0, 1):
                agree[base] += LETTERS.find(letter) == number - base
    if told is not None:
        return told, "as the caller says"
    if compared and max(agree) > compared / 2 and min(agree) < compared / 2:
        base = int(agree[1] > agree[0])
        return base, f"so it agrees with {others[0].name} in {agree[base]} of {compared} rows"
    if zero and last:
        shown = sorted(seen & {0, *(len(options.texts) for _, options in rows)})
        raise QuestionsError(
            f"{name!r} holds both {' and '.join(map(str, shown[:1] + shown[-1:]))}: rows that count from 0 and "
            "rows that count from 1 are mixed; split the file by them, or correct the rows"
        )
    if zero:
        return 0, "a 0 stands in the file"
    if last:
        return 1, f"a {max(number for number in seen)} stands in the file"
    raise NumberBaseError(
        f"{name!r} holds {sorted(seen)[:8]}: that may count from 0 or from 1; say which with gold_base: 0 or "
        "gold_base: 1"
    )


def _first_letter(columns: Sequence[GoldColumn], values: Mapping[str, Any], options: LabelledOptions) -> str | None:
    for column in columns:
        try:
            return column.letter(values.get(column.name), options)
        except RowError:
            continue
    return None


def gold_letter(value: Any, options: Mapping[str, str], where: str) -> str:
    """The gold letter where a column is known to hold letters: in whatever case and brackets, or in a list of one.

    Raises:
        RowError: for anything that is not the letter of one of the options.
    """
    value = single(value, where)
    if is_missing(value):
        raise RowError(f"{where!r} is empty, expected the gold letter")
    return GoldColumn(where, "letter").letter(value, LabelledOptions(dict(options), {}))
