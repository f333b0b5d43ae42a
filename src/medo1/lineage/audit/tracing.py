"""From one number to the calls that paid for it.

A row of a table is made from rows of the tables that its node read. Which ones is found by the columns that identify
the row (the table's key, kept in its manifest): rows of an input that agree on the key columns that they have. Where
that is not the whole rule, the catalog says it, and the manifest keeps it (`metadata: rows_from:`):

    results:
      metadata:
        rows_from:
          "*.answers":                    # input datasets by name
            match: {arm: arm, benchmark: benchmark}   # column of the row: column of the input
            where: {draw: greedy}         # fixed values of the input's columns
            either: {arm: [arm, baseline]}  # the input's column is one of these of the row
            below: {sample: k}            # the input's column is below the row's
            any: {benchmark: all}         # this value of the row stands for every value
            value: {accuracy: mean correct, questions: count}   # how the number is made from those rows

`value` is recomputed from the rows found: a number that does not come out again is pointed out. A table with a column
`request_id` names the call that wrote each row, and one with `request_ids` or `parts` all calls that were paid for it;
the caller looks those up in the completion store.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from medo1.errors import UserError
from medo1.lineage.audit.graph import direct_inputs
from medo1.lineage.places import Places

if TYPE_CHECKING:
    from medo1.frames import Frame
    from medo1.lineage.ledger_reader import LedgerReader

Row = dict[str, Any]
CALL = "request_id"
ALL_CALLS = ("request_ids", "parts")  # of a row that took several
TABLES = (".parquet", ".jsonl")


class TraceError(UserError):
    """The question does not name one number; the text says what there is."""


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
        checks: recomputed numbers: name, stated, recomputed.
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
    checks: list[tuple[str, float, float]] = field(default_factory=list)
    sample: Row | None = None
    outside: list[Row] = field(default_factory=list)
    below: list[TraceStep] = field(default_factory=list)
    repeated: bool = False


def trace(
    connection: LedgerReader, places: Places, version: Row, where: Mapping[str, str], column: str | None
) -> TraceStep:
    """The tree below one row of a table, or below several, where `where` leaves several.

    Args:
        version: the table's version.
        where: column values that the row has.
        column: the number that is asked about; None asks about whole rows.

    Raises:
        TraceError: when the version is no table, has no such column or row, or a number was asked for and more than
            one row fits.
    """
    table = _table(places, version)
    if table is None:
        raise TraceError(f"{version['dataset']} is a {version['kind']}, not a table: name a table and one of its rows.")
    unknown = [name for name in [*where, *([column] if column else [])] if name not in table.columns]
    if unknown:
        raise TraceError(
            f"{version['dataset']} has no column {', '.join(unknown)}; it has {', '.join(map(str, table.columns))}."
        )
    rows = _where(table, dict(where))
    if not len(rows):
        raise TraceError(
            f"No row of {version['dataset']}@{version['version']} has {_told(where)}. {_choices(table, where)}"
        )
    if column is not None and len(rows) > 1:
        shown = [name for name in [*version["key"], column] if name in table.columns]
        raise TraceError(
            f"{len(rows)} rows of {version['dataset']} fit {_told(where) or '(no --where was given)'}; a number stands "
            f"in one. Say which with --where:\n{rows[shown].head(10).to_string(index=False)}"
        )
    tracer = _Tracer(connection, places, column)
    step = TraceStep(version, "asked", len(rows), len(table), _told(where), _calls(rows), sample=_first(rows))
    tracer.open(step, rows)
    return step


class _Tracer:
    def __init__(self, connection: LedgerReader, places: Places, column: str | None) -> None:
        self._connection, self._places, self._column = connection, places, column
        self._seen: dict[tuple[int, str], TraceStep] = {}

    def open(self, step: TraceStep, rows: Frame | None) -> None:
        """Fill in what a step was made from; `rows` are those of its rows that count, None for all of it."""
        for read in direct_inputs(self._connection, step.version):
            if read["version"] is None:
                step.outside.append(read)
                continue
            step.below.append(self._step(step, rows, read))

    def _step(self, above: TraceStep, rows: Frame | None, read: Row) -> TraceStep:
        version = read["version"]
        table = _table(self._places, version) if version["rows"] is not None else None
        if table is None or rows is None:
            return self._opened(TraceStep(version, "whole", version["rows"], version["rows"]), table)
        rule = _rule(above.version["rows_from"], version["dataset"])
        chosen, told = _chosen(table, rows, above.version["key"], rule)
        role = "whole" if len(chosen) == len(table) and not told else "rows"
        step = TraceStep(version, role, len(chosen), len(table), told, _calls(chosen), sample=_first(chosen))
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
            step.calls = _calls(rows)
        self.open(step, rows)
        return step


def _rule(rules: Mapping[str, Any], dataset: str) -> Mapping[str, Any]:
    for pattern, rule in rules.items():
        if fnmatchcase(dataset, pattern):
            return rule or {}
    return {}


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
            keep = keep[keep[other] == row[own]]
            told.append(f"{other}={row[own]}")
        for other, several in (rule.get("either") or {}).items():
            values = [row[own] for own in several if own in row]
            keep = keep[keep[other].isin(values)]
            told.append(f"{other}={' or '.join(map(str, values))}")
        for other, own in (rule.get("below") or {}).items():
            keep = keep[keep[other] < row[own]]
            told.append(f"{other}<{row[own]}")
    elif match:
        wanted = set(rows[list(match)].itertuples(index=False, name=None))
        fits = [values in wanted for values in keep[list(match.values())].itertuples(index=False, name=None)]
        if not all(fits):
            told.append(f"the same {', '.join(match)}")
        keep = keep[fits]
    for other, value in (rule.get("where") or {}).items():
        keep = keep[keep[other].astype(str) == str(value)]
        told.append(f"{other}={value}")
    return keep, ", ".join(told)


def _checks(rules: Mapping[str, str], row: Row, chosen: Frame, column: str | None) -> list[tuple[str, float, float]]:
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
        found.append((name, float(row[name]), value))
    return found


def adds_up(stated: float, recomputed: float) -> bool:
    """Whether a number came out again, to the precision of floating point."""
    return math.isclose(stated, recomputed, rel_tol=1e-9, abs_tol=1e-12)


def _table(places: Places, version: Row) -> Frame | None:
    """A version as a table; None where it is none."""
    if not version["location"].endswith(TABLES) or version["rows"] is None:
        return None
    import pandas as pd

    path = places.local_data(version["location"], version["version"], version["digest"])
    if not path.exists():
        raise TraceError(
            f"{version['dataset']}@{version['version']} is not there any more ({path}), so the trace ends here."
        )
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_json(path, orient="records", lines=True, dtype=False, convert_dates=False)


def _where(table: Frame, where: Mapping[str, str]) -> Frame:
    for name, value in where.items():
        table = table[table[name].astype(str) == value]
    return table


def _calls(rows: Frame) -> list[str]:
    if CALL not in rows.columns:
        return []
    calls = [rows[CALL]]
    calls.extend(rows[name].explode() for name in ALL_CALLS if name in rows.columns)
    return list(dict.fromkeys(str(call) for column in calls for call in column if isinstance(call, str) and call))


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
