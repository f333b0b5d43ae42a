"""Rows of answers: what each generation states, how sure it was, and what its tokens went into.

A generation's tokens are split into thought and answer where the server says so, or where the answer was asked for by
itself; else where the statement begins that was read as the answer, by its share of the characters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medo1.answers import read_answer, strict_letter
from medo1.differential import normalised_diagnosis, read_differential, same_diagnosis
from medo1.frames import Frame, records
from medo1.questions import Question, questions_from

KEYS = ["question_id", "benchmark", "arm", "draw", "sample", "budget"]
CONFIDENCES = ["mean_logprob", "self_certainty", "confidence", "lowest_confidence"]
KEPT = [*KEYS, "prompt_tokens", "completion_tokens", *CONFIDENCES]  # as the generation has them


def answer_rows(generations: Frame, questions: Frame, *, free: bool) -> list[dict[str, Any]]:
    """One row for `tables.ANSWERS` a generation; `free` for generations that name a differential."""
    by_key = {(question.question_id, question.benchmark): question for question in questions_from(questions)}
    rows = []
    for generation in records(generations):
        question = by_key[generation["question_id"], generation["benchmark"]]
        if generation["finish_reason"] == "error":
            read: dict[str, Any] = {"status": "error", "rule": "engine_error", "correct": False}
        elif free:
            read = _read_freely(generation, question)
        else:
            read = _read_letter(generation, question)
        start, end = read.pop("span", None) or (None, None)
        rows.append(
            {
                **{name: generation[name] for name in KEPT},
                "letter": None,
                "strict_letter": None,
                "differential": [],
                "ballot": [],
                "rank": None,
                **read,
                "span_start": start,
                "span_end": end,
                "options": len(question.options),
                "gold": question.gold,
                "difficulty": question.difficulty,
                "outcome": generation["status"],
                **_split_tokens(generation, start),
            }
        )
    return rows


def _read_letter(generation: Mapping[str, Any], question: Question) -> dict[str, Any]:
    answer = read_answer(generation["text"], question.options, generation["finish_reason"])
    return {
        "letter": answer.letter,
        "strict_letter": strict_letter(generation["text"], question.options),
        "status": answer.status,
        "rule": answer.rule,
        "span": answer.span,
        "correct": answer.letter == question.gold,
    }


def _read_freely(generation: Mapping[str, Any], question: Question) -> dict[str, Any]:
    """Right when the first diagnosis of the list is the right option's."""
    read = read_differential(generation["text"], generation["finish_reason"])
    names = list(read.names)
    rank = read.rank_of(question.gold_text)
    votes = ballot(names, question.options)
    return {
        "letter": votes[0] if votes and votes[0] in question.options else None,
        "differential": names,
        "ballot": votes,
        "rank": rank,
        "status": read.status,
        "rule": read.rule,
        "span": read.diagnoses[0].span if names else None,
        "correct": rank == 1,
    }


def ballot(names: Sequence[str], options: Mapping[str, str]) -> list[str]:
    """A differential as it votes: each diagnosis as the letter of the option that it names, else in its normal form."""
    letters = [next((letter for letter, text in options.items() if same_diagnosis(name, text)), None) for name in names]
    return [letter or normalised_diagnosis(name) for letter, name in zip(letters, names, strict=True)]


def _split_tokens(generation: Mapping[str, Any], start: int | None) -> dict[str, int | None]:
    """Tokens of the thought and of the answer; None where the engine did not count."""
    total, thought = known(generation["completion_tokens"]), known(generation["reasoning_tokens"])
    if total is None:
        return {"thinking_tokens": None, "answer_tokens": None}
    if thought is not None:
        answer = max(0, total - thought)
    elif generation["answer_tokens"]:
        answer = generation["answer_tokens"]
    elif start is None or not generation["text"]:
        answer = 0
    else:
        answer = round(total * (len(generation["text"]) - start) / len(generation["text"]))
    return {"thinking_tokens": total - answer, "answer_tokens": answer}


def known(value: Any) -> Any:
    """A table's value, None where it has none."""
    import pandas as pd

    return None if pd.isna(value) else value
