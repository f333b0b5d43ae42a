"""`kedro audit stale`."""

from __future__ import annotations

import shlex
import sys

import click
from rich.markup import escape

from medo1.commands.audit.common import FOUND, Audit, audit_command, console


@audit_command()
@click.option("--all", "everything", is_flag=True, help="Also what is stale only because its inputs are.")
def stale(audit: Audit, everything: bool) -> None:
    """Latest versions whose inputs, parameters, prompts or code have changed since they were made.

    Exit status 1 when there is one.
    """
    from medo1.lineage.audit.staleness import stale_versions

    ledger = audit.ledger
    with ledger.reading() as connection:
        found, looked_at = stale_versions(connection, ledger, audit.places, audit.configuration)
    if audit.as_json:
        audit.print_json(
            {
                "looked_at": looked_at,
                "stale": [
                    {
                        "dataset": one.version["dataset"],
                        "version": one.version["version"],
                        "node": one.version.get("node"),
                        "reasons": one.reasons,
                        "through": one.through,
                    }
                    for one in found
                ],
            }
        )
    elif not found:
        click.echo(
            f"Nothing is stale: {looked_at} latest versions fit their inputs, parameters, prompts and code."
            if looked_at
            else "There is no version of anything yet: `kedro run` makes some."
        )
    else:
        _show(found, looked_at, everything, audit.env)
    if found:
        sys.exit(FOUND)


def _show(found: list, looked_at: int, everything: bool, env: str | None) -> None:
    out = console()
    own = [one for one in found if one.reasons]
    makers = list(dict.fromkeys(one.version["node"] for one in own if one.version.get("node")))
    nodes, gone = _still_there(makers)
    for one in own:
        out.print(f"[yellow]{escape(one.version['dataset'])}[/yellow]@{one.version['version']}", soft_wrap=True)
        for reason in one.reasons:
            out.print(f"    {escape(reason)}", soft_wrap=True)
    below = [one for one in found if not one.reasons]
    if below and everything:
        for one in below:
            out.print(
                f"[yellow]{escape(one.version['dataset'])}[/yellow]@{one.version['version']}\n"
                f"    made from stale {escape(', '.join(one.through))}",
                soft_wrap=True,
            )
    elif below:
        out.print(f"and {len(below)} that were made from these (--all shows them)")
    if gone:
        shown = ", ".join(gone[:5]) + (f" and {len(gone) - 5} more" if len(gone) > 5 else "")  # noqa: PLR2004
        out.print(f"No longer part of the study, so nothing makes it again: {escape(shown)}", soft_wrap=True)
    if not nodes:
        out.print(f"{len(found)} of {looked_at} latest versions are stale, and no node is there that makes them.")
        return
    command = ["kedro", "run", *(["--env", env] if env else []), f"--from-nodes={','.join(nodes)}"]
    out.print(f"{len(found)} of {looked_at} latest versions are stale. To make them again:")
    out.print(f"    {escape(shlex.join(command))}", soft_wrap=True)


def _still_there(nodes: list[str]) -> tuple[list[str], list[str]]:
    """Those of some nodes that a plain run of the environment has, and those that it no longer has."""
    from kedro.framework.project import pipelines

    there = {node.name for node in pipelines["__default__"].nodes}
    return [name for name in nodes if name in there], [name for name in nodes if name not in there]
