"""`kedro audit verify` and `kedro audit rebuild`."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict

import click
from rich.markup import escape

from medo1.commands.audit.common import FOUND, Audit, audit_command, bytes_text, console, grid, state_text


@audit_command()
@click.argument("datasets", nargs=-1)
def verify(audit: Audit, datasets: tuple[str, ...]) -> None:
    """Take every digest again and say what is damaged, missing, altered, unknown or half-written.

    Of DATASETS only, where some are named. Exit status 1 when something is found.
    """
    from medo1.lineage.audit.verification import unaccounted, versions_to_verify
    from medo1.lineage.audit.verification import verify as verified

    ledger, places = audit.ledger, audit.places
    with ledger.reading() as connection:
        rows = versions_to_verify(connection, ledger, datasets)
        others = [] if datasets else unaccounted(connection, ledger, places, ledger.settings.roots)
    size, started = sum(row["size_bytes"] for row in rows), time.monotonic()
    with _progress(size, audit.as_json) as told:
        found = verified(rows, places, told) + others
    took = max(time.monotonic() - started, 1e-9)
    if audit.as_json:
        audit.print_json(
            {"versions": len(rows), "bytes": size, "seconds": took, "findings": [asdict(one) for one in found]}
        )
    else:
        if found:
            table = grid("problem", "dataset", "version", "what")
            for one in found:
                table.add_row(state_text(one.problem), one.dataset or one.location, one.version, escape(one.what))
            console().print(table)
        speed = f"{bytes_text(size)} in {took:.1f} s, {bytes_text(int(size / took))}/s"
        told_found = f"{len(found)} findings" if len(found) != 1 else "1 finding"
        click.echo(f"{len(rows)} versions, {speed}: {told_found if found else 'all as they were saved'}.")
    if found:
        sys.exit(FOUND)


class _progress:  # noqa: N801  (a context manager)
    """A bar of bytes on standard error, where that is a terminal."""

    def __init__(self, size: int, quiet: bool) -> None:
        from rich.console import Console

        out = Console(stderr=True)
        self._bar = None
        if out.is_terminal and not quiet:
            from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

            self._bar = Progress(
                BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(), console=out, transient=True
            )
            self._task = self._bar.add_task("", total=size)

    def __enter__(self):  # type: ignore[no-untyped-def]
        if self._bar is None:
            return None
        self._bar.start()
        return lambda count: self._bar.advance(self._task, count)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()


@audit_command()
@click.option("--root", "roots", multiple=True, help="Look here instead of the roots of lineage.yml; several times.")
def rebuild(audit: Audit, roots: tuple[str, ...]) -> None:
    """Make the ledger from the manifests beside the versions, or add to it what it does not know.

    Nothing that the ledger knows is replaced. What no manifest holds stays unknown: durations, package versions,
    uncommitted changes, runs that saved nothing.
    """
    from medo1.lineage.audit.rebuilding import rebuild as rebuilt

    ledger = audit.opened(create=True)
    found = rebuilt(ledger, audit.places, roots or ledger.settings.roots)
    if audit.as_json:
        return audit.print_json(asdict(found))
    for problem in found.problems:
        click.echo(f"left out: {problem}")
    back = f", {found.back} that had been pruned are back" if found.back else ""
    return click.echo(
        f"{found.manifests} manifests read: {found.new_versions} versions and {found.new_runs} runs are new in the "
        f"ledger, {found.tags} tags{back}."
    )
