"""Making the ledger again from the records of runs and the manifests beside versions, or adding what it does not know.

A run with a record comes back as it was: its call, parameters, packages, uncommitted changes, nodes, inputs, durations.
Of a run without one (it was killed, or is of an earlier release) its manifests tell what it saved, from what, and how
it was called; durations, packages and what its configuration said stay unknown. Nothing that is in the ledger is
replaced, but a run whose end could not be written gets it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from medo1.lineage.ledger import Ledger
from medo1.lineage.manifests import Manifest
from medo1.lineage.places import Places, digest_of_bytes, manifest_or_reason
from medo1.lineage.recorder import NodeInput, put_input, put_version
from medo1.lineage.run_records import DOCUMENTS, NODE_FACTS, KeptRecord, record_from

if TYPE_CHECKING:
    from sqlalchemy import Connection

AT_ONCE = 500
KINDS = {"effective_parameters": "parameters"}


@dataclass(slots=True)
class RebuildCounts:
    """What a rebuild found."""

    manifests: int = 0
    new_versions: int = 0
    new_runs: int = 0
    tags: int = 0
    back: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Placed:
    location: str
    manifest: Manifest
    digest: str


def rebuild(ledger: Ledger, places: Places, roots: tuple[str, ...]) -> RebuildCounts:
    """Read every record and every manifest below the roots into the ledger."""
    found = RebuildCounts()
    records = _records(places, found)
    for record in records.values():
        with ledger.writing() as connection:
            _put_recorded_run(ledger, connection, record, found)
    placed: list[_Placed] = []
    for root in roots:
        for location, version, text in places.manifests(root):
            found.manifests += 1
            manifest = manifest_or_reason(text, f"{location}/{version}")
            if isinstance(manifest, str):
                found.problems.append(manifest)
            elif manifest.version != version:
                found.problems.append(
                    f"{location}/{version}: holds the manifest of {manifest.version}; was it renamed?"
                )
            else:
                placed.append(_Placed(location, manifest, digest_of_bytes(text)))
    placed.sort(key=lambda one: (one.manifest.version, one.manifest.saved_at))
    # Versions first, so that inputs find what they name.
    by_name: dict[tuple[str, str], _Placed] = {(one.manifest.dataset, one.manifest.version): one for one in placed}
    for some in _pieces(placed):
        with ledger.writing() as connection:
            for one in some:
                _put_run(ledger, connection, one.manifest, found)
    for some in _pieces(placed):
        with ledger.writing() as connection:
            for one in some:
                _put(ledger, connection, places, one, by_name, found, recorded=one.manifest.run in records)
    for record in records.values():
        with ledger.writing() as connection:
            _put_recorded_nodes(ledger, connection, places, record)
    return found


def _records(places: Places, found: RebuildCounts) -> dict[str, KeptRecord]:
    """The records that lie there, by run."""
    records = {}
    for name in sorted(places.record_names("runs")):
        text = places.record_file("runs", name)
        try:
            record = record_from(text or b"", name)
        except ValueError as error:
            found.problems.append(str(error))
            continue
        records[record.run["id"]] = record
    return records


def _put_recorded_run(ledger: Ledger, connection: Connection, record: KeptRecord, found: RebuildCounts) -> None:
    from sqlalchemy import select, update

    from medo1.lineage.schema import pin, run

    row = {**record.run, "root": record.root, "heartbeat_at": 0.0, "rebuilt": False}
    same = run.c.id == row["id"]
    known = connection.execute(select(run.c.outcome, run.c.rebuilt).where(same)).first()
    if known is None:
        ledger.insert(connection, run, row)
        found.new_runs += 1
    elif known.rebuilt or known.outcome is None:
        connection.execute(update(run).where(same).values(row))
    for one in record.content["pins"]:
        told = {name: one.get(name) for name in ("name", "kind", "location", "version", "digest")}
        ledger.insert(connection, pin, {"run_id": row["id"], **told})


def _put_recorded_nodes(ledger: Ledger, connection: Connection, places: Places, record: KeptRecord) -> None:
    """What a record tells of the run's nodes, and the texts that it names; versions are there by now."""
    from sqlalchemy import select, update

    from medo1.lineage.schema import input as input_
    from medo1.lineage.schema import node_run, version

    run = record.run
    texts = [(name, run.get(name)) for name in DOCUMENTS]
    texts += [("code", node["code"]) for node in record.content["nodes"]]
    for kind, digest in texts:
        text = places.record_file("documents", digest) if digest else None
        if text is not None and digest_of_bytes(text) == digest:
            ledger.keep_document(connection, KINDS.get(kind, kind), text.decode())
    for node in record.content["nodes"]:
        told = {name: node[name] for name in NODE_FACTS}
        row = {"run_id": run["id"], "node": node["node"], **told}
        number = ledger.insert(connection, node_run, row, replace=NODE_FACTS)
        for name, read in node["inputs"].items():
            used = None
            if read["kind"] == "version":
                site = ledger.settings.site_of(read["location"])
                same = (version.c.site == site) & (version.c.location == read["location"])
                query = select(version.c.id).where(same & (version.c.version == read["version"]))
                used = connection.execute(query).scalar()
            detail = read.get("detail")
            if read["kind"] == "version" and used is None:
                detail = {"version": read["version"], "lost": True}
            told = {"kind": read["kind"], "digest": read["digest"], "version_id": used, "detail": detail}
            ledger.insert(connection, input_, {"node_run_id": number, "name": name, **told})
        for one in node["outputs"]:
            site = ledger.settings.site_of(one["location"])
            same = (version.c.site == site) & (version.c.location == one["location"])
            mine = same & (version.c.version == one["version"]) & version.c.node_run_id.is_(None)
            connection.execute(update(version).where(mine).values(node_run_id=number))


