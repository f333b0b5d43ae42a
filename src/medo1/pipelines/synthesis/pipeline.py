"""synthesis: questions -> chains, once per format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.chains.recipes import RECIPES
from medo1.pipelines.synthesis.nodes import (
    add_up_estimates,
    choose_training_questions,
    estimate_teaching,
    import_chains,
    summarise_teaching,
    write_chains,
)
from medo1.wiring import bound


def _asked(name: str, recipe: str, node: Callable[..., Any], outputs: str | list[str]) -> Pipeline:
    """What teachers are asked for, under the format's namespace."""
    engines = RECIPES[recipe].engines
    inputs = ["training_questions", "teacher_prompts", "params:synthesis", "params:format", "params:seed", *engines]
    return Pipeline(
        [Node(bound(node, format=name), inputs=inputs, outputs=outputs, name=node.__name__)],
        namespace=name,
        inputs={"training_questions", *engines},
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


def create_pipeline(formats: Mapping[str, Mapping[str, Any]], estimate_only: bool = False, **_: Any) -> Pipeline:
    """The pipeline `synthesis`.

    Args:
        formats: the study's formats, as in the parameters; each becomes a namespace.
        estimate_only: `synthesis.estimate_only`: the graph estimates, and makes no chains.
    """
    choice = Node(
        choose_training_questions,
        inputs=["questions", "params:synthesis", "params:seed"],
        outputs="training_questions",
        name="choose_training_questions",
    )
    taught = {name: spec["recipe"] for name, spec in formats.items() if spec["source"] == "teacher"}
    if estimate_only:
        whole = Node(
            bound(add_up_estimates, formats=tuple(taught)),
            inputs=["params:synthesis", *(f"{name}.teaching_estimate" for name in taught)],
            outputs="teaching_estimate",
            name="add_up_estimates",
        )
        each = [_asked(name, recipe, estimate_teaching, "teaching_estimate") for name, recipe in taught.items()]
        return sum(each, Pipeline([choice, whole]))
    summary = Node(
        bound(summarise_teaching, formats=tuple(formats), taught=tuple(taught)),
        inputs=[*(f"{name}.chains" for name in formats), *(f"{name}.teaching_costs" for name in taught)],
        outputs=["chain_lengths", "chain_lengths_figure", "teaching_costs"],
        name="summarise_teaching",
    )
    made = ["chains", "chains_rejected", "teaching_costs", "teaching_estimate"]
    chains = [_asked(name, taught[name], write_chains, made) if name in taught else _imported(name) for name in formats]
    return sum(chains, Pipeline([choice, summary]))
