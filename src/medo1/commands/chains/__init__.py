"""`kedro chains`: look at chains and at what became of them."""

from __future__ import annotations

import click

from medo1.commands.lazy import LazyGroup

HERE = "medo1.commands.chains"
COMMANDS = {
    "why": f"{HERE}.why.why",
}


@click.group(name="chains", cls=LazyGroup, lazy_subcommands=COMMANDS)
def chains() -> None:
    """Look at chains: why one was kept or dropped."""
