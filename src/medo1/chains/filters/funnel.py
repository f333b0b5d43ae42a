"""The funnel: how many chains reached each filter, how many it dropped, how many are left; as rows and as a figure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from medo1.chains.filters.candidate import Verdict

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def first_refusal(verdicts: Mapping[str, Verdict]) -> str | None:
    """The filter that drops a chain: the first that says no; None for a chain that is kept."""
    return next((name for name, verdict in verdicts.items() if not verdict.passed), None)


def funnel_rows(format: str, verdicts: Sequence[Mapping[str, Verdict]], order: Iterable[str]) -> list[dict[str, Any]]:
    """One row for each filter, in order: `entered` = `dropped` + `left`, and what is left enters the next.

    `refused` counts all chains that the filter says no to, also those that another dropped before; `alone` those that
    no other filter refuses, which is what leaving the filter out would bring back.
    """
    refusals = [[name for name, verdict in told.items() if not verdict.passed] for told in verdicts]
    entered = len(verdicts)
    rows = []
    for position, name in enumerate(order):
        here = sum(bool(refused) and refused[0] == name for refused in refusals)
        rows.append(
            {
                "format": format,
                "position": position,
                "filter": name,
                "entered": entered,
                "dropped": here,
                "left": entered - here,
                "refused": sum(name in refused for refused in refusals),
                "alone": sum(refused == [name] for refused in refusals),
            }
        )
        entered -= here
    return rows


def funnel_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """The funnel of one format as lines of text."""
    width = max((len(row["filter"]) for row in rows), default=0)
    lines = [f"{'filter':<{width}}  entered  dropped     left"]
    lines += [f"{row['filter']:<{width}}  {row['entered']:>7}  {row['dropped']:>7}  {row['left']:>7}" for row in rows]
    return "\n".join(lines)


def funnel_figure(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """One line of bars for each format: what is left after each filter, with what it dropped beside it."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    formats = list(dict.fromkeys(row["format"] for row in rows))
    figure = make_subplots(rows=1, cols=max(len(formats), 1), shared_yaxes=True, subplot_titles=formats or [""])
    for column, name in enumerate(formats, start=1):
        own = [row for row in rows if row["format"] == name]
        names = ["all chains", *(row["filter"] for row in own)]
        left = [own[0]["entered"], *(row["left"] for row in own)]
        gone = [0, *(row["dropped"] for row in own)]
        told = [f"{kept:,}" + (f"  \u2212{lost:,}" if lost else "") for kept, lost in zip(left, gone, strict=True)]
        first = column == 1
        figure.add_trace(
            go.Bar(
                x=left, y=names, orientation="h", name="left", marker_color="#4477aa", showlegend=first,
                hovertemplate="%{y}: %{x} left<extra></extra>",
            ),
            row=1, col=column,
        )  # fmt: skip
        figure.add_trace(
            go.Bar(
                x=gone, y=names, orientation="h", name="dropped here", marker_color="#cc6677", showlegend=first,
                text=told, textposition="outside", cliponaxis=False,
                hovertemplate="%{y}: %{x} dropped<extra></extra>",
            ),
            row=1, col=column,
        )  # fmt: skip
        figure.update_xaxes(range=[0, 1.35 * max(left[0], 1)], title_text="chains", row=1, col=column)
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(
        barmode="stack", template="plotly_white",
        height=160 + 30 * (1 + max((row["position"] for row in rows), default=0)),
        legend={"orientation": "h", "y": -0.16, "traceorder": "normal"}, margin={"l": 120, "r": 20, "t": 40, "b": 60},
    )  # fmt: skip
    return figure
