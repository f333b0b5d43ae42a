"""What a training looked like: one example token by token, lengths, and the curves. Model text is escaped
everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from itertools import cycle
from typing import Any

from medo1.training.examples import TrainingExample
from medo1.training.spec import TrainingSpec
from medo1.training.templates import IGNORED, ChatTemplate

SHOWN_TOKENS = 600
CURVES = {
    "loss": "loss (nats a token)",
    "learning_rate": "learning rate",
    "grad_norm": "norm of the gradient",
    "eval_loss": "loss on dev examples",
    "eval_accuracy": "accuracy on dev questions",
    "eval_unfinished": "unfinished answers to dev questions",
}
_WIDTH, _HEIGHT, _EDGE = 460, 150, 66

_STYLE = """
body{margin:0 auto;max-width:64rem;padding:2rem 1.25rem;font:16px/1.55 system-ui,sans-serif;color:#1f2933}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}.soft{color:#52606d}
.tokens{font:13px/1.9 ui-monospace,monospace;white-space:pre-wrap;border:1px solid #d9e2ec;padding:.75rem}
.tokens span{background:#f5f7fa;color:#7b8794}.tokens .on{background:#d3f0e8;color:#0b4f43}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:.25rem .7rem;
border-bottom:1px solid #d9e2ec;text-align:right}
th:first-child,td:first-child{text-align:left}figure{display:inline-block;margin:.5rem 1rem .5rem 0}
figcaption{font-size:.85rem;color:#52606d}.wide{overflow-x:auto}
"""


def masked_example(examples: Sequence[TrainingExample], template: ChatTemplate, spec: TrainingSpec) -> dict[str, Any]:
    """The shortest example as tokens, and whether the loss covers each: `example`, a list of `[text, trained]`."""
    if not examples:
        return {"example": []}
    shortest = min(examples, key=lambda one: (one.prompt_tokens + one.completion_tokens, one.question_id, one.sample))
    tokens = template.tokenized(shortest.prompt, shortest.completion)
    ids, labels = tokens.ids, tokens.labels(spec.train_after_stop)
    shown = [[text, label != IGNORED] for text, label in zip(template.tokens_of(ids), labels, strict=True)]
    return {"example": shown, "example_question_id": shortest.question_id}


def curve_figure(log: Sequence[Mapping[str, Any]], name: str) -> Any:
    """Loss, learning rate, norm of the gradient and what was seen on dev, over the steps; a Plotly figure."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    curves = {column: points for column in CURVES if (points := _points(log, column))}
    figure = make_subplots(rows=max(len(curves), 1), cols=1, shared_xaxes=True, vertical_spacing=0.04)
    for row, (column, points) in enumerate(curves.items(), 1):
        figure.add_trace(
            go.Scatter(
                x=[step for step, _ in points],
                y=[value for _, value in points],
                name=CURVES[column],
                mode="lines+markers" if column.startswith("eval") else "lines",
            ),
            row=row,
            col=1,
        )
    figure.update_layout(template="plotly_white", title=f"{name}: training", height=180 * max(len(curves), 1) + 120)
    figure.update_xaxes(title="optimizer step", row=max(len(curves), 1), col=1)
    return figure


def curves_together(figures: Mapping[str, Any]) -> Any:
    """The curves of several trainings in one Plotly figure: a panel for each that one of them has, a line a training.

    Args:
        figures: of `curve_figure`, by the trainings' names.
    """
    import plotly.graph_objects as go
    from plotly.colors import qualitative
    from plotly.subplots import make_subplots

    panels = list(dict.fromkeys(trace.name for figure in figures.values() for trace in figure.data))
    whole = make_subplots(
        rows=max(len(panels), 1), cols=1, shared_xaxes=True, vertical_spacing=0.06, subplot_titles=panels or None
    )
    shown: set[str] = set()
    for (name, figure), colour in zip(figures.items(), cycle(qualitative.Safe), strict=False):
        for trace in figure.data:
            line = go.Scatter(
                x=trace.x, y=trace.y, mode=trace.mode, name=name, legendgroup=name, showlegend=name not in shown,
                line={"color": colour}, marker={"color": colour},
            )  # fmt: skip
            shown.add(name)
            whole.add_trace(line, row=panels.index(trace.name) + 1, col=1)
    whole.update_layout(template="plotly_white", title="training", height=180 * max(len(panels), 1) + 120)
    whole.update_xaxes(title="optimizer step", row=max(len(panels), 1), col=1)
    return whole


def training_page(
    name: str,
    *,
    log: Sequence[Mapping[str, Any]],
    timing: Sequence[Mapping[str, Any]],
    lengths: Sequence[Mapping[str, Any]],
    rejected: Sequence[Mapping[str, Any]],
    template: Mapping[str, Any],
    estimate: Mapping[str, Any],
) -> str:
    """A page of its own, without scripts: curves, what was learnt token by token, lengths, rejected chains."""
    drawn = "".join(_drawn(_points(log, column), label) for column, label in CURVES.items())
    drawn += _drawn(_points(timing, "tokens_per_s"), "tokens a second")
    marks = "".join(
        f"<span{' class=on' if trained else ''}>{escape(str(text))}</span>"
        for text, trained in list(template.get("example", []))[:SHOWN_TOKENS]
    )
    facts = {
        "trained stop token": template.get("trained_stop_token"),
        "tokens that engines stop on": ", ".join(map(str, template.get("stop_tokens", []))),
        "padding": template.get("pad_token"),
        "chat_template_kwargs": template.get("chat_template_kwargs"),
        "chains that the template itself would have changed": template.get("template_would_rewrite"),
        "examples": len(lengths) - sum(row["outcome"] != "kept" for row in lengths),
        "rejected chains": len(rejected),
        "longest example (tokens)": max((row["tokens"] for row in lengths), default=0),
        "examples above max_tokens": sum(row["over"] > 0 for row in lengths),
        "of these would lose their answer if cut": sum(
            row["over"] > 0 and not row["answer_survives"] for row in lengths
        ),
        "steps": estimate.get("steps"),
        "weights trained": f"{estimate.get('trained', 0):,} of {estimate.get('weights', 0):,}",
        "memory estimated (GiB a device)": estimate.get("needed_gib"),
        "time estimated (s)": estimate.get("seconds"),
        "time taken (s)": round(sum(row["seconds"] for row in timing), 1),
    }
    rows = "".join(f"<tr><td>{escape(key)}</td><td>{escape(str(value))}</td></tr>" for key, value in facts.items())
    bad = "".join(
        f"<tr><td>{escape(str(row['question_id']))}</td><td>{row['sample']}</td><td>{escape(str(row['reason']))}</td></tr>"
        for row in list(rejected)[:50]
    )
    table = f"<h2>Rejected chains</h2><div class=wide><table>{bad}</table></div>" if bad else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(name)}: training</title>'
        f"<style>{_STYLE}</style><h1>{escape(name)}: training</h1><h2>Curves</h2>{drawn}"
        "<div class=wide><table><tr><th>step</th><th>loss</th><th>learning rate</th><th>gradient</th></tr>"
        f"{_table(log)}</table></div><h2>What is learnt</h2><p class=soft>One example as the model reads it. The loss "
        "covers the green tokens: the chain and the token that ends it.</p>"
        f"<div class=tokens>{marks}</div><h2>Numbers</h2><table>{rows}</table>{table}</html>\n"
    )


def _table(log: Sequence[Mapping[str, Any]], most: int = 20) -> str:
    steps = [row for row in log if _number(row["loss"]) is not None]
    every = max(1, len(steps) // most)
    chosen = [*steps[::every], *([steps[-1]] if steps and (len(steps) - 1) % every else [])]
    cells = ("loss", "learning_rate", "grad_norm")
    return "".join(
        f"<tr><td>{row['step']}</td>{''.join(f'<td>{_short(_number(row[cell]))}</td>' for cell in cells)}</tr>"
        for row in chosen
    )


def _points(rows: Sequence[Mapping[str, Any]], column: str) -> list[tuple[int, float]]:
    return [(int(row["step"]), value) for row in rows if (value := _number(row.get(column))) is not None]


def _number(value: Any) -> float | None:
    """A number; None for what is absent (a table keeps it as NaN)."""
    return None if value is None or value != value else float(value)  # noqa: PLR0124


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _drawn(points: Sequence[tuple[int, float]], label: str) -> str:
    """A curve as SVG, its axes marked with their ends."""
    if not points:
        return ""
    first, last = points[0][0], points[-1][0]
    low, high = min(value for _, value in points), max(value for _, value in points)
    across, up = max(last - first, 1), (high - low) or 1.0
    drawn = " ".join(
        f"{_EDGE + (step - first) / across * (_WIDTH - _EDGE - 8):.1f},{8 + (high - value) / up * (_HEIGHT - 30):.1f}"
        for step, value in points
    )
    marks = "".join(
        f'<circle cx="{place.partition(",")[0]}" cy="{place.partition(",")[2]}" r="2.5" fill="#2a9d8f"/>'
        for place in (drawn.split() if len(points) <= 20 else [])  # noqa: PLR2004
    )
    text = 'font-size="11" fill="#52606d"'
    return (
        f'<figure><svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="{escape(label)}">'
        f'<line x1="{_EDGE}" y1="8" x2="{_EDGE}" y2="{_HEIGHT - 22}" stroke="#d9e2ec"/>'
        f'<line x1="{_EDGE}" y1="{_HEIGHT - 22}" x2="{_WIDTH - 8}" y2="{_HEIGHT - 22}" stroke="#d9e2ec"/>'
        f'<polyline fill="none" stroke="#2a9d8f" stroke-width="1.6" points="{drawn}"/>{marks}'
        f'<text x="{_EDGE - 4}" y="14" text-anchor="end" {text}>{_short(high)}</text>'
        f'<text x="{_EDGE - 4}" y="{_HEIGHT - 22}" text-anchor="end" {text}>{_short(low)}</text>'
        f'<text x="{_EDGE}" y="{_HEIGHT - 6}" {text}>step {first}</text>'
        f'<text x="{_WIDTH - 8}" y="{_HEIGHT - 6}" text-anchor="end" {text}>{last}</text></svg>'
        f"<figcaption>{escape(label)}</figcaption></figure>"
    )
