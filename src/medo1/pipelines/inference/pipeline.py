"""inference: questions -> generations -> answers -> votes, once per arm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.pipelines.inference.nodes import choose_questions, generate, read_answers, vote
from medo1.wiring import bound


def _arm(name: str, prompt: str, adapter: str | None) -> Pipeline:
    adapted = ["adapter"] if adapter else []
    nodes = [
        Node(
            bound(generate, arm=name),
            inputs=["asked_questions", "prompt", "student", "base_model", "params:inference", "params:seed", *adapted],
            outputs="generations",
            name="generate",
        ),
        Node(read_answers, inputs=["generations", "asked_questions"], outputs="answers", name="read_answers"),
        Node(vote, inputs=["answers", "params:inference"], outputs="votes", name="vote"),
    ]
    outside = {"asked_questions": "asked_questions", "student": "student", "base_model": "base_model"}
    return Pipeline(
        nodes,
        namespace=name,
        inputs={**outside, "prompt": f"prompt_{prompt}", **({"adapter": f"{adapter}.adapter"} if adapter else {})},
        parameters={"params:inference", "params:seed"},
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
    return sum((_arm(name, spec["prompt"], spec.get("adapter")) for name, spec in arms.items()), Pipeline([choice]))
