"""Writes one run into the ledger, as things happen.

The start record is written before the first node and claims the run's id. After that the run is worth more than its
record: when the database cannot be reached for a while, events wait in memory and are written later, in their order,
and the run goes on. What could not be written at all lies in the manifests beside the versions (`kedro audit rebuild`).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from medo1.lineage.digests import canonical_json
from medo1.lineage.environment import Environment, Heart
from medo1.lineage.ledger import BUSY_S, PATIENCE_S, Ledger, LedgerError, RunIdTakenError
from medo1.lineage.manifests import Manifest
from medo1.lineage.places import Places
from medo1.lineage.run_records import RunRecord, run_facts, write_record

if TYPE_CHECKING:
    from sqlalchemy import Connection

logger = logging.getLogger(__name__)

Outcome = Literal["finished", "failed", "interrupted"]
LONGEST_ERROR = 20_000
# After a write that failed, the next is tried so much later, and later still where failing took long: the host of a
# database that is gone may answer nothing for seconds.
FIRST_PAUSE_S, LONGEST_PAUSE_S, PAUSES_PER_WAIT = 2.0, 60.0, 50.0
# A ledger that is locked in the end, and to which nobody has written for so long, is not waited for.
QUIET_S = 2.0


@dataclass(frozen=True, slots=True)
class NodeInput:
    """One input of a node.

    Attributes:
        kind: `version`, `file` (or a folder), `parameters`, `engine`, `memory`.
        digest: of its content.
        detail: what else identifies it: a place, a value, an engine's identity, the node that made it in memory.
        location, manifest, manifest_digest: of a version.
    """

    kind: Literal["version", "file", "parameters", "engine", "memory"]
    digest: str | None = None
    detail: Any = None
    location: str = ""
    manifest: Manifest | None = None
    manifest_digest: str = ""


@dataclass(frozen=True, slots=True)
class Pin:
    """What a free input of a run was resolved to when the run started."""

    name: str
    kind: Literal["version", "file"]
    location: str
    version: str | None = None
    digest: str | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True)
class RunStart:
    """What is known of a run when it starts; texts without secrets."""

    id: str
    command: str
    env: str
    pipelines: list[str]
    selection: dict[str, Any]
    runtime_params: dict[str, Any]
    from_run: str | None
    parameters: Mapping[str, Any]
    effective_parameters: Mapping[str, Any]
    environment: Environment
    diff: str | None
    medo1: str
    kedro: str
    pins: list[Pin]
    started_at: str


def now_text() -> str:
    """This moment, UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


Event = Callable[["Connection"], None]


