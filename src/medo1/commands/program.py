"""The program `medo1`: which commands work anywhere, and its help."""

from __future__ import annotations

from typing import Any

import click

from medo1 import __version__
from medo1.commands.lazy import LazyGroup
from medo1.commands.project_commands import COMMANDS
from medo1.nearest import did_you_mean

ANYWHERE = {
    "answers": "medo1.commands.answers.answers",
    "new": "medo1.commands.new_project.new",
    "demo": "medo1.commands.new_project.demo",
    "completion": "medo1.commands.completion.completion",
}
_HELP = {
    "answers": "Read the answer of every output in a file.",
    "new": "Write a project of your own.",
    "demo": "Run the embedded study in a new folder.",
    "completion": "Print what completes commands in your shell.",
}
OF_KEDRO = ("catalog", "registry", "viz", "ipython", "jupyter", "package")


class Program(LazyGroup):
    """Lists its commands without importing any."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Anywhere"):
            formatter.write_dl([(name, _HELP[name]) for name in ANYWHERE])
        with formatter.section("In a project (`medo1 new` writes one), as `kedro` has them"):
            formatter.write_text(", ".join(sorted({*COMMANDS, *OF_KEDRO} - set(ANYWHERE))))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] == "outside":
            raise click.ClickException(_outside(args[1]))
        return super().resolve_command(ctx, args)


def _outside(name: str) -> str:
    """What to say where there is no project."""
    if name in {*COMMANDS, *OF_KEDRO}:
        return (
            f"There is no project here, and `medo1 {name}` works in one. Go to its folder, or write one: "
            "`medo1 new my-study`."
        )
    return f"There is no command {name!r}. {did_you_mean(name, (*ANYWHERE, *COMMANDS, *OF_KEDRO), shown=30)}"


@click.group(
    cls=Program, lazy_subcommands={**COMMANDS, **ANYWHERE}, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, "--version", "-V", prog_name="medo1")
def program() -> None:
    """Distil long reasoning chains, fine-tune on them, think longer, measure what it buys."""
