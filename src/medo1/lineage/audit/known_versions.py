"""Versions of a dataset, the latest of each, and their tags."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from medo1.lineage.audit.known_runs import in_pieces, state_of, with_end
from medo1.lineage.ledger import Ledger
from medo1.lineage.places import Places, Tag

if TYPE_CHECKING:
    from medo1.lineage.ledger_reader import LedgerReader

Row = dict[str, Any]

# A version's row, and of the node that made it what it is called and which code it ran.
WITH_NODE = (
    "version.*, node_run.node, node_run.function, node_run.code, run.git_commit"
    " FROM version LEFT JOIN node_run ON node_run.id = version.node_run_id LEFT JOIN run ON run.id = version.run_id"
)


def versions_of(
    connection: LedgerReader, ledger: Ledger, places: Places, dataset: str, limit: int, *, gone: bool = False
) -> list[Row]:
    """Versions of a dataset, newest first, each with its run, its tags, and whether it is there.

    Adds to each row: `run` (state and environment), `tags`, `state` (`there`, `missing`, `pruned`, `elsewhere`), and
    `same_as`: the version before it with the same content.
    """
    found = connection.rows(
        "SELECT version.*, node_run.node FROM version LEFT JOIN node_run ON node_run.id = version.node_run_id"
        " WHERE version.dataset = :dataset AND (version.pruned_at IS NULL OR :gone = 1)"
        " ORDER BY version.version DESC, version.id DESC LIMIT :most",
        dataset=dataset,
        gone=int(gone),
        most=limit + 1,
    )
    rows = list(found)
    runs = runs_by_id(connection, ledger, {row["run_id"] for row in rows if row["run_id"]})
    tags = tags_of(connection, [row["id"] for row in rows])
    for row, before in zip(rows, [*rows[1:], *([None] if rows else [])], strict=True):
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


def heads(connection: LedgerReader, ledger: Ledger, places: Places) -> list[Row]:
    """The latest version of every dataset of this site that is there, in every environment, with its node."""
    found: list[Row] = []
    for site, location in located_datasets(connection, ledger):
        newest_first = connection.stream(
            f"SELECT {WITH_NODE} WHERE version.site = :site AND version.location = :location"
            " ORDER BY version.version DESC",
            site=site,
            location=location,
        )
        for row in newest_first:
            if row["pruned_at"] is None and places.exists(location, row["version"]):
                found.append(row)
                break
    return found


def of_this_environment(ledger: Ledger, rows: list[Row]) -> list[Row]:
    """Those of some versions that were saved in the environment that is worked in."""
    return [row for row in rows if row["env"] is None or ledger.settings.env_of(row["env"]) == ledger.settings.env]


def located_datasets(connection: LedgerReader, ledger: Ledger) -> list[tuple[str, str]]:
    """Site and location of every dataset of this site: one look-up each instead of a scan of all versions."""
    found: list[tuple[str, str]] = []
    for site in sorted({"", ledger.settings.site}):
        last: str | None = ""
        while last is not None:
            query = "SELECT min(location) FROM version WHERE site = :site AND location > :last"
            last = connection.value(query, site=site, last=last)
            if last is not None:
                found.append((site, last))
    return found


def runs_by_id(connection: LedgerReader, ledger: Ledger, ids: set[str]) -> dict[str, Row]:
    """Short facts of runs: state, environment, commit."""
    found: dict[str, Row] = {}
    for some in in_pieces(ids):
        for row in connection.rows("SELECT * FROM run WHERE id IN (:some)", some=some):
            one = with_end(row, ledger.settings)
            found[one["id"]] = {
                "id": one["id"],
                "state": state_of(one, ledger.settings.heartbeat_s),
                "env": one["env"],
                "git_commit": one["git_commit"],
                "git_dirty": one["git_dirty"],
            }
    return found


def tags_of(connection: LedgerReader, numbers: list[int]) -> dict[int, list[Row]]:
    """Tags by the number of their version."""
    found: dict[int, list[Row]] = defaultdict(list)
    for some in in_pieces(numbers):
        for row in connection.rows("SELECT * FROM tag WHERE version_id IN (:some) ORDER BY name", some=some):
            found[row["version_id"]].append(row)
    return found


def all_tags(connection: LedgerReader) -> list[Row]:
    """Every tag with its version, by name."""
    query = "SELECT tag.*, version.dataset, version.version FROM tag JOIN version ON version.id = tag.version_id"
    return list(connection.rows(f"{query} ORDER BY tag.name, version.dataset"))


def tagged_elsewhere(connection: LedgerReader, name: str, rows: list[Row]) -> list[Row]:
    """Versions that have a tag already and are of another run than some others, or other versions of their datasets."""
    runs, numbers = {row["run_id"] for row in rows}, {row["id"] for row in rows}
    datasets = {row["dataset"] for row in rows}
    query = "SELECT version.* FROM version JOIN tag ON tag.version_id = version.id WHERE tag.name = :name"
    return [
        row
        for row in connection.rows(query, name=name)
        if row["id"] not in numbers and (row["run_id"] not in runs or row["dataset"] in datasets)
    ]


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
    ledger.refuse_a_copy()
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
