"""`kedro audit versions` and `kedro audit tag`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from medo1.commands.audit.common import Audit, UnansweredError, audit_command, bytes_text, console, grid, state_text
from medo1.lineage.audit.verification import by_text

if TYPE_CHECKING:
    from medo1.lineage.ledger import Ledger
    from medo1.lineage.ledger_reader import LedgerReader


@audit_command()
@click.argument("dataset", required=False)
@click.option("--limit", "-n", default=20, show_default=True, help="How many.")
@click.option("--gone", is_flag=True, help="Also versions that were pruned.")
def versions(audit: Audit, dataset: str | None, limit: int, gone: bool) -> None:
    """Versions of DATASET, newest first; without a name the datasets that there are."""
    from medo1.lineage.audit.known_versions import heads, of_this_environment, versions_of
    from medo1.lineage.audit.references import UnknownReferenceError, find_datasets, unknown_dataset

    ledger = audit.ledger
    with ledger.reading() as connection:
        if dataset is None:
            latest = of_this_environment(ledger, heads(connection, ledger, audit.places))
            latest.sort(key=lambda row: row["dataset"])
            if audit.as_json:
                return audit.print_json(latest)
            if not latest:
                return click.echo("There is no version of anything yet: `kedro run` makes some.")
            table = grid("dataset", "latest version", "rows", "size", "digest", right=("rows", "size"))
            for row in latest:
                rows = "" if row["rows"] is None else str(row["rows"])
                table.add_row(row["dataset"], row["version"], rows, bytes_text(row["size_bytes"]), row["digest"][:12])
            return console().print(table)
        found = versions_of(connection, ledger, audit.places, dataset, limit, gone=gone)
        known = [] if found else find_datasets(connection)
    if audit.as_json and (found or dataset in known):
        return audit.print_json(found)
    if not found:
        if dataset in known:
            return click.echo(f"All versions of {dataset} were pruned; --gone shows them.")
        raise UnknownReferenceError(unknown_dataset(dataset, known))
    table = grid(
        *("version and run", "run was", "commit", "node", "rows", "size", "digest", "is", "tags"),
        right=("rows", "size"),
    )
    for row in found:
        run = row["run"] or {}
        commit = f"{(run.get('git_commit') or '')[:10]}{'+changes' if run.get('git_dirty') else ''}"
        table.add_row(
            row["version"],
            state_text(run.get("state", "")) if row["run_id"] else _made(row["maker"]),
            commit,
            row["node"] or ("" if row["run_id"] else escape(by_text(row["maker"]))),
            "" if row["rows"] is None else str(row["rows"]),
            bytes_text(row["size_bytes"]),
            row["digest"][:12] + (" (as before)" if row["same_as"] else ""),
            state_text(row["state"]),
            escape(", ".join(f"{tag['name']}{' (protected)' if tag['protected'] else ''}" for tag in row["tags"])),
        )
    return console().print(table)


@audit_command()
@click.argument("version", required=False)
@click.argument("name", required=False)
@click.option("--run", "run", help="Tag everything that this run saved, instead of one version.")
@click.option("--protect", is_flag=True, help="Never prune this version.")
@click.option("--note", default="", help="Reason for the tag.")
@click.option("--remove", is_flag=True, help="Remove the tag.")
@click.option("--move", is_flag=True, help="Move the tag from the version that has it now.")
def tag(
    audit: Audit,
    version: str | None,
    name: str | None,
    run: str | None,
    protect: bool,
    note: str,
    remove: bool,
    move: bool,
) -> None:
    """Give VERSION the tag NAME; without arguments show all tags.

    A tag names one version, or what one run saved. It can be used as a version wherever one is asked for: kedro run
    --load-versions adapter:NAME. It lies beside the version as well, so that it survives the ledger.

    \b
    kedro audit tag results@latest submitted --protect
    kedro audit tag --run latest submitted
    """
    from medo1.lineage.audit.known_versions import all_tags, put_tag, tagged_elsewhere
    from medo1.lineage.places import Tag
    from medo1.lineage.recorder import now_text

    ledger = audit.ledger
    if run is not None and name is None:
        version, name = None, version
    if name is None:
        if version is not None:
            raise UnansweredError("Name the tag: kedro audit tag DATASET@VERSION NAME.")
        with ledger.reading() as connection:
            tags = all_tags(connection)
        if audit.as_json:
            return audit.print_json(tags)
        if not tags:
            return click.echo("There is no tag yet: kedro audit tag DATASET@VERSION NAME gives one.")
        table = grid("tag", "dataset", "version", "protected", "note", "since")
        for row in tags:
            protected = "yes" if row["protected"] else ""
            table.add_row(row["name"], row["dataset"], row["version"], protected, escape(row["note"]), row["at"][:19])
        return console().print(table)
    _refuse_bad_name(name)
    with ledger.reading() as connection:
        rows = _rows_to_tag(connection, ledger, version, run)
        others = [] if remove else tagged_elsewhere(connection, name, rows)
    if others and not move:
        shown = ", ".join(f"{row['dataset']}@{row['version']}" for row in others[:3])
        raise UnansweredError(f"The tag {name} names {shown} already; --move takes it away from there.")
    for row in others:
        put_tag(ledger, audit.places, row, None, name)
    given = None if remove else Tag(name, protect, note, now_text())
    for row in rows:
        try:
            put_tag(ledger, audit.places, row, given, name if remove else None)
        except FileNotFoundError as error:
            raise UnansweredError(f"{error}: nothing can be written beside it.") from error
    told = [f"{row['dataset']}@{row['version']}" for row in rows]
    if audit.as_json:
        return audit.print_json({"tag": name, "removed": remove, "versions": told})
    what = "lost the tag" if remove else "has the tag" if len(told) == 1 else "have the tag"
    listed = told if len(told) <= 5 else [*told[:5], f"and {len(told) - 5} more"]  # noqa: PLR2004
    return click.echo(f"{', '.join(listed)} {what} {name}{' and is protected' if protect and not remove else ''}.")


def _made(maker: dict[str, Any] | None) -> str:
    by = (maker or {}).get("by", "hand")
    return "by hand" if by == "hand" else str(by)


def _rows_to_tag(
    connection: LedgerReader, ledger: Ledger, version: str | None, run: str | None
) -> list[dict[str, Any]]:
    """The version that is named, or what a run saved."""
    from medo1.lineage.audit.known_runs import whole_run
    from medo1.lineage.audit.references import find_run, find_version

    if run is not None:
        outputs = whole_run(connection, ledger, find_run(connection, ledger, run))["outputs"]
        return [row for row in outputs if row["pruned_at"] is None]
    if version is None:
        raise UnansweredError("Name a version (DATASET@VERSION) or a run (--run RUN).")
    return [find_version(connection, ledger, version)]


def _refuse_bad_name(name: str) -> None:
    import re

    from medo1.lineage.audit.references import BACK, VERSION_START

    if not re.fullmatch(r"[A-Za-z][\w.-]{0,63}", name) or BACK.fullmatch(name) or VERSION_START.match(name):
        raise UnansweredError(
            f"{name!r} cannot be a tag: a letter, then letters, digits, dots, - or _, 64 at most, and not `latest`."
        )
