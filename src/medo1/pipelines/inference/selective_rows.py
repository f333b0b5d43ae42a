"""Rows of `selective_curve`: a first answer, and a thought where it is unsure, from the answers that two arms gave.

A first answer scores by `probability` (the geometric mean of the probabilities of its tokens), by `confidence` (how far
the model was from choosing other tokens, DeepConf) or by `agreement`: several samples answer at once, and the score is
the share of them that say what their vote says.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from math import exp, inf
from typing import Any, NamedTuple

from medo1.frames import Frame, records
from medo1.pipelines.inference.answer_rows import known
from medo1.pipelines.inference.params import SelectiveParams
from medo1.statistics.selective import TwoAnswers, chosen_tau, point_at, selective_points
from medo1.statistics.votes import Voter, vote
from medo1.vocabulary import SelectionScore

logger = logging.getLogger(__name__)


class First(NamedTuple):
    """A first answer: how sure it is (None: it states nothing), whether it is right, what it cost."""

    score: float | None
    correct: bool
    tokens: float | None


def selective_rows(answers: Sequence[Frame], params: SelectiveParams) -> list[dict[str, Any]]:
    """Rows of `tables.SELECTIVE_CURVE`, for each arm beside the first one, each benchmark and each score that the
    engine gives."""
    by_arm = {str(table["arm"].iloc[0]): table for table in answers if len(table)}
    if params.first not in by_arm:  # it was asked no question
        return []
    rows = []
    for arm, table in by_arm.items():
        if arm == params.first:
            continue
        for benchmark, thoughts in _greedy(table).groupby("benchmark", sort=True):
            first = by_arm[params.first]
            for score, firsts in first_answers(first[first["benchmark"] == benchmark], params):
                pairs = _pairs(firsts, thoughts)
                keys = {"arm": arm, "first": params.first, "benchmark": str(benchmark), "score": score}
                rows += [
                    {
                        **keys,
                        "tau": point.tau,
                        "questions": len(pairs),
                        "thought_share": point.thought_share,
                        "accuracy": point.accuracy.value,
                        "low": point.accuracy.low,
                        "high": point.accuracy.high,
                        "tokens": point.tokens,
                        "first_tokens": point.first_tokens,
                        "thought_tokens": point.thought_tokens,
                    }
                    for point in (selective_points(pairs) if pairs else [])
                ]
    return rows


def choice_rows(answers: Sequence[Frame], params: SelectiveParams) -> list[dict[str, Any]]:
    """Rows of `tables.SELECTIVE_CHOICE`, for each arm beside the first one and each score that the engine gives."""
    by_arm = {str(table["arm"].iloc[0]): table for table in answers if len(table)}
    if params.first not in by_arm:
        return []
    rows = []
    for arm in (name for name in by_arm if name != params.first):
        for score, pairs in pairs_of(by_arm[params.first], by_arm[arm], params).items():
            if not pairs:
                continue
            chosen, always = chosen_tau(pairs, params.margin, params.confidence), point_at(pairs, inf)
            point = chosen.point
            if point is None:
                logger.info(_no_threshold(arm, score, len(pairs), chosen.needed, params))
            rows.append(
                {
                    "arm": arm,
                    "first": params.first,
                    "score": score,
                    "tau": point and point.tau,
                    "questions": len(pairs),
                    "needed": chosen.needed,
                    "margin": params.margin,
                    "confidence": params.confidence,
                    "thought_share": point.thought_share if point else 1.0,
                    "accuracy": (point or always).accuracy.value,
                    "accuracy_of_all": always.accuracy.value,
                    "difference": chosen.difference and chosen.difference.value,
                    "low": chosen.difference and chosen.difference.low,
                    "high": chosen.difference and chosen.difference.high,
                    "tokens": point.tokens if point else always.thought_tokens,
                    "tokens_of_all": always.thought_tokens,
                }
            )
    return rows


def _no_threshold(arm: str, score: str, questions: int, needed: int, params: SelectiveParams) -> str:
    short = f"; it takes at least {needed}, without a lost answer" if questions < needed else ""
    return (
        f"{arm}: no threshold of {score} is shown to lose less than {100 * params.margin:g} points, with "
        f"{100 * params.confidence:g} % confidence, on {questions} questions{short}: think about every question"
    )


def first_answers(answers: Frame, params: SelectiveParams) -> Iterator[tuple[SelectionScore, dict[str, First]]]:
    """The first arm's answers to each question, by each score that can be had."""
    greedy = {row["question_id"]: row for row in records(_greedy(answers))}
    for score, column in (("probability", "mean_logprob"), ("confidence", "confidence")):
        if all(known(row[column]) is not None for row in greedy.values() if known(row["letter"]) is not None):
            yield score, {name: _by_tokens(row, column) for name, row in greedy.items()}  # type: ignore[misc]
        else:
            logger.info("the first answers have no %s: the engine does not give it", column)
    sampled = answers[(answers["draw"] == "sampled") & (answers["sample"] < params.samples)]
    sampled = sampled.sort_values("sample", kind="stable")
    groups = [(str(name), records(group)) for name, group in sampled.groupby("question_id", sort=True)]
    if groups and all(len(group) == params.samples for _, group in groups):
        yield "agreement", {name: _by_agreement(group) for name, group in groups}


def pairs_of(first: Frame, thought: Frame, params: SelectiveParams) -> dict[str, list[TwoAnswers]]:
    """Both answers to each question that both arms were asked, by score."""
    return {score: _pairs(firsts, _greedy(thought)) for score, firsts in first_answers(first, params)}


def _pairs(firsts: dict[str, First], thoughts: Frame) -> list[TwoAnswers]:
    """The questions that both arms were asked."""
    return [
        TwoAnswers(
            score=firsts[row["question_id"]].score,
            first_correct=firsts[row["question_id"]].correct,
            thought_correct=bool(row["correct"]),
            first_tokens=firsts[row["question_id"]].tokens,
            thought_tokens=known(row["completion_tokens"]),
        )
        for row in records(thoughts)
        if row["question_id"] in firsts
    ]


def _by_tokens(row: dict[str, Any], column: str) -> First:
    value, stated = known(row[column]), known(row["letter"]) is not None
    score = None if not stated or value is None else exp(value) if column == "mean_logprob" else float(value)
    return First(score, bool(row["correct"]), known(row["completion_tokens"]))


def _by_agreement(group: Sequence[dict[str, Any]]) -> First:
    outcome = vote([Voter(known(row["letter"])) for row in group])
    agree = sum(known(row["letter"]) == outcome.letter for row in group)
    score = None if outcome.letter is None else agree / len(group)
    tokens = [known(row["completion_tokens"]) for row in group]
    spent = None if None in tokens else float(sum(tokens))
    return First(score, outcome.letter == group[0]["gold"], spent)


def _greedy(answers: Frame) -> Frame:
    return answers[answers["draw"] == "greedy"]
