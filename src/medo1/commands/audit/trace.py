"""`kedro audit trace`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from medo1.commands.audit.common import FOUND, Audit, UnansweredError, audit_command, console

if TYPE_CHECKING:
    from rich.tree import Tree

    from medo1.lineage.audit.tracing import TraceStep
    from medo1.lineage.ledger_settings import LedgerSettings

LONGEST_CELL = 100
BATCH_PRICE = 0.5  # of the list price, for answers of the Batch API


@audit_command()
@click.argument("version")
@click.argument("column", required=False)
@click.option("--where", "conditions", multiple=True, metavar="COLUMN=VALUE", help="Which row; several times.")
@click.option("--show", is_flag=True, help="Show one of the rows of each table on the way, and one call.")
def trace(audit: Audit, version: str, column: str | None, conditions: tuple[str, ...], show: bool) -> None:
    """From one number, or one row of any table, down to the calls that paid for it, and what they cost.

    Where the catalog says how a number is made from the rows below it, it is computed again; exit status 1 when it
    does not come out.

    \b
    kedro audit trace results accuracy --where arm=longstep_sft
    kedro audit trace longstep.chains --where question_id=0f3a... --show
    """
    from medo1.lineage.audit.graph import versions_by_id
    from medo1.lineage.audit.references import find_version
    from medo1.lineage.audit.tracing import adds_up
    from medo1.lineage.audit.tracing import trace as traced

    ledger = audit.ledger
    with ledger.reading() as connection:
        found = find_version(connection, ledger, version)
        row = versions_by_id(connection, [found["id"]])[found["id"]]
        top = traced(connection, audit.places, row, _where(conditions), column)
    calls = _Calls(ledger.settings)
    steps = list(_all_steps(top))
    wrong = [check for step in steps for check in step.checks if not adds_up(check[1], check[2])]
    if audit.as_json:
        audit.print_json({"trace": _json(top, calls), "adds_up": not wrong})
    else:
        _show(top, column, calls, show)
        for name, stated, again in wrong:
            click.secho(f"{name} does not add up: {stated} is stated, {again} comes out of its rows.", fg="red")
    if wrong:
        sys.exit(FOUND)


def _where(conditions: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for condition in conditions:
        name, mark, value = condition.partition("=")
        if not mark or not name:
            raise UnansweredError(f"--where {condition!r}: write COLUMN=VALUE.")
        found[name] = value
    return found


class _Calls:
    """What calls are known by their request ids, and what they cost: from the completion stores of the engines."""

    def __init__(self, settings: LedgerSettings) -> None:
        self._settings = settings
        self._stores: dict[str, Any] = {}

    def told(self, step: TraceStep) -> dict[str, Any] | None:
        """Calls of a step's rows: how many, how many are kept, tokens, and one of them."""
        if not step.calls:
            return None
        prices = _prices(step)
        engines, stores, kept, usd = [], [], {}, []
        for read in step.outside:
            if read["kind"] != "engine":
                continue
            detail = read["detail"] or {}
            configuration = detail.get("configuration") or {}
            engines.append(str((detail.get("identity") or {}).get("class", read["name"])))
            store = configuration.get("store")
            if not store:
                continue
            stores.append(store)
            for completion in self._store(store).of([call for call in step.calls if call not in kept]):
                kept[completion.request_id] = completion
                usd.append(_cost(completion, prices, configuration))
        told = _sum(step.calls, list(kept.values()), ", ".join(dict.fromkeys(engines)))
        known = [cost for cost in usd if cost is not None]
        return told | {"store": ", ".join(dict.fromkeys(stores)) or None, "usd": sum(known) if known else None}

    def _store(self, path: str) -> _StoreReader:
        if path not in self._stores:
            self._stores[path] = _StoreReader(Path(self._settings.path_of(path)))
        found: _StoreReader = self._stores[path]
        return found


class _StoreReader:
    """Reads a completion store without becoming its owner."""

    def __init__(self, path: Path) -> None:
        from medo1.engines.wrappers.store import CompletionStore

        self._store = CompletionStore(path) if path.is_file() else None

    def of(self, calls: list[str]) -> list[Any]:
        if self._store is None:
            return []
        return [found for call in calls if (found := self._store.get(call, call)) is not None]


def _prices(step: TraceStep) -> dict[str, Any]:
    """The price table among the parameters that the step's node read."""
    from medo1.engines.wrappers.money import Price

    for read in step.outside:
        value = read["detail"] if read["kind"] == "parameters" else None
        prices = value.get("prices") if isinstance(value, dict) else None  # a single parameter may be a number
        if prices:
            return {name: Price.model_validate(price) for name, price in prices.items()}
    return {}


