"""`kedro audit`: what made this, what is made from it, what changed, is anything stale, damaged or missing.

Each command is imported when it is called; none imports a pipeline, and only those that look into tables import pandas.
"""

from __future__ import annotations

import click

from medo1.commands.lazy import LazyGroup

HERE = "medo1.commands.audit"
COMMANDS = {
    "runs": f"{HERE}.runs.runs",
    "versions": f"{HERE}.versions.versions",
    "tag": f"{HERE}.versions.tag",
    "lineage": f"{HERE}.lineage.lineage",
    "diff": f"{HERE}.diff.diff",
    "trace": f"{HERE}.trace.trace",
    "stale": f"{HERE}.stale.stale",
    "adopt": f"{HERE}.adopt.adopt",
    "root": f"{HERE}.root.root",
    "verify": f"{HERE}.verify.verify",
    "rebuild": f"{HERE}.verify.rebuild",
    "prune": f"{HERE}.prune.prune",
    "reproduce": f"{HERE}.reproduce.reproduce",
    "export": f"{HERE}.export.export",
}


@click.group(name="audit", cls=LazyGroup, lazy_subcommands=COMMANDS)
def audit() -> None:
    """Ask the ledger of runs and versions.

    \b
    RUN      a run id or the beginning of it, latest, latest~1 ..., or a tag
    VERSION  DATASET@VERSION, where VERSION is written like a run; DATASET alone is its latest

    Exit status: 0 nothing is wrong; 1 something was found (stale, damaged, different, a number that does not add up);
    2 the question could not be answered.
    """
