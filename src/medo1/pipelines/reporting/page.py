"""The page: one HTML file, complete without a network. Whatever a model wrote is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any


def rendered(figures: Mapping[str, Any], **values: Any) -> str:
    """The page's HTML, Plotly's script inside.

    Args:
        figures: Plotly figures by the heading that each stands under; an empty one is left out.
        values: what the template shows besides.
    """
    import plotly.io as pio
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    template = files("medo1.pipelines.reporting").joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    drawn = [
        {
            "heading": heading,
            # A fixed id, so that the same figures give the same bytes.
            "html": Markup(  # noqa: S704  (Plotly escapes what it draws)
                pio.to_html(figure, full_html=False, include_plotlyjs=False, div_id=f"figure-{place}")
            ),
        }
        for place, (heading, figure) in enumerate(figures.items())
        if figure.data
    ]
    plotly = Markup(get_plotlyjs())  # noqa: S704
    return environment.from_string(template).render(plotly=plotly, sections=drawn, **values)
