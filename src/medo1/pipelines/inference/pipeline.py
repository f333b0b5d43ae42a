"""inference: questions -> generations -> answers -> votes, once per arm; then curves and costs of all arms together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.pipelines.inference.nodes import (
    account,
    choose_questions,
    compare_stopping,
    draw_curves,
    generate,
    read_answers,
    think_selectively,
    vote,
)
from medo1.wiring import bound


def _arm(name: str, arm: Mapping[str, Any]) -> Pipeline:
    """An arm's nodes, in a namespace of its own.

    Args:
        name: the arm's.
        arm: its parameters (`ArmParams`).
    """
    outside = {"questions": "questions", "engine": arm["engine"], "prompt": f"prompt_{arm['prompt']}"}
    if arm["model"] is not None:
        outside["model"] = arm["model"]
    if arm["adapter"] is not None:
        outside["adapter"] = f"{arm['adapter']}.adapter"
    models = [entry for entry in ("model", "adapter") if entry in outside]
    nodes = [
        Node(
            choose_questions,
            inputs=["questions", "params:inference", "params:arm", "params:seed"],
            outputs="asked_questions",
            name="choose_questions",
        ),
        Node(
            bound(generate, name=name),
            inputs=["asked_questions", "prompt", "engine", "params:inference", "params:arm", "params:seed", *models],
            outputs=["generations", "timing"],
            name="generate",
        ),
        Node(
            read_answers,
            inputs=["generations", "asked_questions", "params:arm"],
            outputs="answers",
            name="read_answers",
        ),
        Node(vote, inputs=["answers", "params:inference"], outputs="votes", name="vote"),
    ]
    return Pipeline(
        nodes,
        namespace=name,
        inputs=outside,
        parameters={
            "params:inference": "params:inference",
            "params:arm": f"params:arms.{name}",
            "params:seed": "params:seed",
        },
    )


def create_pipeline(arms: Mapping[str, Mapping[str, Any]], **_: Any) -> Pipeline:
    """The pipeline `inference`.

    Args:
        arms: the study's arms, as in the parameters; each becomes a namespace.
    """
    answers, timings = ([f"{arm}.{table}" for arm in arms] for table in ("answers", "timing"))
    of_all = [
        Node(
            draw_curves,
            inputs=["params:inference", "params:arms", "params:seed", *answers],
            outputs=["vote_curve", "adaptive", "budget_curve"],
            name="draw_curves",
        ),
        Node(
            compare_stopping,
            inputs=["params:inference", "params:arms", *answers],
            outputs="stopping_rules",
            name="compare_stopping",
        ),
        Node(
            think_selectively,
            inputs=["params:inference", *answers],
            outputs="selective_curve",
            name="think_selectively",
        ),
        Node(account, inputs=[*answers, *timings], outputs=["tokens", "outcomes", "timing"], name="account"),
    ]
    return sum((_arm(name, arm) for name, arm in arms.items()), Pipeline(of_all))
