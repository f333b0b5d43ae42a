"""The lineage of a version as one HTML page: a picture of boxes and lines, drawn here, that opens without a network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from html import escape
from typing import Any

from medo1.counting import counted
from medo1.lineage.audit.graph import Graph

Row = dict[str, Any]

BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y, MARGIN = 230, 58, 70, 16, 24

STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 24px; color: #1c2430; background: #fff; }
h1 { font-size: 20px; margin: 0 0 4px; } p { margin: 0 0 16px; color: #556; }
.scroll { overflow: auto; border: 1px solid #dde2ea; border-radius: 8px; }
svg text { font: 12px system-ui, sans-serif; fill: #1c2430; } svg .small { font-size: 10.5px; fill: #667; }
.box { fill: #f5f7fb; stroke: #b8c2d3; } .outside { fill: #fff8ea; stroke: #dcc48c; }
.root { fill: #e3eefc; stroke: #2f6fbf; stroke-width: 2; }
.edge { fill: none; stroke: #9aa6b8; }
table { border-collapse: collapse; margin-top: 24px; } th, td { text-align: left; padding: 3px 14px 3px 0; }
td { border-top: 1px solid #e6e9ef; } code { font: 12px ui-monospace, monospace; }
"""


def lineage_page(root: Row, up: Graph, down: Graph, runs: Mapping[str, Row]) -> str:
    """A page with the picture and the table of what is in it.

    Args:
        root: the version that was asked about.
        up, down: what it was made from, and what was made from it.
        runs: what is known of the runs, by id.
    """
    versions = up.versions | down.versions
    title = f"{root['dataset']}@{root['version']}"
    cut = sum(down.left_out.values())
    more = f" Left out: {counted(cut, 'version')} more that were made from it." if cut else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f"<h1>{escape(title)}</h1><p>What it was made from (left) and what was made from it (right): "
        f"{counted(len(versions), 'version')}, {counted(len(_outside(up)), 'thing')} from outside.{more}</p>"
        f'<div class="scroll">{lineage_picture(root, up, down)}</div>{_table(versions, runs)}</body></html>\n'
    )


def lineage_picture(root: Row, up: Graph, down: Graph) -> str:
    """The picture alone, as SVG; its colours are those of the page's `.box`, `.outside`, `.root`, `.edge`, `.small`."""
    versions = up.versions | down.versions
    edges = {(source, target) for target, sources in up.edges.items() for source in sources}
    edges |= {(source, target) for source, targets in down.edges.items() for target in targets}
    names = {f"v{number}": row for number, row in versions.items()}
    links = {(f"v{source}", f"v{target}") for source, target in edges}
    outside = _outside(up)
    for number, reads in up.outside.items():
        links |= {(_outside_key(read), f"v{number}") for read in reads if _outside_key(read) in outside}
    places = _places(list(names) + list(outside), links)
    width = max(x for x, _ in places.values()) + BOX_WIDTH + MARGIN
    height = max(y for _, y in places.values()) + BOX_HEIGHT + MARGIN
    lines = "".join(_edge(places[source], places[target]) for source, target in sorted(links))
    boxes = "".join(_box(places[key], row, key == f"v{root['id']}") for key, row in names.items())
    boxes += "".join(_outside_box(places[key], read) for key, read in outside.items())
    title = f"{root['dataset']}@{root['version']}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="lineage of {escape(title)}">{lines}{boxes}</svg>'
    )


def _outside(up: Graph) -> dict[str, Row]:
    """What the versions were made from that is no version, but for parameters; by a key that tells one from another."""
    return {_outside_key(read): read for reads in up.outside.values() for read in reads if read["kind"] != "parameters"}


def _outside_key(read: Row) -> str:
    return f"o{read['name']}{read['digest']}"


