"""Reading the answers of a whole file of outputs: which fields hold what, each row's answer, and the counts.

Called by `kedro answers` (`medo1.commands.answers`); needs no pipeline and no Kedro. Nothing vanishes: rows = read +
rejected. An output that is there but empty is read (as an abstention) and stays in every denominator.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medo1.answers.answer import STATUSES, Answer
from medo1.answers.reading import read_answer
from medo1.questions.question_errors import QuestionsError, RejectedRow, RowError
from medo1.questions.readers.form import checked_options, gold_letter, is_missing, options_of
from medo1.questions.record_files import FileRecord, excerpt, read_rows

# the names by which fields are found where none is given
NAMES: dict[str, tuple[str, ...]] = {
    "text": ("text", "raw", "output", "response", "completion", "generation", "raw_output", "model_output"),
    "options": ("options", "choices"),
    "finish_reason": ("finish_reason", "stop_reason"),
    "gold": ("gold", "answer_idx", "gold_letter", "correct_answer"),
}
# readings that rest on more than a plain statement: right more often than not, and worth a look
WEAK_RULES = frozenset({"conclusion", "conclusion_text", "option_text", "correction", "choice_sentence"})

_AROUND = 90  # characters on either side of a statement in an excerpt
_TAIL = 200  # characters of the end of a text, where nothing is stated


@dataclass(frozen=True, slots=True)
class Fields:
    """Which field of a row holds what. A dotted path leads into nested values: `choices.0.message.content`.

    Attributes:
        text: the model's output.
        options: letters to texts (an object, a list, or either as text), or one field for each, in order.
        letters: instead of `options`, the letters that were offered in every row (`ABCD`); texts are then unknown.
        finish_reason: why the output ended; None where the file does not say.
        gold: the right letter; None where the file does not say.
        compare: letters that something else read from the same outputs, to compare with.
    """

    text: str
    options: tuple[str, ...] = ()
    letters: str = ""
    finish_reason: str | None = None
    gold: str | None = None
    compare: str | None = None

    def as_value(self) -> dict[str, Any]:
        """The fields by name, for a report."""
        return {
            "text": self.text,
            "options": ",".join(self.options) or None,
            "letters": self.letters or None,
            "finish_reason": self.finish_reason,
            "gold": self.gold,
            "compare": self.compare,
        }


@dataclass(frozen=True, slots=True)
class Read:
    """One output that was read.

    Attributes:
        row: its number in the file, from 1.
        values: the row.
        text: the output.
        answer: what it states.
        gold: the right letter, None where none is known.
        compared: the letter that something else read; empty where it read none or was not asked.
    """

    row: int
    values: Mapping[str, Any]
    text: str
    answer: Answer
    gold: str | None = None
    compared: str = ""

    @property
    def is_correct(self) -> bool | None:
        """Whether the answer is the right one; None where that is not known. No answer is a wrong one."""
        return None if self.gold is None else self.answer.letter == self.gold

    @property
    def is_doubtful(self) -> bool:
        """Whether a person should look: no answer, or one that was not plainly stated."""
        return self.answer.status != "answer" or self.answer.rule in WEAK_RULES

    def as_row(self, keep: Sequence[str] = ()) -> dict[str, Any]:
        """The row of a file of answers, with the named fields of the row that was read."""
        span = self.answer.span
        return {
            "row": self.row,
            **{name: self.values.get(name) for name in keep},
            "letter": self.answer.letter,
            "status": self.answer.status,
            "rule": self.answer.rule,
            "span": None if span is None else list(span),
            "stated": None if span is None else self.text[span[0] : span[1]],
            **({} if self.gold is None else {"gold": self.gold, "correct": self.is_correct}),
        }

    def shown(self) -> str:
        """What of the text decided, with what stands around it; the text's end where nothing did."""
        if self.answer.span is None:
            return _one_line(self.text[-_TAIL:], before=len(self.text) > _TAIL)
        start, end = self.answer.span
        left, right = max(0, start - _AROUND), min(len(self.text), end + _AROUND)
        return _one_line(self.text[left:right], before=left > 0, after=right < len(self.text))


def _one_line(text: str, *, before: bool = False, after: bool = False) -> str:
    """A model's text for a terminal: one line, and no character that a terminal would obey."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return f"{'…' if before else ''}{' '.join(line.split())}{'…' if after else ''}"


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of a file.

    Attributes:
        file: its name.
        fields: which fields held what, and `found`: those that were found by their usual names.
        read: every output that was read, in the file's order.
        rejected: rows that hold no output or no options, with reasons.
    """

    file: str
    fields: Fields
    read: list[Read]
    rejected: list[RejectedRow]
    found: tuple[str, ...] = field(default=())

    def doubtful(self) -> list[Read]:
        """What a person should look at: conflicts first, then abstentions, cuts, and answers by weak rules."""
        order = {"conflict": 0, "abstain": 1, "truncated": 2, "answer": 3}
        return sorted(
            (one for one in self.read if one.is_doubtful), key=lambda one: (order[one.answer.status], one.row)
        )

    def summary(self) -> dict[str, Any]:
        """The counts; shares are of all rows that were read."""
        status = Counter(one.answer.status for one in self.read)
        rules = Counter((one.answer.status, one.answer.rule) for one in self.read)
        value: dict[str, Any] = {
            "file": self.file,
            "fields": self.fields.as_value(),
            "rows": len(self.read) + len(self.rejected),
            "read": len(self.read),
            "rejected": len(self.rejected),
            "statuses": {name: status[name] for name in STATUSES},
            "rules": {
                rule: count
                for (_, rule), count in sorted(
                    rules.items(), key=lambda item: (STATUSES.index(item[0][0]), -item[1], item[0][1])
                )
            },
            **accuracy(self.read),
        }
        if self.fields.compare is not None:
            value["agree"] = sum((one.answer.letter or "") == one.compared for one in self.read)
        return value


