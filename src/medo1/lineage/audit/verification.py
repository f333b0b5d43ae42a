"""Whether what lies there is what was saved: every digest taken again, nothing trusted.

Data is held against its manifest and the ledger, manifests against the ledger, the ledger's facts against manifests and
records of runs, and completion stores against the digests of the answers that versions were made from.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from medo1.counting import counted
from medo1.lineage.audit.known_runs import in_pieces, running
from medo1.lineage.audit.known_versions import tags_of
from medo1.lineage.completion_digests import COMPLETIONS_NAME, UNKEPT, ReadAnswers, digests_from, digests_in
from medo1.lineage.digests import digest_of_text
from medo1.lineage.ledger import Ledger
from medo1.lineage.manifests import MANIFEST_NAME, Manifest
from medo1.lineage.places import CorruptFileError, Places, digest_of_bytes, manifest_or_reason
from medo1.lineage.recorder import version_facts
from medo1.lineage.run_records import DOCUMENTS, NODE_FACTS, read_record

if TYPE_CHECKING:
    from medo1.lineage.ledger_reader import LedgerReader

Row = dict[str, Any]
Problem = Literal["damaged", "missing", "altered", "renamed", "unknown", "half-written", "stray", "unpaid"]
# What a manifest says of its run, and the ledger too.
FACTS = (
    *("command", "env", "pipelines", "runtime_params", "from_run", "started_at", "git_commit", "git_dirty"),
    *("diff_digest", "python", "medo1", "kedro", "user", "host"),
)
# How a manifest and the ledger name what an input was, beside its digest.
TOLD: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "parameters": ("value", lambda detail: detail),
    "file": ("file", lambda detail: (detail or {}).get("location")),
    "engine": ("engine", lambda detail: (detail or {}).get("identity")),
}
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One thing that is not as it should be."""

    problem: Problem
    dataset: str
    location: str
    version: str
    what: str


@dataclass(frozen=True, slots=True)
class KnownFacts:
    """What the ledger says of some versions.

    Attributes:
        runs: the runs that made them, by id.
        nodes: what ran in those, by run and node.
        reads: what nodes read, by the node's number and the input's name.
        tags: names of versions, by the version's number.
        saved: all that those runs saved, as location and version, pruned or not.
        changed_documents: digests of kept texts that are others now.
    """

    runs: Mapping[str, Row]
    nodes: Mapping[str, Mapping[str, Row]]
    reads: Mapping[int, Mapping[str, Row]]
    tags: Mapping[int, list[Row]]
    saved: frozenset[tuple[str, str]]
    changed_documents: frozenset[str]


def versions_to_verify(connection: LedgerReader, ledger: Ledger, datasets: Iterable[str] = ()) -> list[Row]:
    """Rows of all versions that should be there; of the named datasets only, where some are named.

    Raises:
        UnknownReferenceError: for a name of which the ledger knows no version.
    """
    from medo1.lineage.audit.references import UnknownReferenceError, find_datasets, unknown_dataset

    names = list(datasets)
    known = find_datasets(connection) if names else []
    for name in names:
        if name not in known:
            raise UnknownReferenceError(unknown_dataset(name, known))
    query = "SELECT * FROM version WHERE pruned_at IS NULL AND site IN (:sites)"
    query += " AND dataset IN (:names)" if names else ""
    values: Row = {"sites": ["", ledger.settings.site], **({"names": names} if names else {})}
    return list(connection.rows(f"{query} ORDER BY location, version", **values))


def known_facts(connection: LedgerReader, rows: Iterable[Row]) -> KnownFacts:
    """What the ledger says of the runs and nodes that made some versions."""
    rows = list(rows)
    runs: dict[str, Row] = {}
    for some in in_pieces({row["run_id"] for row in rows if row["run_id"]}):
        runs |= {run["id"]: run for run in connection.rows("SELECT * FROM run WHERE id IN (:some)", some=some)}
    nodes: dict[str, dict[str, Row]] = defaultdict(dict)
    saved: set[tuple[str, str]] = set()
    for some in in_pieces(runs):
        wrote = connection.rows("SELECT location, version FROM version WHERE run_id IN (:some)", some=list(some))
        saved |= {(row["location"], row["version"]) for row in wrote}
        for node in connection.rows("SELECT * FROM node_run WHERE run_id IN (:some)", some=list(some)):
            nodes[node["run_id"]][node["node"]] = node
    documents = {run[name] for run in runs.values() for name in DOCUMENTS}
    documents |= {node["code"] for of_run in nodes.values() for node in of_run.values()}
    changed: set[str] = set()
    for some in in_pieces(sorted(documents - {None})):
        for kept in connection.rows("SELECT digest, content FROM document WHERE digest IN (:some)", some=list(some)):
            changed |= {kept["digest"]} if digest_of_text(kept["content"]) != kept["digest"] else set()
    reads: dict[int, dict[str, Row]] = defaultdict(dict)
    for some in in_pieces({row["node_run_id"] for row in rows if row["node_run_id"]}):
        query = (
            "SELECT input.node_run_id, input.name, input.kind, input.digest, input.detail,"
            " version.version AS used FROM input"
            " LEFT JOIN version ON version.id = input.version_id WHERE input.node_run_id IN (:some)"
        )
        for read in connection.rows(query, some=some):
            reads[read["node_run_id"]][read["name"]] = read
    tags = tags_of(connection, [row["id"] for row in rows])
    return KnownFacts(runs, nodes, reads, tags, frozenset(saved), frozenset(changed))