def _places(keys: list[str], links: set[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """Columns by the longest way from a source; within a column in the order of what a box hangs on."""
    before, after = defaultdict(set), defaultdict(set)
    for source, target in links:
        before[target].add(source)
        after[source].add(target)
    column: dict[str, int] = {}
    waiting = {key: len(before[key]) for key in keys}
    ready = sorted(key for key, count in waiting.items() if not count)
    while ready:
        key = ready.pop()
        column[key] = max((column[one] + 1 for one in before[key]), default=0)
        for target in sorted(after[key]):
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    for key in keys:  # a source stands next to what it is used by
        if not before[key] and after[key]:
            column[key] = max(0, min(column.get(one, 0) for one in after[key]) - 1)
    columns: dict[int, list[str]] = defaultdict(list)
    for key in keys:
        columns[column.get(key, 0)].append(key)
    rank = {key: place for members in columns.values() for place, key in enumerate(sorted(members))}
    for step in (1, -1, 1):
        for number in sorted(columns, reverse=step < 0):
            near = before if step > 0 else after
            members = sorted(columns[number], key=lambda key: (_mean([rank[one] for one in near[key]], rank[key]), key))
            rank |= {key: place for place, key in enumerate(members)}
            columns[number] = members
    tallest = max(len(members) for members in columns.values())
    return {
        key: (
            MARGIN + number * (BOX_WIDTH + GAP_X),
            MARGIN + int((place + (tallest - len(members)) / 2) * (BOX_HEIGHT + GAP_Y)),
        )
        for number, members in columns.items()
        for place, key in enumerate(members)
    }


def _mean(values: list[int], otherwise: int) -> float:
    return sum(values) / len(values) if values else float(otherwise)


def _edge(source: tuple[int, int], target: tuple[int, int]) -> str:
    x1, y1 = source[0] + BOX_WIDTH, source[1] + BOX_HEIGHT // 2
    x2, y2 = target[0], target[1] + BOX_HEIGHT // 2
    half = (x1 + x2) // 2
    return f'<path class="edge" d="M{x1},{y1} C{half},{y1} {half},{y2} {x2},{y2}"/>'


def _box(place: tuple[int, int], row: Row, is_root: bool) -> str:
    rows = f" · {counted(row['rows'], 'row')}" if row["rows"] is not None else ""
    return _drawn(
        place, "root" if is_root else "box", row["dataset"], row["version"], f"sha256 {row['digest'][:12]}{rows}"
    )


def _outside_box(place: tuple[int, int], read: Row) -> str:
    detail = read["detail"] or {}
    told = detail.get("location") or (detail.get("identity") or {}).get("class") or read["kind"]
    return _drawn(place, "outside", read["name"], _short(str(told)), f"{read['kind']} {(read['digest'] or '')[:12]}")


def _drawn(place: tuple[int, int], kind: str, title: str, second: str, third: str) -> str:
    x, y = place
    return (
        f"<g><title>{escape(title)} {escape(second)} {escape(third)}</title>"
        f'<rect class="{kind}" x="{x}" y="{y}" rx="6" width="{BOX_WIDTH}" height="{BOX_HEIGHT}"/>'
        f'<text x="{x + 10}" y="{y + 20}">{escape(_short(title))}</text>'
        f'<text class="small" x="{x + 10}" y="{y + 36}">{escape(second)}</text>'
        f'<text class="small" x="{x + 10}" y="{y + 50}">{escape(third)}</text></g>'
    )


def _short(text: str, most: int = 34) -> str:
    return text if len(text) <= most else f"…{text[1 - most :]}"


def _table(versions: Mapping[int, Row], runs: Mapping[str, Row]) -> str:
    lines = []
    for row in sorted(versions.values(), key=lambda one: (one["version"], one["dataset"])):
        run = runs.get(row["run_id"] or "", {})
        commit = (run.get("git_commit") or "")[:12] + (" with changes" if run.get("git_dirty") else "")
        cells = [row["dataset"], row["version"], row.get("node") or "", run.get("state") or "", commit, row["digest"]]
        lines.append("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells[:-1])
                     + f"<td><code>{escape(row['digest'])}</code></td></tr>")  # fmt: skip
    heads = "".join(
        f"<th>{name}</th>" for name in ("dataset", "version and run", "node", "run was", "commit", "sha256")
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