def accuracy(read: Iterable[Read]) -> dict[str, Any]:
    """How many of the outputs whose right letter is known are right; nothing where none is known."""
    known = [one for one in read if one.gold is not None]
    correct = sum(one.is_correct is True for one in known)
    return {"with_gold": len(known), "correct": correct, "accuracy": correct / len(known)} if known else {}


def read_file(path: Path, given: Mapping[str, str | None]) -> Answers:
    """The answers of a JSONL, JSON, CSV, TSV or Parquet file of outputs.

    Args:
        path: the file.
        given: names of fields as `Fields` has them; those that are None or missing are found by their usual names
            (`NAMES`). `options` may name several fields, with commas between.

    Raises:
        QuestionsError: for a file that cannot be read, a field that is not there, or one that cannot be told.
    """
    rows, rejected = read_rows(path)
    fields, found = _fields(path.name, rows, given)
    read: list[Read] = []
    rejected = list(rejected)
    for row in rows:
        try:
            read.append(_read(row, fields))
        except RowError as error:
            rejected.append(RejectedRow(path.name, row.number, str(error), excerpt(row.values)))
    rejected.sort(key=lambda bad: bad.row)
    if not read:
        reasons = "; ".join(f"{reason} ({count} rows)" for reason, count in _reasons(rejected).most_common(3))
        raise QuestionsError(f"{path.name}: not one of {len(rejected)} rows can be read: {reasons or 'it has no rows'}")
    return Answers(path.name, fields, read, rejected, found)


def _reasons(rejected: Iterable[RejectedRow]) -> Counter[str]:
    return Counter(bad.reason for bad in rejected)


def _fields(name: str, rows: Sequence[FileRecord], given: Mapping[str, str | None]) -> tuple[Fields, tuple[str, ...]]:
    """The fields that are given, and for the others those with a usual name."""
    columns = dict.fromkeys(column for row in rows for column in row.values)
    chosen: dict[str, str | None] = {key: value for key, value in given.items() if value}
    found = []
    for part, names in NAMES.items():
        if part in chosen or (part == "options" and chosen.get("letters")):
            continue
        there = [column for column in names if column in columns]
        if len(there) == 1:
            chosen[part] = there[0]
            found.append(f"{part}={there[0]}")
        elif len(there) > 1:
            raise QuestionsError(f"{name}: {part} may be any of the fields {', '.join(there)}: say which")
        elif part in ("text", "options") and rows:
            raise QuestionsError(
                f"{name}: no field has a usual name of {part} ({', '.join(names)}): name it; the fields are "
                f"{', '.join(map(str, columns))}"
            )
    options = tuple(part.strip() for part in (chosen.get("options") or "").split(",") if part.strip())
    named = [chosen.get("text"), *options, *(chosen.get(part) for part in ("finish_reason", "gold", "compare"))]
    for field_name in named:
        if rows and field_name and field_name not in columns and field_name.partition(".")[0] not in columns:
            raise QuestionsError(
                f"{name}: there is no field {field_name!r}; the fields are {', '.join(map(str, columns))}"
            )
    return (
        Fields(
            text=chosen.get("text") or "",
            options=options,
            letters=_letters(chosen.get("letters") or ""),
            finish_reason=chosen.get("finish_reason"),
            gold=chosen.get("gold"),
            compare=chosen.get("compare"),
        ),
        tuple(found),
    )


def _letters(written: str) -> str:
    """`ABCD`, out of `ABCD`, `A-D` or `a, b, c, d`."""
    letters = written.upper().replace(",", "").replace(" ", "")
    if len(letters) == 3 and letters[1] == "-":  # noqa: PLR2004
        letters = "".join(chr(code) for code in range(ord(letters[0]), ord(letters[2]) + 1))
    if letters and letters != "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[: len(letters)]:
        raise QuestionsError(f"letters are {written!r}, expected A and those that follow it, such as ABCD or A-E")
    return letters


def _read(row: FileRecord, fields: Fields) -> Read:
    """The answer of one row.

    Raises:
        RowError: where it holds no output or no options.
    """
    text = _value(row.values, fields.text)
    if text is None or (isinstance(text, float) and math.isnan(text)):  # an empty cell
        text = ""
    if not isinstance(text, str):
        raise RowError(f"{fields.text!r} is {type(text).__name__}, expected the output's text")
    options = _options(row.values, fields)
    finish = _optional(row.values, fields.finish_reason)
    gold = None
    if fields.gold is not None and not is_missing(written := _value(row.values, fields.gold)):
        gold = gold_letter(written, options, fields.gold)
    compared = (_optional(row.values, fields.compare) or "").strip(" .()").upper()
    return Read(row.number, row.values, text, read_answer(text, options, finish), gold, compared)


def _options(values: Mapping[str, Any], fields: Fields) -> dict[str, str]:
    if fields.letters:
        return dict.fromkeys(fields.letters, "")
    if len(fields.options) == 1:
        return options_of(_value(values, fields.options[0]), fields.options[0])
    texts = [_value(values, name) for name in fields.options]
    return checked_options(dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", texts, strict=False)))


def _optional(values: Mapping[str, Any], name: str | None) -> str | None:
    """A text that a row may lack."""
    if name is None:
        return None
    try:
        value = _value(values, name)
    except RowError:
        return None
    return None if is_missing(value) else str(value)


def _value(values: Mapping[str, Any], path: str) -> Any:
    """What stands under a field's name, or under a dotted path into nested objects and lists.

    Raises:
        RowError: where nothing does.
    """
    if path in values:
        return values[path]
    value: Any = values
    for step in path.split("."):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise RowError(f"{path!r} is missing")
    return value
