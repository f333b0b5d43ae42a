"""From one number to the calls that paid for it.

A row of a table is made from rows of the tables that its node read. Which ones is found by the columns that identify
the row (the table's key, kept in its manifest): rows of an input that agree on the key columns that they have. Where
that is not the whole rule, the catalog says it, and the manifest keeps it (`metadata: rows_from:`):

    results:
      metadata:
        rows_from:
          "*.answers":                    # input datasets by name
            run: run                      # only versions of the run that stands in this column of the row
            group: format                 # only datasets of the group in this column: of `cot`, `cot.training_log`
            match: {arm: arm, benchmark: benchmark}   # column of the row: column of the input
            where: {draw: greedy}         # fixed values of the input's columns; a list names several
            either: {arm: [arm, baseline]}  # the input's column is one of these of the row
            below: {sample: k}            # the input's column is below the row's
            most: {budget: budget}        # the input's column is at most the row's
            any: {benchmark: all}         # this value of the row stands for every value
            value: {accuracy: mean correct, questions: count}   # how the number is made from those rows

`value` is recomputed from the rows found. What no `value` says is made again by the table's node, where that is a pure
function of tables and values (`medo1.lineage.audit.recomputing`). A number that does not come out again is pointed
out, and one that was not made again says why. A table with a column `request_id` names the call that wrote each row,
and one with `request_ids` or `parts` all calls that were paid for it: those lie in the completion store.

Everything that is read on the way is held against the digests in ledger and manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.errors import UserError
from medo1.lineage.audit.checked_data import checked_data
from medo1.lineage.audit.graph import direct_inputs
from medo1.lineage.audit.recomputing import NotRecomputedError, made_again, read_checked, same_number
from medo1.lineage.audit.verification import by_text
from medo1.lineage.code import CodeReader
from medo1.lineage.completion_digests import call_ids
from medo1.lineage.evidence import EVIDENCE_MARK, evidence_of
from medo1.lineage.page_marks import without_told
from medo1.lineage.places import Places

if TYPE_CHECKING:
    from kedro.pipeline.node import Node

    from medo1.frames import Frame
    from medo1.lineage.ledger_reader import LedgerReader

Row = dict[str, Any]
FindNode = Callable[[str], "Node | None"]
TABLES = (".parquet", ".jsonl")
LONGEST_VALUE = 60


class TraceError(UserError):
    """The question does not name one number; the text says what there is."""


@dataclass(frozen=True, slots=True)
class NumberCheck:
    """A number that was made again.

    Attributes:
        name: the column, or the path in a JSON value.
        stated, again: what stands there, and what came out.
        way: `rows` (from the rows below it) or `node` (its node was called again).
    """

    name: str
    stated: Any
    again: Any
    way: str

    @property
    def comes_out(self) -> bool:
        return same_number(self.stated, self.again)


@dataclass(slots=True)
class TraceStep:
    """A version on the way from a number to what it was made from.

    Attributes:
        version: its row in the ledger.
        role: how it was used: `rows` (some rows of a table), `whole` (all of it), `asked`.
        rows: how many rows counted.
        of: how many there are.
        rule: which rows: the conditions, as text.
        calls: request ids of the rows that counted, each once.
        checks: numbers that were made again from its rows; of the step that was asked about, by its node.
        sample: one of the rows that counted.
        outside: what else its node read: files, parameters, engines.
        below: what it was made from.
    """

    version: Row
    role: str
    rows: int | None = None
    of: int | None = None
    rule: str = ""
    calls: list[str] = field(default_factory=list)
    checks: list[NumberCheck] = field(default_factory=list)
    sample: Row | None = None
    outside: list[Row] = field(default_factory=list)
    below: list[TraceStep] = field(default_factory=list)
    repeated: bool = False


@dataclass(slots=True)
class Trace:
    """A number and all that it rests on.

    Attributes:
        top: the version that holds it.
        mismatches: what on the way is not what was saved, each named with its file.
        not_recomputed: why the number was not made again; empty where it was.
        by_hand: versions on the way that no run made, and who made them.
    """

    top: TraceStep
    mismatches: list[str] = field(default_factory=list)
    not_recomputed: str = ""
    by_hand: dict[str, str] = field(default_factory=dict)

    @property
    def steps(self) -> list[TraceStep]:
        """Every step, the highest first."""
        found, wanted = [], [self.top]
        while wanted:
            step = wanted.pop(0)
            found.append(step)
            wanted.extend(step.below)
        return found

    @property
    def checks(self) -> list[NumberCheck]:
        return [check for step in self.steps for check in step.checks]


def trace(
    connection: LedgerReader,
    places: Places,
    version: Row,
    where: Mapping[str, str],
    column: str | None,
    find_node: FindNode,
) -> Trace:
    """The tree below one row of a table, or below several, where `where` leaves several; or below a JSON value or page.

    Args:
        version: the version.
        where: column values that the row has.
        column: the number that is asked about, in a JSON value as `kept.cot`; None asks about whole rows.
        find_node: the pipeline's node of a name, to be called again.

    Raises:
        TraceError: when the version has no such column, row or value, or a number was asked for and more than one row
            fits.
    """
    tracer = _Tracer(connection, places, column, find_node)
    if version["rows"] is None or not version["location"].endswith(TABLES):
        step = TraceStep(version, "asked", rule=_told(where))
        if where or version["kind"] not in ("Json", "Page", "Figure"):
            raise TraceError(
                f"{version['dataset']} is no table (its kind is {version['kind']}): name a table and one of its rows, "
                "or a JSON value and the path of a number in it. What it was made from: kedro audit lineage "
                f"{version['dataset']}."
            )
        value = tracer.value(version)
        step.sample = {column: _at(value, column, version["dataset"])} if column else None
        rows = None
    else:
        table = tracer.table(version)
        rows = _asked_rows(table, version, where, column)
        step = TraceStep(version, "asked", len(rows), len(table), _told(where), call_ids(rows), sample=_first(rows))
    tracer.open(step, rows)
    tracer.make_again(step, rows)
    return tracer.ended(step)


def _asked_rows(table: Frame, version: Row, where: Mapping[str, str], column: str | None) -> Frame:
    unknown = [name for name in [*where, *([column] if column else [])] if name not in table.columns]
    if unknown:
        raise TraceError(
            f"{version['dataset']} has no column {', '.join(unknown)}; it has {', '.join(map(str, table.columns))}."
        )
    rows = _where(table, dict(where))
    if not len(table) and column is None:
        return rows  # that nothing came out can be made again too
    if not len(rows):
        has = f"has {_told(where)}. {_choices(table, where)}" if len(table) else "exists: the table is empty."
        raise TraceError(f"No row of {version['dataset']}@{version['version']} {has}")
    if column is not None and len(rows) > 1:
        shown = [name for name in [*version["key"], column] if name in table.columns]
        raise TraceError(
            f"{len(rows)} rows of {version['dataset']} fit {_told(where) or '(no --where was given)'}; a number stands "
            f"in one. Say which with --where:\n{rows[shown].head(10).to_string(index=False)}"
        )
    return rows


class _Tracer:
    def __init__(self, connection: LedgerReader, places: Places, column: str | None, find_node: FindNode) -> None:
        self._connection, self._places, self._column, self._find_node = connection, places, column, find_node
        self._seen: dict[tuple[int, str], TraceStep] = {}
        self._values: dict[int, Any] = {}
        self._mismatches: dict[str, None] = {}
        self._by_hand: dict[str, str] = {}
        self._not_recomputed = ""

    def ended(self, top: TraceStep) -> Trace:
        """The trace, now that all of it was read."""
        return Trace(top, list(self._mismatches), self._not_recomputed, self._by_hand)

    def value(self, version: Row) -> Any:
        """A version's value, its bytes held against its digests."""
        if version["id"] not in self._values:
            path, problems = self._checked(version)
            self._values[version["id"]] = read_checked(path, version["kind"], problems)
        return self._values[version["id"]]

    def table(self, version: Row) -> Frame:
        """The same of a table."""
        return self.value(version)

    def _checked(self, version: Row) -> tuple[Path, list[str]]:
        """Where a version's data lies, and what is not as it was saved, which is remembered."""
        told = f"{version['dataset']}@{version['version']}"
        if not version["run_id"]:
            self._by_hand[told] = by_text(version["maker"])
        path, problems = checked_data(self._places, version)
        self._mismatches |= dict.fromkeys(problems)
        return path, problems

    def open(self, step: TraceStep, rows: Frame | None) -> None:
        """Fill in what a step was made from; `rows` are those of its rows that count, None for all of it."""
        for read in direct_inputs(self._connection, step.version):
            if read["version"] is None:
                step.outside.append(read)
                continue
            if not _concerned(step.version, rows, read["version"]):
                continue
            step.below.append(self._step(step, rows, read))

    def _step(self, above: TraceStep, rows: Frame | None, read: Row) -> TraceStep:
        version = read["version"]
        if read["digest"] != version["digest"]:
            told = f"{above.version['dataset']} was made from {version['dataset']} with the digest"
            self._mismatches[f"{told} {(read['digest'] or '')[:16]}; the version has {version['digest'][:16]}"] = None
        is_table = version["rows"] is not None and version["location"].endswith(TABLES)
        table = self.table(version) if is_table else None
        if table is None:
            self._checked(version)
        if table is None or rows is None:
            return self._opened(TraceStep(version, "whole", version["rows"], version["rows"]), table)
        rule = _rule(above.version["rows_from"], version["dataset"])
        chosen, told = _chosen(table, rows, above.version["key"], rule)
        role = "whole" if len(chosen) == len(table) and not told else "rows"
        step = TraceStep(version, role, len(chosen), len(table), told, call_ids(chosen), sample=_first(chosen))
        if above.role == "asked" and len(rows) == 1 and len(chosen):
            step.checks = list(_checks(rule.get("value") or {}, _row(rows), chosen, self._column))
        return self._opened(step, chosen)

    def _opened(self, step: TraceStep, rows: Frame | None) -> TraceStep:
        key = (step.version["id"], "" if rows is None else f"{step.rule}/{len(rows)}")
        if key in self._seen:
            step.repeated = True
            return step
        self._seen[key] = step
        if step.rows == 0:
            return step
        if rows is not None and not step.calls:
            step.calls = call_ids(rows)
        self.open(step, rows)
        return step

    # The number, made again by its node

    def make_again(self, step: TraceStep, rows: Frame | None) -> None:
        """Call the node of the version that was asked about once more, and hold what comes out against what stands."""
        version = step.version
        try:
            checks = self._held(version, rows, self._output(version))
            self._refuse_changed_code(version, checks)
            step.checks += checks
        except NotRecomputedError as reason:
            if not any(below.checks for below in step.below):
                self._not_recomputed = str(reason)

    def _refuse_changed_code(self, version: Row, checks: list[NumberCheck]) -> None:
        """Where the code has changed since, a number that does not come out says nothing against the number."""
        if all(check.comes_out for check in checks) or not version["code"]:
            return
        packages = {"medo1", version["function"].partition(":")[0].partition(".")[0]}
        reader = CodeReader(sorted(packages))
        reached = reader.reached_from(version["function"])
        reader.close()
        if reached is None or reached.digest != version["code"]:
            raise NotRecomputedError("the code that made it has changed since, and makes something else now")

    def _output(self, version: Row) -> Any:
        if not version.get("node") or not version["node_run_id"]:
            raise NotRecomputedError(f"no node made it ({by_text(version['maker'])})")
        try:
            node = self._find_node(version["node"])
        except UserError as error:
            raise NotRecomputedError(f"the pipelines cannot be built now: {error}") from error
        if node is None:
            raise NotRecomputedError(f"there is no node {version['node']} now, and not one that makes it")
        query = "SELECT * FROM input WHERE node_run_id = :number"
        reads = {read["name"]: read for read in self._connection.rows(query, number=version["node_run_id"])}
        known = {read["name"]: read["version"] for read in direct_inputs(self._connection, version)}
        reads = {name: read | {"version": known.get(name)} for name, read in reads.items()}
        for read in reads.values():
            if read["kind"] == "file":
                location = (read["detail"] or {}).get("location", "")
                read["detail"] = {"path": self._places.path_of(location) if location else ""}
        made = made_again(node, reads, self.value)
        if version["dataset"] not in made:
            raise NotRecomputedError("its node makes no such output now")
        return made[version["dataset"]]

    def _held(self, version: Row, rows: Frame | None, again: Any) -> list[NumberCheck]:
        if rows is None:
            if self._column is None:
                stated = self.value(version)
                if isinstance(again, str) and EVIDENCE_MARK in again:
                    again = again.replace(EVIDENCE_MARK, self._evidence(version))
                if isinstance(stated, str) and isinstance(again, str):
                    stated, again = without_told(stated), without_told(again)
                same = "the same" if _same_value(stated, again) else "another"
                return [NumberCheck(version["dataset"], "the same", same, "node")]
            return [NumberCheck(self._column, _at(self.value(version), self._column), _at(again, self._column), "node")]
        if not len(rows):
            return [NumberCheck("rows", 0, len(again), "node")]
        found = []
        key = [name for name in version["key"] if name in rows.columns and name in again.columns]
        for place, row in rows.iterrows():
            fits = again if key or len(again) != version["rows"] else again.iloc[[int(str(place))]]
            for name in key:
                fits = fits[_same(fits[name], row[name])]
            if len(fits) != 1:
                raise NotRecomputedError(f"its row is not told from others by {', '.join(key) or 'a key'}")
            made = fits.iloc[0]
            columns = [self._column] if self._column else [name for name in rows.columns if name not in key]
            found += [NumberCheck(str(name), row[name], made[name], "node") for name in columns if name in made.index]
        return found

    def _evidence(self, version: Row) -> str:
        """The digest of all that a page was made from in its run, from what the ledger says that nodes read."""
        reads: dict[str, dict[str, str | None]] = {}
        makers: dict[str, str] = {}
        query = (
            "SELECT node_run.node, input.name, input.kind, input.digest, input.detail, version.measures FROM input"
            " JOIN node_run ON node_run.id = input.node_run_id LEFT JOIN version ON version.id = input.version_id"
            " WHERE node_run.run_id = :run_id"
        )
        for read in self._connection.rows(query, run_id=version["run_id"]):
            reads.setdefault(read["node"], {})[read["name"]] = None if read["measures"] else read["digest"]
            if read["kind"] == "memory":
                makers[read["name"]] = (read["detail"] or {}).get("node", "")
        wrote = (
            "SELECT version.dataset, node_run.node FROM version JOIN node_run ON node_run.id = version.node_run_id"
            " WHERE node_run.run_id = :run_id"
        )
        makers |= {row["dataset"]: row["node"] for row in self._connection.rows(wrote, run_id=version["run_id"])}
        return evidence_of(version["node"], reads, makers)


