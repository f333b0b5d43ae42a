"""The record of a run, in one file whose SHA-256 is the run's root digest: the anchor to keep outside the folder.

    <root>/.lineage/runs/<run>.json          what the run was: its call, code, parameters, inputs, outputs, by digest
    <root>/.lineage/documents/<digest>       texts that records name: parameters, packages, code, uncommitted changes

A record names every version that the run read or saved by the digests of its data and of its manifest, the answers of
models by the digest of their digests, and the runs that made what it read by their own root digests. Who has kept a
root digest elsewhere (a commit, a signature, a paper) can therefore tell whether anything below it was changed, even if
data, manifests, ledger and records were all changed to fit each other. `sha256sum` on the file gives the root digest.

The record also holds what no manifest does, so that a ledger is made again from records and manifests as it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from medo1.lineage.digests import canonical_json, digest_of_text
from medo1.lineage.environment import Process

if TYPE_CHECKING:
    from medo1.lineage.manifests import Manifest
    from medo1.lineage.places import Places
    from medo1.lineage.recorder import NodeInput, RunStart

RECORD_FORMAT = 1
# Texts that a record names by digest, and what it says of a node as the ledger does.
DOCUMENTS = ("parameters", "effective_parameters", "packages", "diff")
NODE_FACTS = ("function", "code", "started_at", "duration_s", "ended_at", "outcome")


def written_parameters(loader: Any) -> dict[str, Any]:
    """The parameters that a run is recorded with, as files and call have them: null for a format or arm that is taken
    away. Kedro's own loader has no others than those that nodes get."""
    written: dict[str, Any] = getattr(loader, "written_parameters", lambda: loader["parameters"])()
    return written


@dataclass(slots=True)
class NodeRecord:
    """One node of a run, as it goes on."""

    node: str
    function: str | None
    code: str | None
    started_at: str
    inputs: dict[str, dict[str, Any]]
    outputs: list[dict[str, Any]] = field(default_factory=list)
    duration_s: float | None = None
    ended_at: str | None = None
    outcome: str | None = None


class RunRecord:
    """Collects what a run is while it goes on, and says it in the end.

    Args:
        start: what was known at its start.
        site: the project's copy, as the ledger names it.
        roots: root digests of the runs that made what it reads, by run.
    """

    def __init__(self, start: RunStart, site: str, roots: Mapping[str, str]) -> None:
        self._start, self._site, self._roots = start, site, dict(roots)
        self.documents: dict[str, str] = {}
        self._nodes: dict[str, NodeRecord] = {}

    def _keep(self, content: str) -> str:
        digest = digest_of_text(content)
        self.documents[digest] = content
        return digest

    def node_started(
        self, node: str, function: str | None, code: Mapping[str, str], inputs: Mapping[str, NodeInput], at: str
    ) -> None:
        """A node is about to run."""
        kept = self._keep(canonical_json(dict(code))) if code else None
        self._nodes[node] = NodeRecord(node, function, kept, at, {name: _told(read) for name, read in inputs.items()})

    def node_ran(self, node: str, duration_s: float) -> None:
        """A node's function returned."""
        self._nodes[node].duration_s = duration_s

    def saved(self, node: str, location: str, manifest: Manifest, manifest_digest: str) -> None:
        """A version is complete."""
        if node in self._nodes:
            self._nodes[node].outputs.append(
                {
                    "dataset": manifest.dataset,
                    "location": location,
                    "version": manifest.version,
                    "digest": manifest.digest,
                    "manifest": manifest_digest,
                    "completions": manifest.completions.get("digest"),
                }
            )

    def node_ended(self, node: str, at: str, outcome: str) -> None:
        """A node is over."""
        if node in self._nodes:
            self._nodes[node].ended_at, self._nodes[node].outcome = at, outcome

    def text(self, ended_at: str, outcome: str, error: str | None, cost: Any) -> str:
        """The record of the run, now that it is over."""
        for one in self._nodes.values():
            if one.outcome is None:
                one.ended_at, one.outcome = ended_at, outcome
        run = run_facts(self._start, self._site, lambda _, content: self._keep(content))
        run |= {"ended_at": ended_at, "outcome": outcome, "error": error, "cost": cost}
        whole = {
            "record_format": RECORD_FORMAT,
            "run": run,
            "pins": [asdict(pin) for pin in self._start.pins],
            "roots_of_inputs": dict(sorted(self._roots.items())),
            "nodes": [asdict(one) for one in self._nodes.values()],
        }
        return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def run_facts(start: RunStart, site: str, keep: Callable[[str, str], str]) -> dict[str, Any]:
    """What is known of a run when it starts, named as the ledger's columns.

    Args:
        site: the project's copy, as the ledger names it.
        keep: keeps a text of a kind, and gives its digest.
    """
    environment = start.environment
    code, process = environment.code, environment.process
    return {
        "id": start.id,
        "site": site,
        "command": start.command,
        "env": start.env,
        "pipelines": start.pipelines,
        "selection": start.selection,
        "runtime_params": start.runtime_params,
        "from_run": start.from_run,
        "parameters": keep("parameters", canonical_json(start.parameters)),
        "effective_parameters": keep("parameters", canonical_json(start.effective_parameters)),
        "packages": keep("packages", canonical_json(environment.packages)),
        "diff": keep("diff", start.diff) if start.diff else None,
        "git_commit": code.commit,
        "git_branch": code.branch,
        "git_dirty": code.dirty,
        "diff_digest": code.diff_digest,
        "python": environment.python,
        "platform": environment.platform,
        "medo1": start.medo1,
        "kedro": start.kedro,
        "hardware": environment.hardware,
        "user": environment.user,
        "host": process.host,
        "machine": process.machine,
        "pid": process.pid,
        "process_started": process.started,
        "started_at": start.started_at,
    }


