"""A group whose commands are imported when they are called, their errors told in one message.

Kedro has one too, in the half that runs pipelines.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from medo1.commands.plain_errors import told_plainly
from medo1.commands.project_folder import in_project

OUTSIDE = ("answers", "new", "demo", "completion")  # work where they are called, whatever is above


class LazyGroup(click.Group):
    """A group of commands: `lazy_subcommands` says of each name its `module.attribute`."""

    def __init__(self, *args: Any, lazy_subcommands: dict[str, str], **options: Any) -> None:
        super().__init__(*args, **options)
        self._lazy = lazy_subcommands

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._lazy:
            return None
        module, _, name = self._lazy[cmd_name].rpartition(".")
        found: click.Command = getattr(import_module(module), name)
        return told_plainly(found) if cmd_name in OUTSIDE else in_project(told_plainly(found))
