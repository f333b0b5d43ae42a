"""Counts as bars, a row each: what is left and what went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from medo1.page.charts.axes import RIGHT, WIDTH, panel

ROW, HEAD, EDGE, ROOM = 34, 24, 12, 62


@dataclass(frozen=True, slots=True)
class Bar:
    """A row: its name, how much is there, how much of the row before went, and the number as it is written.

    `beside` is a value to compare with, drawn as a line across the bar.
    """

    name: str
    value: float
    gone: float = 0.0
    told: str = ""
    beside: float | None = None


def bars_panel(title: str, bars: Sequence[Bar], *, place: int, most: float | None = None) -> str:
    """A panel of bars, all to one scale, in the colour of a place."""
    height = HEAD + ROW * len(bars) + 8
    full = most or max((bar.value + bar.gone for bar in bars), default=0) or 1.0
    room = WIDTH - RIGHT - EDGE
    parts = [f'<text class="title" x="{EDGE}" y="14">{escape(title)}</text>'] if title else []
    for number, bar in enumerate(bars):
        top = HEAD + ROW * number
        wide, lost = room * bar.value / full, room * bar.gone / full
        parts.append(f"<g><title>{escape(f'{bar.name}: {bar.told}')}</title>")
        parts.append(f'<text class="name" x="{EDGE}" y="{top + 12}">{escape(bar.name)}</text>')
        parts.append(f'<text class="tick end" x="{WIDTH - RIGHT}" y="{top + 12}">{escape(bar.told)}</text>')
        parts.append(f'<rect class="bar a{place}" x="{EDGE}" y="{top + 17}" width="{wide:.1f}" height="9" rx="2"/>')
        if lost:
            parts.append(f'<rect class="gone" x="{EDGE + wide:.1f}" y="{top + 17}" width="{lost:.1f}" height="9"/>')
        if bar.beside is not None:
            parts.append(f'<path class="beside" d="M{EDGE + room * bar.beside / full:.1f},{top + 16}v11"/>')
        parts.append("</g>")
    said = "; ".join(f"{bar.name} {bar.told}" for bar in bars)
    return panel("".join(parts), f"{title + ': ' if title else ''}{said}", height)
