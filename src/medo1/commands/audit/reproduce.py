"""`kedro audit reproduce`."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click
from rich.markup import escape

from medo1.commands.audit.common import FOUND, Audit, audit_command, console, grid, state_text
from medo1.counting import counted


@audit_command()
@click.argument("run")
@click.option("--fresh", is_flag=True, help="Query every engine anew; otherwise stored completions are used.")
@click.option("--keep", is_flag=True, help="Keep the directory that it ran in.")
@click.option("--remember", "note", is_flag=True, help="Record the outcome in the ledger.")
def reproduce(audit: Audit, run: str, fresh: bool, keep: bool, note: bool) -> None:
    """Run RUN again as it was, in a git worktree of its own, and compare the digests of all that it saved.

    Its commit, its uncommitted changes (up to 1 MiB, kept in the ledger), its parameters and its pinned inputs are
    used; this environment's packages are, and differences from it are reported. What measures the run itself (time,
    cost) may differ. Exit status 1 when something else does; the directory is left then. Nothing is written into the
    ledger without --remember.
    """
    from medo1.lineage.audit.references import find_run
    from medo1.lineage.audit.reproduction import remember
    from medo1.lineage.audit.reproduction import reproduce as reproduced

    ledger = audit.ledger
    with ledger.reading() as connection:
        row = find_run(connection, ledger, run)
        if not audit.as_json:
            click.echo(f"Running {row['id']} again at commit {(row['git_commit'] or '')[:10]} ...")
        again = reproduced(connection, ledger, row, fresh=fresh, keep=keep, quiet=audit.as_json)
    if note:
        remember(ledger, again)
    if audit.as_json:
        audit.print_json(
            {
                "run": again.run,
                "equal": again.equal,
                "exit_code": again.exit_code,
                "worktree": str(again.worktree) if again.worktree.exists() else None,
                "packages": again.packages,
                "versions": [asdict(one) for one in again.compared],
            }
        )
    else:
        table = grid("dataset", "came out", "digest then", "digest now")
        for one in again.compared:
            table.add_row(one.dataset, state_text(one.outcome), one.before[:12], (one.after or "")[:12])
        console().print(table)
        if again.packages:
            shown = "; ".join(again.packages[:8])
            click.echo(f"Packages differ from that run's: {escape(shown)}{' ...' if len(again.packages) > 8 else ''}")  # noqa: PLR2004
        measured = sum(one.outcome == "measured" for one in again.compared)
        compared = len(again.compared) - measured
        same = compared - len(again.different)
        verdict = f"{'all ' if same == compared else f'{same} of '}{counted(compared, 'digest')} came out equal"
        if measured:
            verdict += f"; {measured} more measure the run itself and may differ"
        if again.exit_code:
            verdict = f"the run failed now (exit status {again.exit_code}); its own message stands above"
        click.echo(f"{again.run}: {verdict}.")
        if again.worktree.exists():
            click.echo(f"It ran in {again.worktree} (git worktree remove it when done).")
    if not again.equal:
        sys.exit(FOUND)
