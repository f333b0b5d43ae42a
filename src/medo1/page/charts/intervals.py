"""Values with their intervals, a row each: what the page opens with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import isfinite

from medo1.page.arm_styles import marker
from medo1.page.charts.axes import RIGHT, WIDTH, Axis, panel, share_axis, value_axis

EDGE = 12


@dataclass(frozen=True, slots=True)
class Interval:
    """A row: its name, the place of its look, its value with the interval, and the number as it is written; `hollow`
    tells whether its mark is a ring.
    """

    name: str
    place: int
    value: float
    low: float
    high: float
    told: str
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things stand: rows of a panel among others have name and number above the mark; in a wide one they stand
    beside it.

    Attributes:
        width, row, head, foot: of the panel, of a row, above the rows and below.
        start, end: of the axis.
        text, mark: where name and mark stand below a row's top; the lines of the grid go `half` above and below it.
    """

    width: int
    row: int
    head: int
    foot: int
    start: int
    end: int
    text: int
    mark: int
    half: int


NARROW = _Layout(WIDTH, 38, 26, 36, EDGE, WIDTH - RIGHT, 15, 27, 8)
WIDE = _Layout(760, 27, 8, 40, 190, 590, 18, 14, 14)


def intervals_panel(
    title: str,
    rows: Sequence[Interval],
    *,
    x_title: str,
    chance: float | None = None,
    shares: bool = True,
    counts: bool = False,
) -> str:
    """A panel: each row's name and number above its mark, so that they fit at any width.

    Args:
        title: the benchmark.
        rows: from top to bottom.
        x_title: with its unit.
        chance: where a guesser stands.
        shares: shares of 0 to 1; else differences, with a line at zero.
        counts: neither of both, but counts from zero.
    """
    return _drawn(NARROW, title, rows, x_title, chance, shares=shares and not counts, counts=counts)


def lead_panel(
    title: str, rows: Sequence[Interval], *, x_title: str, chance: float | None = None, shares: bool = True
) -> str:
    """The same as large as the page: names beside the marks; on a telephone it is as narrow as the others."""
    wide, narrow = (_drawn(layout, title, rows, x_title, chance, shares=shares) for layout in (WIDE, NARROW))
    above = f'<p class="panel-title">{escape(title)}</p>' if title else ""
    return f'<div class="lead"><div class="roomy">{above}{wide}</div><div class="narrow">{narrow}</div></div>'


def _drawn(
    layout: _Layout,
    title: str,
    rows: Sequence[Interval],
    x_title: str,
    chance: float | None,
    *,
    shares: bool,
    counts: bool = False,
) -> str:
    height = layout.head + layout.row * len(rows) + layout.foot
    bottom = height - layout.foot
    values = [value for row in rows for value in (row.value, row.low, row.high) if isfinite(value)]
    if counts:
        axis = value_axis(values, layout.start, layout.end, from_zero=True)
    else:
        axis = share_axis(layout.start, layout.end) if shares else _difference_axis(values, layout)
    named = title and layout is NARROW
    parts = [f'<text class="title" x="{EDGE}" y="14">{escape(title)}</text>'] if named else []
    marks = [layout.head + layout.row * place + layout.mark for place in range(len(rows))]
    for tick in axis.ticks:
        at = axis.at(tick)
        parts.append(f'<path class="grid" d="{_lanes(at, marks, layout.half)}M{at:.1f},{bottom}v4"/>')
        parts.append(f'<text class="tick middle" x="{at:.1f}" y="{bottom + 16}">{axis.text(tick)}</text>')
    line = chance if shares or counts else 0.0
    if line is not None:
        parts.append(f'<path class="chance" d="{_lanes(axis.at(line), marks, layout.half)}"/>')
    words = f"{x_title}{' (dashed: chance)' if shares and chance is not None else ''}"
    middle = (layout.start + layout.end) / 2
    parts.append(f'<text class="tick middle" x="{middle}" y="{height - 4}">{escape(words)}</text>')
    for place, row in enumerate(rows):
        parts.append(_row(row, axis, layout.head + layout.row * place, layout))
    said = "; ".join(f"{row.name} {row.told}" for row in rows)
    label = f"{title + ': ' if title else ''}{x_title}: {said}"
    return panel("".join(parts), label, height, layout.width)


def _lanes(at: float, marks: Sequence[int], half: int) -> str:
    """A line across, only beside the marks, so that it goes through no word."""
    return "".join(f"M{at:.1f},{mark - half}v{2 * half}" for mark in marks)


def _row(row: Interval, axis: Axis, top: float, layout: _Layout) -> str:
    middle = top + layout.mark
    shown = f'<text class="name" x="{EDGE}" y="{top + layout.text}">{escape(row.name)}</text>'
    shown += f'<text class="tick end" x="{layout.width - RIGHT}" y="{top + layout.text}">{escape(row.told)}</text>'
    if not isfinite(row.value):
        return shown
    whisker = ""
    if isfinite(row.low) and isfinite(row.high):
        whisker = (
            f'<path class="whisker thick a{row.place}" d="M{axis.at(row.low):.1f},{middle}H{axis.at(row.high):.1f}"/>'
        )
    told = escape(f"{row.name}: {row.told}")
    ring = ' class="hollow"' if row.hollow else ""
    return f"<g{ring}><title>{told}</title>{shown}{whisker}{marker(row.place, axis.at(row.value), middle, 5)}</g>"


def _difference_axis(values: Sequence[float], layout: _Layout) -> Axis:
    axis = value_axis([*values, 0.0], layout.start, layout.end)
    return Axis(axis.low, axis.high, axis.start, axis.end, axis.ticks, "percent")
