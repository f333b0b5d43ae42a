"""How an arm looks: one colour and one marker, the same in every figure of every report.

The paper's arms have fixed places. Any other arm's place comes from its name; only where two arms of one report
fall on the same place does the later in the alphabet move on. Colours are told apart in deuteranopia too, and stand
out from a white and
from a dark page (a test measures both); the marker tells arms apart where there is no colour at all.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Look(NamedTuple):
    """A place of the palette."""

    light: str  # on a white page
    dark: str  # on a dark one
    marker: str


LOOKS = (
    Look("#545861", "#d6dfe7", "circle"),
    Look("#383585", "#386bfa", "square"),
    Look("#a42e0c", "#f2ab83", "diamond"),
    Look("#278d73", "#4bb3a1", "triangle"),
    Look("#e555cd", "#ba42a6", "down"),
    Look("#c85d00", "#e07a12", "plus"),
    Look("#364b00", "#e7e824", "star"),
    Look("#5a37d1", "#bfb2f9", "cross"),
    Look("#e86882", "#bb5752", "bar"),
    Look("#0083be", "#2da6fa", "hexagon"),
)
OTHER_RUN = re.compile(r" \([A-Z]\)$")  # what `kedro compare` adds to the arms of the runs after the first
FIXED = {
    "vanilla": 0,
    "vanilla_cot": 1,
    "cot_sft": 2,
    "longstep_sft": 3,
    "longmonolog_sft": 4,
    "direct": 7,
    "cot": 9,
    "control_answer": 8,
    "control_shuffled": 6,
    "control_filler": 5,
}


def places(names: Iterable[str]) -> dict[str, int]:
    """The place of each arm in `LOOKS`. Beyond as many arms as there are looks, looks repeat; an arm of another run,
    such as `longstep_sft (B)`, looks like the arm.
    """
    named = {name: OTHER_RUN.sub("", name) for name in names}
    names = list(dict.fromkeys(named.values()))
    found = {name: FIXED[name] for name in names if name in FIXED}
    for name in sorted(set(names) - set(found)):
        first = int(hashlib.sha256(name.encode()).hexdigest(), 16) % len(LOOKS)
        free = [(first + step) % len(LOOKS) for step in range(len(LOOKS))]
        found[name] = next((place for place in free if place not in found.values()), first)
    return {name: found[arm] for name, arm in named.items()}


def colour_rules(theme: str) -> str:
    """CSS that gives each place its colour in a theme, `light` or `dark`."""
    return "".join(f".a{place}{{--c:{getattr(look, theme)}}}" for place, look in enumerate(LOOKS))


def marker(place: int, x: float, y: float, size: float = 4.5) -> str:
    """The marker of a place as SVG, centred on x, y."""
    shape = LOOKS[place % len(LOOKS)].marker
    return f'<path class="mark a{place}" d="{_PATHS[shape](x, y, size)}"/>'


def _polygon(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points) + "Z"


def _turned(x: float, y: float, r: float, angles: Iterable[float], radii: Iterable[float] = ()) -> str:
    from math import cos, radians, sin

    angles = list(angles)
    sizes = list(radii) or [r] * len(angles)
    return _polygon(
        (x + size * cos(radians(angle)), y + size * sin(radians(angle)))
        for angle, size in zip(angles, sizes, strict=True)
    )


def _star(x: float, y: float, r: float) -> str:
    return _turned(x, y, r, [36 * n - 90 for n in range(10)], [1.35 * r, 0.6 * r] * 5)


# A plus, from its top left corner, in units of its arm: where a corner is across and down.
PLUS = ((-0.42, -1.15), (0.42, -1.15), (0.42, -0.42), (1.15, -0.42), (1.15, 0.42), (0.42, 0.42))
EIGHTH = 0.71  # cosine and sine of 45 degrees


def _plus_corners(r: float) -> list[tuple[float, float]]:
    half = [(r * across, r * down) for across, down in PLUS]
    return half + [(-across, -down) for across, down in half]


def _plus(x: float, y: float, r: float) -> str:
    return _polygon((x + dx, y + dy) for dx, dy in _plus_corners(r))


def _cross(x: float, y: float, r: float) -> str:
    return _polygon((x + (dx - dy) * EIGHTH, y + (dx + dy) * EIGHTH) for dx, dy in _plus_corners(r))


def _circle(x: float, y: float, r: float) -> str:
    return f"M{x - r:.1f},{y:.1f}a{r},{r} 0 1 0 {2 * r},0a{r},{r} 0 1 0 {-2 * r},0Z"


_PATHS = {
    "circle": _circle,
    "square": lambda x, y, r: _polygon([(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)]),
    "diamond": lambda x, y, r: _turned(x, y, 1.3 * r, (0, 90, 180, 270)),
    "triangle": lambda x, y, r: _turned(x, y, 1.3 * r, (-90, 30, 150)),
    "down": lambda x, y, r: _turned(x, y, 1.3 * r, (90, 210, 330)),
    "hexagon": lambda x, y, r: _turned(x, y, 1.15 * r, range(0, 360, 60)),
    "plus": _plus,
    "cross": _cross,
    "star": _star,
    "bar": lambda x, y, r: _polygon(
        [(x - 0.5 * r, y - 1.3 * r), (x + 0.5 * r, y - 1.3 * r), (x + 0.5 * r, y + 1.3 * r), (x - 0.5 * r, y + 1.3 * r)]
    ),
}


def legend(names: Mapping[str, int]) -> str:
    """A list of arms with colour and marker, as HTML."""
    from html import escape

    items = "".join(
        f'<li><svg viewBox="0 0 26 14" width="26" height="14" aria-hidden="true"><path class="line a{place}" '
        f'd="M1,7H25"/>{marker(place, 13, 7)}</svg>{escape(name)}</li>'
        for name, place in names.items()
    )
    return f'<ul class="legend">{items}</ul>'
