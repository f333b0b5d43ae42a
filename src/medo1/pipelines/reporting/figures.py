"""Figures of the report, as Plotly objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from medo1.frames import Frame
from medo1.vocabulary import ADAPTIVE_VOTE

COLOURS = ("#7a869a", "#4c78a8", "#f2a541", "#2a9d8f", "#b5446e", "#6a4c93", "#8d6b4f", "#3d405b")
DASHES = ("solid", "dot", "dash", "dashdot")  # of benchmarks
TOKENS = [digit * 10**power for power in range(7) for digit in (1, 2, 5)]  # marks of an axis of tokens
LAYOUT: dict[str, Any] = {
    "template": "plotly_white",
    "font": {"family": "system-ui, sans-serif", "size": 14},
    "margin": {"l": 60, "r": 20, "t": 30, "b": 50},
    "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},  # it grows upwards, and the margin with it
    "height": 420,
}


class Line(NamedTuple):
    """How the line of an arm on a benchmark looks, in every figure alike: the arm's colour, the benchmark's dashes."""

    name: str
    colour: str
    dash: str
    rows: Frame


def lines(table: Frame) -> Iterator[Line]:
    """A line for each arm and benchmark of a table, in the table's order."""
    arms, benchmarks = list(table["arm"].unique()), list(table["benchmark"].unique())
    for (arm, benchmark), rows in table.groupby(["arm", "benchmark"], sort=False):
        name = str(arm) if len(benchmarks) == 1 else f"{arm}, {benchmark}"
        colour = COLOURS[arms.index(arm) % len(COLOURS)]
        yield Line(name, colour, DASHES[benchmarks.index(benchmark) % len(DASHES)], rows)


def accuracy_of_arms(results: Frame) -> Any:
    """Accuracy with its interval, a bar per arm, grouped by benchmark; mean tokens in the hover text."""
    import plotly.graph_objects as go

    figure = go.Figure(layout=LAYOUT)
    for place, (arm, rows) in enumerate(results.groupby("arm", sort=False)):
        figure.add_bar(
            name=arm,
            x=rows["benchmark"].tolist(),
            y=rows["accuracy"].tolist(),
            error_y={
                "type": "data",
                "symmetric": False,
                "array": (rows["accuracy_high"] - rows["accuracy"]).tolist(),
                "arrayminus": (rows["accuracy"] - rows["accuracy_low"]).tolist(),
            },
            marker_color=COLOURS[place % len(COLOURS)],
            customdata=rows["mean_tokens"].tolist(),
            hovertemplate="%{x}: %{y:.1%}, %{customdata:.0f} tokens on average<extra>" + str(arm) + "</extra>",
        )
    figure.update_yaxes(title="accuracy (greedy)", tickformat=".0%", range=[0, 1.02])
    return figure


def accuracy_by_difficulty(by_difficulty: Frame) -> Any:
    """Accuracy (left) and mean tokens (right) over difficulty, a line per arm and benchmark; empty where nothing is
    graded. The difficulty of one benchmark is not that of another, so they never share a line."""
    from plotly.subplots import make_subplots

    figure = make_subplots(cols=2, subplot_titles=("accuracy", "mean tokens"))
    figure.update_layout(LAYOUT)
    figure.update_layout(margin={"t": 80}, legend={"y": 1.12})  # above the titles of the two parts
    for line in lines(by_difficulty):
        ordered = line.rows.sort_values("difficulty")
        for column, (name, number) in enumerate((("accuracy", ".1%"), ("mean_tokens", ".0f")), start=1):
            figure.add_scatter(
                row=1,
                col=column,
                name=line.name,
                legendgroup=line.name,
                showlegend=column == 1,
                x=ordered["difficulty"].tolist(),
                y=ordered[name].tolist(),
                mode="lines+markers",
                line={"color": line.colour, "dash": line.dash},
                hovertemplate=f"difficulty %{{x}}: %{{y:{number}}}<extra>{line.name}</extra>",
            )
    figure.update_xaxes(title="difficulty", dtick=1)
    figure.update_yaxes(tickformat=".0%", range=[0, 1.05], col=1)
    return figure


def accuracy_over_votes(vote_curve: Frame) -> Any:
    """Accuracy of the majority over the tokens that its votes cost, a line per arm and benchmark with its interval, and
    a star marks adaptive stopping."""
    import plotly.graph_objects as go

    figure = go.Figure(layout=LAYOUT)
    for line in lines(vote_curve):
        fixed = line.rows[line.rows["method"] == "majority"].sort_values("k")
        _line_with_interval(figure, line, fixed, "mean_tokens", fixed["k"].tolist(), "k = %{customdata}")
        stopped = line.rows[line.rows["method"] == ADAPTIVE_VOTE]
        figure.add_scatter(
            name=line.name,
            legendgroup=line.name,
            showlegend=False,
            x=stopped["mean_tokens"].tolist(),
            y=stopped["accuracy"].tolist(),
            customdata=stopped["k"].tolist(),
            mode="markers",
            marker={"color": line.colour, "symbol": "star", "size": 13},
            hovertemplate=(
                f"until decided, at most %{{customdata}}: %{{y:.1%}}, %{{x:.0f}} tokens<extra>{line.name}</extra>"
            ),
        )
    figure.update_xaxes(
        title="tokens per question over all votes (star: drawn until decided)",
        type="log",
        tickvals=TOKENS,
        ticktext=[f"{tokens:,}" for tokens in TOKENS],
    )
    figure.update_yaxes(title="accuracy", tickformat=".0%", range=[0, 1.02])
    return figure


def accuracy_over_budgets(budget_curve: Frame) -> Any:
    """Greedy accuracy over the thinking budget, a line per arm and benchmark with its interval."""
    import plotly.graph_objects as go

    figure = go.Figure(layout=LAYOUT)
    if not len(budget_curve) or budget_curve["budget"].nunique() == 1:
        return figure  # one budget is no curve
    for line in lines(budget_curve):
        ordered = line.rows.sort_values("budget")
        forced = ordered["forced"].tolist()
        _line_with_interval(figure, line, ordered, "budget", forced, "%{customdata:.0%} of thoughts cut")
    budgets = sorted(set(budget_curve["budget"]))
    figure.update_xaxes(
        title="thinking budget, tokens", type="log", tickvals=budgets, ticktext=[str(b) for b in budgets]
    )
    figure.update_yaxes(title="accuracy (greedy)", tickformat=".0%", range=[0, 1.02])
    return figure


def _line_with_interval(figure: Any, line: Line, rows: Frame, x: str, customdata: list[Any], told: str) -> None:
    """A line of `accuracy` over column `x`, with whiskers for its interval."""
    figure.add_scatter(
        name=line.name,
        legendgroup=line.name,
        x=rows[x].tolist(),
        y=rows["accuracy"].tolist(),
        error_y={
            "type": "data",
            "symmetric": False,
            "array": (rows["accuracy_high"] - rows["accuracy"]).tolist(),
            "arrayminus": (rows["accuracy"] - rows["accuracy_low"]).tolist(),
            "thickness": 1,
            "width": 3,
        },
        customdata=customdata,
        mode="lines+markers",
        line={"color": line.colour, "dash": line.dash},
        hovertemplate=f"{told}: %{{y:.1%}} at %{{x:.0f}} tokens<extra>{line.name}</extra>",
    )
