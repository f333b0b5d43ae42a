"""Commands that the project adds to `kedro`. Each is imported when it is called, so that `kedro --help` stays fast."""

from __future__ import annotations

import sys

import click

from medo1.commands.lazy import LazyGroup
from medo1.commands.plain_errors import excepthook

COMMANDS = {
    "ask": "medo1.commands.ask.ask",
    "answers": "medo1.commands.answers.answers",
    "cues": "medo1.commands.cues.cues",
    "compare": "medo1.commands.compare.compare",
    "completions": "medo1.commands.completions.completions",
    "run": "medo1.commands.run.run",
    "score": "medo1.commands.score.score",
    "seeds": "medo1.commands.seeds.seeds",
    "audit": "medo1.commands.audit.audit",
    "estimate": "medo1.commands.estimate.estimate",
    "export": "medo1.commands.export.export",
    "chains": "medo1.commands.chains.chains",
}


if sys.excepthook is sys.__excepthook__:  # for what Kedro's own commands raise in this project
    sys.excepthook = excepthook


@click.group(name="medo1", cls=LazyGroup, lazy_subcommands=COMMANDS)
def cli() -> None:
    """medo1's own commands."""
