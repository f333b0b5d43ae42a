"""Nodes of inference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from medo1.answers import read_answer
from medo1.engines.base import Adapter, Engine, Message, Model, Request, Sampling
from medo1.frames import Frame, records
from medo1.lineage.digests import seed_from
from medo1.pipelines.inference.params import InferenceParams
from medo1.pipelines.inference.voting import majority
from medo1.progress import tracked
from medo1.questions import Question, prompt_text, questions_from


def choose_questions(questions: Frame, params: InferenceParams, seed: int) -> Frame:
    """The questions that every arm is asked: of the chosen splits, at most so many per benchmark, chosen by content."""
    chosen = questions[questions["split"].isin(params.splits)]
    if params.questions_per_benchmark is not None:
        order = chosen["question_id"].map(lambda question_id: seed_from("asked questions", seed, question_id))
        shuffled = chosen.loc[order.sort_values(kind="stable").index]
        chosen = shuffled.groupby("benchmark", sort=False).head(params.questions_per_benchmark)
    return chosen.sort_values(["benchmark", "question_id"], kind="stable").reset_index(drop=True)


def generate(
    questions: Frame,
    prompt: str,
    student: Engine,
    base_model: Model,
    params: InferenceParams,
    seed: int,
    *adapter: Adapter,
    arm: str,
) -> Frame:
    """One greedy and `params.samples` sampled generations of an arm for each question.

    Args:
        questions: what is asked.
        prompt: what is asked after each question.
        student: the engine.
        base_model: the model that every arm shares.
        params: sampling.
        seed: the run's seed; each draw gets its own from it, the question and the sample's number.
        adapter: the arm's adapter; none for an arm of the base model.
        arm: the arm's name.
    """
    from medo1 import tables

    asked = {question.question_id + "@" + question.benchmark: question for question in questions_from(questions)}
    requests = [
        request
        for key, question in asked.items()
        for request in _requests(key, question, prompt, params, seed, adapter[0] if adapter else None)
    ]
    engine = student.with_model(base_model)
    rows = []
    for completion in tracked(engine.complete(requests), len(requests), f"{arm} generations"):
        key, draw, sample = completion.key.rsplit("/", 2)
        question = asked[key]
        rows.append(
            {
                "question_id": question.question_id,
                "benchmark": question.benchmark,
                "arm": arm,
                "draw": draw,
                "sample": int(sample),
                "text": completion.text,
                "finish_reason": completion.finish_reason,
                "prompt_tokens": completion.prompt_tokens,
                "completion_tokens": completion.completion_tokens,
                "mean_logprob": completion.mean_logprob,
                "error": completion.error,
                "request_id": completion.request_id,
            }
        )
    keys = ("benchmark", "question_id", "draw", "sample")
    return tables.as_table(tables.GENERATIONS, sorted(rows, key=lambda row: [row[name] for name in keys]))


def _requests(
    key: str, question: Question, prompt: str, params: InferenceParams, seed: int, adapter: Adapter | None
) -> Iterator[Request]:
    messages = (Message("user", prompt_text(question, prompt)),)
    greedy = Sampling(temperature=0.0, max_new_tokens=params.max_new_tokens)
    yield Request(f"{key}/greedy/0", messages, greedy, adapter=adapter)
    sampled = Sampling(temperature=params.temperature, top_p=params.top_p, max_new_tokens=params.max_new_tokens)
    for sample in range(params.samples):
        own = seed_from(seed, question.question_id, sample)
        yield Request(f"{key}/sampled/{sample}", messages, sampled, sample=sample, seed=own, adapter=adapter)


def read_answers(generations: Frame, questions: Frame) -> Frame:
    """What each generation states, and whether that is right. An unread answer is wrong, never a default letter."""
    from medo1 import tables

    by_key = {(question.question_id, question.benchmark): question for question in questions_from(questions)}
    rows = []
    for generation in records(generations):
        question = by_key[generation["question_id"], generation["benchmark"]]
        rows.append(_answer_row(generation, question))
    return tables.as_table(tables.ANSWERS, rows)


def _answer_row(generation: dict[str, Any], question: Question) -> dict[str, Any]:
    failed = generation["finish_reason"] == "error"
    answer = read_answer(generation["text"], question.options, generation["finish_reason"])
    start, end = answer.span or (None, None)
    return {
        **{name: generation[name] for name in ("question_id", "benchmark", "arm", "draw", "sample")},
        "letter": answer.letter,
        "status": "error" if failed else answer.status,
        "rule": "engine_error" if failed else answer.rule,
        "span_start": start,
        "span_end": end,
        "gold": question.gold,
        "correct": answer.letter == question.gold,
        "difficulty": question.difficulty,
        "completion_tokens": generation["completion_tokens"],
    }


def vote(answers: Frame, params: InferenceParams) -> Frame:
    """The majority over each question's first k sampled answers, for each k."""
    import pandas as pd

    from medo1 import tables

    rows = []
    sampled = answers[answers["draw"] == "sampled"].sort_values("sample", kind="stable")
    for (benchmark, question_id, arm), group in sampled.groupby(["benchmark", "question_id", "arm"], sort=True):
        letters = [None if pd.isna(letter) else letter for letter in group["letter"]]
        gold = group["gold"].iloc[0]
        for k in params.votes:
            if k > len(letters):
                continue
            outcome = majority(letters[:k])
            rows.append(
                {
                    "question_id": question_id,
                    "benchmark": benchmark,
                    "arm": arm,
                    "k": k,
                    "letter": outcome.letter,
                    "votes": outcome.votes,
                    "voters": outcome.voters,
                    "gold": gold,
                    "correct": outcome.letter == gold,
                }
            )
    return tables.as_table(tables.VOTES, rows)
