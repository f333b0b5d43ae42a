"""synthesis: questions -> chains, once per format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.pipelines.synthesis.nodes import choose_training_questions, import_chains, write_chains
from medo1.wiring import bound


def _taught(name: str) -> Pipeline:
    node = Node(
        bound(write_chains, format=name),
        inputs=["training_questions", "teacher", "teacher_prompts", "params:synthesis", "params:seed"],
        outputs=["chains", "chains_rejected"],
        name="write_chains",
    )
    return Pipeline(
        [node],
        namespace=name,
        inputs={"training_questions", "teacher"},
        parameters={"params:synthesis", "params:seed"},
    )


def _imported(name: str) -> Pipeline:
    node = Node(
        bound(import_chains, format=name),
        inputs=["benchmark_files", "training_questions", "params:format"],
        outputs=["chains", "chains_rejected"],
        name="import_chains",
    )
    return Pipeline(
        [node],
        namespace=name,
        inputs={"benchmark_files", "training_questions"},
        parameters={"params:format": f"params:formats.{name}"},
    )


def create_pipeline(formats: Mapping[str, Mapping[str, Any]], **_: Any) -> Pipeline:
    """The pipeline `synthesis`.

    Args:
        formats: the study's formats, as in the parameters; each becomes a namespace.
    """
    choice = Node(
        choose_training_questions,
        inputs=["questions", "params:synthesis", "params:seed"],
        outputs="training_questions",
        name="choose_training_questions",
    )
    chains = [_imported(name) if spec["source"] == "import" else _taught(name) for name, spec in formats.items()]
    return sum(chains, Pipeline([choice]))
