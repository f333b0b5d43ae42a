"""How people name runs and versions, and how such a name becomes one of them.

RUN                 2026-11-23T10.15.00.123Z, an unambiguous beginning of it, latest, latest~2, or a tag
DATASET[@VERSION]   VERSION likewise; without it the latest
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from medo1.errors import UserError
from medo1.lineage.ledger import Ledger

if TYPE_CHECKING:
    from sqlalchemy import Connection

Row = dict[str, Any]

BACK = re.compile(r"latest(?:~(\d+))?")
VERSION_START = re.compile(r"\d{4}(-|$)")


class UnknownReferenceError(UserError):
    """There is no such run, dataset or version; the text says what there is."""


def find_run(connection: Connection, name: str) -> Row:
    """The run that a name means.

    Raises:
        UnknownReferenceError: when there is none, or several.
    """
    from sqlalchemy import select

    from medo1.lineage.schema import run

    back = BACK.fullmatch(name)
    if back:
        found = connection.execute(select(run).order_by(run.c.id.desc()).offset(int(back[1] or 0)).limit(1)).first()
        if found is None:
            raise UnknownReferenceError(f"There is no run {name}: the ledger holds fewer.")
        return dict(found._mapping)
    if VERSION_START.match(name):
        rows = connection.execute(select(run).where(run.c.id.startswith(name, autoescape=True)).limit(6)).all()
        return dict(_only([row._mapping for row in rows], "run", name, "id")) if rows else _no_run(connection, name)
    ids = _runs_tagged(connection, name)
    if len(ids) == 1:
        return dict(connection.execute(select(run).where(run.c.id == ids[0])).one()._mapping)
    if ids:
        raise UnknownReferenceError(
            f"The tag {name!r} names versions of several runs ({', '.join(ids[:5])}): name one of them."
        )
    return _no_run(connection, name)


def find_version(connection: Connection, ledger: Ledger, name: str, *, gone: bool = False) -> Row:
    """The version that `DATASET[@VERSION]` means.

    Args:
        gone: also versions that were pruned.

    Raises:
        UnknownReferenceError: when there is none, or several.
    """
    from sqlalchemy import select

    from medo1.lineage.schema import tag, version

    dataset, _, wanted = name.partition("@")
    here = (version.c.dataset == dataset) & version.c.site.in_(("", ledger.settings.site))
    if not gone:
        here &= version.c.pruned_at.is_(None)
    query = select(version).where(here)
    wanted = wanted or "latest"
    back = BACK.fullmatch(wanted)
    if back:
        found = connection.execute(query.order_by(version.c.version.desc()).offset(int(back[1] or 0)).limit(1)).first()
        rows = [found._mapping] if found else []
    elif VERSION_START.match(wanted):
        rows = [
            row._mapping
            for row in connection.execute(query.where(version.c.version.startswith(wanted, autoescape=True)).limit(6))
        ]
    else:
        tagged = query.join(tag, tag.c.version_id == version.c.id).where(tag.c.name == wanted)
        rows = [row._mapping for row in connection.execute(tagged.limit(6))]
    if not rows:
        raise UnknownReferenceError(_no_version(connection, dataset, wanted, known=find_datasets(connection)))
    return dict(_only(rows, f"version of {dataset}", wanted, "version"))


def find_datasets(connection: Connection) -> list[str]:
    """Names of all datasets of which there is a version."""
    from sqlalchemy import select

    from medo1.lineage.schema import version

    # One look-up a name instead of a scan of every version.
    names: list[str] = []
    while True:
        query = select(version.c.dataset).order_by(version.c.dataset).limit(1)
        found = connection.execute(query.where(version.c.dataset > names[-1]) if names else query).scalar()
        if found is None:
            return names
        names.append(found)


def _runs_tagged(connection: Connection, name: str) -> list[str]:
    from sqlalchemy import select

    from medo1.lineage.schema import tag, version

    query = select(version.c.run_id).join(tag, tag.c.version_id == version.c.id).where(tag.c.name == name).distinct()
    return sorted(row[0] for row in connection.execute(query) if row[0])


def _only(rows: Sequence[Any], what: str, name: str, column: str) -> Any:
    if len(rows) > 1:
        several = ", ".join(row[column] for row in rows[:5])
        raise UnknownReferenceError(f"{name!r} is the beginning of more than one {what}: {several}. Write more of it.")
    return rows[0]


def _no_run(connection: Connection, name: str) -> Row:
    from sqlalchemy import select

    from medo1.lineage.schema import run

    latest = [row[0] for row in connection.execute(select(run.c.id).order_by(run.c.id.desc()).limit(3))]
    raise UnknownReferenceError(
        f"There is no run {name!r}. A run is named by its id or the beginning of it, by latest, latest~1 ..., or by "
        f"the tag of its versions. Latest runs: {', '.join(latest) or 'none'}."
    )


def _no_version(connection: Connection, dataset: str, wanted: str, known: list[str]) -> str:
    from sqlalchemy import select

    from medo1.lineage.schema import version

    if dataset not in known:
        close = difflib.get_close_matches(dataset, known, n=3)
        close += [name for name in known if dataset and name.endswith(f".{dataset}")][:3]
        hint = f"Did you mean {' or '.join(close)}?" if close else f"There are {', '.join(known[:12]) or 'none yet'}."
        return f"The ledger knows no version of a dataset {dataset!r}. {hint}"
    there = select(version.c.version).where((version.c.dataset == dataset) & version.c.pruned_at.is_(None))
    names = [row[0] for row in connection.execute(there.order_by(version.c.version.desc()).limit(3))]
    return (
        f"{dataset} has no version {wanted!r} here. A version is named by the beginning of its name, by latest, "
        f"latest~1 ..., or by a tag. Latest: {', '.join(names) or 'none'}."
    )
