"""synthesis: questions -> chains, once per format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.chains.recipes import RECIPES
from medo1.gathered import gather, gather_values
from medo1.pipelines.synthesis.nodes import (
    add_up_estimates,
    choose_training_questions,
    estimate_teaching,
    import_chains,
    summarise_teaching,
    write_chains,
    write_student_chains,
)
from medo1.wiring import bound

MADE = ["chains", "chains_rejected", "teaching_costs", "teaching_estimate"]


def _asked(name: str, spec: Mapping[str, Any], node: Callable[..., Any], outputs: str | list[str]) -> Pipeline:
    """What teachers are asked for, under the format's namespace."""
    return _writing(name, spec, node, {engine: engine for engine in RECIPES[spec["recipe"]].engines}, outputs)


def _asked_of_a_student(name: str, spec: Mapping[str, Any]) -> Pipeline:
    """The same of a student: the base model, or with the adapter of the format that taught it."""
    engines = {"student": "student", "base_model": "base_model"}
    if spec.get("taught_by") is not None:
        engines["taught"] = f"{spec['taught_by']}.adapter"
    return _writing(name, spec, write_student_chains, engines, MADE, called=write_chains.__name__)


def _writing(
    name: str,
    spec: Mapping[str, Any],
    node: Callable[..., Any],
    engines: Mapping[str, str],
    outputs: str | list[str],
    called: str = "",
) -> Pipeline:
    inputs = ["training_questions", "teacher_prompts", "params:synthesis", "params:format", "params:seed", *engines]
    outside = {"training_questions": "training_questions", **engines}
    if spec.get("prompts") is not None:
        outside["teacher_prompts"] = f"{spec['prompts']}.teacher_prompts"
    return Pipeline(
        [Node(bound(node, format=name), inputs=inputs, outputs=outputs, name=called or node.__name__)],
        namespace=name,
        inputs=outside,
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
    taught = [name for name, spec in formats.items() if spec["source"] == "teacher"]
    if estimate_only:
        whole = Node(
            bound(add_up_estimates, formats=tuple(taught)),
            inputs=["params:synthesis", *(f"{name}.teaching_estimate" for name in taught)],
            outputs="teaching_estimate",
            name="add_up_estimates",
        )
        each = [_asked(name, formats[name], estimate_teaching, "teaching_estimate") for name in taught]
        return sum(each, Pipeline([choice, whole]))
    written = [name for name, spec in formats.items() if spec["source"] != "import"]
    summary = Node(
        bound(summarise_teaching, formats=tuple(formats), taught=tuple(written)),
        inputs=[*(f"{name}.chains" for name in formats), *(f"{name}.teaching_costs" for name in written)],
        outputs=["chain_lengths", "chain_lengths_figure", "teaching_costs"],
        name="summarise_teaching",
    )
    chains = [
        _imported(name) if spec["source"] == "import"
        else _asked_of_a_student(name, spec) if spec["source"] == "student"
        else _asked(name, spec, write_chains, MADE)
        for name, spec in formats.items()
    ]  # fmt: skip
    gathered = [
        Node(
            bound(gather, formats=tuple(formats)),
            inputs=[f"{name}.chains_rejected" for name in formats],
            outputs="chains_rejected",
            name="gather_chains_rejected",
        )
    ]
    if written:
        gathered.append(
            Node(
                bound(gather_values, formats=tuple(written)),
                inputs=[f"{name}.teaching_estimate" for name in written],
                outputs="teaching_estimate",
                name="gather_teaching_estimate",
            )
        )
    return sum(chains, Pipeline([choice, summary, *gathered]))
