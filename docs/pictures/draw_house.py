"""Draws docs/pictures/house.svg: the packages of medo1, a floor for each layer of the import rules, and their imports.

    python docs/pictures/draw_house.py            # writes the picture (`make pictures`)
    python docs/pictures/draw_house.py --check    # exit 1 where the picture is not of the code as it is

Floors are the layers of `[tool.importlinter]` in pyproject.toml; arrows are the imports that grimp reads, without those
that a longer way through other rooms implies (a transitive reduction) and without those to the leaves at the foot,
which everything may use: the picture would be all arrows.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
PICTURE = Path(__file__).with_name("house.svg")
PACKAGE = "medo1"
WIDTH, GAP, MARGIN = 1000, 14, 24
BOX, FLOOR, LINE = 40, 62, 15
LEAVES = 2  # floors at the foot
WIDE = 560  # of a room that has its floor to itself
STYLE = """
  svg { background: #fff; font-family: system-ui, sans-serif; }
  .room { fill: #f3f6fa; stroke: #5b7083; } .name { font-size: 13px; font-weight: 600; fill: #16232e; }
  .inside { font-size: 10.5px; fill: #41525f; } .arrow { fill: none; stroke: #7d93a6; stroke-width: 1.1; }
  @media (prefers-color-scheme: dark) {
    svg { background: #10161b; } .room { fill: #1b242c; stroke: #7d93a6; } .name { fill: #e8eef3; }
    .inside { fill: #b3c1cc; } .arrow { stroke: #6b7f90; }
  }
"""


def layers() -> list[list[str]]:
    """Floors from the top down, each a list of packages, as the import rules name them."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    [named] = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    return [[name.strip().removeprefix(f"{PACKAGE}.") for name in layer.split("|")] for layer in named]


def imports(rooms: list[str]) -> dict[str, set[str]]:
    """The rooms that each room imports directly."""
    graph = grimp.build_graph(PACKAGE, include_external_packages=False)
    known = set(rooms)
    found: dict[str, set[str]] = {room: set() for room in rooms}
    for module in graph.modules:
        room = module.removeprefix(f"{PACKAGE}.").split(".")[0]
        for imported in graph.find_modules_directly_imported_by(module):
            other = imported.removeprefix(f"{PACKAGE}.").split(".")[0]
            if room in known and other in known and other != room:
                found[room].add(other)
    return found


def reduced(imports_of: dict[str, set[str]]) -> dict[str, set[str]]:
    """The same arrows without those that a longer way implies."""

    def beyond(room: str) -> set[str]:
        return {far for near in imports_of[room] for far in {near} | beyond(near)}

    return {
        room: {near for near in nears if not any(near in beyond(other) for other in nears - {near})}
        for room, nears in imports_of.items()
    }


def said_of(room: str) -> str:
    """What a room says of itself: the first sentence of its docstring."""
    place = ROOT / "src" / PACKAGE / room
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    text = " ".join((ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").split())
    return re.split(r"(?<=[.:])\s", text, maxsplit=1)[0].rstrip(".:").replace("`", "")


def wrapped(text: str, width: float) -> list[str]:
    """At most two lines of small print that fit into `width` pixels; the rest is an ellipsis."""
    most = int(width / 5.6)
    lines, words = [""], text.split(" ")
    for word in words:
        if len(lines[-1]) + len(word) + 1 > most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) > 2:  # noqa: PLR2004
        lines = [lines[0], lines[1][: most - 2].rstrip(" ,") + " …"]
    return [line for line in lines if line]


def picture() -> str:
    """The whole picture as SVG text; the same code gives the same text."""
    floors = layers()
    leaves = {room for floor in floors[-LEAVES:] for room in floor}
    arrows = reduced(imports([room for floor in floors for room in floor if room not in leaves]))
    places: dict[str, tuple[float, float, float]] = {}  # left, top, width
    shapes: list[str] = []
    for number, floor in enumerate(floors):
        top = MARGIN + number * FLOOR
        widths = [9.0 * len(room) + 24 if len(floor) > 1 else WIDE for room in floor]
        scale = min(1.0, (WIDTH - 2 * MARGIN - GAP * (len(floor) - 1)) / sum(widths))
        widths = [width * scale for width in widths]
        left = (WIDTH - sum(widths) - GAP * (len(floor) - 1)) / 2
        for room, width in zip(floor, widths, strict=True):
            places[room] = (left, top, width)
            middle = left + width / 2
            text = wrapped(said_of(room), width) if len(floor) == 1 else []
            shapes.append(f'<rect class="room" x="{left:.0f}" y="{top}" width="{width:.0f}" height="{BOX}" rx="6"/>')
            first = top + (BOX / 2 + 4 if not text else 17 if len(text) > 1 else 20)
            place = f'x="{middle:.0f}" y="{first:.0f}" text-anchor="middle"'
            shapes.append(f'<text class="name" {place}>{escape(room)}</text>')
            shapes += [
                f'<text class="inside" x="{middle:.0f}" y="{first + LINE * (line + 1) - 2:.0f}" '
                f'text-anchor="middle">{escape(words)}</text>'
                for line, words in enumerate(text)
            ]
            left += width + GAP
    lines = [
        _arrow(places[room], places[near], side)
        for side, (room, near) in enumerate(sorted((room, near) for room, nears in arrows.items() for near in nears))
    ]
    height = 2 * MARGIN + FLOOR * (len(floors) - 1) + BOX
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            'aria-label="Packages of medo1 by floor, with their imports">',
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
            '<path d="M0 0L8 4L0 8z" fill="#7d93a6"/></marker></defs>',
            *lines,
            *shapes,
            "</svg>\n",
        ]
    )


def _arrow(start: tuple[float, float, float], end: tuple[float, float, float], number: int) -> str:
    """A line from the foot of one room to the head of another; one that passes floors goes round them."""
    (left, top, width), (other_left, other_top, other_width) = start, end
    x1, y1, x2, y2 = left + width / 2, top + BOX, other_left + other_width / 2, other_top
    if other_top - top <= FLOOR:
        path = f"M{x1:.0f} {y1:.0f}L{x2:.0f} {y2:.0f}"
    else:
        right = number % 2 == 0
        edge = max(left + width, other_left + other_width, (WIDTH + WIDE) / 2) + 18 + 9 * (number % 9)
        if not right:
            edge = min(left, other_left, (WIDTH - WIDE) / 2) - 18 - 9 * (number % 9)
        x1, x2 = (left + width, other_left + other_width) if right else (left, other_left)
        y1, y2 = top + BOX / 2, other_top + BOX / 2
        path = f"M{x1:.0f} {y1:.0f}C{edge:.0f} {y1:.0f} {edge:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"
    return f'<path class="arrow" d="{path}" marker-end="url(#tip)"/>'


if __name__ == "__main__":
    drawn = picture()
    if "--check" in sys.argv[1:]:
        same = PICTURE.exists() and PICTURE.read_text(encoding="utf-8") == drawn
        sys.exit(None if same else "docs/pictures/house.svg is not of this code: make pictures")
    PICTURE.write_text(drawn, encoding="utf-8")
