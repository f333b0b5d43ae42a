"""The page: one HTML file, complete without a network. Whatever a model wrote is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from medo1.frames import Frame, records
from medo1.pipelines.reporting.params import ReportingParams
from medo1.vocabulary import ADAPTIVE_VOTE


@dataclass(frozen=True, slots=True)
class Section:
    """A figure under its heading."""

    heading: str
    figure: Any


def rendered(
    params: ReportingParams,
    *,
    results: Frame,
    comparisons: Frame,
    vote_curve: Frame,
    budget_curve: Frame,
    tokens: Frame,
    outcomes: Frame,
    ingest: dict[str, Any],
    clustered: Frame,
    filters: dict[str, dict[str, Any]],
    sections: Sequence[Section],
) -> str:
    """The page's HTML, Plotly's script inside."""
    import plotly.io as pio
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    template = files("medo1.pipelines.reporting").joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    drawn = [
        {
            "heading": section.heading,
            # A fixed id, so that the same figures give the same bytes.
            "html": Markup(  # noqa: S704  (Plotly escapes what it draws)
                pio.to_html(section.figure, full_html=False, include_plotlyjs=False, div_id=f"figure-{place}")
            ),
        }
        for place, section in enumerate(sections)
        if section.figure.data
    ]
    compared = {(row["arm"], row["benchmark"]): row for row in records(comparisons)}
    return environment.from_string(template).render(
        params=params,
        plotly=Markup(get_plotlyjs()),  # noqa: S704
        results=records(results),
        compared=compared,
        votes=[row for row in records(vote_curve) if row["method"] in ("majority", ADAPTIVE_VOTE)],
        budgets=records(budget_curve) if budget_curve["budget"].nunique() > 1 else [],
        spent={(row["arm"], row["benchmark"], row["draw"], row["part"]): row for row in records(tokens)},
        outcomes=records(outcomes),
        ingest=ingest,
        clustered=[row for row in records(clustered) if row["clusters"] < row["questions"] or row["subset"] == "clean"],
        filters=filters,
        sections=drawn,
    )