def _sum(calls: list[str], kept: list[Any], engine: str) -> dict[str, Any]:
    one = kept[0] if kept else None
    return {
        "engine": engine,
        "calls": len(calls),
        "kept": len(kept),
        "prompt_tokens": sum(completion.prompt_tokens or 0 for completion in kept),
        "completion_tokens": sum(completion.completion_tokens or 0 for completion in kept),
        "seconds": round(sum(completion.latency_s or 0.0 for completion in kept), 3),
        "example": {
            "request_id": one.request_id,
            "model": one.model,
            "finish_reason": one.finish_reason,
            "text": one.text,
        }
        if one is not None
        else {"request_id": calls[0]},
    }


def _cost(completion: Any, prices: dict[str, Any], configuration: dict[str, Any]) -> float | None:
    """Dollars of one answer at the prices that the run was given; None where it was given none."""
    from medo1.engines.wrappers.money import cost_usd, price_of

    options = configuration.get("options") or {}
    price = price_of(prices, str(options.get("model") or completion.model))
    if price is None:
        return None
    batched = options.get("mode") == "batch"
    return cost_usd(completion, price, BATCH_PRICE if batched else 1.0)


def _show(top: TraceStep, column: str | None, calls: _Calls, show: bool) -> None:
    from rich.tree import Tree

    row = top.version
    number = f"{column} = {top.sample[column]}" if column and top.sample else f"{top.rows} of {top.of} rows"
    tree = Tree(f"[bold]{escape(row['dataset'])} {escape(number)}[/bold]  {escape(top.rule)}  @{row['version']}")
    if show and top.sample and column is None:
        tree.add(escape(_row(top.sample)))
    _fill(tree, top, calls, show)
    console().print(tree)


def _fill(branch: Tree, step: TraceStep, calls: _Calls, show: bool) -> None:
    told = calls.told(step)
    if told is not None:
        branch.add(_calls_text(told))
        if show and told["example"].get("text"):
            example = told["example"]
            branch.add(
                f"[green]{example['request_id'][:16]} ({example['model']}):[/green] {escape(_cell(example['text']))}"
            )
    for read in step.outside:
        if read["kind"] in ("file", "engine"):
            what = (read["detail"] or {}).get("location") or (read["detail"] or {}).get("identity", {}).get("class", "")
            branch.add(f"[dim]{escape(read['name'])}: {escape(str(what))}  {(read['digest'] or '')[:12]}[/dim]")
    for below in step.below:
        if below.rows == 0 and below.version["rows"]:
            continue  # a table of the same node that has nothing to do with this row
        child = branch.add(_step_text(below))
        if show and below.sample and below.role == "rows":
            child.add(escape(_row(below.sample)))
        if not below.repeated:
            _fill(child, below, calls, show)


def _step_text(step: TraceStep) -> str:
    row = step.version
    if step.rows is None:
        many = ""
    elif step.rows == step.of:
        many = f"all {step.of} rows of "
    else:
        many = f"{step.rows} of {step.of} rows of "
    rule = f"  [dim]{escape(step.rule)}[/dim]" if step.rule else ""
    again = "  [dim](shown above)[/dim]" if step.repeated else ""
    text = f"{many}{escape(row['dataset'])}@{row['version']}  {row['digest'][:12]}{rule}{again}"
    for name, stated, value in step.checks:
        from medo1.lineage.audit.tracing import adds_up

        mark = "[green]comes out again[/green]" if adds_up(stated, value) else "[red]does not come out[/red]"
        text += f"\n{escape(name)} {value:g} {mark}"
    return text


def _calls_text(told: dict[str, Any]) -> str:
    engine = f" of {escape(told['engine'])}" if told["engine"] else ""
    text = f"[green]{told['calls']} calls{engine}[/green]"
    if told["kept"]:
        cost = f", {told['usd']:.4f} USD" if told["usd"] is not None else ""
        text += (
            f": {told['kept']} kept in {escape(str(told['store']))}, {told['prompt_tokens']} + "
            f"{told['completion_tokens']} tokens, {told['seconds']:.1f} s{cost}"
        )
    return f"{text}, the first is {told['example']['request_id'][:16]}"


def _row(row: dict[str, Any]) -> str:
    return ", ".join(f"{name}={_cell(value)}" for name, value in row.items())


def _cell(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def _all_steps(step: TraceStep) -> list[TraceStep]:
    return [step, *(one for below in step.below for one in _all_steps(below))]


def _json(step: TraceStep, calls: _Calls) -> dict[str, Any]:
    row = step.version
    return {
        "dataset": row["dataset"],
        "version": row["version"],
        "digest": row["digest"],
        "run": row["run_id"],
        "node": row.get("node"),
        "role": step.role,
        "rows": step.rows,
        "of": step.of,
        "rule": step.rule,
        "sample": step.sample,
        "checks": [{"name": name, "stated": stated, "recomputed": value} for name, stated, value in step.checks],
        "calls": calls.told(step),
        "outside": [{"name": read["name"], "kind": read["kind"], "digest": read["digest"]} for read in step.outside],
        "below": [_json(below, calls) for below in step.below],
    }