def _told(read: NodeInput) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": read.kind, "digest": read.digest}
    if read.manifest is not None:
        told |= {
            "dataset": read.manifest.dataset,
            "location": read.location,
            "version": read.manifest.version,
            "manifest": read.manifest_digest,
            "run": read.manifest.run,
        }
    elif read.detail is not None:
        told["detail"] = read.detail
    return told


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A record as it lies there: its root digest, and what it says."""

    root: str
    content: dict[str, Any]

    @property
    def run(self) -> dict[str, Any]:
        """The run's facts, named as the ledger's columns."""
        found: dict[str, Any] = self.content["run"]
        return found


def write_record(places: Places, run: str, text: str, documents: Mapping[str, str]) -> str:
    """Write a run's record and the texts that it names; returns the root digest."""
    known = places.record_names("documents")
    for digest, content in documents.items():
        if digest not in known:
            places.write_record_file("documents", digest, content)
    places.write_record_file("runs", f"{run}.json", text)
    return digest_of_text(text)


def read_record(places: Places, run: str) -> KeptRecord | None:
    """A run's record; None where there is none.

    Raises:
        ValueError: when it is none, naming the file and what is wrong with it.
    """
    text = places.record_file("runs", f"{run}.json")
    return None if text is None else record_from(text, f"the record of run {run}")


def record_from(text: bytes, where: str) -> KeptRecord:
    """A record from its bytes.

    Raises:
        ValueError: naming what is wrong.
    """
    import hashlib

    try:
        content = json.loads(text)
        found = content.get("record_format")
        usable = found == RECORD_FORMAT and isinstance(content["run"]["id"], str) and isinstance(content["nodes"], list)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{where}: not a record of a run ({error}); it was damaged") from error
    if not usable:
        raise ValueError(
            f"{where}: record_format is {found!r}, expected {RECORD_FORMAT}: damaged, or another release's"
        )
    return KeptRecord(hashlib.sha256(text).hexdigest(), content)


def process_of(run: Mapping[str, Any]) -> Process:
    """The process that a run's facts name."""
    return Process(run["host"], run["machine"], run["pid"], run["process_started"])
