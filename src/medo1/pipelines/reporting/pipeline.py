"""reporting: answers and votes of all arms -> tables, figures, page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.pipelines.reporting.nodes import compare_arms, curve_of_votes, draw_figures, write_page
from medo1.wiring import bound

FIGURES = ["accuracy_figure", "difficulty_figure", "votes_figure"]


def create_pipeline(arms: Iterable[str], formats: Iterable[str], **_: Any) -> Pipeline:
    """The pipeline `reporting`.

    Args:
        arms: names of the study's arms, in the order in which they shall stand.
        formats: names of the study's formats.
    """
    arms, formats = list(arms), list(formats)
    answers, votes = [f"{arm}.answers" for arm in arms], [f"{arm}.votes" for arm in arms]
    summaries = [f"{name}.filter_summary" for name in formats]
    nodes = [
        Node(
            compare_arms,
            inputs=["params:reporting", *answers],
            outputs=["results", "comparisons", "by_difficulty"],
            name="compare_arms",
        ),
        Node(
            curve_of_votes,
            inputs=["params:reporting", *votes, *answers],
            outputs="vote_curve",
            name="curve_of_votes",
        ),
        Node(draw_figures, inputs=["results", "by_difficulty", "vote_curve"], outputs=FIGURES, name="draw_figures"),
        Node(
            bound(write_page, formats=tuple(formats)),
            inputs=[
                *("results", "comparisons", "vote_curve", "ingest_summary"),
                *FIGURES,
                "params:reporting",
                *summaries,
            ],
            outputs="report",
            name="write_page",
        ),
    ]
    return Pipeline(nodes)
