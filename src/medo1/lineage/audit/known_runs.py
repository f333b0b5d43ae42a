"""Runs: their state, what they read and wrote, what they were called with."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from medo1.lineage.digests import digest_of_text
from medo1.lineage.environment import Process, lives
from medo1.lineage.ledger import Ledger, LedgerError
from medo1.lineage.ledger_settings import LedgerSettings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from medo1.lineage.ledger_reader import LedgerReader

Row = dict[str, Any]
State = Literal["running", "finished", "failed", "interrupted", "unknown"]

# A run on another machine whose heart was not heard for so many beats is taken for dead.
MISSED_BEATS = 8


def state_of(run: Row, heartbeat_s: float, now: float | None = None) -> State:
    """What became of a run.

    A run without an end is running while its process lives. On this machine the process is looked up by its number and
    start; a run on another machine counts as running while its heartbeat is fresh.
    """
    if run["outcome"]:
        outcome: State = run["outcome"]
        return outcome
    if run["rebuilt"]:
        return "unknown"
    alive = lives(Process(run["host"], run["machine"], run["pid"], run["process_started"]))
    if alive is None:
        alive = (now or time.time()) - run["heartbeat_at"] < MISSED_BEATS * heartbeat_s
    return "running" if alive else "interrupted"


def with_end(run: Row, settings: LedgerSettings) -> Row:
    """A run's row with the end that its record tells, where the ledger could not be told."""
    if run["outcome"]:
        return run
    from medo1.lineage.places import Places
    from medo1.lineage.run_records import read_record

    try:
        record = read_record(Places(settings), run["id"])
    except (OSError, ValueError):
        record = None
    if record is None:
        return run
    told = {name: record.run[name] for name in ("outcome", "ended_at", "error", "cost")}
    return {**run, **told, "root": record.root}


def goes_on(ledger: Ledger, run_id: str) -> bool:
    """Whether a run is still running; a run that the ledger does not know is not."""
    from sqlalchemy import select

    from medo1.lineage.schema import run

    if not run_id:
        return False
    with ledger.reading() as connection:
        found = connection.execute(select(run).where(run.c.id == run_id)).first()
    return found is not None and state_of(dict(found._mapping), ledger.settings.heartbeat_s) == "running"


def running(connection: LedgerReader | Connection, ledger: Ledger) -> list[str]:
    """Ids of the runs that go on."""
    from sqlalchemy import select

    from medo1.lineage.schema import run

    rows = connection.execute(select(run).where(run.c.outcome.is_(None)))
    return [row.id for row in rows if state_of(dict(row._mapping), ledger.settings.heartbeat_s) == "running"]


def latest_runs(connection: LedgerReader, ledger: Ledger, limit: int, **only: str | None) -> list[Row]:
    """The latest runs, newest first, with what changed against the run before.

    Args:
        limit: at most this many.
        only: `outcome`, `env`, `pipeline`, `dataset`: runs with this outcome, environment, pipeline, or that wrote this
            dataset; None does not ask.
    """
    wanted = {name: value for name, value in only.items() if value}
    query = ["SELECT * FROM run WHERE 1 = 1"]
    if "env" in wanted:
        query.append("AND env = :env")
    if "dataset" in wanted:
        query.append("AND id IN (SELECT run_id FROM version WHERE dataset = :dataset)")
    query.append("ORDER BY id DESC")
    found: list[Row] = []
    for row in connection.stream(" ".join(query), **wanted):
        one = with_end(row, ledger.settings)
        one["state"] = state_of(one, ledger.settings.heartbeat_s)
        if "outcome" in wanted and one["state"] != wanted["outcome"]:
            continue
        if "pipeline" in wanted and wanted["pipeline"] not in one["pipelines"]:
            continue
        found.append(one)
        if len(found) >= limit:
            break
    saved: dict[str, int] = {}
    ran: dict[str, int] = {}
    wrote = "SELECT run_id, count(*) AS count FROM version WHERE run_id IN (:some) GROUP BY run_id"
    finished = (
        "SELECT run_id, count(*) AS count FROM node_run WHERE run_id IN (:some) AND outcome = 'finished'"
        " GROUP BY run_id"
    )
    for some in in_pieces([one["id"] for one in found]):
        saved |= {row["run_id"]: row["count"] for row in connection.rows(wrote, some=some)}
        ran |= {row["run_id"]: row["count"] for row in connection.rows(finished, some=some)}
    for one in found:
        one["versions"], one["nodes"] = saved.get(one["id"], 0), ran.get(one["id"], 0)
        one["duration_s"] = seconds_between(one["started_at"], one["ended_at"])
    return found


