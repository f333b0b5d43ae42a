"""`kedro audit runs`."""

from __future__ import annotations

from typing import Any

import click
from rich.markup import escape

from medo1.commands.audit.common import (
    Audit,
    audit_command,
    bytes_text,
    commit_text,
    console,
    cost_text,
    duration_text,
    grid,
    state_text,
)
from medo1.lineage.audit.verification import by_text

STATES = ("running", "finished", "failed", "interrupted", "unknown")


@audit_command()
@click.argument("run", required=False)
@click.option("--limit", "-n", default=20, show_default=True, help="How many.")
@click.option("--outcome", type=click.Choice(STATES), help="Only runs with this outcome.")
@click.option("--run-env", help="Only runs of this environment.")
@click.option("--pipeline", help="Only runs of this pipeline.")
@click.option("--dataset", help="Only runs that saved this dataset.")
def runs(
    audit: Audit, run: str | None, limit: int, outcome: str | None, run_env: str | None, pipeline: str | None,
    dataset: str | None,
) -> None:  # fmt: skip
    """The latest runs, or all that is known of one RUN.

    A run that has no end and whose process is gone is shown as interrupted.
    """
    from medo1.lineage.audit.known_runs import latest_runs, whole_run
    from medo1.lineage.audit.references import find_run
    from medo1.lineage.ledger import NoLedgerError

    try:
        ledger = audit.ledger
    except NoLedgerError as error:
        if run is not None:
            raise
        return audit.print_json([]) if audit.as_json else click.echo(str(error))
    with ledger.reading() as connection:
        if run is not None:
            one = whole_run(connection, ledger, find_run(connection, ledger, run))
            return audit.print_json(one) if audit.as_json else _show_one(one)
        found = latest_runs(connection, ledger, limit, outcome=outcome, env=run_env, pipeline=pipeline, dataset=dataset)
    if audit.as_json:
        return audit.print_json(found)
    if not found:
        return click.echo("No run fits. `kedro run` makes one; without options `kedro audit runs` shows all.")
    table = grid("run", "outcome", "took", "env", "cost", "commit", "root digest", "what", right=("took", "cost"))
    table.padding = (0, 1, 0, 0)
    for column in table.columns:
        column.no_wrap = True
    table.expand, table.columns[-1].ratio = True, 1  # what is left of the width: `runs RUN` says all of it
    table.columns[-1].overflow = "ellipsis"
    for row in found:
        what = [] if row["pipelines"] == ["__default__"] else [", ".join(row["pipelines"])]
        table.add_row(
            row["id"],
            state_text(row["state"]),
            duration_text(row["duration_s"]).replace(" min", "m").replace(" s", "s").replace(" h", "h"),
            row["env"],
            cost_text(row["cost"]),
            commit_text(row, 7).replace("changes", ""),
            (row["root"] or "")[:12],
            escape("; ".join([*what, *filter(None, [_called_with(row)])]) or "everything"),
        )
    return console().print(table)


def _called_with(run: dict[str, Any]) -> str:
    parts = [f"{name}={value}" for name, value in _flat(run["runtime_params"])]
    selected = {name: value for name, value in run["selection"].items() if name != "runner"}
    parts += [f"{name}={','.join(map(str, value)) if isinstance(value, list) else value}"
              for name, value in selected.items()]  # fmt: skip
    return ", ".join([*parts, *([f"from run {run['from_run']}"] if run["from_run"] else [])])


def _flat(values: dict[str, Any], head: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        path = f"{head}.{name}" if head else name
        found += _flat(value, path) if isinstance(value, dict) else [(path, value)]
    return found


def _show_one(run: dict[str, Any]) -> None:
    out = console()
    facts = grid("run", run["id"])
    facts.show_header = True
    for name, value in {
        "outcome": state_text(run["state"]) + (" (known from manifests only)" if run["rebuilt"] else ""),
        "error": escape(run["error"] or ""),
        "command": escape(run["command"]),
        "started, took": f"{run['started_at']}, {duration_text(run['duration_s'])}",
        "environment": run["env"],
        "paid": cost_text(run["cost"]),
        "root digest": run["root"] or "",
        "pipelines": ", ".join(run["pipelines"]),
        "called with": escape(_called_with(run)),
        "commit": f"{run['git_commit'] or 'no git repository'} {run['git_branch'] or ''}"
        + (f", with changes {(run['diff_digest'] or '')[:12]}" if run["git_dirty"] else ""),
        "by": f"{run['user']} on {run['host']}, process {run['pid']}",
        "machine": ", ".join(f"{key} {value}" for key, value in run["hardware"].items()),
        "software": f"medo1 {run['medo1']}, Kedro {run['kedro']}, Python {run['python']}, "
        f"{len(run['packages'] or {})} packages, {run['platform']}",
        "run again": "; ".join(
            f"{one['at'][:19]} {'equal' if one['equal'] else 'different'}" for one in run["reproductions"]
        ),
    }.items():
        if value:
            facts.add_row(name, value)
    out.print(facts)
    if run["pins"]:
        pins = grid("read", "version", "digest", "made by no run", title="What it was given")
        for pin in run["pins"]:
            hand = escape(by_text(pin["maker"])) if pin["made_by_no_run"] else ""
            pins.add_row(pin["name"], pin["version"] or pin["location"], (pin["digest"] or "")[:12], hand)
        out.print(pins)
    nodes = grid("node", "outcome", "took", title="What ran", right=("took",))
    for node in run["nodes"]:
        nodes.add_row(node["node"], state_text(node["outcome"] or run["state"]), duration_text(node["duration_s"]))
    out.print(nodes)
    wrote = grid("saved", "rows", "size", "digest", title="What it saved", right=("rows", "size"))
    for row in run["outputs"]:
        rows = "" if row["rows"] is None else str(row["rows"])
        wrote.add_row(row["dataset"], rows, bytes_text(row["size_bytes"]), row["digest"][:12])
    out.print(wrote)