def _pieces(placed: list[_Placed]) -> Iterator[list[_Placed]]:
    for start in range(0, len(placed), AT_ONCE):
        yield placed[start : start + AT_ONCE]


def _put_run(ledger: Ledger, connection: Connection, manifest: Manifest, found: RebuildCounts) -> None:
    from sqlalchemy import select

    from medo1.lineage.schema import run

    if not manifest.run or connection.execute(select(run.c.id).where(run.c.id == manifest.run)).first():
        return
    told = manifest.run_record
    row: dict[str, Any] = {
        "id": manifest.run,
        "site": ledger.settings.site,
        "command": told.get("command", ""),
        "env": told.get("env", ""),
        "pipelines": told.get("pipelines", []),
        "selection": {},
        "runtime_params": told.get("runtime_params", {}),
        "from_run": told.get("from_run"),
        "git_commit": told.get("git_commit"),
        "git_dirty": told.get("git_dirty"),
        "diff_digest": told.get("diff_digest"),
        "python": told.get("python", ""),
        "platform": "",
        "medo1": told.get("medo1", ""),
        "kedro": told.get("kedro", ""),
        "hardware": {},
        "user": told.get("user", ""),
        "host": told.get("host", ""),
        "machine": "",
        "pid": 0,
        "process_started": "",
        "started_at": told.get("started_at") or manifest.saved_at,
        "heartbeat_at": 0.0,
        "rebuilt": True,
    }
    ledger.insert(connection, run, row)
    found.new_runs += 1


def _put(
    ledger: Ledger,
    connection: Connection,
    places: Places,
    one: _Placed,
    by_name: dict[tuple[str, str], _Placed],
    found: RebuildCounts,
    *,
    recorded: bool,
) -> None:
    from sqlalchemy import select, update

    from medo1.lineage.schema import node_run, tag, version

    manifest = one.manifest
    site = ledger.settings.site_of(one.location)
    same = (version.c.site == site) & (version.c.location == one.location) & (version.c.version == manifest.version)
    known = connection.execute(select(version.c.id, version.c.node_run_id, version.c.pruned_at).where(same)).first()
    node = None
    if manifest.run and manifest.node:
        row = {
            "run_id": manifest.run,
            "node": manifest.node,
            "function": manifest.made_by.get("function"),
            "code": manifest.made_by.get("code"),
            "started_at": manifest.saved_at,
            "outcome": "finished",
        }
        ledger.insert(connection, node_run, row)
        by_node = (node_run.c.run_id == manifest.run) & (node_run.c.node == manifest.node)
        node = connection.execute(select(node_run.c.id).where(by_node)).scalar_one()
        for name, read in () if recorded else _reads(manifest.made_from, by_name):
            put_input(ledger, connection, node, name, read)
    number = put_version(ledger, connection, one.location, manifest, one.digest, node)
    found.new_versions += known is None
    if known is not None and known.pruned_at is not None:
        connection.execute(update(version).where(version.c.id == number).values(pruned_at=None))
        found.back += 1
    try:
        tags = places.tags(one.location, manifest.version)
    except ValueError as error:
        found.problems.append(str(error))
        return
    for given in tags:
        row = {
            "version_id": number,
            "name": given.name,
            "protected": given.protected,
            "note": given.note,
            "at": given.at,
        }
        ledger.insert(connection, tag, row, replace=("protected", "note"))
        found.tags += 1


def _reads(
    made_from: dict[str, dict[str, Any]], by_name: dict[tuple[str, str], _Placed]
) -> Iterator[tuple[str, NodeInput]]:
    """A manifest's inputs as the ledger keeps them; what was in memory is opened up to what it was made from."""
    for name, told in made_from.items():
        if "version" in told:
            placed = by_name.get((name, told["version"]))
            if placed is None:
                yield name, NodeInput("version", told.get("digest"), {"version": told["version"], "lost": True})
            else:
                yield (
                    name,
                    NodeInput("version", told.get("digest"), None, placed.location, placed.manifest, placed.digest),
                )
        elif "value" in told:
            yield name, NodeInput("parameters", told.get("digest"), told["value"])
        elif "engine" in told:
            yield name, NodeInput("engine", told.get("digest"), {"identity": told["engine"]})
        elif "file" in told:
            yield name, NodeInput("file", told.get("digest"), {"location": told["file"]})
        elif "memory" in told:
            yield from _reads(told.get("made_from", {}), by_name)
