"""What a section of the page is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from markupsafe import Markup

from medo1.page.arm_styles import legend
from medo1.page.charts.lines import Series, lines_panel
from medo1.page.markup import Row
from medo1.page.material import ALL, Material


class Section(NamedTuple):
    """A part of the page under a heading of its own.

    Attributes:
        anchor: its name in a link.
        heading: above it, and in the list of contents.
        needs: tables without which it is left out.
        body: its HTML.
        measures: whether it tells what a run took, which another run of the same study tells otherwise.
    """

    anchor: str
    heading: str
    needs: tuple[str, ...]
    body: Callable[[Material], Markup]
    measures: bool = False


def line_panels(
    material: Material,
    name: str,
    make: Callable[[str, int, list[Row]], Sequence[Series]],
    *,
    keep: Callable[[Row], bool] = lambda row: True,
    **shown: object,
) -> tuple[list[str], str]:
    """A panel for each benchmark of a table, and the legend of all.

    Args:
        material: the study's.
        name: the table.
        make: the lines of an arm, from its name, its place and its rows.
        keep: which rows count.
        shown: as `lines_panel` takes it; `chance` true draws the guesser's line.
    """
    rows = [row for row in material.rows(name) if keep(row)]
    arms = material.places(str(row["arm"]) for row in rows)
    x_of, guesses = shown.pop("x_of", None), shown.pop("chance", False)
    if callable(x_of):
        shown["x_values"] = [x_of(row) for row in rows]
    panels = []
    benchmarks = [one for one in material.benchmarks(name) if any(row["benchmark"] == one for row in rows)]
    for benchmark in benchmarks:
        series: list[Series] = []
        for arm, place in arms.items():
            series += make(arm, place, [row for row in rows if row["benchmark"] == benchmark and row["arm"] == arm])
        title = "" if len(benchmarks) == 1 else ("all benchmarks together" if benchmark == ALL else benchmark)
        chance = material.chance(benchmark) if guesses else None
        panels.append(lines_panel(title, series, chance=chance, **shown))  # type: ignore[arg-type]
    return panels, legend(arms)
