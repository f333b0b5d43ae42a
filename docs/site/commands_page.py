"""The reference of commands: what `--help` says of each, on one page."""

from __future__ import annotations

from collections.abc import Iterator

import click

from medo1.cli import cli
from medo1.commands.program import ANYWHERE, program


def commands(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below a group, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


def page() -> str:
    """The page, in Markdown."""
    lines = [
        "# Commands",
        "",
        "What medo1 adds to `kedro`, made from the commands themselves (`kedro COMMAND --help` prints the same).",
        "",
    ]
    anywhere = [(("medo1", name), program.get_command(click.Context(program), name)) for name in ANYWHERE]
    own = [(words, command) for words, command in anywhere if command is not None and words[1] != "answers"]
    for words, command in [*commands(cli, ("kedro",)), *own]:
        context = click.Context(command, info_name=" ".join(words), max_content_width=110, terminal_width=110)
        lines += [f"{'#' * (len(words))} `{' '.join(words)}`", "", "```text", command.get_help(context), "```", ""]
    return "\n".join(lines)
