"""Nodes of reporting."""

from __future__ import annotations

from typing import Any

from medo1.errors import UserError
from medo1.frames import Frame, records
from medo1.pipelines.reporting.params import ReportingParams
from medo1.statistics.intervals import share_interval
from medo1.statistics.paired import holm, paired
from medo1.vocabulary import ADAPTIVE_VOTE

ALL = "all"
CHAIN_FIGURES = ("How long the chains are", "What the filters kept")


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


def draw_figures(results: Frame, by_difficulty: Frame, vote_curve: Frame, budget_curve: Frame) -> tuple[Any, ...]:
    """Accuracy of the arms, accuracy and tokens by difficulty, accuracy over votes and over budgets; Plotly figures."""
    from medo1.pipelines.reporting import figures

    return (
        figures.accuracy_of_arms(results),
        figures.accuracy_by_difficulty(by_difficulty),
        figures.accuracy_over_votes(vote_curve),
        figures.accuracy_over_budgets(budget_curve),
    )


def write_page(
    results: Frame,
    comparisons: Frame,
    vote_curve: Frame,
    budget_curve: Frame,
    tokens: Frame,
    outcomes: Frame,
    ingest_summary: dict[str, Any],
    clustered_results: Frame,
    accuracy_figure: Any,
    difficulty_figure: Any,
    votes_figure: Any,
    budgets_figure: Any,
    params: ReportingParams,
    *of_chains: Any,
    formats: tuple[str, ...],
    checked: bool = False,
) -> str:
    """The page: one HTML file that opens without a network.

    `of_chains` is the figure of the chains' lengths, that of the filters' funnel, each format's filter summary and,
    where the chains' truth is known (`checked`), `FILTER_SOUNDNESS`; nothing where no chain is made.
    """
    from medo1.pipelines.reporting.page import rendered

    figures = {
        "Accuracy of the arms": accuracy_figure,
        "Accuracy and length by difficulty": difficulty_figure,
        "Accuracy over votes": votes_figure,
        "Accuracy over thinking budgets": budgets_figure,
        **(dict(zip(CHAIN_FIGURES, of_chains[:2], strict=True)) if of_chains else {}),
    }
    return rendered(
        figures,
        params=params,
        results=records(results),
        compared={(row["arm"], row["benchmark"]): row for row in records(comparisons)},
        votes=[row for row in records(vote_curve) if row["method"] in ("majority", ADAPTIVE_VOTE)],
        budgets=records(budget_curve) if budget_curve["budget"].nunique() > 1 else [],
        spent={(row["arm"], row["benchmark"], row["draw"], row["part"]): row for row in records(tokens)},
        outcomes=records(outcomes),
        ingest=ingest_summary,
        clustered=[
            row for row in records(clustered_results) if row["clusters"] < row["questions"] or row["subset"] == "clean"
        ],
        filters=dict(zip(formats, of_chains[2 : 2 + len(formats)], strict=True)),
        soundness=records(of_chains[-1]) if checked else [],
    )
