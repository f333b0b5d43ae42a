"""The filters, in the order in which they are asked. Each looks at one chain and gives a reason to drop it, or None."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from medo1.answers import read_answer
from medo1.pipelines.filtering.params import FilteringParams
from medo1.questions import Question


@dataclass(frozen=True, slots=True)
class Candidate:
    """One chain with what the filters look at."""

    question: Question
    text: str
    finish_reason: str
    contamination: str | None


Filter = Callable[[Candidate, FilteringParams], str | None]


def cut(candidate: Candidate, _: FilteringParams) -> str | None:
    """The teacher was cut off: the chain ends in the middle of a thought."""
    return None if candidate.finish_reason == "stop" else f"finish reason is {candidate.finish_reason}"


def no_answer(candidate: Candidate, _: FilteringParams) -> str | None:
    """No single final answer is stated."""
    answer = read_answer(candidate.text, candidate.question.options, candidate.finish_reason)
    return None if answer.status == "answer" else f"{answer.status} ({answer.rule})"


def wrong(candidate: Candidate, params: FilteringParams) -> str | None:
    """The stated answer is not the gold one."""
    if not params.require_correct:
        return None
    letter = read_answer(candidate.text, candidate.question.options, candidate.finish_reason).letter
    return None if letter == candidate.question.gold else f"states {letter}, gold is {candidate.question.gold}"


def leak(candidate: Candidate, params: FilteringParams) -> str | None:
    """The chain speaks of an answer that was given to its author."""
    text = candidate.text.lower()
    phrase = next((phrase for phrase in params.leak_phrases if phrase.lower() in text), None)
    return None if phrase is None else f"speaks of a given answer: {phrase!r}"


def contamination(candidate: Candidate, _: FilteringParams) -> str | None:
    """The question shares a telling n-gram with a test question."""
    return None if candidate.contamination is None else f"shares with a test question: {candidate.contamination!r}"


FILTERS: Mapping[str, Filter] = {
    "cut": cut,
    "no_answer": no_answer,
    "wrong": wrong,
    "leak": leak,
    "contamination": contamination,
}


def first_reason_to_drop(candidate: Candidate, params: FilteringParams) -> tuple[str, str] | None:
    """Name of the first filter that drops the chain, and its reason; None for a chain that is kept."""
    for name, filter_ in FILTERS.items():
        reason = filter_(candidate, params)
        if reason is not None:
            return name, reason
    return None
