"""inference: questions -> generations -> answers -> votes, once per arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.pipelines.inference.nodes import account, choose_questions, generate, read_answers, vote
from medo1.wiring import bound

PARAMETERS = ["params:inference", "params:arm"]


def _arm(name: str, arm: Mapping[str, Any]) -> Pipeline:
    """An arm's nodes, in a namespace of its own.

    Args:
        name: the arm's.
        arm: its parameters (`ArmParams`).
    """
    outside = {"asked_questions": "asked_questions", "engine": arm["engine"], "prompt": f"prompt_{arm['prompt']}"}
    if arm["model"] is not None:
        outside["model"] = arm["model"]
    if arm["adapter"] is not None:
        outside["adapter"] = f"{arm['adapter']}.adapter"
    models = [entry for entry in ("model", "adapter") if entry in outside]
    nodes = [
        Node(
            bound(generate, name=name),
            inputs=["asked_questions", "prompt", "engine", *PARAMETERS, "params:seed", *models],
            outputs=["generations", "cut_generations", "timing"],
            name="generate",
        ),
        Node(
            read_answers,
            inputs=["generations", "asked_questions", "params:arm"],
            outputs="answers",
            name="read_answers",
        ),
        Node(
            vote,
            inputs=["generations", "answers", "asked_questions", *PARAMETERS, "params:seed"],
            outputs=["votes", "vote_curve", "adaptive"],
            name="vote",
        ),
        Node(
            account,
            inputs=["generations", "cut_generations", "answers", "asked_questions", *PARAMETERS],
            outputs=["tokens", "outcomes", "budget_curve"],
            name="account",
        ),
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
    choice = Node(
        choose_questions,
        inputs=["questions", "params:inference", "params:seed"],
        outputs="asked_questions",
        name="choose_questions",
    )
    return sum((_arm(name, arm) for name, arm in arms.items()), Pipeline([choice]))
