"""ingest: benchmark files -> questions."""

from __future__ import annotations

from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.pipelines.ingest.nodes import read_benchmark_files


def create_pipeline(**_: Any) -> Pipeline:
    """The pipeline `ingest`."""
    return Pipeline(
        [
            Node(
                read_benchmark_files,
                inputs=["benchmark_files", "params:ingest"],
                outputs=[
                    "questions",
                    "questions_rejected",
                    "questions_audit",
                    "questions_order",
                    "ingest_summary",
                ],
                name="read_benchmark_files",
            )
        ]
    )