PINS = (
    "SELECT pin.*, version.maker, version.id IS NOT NULL AND version.run_id IS NULL AS made_by_no_run FROM pin"
    " LEFT JOIN version ON version.location = pin.location AND version.version = pin.version"
    " WHERE pin.run_id = :run_id ORDER BY pin.name"
)


def whole_run(connection: LedgerReader, ledger: Ledger, run: Row) -> Row:
    """All that is known of one run: documents, nodes, pins, inputs, outputs."""
    from sqlalchemy import select

    from medo1.lineage.schema import node_run, reproduction, version

    row = dict(with_end(run, ledger.settings))
    row["state"] = state_of(row, ledger.settings.heartbeat_s)
    row["duration_s"] = seconds_between(row["started_at"], row["ended_at"])
    for name in ("parameters", "effective_parameters", "packages"):
        text = document(connection, run[name])
        row[name] = json.loads(text) if text else None
    nodes = connection.execute(select(node_run).where(node_run.c.run_id == run["id"]).order_by(node_run.c.id))
    row["nodes"] = [dict(node._mapping) for node in nodes]
    row["pins"] = list(connection.rows(PINS, run_id=run["id"]))
    wrote = connection.execute(select(version).where(version.c.run_id == run["id"]).order_by(version.c.id))
    row["outputs"] = [dict(one._mapping) for one in wrote]
    again = connection.execute(select(reproduction).where(reproduction.c.run_id == run["id"]))
    row["reproductions"] = [dict(one._mapping) for one in again]
    return row


def document(connection: LedgerReader, digest: str | None) -> str | None:
    """A kept text by its digest.

    Raises:
        LedgerError: when it is not the text that has this digest.
    """
    if digest is None:
        return None
    found: str | None = connection.value("SELECT content FROM document WHERE digest = :digest", digest=digest)
    if found is not None and digest_of_text(found) != digest:
        raise LedgerError(
            f"The ledger's document {digest[:16]} was changed: its text has another digest. `kedro audit verify` names "
            "the runs that rest on it; `kedro audit rebuild` into a new ledger takes it from the runs' records."
        )
    return found


def inputs_and_outputs(connection: LedgerReader, run_id: str) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    """Of each dataset that a run read or wrote: its version and location; of each file from outside: its digest.

    What the run wrote counts before what it read: a later run continues from there.
    """
    from sqlalchemy import select

    from medo1.lineage.schema import input as input_
    from medo1.lineage.schema import node_run, pin, version

    read = (
        select(input_.c.name, input_.c.kind, input_.c.digest, version.c.version, version.c.location)
        .join(node_run, node_run.c.id == input_.c.node_run_id)
        .join(version, version.c.id == input_.c.version_id, isouter=True)
        .where(node_run.c.run_id == run_id)
    )
    versions, digests = {}, {}
    for row in connection.execute(read):
        if row.kind == "version":
            versions[row.name] = (row.version, row.location)
        elif row.kind == "file" and row.digest:
            digests[row.name] = row.digest
    for row in connection.execute(select(pin).where(pin.c.run_id == run_id)):
        if row.version:
            versions[row.name] = (row.version, row.location)
        elif row.digest:
            digests[row.name] = row.digest
    wrote = select(version.c.dataset, version.c.version, version.c.location).where(version.c.run_id == run_id)
    versions |= {row.dataset: (row.version, row.location) for row in connection.execute(wrote)}
    return versions, digests


def seconds_between(start: str | None, end: str | None) -> float | None:
    """Seconds from one ISO time to another; None where one is missing."""
    if not start or not end:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def in_pieces(values: Iterable[Any], size: int = 900) -> Iterable[Sequence[Any]]:
    """Lists short enough for one `IN (...)`."""
    values = list(values)
    for start in range(0, len(values), size):
        yield values[start : start + size]
