"""The graph of versions: what a version was made from, and what was made from it.

Walked level by level, one query a level, so that a ledger of 200,000 versions answers as fast as a small one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from medo1.lineage.audit.known_runs import in_pieces
from medo1.lineage.audit.known_versions import WITH_NODE
from medo1.lineage.ledger import Ledger
from medo1.lineage.recorder import Pin

if TYPE_CHECKING:
    from medo1.lineage.ledger_reader import LedgerReader

Row = dict[str, Any]


@dataclass(slots=True)
class Graph:
    """Versions and how they hang together.

    Attributes:
        root: number of the version that was asked about, the first where several were.
        versions: rows by number.
        edges: from a version to the ones next to it, up or down; with the name under which it was read.
        outside: of each version, what else it was made from: files, parameters, engines.
        left_out: how many neighbours were not followed, where there were too many.
    """

    root: int
    versions: dict[int, Row] = field(default_factory=dict)
    edges: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    outside: dict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))
    left_out: dict[int, int] = field(default_factory=dict)


def ancestors(connection: LedgerReader, *roots: Row, depth: int | None = None, most: int = 2000) -> Graph:
    """What versions were made from, directly and indirectly, to at most `depth` steps and `most` versions."""
    graph = Graph(roots[0]["id"], {root["id"]: root for root in roots})
    level, step = list(graph.versions), 0
    while level and (depth is None or step < depth) and len(graph.versions) < most:
        step += 1
        found: set[int] = set()
        for child, read in inputs_of(connection, [graph.versions[number] for number in level]):
            if read["version_id"] is None:
                graph.outside[child].append(read)
            elif read["version_id"] not in graph.edges[child]:
                graph.edges[child].append(read["version_id"])
                found.add(read["version_id"])
        level = sorted(found - graph.versions.keys())
        graph.versions |= versions_by_id(connection, level)
    return graph


def descendants(connection: LedgerReader, root: Row, depth: int | None = None, most: int = 2000) -> Graph:
    """What was made from a version, directly and indirectly, to at most `depth` steps and `most` versions."""
    graph = Graph(root["id"], {root["id"]: root})
    level, step = [root["id"]], 0
    while level and (depth is None or step < depth):
        step += 1
        room = most - len(graph.versions)
        found: set[int] = set()
        for numbers in in_pieces(level):
            made = (
                "SELECT DISTINCT input.version_id AS parent, version.id AS child, version.version"
                " FROM input JOIN version ON version.node_run_id = input.node_run_id"
                " WHERE input.version_id IN (:numbers)"
            )
            newest = f"{made} ORDER BY version.version DESC LIMIT :most"
            rows = list(connection.rows(newest, numbers=numbers, most=room + 1))
            if len(rows) > room:
                all_of_them = f"SELECT count(*) FROM ({made}) AS made"  # noqa: S608  (the text from above)
                count = connection.value(all_of_them, numbers=numbers)
                graph.left_out[numbers[0]] = int(count) - room
                rows = rows[:room]
            for row in rows:
                parent, child = row["parent"], row["child"]
                if child not in graph.edges[parent]:
                    graph.edges[parent].append(child)
                    found.add(child)
        level = sorted(found - graph.versions.keys())
        graph.versions |= versions_by_id(connection, level)
        if graph.left_out:
            break
    return graph


def direct_inputs(connection: LedgerReader, version: Row) -> list[Row]:
    """What one version was made from directly, versions and all else, each as an `input` row with its version."""
    rows = [read for _, read in inputs_of(connection, [version])]
    known = versions_by_id(connection, {row["version_id"] for row in rows if row["version_id"]})
    return [row | {"version": known.get(row["version_id"])} for row in rows]


def versions_by_id(connection: LedgerReader, numbers: Iterable[int]) -> dict[int, Row]:
    """Version rows by number, with their run's short facts."""
    found: dict[int, Row] = {}
    for some in in_pieces(numbers):
        found |= {
            row["id"]: row for row in connection.rows(f"SELECT {WITH_NODE} WHERE version.id IN (:some)", some=some)
        }
    return found


def inputs_of(connection: LedgerReader, children: Iterable[Row]) -> list[tuple[int, Row]]:
    """What each version's node read; what stayed in memory is followed to the node that made it.

    What a command made of several runs' versions names them itself (`maker`).
    """
    children = list(children)
    # Versions by the node whose inputs count as theirs.
    owners: dict[int, set[int]] = defaultdict(set)
    runs: dict[int, str] = {}
    for child in children:
        if child["node_run_id"] is not None:
            owners[child["node_run_id"]].add(child["id"])
            runs[child["node_run_id"]] = child["run_id"]
    found = [(child["id"], read) for child in children for read in _reads_of_a_command(connection, child)]
    seen: set[int] = set()
    wanted = set(owners)
    while wanted:
        seen |= wanted
        memory: list[tuple[int, str]] = []
        for some in in_pieces(sorted(wanted)):
            for read in connection.rows("SELECT * FROM input WHERE node_run_id IN (:some) ORDER BY name", some=some):
                if read["kind"] == "memory":
                    memory.append((read["node_run_id"], (read["detail"] or {}).get("node", "")))
                    continue
                found.extend((child, read) for child in owners[read["node_run_id"]])
        wanted = set()
        for reader, node in memory:
            run_id = runs[reader]
            query = "SELECT id FROM node_run WHERE run_id = :run_id AND node = :node"
            maker = connection.value(query, run_id=run_id, node=node)
            if maker is not None and maker not in seen:
                owners[maker] |= owners[reader]
                runs[maker] = run_id
                wanted.add(maker)
    return found


def _reads_of_a_command(connection: LedgerReader, child: Row) -> list[Row]:
    reads = (child["maker"] or {}).get("reads") or []
    known: dict[tuple[str, str], Row] = {}
    for some in in_pieces(sorted({read["version"] for read in reads})):
        query = "SELECT id, dataset, version, digest FROM version WHERE version IN (:some)"
        known |= {(row["dataset"], row["version"]): row for row in connection.rows(query, some=some)}
    found = []
    for read in reads:
        there = known.get((read["dataset"], read["version"]))
        told = {
            "name": read["dataset"],
            "kind": "version",
            "digest": read["digest"],
            "detail": {"version": read["version"]},
        }
        found.append(told | {"node_run_id": None, "version_id": there and there["id"]})
    return found


def different_ancestors(connection: LedgerReader, ledger: Ledger, pins: list[Pin]) -> dict[str, list[tuple[str, str]]]:
    """Ancestors of which different pins have different contents: by name, (pin, version) of each content.

    Only the highest are told: what lies below a difference differs too.
    """
    contents: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
    parents: dict[str, set[str]] = defaultdict(set)
    for pin in pins:
        if pin.kind != "version":
            continue
        query = "SELECT * FROM version WHERE location = :location AND version = :version"
        found = connection.first(query, location=pin.location, version=pin.version)
        if found is None:
            contents[pin.name].setdefault(pin.digest or "", (pin.name, pin.version or ""))
            continue
        graph = ancestors(connection, found)
        for number, row in graph.versions.items():
            contents[row["dataset"]].setdefault(row["digest"], (pin.name, row["version"]))
            parents[row["dataset"]] |= {graph.versions[up]["dataset"] for up in graph.edges.get(number, ())}
    different = {name for name, digests in contents.items() if len(digests) > 1}
    return {name: sorted(contents[name].values()) for name in sorted(different) if not parents[name] & different}
