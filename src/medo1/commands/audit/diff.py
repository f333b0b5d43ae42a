"""`kedro audit diff`."""

from __future__ import annotations

import sys
from typing import Any

import click
from rich.markup import escape

from medo1.commands.audit.common import FOUND, Audit, audit_command, console, grid

MOST_LINES = 40


@audit_command()
@click.argument("dataset")
@click.argument("first", default="latest~1")
@click.argument("second", default="latest")
def diff(audit: Audit, dataset: str, first: str, second: str) -> None:
    """What differs between the versions FIRST and SECOND of DATASET (the latest two, where none are named).

    First the parameters and inputs that changed between the runs that made them; then rows added, removed and changed
    by key, columns and distributions of tables, weights' norms of adapters, lines of texts; then code and packages.
    Exit status 1 when one of the versions is not what was saved.
    """
    from medo1.lineage.audit.differences import content_difference, run_difference
    from medo1.lineage.audit.graph import versions_by_id
    from medo1.lineage.audit.references import find_version

    ledger = audit.ledger
    with ledger.reading() as connection:
        found = [find_version(connection, ledger, f"{dataset}@{name}") for name in (first, second)]
        rows = versions_by_id(connection, [row["id"] for row in found])
        one, other = (rows[row["id"]] for row in found)
        runs = run_difference(connection, one, other)
    content, problems = content_difference(audit.places, one, other)
    if audit.as_json:
        audit.print_json({"first": one, "second": other, "content": content, "runs": runs, "mismatches": problems})
    else:
        out = console()
        out.print(f"[bold]{escape(dataset)}[/bold]  {one['version']} -> {other['version']}")
        for problem in problems:
            click.secho(f"Not what it was: {problem}.", fg="red")
        _show_change(runs)
        _show_content(content)
        _show_rest(runs)
    if problems:
        sys.exit(FOUND)


def _show_content(content: dict[str, Any]) -> None:
    out = console()
    match content["kind"]:
        case "same":
            out.print("The content is the same, byte for byte.")
        case "table":
            _show_table(content)
        case "json":
            _lines(content["changes"])
        case "directory":
            _show_directory(content)
        case _:
            _lines(content["lines"])


def _show_table(content: dict[str, Any]) -> None:
    out, rows, examples = console(), content["rows"], content["examples"]
    for what, names in content["columns"].items():
        if names:
            out.print(f"columns {what}: {escape(', '.join(names))}")
    by = f"by {', '.join(content['key'])}" if content["key"] else "by content: the table has no key"
    out.print(
        f"rows: {rows['before']} -> {rows['after']}; {rows['added']} added, {rows['removed']} removed, "
        f"{rows['changed']} changed ({escape(by)})"
    )
    for column, count in sorted(rows["changed_by_column"].items(), key=lambda item: -item[1]):
        out.print(f"    {escape(column)} changed in {count}")
    for what in ("added", "removed"):
        for example in examples[what]:
            out.print(f"    {what}: {escape(_pairs(example))}", soft_wrap=True)
    for example in examples["changed"]:
        cells = "; ".join(f"{name}: {old!r} -> {new!r}" for name, (old, new) in example["changed"].items())
        out.print(f"    changed: {escape(_pairs(example['key']))}: {escape(cells)}", soft_wrap=True)
    listed = sum(len(some) for some in examples.values())
    if content["distributions"] and listed < rows["added"] + rows["removed"] + rows["changed"]:
        table = grid("column", "before", "after", title="Distributions")
        for name, (before, after) in content["distributions"].items():
            table.add_row(escape(name), escape(_pairs(before)), escape(_pairs(after)))
        out.print(table)


def _show_directory(content: dict[str, Any]) -> None:
    out = console()
    for what in ("added", "removed", "changed"):
        if content[what]:
            out.print(f"files {what}: {escape(', '.join(content[what]))}")
    for file, weights in content["weights"].items():
        out.print(
            f"{escape(file)}: norm {weights['before']:.4g} -> {weights['after']:.4g}, "
            f"of the change {weights['change']:.4g}"
        )
        table = grid("tensor", "before", "after", "change", right=("before", "after", "change"))
        largest = sorted(weights["tensors"].items(), key=lambda item: -item[1].get("change", float("inf")))
        for name, norms in largest[:MOST_LINES]:
            cells = [
                f"{norms[part]:.4g}" if part in norms else str(norms["shapes"])
                for part in ("before", "after", "change")
            ]
            table.add_row(escape(name), *cells)
        out.print(table)
    for file, lines in content["settings"].items():
        out.print(escape(file))
        _lines(lines)


def _show_change(runs: dict[str, Any]) -> None:
    """What was changed: parameters and inputs."""
    out = console()
    out.print(f"[bold]Between their runs[/bold]  {runs['runs'][0]} -> {runs['runs'][1]}")
    if runs["commits"][0] != runs["commits"][1]:
        out.print(f"commit: {runs['commits'][0]} -> {runs['commits'][1]}")
    if runs["parameters"]:
        out.print("parameters:")
        _lines(runs["parameters"])
    if runs["inputs"]:
        table = grid("input that differs", "before", "after")
        for one in runs["inputs"][:MOST_LINES]:
            table.add_row(escape(one["name"]), one["before"] or "(none)", one["after"] or "(none)")
        out.print(table)


def _show_rest(runs: dict[str, Any]) -> None:
    out = console()
    for name in ("code", "packages"):
        if runs[name]:
            out.print(f"{name}:")
            _lines(runs[name])
    if not any(runs[name] for name in ("parameters", "code", "packages", "inputs")):
        out.print("The same parameters, code, packages and inputs.")
    for name in runs.get("unknown", ()):
        out.print(f"{name} of one of the runs are not known: the ledger was rebuilt from manifests")


def _lines(lines: list[str]) -> None:
    out = console()
    for line in lines[:MOST_LINES]:
        out.print(f"    {escape(line)}", soft_wrap=True)
    if len(lines) > MOST_LINES:
        out.print(f"    ... and {len(lines) - MOST_LINES} more (--json has all)")


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
