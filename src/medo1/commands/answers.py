"""`kedro answers`: read the answers of a file of outputs that anything wrote; no pipeline is run.

What it prints is for a person who wants to know how far to trust the letters: the counts by status and rule, accuracy
where the right letters are known, and the outputs that are worth a look.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medo1.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from medo1.answers.table import Answers, Read


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--text", help="Field of the output. A dotted path leads into nested values: choices.0.message.content.")
@click.option("--options", help="Field of the options (an object, a list), or one field each: opa,opb,opc,opd.")
@click.option("--letters", help="The letters that were offered in every row, such as A-E, where options are not in it.")
@click.option("--finish-reason", help="Field that says why the output ended; `length` is a cut.")
@click.option("--gold", help="Field of the right letter.")
@click.option("--compare", help="Field of a letter that something else read, to compare with.")
@click.option("--by", help="Field by which accuracy is told apart, such as model.")
@click.option("--keep", multiple=True, help="Further field to write beside the answer; may be given several times.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Where answers are written.")
@click.option("-n", "--doubtful", default=12, show_default=True, help="How many doubtful outputs are shown.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON and nothing else.")
def answers(
    file: Path,
    by: str | None,
    keep: tuple[str, ...],
    output: Path | None,
    doubtful: int,
    as_json: bool,
    **given: str | None,
) -> None:
    """Read the answer of every output in FILE (JSONL, JSON, CSV, TSV, Parquet).

    Writes one line for each to FILE.answers.jsonl (or --output): row, letter, status, rule, span and the words that
    decided. Rows that cannot be read go to a file beside it that ends with _rejected.jsonl. Fields that are not named
    are found by their usual names.
    """
    from medo1.answers.table import accuracy, read_file

    try:
        found = read_file(file, given)
    except UserError as error:
        raise click.ClickException(str(error)) from None
    missing = [name for name in (by, *keep) if name and not any(name in one.values for one in found.read)]
    if missing:
        raise click.ClickException(f"{file.name}: there is no field {missing[0]!r}")
    target = output or file.with_name(f"{file.name}.answers.jsonl")
    if target.resolve() == file.resolve():
        raise click.ClickException(f"{target} is the file that is read: name another with --output")
    beside = target.with_name(f"{target.stem}_rejected.jsonl")
    _write(target, (one.as_row(keep) for one in found.read))
    if found.rejected:
        _write(beside, (bad.as_row() for bad in found.rejected))
    else:
        beside.unlink(missing_ok=True)
    groups: dict[str, list[Read]] = {}
    for one in found.read if by else ():
        groups.setdefault(str(one.values.get(by or "")), []).append(one)
    summary = found.summary() | {"output": str(target)}
    if by:
        summary["by"] = {name: {"read": len(group), **accuracy(group)} for name, group in groups.items()}
    if as_json:
        click.echo(json.dumps(summary, indent=2, ensure_ascii=False))
        return
    _print(found, summary, by, doubtful)
    click.echo(f"{len(found.read):,} answers written to {target}")
    if found.rejected:
        click.echo(f"{len(found.rejected):,} rows cannot be read: {beside}", err=True)


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """JSON lines, whole or not at all."""
    draft = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    try:
        with draft.open("w", encoding="utf-8", errors="backslashreplace") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
        draft.replace(path)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)


def _print(found: Answers, summary: dict[str, Any], by: str | None, doubtful: int) -> None:
    from medo1.answers.table import WEAK_RULES
    from medo1.commands.audit.common import console, grid

    out = console()
    used = ", ".join(f"{part}={name}" for part, name in summary["fields"].items() if name)
    out.print(f"{found.file}: {summary['rows']:,} rows, {summary['read']:,} read; {used}", markup=False)
    if found.found:
        out.print(f"found by their usual names: {', '.join(found.found)}", style="dim", markup=False)
    status_of = {one.answer.rule: one.answer.status for one in found.read}
    table = grid("status", "rule", "outputs", "share", right=("outputs", "share"))
    told = ""
    for rule, count in summary["rules"].items():
        status = status_of[rule]
        if status != told:
            of_all = summary["statuses"][status]
            table.add_row(f"[bold]{status}[/bold]", "", f"[bold]{of_all:,}[/bold]", f"{of_all / summary['read']:.1%}")
            told = status
        table.add_row("", f"{rule}{' (weak)' if rule in WEAK_RULES else ''}", f"{count:,}", "")
    out.print(table)
    _print_scores(out, summary, by)
    _print_rejected(out, found)
    _print_doubtful(out, found, doubtful)


def _print_scores(out: Console, summary: dict[str, Any], by: str | None) -> None:
    from rich.text import Text

    from medo1.commands.audit.common import grid

    if "accuracy" in summary:
        out.print(
            f"Accuracy: {summary['accuracy']:.1%} ({summary['correct']:,} of {summary['with_gold']:,}; an output "
            "without an answer counts as wrong)"
        )
    if "agree" in summary:
        share = summary["agree"] / summary["read"]
        out.print(f"Agrees with {summary['fields']['compare']}: {share:.1%} ({summary['agree']:,})", markup=False)
    if by:
        table = grid(by, "outputs", "correct", "accuracy", right=("outputs", "correct", "accuracy"))
        for name, group in sorted(summary["by"].items()):
            scored = (str(group["correct"]), f"{group['accuracy']:.1%}") if "accuracy" in group else ("", "")
            table.add_row(Text(name), f"{group['read']:,}", *scored)
        out.print(table)


def _print_rejected(out: Console, found: Answers) -> None:
    for bad in found.rejected[:5]:
        out.print(f"row {bad.row}: {bad.reason}", markup=False, style="red")
    if len(found.rejected) > 5:  # noqa: PLR2004
        out.print(f"... and {len(found.rejected) - 5:,} more", style="red")


def _print_doubtful(out: Console, found: Answers, most: int) -> None:
    from rich.text import Text

    from medo1.commands.audit.common import grid

    doubtful = found.doubtful()
    if not doubtful or most < 1:
        return
    table = grid("row", "status", "rule", "letter", "text", right=("row",), title="Worth a look")
    for one in doubtful[:most]:
        table.add_row(str(one.row), one.answer.status, one.answer.rule, one.answer.letter or "", Text(one.shown()))
    out.print(table)
    if len(doubtful) > most:
        out.print(f"{most} of {len(doubtful):,} doubtful outputs; --doubtful {len(doubtful)} shows all", style="dim")
