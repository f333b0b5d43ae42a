"""How people name runs and versions, and how such a name becomes one of them.

RUN                 2026-11-23T10.15.00.123Z, an unambiguous beginning of it, latest, latest~2, or a tag
DATASET[@VERSION]   VERSION likewise; without it the latest

`latest` is that of the environment that is worked in; `ENV/latest` that of another.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from medo1.errors import UserError
from medo1.lineage.ledger import Ledger
from medo1.lineage.ledger_reader import beginning

if TYPE_CHECKING:
    from medo1.lineage.ledger_reader import LedgerReader

Row = dict[str, Any]

BACK = re.compile(r"(?:(?P<env>[\w.-]+)/)?latest(?:~(?P<back>\d+))?")
VERSION_START = re.compile(r"\d{4}(-|$)")


class UnknownReferenceError(UserError):
    """There is no such run, dataset or version; the text says what there is."""


def find_run(connection: LedgerReader, ledger: Ledger, name: str) -> Row:
    """The run that a name means.

    Raises:
        UnknownReferenceError: when there is none, or several.
    """
    back = BACK.fullmatch(name)
    if back:
        env, names = _env_names(ledger, back)
        latest = "SELECT * FROM run WHERE env IN (:names) ORDER BY id DESC LIMIT 1 OFFSET :back"
        found = connection.first(latest, names=names, back=int(back["back"] or 0))
        if found is None:
            others = _other_envs(connection, ledger)
            raise UnknownReferenceError(f"There is no run {name} in environment {env}: the ledger holds fewer.{others}")
        return found
    if VERSION_START.match(name):
        some = "SELECT * FROM run WHERE id LIKE :start ESCAPE '/' LIMIT 6"
        rows = list(connection.rows(some, start=beginning(name)))
        return _only(rows, "run", name, "id") if rows else _no_run(connection, name)
    ids = _runs_tagged(connection, name)
    if len(ids) == 1:
        return next(connection.rows("SELECT * FROM run WHERE id = :run_id", run_id=ids[0]))
    if ids:
        raise UnknownReferenceError(
            f"The tag {name!r} names versions of several runs ({', '.join(ids[:5])}): name one of them."
        )
    return _no_run(connection, name)


def find_version(connection: LedgerReader, ledger: Ledger, name: str, *, gone: bool = False) -> Row:
    """The version that `DATASET[@VERSION]` means.

    Args:
        gone: also versions that were pruned.

    Raises:
        UnknownReferenceError: when there is none, or several.
    """
    dataset, _, wanted = name.partition("@")
    wanted = wanted or "latest"
    back = BACK.fullmatch(wanted)
    of_dataset = "version.dataset = :dataset AND version.site IN (:sites)"
    if not gone:
        of_dataset += " AND version.pruned_at IS NULL"
    names: Sequence[str] = ()
    if back:
        _, names = _env_names(ledger, back)
        in_env = "(version.env IN (:names) OR version.env IS NULL)"
        at = f"ORDER BY version.version DESC LIMIT 1 OFFSET {int(back['back'] or 0)}"
        matching = f"FROM version WHERE {of_dataset} AND {in_env} {at}"
    elif VERSION_START.match(wanted):
        matching = f"FROM version WHERE {of_dataset} AND version.version LIKE :start ESCAPE '/' LIMIT 6"
    else:
        tagged = "FROM version JOIN tag ON tag.version_id = version.id"
        matching = f"{tagged} WHERE {of_dataset} AND tag.name = :wanted LIMIT 6"
    values = {"dataset": dataset, "sites": ["", ledger.settings.site], "start": beginning(wanted), "wanted": wanted}
    values |= {"names": list(names)} if back else {}
    rows = list(connection.rows(f"SELECT version.* {matching}", **values))
    if not rows:
        raise UnknownReferenceError(_no_version(connection, dataset, wanted, known=find_datasets(connection)))
    return _only(rows, f"version of {dataset}", wanted, "version")


def _env_names(ledger: Ledger, back: re.Match[str]) -> tuple[str, list[str]]:
    env = ledger.settings.env_of(back["env"]) if back["env"] else ledger.settings.env
    return env, list(ledger.settings.names_of(env))


def _other_envs(connection: LedgerReader, ledger: Ledger) -> str:
    found = {ledger.settings.env_of(row["env"]) for row in connection.rows("SELECT DISTINCT env FROM run")}
    names = [f"{env}/latest" for env in sorted(found)]
    return f" Runs of each environment: {', '.join(names)}." if names else ""


def find_datasets(connection: LedgerReader) -> list[str]:
    """Names of all datasets of which there is a version."""
    # One look-up a name instead of a scan of every version.
    names: list[str] = []
    name = connection.value("SELECT min(dataset) FROM version")
    while name is not None:
        names.append(name)
        name = connection.value("SELECT min(dataset) FROM version WHERE dataset > :name", name=name)
    return names


def _runs_tagged(connection: LedgerReader, name: str) -> list[str]:
    tagged = "FROM version JOIN tag ON tag.version_id = version.id WHERE tag.name = :name"
    rows = connection.rows(f"SELECT DISTINCT version.run_id {tagged}", name=name)
    return sorted(row["run_id"] for row in rows if row["run_id"])


def _only(rows: Sequence[Row], what: str, name: str, column: str) -> Row:
    if len(rows) > 1:
        several = ", ".join(row[column] for row in rows[:5])
        raise UnknownReferenceError(f"{name!r} is the beginning of more than one {what}: {several}. Write more of it.")
    return rows[0]


def _no_run(connection: LedgerReader, name: str) -> Row:
    latest = [row["id"] for row in connection.rows("SELECT id FROM run ORDER BY id DESC LIMIT 3")]
    raise UnknownReferenceError(
        f"There is no run {name!r}. A run is named by its id or the beginning of it, by latest, latest~1 ..., or by "
        f"the tag of its versions. Latest runs: {', '.join(latest) or 'none'}."
    )


def unknown_dataset(dataset: str, known: list[str]) -> str:
    """What to say of a name of which the ledger knows no version."""
    close = difflib.get_close_matches(dataset, known, n=3)
    close += [name for name in known if dataset and name.endswith(f".{dataset}")][:3]
    hint = f"Did you mean {' or '.join(close)}?" if close else f"There are {', '.join(known[:12]) or 'none yet'}."
    return f"The ledger knows no version of a dataset {dataset!r}. {hint}"


def _no_version(connection: LedgerReader, dataset: str, wanted: str, known: list[str]) -> str:
    if dataset not in known:
        return unknown_dataset(dataset, known)
    there = "SELECT version FROM version WHERE dataset = :dataset AND pruned_at IS NULL ORDER BY version DESC LIMIT 3"
    names = [row["version"] for row in connection.rows(there, dataset=dataset)]
    return (
        f"{dataset} has no version {wanted!r} here. A version is named by the beginning of its name, by latest, "
        f"latest~1 ..., or by a tag. Latest: {', '.join(names) or 'none'}."
    )
