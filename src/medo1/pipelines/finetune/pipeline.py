"""finetune: kept chains -> adapter, once per format."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.pipelines.finetune.nodes import make_training_examples, train_adapter
from medo1.wiring import bound


def _template(name: str) -> list[Node]:
    return [
        Node(
            make_training_examples,
            inputs=["kept_chains", "questions", "prompt", "base_model", "params:finetune"],
            outputs=["training_examples", "training_rejected"],
            name="make_training_examples",
        ),
        Node(
            bound(train_adapter, format=name),
            inputs=["training_examples", "base_model", "params:finetune", "params:seed"],
            outputs=["adapter", "training_log"],
            name="train_adapter",
        ),
    ]


def create_pipeline(formats: Iterable[str], **_: Any) -> Pipeline:
    """The pipeline `finetune`.

    Args:
        formats: names of the study's formats; each becomes a namespace with parameters `finetune.<format>`.
    """
    return sum(
        (
            Pipeline(
                _template(name),
                namespace=name,
                inputs={
                    "questions": "questions",
                    "base_model": "base_model",
                    "kept_chains": f"{name}.kept_chains",
                    "prompt": f"prompt_{name}",
                },
                parameters={"params:finetune": f"params:finetune.{name}", "params:seed": "params:seed"},
            )
            for name in formats
        ),
        Pipeline([]),
    )
