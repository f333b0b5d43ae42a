"""Chain lengths, compared with the paper's: a table and a figure.

The paper reports mean lengths of its training chains, 729 tokens for LongStep and
1,223 for LongMonolog (arXiv 2501.06458); counts here are by the teacher's own tokenizer, so the comparison is rough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from medo1.chains.formats import FORMATS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PAPER_MEAN_TOKENS: Mapping[str, float] = {
    name: format.paper_mean_tokens for name, format in FORMATS.items() if format.paper_mean_tokens is not None
}
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def length_rows(lengths: Mapping[str, Sequence[int]], unknown: Mapping[str, int] | None = None) -> list[dict[str, Any]]:
    """One row a format: chains, mean, quantiles, least and greatest, in tokens, and the paper's mean.

    Args:
        lengths: tokens of each chain, by format, for the chains whose length is known.
        unknown: how many more chains have no known length.
    """
    import numpy as np

    rows = []
    for name, values in lengths.items():
        tokens = np.asarray(values, dtype=float)
        quantiles = np.quantile(tokens, QUANTILES) if len(tokens) else [float("nan")] * len(QUANTILES)
        rows.append(
            {
                "format": name,
                "chains": len(tokens) + (unknown or {}).get(name, 0),
                "counted": len(tokens),
                "mean": float(tokens.mean()) if len(tokens) else float("nan"),
                **{f"q{round(100 * q):02d}": float(value) for q, value in zip(QUANTILES, quantiles, strict=True)},
                "least": float(tokens.min()) if len(tokens) else float("nan"),
                "greatest": float(tokens.max()) if len(tokens) else float("nan"),
                "paper_mean": PAPER_MEAN_TOKENS.get(name, float("nan")),
            }
        )
    return rows


def length_figure(lengths: Mapping[str, Iterable[int]]) -> Figure:
    """The distribution of lengths, one box a format whose lengths are known, with the paper's means as diamonds."""
    import plotly.graph_objects as go

    figure = go.Figure()
    known = {name: tokens for name, values in lengths.items() if (tokens := list(values))}
    for name, tokens in known.items():
        figure.add_trace(go.Box(x=tokens, name=name, boxmean=True, showlegend=False))
    told = {name: mean for name, mean in PAPER_MEAN_TOKENS.items() if name in known}
    if told:
        figure.add_trace(
            go.Scatter(
                x=list(told.values()),
                y=list(told),
                mode="markers",
                marker={"symbol": "diamond", "size": 11, "color": "black"},
                name="mean in the paper",
            )
        )
    figure.update_layout(xaxis_title="tokens (the teacher's tokenizer)", template="plotly_white")
    return figure
