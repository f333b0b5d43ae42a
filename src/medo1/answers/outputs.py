"""Reading the answers of a whole file of outputs, row by row: which fields hold what, each row's answer, the counts.

Needs no pipeline and no Kedro. Nothing vanishes: rows = read + rejected. An output that is there but empty is read (as
an abstention) and stays in every denominator. A file of lines or of Parquet is never held whole.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

from medo1.answers.answer import STATUSES, Answer, Status
from medo1.answers.reading import read_answer
from medo1.answers.strict import strict_letter
from medo1.counting import counted
from medo1.questions.question_errors import FileRecord, QuestionsError, RejectedRow, RowError, excerpt
from medo1.questions.readers.form import checked_options, gold_letter, is_missing, options_of
from medo1.questions.record_files import stream_rows

# the names by which fields are found where none is given
NAMES: dict[str, tuple[str, ...]] = {
    "text": ("text", "raw", "output", "response", "completion", "generation", "raw_output", "model_output"),
    "options": ("options", "choices"),
    "finish_reason": ("finish_reason", "stop_reason"),
    "gold": ("gold", "answer_idx", "gold_letter", "correct_answer"),
}
# readings that rest on more than a plain statement: right more often than not, and worth a look
WEAK_RULES = frozenset({"conclusion", "conclusion_text", "option_text", "correction", "choice_sentence"})

_FIRST = 500  # rows in which fields are looked for by their usual names
_AROUND = 90  # characters on either side of a statement in an excerpt
_TAIL = 200  # characters of the end of a text, where nothing is stated
_ORDER = {"conflict": 0, "abstain": 1, "truncated": 2, "answer": 3}  # of doubtful outputs
_SHOWN = 5  # rejected rows that are told


@dataclass(frozen=True, slots=True)
class OutputFields:
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

    def named(self) -> tuple[str, ...]:
        """The names of fields that are looked into."""
        named = (self.text, *self.options, self.finish_reason, self.gold, self.compare)
        return tuple(name for name in named if name)

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
class ReadOutput:
    """One output that was read.

    Attributes:
        row: its number in the file, from 1.
        values: the row.
        text: the output.
        answer: what it states.
        gold: the right letter, None where none is known.
        strict: the letter of the last `Final answer: X` line alone.
        compared: the letter that something else read; empty where it read none or was not asked.
    """

    row: int
    values: Mapping[str, Any]
    text: str
    answer: Answer
    gold: str | None = None
    strict: str | None = None
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
            "strict": self.strict,
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


@dataclass(slots=True)
class Score:
    """How many outputs of a group were read, and how many of those whose right letter is known are right.

    Attributes:
        read: outputs.
        with_gold: those whose right letter is known; `correct` of them by the reader, `strict_correct` by the last
            `Final answer: X` line alone.
    """

    read: int = 0
    with_gold: int = 0
    correct: int = 0
    strict_correct: int = 0

    def add(self, one: ReadOutput) -> None:
        """Counts one output."""
        self.read += 1
        if one.gold is not None:
            self.with_gold += 1
            self.correct += one.answer.letter == one.gold
            self.strict_correct += one.strict == one.gold

    def as_value(self) -> dict[str, Any]:
        """The counts for a report; nothing where no right letter is known."""
        if not self.with_gold:
            return {}
        return {
            "with_gold": self.with_gold,
            "correct": self.correct,
            "accuracy": self.correct / self.with_gold,
            "strict_correct": self.strict_correct,
            "strict_accuracy": self.strict_correct / self.with_gold,
        }


@dataclass(slots=True)
class AnswerCounts:
    """What is kept of a file while its answers go by: counts, and the few outputs that are worth a look.

    Attributes:
        file: its name.
        fields: which fields held what; `found` those that were found by their usual names.
        by: the field by which scores are told apart, `most` how many doubtful outputs of each status are kept.
        score: of all; `groups` of each value of `by`.
        rules: outputs by status and rule. strict: outputs that the strict reader gives a letter; `strict_differs`
            those of them that are given another letter here, or none. agree: with the letter that something else read.
        rejected: rows that hold no output or no options; `reasons` why, `first_rejected` the first of them.
        doubtful: outputs that a person should look at; `kept` the first ones by status.
    """

    file: str
    fields: OutputFields
    found: tuple[str, ...] = ()
    by: str | None = None
    most: int = 0
    score: Score = field(default_factory=Score)
    groups: dict[str, Score] = field(default_factory=dict)
    rules: Counter[tuple[Status, str]] = field(default_factory=Counter)
    strict: int = 0
    strict_differs: int = 0
    agree: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first_rejected: list[RejectedRow] = field(default_factory=list)
    doubtful: int = 0
    kept: dict[str, list[ReadOutput]] = field(default_factory=dict)

    def add(self, one: ReadOutput) -> None:
        """Counts one output."""
        self.score.add(one)
        self.rules[one.answer.status, one.answer.rule] += 1
        if one.strict is not None:
            self.strict += 1
            self.strict_differs += one.strict != one.answer.letter
        self.agree += (one.answer.letter or "") == one.compared
        if self.by:
            self.groups.setdefault(str(one.values.get(self.by)), Score()).add(one)
        if one.is_doubtful:
            self.doubtful += 1
            kept = self.kept.setdefault(one.answer.status, [])
            if len(kept) < self.most:
                kept.append(one)

    def reject(self, bad: RejectedRow) -> None:
        """Counts one row that cannot be read."""
        self.rejected += 1
        self.reasons[bad.reason] += 1
        if len(self.first_rejected) < _SHOWN:
            self.first_rejected.append(bad)

    def worth_a_look(self) -> list[ReadOutput]:
        """The first doubtful outputs: conflicts first, then abstentions, cuts, and answers by weak rules."""
        ordered = sorted(self.kept, key=_ORDER.__getitem__)
        return [one for status in ordered for one in self.kept[status]][: self.most]

    def summary(self) -> dict[str, Any]:
        """The counts; shares are of all rows that were read."""
        statuses: Counter[str] = Counter()
        for (status, _), count in self.rules.items():
            statuses[status] += count
        place = {status: index for index, status in enumerate(STATUSES)}
        ordered = sorted(self.rules.items(), key=lambda item: (place[item[0][0]], -item[1], item[0][1]))
        value: dict[str, Any] = {
            "file": self.file,
            "fields": self.fields.as_value(),
            "rows": self.score.read + self.rejected,
            "read": self.score.read,
            "rejected": self.rejected,
            "statuses": {status: statuses[status] for status in STATUSES},
            "rules": {rule: count for (_, rule), count in ordered},
            "strict": {"answers": self.strict, "read_otherwise": self.strict_differs},
            **self.score.as_value(),
        }
        if self.fields.compare is not None:
            value["agree"] = self.agree
        if self.by:
            value["by"] = {name: {"read": one.read, **one.as_value()} for name, one in self.groups.items()}
        return value


def read_outputs(
    path: Path, given: Mapping[str, str | None], *, by: str | None = None, keep: Sequence[str] = (), most: int = 0
) -> tuple[AnswerCounts, Iterator[ReadOutput | RejectedRow]]:
    """The answers of a file of outputs, one after the other, and the counts that grow as they go by.

    Args:
        path: a JSONL, JSON, CSV, TSV, Parquet or Excel file, or one of these packed.
        given: names of fields as `OutputFields` has them; those that are None or missing are found by their usual names
            (`NAMES`). `options` may name several fields, with commas between.
        by: field by which scores are told apart.
        keep: further fields that must be there.
        most: how many doubtful outputs are kept.

    Raises:
        QuestionsError: for a file that cannot be read, a field that is not there, or one that cannot be told; where
            that is seen only when all rows have gone by, then.
    """
    rows = stream_rows(path)
    first = list(islice(rows, _FIRST))
    records = [row for row in first if isinstance(row, FileRecord)]
    columns = dict.fromkeys(column for row in records for column in row.values)
    fields, found = _fields(path.name, columns, bool(records), given)
    counts = AnswerCounts(path.name, fields, found, by, most)
    wanted = [name for name in (*fields.named(), by, *keep) if name]
    return counts, _each(path.name, chain(first, rows), counts, wanted)


def _each(
    name: str, rows: Iterable[FileRecord | RejectedRow], counts: AnswerCounts, wanted: Sequence[str]
) -> Iterator[ReadOutput | RejectedRow]:
    """Each row's answer, or why it has none.

    Raises:
        QuestionsError: at the end, for a wanted field that no row had, or where not one row could be read.
    """
    columns: dict[str, None] = {}
    for row in rows:
        if isinstance(row, RejectedRow):
            counts.reject(row)
            yield row
            continue
        columns.update(dict.fromkeys(row.values))
        try:
            one = _read(row, counts.fields)
        except RowError as error:
            bad = RejectedRow(name, row.number, str(error), excerpt(row.values))
            counts.reject(bad)
            yield bad
            continue
        counts.add(one)
        yield one
    for field_name in wanted:
        if columns and field_name not in columns and field_name.partition(".")[0] not in columns:
            raise QuestionsError(
                f"{name}: there is no field {field_name!r}; the fields are {', '.join(map(str, columns))}"
            )
    if not counts.score.read:
        reasons = "; ".join(f"{reason} ({counted(count, 'row')})" for reason, count in counts.reasons.most_common(3))
        raise QuestionsError(f"{name}: not one of {counts.rejected} rows can be read: {reasons or 'it has no rows'}")


def _fields(
    name: str, columns: Mapping[str, None], filled: bool, given: Mapping[str, str | None]
) -> tuple[OutputFields, tuple[str, ...]]:
    """The fields that are given, and for the others those with a usual name."""
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
        elif part in ("text", "options") and filled:
            raise QuestionsError(
                f"{name}: no field has a usual name of {part} ({', '.join(names)}): name it; the fields are "
                f"{', '.join(map(str, columns))}"
            )
    options = tuple(part.strip() for part in (chosen.get("options") or "").split(",") if part.strip())
    return (
        OutputFields(
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


def _read(row: FileRecord, fields: OutputFields) -> ReadOutput:
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
    answer = read_answer(text, options, finish)
    return ReadOutput(row.number, row.values, text, answer, gold, strict_letter(text, options), compared)


def _options(values: Mapping[str, Any], fields: OutputFields) -> dict[str, str]:
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