def _same_value(stated: Any, again: Any) -> bool:
    if hasattr(again, "to_json") and hasattr(stated, "to_json"):  # a figure, as it is kept
        import plotly.io as pio

        return bool(stated.to_json() == pio.from_json(again.to_json()).to_json())
    return bool(stated == again)


def _same(column: Any, value: Any) -> Any:
    """Which values of a column are this one; one that is not known is the same as another that is not."""
    import pandas as pd

    unknown = value is None or (pd.api.types.is_scalar(value) and pd.isna(value))
    return column.isna() if unknown else column == value


def _at(value: Any, path: str, dataset: str = "") -> Any:
    """A number in a JSON value, by its path."""
    for part in path.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            there = ", ".join(map(str, value)) if isinstance(value, Mapping) else str(value)[:LONGEST_VALUE]
            raise TraceError(f"{dataset or 'The value'} has nothing at {path!r}: at {part!r} there is {there}.")
    return value


def _rule(rules: Mapping[str, Any], dataset: str) -> Mapping[str, Any]:
    for pattern, rule in rules.items():
        if fnmatchcase(dataset, pattern):
            return rule or {}
    return {}


def _concerned(above: Row, rows: Frame | None, version: Row) -> bool:
    """Whether rows can be made from a version, where they name the runs, or the groups, that they are of."""
    rule = _rule(above["rows_from"], version["dataset"])
    own = {"run": version["run_id"] or version["version"], "group": version["dataset"].rpartition(".")[0]}
    named = {what: rule[what] for what in own if what in rule}
    return rows is None or all(
        column not in rows.columns or own[what] in set(rows[column]) for what, column in named.items()
    )


