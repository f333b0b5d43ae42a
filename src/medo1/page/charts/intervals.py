"""Values with their intervals, a row each: what the page opens with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import isfinite

from medo1.page.arm_styles import marker
from medo1.page.charts.axes import RIGHT, WIDTH, Axis, panel, share_axis, value_axis

ROW, HEAD, FOOT, EDGE = 38, 26, 36, 12


@dataclass(frozen=True, slots=True)
class Interval:
    """A row: its name, the place of its look, its value with the interval, and the number as it is written."""

    name: str
    place: int
    value: float
    low: float
    high: float
    told: str


def intervals_panel(
    title: str, rows: Sequence[Interval], *, x_title: str, chance: float | None = None, shares: bool = True
) -> str:
    """A panel: each row's name and number above its mark, so that they fit at any width.

    Args:
        title: the benchmark.
        rows: from top to bottom.
        x_title: with its unit.
        chance: where a guesser stands.
        shares: shares of 0 to 1; else differences, with a line at zero.
    """
    height = HEAD + ROW * len(rows) + FOOT
    bottom = height - FOOT
    values = [value for row in rows for value in (row.value, row.low, row.high) if isfinite(value)]
    axis = share_axis(EDGE, WIDTH - RIGHT) if shares else _difference_axis(values)
    parts = [f'<text class="title" x="{EDGE}" y="14">{escape(title)}</text>'] if title else []
    for tick in axis.ticks:
        at = axis.at(tick)
        parts.append(f'<path class="grid" d="M{at:.1f},{HEAD}V{bottom}"/>')
        parts.append(f'<text class="tick middle" x="{at:.1f}" y="{bottom + 14}">{axis.text(tick)}</text>')
    line = chance if shares else 0.0
    if line is not None:
        parts.append(f'<path class="chance" d="M{axis.at(line):.1f},{HEAD}V{bottom}"/>')
    named = f"{x_title}{' (dashed: chance)' if shares and chance is not None else ''}"
    parts.append(f'<text class="tick middle" x="{(EDGE + WIDTH - RIGHT) / 2}" y="{height - 4}">{escape(named)}</text>')
    for place, row in enumerate(rows):
        parts.append(_row(row, axis, HEAD + ROW * place))
    said = "; ".join(f"{row.name} {row.told}" for row in rows)
    return panel("".join(parts), f"{title + ': ' if title else ''}{x_title}: {said}", height)


def _row(row: Interval, axis: Axis, top: float) -> str:
    middle = top + 27
    shown = f'<text class="name" x="{EDGE}" y="{top + 15}">{escape(row.name)}</text>'
    shown += f'<text class="tick end" x="{WIDTH - RIGHT}" y="{top + 15}">{escape(row.told)}</text>'
    if not isfinite(row.value):
        return shown
    whisker = ""
    if isfinite(row.low) and isfinite(row.high):
        whisker = (
            f'<path class="whisker thick a{row.place}" d="M{axis.at(row.low):.1f},{middle}H{axis.at(row.high):.1f}"/>'
        )
    told = escape(f"{row.name}: {row.told}")
    return f"<g><title>{told}</title>{shown}{whisker}{marker(row.place, axis.at(row.value), middle, 5)}</g>"


def _difference_axis(values: Sequence[float]) -> Axis:
    axis = value_axis([*values, 0.0], EDGE, WIDTH - RIGHT)
    return Axis(axis.low, axis.high, axis.start, axis.end, axis.ticks, "percent")
