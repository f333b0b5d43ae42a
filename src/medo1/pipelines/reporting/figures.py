"""Figures of the report, as Plotly objects."""

from __future__ import annotations

from typing import Any

from medo1.frames import Frame

COLOURS = ("#7a869a", "#4c78a8", "#f2a541", "#2a9d8f", "#b5446e", "#6a4c93", "#8d6b4f", "#3d405b")
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
    """Accuracy (left) and mean tokens (right) over difficulty, a line per arm; empty where nothing is graded."""
    from plotly.subplots import make_subplots

    figure = make_subplots(cols=2, subplot_titles=("accuracy", "mean tokens"))
    figure.update_layout(LAYOUT)
    figure.update_layout(margin={"t": 80}, legend={"y": 1.3})  # above the titles of the two parts
    for place, (arm, rows) in enumerate(by_difficulty.groupby("arm", sort=False)):
        ordered = rows.sort_values("difficulty")
        colour = COLOURS[place % len(COLOURS)]
        for column, (name, number) in enumerate((("accuracy", ".1%"), ("mean_tokens", ".0f")), start=1):
            figure.add_scatter(
                row=1,
                col=column,
                name=arm,
                legendgroup=arm,
                showlegend=column == 1,
                x=ordered["difficulty"].tolist(),
                y=ordered[name].tolist(),
                mode="lines+markers",
                line={"color": colour},
                hovertemplate=f"difficulty %{{x}}: %{{y:{number}}}<extra>{arm}</extra>",
            )
    figure.update_xaxes(title="difficulty", dtick=1)
    figure.update_yaxes(tickformat=".0%", range=[0, 1.05], col=1)
    return figure


def accuracy_over_votes(vote_curve: Frame) -> Any:
    """Accuracy of the majority over k sampled answers, a line per arm and benchmark."""
    import plotly.graph_objects as go

    figure = go.Figure(layout=LAYOUT)
    several = vote_curve["benchmark"].nunique() > 1
    for place, ((arm, benchmark), rows) in enumerate(vote_curve.groupby(["arm", "benchmark"], sort=False)):
        ordered = rows.sort_values("k")
        figure.add_scatter(
            name=f"{arm} · {benchmark}" if several else arm,
            x=ordered["k"].tolist(),
            y=ordered["accuracy"].tolist(),
            mode="lines+markers",
            line={"color": COLOURS[place % len(COLOURS)]},
        )
    figure.update_xaxes(title="votes k (sampled)", type="log", tickvals=sorted(set(vote_curve["k"])))
    figure.update_yaxes(title="accuracy", tickformat=".0%", range=[0, 1.02])
    return figure
