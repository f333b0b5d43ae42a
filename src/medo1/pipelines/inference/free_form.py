"""Free-form arms: where the right diagnosis stands in their lists, by text and by a judge; beside them the same cases
with options.

Of greedy answers. A judge is asked only where no name in the list is the right diagnosis' own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from medo1.chains.formats import turn_count
from medo1.differential import Differential, read_differential
from medo1.differential.judging import judged
from medo1.differential.narrowing import narrowing
from medo1.engines.base import Engine
from medo1.frames import Frame, records
from medo1.questions import Question
from medo1.statistics.paired import paired

ALL = "all"
KEYS = ("question_id", "benchmark", "arm")


def judgement_rows(
    generated: Frame, questions: Iterable[Question], judge: Engine | None, template: str
) -> list[dict[str, Any]]:
    """Rows of `tables.FREE_FORM_JUDGEMENTS`, one a greedy answer.

    Args:
        generated: `tables.GENERATIONS` of a free-form arm. questions: what it was asked.
        judge: who is asked where the text decides nothing; None leaves those unmatched. template: its prompt.
    """
    by_key = {(question.question_id, question.benchmark): question for question in questions}
    greedy = [row for row in records(generated) if row["draw"] == "greedy"]
    lists = [_list_of(row) for row in greedy]
    golds = [by_key[row["question_id"], row["benchmark"]].gold_text for row in greedy]
    asked = [(str(place), found, gold) for place, (found, gold) in enumerate(zip(lists, golds, strict=True))]
    rows = []
    for judgement in judged(asked, judge, template):
        row, found = greedy[int(judgement.key)], lists[int(judgement.key)]
        counts = narrowing(row["text"])
        rows.append(
            {
                **{key: row[key] for key in KEYS},
                "listed": len(found.names),
                "rank": judgement.rank,
                "by": judgement.by,
                "breadth": counts.breadth,
                "lead_changes": counts.lead_changes,
                "second_thoughts": turn_count(row["text"]),
                "error": judgement.error,
                "request_id": judgement.request_id,
            }
        )
    return sorted(rows, key=lambda row: [row[key] for key in KEYS])


def _list_of(row: Mapping[str, Any]) -> Differential:
    return read_differential(row["text"] if row["finish_reason"] != "error" else "", row["finish_reason"])


def free_form_rows(
    arm: str, judgements: Frame, against: str, answers: Frame | None, confidence: float = 0.95
) -> list[dict[str, Any]]:
    """Rows of `tables.FREE_FORM`: a free-form arm, beside an arm that answered the same cases with options.

    Args:
        arm: its name. judgements: `tables.FREE_FORM_JUDGEMENTS`.
        against: the other arm's name; empty where there is none. answers: its `tables.ANSWERS`.
        confidence: of the interval.
    """
    own = list(records(judgements))
    benchmarks = list(dict.fromkeys(row["benchmark"] for row in own))
    other = {
        (row["question_id"], row["benchmark"]): bool(row["correct"])
        for row in (records(answers[answers["draw"] == "greedy"]) if answers is not None else ())
    }
    groups = [(name, [row for row in own if row["benchmark"] == name]) for name in benchmarks]
    if len(groups) > 1:
        groups.append((ALL, own))
    return [
        {"arm": arm, "against": against, "benchmark": name, **_counted(rows), **_compared(rows, other, confidence)}
        for name, rows in groups
    ]


def _counted(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    size = len(rows)
    ranks = [None if row["rank"] is None or math.isnan(row["rank"]) else int(row["rank"]) for row in rows]
    return {
        "n": size,
        "breadth": sum(row["breadth"] for row in rows) / size,
        "listed": sum(row["listed"] for row in rows) / size,
        "first": sum(rank == 1 for rank in ranks) / size,
        "named": sum(rank is not None for rank in ranks) / size,
        "first_by_text": sum(
            rank == 1 and row["by"] == "text" for rank, row in zip(ranks, rows, strict=True)
        ) / size,
        "reciprocal_rank": sum(1 / rank for rank in ranks if rank is not None) / size,
        "judged": sum(row["by"] == "judge" for row in rows) / size,
        "unread": sum(row["by"] == "unread" for row in rows) / size,
        "lead_changes": sum(row["lead_changes"] for row in rows) / size,
        "second_thoughts": sum(row["second_thoughts"] for row in rows) / size,
    }  # fmt: skip


def _compared(
    rows: Sequence[Mapping[str, Any]], other: Mapping[tuple[str, str], bool], confidence: float
) -> dict[str, Any]:
    both = [
        (row["rank"] == 1, other[row["question_id"], row["benchmark"]])
        for row in rows
        if (row["question_id"], row["benchmark"]) in other
    ]
    if not both:
        return dict.fromkeys(("with_options", "difference", "low", "high", "p_value"))
    outcome = paired([one for one, _ in both], [one for _, one in both], confidence)
    return {
        "with_options": sum(one for _, one in both) / len(both),
        "difference": outcome.difference.value,
        "low": outcome.difference.low,
        "high": outcome.difference.high,
        "p_value": outcome.p_value,
    }
