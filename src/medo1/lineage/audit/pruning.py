"""Which old versions can go: those that nothing kept was made from.

Kept are the latest versions of each dataset, whatever is tagged or protected, what runs that go on have pinned, and,
of all these, everything that they were made from. The rest may go. Deleting a version takes its manifest away first,
so that a prune that is killed leaves no version that looks complete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medo1.lineage.audit.graph import inputs_of
from medo1.lineage.audit.known_runs import in_pieces, running
from medo1.lineage.audit.known_versions import located_datasets
from medo1.lineage.ledger import Ledger
from medo1.lineage.places import Places
from medo1.lineage.recorder import now_text

if TYPE_CHECKING:
    from medo1.lineage.ledger_reader import LedgerReader

Row = dict[str, Any]
NEEDED = (
    "SELECT id, site, location, version, dataset, node_run_id, run_id, size_bytes, maker FROM version"
    " WHERE pruned_at IS NULL"
)


@dataclass(slots=True)
class PrunePlan:
    """What would be deleted, and what is kept for which reason."""

    go: list[Row]
    kept: dict[str, int]
    going_on: list[str]
    size_bytes: int = 0  # what deleting frees: content that a kept version shares stays


def prune_plan(
    connection: LedgerReader, ledger: Ledger, places: Places, keep_last: int, before: str | None = None,
    datasets: Iterable[str] = (),
) -> PrunePlan:  # fmt: skip
    """What can go.

    Args:
        keep_last: so many of each dataset stay.
        before: only versions older than this name go; None asks no age.
        datasets: only these lose versions; none named: all.
    """
    going = running(connection, ledger)
    kept: dict[int, str] = {}
    # Of each place the latest, by the index; nothing reads or sorts all versions to find what stays.
    of_place = f"{NEEDED} AND site = :site AND location = :location"
    known = located_datasets(connection, ledger)
    level: list[Row] = []

    def keep(rows: Iterable[Row], reason: str) -> None:
        for row in rows:
            if row["id"] not in kept:
                kept[row["id"]] = reason
                level.append(row)

    for site, location in known:
        latest = f"{of_place} ORDER BY version DESC LIMIT :most"
        keep(connection.rows(latest, site=site, location=location, most=keep_last), "latest")
    keep(_tagged(connection, places, of_place, known), "tagged or protected")
    keep(_in_use(connection, ledger, going), "in use by a run")
    _keep_ancestors(connection, level, kept)
    wanted = set(datasets)
    go: list[Row] = []
    younger = 0
    for row in _candidates(connection, of_place, known, wanted):
        if row["id"] in kept:
            continue
        if before is not None and row["version"] >= before:
            younger += 1
        else:
            go.append(row)
    reasons = Counter(kept.values()) + Counter({"younger": younger})
    return PrunePlan(go, dict(reasons), going, places.freed((row["location"], row["version"]) for row in go))


def _candidates(
    connection: LedgerReader, of_place: str, known: Iterable[tuple[str, str]], wanted: set[str]
) -> Iterator[Row]:
    """Versions of the wanted datasets, by the index; of all datasets, where none are named, in one pass."""
    if not wanted:
        here = set(known)
        yield from (row for row in connection.rows(NEEDED) if (row["site"], row["location"]) in here)
        return
    for site, location in known:
        for row in connection.rows(of_place, site=site, location=location):
            if row["dataset"] not in wanted:
                break  # a place is one dataset's
            yield row


def _tagged(connection: LedgerReader, places: Places, of_place: str, known: Iterable[tuple[str, str]]) -> Iterator[Row]:
    """Versions with tags in the ledger, or beside them, whether the ledger knows these or not."""
    tagged = "id IN (SELECT version_id FROM tag)"
    yield from connection.rows(f"{NEEDED} AND {tagged}")
    for site, location in known:
        names = [name for name in places.versions(location) if places.tagged(location, name)]
        for some in in_pieces(names):
            yield from connection.rows(
                f"{of_place} AND version IN (:some)", site=site, location=location, some=list(some)
            )


def _in_use(connection: LedgerReader, ledger: Ledger, going: Iterable[str]) -> Iterator[Row]:
    """What runs that go on have saved, and what they read."""
    here = f"{NEEDED} AND site IN (:sites)"
    sites = ["", ledger.settings.site]
    for some in in_pieces(going):
        pinned = "EXISTS (SELECT 1 FROM pin WHERE pin.run_id IN (:some)"
        pinned += " AND pin.location = version.location AND pin.version = version.version)"
        yield from connection.rows(f"{here} AND (run_id IN (:some) OR {pinned})", sites=sites, some=list(some))


def _keep_ancestors(connection: LedgerReader, level: list[Row], kept: dict[int, str]) -> None:
    while level:
        found: set[int] = set()
        for some in in_pieces(level, 300):
            found |= {read["version_id"] for _, read in inputs_of(connection, some) if read["version_id"]}
        found -= kept.keys()
        level = []
        for numbers in in_pieces(sorted(found)):
            level += connection.rows(f"{NEEDED} AND id IN (:numbers)", numbers=list(numbers))
        kept |= {row["id"]: "something kept was made from it" for row in level}


def prune(ledger: Ledger, places: Places, plan: PrunePlan) -> tuple[int, list[str]]:
    """Delete what the plan says; returns how many went, and what stayed after all because a run took it meanwhile."""
    from sqlalchemy import select, update

    from medo1.lineage.schema import pin, tag, version

    stayed: list[str] = []
    gone = 0
    for row in sorted(
        plan.go, key=lambda one: one["version"], reverse=True
    ):  # what was made before what it is made from
        with ledger.writing() as connection:
            going = running(connection, ledger)
            here = (pin.c.location == row["location"]) & (pin.c.version == row["version"]) & pin.c.run_id.in_(going)
            tagged = connection.execute(select(tag.c.name).where(tag.c.version_id == row["id"])).first()
            if tagged or connection.execute(select(pin.c.name).where(here)).first():
                stayed.append(f"{row['dataset']}@{row['version']}")
                continue
            places.delete(row["location"], row["version"])
            connection.execute(update(version).where(version.c.id == row["id"]).values(pruned_at=now_text()))
            gone += 1
    return gone, stayed


def leftovers(
    connection: LedgerReader, ledger: Ledger, places: Places, roots: Iterable[str]
) -> list[tuple[str, str, int]]:
    """What saves that never ended left behind: location, version and bytes; not of runs that go on."""
    from medo1.lineage.audit.verification import unaccounted

    return [
        (one.location, one.version, places.size(one.location, one.version))
        for one in unaccounted(connection, ledger, places, roots)
        if one.problem == "half-written"
    ]