def verify(
    rows: list[Row],
    facts: KnownFacts,
    places: Places,
    read_answers: ReadAnswers,
    told: Callable[[int], None] | None = None,
) -> list[AuditFinding]:
    """Findings about versions that the ledger knows. Several are hashed at once.

    Args:
        read_answers: reads completion stores.
        told: called with the number of bytes of each chunk that was read.
    """
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        found = [one for some in pool.map(lambda row: _verified(row, facts, places, told), rows) for one in some]
    found += unpaid([(row, row["completions"]) for row in rows if row["completions"]], places, read_answers)
    known = {(row["location"], row["version"]): row for row in rows}
    for run in facts.runs.values():
        found += _record_findings(run, facts, known, places)
        found += _document_findings(run, facts)
    return found


def _verified(row: Row, facts: KnownFacts, places: Places, told: Callable[[int], None] | None) -> list[AuditFinding]:
    def finding(problem: Problem, what: str) -> AuditFinding:
        return AuditFinding(problem, row["dataset"], row["location"], row["version"], what)

    location, version = row["location"], row["version"]
    text = places.manifest_text(location, version)
    found: list[AuditFinding] = []
    if text is None:
        there = places.names(location, version)
        what = f"its manifest is gone, {', '.join(there)} is there" if there else "nothing is there"
        return [finding("missing", what)]
    manifest = manifest_or_reason(text, f"{location}/{version}/{MANIFEST_NAME}")
    if digest_of_bytes(text) != row["manifest"]:
        what = manifest if isinstance(manifest, str) else "the manifest is not the one that was written"
        found.append(finding("altered", what))
    if isinstance(manifest, Manifest):
        found += [finding("altered", what) for what in contradictions(row, manifest, facts)]
    problem = content_problem(places, row, told)
    if problem is not None:
        found.append(finding(*problem))
    strays = places.strays(location, version)
    if strays:
        found.append(finding("stray", f"{', '.join(strays)} does not belong there"))
    found += [finding("altered", what) for what in _tag_differences(row, facts, places)]
    return found


def _tag_differences(row: Row, facts: KnownFacts, places: Places) -> list[str]:
    try:
        beside = {tag.name: tag.protected for tag in places.tags(row["location"], row["version"])}
    except CorruptFileError as error:
        return [str(error)]
    known = {tag["name"]: tag["protected"] for tag in facts.tags.get(row["id"], ())}
    names = sorted(name for name in beside.keys() | known.keys() if beside.get(name) != known.get(name))
    return [f"its tag {name} is not the same in the ledger and beside it" for name in names]


def content_problem(
    places: Places, row: Mapping[str, Any], told: Callable[[int], None] | None = None
) -> tuple[Problem, str] | None:
    """What is wrong with a version's data; None where it has the digest that `row` says."""
    try:
        content = places.content(row["location"], row["version"], told)
    except (FileNotFoundError, NotADirectoryError):
        return "missing", "the manifest is there, its data is not"
    except OSError as error:
        return "damaged", f"cannot be read: {error}"
    if content.digest == row["digest"]:
        return None
    size = row.get("size_bytes")
    if size is not None and content.size_bytes != size:
        return "damaged", f"{counted(content.size_bytes, 'byte')}, saved were {size:,}"
    return "damaged", f"digest {content.digest[:12]}, saved was {row['digest'][:12]}"


