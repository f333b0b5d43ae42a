"""The answers of all arms as the report's tables take them: by benchmark and arm; greedy ones, samples, polls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from medo1.errors import UserError
from medo1.frames import Frame, of_arms, records
from medo1.statistics.vote_limits import modal_share

ALL = "all"  # the benchmark of rows over all benchmarks
TALLIED = ["question_id", "letter", "ballot", "gold", "options"]


def greedy_answers(answers: Frame) -> Frame:
    """The greedy answers of all arms, in the order of the arms.

    Raises:
        UserError: where there is none.
    """
    greedy = answers[answers["draw"] == "greedy"].reset_index(drop=True)
    if greedy.empty:
        raise UserError("There is no greedy answer to report on: inference was asked no question.")
    return greedy


def groups(table: Frame, *, overall: bool = True) -> list[tuple[str, str, Frame]]:
    """Each benchmark and arm in the order of the arms; with `overall` also all benchmarks together, where there are
    several."""
    found = [
        (str(benchmark), str(arm), group)
        for benchmark, of_benchmark in table.groupby("benchmark", sort=True)
        for arm, group in of_benchmark.groupby("arm", sort=False)
    ]
    if overall and table["benchmark"].nunique() > 1:
        found += [(ALL, str(arm), group) for arm, group in table.groupby("arm", sort=False)]
    return found


def side_by_side(first: Frame, second: Frame) -> Frame:
    """Two arms' answers to the questions that both were asked; the second's columns end in `_base`."""
    return first.merge(second, on=["benchmark", "question_id"], suffixes=("", "_base"), validate="one_to_one")


def mean_of(values: Any) -> float | None:
    """The mean of what is known; None where nothing is."""
    return float(values.mean()) if values.notna().any() else None


@dataclass(frozen=True, slots=True)
class QuestionTally:
    """What the samples of one question state.

    Attributes:
        right: samples that state the right answer; `wrong`: those of each other answer; `silent`: those of none.
        options: answers that may be stated. first: answers stated before any other, to tell ties.
    """

    question_id: str
    right: int
    wrong: tuple[int, ...]
    silent: int
    options: int
    first_right: bool

    @property
    def samples(self) -> int:
        return self.right + sum(self.wrong) + self.silent

    @property
    def share(self) -> float:
        """Of the samples, those of the commonest answer."""
        return max([self.right, *self.wrong], default=0) / self.samples

    @property
    def tied(self) -> bool:
        counts = sorted([self.right, *self.wrong], reverse=True)
        return len(counts) > 1 and counts[0] == counts[1] > 0

    def majority(self) -> float:
        """The chance that the majority of all samples is right; answers that tie are as likely to win."""
        return modal_share(self.right, self.wrong)

    @property
    def won(self) -> bool:
        """Whether the majority is right; of answers that tie, the one stated first wins."""
        most = max(self.wrong, default=0)
        return self.right > most or (self.right == most > 0 and self.first_right)


def tallies(answers: Frame) -> Iterator[tuple[str, str, list[QuestionTally]]]:
    """Benchmark, arm and the tally of each question; of as many samples as every question of the two has.

    Where sampling stopped early, later samples were drawn because earlier ones disagreed and would lean to one side.
    """
    for table in of_arms(answers).values():
        sampled = table[table["draw"] == "sampled"].sort_values(["question_id", "sample"], kind="stable")
        for (benchmark, arm), group in sampled.groupby(["benchmark", "arm"], sort=True):
            alike = int(group.groupby("question_id").size().min())
            rows = groupby(records(group[TALLIED]), key=itemgetter("question_id"))
            yield str(benchmark), str(arm), [_tally(str(name), list(islice(mine, alike))) for name, mine in rows]


def _tally(question_id: str, rows: list[dict[str, Any]]) -> QuestionTally:
    free = any(len(row["ballot"]) for row in rows)
    stated = [stated_answer(row, free=free) for row in rows]
    counts = Counter(answer for answer in stated if answer is not None)
    gold = rows[0]["gold"]
    right = counts.pop(gold, 0)
    most = max([right, *counts.values()], default=0)
    leaders = {answer for answer, count in [(gold, right), *counts.items()] if count == most}
    return QuestionTally(
        question_id,
        right,
        tuple(counts.values()),
        stated.count(None),
        max(int(rows[0]["options"]), len(counts) + 1),
        next((answer for answer in stated if answer in leaders), None) == gold,
    )


def stated_answer(row: dict[str, Any], *, free: bool) -> str | None:
    """The letter that an answer states; of a free-form arm its first diagnosis, as it votes."""
    if free:
        return str(row["ballot"][0]) if len(row["ballot"]) else None
    return row["letter"] if isinstance(row["letter"], str) else None


def is_free(answers: Frame) -> bool:
    """Whether these answers are lists of diagnoses."""
    return any(len(names) for names in answers["differential"])
