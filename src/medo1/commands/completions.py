"""`kedro completions`: inspect the completion store, export it, prune it, move answers to new identities.

Works on the file alone, so it starts fast and runs beside a pipeline that is writing.
"""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from medo1.commands.completion_stores import StoreChoice, only_store, store_options, with_stores
from medo1.counting import counted
from medo1.engines.base import EngineError
from medo1.engines.wrappers.store import CompletionStore, Filter

F = TypeVar("F", bound=Callable[..., Any])


def _time(context: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    """A date or time in ISO form, as UTC unless it says otherwise, in seconds since the epoch."""
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no date such as 2026-11-23 or 2026-11-23T18:00") from None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _filters(command: F) -> F:
    """The options by which answers are chosen."""
    for option in (
        click.option("--before", callback=_time, help="Only answers from before this date or time (ISO, UTC)."),
        click.option("--after", callback=_time, help="Only answers since this date or time (ISO, UTC)."),
        click.option(
            "--finish-reason",
            type=click.Choice(["stop", "length", "content_filter"]),
            help="Only answers with this finish reason.",
        ),
        click.option("--text", help="Only where the prompt or the answer contains this text."),
        click.option("--model", help="Only answers of models whose name contains this."),
    ):
        command = option(command)
    return command


def _opened(path: Path) -> CompletionStore:
    if not path.is_file():
        raise click.ClickException(f"{path}: no such completion store. Name one with --store, or run a pipeline first")
    try:
        return CompletionStore(path)
    except EngineError as error:
        raise click.ClickException(str(error)) from None


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


@click.group()
@store_options
@click.pass_context
def completions(context: click.Context, store: Path | None, env: str | None) -> None:
    """Every answer that was paid for: show, count, export, prune."""
    context.obj = StoreChoice(store, env)


@completions.command()
@with_stores()
@_filters
@click.option("--id", "request_id", help="Only the answer with this id, or beginning of one; shown in full.")
@click.option("-n", "--limit", default=10, show_default=True, help="How many answers.")
@click.option("--full", is_flag=True, help="Show full prompts and answers.")
@click.option("--failures", is_flag=True, help="The last failed requests instead, with their reasons.")
def show(stores: list[Path], limit: int, *, full: bool, failures: bool, **conditions: Any) -> None:
    """Print answers with their prompts, oldest first."""
    sought, found = conditions["request_id"], 0
    for store in stores:
        kept = _opened(store)
        if failures:
            failures_found = kept.failures(limit)
            if not failures_found:
                click.echo(f"No request failed so far of those that {store} knows.")
            for row in failures_found:
                click.echo(f"{row['request_id'][:12]}  {_day(row['at'])}  {row['attempts']} attempts  {row['error']}")
        elif sought is None or kept.count(Filter(**conditions)):
            _show(store, kept, limit, conditions, whole=full or sought is not None)
            found += 1
    if not (failures or found):
        raise click.ClickException(
            f"There is no answer {sought} in {', '.join(map(str, stores))}. --env names another environment, --store a "
            "file."
        )


def _show(store: Path, kept: CompletionStore, limit: int, conditions: dict[str, Any], *, whole: bool) -> None:
    shown = 0
    for row in kept.rows(Filter(**conditions), limit):
        shown += 1
        tokens = f"{row['prompt_tokens']} + {counted(row['completion_tokens'], 'token')}"
        head = f"{row['request_id'][:12]}  {_day(row['at'])}  {row['engine'].get('model', '?')}  {row['finish_reason']}"
        click.secho(f"{head}  {tokens}  sample {row['sample']}", bold=True)
        for role, content in row["messages"]:
            click.echo(_clipped(f"{role}: {content}", whole))
        click.echo(_clipped(f"-> {row['text']}", whole))
        click.echo()
    total = kept.count(Filter(**conditions))
    click.echo(f"{shown} of {counted(total, 'answer')} in {store}" if total else f"{store}: {_nothing(kept)}")


def _nothing(kept: CompletionStore) -> str:
    """That no answer is what was asked for, and how many there are."""
    count = kept.count()
    return f"none of its {counted(count, 'answer')} fits these options" if count else "it holds no answer yet"


def _clipped(text: str, whole: bool) -> str:
    return textwrap.indent(text if whole else textwrap.shorten(text, 240, placeholder=" ..."), "  ")


@completions.command()
@with_stores()
@_filters
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="The file; standard output if none."
)
def export(stores: list[Path], output: Path | None, **conditions: Any) -> None:
    """Write answers as JSON lines, one answer a line, with prompt, engine, sampling and counts."""
    opened = [_opened(store) for store in stores]
    count = 0
    draft = output.with_name(f".tmp-{os.getpid()}-{output.name}") if output else None
    file = draft.open("w", encoding="utf-8") if draft else sys.stdout
    try:
        for row in (row for kept in opened for row in kept.rows(Filter(**conditions))):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
        if draft and output:
            file.close()
            draft.replace(output)
    finally:
        if draft:
            draft.unlink(missing_ok=True)
    click.echo(f"{counted(count, 'answer')} written to {output or 'standard output'}", err=True)


