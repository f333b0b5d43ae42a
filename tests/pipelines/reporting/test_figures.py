"""An arm looks the same wherever it is drawn, and two benchmarks of it are told apart."""

from __future__ import annotations

import pandas as pd

from medo1.pipelines.reporting.figures import accuracy_of_arms, accuracy_over_budgets, accuracy_over_votes


def curve(**columns: object) -> pd.DataFrame:
    """Two arms on two benchmarks, at two places each."""
    rows = [{"arm": arm, "benchmark": benchmark, "accuracy": 0.5, "accuracy_low": 0.4, "accuracy_high": 0.6,
             **{name: values[place] for name, values in columns.items()}}
            for arm in ("vanilla", "longstep_sft") for benchmark in ("medqa", "jama") for place in (0, 1)]  # fmt: skip
    return pd.DataFrame(rows)


def test_an_arm_has_one_colour_in_every_figure_and_each_benchmark_its_dashes() -> None:
    votes = accuracy_over_votes(curve(method=("majority", "adaptive"), k=(4, 8), mean_tokens=(40.0, 60.0)))
    budgets = accuracy_over_budgets(curve(budget=(16, 32), forced=(1.0, 0.5)))
    bars = accuracy_of_arms(curve(mean_tokens=(10.0, 20.0)))
    colours = {bar.name: bar.marker.color for bar in bars.data}
    for figure in (votes, budgets):
        drawn = [trace for trace in figure.data if trace.mode == "lines+markers"]
        assert [trace.name for trace in drawn] == [
            "vanilla, medqa", "vanilla, jama", "longstep_sft, medqa", "longstep_sft, jama"
        ]  # fmt: skip
        assert all(trace.line.color == colours[trace.name.partition(",")[0]] for trace in drawn)
        assert len({(trace.line.color, trace.line.dash) for trace in drawn}) == len(drawn)
