"""finetune: kept chains -> adapter, once per format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.gathered import gather
from medo1.pipelines.finetune.nodes import (
    describe_training,
    estimate_training,
    gather_training_pages,
    make_small_student,
    make_training_examples,
    train_adapter,
)
from medo1.wiring import bound


def _template(name: str) -> list[Node]:
    return [
        Node(
            make_training_examples,
            inputs=["kept_chains", "questions", "prompt", "base_model", "params:finetune", "params:seed"],
            outputs=["training_examples", "training_rejected", "training_lengths", "training_template"],
            name="make_training_examples",
        ),
        Node(
            bound(estimate_training, format=name),
            inputs=["training_examples", "base_model", "params:finetune"],
            outputs="training_estimate",
            name="estimate_training",
        ),
        Node(
            bound(train_adapter, format=name),
            inputs=[
                *("training_examples", "questions", "base_model", "training_estimate", "training_checkpoints"),
                *("params:finetune", "params:seed"),
            ],
            outputs=["adapter", "training_log", "training_timing"],
            name="train_adapter",
        ),
        Node(
            bound(describe_training, format=name),
            inputs=[
                *("training_examples", "questions", "base_model", "adapter", "training_log", "training_timing"),
                *("training_lengths", "training_rejected", "training_template", "training_estimate"),
                *("training_checkpoints", "params:finetune", "params:seed"),
            ],
            outputs=["training_figure", "training_page"],
            name="describe_training",
        ),
    ]


def _small_student(formats: Mapping[str, Mapping[str, Any]]) -> Pipeline:
    names = tuple(formats)
    node = Node(
        bound(make_small_student, formats=names),
        inputs=[
            *("benchmark_files", "training_questions", "small_student_cache", "params:small_student", "params:seed"),
            *(f"prompt_{formats[name].get('prompts') or name}" for name in names),
            *(f"params:formats.{name}" for name in names),
        ],
        outputs=["base_model", "base_training_log"],
        name="make_small_student",
    )
    return Pipeline([node])


def create_pipeline(formats: Mapping[str, Mapping[str, Any]], base_model: str = "", **_: Any) -> Pipeline:
    """The pipeline `finetune`.

    Args:
        formats: the study's formats; each becomes a namespace with parameters `finetune.<format>`.
        base_model: `small_student` where the base model is trained here too, on the imported chains.
    """
    imported = {name: spec for name, spec in formats.items() if spec["source"] == "import"}
    start = _small_student(imported) if base_model == "small_student" else Pipeline([])
    names = tuple(formats)
    of_all = [
        Node(
            bound(gather, formats=names),
            inputs=[f"{name}.training_log" for name in names],
            outputs="training_log",
            name="gather_training_log",
        ),
        Node(
            bound(gather_training_pages, formats=names),
            inputs=[f"{name}.{kind}" for kind in ("training_figure", "training_page") for name in names],
            outputs=["training_figure", "training_pages"],
            name="gather_training_pages",
        ),
    ]
    return sum(
        (
            Pipeline(
                _template(name),
                namespace=name,
                inputs={
                    "questions": "questions",
                    "base_model": "base_model",
                    "training_checkpoints": "training_checkpoints",
                    "kept_chains": f"{name}.kept_chains",
                    "prompt": f"prompt_{spec.get('prompts') or name}",
                },
                parameters={"params:finetune": f"params:finetune.{name}", "params:seed": "params:seed"},
            )
            for name, spec in formats.items()
        ),
        start + Pipeline(of_all if names else []),
    )
