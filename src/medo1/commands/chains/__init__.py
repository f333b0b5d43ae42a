"""`kedro chains`: inspect chains and the filters' verdicts, and export them."""

from __future__ import annotations

import click

from medo1.commands.lazy import LazyGroup

HERE = "medo1.commands.chains"
COMMANDS = {
    "export": f"{HERE}.export.export",
    "why": f"{HERE}.why.why",
}


@click.group(name="chains", cls=LazyGroup, lazy_subcommands=COMMANDS)
def chains() -> None:
    """Look at chains: why one was kept or dropped; export those that were kept."""
