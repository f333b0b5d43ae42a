"""filtering: chains -> kept chains, once per format."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.pipelines.filtering.nodes import filter_chains


def create_pipeline(formats: Iterable[str], **_: Any) -> Pipeline:
    """The pipeline `filtering`.

    Args:
        formats: names of the study's formats; each becomes a namespace.
    """
    template = [
        Node(
            filter_chains,
            inputs=["chains", "questions", "params:filtering"],
            outputs=["kept_chains", "dropped_chains", "filter_summary"],
            name="filter_chains",
        )
    ]
    return sum(
        (
            Pipeline(
                template,
                namespace=name,
                inputs={"chains": f"{name}.chains", "questions": "questions"},
                parameters={"params:filtering"},
            )
            for name in formats
        ),
        Pipeline([]),
    )
