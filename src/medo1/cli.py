"""Commands that the project adds to `kedro`. Each is imported when it is called, so that `kedro --help` stays fast."""

from __future__ import annotations

import sys

import click

from medo1.commands.lazy import LazyGroup
from medo1.commands.plain_errors import excepthook
from medo1.commands.project_commands import COMMANDS

if sys.excepthook is sys.__excepthook__:  # for what Kedro's own commands raise in this project
    sys.excepthook = excepthook
if "kedro.framework.cli.utils" in sys.modules:  # its errors look for the exception at hand, and click 8.5 leaves none
    sys.modules["kedro.framework.cli.utils"].KedroCliError.show = click.ClickException.show


@click.group(name="medo1", cls=LazyGroup, lazy_subcommands=COMMANDS)
def cli() -> None:
    """medo1's own commands."""
