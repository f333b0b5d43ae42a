"""Nodes of reporting."""

from __future__ import annotations

from typing import Any

from medo1.errors import UserError
from medo1.frames import Frame
from medo1.pipelines.reporting.params import ReportingParams
from medo1.statistics.intervals import share_interval
from medo1.statistics.paired import holm, paired

ALL = "all"


def compare_arms(params: ReportingParams, *answers: Frame) -> tuple[Frame, Frame, Frame]:
    """Accuracy of each arm, each arm against the baseline, and accuracy by difficulty; of greedy generations.

    Args:
        params: baseline and confidence.
        answers: one table an arm, in the order in which the arms shall stand.

    Returns:
        `RESULTS`, `COMPARISONS`, `BY_DIFFICULTY`.
    """
    import pandas as pd

    from medo1 import tables

    greedy = pd.concat([table[table["draw"] == "greedy"] for table in answers], ignore_index=True)
    if greedy.empty:
        raise UserError("There is no greedy answer to report on: inference was asked no question.")
    return (
        tables.as_table(tables.RESULTS, _results(greedy, params.confidence)),
        tables.as_table(tables.COMPARISONS, _comparisons(greedy, params)),
        tables.as_table(tables.BY_DIFFICULTY, _by_difficulty(greedy)),
    )


def count_clusters(params: ReportingParams, questions: Frame, *answers: Frame) -> Frame:
    """Accuracy of each arm with near-copies counted as one observation, and without doubtful questions where any are.

    Args:
        params: confidence.
        questions: each with its cluster and its flags.
        answers: one table an arm.

    Returns:
        `CLUSTERED_RESULTS`.
    """
    import pandas as pd

    from medo1 import tables
    from medo1.statistics.clusters import clustered_interval

    greedy = pd.concat([table[table["draw"] == "greedy"] for table in answers], ignore_index=True)
    known = questions.drop_duplicates(["question_id", "benchmark"])[["question_id", "benchmark", "cluster", "flags"]]
    greedy = greedy.merge(known, on=["question_id", "benchmark"], how="left")
    greedy["cluster"] = greedy["cluster"].where(greedy["cluster"].fillna("") != "", greedy["question_id"])
    doubtful = greedy["flags"].fillna("").str.contains("doubtful")
    rows = []
    for subset, table in (("all", greedy), ("clean", greedy[~doubtful])):
        if subset == "clean" and not doubtful.any():
            continue
        for benchmark, arm, group in _groups(table):
            right = [bool(one) for one in group["correct"]]
            estimate = clustered_interval(right, group["cluster"].tolist(), params.confidence)
            rows.append(
                {
                    "arm": arm,
                    "benchmark": benchmark,
                    "subset": subset,
                    "questions": len(group),
                    "clusters": int(group["cluster"].nunique()),
                    "correct": sum(right),
                    "accuracy": estimate.value,
                    "accuracy_low": estimate.low,
                    "accuracy_high": estimate.high,
                }
            )
    return tables.as_table(tables.CLUSTERED_RESULTS, rows)


def _results(greedy: Frame, confidence: float) -> list[dict[str, Any]]:
    rows = []
    for benchmark, arm, group in _groups(greedy):
        estimate = share_interval(int(group["correct"].sum()), len(group), confidence)
        status = group["status"]
        rows.append(
            {
                "arm": arm,
                "benchmark": benchmark,
                "questions": len(group),
                "answered": int((status == "answer").sum()),
                "unread": int((status != "answer").sum()),
                "truncated": int((status == "truncated").sum()),
                "correct": int(group["correct"].sum()),
                "accuracy": estimate.value,
                "accuracy_low": estimate.low,
                "accuracy_high": estimate.high,
                "mean_tokens": _mean(group["completion_tokens"]),
            }
        )
    return rows


def _comparisons(greedy: Frame, params: ReportingParams) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    arms = list(dict.fromkeys(greedy["arm"]))
    if params.baseline not in arms:
        raise UserError(f"reporting.baseline is {params.baseline!r}, which is no arm of this study: {', '.join(arms)}.")
    for benchmark, arm, group in _groups(greedy):
        if arm == params.baseline:
            continue
        base = greedy if benchmark == ALL else greedy[greedy["benchmark"] == benchmark]
        base = base[base["arm"] == params.baseline]
        both = group.merge(base, on=["benchmark", "question_id"], suffixes=("", "_base"), validate="one_to_one")
        outcome = paired(both["correct"].tolist(), both["correct_base"].tolist(), params.confidence)
        rows.append(
            {
                "arm": arm,
                "baseline": params.baseline,
                "benchmark": benchmark,
                "questions": len(both),
                "gained": outcome.gained,
                "lost": outcome.lost,
                "difference": outcome.difference.value,
                "difference_low": outcome.difference.low,
                "difference_high": outcome.difference.high,
                "p_value": outcome.p_value,
            }
        )
    for row, adjusted in zip(rows, holm([row["p_value"] for row in rows]), strict=True):
        row["p_adjusted"] = adjusted
    return rows


def _by_difficulty(greedy: Frame) -> list[dict[str, Any]]:
    graded = greedy.dropna(subset=["difficulty"])
    return [
        {
            "arm": arm,
            "benchmark": benchmark,
            "difficulty": int(str(difficulty)),
            "questions": len(group),
            "accuracy": float(group["correct"].mean()),
            "mean_tokens": _mean(group["completion_tokens"]),
        }
        for (arm, benchmark, difficulty), group in graded.groupby(["arm", "benchmark", "difficulty"], sort=False)
    ]


def _groups(table: Frame) -> list[tuple[str, str, Frame]]:
    """Each benchmark and arm in the order of the arms; and over all benchmarks where there are several."""
    groups = [
        (str(benchmark), str(arm), group)
        for benchmark, of_benchmark in table.groupby("benchmark", sort=True)
        for arm, group in of_benchmark.groupby("arm", sort=False)
    ]
    if table["benchmark"].nunique() > 1:
        groups += [(ALL, str(arm), group) for arm, group in table.groupby("arm", sort=False)]
    return groups


def _mean(values: Any) -> float | None:
    return float(values.mean()) if values.notna().any() else None