@completions.command()
@with_stores()
@_filters
@click.option("--id", "request_id", help="Only the answer with this id, or beginning of one.")
@click.option("--delete", is_flag=True, help="Really delete; without it, only show what would go.")
def prune(stores: list[Path], *, delete: bool, **conditions: Any) -> None:
    """Delete answers, so that they are asked for (and paid for) again. Says what would go; --delete does it."""
    where = Filter(**conditions)
    if not where.given:
        raise click.ClickException(
            "say which answers: give at least one of --model, --text, --finish-reason, --before ..."
        )
    for store in stores:
        kept = _opened(store)
        count, total = kept.count(where), kept.count()
        if delete:
            click.echo(f"{counted(kept.prune(where), 'answer')} deleted from {store}; {kept.count():,} are left")
        else:
            would = f"{count:,} of {counted(total, 'answer')} would be deleted from {store}"
            click.echo(f"{would}; nothing was. Add --delete to do it")


@completions.command()
@with_stores(new=True)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def restore(stores: list[Path], file: Path) -> None:
    """Take answers into the store that were exported, or written to FILE because the disk was full."""
    from medo1.engines.wrappers.store import engine_address, restored

    store = only_store(stores)
    try:
        kept = CompletionStore(store)
    except EngineError as error:
        raise click.ClickException(str(error)) from None
    count = 0
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                paid, identity = restored(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise click.ClickException(f"{file}, line {number}: not an exported answer ({error!r})") from None
            kept.put([paid], engine_address(identity), identity)
            count += 1
    click.echo(f"{store} has {counted(count, 'answer')} of {file}")


@completions.command()
@with_stores()
def retry(stores: list[Path]) -> None:
    """Forget failures, so that requests whose answers could not be used are sent (and paid) again."""
    for store in stores:
        click.echo(f"{counted(_opened(store).forget_failures(), 'failure')} forgotten in {store}")


@completions.command()
@with_stores()
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help="The new store's file.")
def recover(stores: list[Path], target: Path) -> None:
    """Take what can be read of a damaged store into a new one."""
    store = only_store(stores)
    if target.exists():
        raise click.ClickException(f"{target} is there already: name a file that is not")
    taken, lost = CompletionStore(target).recover_from(store)
    made = CompletionStore(target)
    back = counted(made.count(), "answer")
    click.echo(f"{back} recovered into {target} ({counted(taken, 'row')} read, {lost:,} could not be)")


