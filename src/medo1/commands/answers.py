"""`kedro answers`: read the answers in a file of outputs from any source; no pipeline is run.

What it prints is for a person who wants to know how far to trust the letters: the counts by status and rule, accuracy
where the right letters are known, and the outputs that are worth a look.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from medo1.counting import counted
from medo1.errors import UserError

if TYPE_CHECKING:
    from rich.console import Console

    from medo1.answers.outputs import AnswerCounts


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--text", help="Field of the output. A dotted path leads into nested values: choices.0.message.content.")
@click.option("--options", help="Field of the options (an object, a list), or one field each: opa,opb,opc,opd.")
@click.option("--letters", help="The letters that were offered in every row, such as A-E, where options are not in it.")
@click.option("--finish-reason", help="Field that says why the output ended; `length` is a cut.")
@click.option("--gold", help="Field of the right letter.")
@click.option("--compare", help="Field of a letter that something else read, to compare with.")
@click.option("--by", help="Field by which accuracy is broken down, such as model.")
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
    from medo1.answers.outputs import ReadOutput, read_outputs

    target = output or file.with_name(f"{file.name}.answers.jsonl")
    if target.resolve() == file.resolve():
        raise click.ClickException(f"{target} is the file that is read: name another with --output")
    beside = target.with_name(f"{target.stem}_rejected.jsonl")
    try:
        counts, rows = read_outputs(file, given, by=by, keep=keep, most=doubtful)
        with Draft(target) as answered, Draft(beside) as rejected:
            for row in rows:
                if isinstance(row, ReadOutput):
                    answered.write(row.as_row(keep))
                else:
                    rejected.write(row.as_row())
    except UserError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {error.strerror}") from None
    summary = counts.summary() | {"output": str(target)}
    if as_json:
        click.echo(json.dumps(summary, indent=2, ensure_ascii=False))
        return
    _print(counts, summary, by)
    click.echo(f"{counted(counts.score.read, 'answer')} written to {target}")
    if counts.rejected:
        click.echo(f"{counted(counts.rejected, 'row')} cannot be read: {beside}", err=True)


class Draft:
    """JSON lines under another name until they are whole; a file without a row is not kept, nor one of a failed run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = path.with_name(f".tmp-{os.getpid()}-{path.name}")
        self._file: TextIO | None = None

    def __enter__(self) -> Draft:
        self._file = self._draft.open("w", encoding="utf-8", errors="backslashreplace")
        return self

    def write(self, row: dict[str, Any]) -> None:
        """Adds a row."""
        if self._file is not None:
            self._file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if self._file is None:
            return
        written = self._file.tell()
        self._file.close()
        if kind is None and written:
            self._draft.replace(self._path)
        else:
            self._draft.unlink(missing_ok=True)
            if kind is None:
                self._path.unlink(missing_ok=True)  # none of an earlier reading is left


def _print(counts: AnswerCounts, summary: dict[str, Any], by: str | None) -> None:
    from medo1.answers.outputs import WEAK_RULES
    from medo1.commands.audit.common import console, grid

    out = console()
    used = ", ".join(f"{part}={name}" for part, name in summary["fields"].items() if name)
    out.print(f"{counts.file}: {counted(summary['rows'], 'row')}, {summary['read']:,} read; {used}", markup=False)
    if counts.found:
        out.print(f"found by their usual names: {', '.join(counts.found)}", style="dim", markup=False)
    status_of = {rule: status for status, rule in counts.rules}
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
    _print_rejected(out, counts)
    _print_doubtful(out, counts)


def _print_scores(out: Console, summary: dict[str, Any], by: str | None) -> None:
    from rich.text import Text

    from medo1.commands.audit.common import grid

    if "accuracy" in summary:
        out.print(
            f"Accuracy: {summary['accuracy']:.1%} ({summary['correct']:,} of {summary['with_gold']:,}; an output "
            "without an answer counts as wrong)"
        )
    strict = summary["strict"]
    right = f"; right: {summary['strict_accuracy']:.1%}" if "accuracy" in summary else ""
    out.print(
        f"The last line `Final answer: X` alone gives {counted(strict['answers'], 'letter')}{right} "
        f"({strict['read_otherwise']:,} of them read otherwise here)",
        markup=False,
    )
    if "agree" in summary:
        share = summary["agree"] / summary["read"]
        out.print(f"Agrees with {summary['fields']['compare']}: {share:.1%} ({summary['agree']:,})", markup=False)
    if by:
        columns = ("outputs", "correct", "accuracy", "strict")
        table = grid(by, *columns, right=columns)
        for name, group in sorted(summary["by"].items()):
            scored = ("", "", "")
            if "accuracy" in group:
                scored = (str(group["correct"]), f"{group['accuracy']:.1%}", f"{group['strict_accuracy']:.1%}")
            table.add_row(Text(name), f"{group['read']:,}", *scored)
        out.print(table)


def _print_rejected(out: Console, counts: AnswerCounts) -> None:
    for bad in counts.first_rejected:
        out.print(f"row {bad.row}: {bad.reason}", markup=False, style="red")
    if counts.rejected > len(counts.first_rejected):
        out.print(f"... and {counts.rejected - len(counts.first_rejected):,} more", style="red")


def _print_doubtful(out: Console, counts: AnswerCounts) -> None:
    from rich.text import Text

    from medo1.commands.audit.common import grid

    shown = counts.worth_a_look()
    if not shown:
        return
    table = grid("row", "status", "rule", "letter", "text", right=("row",), title="Worth a look")
    for one in shown:
        table.add_row(str(one.row), one.answer.status, one.answer.rule, one.answer.letter or "", Text(one.shown()))
    out.print(table)
    if counts.doubtful > len(shown):
        total = counts.doubtful
        out.print(f"{len(shown)} of {total:,} doubtful outputs; --doubtful {total} shows all", style="dim")
