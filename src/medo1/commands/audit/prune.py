"""`kedro audit prune`."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import click

from medo1.commands.audit.common import Audit, audit_command, bytes_text, console, grid
from medo1.counting import counted


@audit_command()
@click.argument("datasets", nargs=-1)
@click.option(
    "--keep-last", default=3, show_default=True, type=click.IntRange(min=1), help="Versions to keep of each dataset."
)
@click.option("--older-than", type=click.IntRange(min=0), metavar="DAYS", help="Only versions older than this.")
@click.option("--yes", is_flag=True, help="Delete. Without this nothing is deleted, only shown.")
def prune(audit: Audit, datasets: tuple[str, ...], keep_last: int, older_than: int | None, yes: bool) -> None:
    """Old versions that nothing kept was made from, and what saves that never ended left behind.

    Kept are the last versions of each dataset, everything tagged or protected, what a run in progress reads, and all
    that these were made from. Nothing is deleted without --yes.
    """
    from medo1.lineage.audit.pruning import leftovers, prune_plan
    from medo1.lineage.audit.pruning import prune as pruned
    from medo1.lineage.run_ids import run_id_at

    ledger, places = audit.ledger, audit.places
    before = run_id_at(datetime.now(UTC) - timedelta(days=older_than)) if older_than is not None else None
    with ledger.reading() as connection:
        plan = prune_plan(connection, ledger, places, keep_last, before, datasets)
        rests = [] if datasets else leftovers(connection, ledger, places, ledger.settings.roots)
    gone, stayed = (0, []) if not yes else pruned(ledger, places, plan)
    for location, version, _ in rests if yes else ():
        places.delete(location, version)
    if audit.as_json:
        return audit.print_json(
            {
                "deleted": yes,
                "versions": [{name: row[name] for name in ("dataset", "version", "size_bytes")} for row in plan.go],
                "bytes": plan.size_bytes,
                "leftovers": [{"location": one, "version": two, "size_bytes": three} for one, two, three in rests],
                "kept": plan.kept,
                "stayed": stayed,
            }
        )
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in plan.go:
        counts[row["dataset"]][0] += 1
        counts[row["dataset"]][1] += row["size_bytes"]
    if counts:
        table = grid("dataset", "versions", "size", right=("versions", "size"))
        for name, (count, size) in sorted(counts.items()):
            table.add_row(name, str(count), bytes_text(size))
        console().print(table)
    reasons = ", ".join(f"{count} {reason}" for reason, count in plan.kept.items())
    click.echo(f"Kept: {reasons or 'nothing'}.")
    total = bytes_text(plan.size_bytes + sum(size for _, _, size in rests))
    unfinished = counted(len(rests), "unfinished save")
    if yes:
        more = f" {', '.join(stayed)} stayed: taken by a run meanwhile." if stayed else ""
        return click.echo(f"Deleted {counted(gone, 'version')} and {unfinished}, {total}.{more}")
    if not plan.go and not rests:
        return click.echo("Nothing can go.")
    return click.echo(
        f"{counted(len(plan.go), 'version')} and {unfinished}, {total}, can go. Nothing was deleted: --yes does."
    )
