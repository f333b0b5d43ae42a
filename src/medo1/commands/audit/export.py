"""`kedro audit export`."""

from __future__ import annotations

from pathlib import Path

import click

from medo1.commands.audit.common import Audit, audit_command
from medo1.counting import counted


@audit_command()
@click.argument("runs", nargs=-1)
@click.option("--format", "form", type=click.Choice(["openlineage"]), default="openlineage", show_default=True)
@click.option(
    "--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File; standard output otherwise."
)
@click.option("--limit", "-n", default=1000, show_default=True, help="Without RUNS: how many of the latest.")
def export(audit: Audit, runs: tuple[str, ...], form: str, output: Path | None, limit: int) -> None:
    """RUNS, or the latest ones, as events: one JSON object a line, oldest run first."""
    from medo1.lineage.audit.known_runs import latest_runs
    from medo1.lineage.audit.openlineage import events_of
    from medo1.lineage.audit.references import find_run

    assert form == "openlineage"
    ledger = audit.ledger
    with ledger.reading() as connection:
        rows = [find_run(connection, ledger, name) for name in runs] or latest_runs(connection, ledger, limit)[::-1]
        lines = [line for row in rows for line in events_of(connection, ledger, row)]
    if output is None:
        for line in lines:
            click.echo(line)
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    if audit.as_json:
        audit.print_json({"runs": len(rows), "events": len(lines), "file": str(output)})
    else:
        click.echo(f"{counted(len(lines), 'event')} of {counted(len(rows), 'run')}: {output}")
