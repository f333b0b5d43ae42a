"""clinic: a seed -> world, textbook, benchmark files, base model."""

from __future__ import annotations

from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.clinic.wording import REQUESTS
from medo1.pipelines.clinic.nodes import make_world, train_base_model, write_benchmark_files, write_textbook

PROMPTS = [f"prompt_{name}" for name in REQUESTS]


def create_pipeline(**_: Any) -> Pipeline:
    """The pipeline `clinic`, in a namespace of its own; others start from its benchmark files and base model."""
    return Pipeline(
        [
            Node(make_world, inputs="params:clinic", outputs="world", name="make_world"),
            Node(
                write_benchmark_files,
                inputs=["world", "params:clinic"],
                outputs="benchmark_files",
                name="write_benchmark_files",
            ),
            Node(
                write_textbook, inputs=["world", "params:clinic", *PROMPTS], outputs="textbook", name="write_textbook"
            ),
            Node(
                train_base_model,
                inputs=["world", "textbook", "model_cache", "params:clinic", "params:seed", *PROMPTS],
                outputs=["base_model", "base_training_log"],
                name="train_base_model",
            ),
        ],
        namespace="clinic",
        inputs=set(PROMPTS),
        outputs={"benchmark_files", "base_model"},
        parameters={"params:clinic", "params:seed"},
    )
