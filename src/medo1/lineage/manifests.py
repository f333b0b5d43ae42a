"""The manifest beside every version: what it is, which run and node made it, and from what.

A version is complete if and only if its manifest is there: the manifest is written last, in one step, after the data
lies under its final name with a known digest. Readers therefore never see a half-written version, and a data directory
tells its own story without a database.

Layout, Kedro's own with one file more:

    <filepath>/<version>/<name>            the data: a file, or a directory
    <filepath>/<version>/_manifest.json    this
    <filepath>/<version>/_completions.txt  digests of the answers of models that it was made from, where there are any
    <filepath>/<version>/_tags.json        names that people gave to the version, and whether it is protected
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from medo1.lineage.digests import digest_of_text

MANIFEST_NAME = "_manifest.json"
TAGS_NAME = "_tags.json"
MANIFEST_FORMAT = 1
LATER_FIELDS = ("measures", "maker", "completions")
# The form of Kedro's versions, UTC with milliseconds; anything else in a dataset's directory is not a version.
VERSION_FORM = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}\.\d{2}\.\d{2}\.\d{3}Z")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who saves: set on a dataset by the lineage hooks just before a node's output is saved.

    Attributes:
        dataset: the catalog's name of the dataset.
        run: the id of the run, which is also the version that it saves.
        node: the node whose output this is.
        made_from: for each input of that node, its identity: version and digest of an artifact, file and digest of what
            comes from outside, digest and value of parameters, identity of an engine.
        made_by: the node's function as `module:name`, and the digest of the code that it reaches.
        run_record: how the run was called: command, environment, git commit, whether the tree was dirty, start, host.
        key: columns that tell one row of a table from another; empty where nobody says.
        rows_from: how rows of a table are made from rows of its inputs (see `medo1.lineage.audit.tracing`).
        measures: the version measures the run itself (time, cost), so that it comes out otherwise each time.
        maker: who made it where no run did: `by` (`hand`, `adopted`, or a command), `user`, `host`, `origin`.
        stores, answers: completion stores, and digests of the answers in them that it was made from, by request id.
        evidence: digest of the content of everything that it was made from.
        told: fills the marks of a page (see `medo1.lineage.page_marks`).
    """

    dataset: str = ""
    run: str = ""
    node: str = ""
    made_from: dict[str, dict[str, Any]] = field(default_factory=dict)
    made_by: dict[str, Any] = field(default_factory=dict)
    run_record: dict[str, Any] = field(default_factory=dict)
    key: list[str] = field(default_factory=list)
    rows_from: dict[str, dict[str, Any]] = field(default_factory=dict)
    measures: bool = False
    maker: dict[str, Any] = field(default_factory=dict)
    stores: list[str] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    evidence: str = ""
    told: Callable[[str, str], str] | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one version is.

    Attributes:
        dataset, run, node, made_from, made_by, run_record, key, rows_from, measures, maker: see `Provenance`.
        completions: which answers of models it was made from: `stores`, how many `answers`, how many of them are
            `unkept`, and the `digest` of the file that lists their digests (see `medo1.lineage.completion_digests`).
        version: the version's name, Kedro's timestamp.
        kind: the class of the dataset that saved it.
        digest: SHA-256 of the file; of a directory, see `medo1.lineage.digests.content_of_tree`.
        size_bytes: bytes of the file, or of all files of the directory.
        rows: rows of a table; None for anything else.
        saved_at: UTC time of the save, ISO 8601.
    """

    dataset: str
    version: str
    run: str
    node: str
    kind: str
    digest: str
    size_bytes: int
    rows: int | None
    saved_at: str
    key: list[str] = field(default_factory=list)
    rows_from: dict[str, dict[str, Any]] = field(default_factory=dict)
    made_by: dict[str, Any] = field(default_factory=dict)
    made_from: dict[str, dict[str, Any]] = field(default_factory=dict)
    run_record: dict[str, Any] = field(default_factory=dict)
    manifest_format: int = MANIFEST_FORMAT
    measures: bool = False
    maker: dict[str, Any] = field(default_factory=dict)
    completions: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The manifest as it stands in its file: indented, because people read it."""
        fields = asdict(self)
        for name in LATER_FIELDS:  # a manifest that was written before there was one keeps its digest
            if not fields[name]:
                del fields[name]
        return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"

    @property
    def text_digest(self) -> str:
        """SHA-256 of the manifest's file as `to_json` writes it: a manifest that was edited has another."""
        return digest_of_text(self.to_json())

    @classmethod
    def from_json(cls, text: str | bytes, where: str) -> Manifest:
        """Read a manifest's text.

        Args:
            text: the file's content.
            where: the file's path, for messages.

        Raises:
            ValueError: naming the file and what is wrong with it.
        """
        try:
            fields = json.loads(text)
            found = fields.get("manifest_format")
            manifest = cls(**fields) if found == MANIFEST_FORMAT else None
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError(f"{where}: not a manifest of medo1 ({error}); its version cannot be trusted") from error
        if manifest is None:
            raise ValueError(
                f"{where}: not a manifest that this medo1 reads: manifest_format is {found!r}, expected "
                f"{MANIFEST_FORMAT}; it was damaged or written by another release"
            )
        return manifest


def is_version_name(name: str) -> bool:
    """Whether a directory's name has the form of a version, so that a stray `zzz-backup` is never the latest."""
    return VERSION_FORM.fullmatch(name) is not None
