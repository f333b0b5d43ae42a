"""Nodes of inference."""

from __future__ import annotations

import logging
from typing import Any

from medo1.answers import read_answer, read_differential
from medo1.engines.base import Adapter, Engine, Model
from medo1.frames import Frame, records
from medo1.lineage.digests import seed_from
from medo1.pipelines.inference.accounting import KEYS, Meter, tokens_and_outcomes
from medo1.pipelines.inference.asking import Asking, Drawn
from medo1.pipelines.inference.params import ArmParams, InferenceParams
from medo1.pipelines.inference.transfer import transfer_questions
from medo1.pipelines.inference.voting import option_named
from medo1.questions import Question, free_form, question_rows, questions_from

logger = logging.getLogger(__name__)


def choose_questions(questions: Frame, params: InferenceParams, seed: int) -> Frame:
    """The questions that every arm is asked: of the chosen splits, at most so many per benchmark, chosen by content;
    and those of the generated benchmark, where it is asked for."""
    import pandas as pd

    from medo1 import tables

    chosen = questions[questions["split"].isin(params.splits)]
    if params.questions_per_benchmark is not None:
        order = chosen["question_id"].map(lambda question_id: seed_from("asked questions", seed, question_id))
        shuffled = chosen.loc[order.sort_values(kind="stable").index]
        chosen = shuffled.groupby("benchmark", sort=False).head(params.questions_per_benchmark)
    if params.transfer is not None:
        made = transfer_questions(params.transfer.questions, params.transfer.steps, seed)
        generated = tables.as_table(tables.QUESTIONS, question_rows(made))
        chosen = pd.concat([chosen, generated], ignore_index=True) if len(chosen) else generated
    return chosen.sort_values(["benchmark", "question_id"], kind="stable").reset_index(drop=True)


def generate(
    questions: Frame,
    prompt: str,
    engine: Engine,
    params: InferenceParams,
    arm: ArmParams,
    seed: int,
    *models: Model | Adapter,
    name: str,
) -> tuple[Frame, Frame, Frame]:
    """An arm's generations: one greedy and several sampled ones of each question.

    Args:
        questions: what is asked.
        prompt: what is asked after each question.
        engine: who answers.
        params: how all arms draw.
        arm: how this one differs.
        seed: the run's; each draw gets its own from it, the question and the sample's number.
        models: the base model that the engine serves, and the arm's adapter; none where the engine has its own.
        name: the arm's.

    Returns:
        `tables.GENERATIONS`; the greedy ones at smaller budgets, `tables.CUT_GENERATIONS`; and `tables.TIMING`, apart
        because equal runs differ in it.
    """
    from medo1 import tables

    base = next((model for model in models if isinstance(model, Model)), None)
    adapter = next((model for model in models if isinstance(model, Adapter)), None)
    serving = engine if base is None else engine.with_model(base)
    asked, draws = _asked_of(arm, questions), arm.drawn_with(params)
    meter = Meter(name, serving, len(asked) * (1 + draws.samples), params.prices, params.power_w)
    asking = Asking(
        serving,
        adapter,
        prompt,
        draws,
        params.adaptive.stopping if params.adaptive.draw else None,
        seed,
        meter.passed,
        free=arm.free,
    )
    whole: dict[tuple[Any, ...], dict[str, Any]] = {}
    cut = []
    for drawn in asking.draws_of(asked):
        row = _generation_row(drawn, name)
        keys = tuple(row[key] for key in KEYS)
        earlier = whole.setdefault(keys, row)
        if earlier is not row:  # another budget's: the largest is the generation
            smaller, whole[keys] = sorted((earlier, row), key=lambda one: one["budget"])
            cut.append(smaller)
    order = (*KEYS, "budget")
    return (
        tables.as_table(tables.GENERATIONS, _sorted(whole.values(), order)),
        tables.as_table(tables.CUT_GENERATIONS, _sorted(cut, order)),
        tables.as_table(tables.TIMING, [meter.close()]),
    )