def contradictions(row: Row, manifest: Manifest, facts: KnownFacts) -> list[str]:
    """Where ledger and manifest say different things of one version."""
    said = version_facts(manifest)
    if row["measures"] is None:  # of an earlier release
        del said["measures"]
    found = [_differs(name, row[name], value) for name, value in said.items() if row[name] != value]
    run = facts.runs.get(manifest.run)
    if run is not None:
        told = manifest.run_record
        found += [
            _differs(f"the run's {name}", run[name], told[name])
            for name in FACTS
            if name in told and run[name] != told[name]
        ]
    reads = facts.reads.get(row["node_run_id"] or -1, {})
    for name, made in manifest.made_from.items():
        read = reads.get(name)
        if "memory" in made or row["node_run_id"] is None:
            continue
        if read is None:
            found.append(f"the manifest says that it was made from {name}, the ledger does not")
        elif read["digest"] != made.get("digest"):
            found.append(_differs(f"the digest of {name}", read["digest"], made.get("digest")))
        elif read["kind"] in TOLD and made.get(TOLD[read["kind"]][0]) != TOLD[read["kind"]][1](read["detail"]):
            found.append(_differs(name, TOLD[read["kind"]][1](read["detail"]), made.get(TOLD[read["kind"]][0])))
        elif "version" in made and read["used"] not in (None, made["version"]):
            found.append(_differs(f"the version of {name}", read["used"], made["version"]))
    missing = sorted(set(reads) - set(manifest.made_from)) if manifest.made_from and run and not run["rebuilt"] else []
    if missing:
        found.append(f"the ledger says that it was made from {', '.join(missing)}, the manifest does not")
    return found


def _differs(what: str, ledger: Any, manifest: Any) -> str:
    if isinstance(ledger, Mapping) and isinstance(manifest, Mapping):
        names = [name for name in {**ledger, **manifest} if ledger.get(name) != manifest.get(name)]
        return "; ".join(_differs(f"{what}.{name}", ledger.get(name), manifest.get(name)) for name in names)
    return f"{what} is {_short(ledger)} in the ledger and {_short(manifest)} in the manifest"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"  # noqa: PLR2004


def _document_findings(run: Row, facts: KnownFacts) -> list[AuditFinding]:
    """Where texts that the ledger keeps of a run, its parameters or code, are not those that their digests name."""
    named = {name: run[name] for name in DOCUMENTS}
    named |= {f"code of {name}": node["code"] for name, node in facts.nodes.get(run["id"], {}).items()}
    changed = [name for name, digest in named.items() if digest in facts.changed_documents]
    if not changed:
        return []
    what = f"the ledger's text of its {', '.join(changed[:MOST_NAMED])} has another digest"
    return [AuditFinding("altered", "", "the ledger", run["id"], what)]


def _record_findings(
    run: Row, facts: KnownFacts, known: Mapping[tuple[str, str], Row], places: Places
) -> list[AuditFinding]:
    """Where the record of a run is gone, is another, or says other things than the ledger, of the run or its versions.

    Args:
        known: rows of versions, by location and version.
    """

    def finding(problem: Problem, what: str) -> AuditFinding:
        return AuditFinding(problem, "", "the run's record", run["id"], what)

    try:
        record = read_record(places, run["id"])
    except ValueError as error:
        return [finding("altered", str(error))]
    if record is None:
        return [finding("missing", "the record that gave the run its root digest is gone")] if run["root"] else []
    found = []
    if run["root"] and record.root != run["root"]:
        what = f"root digest {record.root[:12]}, the run ended with {run['root'][:12]}"
        found.append(finding("altered", what))
    names = [name for name in record.run if name in run and run["outcome"] is not None]
    different = [name for name in names if run[name] != record.run[name]]
    if different:
        found.append(finding("altered", f"the ledger says another {', '.join(different)} than the run's record"))
    for node in record.content["nodes"]:
        own = facts.nodes.get(run["id"], {}).get(node["node"])
        others = [name for name in NODE_FACTS if own is not None and own[name] != node[name]]
        if run["outcome"] is not None and (own is None or others):
            what = f"the ledger says another {', '.join(others)} of" if own else "the ledger does not know"
            found.append(finding("altered", f"{what} its node {node['node']}"))
        for one in node["outputs"]:
            row = known.get((one["location"], one["version"]))
            if run["outcome"] is not None and (one["location"], one["version"]) not in facts.saved:
                what = "the run's record says that it was saved, the ledger does not know it"
                found.append(AuditFinding("missing", one["dataset"], one["location"], one["version"], what))
            if row is not None and (row["digest"], row["manifest"]) != (one["digest"], one["manifest"]):
                what = "the ledger and the run's record name other digests for it"
                found.append(AuditFinding("altered", row["dataset"], row["location"], row["version"], what))
    return found


