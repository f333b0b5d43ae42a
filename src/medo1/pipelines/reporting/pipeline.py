"""reporting: answers and votes of all arms -> tables, figures, page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.pipelines.reporting.nodes import compare_arms, count_clusters, draw_figures, write_page
from medo1.wiring import bound

FIGURES = ["accuracy_figure", "difficulty_figure", "votes_figure", "budgets_figure"]


def create_pipeline(
    arms: Iterable[str], formats: Mapping[str, Mapping[str, Any]], base_model: str = "", **_: Any
) -> Pipeline:
    """The pipeline `reporting`.

    Args:
        arms: names of the study's arms, in the order in which they shall stand.
        formats: the study's formats, by name.
        base_model: `clinic` where the truth of each chain is known, so that the filters were checked.
    """
    arms = list(arms)
    checked = base_model == "clinic" and any(spec["source"] == "teacher" for spec in formats.values())
    answers = [f"{arm}.answers" for arm in arms]
    summaries = [f"{name}.filter_summary" for name in formats]
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
            draw_figures,
            inputs=["results", "by_difficulty", "vote_curve", "budget_curve"],
            outputs=FIGURES,
            name="draw_figures",
        ),
        Node(
            bound(write_page, formats=tuple(formats), checked=checked),
            inputs=[
                *("results", "comparisons", "vote_curve", "budget_curve", "tokens", "outcomes", "ingest_summary"),
                "clustered_results",
                *FIGURES,
                "params:reporting",
                *(["chain_lengths_figure", "filter_funnel_figure"] if formats else []),
                *summaries,
                *(["filter_soundness"] if checked else []),
            ],
            outputs="report",
            name="write_page",
        ),
    ]
    return Pipeline(nodes)