def _asked_of(arm: ArmParams, questions: Frame) -> list[Question]:
    """The questions that can be put to an arm: freely, not those that ask to judge their options."""
    asked = questions_from(questions)
    if not arm.free:
        return asked
    answerable = [question for question in asked if free_form(question).needs_options is None]
    if len(answerable) < len(asked):
        logger.info(
            "%d of %d questions need their options and are not asked freely", len(asked) - len(answerable), len(asked)
        )
    return answerable


def _sorted(rows: Any, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    """By key, so that the order in which answers came back leaves no trace."""
    return sorted(rows, key=lambda row: [row[key] for key in keys])


def _generation_row(drawn: Drawn, arm: str) -> dict[str, Any]:
    generation = drawn.generation
    return {
        "question_id": drawn.question.question_id,
        "benchmark": drawn.question.benchmark,
        "arm": arm,
        "draw": drawn.draw,
        "sample": drawn.sample,
        "budget": generation.budget,
        "text": generation.text,
        "status": generation.status,
        "finish_reason": generation.finish_reason,
        "prompt_tokens": generation.prompt_tokens,
        "completion_tokens": generation.completion_tokens,
        "answer_tokens": generation.answer_tokens,
        "reasoning_tokens": generation.reasoning_tokens,
        "waits": generation.waits,
        "mean_logprob": generation.mean_logprob,
        "self_certainty": generation.self_certainty,
        "confidence": generation.confidence,
        "lowest_confidence": generation.lowest_confidence,
        "error": generation.error,
        "request_id": generation.request_ids[0],
        "parts": list(generation.request_ids),
    }


def read_answers(generations: Frame, questions: Frame, arm: ArmParams) -> Frame:
    """What each generation states, and whether that is right. An unread answer is wrong, never a default letter.

    A free-form answer is right when the first diagnosis of its list is the right option's.
    """
    from medo1 import tables

    return tables.as_table(tables.ANSWERS, _answer_rows(generations, questions, arm))


def _answer_rows(generations: Frame, questions: Frame, arm: ArmParams) -> list[dict[str, Any]]:
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


def vote(
    generations: Frame, answers: Frame, questions: Frame, params: InferenceParams, arm: ArmParams, seed: int
) -> tuple[Frame, Frame, Frame]:
    """Votes of an arm's samples, their curve, and where drawing would have stopped.

    Returns:
        `tables.VOTES` (of each question's first k samples), `tables.VOTE_CURVE` (expected over all subsets), and
        `tables.ADAPTIVE`.
    """
    from medo1 import tables
    from medo1.pipelines.inference.counting import adaptive_rows, curve_rows, polled, vote_rows

    polls = polled(generations, answers, questions)
    most = arm.drawn_with(params).samples
    stopped = adaptive_rows(polls, params.adaptive.stopping, most)
    return (
        tables.as_table(tables.VOTES, vote_rows(polls, params.votes)),
        tables.as_table(tables.VOTE_CURVE, curve_rows(polls, stopped, params.votes, most, seed)),
        tables.as_table(tables.ADAPTIVE, stopped),
    )


def account(
    generations: Frame,
    cut_generations: Frame,
    answers: Frame,
    questions: Frame,
    params: InferenceParams,
    arm: ArmParams,
) -> tuple[Frame, Frame, Frame]:
    """What thinking cost and what it bought.

    Returns:
        `tables.TOKENS`, `tables.OUTCOMES` and `tables.BUDGET_CURVE`, the last over the budgets of the greedy draws.
    """
    from medo1 import tables
    from medo1.pipelines.inference.counting import budget_rows

    tokens, outcomes = tokens_and_outcomes(generations, answers)
    cut_correct = [row["correct"] for row in _answer_rows(cut_generations, questions, arm)]
    draws = arm.drawn_with(params)
    budgets = (*draws.budgets, draws.max_new_tokens)
    return (
        tables.as_table(tables.TOKENS, tokens),
        tables.as_table(tables.OUTCOMES, outcomes),
        tables.as_table(tables.BUDGET_CURVE, budget_rows(generations, answers, cut_generations, cut_correct, budgets)),
    )
