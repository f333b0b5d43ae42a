"""Versions of a dataset, the latest of each, and their tags."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from medo1.lineage.audit.runs import in_pieces, state_of
from medo1.lineage.ledger import Ledger
from medo1.lineage.places import Places, Tag

if TYPE_CHECKING:
    from sqlalchemy import Connection

Row = dict[str, Any]


def versions_of(
    connection: Connection, ledger: Ledger, places: Places, dataset: str, limit: int, *, gone: bool = False
) -> list[Row]:
    """Versions of a dataset, newest first, each with its run, its tags, and whether it is there.

    Adds to each row: `run` (state and environment), `tags`, `state` (`there`, `missing`, `pruned`, `elsewhere`), and
    `same_as`: the version before it with the same content.
    """
    from sqlalchemy import select

    from medo1.lineage.schema import node_run, version

    query = (
        select(version, node_run.c.node)
        .join(node_run, node_run.c.id == version.c.node_run_id, isouter=True)
        .where(version.c.dataset == dataset)
    )
    if not gone:
        query = query.where(version.c.pruned_at.is_(None))
    found = connection.execute(query.order_by(version.c.version.desc(), version.c.id.desc()).limit(limit + 1))
    rows = [dict(row._mapping) for row in found]
    runs = runs_by_id(connection, ledger, {row["run_id"] for row in rows if row["run_id"]})
    tags = tags_of(connection, [row["id"] for row in rows])
    for row, before in zip(rows, [*rows[1:], None], strict=True):
        row["tags"] = tags.get(row["id"], [])
        row["run"] = runs.get(row["run_id"])
        row["same_as"] = before["version"] if before and before["digest"] == row["digest"] else None
        row["state"] = presence(ledger, places, row)
    return rows[:limit]


def presence(ledger: Ledger, places: Places, row: Row) -> str:
    """Whether a version is there: `there`, `missing`, `pruned`, or `elsewhere` (on another machine's disk)."""
    if row["pruned_at"]:
        return "pruned"
    if row["site"] not in ("", ledger.settings.site):
        return "elsewhere"
    return "there" if places.exists(row["location"], row["version"]) else "missing"


def heads(connection: Connection, ledger: Ledger, places: Places) -> list[Row]:
    """The latest version of every dataset of this site that is there, with the node that made it."""
    from sqlalchemy import select

    from medo1.lineage.schema import node_run, version

    found: list[Row] = []
    for site, location in _locations(connection, ledger):
        query = (
            select(version, node_run.c.node, node_run.c.function, node_run.c.code)
            .join(node_run, node_run.c.id == version.c.node_run_id, isouter=True)
            .where((version.c.site == site) & (version.c.location == location))
            .order_by(version.c.version.desc())
        )
        for row in connection.execute(query.execution_options(stream_results=True)):
            one = dict(row._mapping)
            if one["pruned_at"] is None and places.exists(location, one["version"]):
                found.append(one)
                break
    return found


def _locations(connection: Connection, ledger: Ledger) -> list[tuple[str, str]]:
    """Site and location of every dataset of this site: one look-up each instead of a scan of all versions."""
    from sqlalchemy import select

    from medo1.lineage.schema import version

    found: list[tuple[str, str]] = []
    for site in sorted({"", ledger.settings.site}):
        last = None
        while True:
            query = select(version.c.location).where(version.c.site == site).order_by(version.c.location).limit(1)
            last = connection.execute(query.where(version.c.location > last) if last else query).scalar()
            if last is None:
                break
            found.append((site, last))
    return found


def runs_by_id(connection: Connection, ledger: Ledger, ids: set[str]) -> dict[str, Row]:
    """Short facts of runs: state, environment, commit."""
    from sqlalchemy import select

    from medo1.lineage.schema import run

    found: dict[str, Row] = {}
    for some in in_pieces(ids):
        for row in connection.execute(select(run).where(run.c.id.in_(some))):
            one = dict(row._mapping)
            found[one["id"]] = {
                "id": one["id"],
                "state": state_of(one, ledger.settings.heartbeat_s),
                "env": one["env"],
                "git_commit": one["git_commit"],
                "git_dirty": one["git_dirty"],
            }
    return found


def tags_of(connection: Connection, numbers: list[int]) -> dict[int, list[Row]]:
    """Tags by the number of their version."""
    from sqlalchemy import select

    from medo1.lineage.schema import tag

    found: dict[int, list[Row]] = defaultdict(list)
    for some in in_pieces(numbers):
        for row in connection.execute(select(tag).where(tag.c.version_id.in_(some)).order_by(tag.c.name)):
            found[row.version_id].append(dict(row._mapping))
    return found


def all_tags(connection: Connection) -> list[Row]:
    """Every tag with its version, by name."""
    from sqlalchemy import select

    from medo1.lineage.schema import tag, version

    query = (
        select(tag, version.c.dataset, version.c.version)
        .join(version, version.c.id == tag.c.version_id)
        .order_by(tag.c.name, version.c.dataset)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def put_tag(ledger: Ledger, places: Places, version: Row, tag: Tag | None, remove: str | None = None) -> None:
    """Give a tag to a version, or take one away: beside the version first, where it survives the ledger, then here.

    Raises:
        FileNotFoundError: when the version is not there.
    """
    from sqlalchemy import delete

    from medo1.lineage.schema import tag as table

    location, name = version["location"], version["version"]
    if not places.exists(location, name):
        raise FileNotFoundError(f"{version['dataset']}@{name} is not there")
    gone = remove or (tag.name if tag else "")
    kept = [one for one in places.tags(location, name) if one.name != gone]
    places.write_tags(location, name, [*kept, *([tag] if tag else [])])
    with ledger.writing() as connection:
        connection.execute(delete(table).where((table.c.version_id == version["id"]) & (table.c.name == gone)))
        if tag is not None:
            ledger.insert(
                connection,
                table,
                {
                    "version_id": version["id"],
                    "name": tag.name,
                    "protected": tag.protected,
                    "note": tag.note,
                    "at": tag.at,
                },
            )
