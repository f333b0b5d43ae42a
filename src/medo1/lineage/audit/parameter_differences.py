"""Which parameters differ between what several versions, or several runs, were made with.

Only what was read counts: a run is recorded with all parameters of the project, of which its nodes read some. Of each
dataset on the way, the parameters that its node read then are held against those that the same dataset's node read on
the other ways, place by place. What only one of them read is no change, nor is a default that only one filled in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medo1.lineage.audit.graph import Graph
from medo1.lineage.audit.known_runs import document
from medo1.lineage.audit.staleness import MISSING

if TYPE_CHECKING:
    from medo1.lineage.ledger_reader import LedgerReader

PREFIX = "params:"


@dataclass(frozen=True, slots=True)
class ReadParameter:
    """A parameter as files and call had it when a node read it, and as the node got it, defaults filled in."""

    written: Any
    filled: Any


@dataclass(frozen=True, slots=True)
class DifferingParameter:
    """A place in the parameters that differs; a value for each side, `MISSING` where it has none."""

    name: str
    values: tuple[Any, ...]
    by_default: bool  # nobody wrote it: the code's default was changed


Reads = Mapping[tuple[str, str], ReadParameter]


def parameters_read(connection: LedgerReader, graph: Graph) -> dict[tuple[str, str], ReadParameter]:
    """What was read on a way, by dataset and name of the parameter. The version nearest to the root counts."""
    runs: dict[str, Any] = {}
    found: dict[tuple[str, str], ReadParameter] = {}
    for number, version in graph.versions.items():
        for read in graph.outside.get(number, ()):
            if read["kind"] != "parameters" or (version["dataset"], read["name"]) in found:
                continue
            run = version["run_id"]
            if run not in runs:
                text = document(connection, connection.value("SELECT parameters FROM run WHERE id = :run", run=run))
                runs[run] = json.loads(text) if text else None
            filled = read["detail"]
            written = filled if runs[run] is None else _at(runs[run], _path(read["name"]))
            found[version["dataset"], read["name"]] = ReadParameter(written, filled)
    return found


def differing_parameters(sides: Sequence[Reads]) -> list[DifferingParameter]:
    """The places that differ between sides that both read them, by name."""
    found: dict[str, DifferingParameter] = {}
    for key in dict.fromkeys(key for side in sides for key in side):
        reads = [side.get(key) for side in sides]
        written = [MISSING if read is None else read.written for read in reads]
        filled = [MISSING if read is None else read.filled for read in reads]
        there = [read is not None for read in reads]
        for one in _differing(_path(key[1]), written, filled, there):
            found.setdefault(one.name, one)
    return [found[name] for name in sorted(found)]


def _differing(
    path: str, written: Sequence[Any], filled: Sequence[Any], there: Sequence[bool]
) -> Iterator[DifferingParameter]:
    values = [value for value in (*written, *filled) if value is not MISSING]
    if values and all(isinstance(value, Mapping) for value in values):
        for key in sorted({key for value in values for key in value}, key=str):
            inner = [[_under(value, key) for value in side] for side in (written, filled)]
            yield from _differing(f"{path}.{key}" if path else str(key), inner[0], inner[1], there)
        return
    if values and all(isinstance(value, list) and len(value) == len(values[0]) for value in values):
        for place in range(len(values[0])):
            inner = [[MISSING if value is MISSING else value[place] for value in side] for side in (written, filled)]
            yield from _differing(f"{path}[{place}]", inner[0], inner[1], there)
        return
    sides = [side for side, is_there in enumerate(there) if is_there]
    set_to = [written[side] for side in sides]
    got = [filled[side] for side in sides]
    if _alike(set_to):
        # Written alike: what the nodes got differs only if a default does. One that nobody filled in is none.
        of_code = [value for value in got if value is not MISSING]
        if _is_set(set_to) or _alike(of_code):
            return
        yield DifferingParameter(path, tuple(filled), by_default=True)
        return
    if MISSING not in got and _alike(got):
        return  # written out on one side, the default on the other
    values = [one if one is not MISSING else other for one, other in zip(written, filled, strict=True)]
    if not _alike([values[side] for side in sides]):
        yield DifferingParameter(path, tuple(values), by_default=False)


def _is_set(written: Sequence[Any]) -> bool:
    return any(value is not MISSING and value is not None for value in written)


def _alike(values: Sequence[Any]) -> bool:
    """Whether all are the same; null is what is not set."""
    plain = [None if value is MISSING else value for value in values]
    return all(value == plain[0] and isinstance(value, bool) == isinstance(plain[0], bool) for value in plain)


def _under(value: Any, key: str) -> Any:
    return value.get(key, MISSING) if isinstance(value, Mapping) else MISSING


def _path(name: str) -> str:
    return "" if name == "parameters" else name.removeprefix(PREFIX)


def _at(value: Any, path: str) -> Any:
    for part in path.split(".") if path else ():
        value = _under(value, part)
    return value
