"""Which old versions can go: those that nothing kept was made from.

Kept are the latest versions of each dataset, whatever is tagged or protected, what runs that go on have pinned, and,
of all these, everything that they were made from. The rest may go. Deleting a version takes its manifest away first,
so that a prune that is killed leaves no version that looks complete.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medo1.lineage.audit.graph import inputs_of
from medo1.lineage.audit.known_runs import in_pieces, running
from medo1.lineage.ledger import Ledger
from medo1.lineage.places import Places
from medo1.lineage.recorder import now_text

if TYPE_CHECKING:
    from medo1.lineage.ledger_reader import LedgerReader

Row = dict[str, Any]
NEEDED = ("id", "site", "location", "version", "dataset", "node_run_id", "run_id", "size_bytes")


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
    from sqlalchemy import select

    from medo1.lineage.schema import pin, tag, version

    here = version.c.pruned_at.is_(None) & version.c.site.in_(("", ledger.settings.site))
    columns = [version.c[name] for name in NEEDED]
    ordered = select(*columns).where(here).order_by(version.c.location, version.c.version.desc())
    rows = {row[0]: dict(zip(NEEDED, row, strict=True)) for row in connection.execute(ordered)}
    kept: dict[int, str] = {}
    counts: dict[str, int] = defaultdict(int)
    for number, row in rows.items():
        place = counts[f"{row['site']} {row['location']}"]
        counts[f"{row['site']} {row['location']}"] += 1
        if place < keep_last:
            kept[number] = "latest"
    for tagged in connection.execute(select(tag.c.version_id).distinct()):
        kept.setdefault(tagged.version_id, "tagged or protected")
    for number in _tagged_on_disk(places, rows, kept):
        kept[number] = "tagged or protected"
    going = running(connection, ledger)
    pinned = {
        (row.location, row.version)
        for some in in_pieces(going)
        for row in connection.execute(select(pin).where(pin.c.run_id.in_(some)))
    }
    for number, row in rows.items():
        if row["run_id"] in going or (row["location"], row["version"]) in pinned:
            kept.setdefault(number, "in use by a run")
    _keep_ancestors(connection, rows, kept)
    wanted = set(datasets)
    go = []
    for number, row in rows.items():
        if number in kept or (wanted and row["dataset"] not in wanted):
            continue
        if before is not None and row["version"] >= before:
            kept[number] = "younger"
            continue
        go.append(row)
    reasons: dict[str, int] = defaultdict(int)
    for number, reason in kept.items():
        if number in rows:
            reasons[reason] += 1
    freed = places.freed((row["location"], row["version"]) for row in go)
    return PrunePlan(go, dict(reasons), going, freed)


def _tagged_on_disk(places: Places, rows: dict[int, Row], kept: Container[int]) -> list[int]:
    """Versions with tags beside them, whether the ledger knows these or not.

    A dataset's folder is listed once: a version that is not in it has no tags.
    """
    there: dict[str, set[str]] = {}
    found = []
    for number, row in rows.items():
        if number in kept:
            continue
        location = row["location"]
        if location not in there:
            there[location] = set(places.versions(location))
        if row["version"] not in there[location]:
            continue
        try:
            tagged = bool(places.tags(location, row["version"]))
        except ValueError:
            tagged = True  # who cannot read the tags deletes nothing
        if tagged:
            found.append(number)
    return found


def _keep_ancestors(connection: LedgerReader, rows: dict[int, Row], kept: dict[int, str]) -> None:
    level = [rows[number] for number in kept if number in rows]
    while level:
        found: set[int] = set()
        for some in in_pieces(level, 300):
            found |= {read["version_id"] for _, read in inputs_of(connection, some) if read["version_id"]}
        level = []
        for number in sorted(found):
            if number not in kept:
                kept[number] = "something kept was made from it"
                if number in rows:
                    level.append(rows[number])


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
