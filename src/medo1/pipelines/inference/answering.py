"""What generations state: rows of answers, of arms with options and of free-form ones. Called by `nodes`."""

from __future__ import annotations

from typing import Any

from medo1.answers import read_answer
from medo1.differential import read_differential
from medo1.frames import Frame, records
from medo1.pipelines.inference.accounting import KEYS
from medo1.pipelines.inference.params import ArmParams
from medo1.pipelines.inference.voting import option_named
from medo1.questions import Question, questions_from


def answer_rows(generations: Frame, questions: Frame, arm: ArmParams) -> list[dict[str, Any]]:
    """One row for `tables.ANSWERS` a generation: what it states, how that was read, and whether it is right."""
    row = _differential_row if arm.free else _answer_row
    by_key = {(question.question_id, question.benchmark): question for question in questions_from(questions)}
    return [
        row(generation, by_key[generation["question_id"], generation["benchmark"]])
        for generation in records(generations)
    ]


def _answer_row(generation: dict[str, Any], question: Question) -> dict[str, Any]:
    failed = generation["finish_reason"] == "error"
    answer = read_answer(generation["text"], question.options, generation["finish_reason"])
    start, end = answer.span or (None, None)
    return {
        **{name: generation[name] for name in KEYS},
        "letter": None if failed else answer.letter,
        "differential": [],
        "rank": None,
        "status": "error" if failed else answer.status,
        "rule": "engine_error" if failed else answer.rule,
        "span_start": start,
        "span_end": end,
        "gold": question.gold,
        "correct": not failed and answer.letter == question.gold,
        "difficulty": question.difficulty,
        "completion_tokens": generation["completion_tokens"],
    }


def _differential_row(generation: dict[str, Any], question: Question) -> dict[str, Any]:
    failed = generation["finish_reason"] == "error"
    read = read_differential(generation["text"], generation["finish_reason"])
    names = [] if failed else list(read.names)
    start, end = read.diagnoses[0].span if names else (None, None)
    rank = None if failed else read.rank_of(question.gold_text)
    return {
        **{name: generation[name] for name in KEYS},
        "letter": option_named(names[0], question.options) if names else None,
        "differential": names,
        "rank": rank,
        "status": "error" if failed else read.status,
        "rule": "engine_error" if failed else read.rule,
        "span_start": start,
        "span_end": end,
        "gold": question.gold,
        "correct": rank == 1,
        "difficulty": question.difficulty,
        "completion_tokens": generation["completion_tokens"],
    }
