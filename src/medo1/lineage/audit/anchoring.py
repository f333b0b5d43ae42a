"""Whether what lies here is what a root digest stands for: everything held against a digest that was kept elsewhere.

Neither the ledger nor any manifest is believed: from the root digest follows the record of the run, from that the
manifests and data of what it read and saved, the answers that paid for it, and the records of the runs before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medo1.counting import counted
from medo1.lineage.audit.verification import AuditFinding, Problem, content_problem, unpaid
from medo1.lineage.completion_digests import ReadAnswers
from medo1.lineage.manifests import MANIFEST_NAME, Manifest
from medo1.lineage.outside_files import possible_digests
from medo1.lineage.places import Places, digest_of_bytes, manifest_or_reason
from medo1.lineage.run_records import DOCUMENTS, KeptRecord, record_from


@dataclass(slots=True)
class Anchored:
    """What was held against a root digest.

    Attributes:
        runs: ids of the runs whose records follow from it.
        versions: how many versions.
        findings: what is not what it stands for.
        changed_since: files from outside that are others now, or gone; what they were is known by digest only.
    """

    runs: list[str] = field(default_factory=list)
    versions: int = 0
    findings: list[AuditFinding] = field(default_factory=list)
    changed_since: list[str] = field(default_factory=list)


def verify_root(
    places: Places, root: str, read_answers: ReadAnswers, told: Callable[[int], None] | None = None
) -> Anchored:
    """Hold what lies here against a root digest, and against those that follow from it."""
    checker = _Checker(places, read_answers, told)
    wanted, seen = [root], {root}
    while wanted:
        for other in checker.follow(wanted.pop()):
            if other not in seen:
                seen.add(other)
                wanted.append(other)
    return checker.ended()


class _Checker:
    def __init__(self, places: Places, read_answers: ReadAnswers, told: Callable[[int], None] | None) -> None:
        self._places, self._read_answers, self._told = places, read_answers, told
        self._unread = sorted(places.record_names("runs"), reverse=True)
        self._records: dict[str, tuple[str, bytes]] = {}
        self._done: set[tuple[str, str]] = set()
        self._paid: list[tuple[dict[str, Any], Mapping[str, Any]]] = []
        self._found = Anchored()

    def follow(self, root: str) -> list[str]:
        """Check the run of a root digest; returns those of the runs before it."""
        record = self._record(root)
        if record is None:
            what = (
                f"no record of a run here has the root digest {root[:16]}: what lies here is not what it stands for, "
                f"or the record is gone. {self._others()}"
            )
            self._found.findings.append(AuditFinding("missing", "", "the run's record", "", what))
            return []
        run = record.run
        self._found.runs.append(run["id"])
        for name in DOCUMENTS:
            self._document(run["id"], name, run.get(name))
        for node in record.content["nodes"]:
            self._document(run["id"], f"code of {node['node']}", node["code"])
            for one in node["outputs"]:
                self._version(one, one["dataset"])
            for name, read in node["inputs"].items():
                if read["kind"] == "version":
                    self._version(read, read["dataset"])
                elif read["kind"] == "file":
                    self._file(name, read)
        return list(record.content["roots_of_inputs"].values())

    def ended(self) -> Anchored:
        """All that was found."""
        self._found.findings += unpaid(self._paid, self._places, self._read_answers)
        return self._found

    def _record(self, root: str) -> KeptRecord | None:
        while root not in self._records and self._unread:
            name = self._unread.pop(0)
            text = self._places.record_file("runs", name)
            if text is not None:
                self._records.setdefault(digest_of_bytes(text), (name, text))
        if root not in self._records:
            return None
        name, text = self._records[root]
        return record_from(text, name)

    def _others(self) -> str:
        """Which records there are instead."""
        if not self._records:
            return "There is no record of any run here"
        digest, (run, _) = max(self._records.items(), key=lambda one: one[1][0])
        records = counted(len(self._records), "record")
        return f"Here are {records} of other digests, the latest of run {run.removesuffix('.json')}: {digest[:16]}"

    def _document(self, run: str, name: str, digest: str | None) -> None:
        if digest is None:
            return
        text = self._places.record_file("documents", digest)
        if text is None or digest_of_bytes(text) != digest:
            what = f"its {name} {'is gone' if text is None else 'is not what it was'} ({digest[:12]})"
            problem: Problem = "missing" if text is None else "altered"
            self._found.findings.append(AuditFinding(problem, "", "the run's record", run, what))

    def _version(self, told: Mapping[str, Any], dataset: str) -> None:
        location, version = told["location"], told["version"]
        if (location, version) in self._done:
            return
        self._done.add((location, version))
        self._found.versions += 1

        def finding(problem: Problem, what: str) -> None:
            self._found.findings.append(AuditFinding(problem, dataset, location, version, what))

        text = self._places.manifest_text(location, version)
        if text is None:
            finding("missing", "it is not there, or its manifest is gone")
            return
        if digest_of_bytes(text) != told["manifest"]:
            finding("altered", "the manifest is not the one that the root digest stands for")
        problem = content_problem(self._places, told, self._told)
        if problem is not None:
            finding(*problem)
        strays = self._places.strays(location, version)
        if strays:
            finding("stray", f"{', '.join(strays)} does not belong there")
        manifest = manifest_or_reason(text, f"{location}/{version}/{MANIFEST_NAME}")
        if isinstance(manifest, Manifest) and manifest.completions:
            row = {"dataset": dataset, "location": location, "version": version}
            self._paid.append((row, manifest.completions))

    def _file(self, name: str, read: Mapping[str, Any]) -> None:
        location = (read.get("detail") or {}).get("location", "")
        digest = read["digest"] or ""
        if "@" in digest or "://" in location:
            return
        if digest not in possible_digests(Path(self._places.path_of(location))):
            told = f"{name} ({location}), then {digest[:12]}"
            if told not in self._found.changed_since:
                self._found.changed_since.append(told)