def unpaid(made: list[tuple[Row, Mapping[str, Any]]], places: Places, read_answers: ReadAnswers) -> list[AuditFinding]:
    """Where completion stores no longer hold the answers that versions were made from, as they were.

    Args:
        made: versions, each with what its manifest says of completions.
    """
    found: list[AuditFinding] = []
    wanted: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    users: list[tuple[Row, tuple[str, ...], dict[str, str]]] = []
    for row, told in made:
        text = places.text_beside(row["location"], row["version"], COMPLETIONS_NAME)
        try:
            listed = None if text is None else digests_from(text.decode())
        except ValueError as error:
            listed, text = None, f"{error}".encode()
        if listed is None or text is None or digest_of_text(text.decode()) != told["digest"]:
            what = f"{COMPLETIONS_NAME} is {'gone' if text is None else 'not the one that was written'}"
            found.append(AuditFinding("altered", row["dataset"], row["location"], row["version"], what))
            continue
        stores = tuple(told["stores"])
        users.append((row, stores, listed))
        wanted[stores] |= listed
    kept: dict[tuple[str, ...], dict[str, str] | str] = {}
    for stores, listed in wanted.items():
        try:
            kept[stores] = digests_in(read_answers, [places.path_of(store) for store in stores], list(listed))
        except Exception as error:  # a store that cannot be read, of whatever kind
            kept[stores] = str(error)
    for row, stores, listed in users:
        problem = _unpaid(listed, kept[stores], stores)
        if problem is not None:
            found.append(AuditFinding("unpaid", row["dataset"], row["location"], row["version"], problem))
    return found


def _unpaid(listed: Mapping[str, str], kept: Mapping[str, str] | str, stores: Iterable[str]) -> str | None:
    where = ", ".join(stores)
    if isinstance(kept, str):
        return f"{where} cannot be read: {kept}"
    gone = [name for name, digest in listed.items() if digest != UNKEPT and name not in kept]
    changed = [name for name, digest in listed.items() if digest != UNKEPT and kept.get(name, digest) != digest]
    parts = []
    for names, what in ((gone, "gone"), (changed, "changed")):
        if names:
            shown = ", ".join(name[:16] for name in names[:MOST_NAMED])
            more = " ..." if len(names) > MOST_NAMED else ""
            parts.append(
                f"{what}: {len(names)} of {counted(len(listed), 'answer')} that it was made from ({shown}{more})"
            )
    return f"{where}: {'; '.join(parts)}" if parts else None


def unaccounted(connection: LedgerReader, ledger: Ledger, places: Places, roots: Iterable[str]) -> list[AuditFinding]:
    """Version directories that the ledger does not know: complete ones, renamed ones, half-written ones.

    What a run that still goes on is writing is no finding.
    """
    going = set(running(connection, ledger))
    found: list[AuditFinding] = []
    records = {name.removesuffix(".json") for name in places.record_names("runs") if name.endswith(".json")}
    for some in in_pieces(sorted(records)):
        records -= {row["id"] for row in connection.rows("SELECT id FROM run WHERE id IN (:some)", some=list(some))}
    for run in sorted(records):
        what = "the ledger does not know the run: `kedro audit rebuild` adds it"
        found.append(AuditFinding("unknown", "", "the run's record", run, what))
    for root in roots:
        for location in sorted(places.locations(root)):
            own = "FROM version WHERE site = :site AND location = :location"
            where: Row = {"site": ledger.settings.site_of(location), "location": location}
            names = places.versions(location)
            known: set[str] = set()
            for some in in_pieces(names):
                query = f"SELECT version {own} AND version IN (:some) AND pruned_at IS NULL"
                known |= {row["version"] for row in connection.rows(query, some=list(some), **where)}
            others = [name for name in names if name not in going and name not in known]
            dataset = connection.value(f"SELECT dataset {own} LIMIT 1", **where) or "" if others else ""
            found += [_unaccounted(places, dataset, location, name) for name in others]
    return found


def _unaccounted(places: Places, dataset: str, location: str, name: str) -> AuditFinding:
    text = places.manifest_text(location, name)
    if text is None:
        there = ", ".join(places.names(location, name)) or "nothing"
        what = f"no manifest, {there} in it: its save never ended"
        return AuditFinding("half-written", dataset, location, name, what)
    manifest = manifest_or_reason(text, f"{location}/{name}/{MANIFEST_NAME}")
    if isinstance(manifest, str):
        return AuditFinding("altered", dataset, location, name, manifest)
    if manifest.version != name:
        what = f"holds the version {manifest.version}: it was renamed or copied"
        return AuditFinding("renamed", manifest.dataset, location, name, what)
    by = f"made {by_text(manifest.maker)}" if not manifest.run else "complete"
    what = f"{by}, but not in the ledger: `kedro audit rebuild` adds it"
    return AuditFinding("unknown", manifest.dataset, location, name, what)


def by_text(maker: Mapping[str, Any] | None) -> str:
    """Who made a version that no run made, in words."""
    if not maker:
        return "by hand"
    who = f"{maker.get('user', '')} on {maker.get('host', '')}"
    origin = f", from {maker['origin']}" if maker.get("origin") else ""
    by = {"hand": "by hand", "adopted": "elsewhere and adopted"}.get(maker.get("by", "hand"), f"by {maker.get('by')}")
    return f"{by}, by {who}{origin}" if maker.get("by") in ("hand", "adopted") else f"{by} ({who})"