class Recorder:
    """Writes a run. Safe for threads.

    Args:
        ledger: where to.
        start: the run.
        places: where the run's record is written in the end.

    Raises:
        RunIdTakenError: when another run has its id; nothing was written.
    """

    def __init__(self, ledger: Ledger, start: RunStart, places: Places) -> None:
        self._ledger = ledger
        self._places = places
        self._id = start.id
        self._record_of_run = RunRecord(start, ledger.settings.site, roots_of(ledger, start.pins))
        self._next_try = 0.0
        self._pause_s = FIRST_PAUSE_S
        self._patience_s = PATIENCE_S
        self._lock = threading.RLock()
        self._waiting: list[Event] = []
        self._warned = False
        self._failing_since: float | None = None
        self._nodes: dict[str, int] = {}
        self._write_start(start)
        self._heart = Heart(self._beat, ledger.settings.heartbeat_s)

    def node_started(
        self, node: str, function: str | None, code: Mapping[str, str], inputs: Mapping[str, NodeInput]
    ) -> None:
        """A node is about to run, on these inputs."""
        at = now_text()
        with self._lock:
            self._record_of_run.node_started(node, function, code, inputs, at)

        def write(connection: Connection) -> None:
            from medo1.lineage.schema import node_run

            digest = self._ledger.keep_document(connection, "code", canonical_json(dict(code))) if code else None
            row = {"run_id": self._id, "node": node, "function": function, "code": digest, "started_at": at}
            number = self._ledger.insert(connection, node_run, row, replace=("started_at",))
            self._nodes[node] = number
            for name, read in inputs.items():
                put_input(self._ledger, connection, number, name, read)

        self._record(write)

    def node_ran(self, node: str, duration_s: float, ended: bool) -> None:
        """A node's function returned; `ended` when it has nothing to save."""
        at = now_text()
        with self._lock:
            self._record_of_run.node_ran(node, duration_s)
            if ended:
                self._record_of_run.node_ended(node, at, "finished")

        def write(connection: Connection) -> None:
            values: dict[str, Any] = {"duration_s": duration_s}
            if ended:
                values |= {"ended_at": at, "outcome": "finished"}
            self._update_node(connection, node, values)

        self._record(write)

    def saved(self, node: str, location: str, manifest: Manifest, manifest_digest: str, ended: bool) -> None:
        """A version is complete; `ended` when it is the node's last output."""
        at = now_text()
        with self._lock:
            self._record_of_run.saved(node, location, manifest, manifest_digest)
            if ended:
                self._record_of_run.node_ended(node, at, "finished")

        def write(connection: Connection) -> None:
            put_version(self._ledger, connection, location, manifest, manifest_digest, self._nodes.get(node))
            if ended:
                self._update_node(connection, node, {"ended_at": at, "outcome": "finished"})

        self._record(write)

    def node_ended(self, node: str) -> None:
        """A node's last output was handed on in memory."""
        at = now_text()
        with self._lock:
            self._record_of_run.node_ended(node, at, "finished")
        self._record(lambda connection: self._update_node(connection, node, {"ended_at": at, "outcome": "finished"}))

    def ended(self, outcome: Outcome, error: str | None = None, cost: Any = None) -> str | None:
        """The run is over. Others that write are waited for once more, not for long.

        Returns:
            the run's root digest; None where its record could not be written.
        """
        self._heart.stop()
        at = now_text()
        error = error and error[:LONGEST_ERROR]
        root = self._write_record(at, outcome, error, cost)

        def write(connection: Connection) -> None:
            from sqlalchemy import update

            from medo1.lineage.schema import node_run, run

            values = {"ended_at": at, "outcome": outcome, "error": error, "root": root, "cost": cost}
            connection.execute(update(run).where(run.c.id == self._id).values(**values, heartbeat_at=time.time()))
            if outcome != "finished":
                unfinished = (node_run.c.run_id == self._id) & node_run.c.outcome.is_(None)
                connection.execute(update(node_run).where(unfinished).values(outcome=outcome, ended_at=at))

        self._next_try, self._patience_s = 0.0, PATIENCE_S
        self._warned = True  # what cannot be written now is told below
        self._record(write)
        self._wait_for_others()
        if self._waiting:
            logger.error(
                "%d events of run %s could not be written to the ledger %s. Nothing is lost: they lie in the run's "
                "record, and `kedro audit rebuild` reads it once the database can be reached again.",
                len(self._waiting),
                self._id,
                self._ledger.settings.url,
            )
        self._ledger.close()
        return root

    def _write_record(self, at: str, outcome: Outcome, error: str | None, cost: Any) -> str | None:
        try:
            text = self._record_of_run.text(at, outcome, error, cost)
            return write_record(self._places, self._id, text, self._record_of_run.documents)
        except OSError as problem:
            logger.warning(
                "The record of run %s could not be written (%s): it has no root digest. What it saved is complete.",
                *(self._id, problem),
            )
            return None

    def _record(self, event: Event) -> None:
        with self._lock:
            self._waiting.append(event)
            self._flush()

    def _wait_for_others(self) -> None:
        """Wait for this run's turn while other runs write, but no longer than a moment where none does."""
        seen, last = None, time.monotonic()
        until = last + BUSY_S
        while self._waiting and time.monotonic() < until:
            wrote = self._ledger.last_written()
            if wrote != seen:
                seen, last = wrote, time.monotonic()
            if wrote is None or time.monotonic() - last > QUIET_S:
                return
            with self._lock:
                self._next_try = 0.0
                self._flush()
            time.sleep(0.02)

    def _flush(self) -> None:
        """Write what waits, in one transaction; what cannot be written goes on waiting, longer each time.

        Others that write are waited for once; until a write succeeds again, a locked database costs nothing.
        """
        from sqlalchemy.exc import SQLAlchemyError

        before = time.monotonic()
        if not self._waiting or before < self._next_try:
            return
        try:
            with self._ledger.writing(self._patience_s) as connection:
                for event in self._waiting:
                    event(connection)
        except SQLAlchemyError as error:
            now = time.monotonic()
            silent_s = now - before - self._patience_s
            self._next_try = now + max(self._pause_s, PAUSES_PER_WAIT * silent_s)
            self._patience_s = 0.0
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            self._failing_since = self._failing_since or before
            if not self._warned and now - self._failing_since > FIRST_PAUSE_S:  # no mere crowd of writers
                self._warned = True
                logger.warning(
                    "The ledger %s cannot be written to (%s). The run goes on; its events wait and are written when "
                    "the database answers again.",
                    self._ledger.settings.url,
                    str(getattr(error, "orig", None) or error).strip().partition("\n")[0],
                )
            return
        self._waiting.clear()
        self._failing_since = None
        self._pause_s, self._patience_s = FIRST_PAUSE_S, PATIENCE_S

    def _write_start(self, start: RunStart) -> None:
        from sqlalchemy.exc import DBAPIError, IntegrityError

        try:
            with self._ledger.writing() as connection:
                self._insert_start(connection, start)
        except IntegrityError as error:
            raise RunIdTakenError(f"Another run has the id {start.id}: start again.") from error
        except DBAPIError as error:
            reason = str(error.orig or error).strip().partition("\n")[0]
            raise LedgerError(
                f"The run was not started, because its start cannot be written to the ledger "
                f"{self._ledger.settings.url}: {reason}."
            ) from None

    def _insert_start(self, connection: Connection, start: RunStart) -> None:
        from medo1.lineage.schema import pin, run

        facts = run_facts(start, self._ledger.settings.site, partial(self._ledger.keep_document, connection))
        connection.execute(run.insert().values({**facts, "heartbeat_at": time.time(), "rebuilt": False}))
        for one in start.pins:
            told = {name: getattr(one, name) for name in ("name", "kind", "location", "version", "digest")}
            connection.execute(pin.insert().values(run_id=start.id, **told))

    def _update_node(self, connection: Connection, node: str, values: Mapping[str, Any]) -> None:
        from sqlalchemy import update

        from medo1.lineage.schema import node_run

        number = self._nodes.get(node)
        if number is not None:
            connection.execute(update(node_run).where(node_run.c.id == number).values(values))

    def _beat(self) -> None:
        from sqlalchemy import update
        from sqlalchemy.exc import DBAPIError

        from medo1.lineage.schema import run

        with suppress(DBAPIError), self._ledger.writing(PATIENCE_S) as connection:
            connection.execute(update(run).where(run.c.id == self._id).values(heartbeat_at=time.time()))


