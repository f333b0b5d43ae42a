"""Axes: where a value stands, and which values are marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

WIDTH, HEIGHT = 340, 268
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 28, 42
MOST_TICKS = 7


@dataclass(frozen=True, slots=True)
class Axis:
    """A line of values.

    Attributes:
        low, high: the values at its ends.
        start, end: where these stand, in the units of the drawing.
        ticks: the values that are marked.
        unit: `percent`, `count` or `number`: how ticks are written.
        logarithmic: whether equal ratios, not equal differences, are equally far apart.
    """

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]
    unit: str = "number"
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """Where a value stands; at the nearest end when it lies outside."""
        value = min(max(value, self.low), self.high)
        low, high = self.low, self.high
        if self.logarithmic:
            value, low, high = log10(value), log10(low), log10(high)
        share = (value - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)

    def text(self, value: float) -> str:
        """A tick as it is written."""
        if self.unit == "percent":
            return f"{value * 100:g}"
        if abs(value) >= 1_000_000:  # noqa: PLR2004
            return f"{value / 1e6:g}M"
        return f"{value / 1000:g}k" if abs(value) >= 10_000 else f"{value:g}"  # noqa: PLR2004


def share_axis(start: float, end: float, values: Iterable[float] = ()) -> Axis:
    """From 0 to 100 %; from the last tenth below all values where some are given."""
    found = [value for value in values if isfinite(value)]
    least = min(8, max(0, floor(min(found) * 10 + 1e-9))) if found else 0
    step = 2 if least < 6 else 1  # noqa: PLR2004
    least -= least % 2
    return Axis(least / 10, 1.0, start, end, tuple(n / 10 for n in range(least, 11, step)), "percent")


def value_axis(values: Iterable[float], start: float, end: float, *, from_zero: bool = False) -> Axis:
    """Over these values, with round ticks; whole ones where all values are whole."""
    found = [value for value in values if isfinite(value)] or [0.0, 1.0]
    low, high = (0.0 if from_zero else min(found)), max(found)
    if high <= low:
        low, high = low - 0.5 * abs(low or 1), high + 0.5 * abs(high or 1)
    step = _round_step((high - low) / 4)
    if all(value == round(value) for value in found):
        step = max(1, round(step))
    low, high = floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step
    ticks = tuple(round(low + n * step, 10) for n in range(round((high - low) / step) + 1))
    return Axis(low, high, start, end, ticks)


def marked_axis(values: Iterable[float], start: float, end: float) -> Axis:
    """Logarithmic, with the values themselves as ticks where they are few; else the round ones between them."""
    found = sorted({value for value in values if isfinite(value) and value > 0}) or [1.0, 10.0]
    low, high = found[0] / 1.08, found[-1] * 1.08
    round_ones = [d * 10.0**p for p in range(floor(log10(low)), ceil(log10(high)) + 1) for d in (1, 2, 5)]
    ticks = found if len(found) <= MOST_TICKS else [tick for tick in round_ones if low <= tick <= high]
    return Axis(low, high, start, end, tuple(_apart(ticks, low, high)), logarithmic=True)


def _apart(ticks: Sequence[float], low: float, high: float) -> list[float]:
    """Ticks without those whose labels would touch the one before."""
    kept: list[float] = []
    for tick in ticks:
        if not kept or log10(tick / kept[-1]) / log10(high / low) > 0.09:  # noqa: PLR2004
            kept.append(tick)
    return kept


def _round_step(rough: float) -> float:
    power = 10.0 ** floor(log10(rough)) if rough > 0 else 1.0
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= rough * 0.999)


def frame(title: str, x: Axis, y: Axis, x_title: str, y_title: str, *, height: int = HEIGHT) -> str:
    """Grid, ticks and titles of a panel."""
    bottom = height - BOTTOM
    parts = [f'<text class="title" x="{LEFT - 34}" y="14">{escape(title)}</text>'] if title else []
    for tick in y.ticks:
        at = y.at(tick)
        parts.append(f'<path class="grid" d="M{LEFT},{at:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="tick end" x="{LEFT - 6}" y="{at + 4:.1f}">{y.text(tick)}</text>')
    for tick in x.ticks:
        at = x.at(tick)
        parts.append(f'<path class="grid" d="M{at:.1f},{bottom}v4"/>')
        parts.append(f'<text class="tick middle" x="{at:.1f}" y="{bottom + 16}">{x.text(tick)}</text>')
    parts.append(f'<path class="axis" d="M{LEFT},{bottom}H{WIDTH - RIGHT}"/>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text class="tick middle" x="{middle}" y="{height - 8}">{escape(x_title)}</text>')
    if y_title:
        turned = f"translate(11,{(TOP + bottom) / 2}) rotate(-90)"
        parts.append(f'<text class="tick middle" transform="{turned}">{escape(y_title)}</text>')
    return "".join(parts)


def panel(content: str, label: str, height: int = HEIGHT, width: int = WIDTH) -> str:
    """An SVG; `label` is what a screen reader says."""
    return f'<svg class="panel" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">{content}</svg>'
