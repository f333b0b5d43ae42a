"""`kedro audit root`."""

from __future__ import annotations

import sys

import click

from medo1.commands.audit.common import FOUND, Audit, UnansweredError, audit_command


@audit_command()
@click.argument("run", default="latest")
def root(audit: Audit, run: str) -> None:
    """The root digest of RUN: SHA-256 of its record, which names by digest all that the run read, was and saved.

    Keep it outside this folder (commit it, sign it, print it); `kedro audit verify --root DIGEST` holds everything
    against it. Exit status 1 when the record is not the one with which the run ended.
    """
    from medo1.lineage.audit.references import find_run
    from medo1.lineage.run_records import read_record

    ledger = audit.ledger
    with ledger.reading() as connection:
        row = find_run(connection, ledger, run)
    try:
        record = read_record(audit.places, row["id"])
    except ValueError as error:
        raise UnansweredError(f"{error}.") from error
    if record is None:
        raise UnansweredError(
            f"Run {row['id']} has no record, and so no root digest: it was killed, is running, or was made by an "
            "earlier release."
        )
    same = row["root"] in (None, record.root)
    if audit.as_json:
        audit.print_json({"run": row["id"], "root": record.root, "ended_with": row["root"]})
    else:
        click.echo(record.root)
        if not same:
            click.secho(f"The run ended with {row['root']}: its record was changed.", fg="red", err=True)
    if not same:
        sys.exit(FOUND)
