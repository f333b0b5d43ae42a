"""reporting: answers and votes of all arms -> tables, page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.pipelines.reporting.nodes import compare_arms, count_clusters
from medo1.pipelines.reporting.writing import page_inputs, write_page
from medo1.wiring import bound


def create_pipeline(
    arms: Mapping[str, Mapping[str, Any]], formats: Mapping[str, Mapping[str, Any]], base_model: str = "", **_: Any
) -> Pipeline:
    """The pipeline `reporting`.

    Args:
        arms: the study's, in the order in which they shall stand.
        formats: the study's formats, by name.
        base_model: `clinic` where the truth of each chain is known, so that the filters were checked.
    """
    checked = base_model == "clinic" and any(spec["source"] == "teacher" for spec in formats.values())
    answers = [f"{arm}.answers" for arm in arms]
    learnt = {name: arm["adapter"] for name, arm in arms.items()}
    shown = page_inputs(arms, formats, checked=checked)
    nodes = [
        Node(
            compare_arms,
            inputs=["params:reporting", *answers],
            outputs=["results", "comparisons", "by_difficulty"],
            name="compare_arms",
        ),
        Node(
            count_clusters,
            inputs=["params:reporting", "questions", *answers],
            outputs="clustered_results",
            name="count_clusters",
        ),
        Node(
            bound(write_page, names=shown, arms=learnt, formats=tuple(formats)),
            inputs=["params:reporting", "params:seed", "params:base_model", *shown],
            outputs=["report", "report_cases"],
            name="write_page",
        ),
    ]
    return Pipeline(nodes)
