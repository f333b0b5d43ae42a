"""Tables of a study as the docs show them: `python docs/site/study_tables.py budgets|votes|stopping|selective`.

Reads the newest versions in the project's `data/`; `docs/site/examples.py --write` puts what it prints into the pages.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pandas as pd

ARMS = ("cot_sft", "longstep_sft", "longmonolog_sft")


def newest(name: str) -> Any:
    """The newest version of a table of the report."""
    found = sorted(Path("data/08_reporting", f"{name}.parquet").glob("*/_manifest.json"))
    return pd.read_parquet(found[-1].parent / f"{name}.parquet")


def over_benchmarks(table: Any, keys: list[str], columns: list[str]) -> Any:
    """Means over the questions of all benchmarks."""
    weighed = table.assign(**{name: table[name].astype(float) * table["questions"] for name in columns})
    grouped = weighed.groupby(keys, sort=False)
    return grouped[columns].sum(min_count=1).div(grouped["questions"].sum(), axis=0).reset_index()


def percent(value: float) -> str:
    return "-" if pd.isna(value) else f"{100 * value:.1f} %"


def budgets() -> Any:
    table = newest("budget_curve")
    table = table[table["arm"].isin(ARMS)].assign(
        unread_answers=lambda one: one["unread"].fillna(0) * one["forced"],
    )
    means = over_benchmarks(table, ["arm", "budget"], ["accuracy", "forced", "unread_answers", "mean_tokens"])
    means["unread"] = means["unread_answers"] / means["forced"].where(means["forced"] > 0)
    shown = means.assign(**{name: means[name].map(percent) for name in ("accuracy", "forced", "unread")})
    return shown.assign(tokens=means["mean_tokens"].round(1))[
        ["arm", "budget", "accuracy", "forced", "unread", "tokens"]
    ]


def votes() -> Any:
    table = newest("vote_curve")
    table = table[table["arm"].isin(ARMS) & table["method"].isin(("majority", "adaptive"))]
    means = over_benchmarks(table, ["arm", "method", "k"], ["accuracy", "mean_tokens"])
    return means.assign(accuracy=means["accuracy"].map(percent), tokens=means.pop("mean_tokens").round(1))


def stopping() -> Any:
    table = newest("stopping_rules")
    table = table[table["arm"].isin(ARMS) & table["threshold"].isin((0.95,))]
    columns = ["drawn", "accuracy", "agreement", "promised"]
    means = over_benchmarks(table, ["arm", "rule"], columns)
    shown = {name: means[name].map(percent) for name in columns[1:]}
    return means.assign(drawn=means["drawn"].round(1), **shown)


def selective() -> Any:
    table = newest("selective_curve")
    table = table[(table["arm"] == ARMS[-1]) & (table["score"] == "probability")]
    rows = []
    for benchmark, curve in table.groupby("benchmark", sort=False):
        always = curve.iloc[-1]
        for wanted in (0.0, 0.25, 0.5, 0.75, 1.0):
            point = curve.iloc[(curve["thought_share"] - wanted).abs().argmin()]
            share = point["tokens"] / always["thought_tokens"]
            rows.append((benchmark, f"{point['tau']:.3g}", point["thought_share"], point["accuracy"], share))
    shown = pd.DataFrame(rows, columns=["benchmark", "tau", "thought about", "accuracy", "of its tokens"])
    for name in shown.columns[2:]:
        shown[name] = shown[name].map(percent)
    return shown.drop_duplicates()


if __name__ == "__main__":
    made = {"budgets": budgets, "votes": votes, "stopping": stopping, "selective": selective}
    sys.stdout.write(made[sys.argv[1]]().to_string(index=False) + "\n")
