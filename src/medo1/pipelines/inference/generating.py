"""An arm's draws as rows: who answers, what may be asked freely, which draw is the generation. Called by `nodes`."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from medo1.engines.base import Adapter, Engine, Model
from medo1.frames import Frame
from medo1.pipelines.inference.accounting import KEYS, Meter
from medo1.pipelines.inference.asking import Asking, Drawn
from medo1.pipelines.inference.params import ArmParams, InferenceParams
from medo1.questions import Question, free_form, questions_from

logger = logging.getLogger(__name__)

Row = dict[str, Any]


def generated(
    questions: Frame,
    prompt: str,
    engine: Engine,
    params: InferenceParams,
    arm: ArmParams,
    seed: int,
    models: Sequence[Model | Adapter],
    name: str,
) -> tuple[list[Row], list[Row], Row]:
    """Rows for `tables.GENERATIONS` and `tables.CUT_GENERATIONS`, and the row for `tables.TIMING`.

    Args: those of `nodes.generate`.
    """
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
    return _sorted(whole.values(), order), _sorted(cut, order), meter.close()


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