def roots_of(ledger: Ledger, pins: list[Pin]) -> dict[str, str]:
    """Root digests of the runs that made what a run reads, by run; of runs that have one."""
    runs = sorted({pin.run for pin in pins if pin.run})
    with ledger.reading() as reader:
        rows = reader.rows("SELECT id, root FROM run WHERE id IN (:runs)", runs=runs) if runs else ()
        return {row["id"]: row["root"] for row in rows if row["root"]}


def put_version(
    ledger: Ledger,
    connection: Connection,
    location: str,
    manifest: Manifest,
    manifest_digest: str,
    node_run_id: int | None = None,
) -> int:
    """Write a version, or find the one that is there; returns its number."""
    from sqlalchemy import select, update

    from medo1.lineage.schema import version

    site = ledger.settings.site_of(location)
    where = {"site": site, "location": location, "version": manifest.version}
    row = {**where, "node_run_id": node_run_id, "manifest": manifest_digest, **version_facts(manifest)}
    number = ledger.insert(connection, version, row)
    if number is None:
        same = (version.c.site == site) & (version.c.location == location) & (version.c.version == manifest.version)
        number = connection.execute(select(version.c.id).where(same)).scalar_one()
        if node_run_id is not None:
            connection.execute(
                update(version)
                .where((version.c.id == number) & version.c.node_run_id.is_(None))
                .values(node_run_id=node_run_id)
            )
    return int(number)


def put_made_outside_a_run(ledger: Ledger, location: str, manifest: Manifest) -> None:
    """Write a version that no run made: a command, a person or another study did, as its manifest's maker says."""
    with ledger.writing() as connection:
        put_version(ledger, connection, ledger.settings.location_of(location), manifest, manifest.text_digest)


def version_facts(manifest: Manifest) -> dict[str, Any]:
    """What a manifest says of its version, named as the ledger's columns."""
    return {
        "dataset": manifest.dataset,
        "run_id": manifest.run or None,
        "kind": manifest.kind,
        "digest": manifest.digest,
        "size_bytes": manifest.size_bytes,
        "rows": manifest.rows,
        "key": manifest.key,
        "rows_from": manifest.rows_from,
        "saved_at": manifest.saved_at,
        "env": manifest.run_record.get("env"),
        "maker": manifest.maker or None,
        "completions": manifest.completions or None,
        "measures": manifest.measures,
    }


def put_input(ledger: Ledger, connection: Connection, node_run_id: int, name: str, read: NodeInput) -> None:
    """Write one input of a node."""
    from medo1.lineage.schema import input as input_

    number = None
    if read.manifest is not None:
        number = put_version(ledger, connection, read.location, read.manifest, read.manifest_digest)
    row = {
        "node_run_id": node_run_id,
        "name": name,
        "kind": read.kind,
        "version_id": number,
        "digest": read.digest,
        "detail": read.detail,
    }
    ledger.insert(connection, input_, row)
