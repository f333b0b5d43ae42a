"""reporting: answers and votes of all arms -> tables, page."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from kedro.pipeline import Node, Pipeline

from medo1.pipelines.reporting.nodes import (
    calibrate,
    compare_arms,
    compare_pairs,
    count_clusters,
    describe_answers,
    judge_claims,
    size_models,
    summarise_votes,
    trace_frontier,
)
from medo1.pipelines.reporting.writing import page_inputs, write_page
from medo1.wiring import bound


def create_pipeline(
    arms: Mapping[str, Mapping[str, Any]],
    formats: Mapping[str, Mapping[str, Any]],
    base_model: str = "",
    probes: Collection[str] = (),
    **_: Any,
) -> Pipeline:
    """The pipeline `reporting`.

    Args:
        arms: the study's, in the order in which they shall stand.
        formats: the study's formats, by name.
        base_model: `clinic` where the truth of each chain is known, so that the filters were checked.
        probes: names of the probes that the arms are asked.
    """
    checked = base_model == "clinic" and any(spec["source"] != "import" for spec in formats.values())
    models = sorted({str(arm["model"]) for arm in arms.values() if arm["model"] is not None})
    learnt = {name: arm["adapter"] for name, arm in arms.items()}
    probed = probes if any(arm["answers"] == "options" for arm in arms.values()) else ()
    free = any(arm["answers"] == "differential" for arm in arms.values())
    shown = page_inputs(formats, checked=checked, probed=probed, free=free)
    nodes = [
        Node(
            compare_arms,
            inputs=["params:reporting", "answers"],
            outputs=["results", "comparisons", "by_difficulty"],
            name="compare_arms",
        ),
        Node(
            count_clusters,
            inputs=["params:reporting", "questions", "answers"],
            outputs="clustered_results",
            name="count_clusters",
        ),
        Node(
            compare_pairs,
            inputs=["params:reporting", "adaptive", "answers"],
            outputs=["arm_pairs", "arm_groups", "non_inferiority"],
            name="compare_pairs",
        ),
        Node(
            describe_answers,
            inputs=["params:reporting", "answers"],
            outputs=["letters", "letter_baselines", "lengths"],
            name="describe_answers",
        ),
        Node(
            summarise_votes,
            inputs=["params:reporting", "answers"],
            outputs=["vote_limits", "pass_curve", "variances"],
            name="summarise_votes",
        ),
        Node(
            calibrate,
            inputs=["params:reporting", "answers"],
            outputs=["calibration", "calibration_summary", "risk_coverage"],
            name="calibrate",
        ),
        Node(
            bound(size_models, names=tuple(models)),
            inputs=["params:reporting", "params:arms", "timing", *models],
            outputs="model_sizes",
            name="size_models",
        ),
        Node(
            trace_frontier,
            inputs=[
                *("params:reporting", "params:inference", "vote_curve", "budget_curve", "selective_curve", "timing"),
                "model_sizes",
                "answers",
            ],
            outputs="frontier",
            name="trace_frontier",
        ),
        Node(
            judge_claims,
            inputs=[
                *("params:reporting", "params:arms", "results", "comparisons", "model_sizes", "questions"),
                *("answers", "generations"),
            ],
            outputs=["claims", "paper_table", "signatures"],
            name="judge_claims",
        ),
        Node(
            bound(write_page, names=shown, arms=learnt, formats=tuple(formats)),
            inputs=["params:reporting", "params:seed", "params:base_model", *shown],
            outputs=["report", "report_cases"],
            name="write_page",
        ),
    ]
    return Pipeline(nodes)