@completions.command()
@with_stores()
@click.option("--engine", "engine_id", help="The engine whose answers are meant: its id, or the beginning of one.")
@click.option("--model", help="The model that answered: a directory (known by its files), or a hub id.")
@click.option("--revision", help="The commit of a hub id.")
@click.option("--set", "options", multiple=True, metavar="NAME=JSON", help="Further options of its identity.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
def migrate(
    stores: list[Path], engine_id: str | None, model: str | None, revision: str | None, options: tuple[str, ...], *,
    dry_run: bool,
) -> None:  # fmt: skip
    """Have answers that an earlier medo1 kept found under the identities that engines have now.

    Without options: texts of `extra_body` that stand in identities are replaced by their digests, and engines are
    listed that did not say which model they served. Name one with --engine, and what is known of it: --model, or
    options such as --set continuation='"native"'. The answers keep their ids.
    """
    from medo1.engines.identity import model_identity, named_model

    if engine_id is None:
        if model or revision or options:
            raise click.ClickException("say whose answers these are: --engine ID (without options, migrate lists them)")
        for store in stores:
            kept = _opened(store)
            _migrate(store, kept, _without_texts(kept), dry_run=dry_run)
        return
    known = {(store, name): identity for store in stores for name, identity in _opened(store).engines().items()}
    found = [(store, name) for store, name in known if name.startswith(engine_id)]
    if len(found) != 1:
        there = ", ".join(f"{name[:12]} in {store}" for store, name in known)
        raise click.ClickException(
            f"{engine_id!r} is the beginning of {len(found)} engines' ids; there are {there or 'none'}"
            + (" (--store names one store)" if len(stores) > 1 else "")
        )
    (store, name), kept = found[0], _opened(found[0][0])
    try:
        named = model_identity(named_model(model, revision)) if model else {}
    except EngineError as error:
        raise click.ClickException(str(error)) from None
    changed = {**known[found[0]], **named, **dict(map(_option, options))}
    _migrate(store, kept, {name: changed}, dry_run=dry_run)


def _without_texts(kept: CompletionStore) -> dict[str, dict[str, Any]]:
    """New identities, by engine, of those that hold texts; says which engines did not tell their model."""
    from medo1.engines.identity import without_texts

    changes: dict[str, Any] = {}
    for name, identity in kept.engines().items():
        if "extra_body" in identity and not _is_digested(identity["extra_body"]):
            changes[name] = {**identity, "extra_body": without_texts(identity["extra_body"])}
        elif identity.get("model", "") is None:
            count = kept.count(Filter(engine_id=name))
            click.echo(
                f"{name[:12]}  {counted(count, 'answer')} of a {identity.get('kind')} engine whose model is not known: "
                f"--engine {name[:12]} --model DIRECTORY, if you know which it was; else they are not found again"
            )
    return changes


def _migrate(store: Path, kept: CompletionStore, changes: dict[str, dict[str, Any]], *, dry_run: bool) -> None:
    for name, identity in changes.items():
        count = kept.count(Filter(engine_id=name)) if dry_run else kept.migrate(name, identity)
        found = f"{counted(count, 'answer')} {'would be ' if dry_run else ''}found"
        click.echo(f"{name[:12]}  {found} as {json.dumps(identity)[:300]}")
    if not changes:
        click.echo(f"nothing to do in {store}")


def _is_digested(value: Any) -> bool:
    """Whether each text in a JSON value is a digest."""
    if isinstance(value, str):
        return re.fullmatch(r"sha256:[0-9a-f]{64}", value) is not None
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return all(map(_is_digested, parts))


def _option(text: str) -> tuple[str, Any]:
    name, given, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        raise click.ClickException(
            f"--set {text}: {value!r} is no JSON value" if given else f"--set {text}: expected NAME=JSON"
        ) from None


@completions.command()
@with_stores()
@_filters
def stats(stores: list[Path], **conditions: Any) -> None:
    """Count answers and tokens by engine and by how they ended."""
    from rich.console import Console
    from rich.table import Table

    for store in stores:
        kept = _opened(store)
        totals = list(kept.totals(Filter(**conditions)))
        if not totals:
            click.echo(f"{store}: {_nothing(kept)}")
            continue
        table = Table(title=str(store))
        for name in ("model", "endpoint", "ended", "answers", "prompt tokens", "completion tokens", "first", "last"):
            table.add_column(name, justify="right" if "tokens" in name or name == "answers" else "left")
        for row in totals:
            engine = row["engine"]
            table.add_row(
                str(engine.get("model", "?")),
                str(engine.get("endpoint", engine.get("kind", "?"))),
                row["finish_reason"],
                f"{row['answers']:,}",
                f"{row['prompt_tokens'] or 0:,.0f}",
                f"{row['completion_tokens'] or 0:,}",
                _day(row["first_at"]),
                _day(row["last_at"]),
            )
        Console(width=None if Console().is_terminal else 130).print(table)
