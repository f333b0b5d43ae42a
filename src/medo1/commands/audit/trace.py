"""`kedro audit trace`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from medo1.commands.audit.common import FOUND, Audit, UnansweredError, audit_command, console
from medo1.counting import counted
from medo1.lineage.completion_digests import COMPLETIONS_NAME, UNKEPT, digests_from
from medo1.lineage.digests import digest_of_text

if TYPE_CHECKING:
    from rich.tree import Tree

    from medo1.lineage.audit.tracing import Trace, TraceStep
    from medo1.lineage.places import Places

    Told = dict[int, dict[str, Any] | None]

LONGEST_CELL = 100
MOST_CHECKS = 4
BATCH_PRICE = 0.5  # of the list price, for answers of the Batch API


@audit_command()
@click.argument("version")
@click.argument("column", required=False)
@click.option("--where", "conditions", multiple=True, metavar="COLUMN=VALUE", help="Which row; repeatable.")
@click.option("--show", is_flag=True, help="Show one of the rows of each table on the way, and one call.")
@click.option("--requests", type=click.Path(dir_okay=False, path_type=Path), help="Write every request id, as CSV.")
def trace(
    audit: Audit, version: str, column: str | None, conditions: tuple[str, ...], show: bool, requests: Path | None
) -> None:
    """From one number, or one row of any table, down to the calls that paid for it, and what they cost.

    The number is recomputed: from the rows below it where the catalog says how, and by its table's node. Every table,
    adapter, prompt and answer that is read on the way is checked against its digest. Exit status 1 when the number does
    not come out, or something is not what it was.

    \b
    kedro audit trace results accuracy --where arm=longstep_sft --where benchmark=cases
    kedro audit trace ingest_summary asked.cases      # a number in a JSON value, by its path
    kedro audit trace longstep.chains --where question_id=0f3a... --show
    """
    from medo1.lineage.audit.graph import versions_by_id
    from medo1.lineage.audit.references import find_version
    from medo1.lineage.audit.tracing import trace as traced

    ledger = audit.ledger
    with ledger.reading() as connection:
        found = find_version(connection, ledger, version)
        row = versions_by_id(connection, [found["id"]])[found["id"]]
        whole = traced(connection, audit.places, row, _where(conditions), column, lambda name: _node(audit, row, name))
    calls = _Calls(audit.places)
    told = {id(step): calls.told(step) for step in whole.steps}
    mismatches = whole.mismatches + calls.mismatches + _changed_prompts(whole, audit.places)
    wrong = [check for check in whole.checks if not check.comes_out]
    if requests is not None:
        _write_requests(requests, whole.steps)
    if audit.as_json:
        audit.print_json(
            {
                "recomputed": bool(whole.checks),
                "not_recomputed_because": whole.not_recomputed or None,
                "adds_up": not wrong if whole.checks else None,
                "mismatches": mismatches,
                "trace": _json(whole.top, told) | {"by_hand": list(whole.by_hand)},
            }
        )
    else:
        _show(whole, column, told, show)
        stated = (f"{one.name} does not add up: {one.stated} is stated, {one.again} comes out." for one in wrong)
        for line in dict.fromkeys(stated):  # once, where both its rows and its node say so
            click.secho(line, fg="red")
        for mismatch in mismatches:
            click.secho(f"Not what it was: {mismatch}.", fg="red")
        for name, by in whole.by_hand.items():
            click.secho(f"Made by no run: {name}, {by}.", fg="yellow")
    if wrong or mismatches:
        sys.exit(FOUND)


def _node(audit: Audit, version: dict[str, Any], name: str) -> Any:
    """The pipeline's node of a name, in the environment in which a version was made; where it has another name now, the
    only one that makes the version's dataset."""
    from kedro.framework.project import pipelines

    audit.loader(version["env"] or audit.env)  # the graph depends on the parameters of the latest loader made
    nodes = {node.name: node for pipeline in pipelines.values() for node in pipeline.nodes}
    if name in nodes:
        return nodes[name]
    makers = [node for node in nodes.values() if version["dataset"] in node.outputs]
    return makers[0] if len(makers) == 1 else None


