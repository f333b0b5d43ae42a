"""`kedro audit verify` and `kedro audit rebuild`."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict

import click
from rich.markup import escape

from medo1.commands.audit.common import (
    FOUND,
    Audit,
    UnansweredError,
    audit_command,
    bytes_text,
    console,
    grid,
    state_text,
)
from medo1.counting import counted
from medo1.lineage.audit.verification import AuditFinding, by_text

DIGITS = 64


@audit_command()
@click.argument("datasets", nargs=-1)
@click.option("--root", metavar="DIGEST", help="Trust nothing here: check a whole run against its root digest.")
def verify(audit: Audit, datasets: tuple[str, ...], root: str | None) -> None:
    """Take every digest again and say what is damaged, missing, altered, unknown, half-written or no longer paid for.

    Of DATASETS only, where some are named. Exit status 1 when something is found.

    \b
    kedro audit verify
    kedro audit verify --root 5e1f...     # a root digest that was kept elsewhere: a commit, a signature, a letter
    """
    from medo1.datasets.paid_answers import paid_answers
    from medo1.lineage.audit.verification import known_facts, unaccounted, versions_to_verify
    from medo1.lineage.audit.verification import verify as verified

    if root is not None:
        return _verify_root(audit, root)
    ledger, places = audit.ledger, audit.places
    with ledger.reading() as connection:
        rows = versions_to_verify(connection, ledger, datasets)
        facts = known_facts(connection, rows)
        others = [] if datasets else unaccounted(connection, ledger, places, ledger.settings.roots)
    size, started = sum(row["size_bytes"] for row in rows), time.monotonic()
    with _progress(size, audit.as_json) as told:
        found = verified(rows, facts, places, paid_answers, told) + others
    took = max(time.monotonic() - started, 1e-9)
    if audit.as_json:
        audit.print_json(
            {"versions": len(rows), "bytes": size, "seconds": took, "findings": [asdict(one) for one in found]}
        )
    else:
        _show(found)
        speed = f"{bytes_text(size)} in {took:.1f} s, {bytes_text(int(size / took))}/s"
        told_found = counted(len(found), "finding")
        click.echo(f"{counted(len(rows), 'version')}, {speed}: {told_found if found else 'all as they were saved'}.")
        by_hand = [f"{row['dataset']}@{row['version']} {by_text(row['maker'])}" for row in rows if not row["run_id"]]
        for one in by_hand:
            click.echo(f"made by no run: {one}")
    if found:
        sys.exit(FOUND)
    return None


def _verify_root(audit: Audit, root: str) -> None:
    from medo1.datasets.paid_answers import paid_answers
    from medo1.lineage.audit.anchoring import verify_root

    if len(root) != DIGITS or set(root) - set("0123456789abcdef"):
        raise UnansweredError(f"--root {root!r} is no root digest: {DIGITS} hex digits (kedro audit root RUN).")
    anchored = verify_root(audit.places, root, paid_answers)
    if audit.as_json:
        audit.print_json(asdict(anchored))
    else:
        _show(anchored.findings)
        for one in anchored.changed_since:
            click.echo(f"since then another, or gone: {one}")
        if anchored.runs:
            looked_at = f"{counted(len(anchored.runs), 'run')}, {counted(anchored.versions, 'version')}"
            count = len(anchored.findings)
            click.echo(
                f"{looked_at}: {counted(count, 'finding') if count else 'all are what the root digest stands for'}."
            )
        else:
            click.echo("Nothing was checked: what follows from a root digest is known from the record that has it.")
    if anchored.findings:
        sys.exit(FOUND)


def _show(found: list[AuditFinding]) -> None:
    if found:
        table = grid("problem", "dataset", "version", "what")
        for one in found:
            table.add_row(state_text(one.problem), one.dataset or one.location, one.version, escape(one.what))
        console().print(table)


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
@click.option("--root", "roots", multiple=True, help="Look here, not in the roots of lineage.yml; repeatable.")
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
        f"{counted(found.manifests, 'manifest')} read; new in the ledger: {counted(found.new_versions, 'version')}, "
        f"{counted(found.new_runs, 'run')}; {counted(found.tags, 'tag')} beside them{back}."
    )
