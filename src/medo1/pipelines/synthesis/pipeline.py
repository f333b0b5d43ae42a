"""synthesis: questions -> chains, once per format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.chains.recipes import RECIPES
from medo1.pipelines.synthesis.nodes import (
    choose_training_questions,
    import_chains,
    open_budget,
    summarise_teaching,
    write_chains,
)
from medo1.wiring import bound


def _taught(name: str, recipe: str) -> Pipeline:
    engines = RECIPES[recipe].engines
    if "teacher" not in engines:
        raise ValueError(f"recipe {recipe} asks no teacher")
    node = Node(
        bound(write_chains, format=name),
        inputs=[
            *("training_questions", "teacher_prompts", "params:synthesis", "params:format", "params:seed"),
            *("teacher_budget", "teacher"),
            *(["plain_teacher"] if "plain_teacher" in engines else []),
        ],
        outputs=["chains", "chains_rejected", "teaching_costs", "teaching_estimate"],
        name="write_chains",
    )
    return Pipeline(
        [node],
        namespace=name,
        inputs={"training_questions", "teacher_budget", *engines},
        parameters={
            "params:synthesis": "params:synthesis",
            "params:seed": "params:seed",
            "params:format": f"params:formats.{name}",
        },
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
    budget = Node(open_budget, inputs="params:synthesis", outputs="teacher_budget", name="open_budget")
    taught = tuple(name for name, spec in formats.items() if spec["source"] == "teacher")
    summary = Node(
        bound(summarise_teaching, formats=tuple(formats), taught=taught),
        inputs=[*(f"{name}.chains" for name in formats), *(f"{name}.teaching_costs" for name in taught)],
        outputs=["chain_lengths", "chain_lengths_figure", "teaching_costs"],
        name="summarise_teaching",
    )
    chains = [_taught(name, spec["recipe"]) if name in taught else _imported(name) for name, spec in formats.items()]
    return sum(chains, Pipeline([choice, *([budget] if taught else []), summary]))