def _chosen(table: Frame, rows: Frame, key: Sequence[str], rule: Mapping[str, Any]) -> tuple[Frame, str]:
    """The rows of an input that rows of its output were made from, and which those are, in words."""
    match = dict(rule.get("match") or {name: name for name in key if name in table.columns and name in rows.columns})
    match = {own: other for own, other in match.items() if own in rows.columns and other in table.columns}
    wild = rule.get("any") or {}
    told: list[str] = []
    keep = table
    if len(rows) == 1:
        row = _row(rows)
        for own, other in match.items():
            if own in wild and row[own] == wild[own]:
                continue
            keep = keep[_same(keep[other], row[own])]
            told.append(f"{other}={row[own]}")
        for other, several in (rule.get("either") or {}).items():
            values = [row[own] for own in several if own in row]
            keep = keep[keep[other].isin(values)]
            told.append(f"{other}={' or '.join(map(str, values))}")
        for other, own in (rule.get("below") or {}).items():
            keep = keep[keep[other] < row[own]]
            told.append(f"{other}<{row[own]}")
        for other, own in (rule.get("most") or {}).items():
            keep = keep[keep[other] <= row[own]]
            told.append(f"{other}<={row[own]}")
    elif match:
        wanted = set(rows[list(match)].itertuples(index=False, name=None))
        fits = [values in wanted for values in keep[list(match.values())].itertuples(index=False, name=None)]
        if not all(fits):
            told.append(f"the same {', '.join(match)}")
        keep = keep[fits]
    for other, value in (rule.get("where") or {}).items():
        values = [str(one) for one in value] if isinstance(value, list) else [str(value)]
        keep = keep[keep[other].astype(str).isin(values)]
        told.append(f"{other}={' or '.join(values)}")
    return keep, ", ".join(told)


def _checks(rules: Mapping[str, str], row: Row, chosen: Frame, column: str | None) -> list[NumberCheck]:
    found = []
    for name, how in rules.items():
        if name not in row or (column is not None and name != column):
            continue
        if how == "count":
            value = float(len(chosen))
        else:
            what, _, of = how.partition(" ")
            if what not in ("mean", "sum") or of not in chosen.columns:
                continue
            value = float(getattr(chosen[of], what)())
        found.append(NumberCheck(name, row[name], value, "rows"))
    return found


def _where(table: Frame, where: Mapping[str, str]) -> Frame:
    for name, value in where.items():
        table = table[table[name].astype(str) == value]
    return table


def _first(rows: Frame) -> Row | None:
    return _row(rows) if len(rows) else None


def _row(rows: Frame) -> Row:
    return {str(name): value for name, value in rows.iloc[0].items()}


def _told(where: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in where.items())


def _choices(table: Frame, where: Mapping[str, str], most: int = 12) -> str:
    parts = []
    for name in where:
        values = sorted({str(value) for value in table[name]})
        parts.append(f"{name} is one of {', '.join(values[:most])}{' ...' if len(values) > most else ''}")
    return "; ".join(parts) + ("." if parts else "")
