"""Lines of several arms over one quantity, with intervals: a small panel for each benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import isfinite

from medo1.page.arm_styles import marker
from medo1.page.charts.axes import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    frame,
    marked_axis,
    panel,
    share_axis,
    value_axis,
)
from medo1.page.numbers_text import known

MOST_WHISKERS, MOST_MARKS = 15, 8  # in a panel; on a line
SIZE, SMALL = 4.5, 2.6  # of a marker; of one among many


@dataclass(frozen=True, slots=True)
class Point:
    """A value of a line, its interval where it has one, and what is said when it is pointed at."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    told: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """The points of an arm; `joined` tells whether a line goes through them, `hollow` whether they are drawn as
    rings.
    """

    name: str
    place: int
    points: tuple[Point, ...]
    joined: bool = True
    hollow: bool = False


def lines_panel(
    title: str,
    series: Sequence[Series],
    *,
    x_title: str,
    y_title: str = "accuracy, %",
    x_values: Iterable[float] | None = None,
    logarithmic: bool = False,
    shares: bool = True,
    chance: float | None = None,
    diagonal: bool = False,
    x_shares: bool = False,
    ratios: bool = False,
) -> str:
    """A panel.

    Args:
        title: the benchmark, or what is counted.
        series: one an arm.
        x_title, y_title: with their units.
        x_values: which values the x axis spans and marks; those of the points where none are given.
        logarithmic: whether x is.
        shares: whether y is a share of 0 to 1.
        chance: where a guesser stands.
        diagonal: whether the line on which both are equal is drawn.
        x_shares: whether x is a share of 0 to 1.
        ratios: whether y is logarithmic, for values that fall by powers of ten.
    """
    points = [point for one in series for point in one.points if isfinite(point.x) and isfinite(point.y)]
    xs = list(x_values) if x_values is not None else [point.x for point in points]
    start, end, bottom = LEFT + 8, WIDTH - RIGHT - 8, HEIGHT - BOTTOM
    if x_shares:
        x = share_axis(start, end)
    else:
        x = marked_axis(xs, start, end) if logarithmic else value_axis(xs, start, end)
    whiskers = _whiskers(series)
    if shares:
        y = share_axis(bottom, TOP, () if diagonal else [
            *(point.y for point in points), *(point.low for point in whiskers if point.low is not None),
            *([] if chance is None else [chance]),
        ])  # fmt: skip
    elif ratios:
        y = marked_axis([point.y for point in points], bottom, TOP)
    else:
        highs = [point.high for point in whiskers if point.high is not None]
        y = value_axis([*(point.y for point in points), *highs], bottom, TOP, from_zero=True)
    parts = [frame(title, x, y, x_title, y_title)]
    if diagonal:
        parts.append(f'<path class="chance" d="M{x.at(0):.1f},{y.at(0):.1f}L{x.at(1):.1f},{y.at(1):.1f}"/>')
    if chance is not None:
        at = y.at(chance)
        parts.append(f'<path class="chance" d="M{LEFT},{at:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="tick" x="{LEFT + 3}" y="{at - 4:.1f}">chance</text>')
    parts += [_drawn(one, x, y, whiskers) for one in sorted(series, key=lambda one: not one.hollow)]
    names = ", ".join(dict.fromkeys(one.name for one in series))
    of = f"{title + ': ' if title and y_title else ''}{y_title or title}"
    return panel("".join(parts), f"{of} over {x_title}, for {names}")


def _whiskers(series: Sequence[Series]) -> list[Point]:
    """The points whose intervals are drawn: all while they are few, else the last of each line."""
    found = [[p for p in one.points if known(p.low) and known(p.high)] for one in series]
    if sum(map(len, found)) <= MOST_WHISKERS:
        return [point for some in found for point in some]
    return [some[-1] for one, some in zip(series, found, strict=True) if some and one.joined]


def _drawn(one: Series, x: Axis, y: Axis, whiskers: Sequence[Point]) -> str:
    points = [point for point in one.points if isfinite(point.x) and isfinite(point.y)]
    if not points:
        return ""
    places = [(x.at(point.x), y.at(point.y), point) for point in points]
    parts = []
    for across, _, point in places:
        if point.low is not None and point.high is not None and any(point is other for other in whiskers):
            parts.append(
                f'<path class="whisker a{one.place}" d="M{across:.1f},{y.at(point.low):.1f}V{y.at(point.high):.1f}"/>'
            )
    if one.joined and len(places) > 1:
        way = "L".join(f"{across:.1f},{up:.1f}" for across, up, _ in places)
        parts.append(f'<path class="line a{one.place}" d="M{way}"/>')
    step = max(1, len(places) // MOST_MARKS) if one.joined else 1  # a curve of many points is its line
    for across, up, point in places[::-step]:
        ring = ' class="hollow"' if one.hollow else ""
        told = escape(f"{one.name}: {point.told}" if point.told else one.name)
        size = SMALL if one.hollow and len(places) > MOST_MARKS else SIZE
        parts.append(f"<g{ring}><title>{told}</title>{marker(one.place, across, up, size)}</g>")
    return "".join(parts)
