"""`kedro audit lineage`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from medo1.commands.audit.common import Audit, audit_command, console
from medo1.counting import counted
from medo1.lineage.audit.verification import by_text

if TYPE_CHECKING:
    from rich.tree import Tree

    from medo1.lineage.audit.graph import Graph

MOST_SHOWN = 400


@audit_command()
@click.argument("version")
@click.option("--up", "way", flag_value="up", help="Only what it was made from.")
@click.option("--down", "way", flag_value="down", help="Only what was made from it.")
@click.option("--depth", type=click.IntRange(min=1), help="At most this many steps.")
@click.option("--html", "html", type=click.Path(dir_okay=False, path_type=Path), help="Write a picture to this file.")
def lineage(audit: Audit, version: str, way: str | None, depth: int | None, html: Path | None) -> None:
    """What VERSION (DATASET or DATASET@VERSION) was made from, and what was made from it, as a tree."""
    from medo1.lineage.audit.graph import Graph, ancestors, descendants
    from medo1.lineage.audit.known_versions import runs_by_id
    from medo1.lineage.audit.references import find_version

    ledger = audit.ledger
    with ledger.reading() as connection:
        found = find_version(connection, ledger, version, gone=True)
        from medo1.lineage.audit.graph import versions_by_id

        root = versions_by_id(connection, [found["id"]])[found["id"]]
        empty = Graph(root["id"], {root["id"]: root})
        up = ancestors(connection, root, depth=depth) if way != "down" else empty
        down = descendants(connection, root, depth, MOST_SHOWN) if way != "up" else empty
        runs = runs_by_id(
            connection, ledger, {row["run_id"] for row in (up.versions | down.versions).values() if row["run_id"]}
        )
    if html is not None:
        from medo1.lineage.audit.picture import lineage_page

        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(lineage_page(root, up, down, runs), encoding="utf-8")
    if audit.as_json:
        return audit.print_json({"version": root, "up": _json(up), "down": _json(down), "runs": runs})
    if html is not None:
        return click.echo(f"The picture: {html}")
    out = console()
    if way != "down":
        out.print(_tree(up, "made from", outside=True))
    if way != "up":
        out.print(_tree(down, "what was made from it"))
    return None


def _tree(graph: Graph, title: str, *, outside: bool = False) -> Tree:
    from rich.tree import Tree

    root = graph.versions[graph.root]
    top = Tree(f"[bold]{_named(root)}[/bold]  {title}")
    if not graph.edges.get(graph.root) and not graph.outside.get(graph.root):
        top.add("nothing that the ledger knows")
    _grow(top, graph, graph.root, set(), outside)
    if graph.left_out:
        top.add(f"[dim]{sum(graph.left_out.values())} more are not shown; --depth 1 or --json tells less or more[/dim]")
    return top


def _grow(branch: Tree, graph: Graph, number: int, seen: set[int], outside: bool) -> None:
    for read in graph.outside.get(number, ()) if outside else ():
        branch.add(f"[dim]{_told(read)}[/dim]")
    for other in sorted(
        graph.edges.get(number, ()), key=lambda one: graph.versions[one]["dataset"] if one in graph.versions else ""
    ):
        row = graph.versions.get(other)
        if row is None:
            continue
        repeated = other in seen and bool(graph.edges.get(other) or graph.outside.get(other))
        child = branch.add(_named(row) + (" [dim](shown above)[/dim]" if repeated else ""))
        if other not in seen:
            seen.add(other)
            _grow(child, graph, other, seen, outside)


def _named(row: dict[str, Any]) -> str:
    rows = f", {counted(row['rows'], 'row')}" if row["rows"] is not None else ""
    gone = " [red]pruned[/red]" if row["pruned_at"] else ""
    node = f"  [dim]by {escape(row['node'])}[/dim]" if row.get("node") else ""
    if not row["run_id"]:
        node = f"  [yellow]made by no run: {escape(by_text(row['maker']))}[/yellow]"
    return f"{escape(row['dataset'])}@{row['version']}  {row['digest'][:12]}{rows}{gone}{node}"


def _told(read: dict[str, Any]) -> str:
    detail = read["detail"]
    match read["kind"]:
        case "parameters":
            told = escape(str(detail)) if detail is not None else ""
            return f"{escape(read['name'])} = {told if len(told) <= 90 else told[:89] + '…'}"  # noqa: PLR2004
        case "file":
            return (
                f"{escape(read['name'])}: {escape((detail or {}).get('location', ''))}  {(read['digest'] or '')[:12]}"
            )
        case "engine":
            identity = (detail or {}).get("identity", {})
            told = f"{identity.get('class', '')} {identity.get('model') or ''}"
            return f"{escape(read['name'])}: {escape(told)}"
        case kind:
            return f"{escape(read['name'])}: {kind} {escape(str(detail or ''))}"


def _json(graph: Graph) -> dict[str, Any]:
    return {
        "versions": list(graph.versions.values()),
        "edges": [[number, other] for number, others in graph.edges.items() for other in others],
        "outside": [read | {"of": number} for number, reads in graph.outside.items() for read in reads],
        "left_out": sum(graph.left_out.values()),
    }