def _changed_prompts(whole: Trace, places: Places) -> list[str]:
    """Prompts and files from outside that were read on the way and are others now, in the run's commit too."""
    from medo1.lineage.outside_files import digest_in_commit, possible_digests

    found: dict[str, None] = {}
    for step in whole.steps:
        for read in step.outside:
            location = (read["detail"] or {}).get("location", "") if read["kind"] == "file" else ""
            digest = read["digest"] or ""
            if not location or "@" in digest or "://" in location:
                continue
            path = Path(places.path_of(location))
            if digest in possible_digests(path) or digest in digest_in_commit(path, step.version.get("git_commit")):
                continue
            found[f"{path} has another content than {step.version['dataset']} was made from ({digest[:16]})"] = None
    return list(found)


def _write_requests(file: Path, steps: list[TraceStep]) -> None:
    import csv

    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["dataset", "version", "request_id"])
        for step in steps:
            writer.writerows([step.version["dataset"], step.version["version"], call] for call in step.calls)


def _where(conditions: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for condition in conditions:
        name, mark, value = condition.partition("=")
        if not mark or not name:
            raise UnansweredError(f"--where {condition!r}: write COLUMN=VALUE.")
        found[name] = value
    return found


class _Calls:
    """What calls are known by their request ids, and what they cost: from the completion stores of the engines.

    An answer that is not the one that its version was made from is no evidence: it is not counted, and it is named.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self.mismatches: list[str] = []

    def told(self, step: TraceStep) -> dict[str, Any] | None:
        """Calls of a step's rows: how many, how many are kept and checked, tokens, and one of them."""
        if not step.calls or step.repeated:
            return None
        from medo1.datasets.paid_answers import paid_answers
        from medo1.lineage.completion_digests import answer_digest

        prices, listed = _prices(step), self._listed(step)
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
            wanted = [call for call in step.calls if call not in kept]
            for call, completion in paid_answers(self._places.path_of(store), wanted).items():
                if listed and answer_digest(completion) != listed.get(call):
                    self.mismatches.append(
                        f"answer {call[:16]} in {store} is not the one that {step.version['dataset']} was made from"
                    )
                    continue
                kept[call] = completion
                usd.append(_cost(completion, prices, configuration))
        gone = [call for call in step.calls if call not in kept and listed.get(call, UNKEPT) != UNKEPT]
        if gone and not self.mismatches:
            shown = ", ".join(call[:16] for call in gone[:3])
            self.mismatches.append(
                f"of the answers that were paid for {len(gone)} are gone from {', '.join(stores)} ({shown})"
            )
        told = _sum(step.calls, list(kept.values()), ", ".join(dict.fromkeys(engines)))
        known = [cost for cost in usd if cost is not None]
        return told | {
            "checked": len(kept) if listed else 0,
            "store": ", ".join(dict.fromkeys(stores)) or None,
            "usd": sum(known) if known else None,
            "request_ids": step.calls,
        }

    def _listed(self, step: TraceStep) -> dict[str, str]:
        """Digests of the answers that a version was made from; empty where none were kept."""
        version = step.version
        if not version["completions"]:
            return {}
        text = self._places.text_beside(version["location"], version["version"], COMPLETIONS_NAME)
        if text is None or digest_of_text(text.decode(errors="replace")) != version["completions"]["digest"]:
            what = "is gone" if text is None else "is not the one that was written"
            self.mismatches.append(f"{COMPLETIONS_NAME} beside {version['dataset']}@{version['version']} {what}")
            return {}
        return digests_from(text.decode())


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


def _show(whole: Trace, column: str | None, told: Told, show: bool) -> None:
    from rich.tree import Tree

    top = whole.top
    row = top.version
    number = f"{column} = {top.sample[column]}" if column and top.sample else _rows_text(top)
    head = " ".join(one for one in (row["dataset"], number) if one)
    parts = (f"[bold]{escape(head)}[/bold]", escape(top.rule), f"@{row['version']}")
    tree = Tree("  ".join(one for one in parts if one))
    if whole.not_recomputed:
        tree.add(f"[yellow]not made again: {escape(whole.not_recomputed)}[/yellow]")
    for line in _check_lines(top):
        tree.add(line)
    if show and top.sample and column is None:
        tree.add(escape(_row(top.sample)))
    _fill(tree, top, told, show)
    console().print(tree)


def _fill(branch: Tree, step: TraceStep, told: Told, show: bool) -> None:
    calls = told[id(step)]
    if calls is not None:
        branch.add(_calls_text(calls))
        if show and calls["example"].get("text"):
            example = calls["example"]
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
            _fill(child, below, told, show)


def _step_text(step: TraceStep) -> str:
    row = step.version
    many = f"{_rows_text(step)} of " if step.rows is not None else ""
    rule = f"  [dim]{escape(step.rule)}[/dim]" if step.rule else ""
    again = "  [dim](shown above)[/dim]" if step.repeated else ""
    text = f"{many}{escape(row['dataset'])}@{row['version']}  {row['digest'][:12]}{rule}{again}"
    return "\n".join([text, *_check_lines(step)])


def _rows_text(step: TraceStep) -> str:
    """How many of a table's rows; empty for what is no table."""
    if step.rows is None or step.of is None:
        return ""
    if step.rows == step.of:
        return f"all {counted(step.of, 'row')}" if step.of != 1 else "its 1 row"
    return f"{step.rows:,} of {counted(step.of, 'row')}"


def _check_lines(step: TraceStep) -> list[str]:
    """What was made again, a line a number; of many, how many came out."""
    ways = {"rows": "from its rows", "node": "by its node"}
    if len(step.checks) > MOST_CHECKS:
        count = sum(check.comes_out for check in step.checks)
        colour = "green" if count == len(step.checks) else "red"
        return [
            f"[{colour}]{count:,} of {len(step.checks):,} values come out again {ways[step.checks[0].way]}[/{colour}]"
        ]
    lines = []
    for check in step.checks:
        came = "[green]comes out again[/green]" if check.comes_out else "[red]does not come out[/red]"
        lines.append(f"{escape(check.name)} {escape(_number(check.again))} {came} {ways[check.way]}")
    return lines


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _calls_text(told: dict[str, Any]) -> str:
    engine = f" of {escape(told['engine'])}" if told["engine"] else ""
    text = f"[green]{counted(told['calls'], 'call')}{engine}[/green]"
    if told["kept"]:
        cost = f", {told['usd']:.4f} USD" if told["usd"] is not None else ""
        checked = "" if told["checked"] else ", which digests of theirs do not confirm: there are none"
        text += (
            f": {told['kept']:,} kept in {escape(str(told['store']))}{checked}, {told['prompt_tokens']:,} + "
            f"{counted(told['completion_tokens'], 'token')}, {told['seconds']:.1f} s{cost}"
        )
    return f"{text}, the first is {told['example']['request_id'][:16]}"


def _row(row: dict[str, Any]) -> str:
    return ", ".join(f"{name}={_cell(value)}" for name, value in row.items())


def _cell(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST_CELL else f"{text[: LONGEST_CELL - 1]}…"


def _json(step: TraceStep, told: Told) -> dict[str, Any]:
    row = step.version
    checks = [
        {"name": one.name, "stated": one.stated, "recomputed": one.again, "way": one.way, "comes_out": one.comes_out}
        for one in step.checks
    ]
    return {
        "dataset": row["dataset"],
        "version": row["version"],
        "digest": row["digest"],
        "run": row["run_id"],
        "node": row.get("node"),
        "made_by_no_run": None if row["run_id"] else row["maker"] or {"by": "hand"},
        "role": step.role,
        "rows": step.rows,
        "of": step.of,
        "rule": step.rule,
        "sample": step.sample,
        "checks": checks,
        "calls": told[id(step)],
        "outside": [{"name": read["name"], "kind": read["kind"], "digest": read["digest"]} for read in step.outside],
        "below": [_json(below, told) for below in step.below],
    }
