"""Figures of the report, as Plotly objects."""

from __future__ import annotations

from typing import Any

from medo1.frames import Frame

COLOURS = ("#7a869a", "#4c78a8", "#f2a541", "#2a9d8f", "#b5446e", "#6a4c93", "#8d6b4f", "#3d405b")
DASHES = ("solid", "dot", "dash", "dashdot")  # of benchmarks
LAYOUT: dict[str, Any] = {
    "template": "plotly_white",
    "font": {"family": "system-ui, sans-serif", "size": 14},
    "margin": {"l": 60, "r": 20, "t": 30, "b": 50},
    "legend": {"orientation": "h", "y": 1.12},
    "height": 420,
}


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
    figure.update_layout(margin={"t": 80}, legend={"y": 1.3})  # above the titles of the two parts
    benchmarks = list(by_difficulty["benchmark"].unique())
    arms = list(by_difficulty["arm"].unique())
    for (arm, benchmark), rows in by_difficulty.groupby(["arm", "benchmark"], sort=False):
        place = arms.index(arm)
        name_shown = arm if len(benchmarks) == 1 else f"{arm}, {benchmark}"
        dash = DASHES[benchmarks.index(benchmark) % len(DASHES)]
        ordered = rows.sort_values("difficulty")
        colour = COLOURS[place % len(COLOURS)]
        for column, (name, number) in enumerate((("accuracy", ".1%"), ("mean_tokens", ".0f")), start=1):
            figure.add_scatter(
                row=1,
                col=column,
                name=name_shown,
                legendgroup=name_shown,
                showlegend=column == 1,
                x=ordered["difficulty"].tolist(),
                y=ordered[name].tolist(),
                mode="lines+markers",
                line={"color": colour, "dash": dash},
                hovertemplate=f"difficulty %{{x}}: %{{y:{number}}}<extra>{name_shown}</extra>",
            )
    figure.update_xaxes(title="difficulty", dtick=1)
    figure.update_yaxes(tickformat=".0%", range=[0, 1.05], col=1)
    return figure


def accuracy_over_votes(vote_curve: Frame) -> Any:
    """Accuracy of the majority over the tokens that its votes cost, a line per arm and benchmark with its interval, and
    a star where drawing stops by itself."""
    import plotly.graph_objects as go

    figure = go.Figure(layout=LAYOUT)
    several = vote_curve["benchmark"].nunique() > 1
    for place, ((arm, benchmark), rows) in enumerate(vote_curve.groupby(["arm", "benchmark"], sort=False)):
        name, colour = f"{arm} · {benchmark}" if several else str(arm), COLOURS[place % len(COLOURS)]
        fixed = rows[rows["method"] == "majority"].sort_values("k")
        _line_with_interval(figure, name, colour, fixed, "mean_tokens", fixed["k"].tolist(), "k = %{customdata}")
        stopped = rows[rows["method"] == "adaptive"]
        figure.add_scatter(
            name=name,
            legendgroup=name,
            showlegend=False,
            x=stopped["mean_tokens"].tolist(),
            y=stopped["accuracy"].tolist(),
            customdata=stopped["k"].tolist(),
            mode="markers",
            marker={"color": colour, "symbol": "star", "size": 13},
            hovertemplate="until decided, at most %{customdata}: %{y:.1%}, %{x:.0f} tokens<extra>" + name + "</extra>",
        )
    figure.update_xaxes(title="tokens a question for all its votes (star: drawn until decided)", type="log")
    figure.update_yaxes(title="accuracy", tickformat=".0%", range=[0, 1.02])
    return figure


def accuracy_over_budgets(budget_curve: Frame) -> Any:
    """Greedy accuracy over the thinking budget, a line per arm and benchmark with its interval."""
    import plotly.graph_objects as go

    figure = go.Figure(layout=LAYOUT)
    if not len(budget_curve) or budget_curve["budget"].nunique() == 1:
        return figure  # one budget is no curve
    several = budget_curve["benchmark"].nunique() > 1
    for place, ((arm, benchmark), rows) in enumerate(budget_curve.groupby(["arm", "benchmark"], sort=False)):
        name, colour = f"{arm} · {benchmark}" if several else str(arm), COLOURS[place % len(COLOURS)]
        ordered = rows.sort_values("budget")
        _line_with_interval(
            figure, name, colour, ordered, "budget", ordered["forced"].tolist(), "%{customdata:.0%} of thoughts cut"
        )
    budgets = sorted(set(budget_curve["budget"]))
    figure.update_xaxes(
        title="thinking budget, tokens", type="log", tickvals=budgets, ticktext=[str(b) for b in budgets]
    )
    figure.update_yaxes(title="accuracy (greedy)", tickformat=".0%", range=[0, 1.02])
    return figure


def _line_with_interval(
    figure: Any, name: str, colour: str, rows: Frame, x: str, customdata: list[Any], told: str
) -> None:
    """A line of `accuracy` over column `x`, with whiskers for its interval."""
    figure.add_scatter(
        name=name,
        legendgroup=name,
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
        line={"color": colour},
        hovertemplate=f"{told}: %{{y:.1%}} at %{{x:.0f}} tokens<extra>{name}</extra>",
    )
