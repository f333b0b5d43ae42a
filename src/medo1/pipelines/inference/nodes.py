"""Nodes of inference."""

from __future__ import annotations

from medo1.engines.base import Adapter, Engine, Model
from medo1.frames import Frame
from medo1.lineage.digests import seed_from
from medo1.pipelines.inference.params import ArmParams, InferenceParams


def choose_questions(questions: Frame, params: InferenceParams, seed: int) -> Frame:
    """The questions that every arm is asked: of the chosen splits, at most so many per benchmark, chosen by content;
    and those of the generated benchmark, where it is asked for."""
    import pandas as pd

    from medo1 import tables
    from medo1.pipelines.inference.transfer import transfer_questions
    from medo1.questions import question_rows

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
    from medo1.pipelines.inference.generating import generated

    rows, cut, timing = generated(questions, prompt, engine, params, arm, seed, models, name)
    return (
        tables.as_table(tables.GENERATIONS, rows),
        tables.as_table(tables.CUT_GENERATIONS, cut),
        tables.as_table(tables.TIMING, [timing]),
    )


def read_answers(generations: Frame, questions: Frame, arm: ArmParams) -> Frame:
    """What each generation states, and whether that is right. An unread answer is wrong, never a default letter.

    A free-form answer is right when the first diagnosis of its list is the right option's.
    """
    from medo1 import tables
    from medo1.pipelines.inference.answering import answer_rows

    return tables.as_table(tables.ANSWERS, answer_rows(generations, questions, arm))


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
    from medo1.pipelines.inference.accounting import tokens_and_outcomes
    from medo1.pipelines.inference.answering import answer_rows
    from medo1.pipelines.inference.counting import budget_rows

    tokens, outcomes = tokens_and_outcomes(generations, answers)
    cut_correct = [row["correct"] for row in answer_rows(cut_generations, questions, arm)]
    draws = arm.drawn_with(params)
    budgets = (*draws.budgets, draws.max_new_tokens)
    return (
        tables.as_table(tables.TOKENS, tokens),
        tables.as_table(tables.OUTCOMES, outcomes),
        tables.as_table(tables.BUDGET_CURVE, budget_rows(generations, answers, cut_generations, cut_correct, budgets)),
    )
