"""What differs between two versions of a dataset: rows, columns, distributions, weights; and between their runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.counting import counted
from medo1.lineage.audit.checked_data import checked_data
from medo1.lineage.audit.graph import ancestors
from medo1.lineage.audit.known_runs import document
from medo1.lineage.audit.parameter_differences import DifferingParameter, differing_parameters, parameters_read
from medo1.lineage.audit.staleness import changed_parts, changes, shown_value
from medo1.lineage.places import CorruptFileError, Places

if TYPE_CHECKING:
    from medo1.frames import Frame
    from medo1.lineage.ledger_reader import LedgerReader

Row = dict[str, Any]
EXAMPLES = 5
FEW_VALUES = 12
MOST_CELLS = 12


def content_difference(places: Places, first: Row, second: Row) -> tuple[dict[str, Any], list[str]]:
    """What differs in content, by kind of artifact (`same` where the bytes are), and what is not as it was saved."""
    (one, of_one), (other, of_other) = (checked_data(places, row) for row in (first, second))
    problems = list(dict.fromkeys([*of_one, *of_other]))
    if first["digest"] == second["digest"] and not problems:
        return {"kind": "same"}, problems
    try:
        return _content_difference(one, other, first["key"] or second["key"]), problems
    except Exception as error:
        if not problems:
            raise
        raise CorruptFileError(f"The versions cannot be compared: {'; '.join(problems)}.") from error


def _content_difference(one: Path, other: Path, key: Sequence[str]) -> dict[str, Any]:
    if one.suffix in (".parquet", ".jsonl"):
        return {"kind": "table"} | table_difference(_read(one), _read(other), key)
    if one.suffix == ".json":
        values = [json.loads(path.read_text(encoding="utf-8")) for path in (one, other)]
        return {"kind": "json", "changes": changes(*values)}
    if one.is_dir():
        return {"kind": "directory"} | directory_difference(one, other)
    return {"kind": "text", "lines": _text_difference(one, other)}


def table_difference(before: Frame, after: Frame, key: Sequence[str]) -> dict[str, Any]:
    """Columns, rows by key (or by content where there is no key), and distributions of two tables.

    Returns:
        `columns`: added, removed, retyped; `rows`: counts before and after, added, removed, changed, and how often
        each column changed; `examples` of each; `distributions` of the columns that differ.
    """
    shared = [name for name in before.columns if name in after.columns]
    columns = {
        "added": [str(name) for name in after.columns if name not in before.columns],
        "removed": [str(name) for name in before.columns if name not in after.columns],
        "retyped": [
            f"{name}: {before[name].dtype} -> {after[name].dtype}"
            for name in shared
            if before[name].dtype != after[name].dtype
        ],
    }
    key = [name for name in key if name in shared]
    one, other = _by_key(before, key or shared), _by_key(after, key or shared)
    looks = {name: (distribution(before[name]), distribution(after[name])) for name in shared}
    added = [name for name in other if name not in one]
    removed = [name for name in one if name not in other]
    touched: dict[str, int] = {}
    examples: list[dict[str, Any]] = []
    changed = 0
    for name in [name for name in one if name in other] if key else ():
        differing = [column for column in shared if not _same(one[name][column], other[name][column])]
        changed += bool(differing)
        for column in differing:
            touched[column] = touched.get(column, 0) + 1
        if differing and len(examples) < EXAMPLES:
            cells = {
                column: [_plain(one[name][column]), _plain(other[name][column])] for column in differing[:MOST_CELLS]
            }
            examples.append({"key": dict(zip(key, map(_plain, name), strict=True)), "changed": cells})
    return {
        "key": key,
        "columns": columns,
        "rows": {
            "before": len(before),
            "after": len(after),
            "added": len(added),
            "removed": len(removed),
            "changed": changed,
            "changed_by_column": touched,
        },
        "examples": {
            "added": [_named(key or shared, name) for name in added[:EXAMPLES]],
            "removed": [_named(key or shared, name) for name in removed[:EXAMPLES]],
            "changed": examples,
        },
        "distributions": {str(name): list(sides) for name, sides in looks.items() if sides[0] != sides[1]},
    }


def distribution(column: Any) -> dict[str, Any]:
    """What a column's values look like: moments of numbers, shares of few values, lengths of texts."""
    import pandas as pd

    missing = int(column.isna().sum())
    values = column.dropna()
    told: dict[str, Any] = {"missing": missing} if missing else {}
    if not len(values):
        return told
    if pd.api.types.is_bool_dtype(values):
        return told | {"share of true": round(float(values.mean()), 6)}
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.astype("float64")
        quarters = [float(part) for part in numbers.quantile([0.25, 0.5, 0.75])]
        return told | {
            "mean": round(float(numbers.mean()), 6),
            "deviation": round(float(numbers.std(ddof=0)), 6),
            "least": round(float(numbers.min()), 6),
            "quartiles": [round(part, 6) for part in quarters],
            "most": round(float(numbers.max()), 6),
        }
    texts = values.map(str)
    if texts.nunique() <= FEW_VALUES:
        return told | {"values": {str(name): int(count) for name, count in sorted(texts.value_counts().items())}}
    lengths = texts.str.len()
    return told | {"different": int(texts.nunique()), "mean characters": round(float(lengths.mean()), 1)}


def directory_difference(before: Path, after: Path) -> dict[str, Any]:
    """Files of two directories; of safetensors the norms of each weight and of its change."""
    from medo1.lineage.digests import digest_of_file, files_of_tree

    files = [
        {file.relative_to(folder).as_posix(): file for file in files_of_tree(folder)} for folder in (before, after)
    ]
    one, other = files
    told: dict[str, Any] = {
        "added": sorted(other.keys() - one.keys()),
        "removed": sorted(one.keys() - other.keys()),
        "changed": sorted(
            name for name in one.keys() & other.keys() if digest_of_file(one[name]) != digest_of_file(other[name])
        ),
    }
    told["weights"] = {
        name: weight_difference(one[name], other[name]) for name in told["changed"] if name.endswith(".safetensors")
    }
    told["settings"] = {
        name: changes(*(json.loads(path.read_text(encoding="utf-8")) for path in (one[name], other[name])))
        for name in told["changed"]
        if name.endswith(".json")
    }
    return told


def weight_difference(before: Path, after: Path) -> dict[str, Any]:
    """Norms of the weights of two safetensors files and of their difference, tensor by tensor; flat memory."""
    import numpy as np
    from safetensors import safe_open

    told: dict[str, Any] = {"tensors": {}, "added": [], "removed": []}
    squares = [0.0, 0.0, 0.0]
    with safe_open(before, framework="np") as one, safe_open(after, framework="np") as other:
        names = [set(one.keys()), set(other.keys())]
        told["added"], told["removed"] = sorted(names[1] - names[0]), sorted(names[0] - names[1])
        for name in sorted(names[0] & names[1]):
            tensors = [file.get_tensor(name).astype(np.float64) for file in (one, other)]
            if tensors[0].shape != tensors[1].shape:
                told["tensors"][name] = {"shapes": [list(tensor.shape) for tensor in tensors]}
                continue
            norms = [float(np.linalg.norm(tensor)) for tensor in (*tensors, tensors[1] - tensors[0])]
            squares = [total + norm**2 for total, norm in zip(squares, norms, strict=True)]
            told["tensors"][name] = dict(zip(("before", "after", "change"), norms, strict=True))
    told |= dict(zip(("before", "after", "change"), (total**0.5 for total in squares), strict=True))
    return told


def run_difference(connection: LedgerReader, first: Row, second: Row) -> dict[str, Any]:
    """What changed between the runs of two versions: parameters, code, packages, inputs.

    Parameters and code are those of the nodes on the way to the version, not of everything that ran.
    """
    from sqlalchemy import select

    from medo1.lineage.schema import run

    runs = []
    for row in (first, second):
        found = connection.execute(select(run).where(run.c.id == row["run_id"])).first() if row["run_id"] else None
        runs.append(dict(found._mapping) if found is not None else {})
    told: dict[str, Any] = {"runs": [one.get("id") for one in runs]}
    told["commits"] = [_commit(one) for one in runs]
    sides = [_packages(connection, one) for one in runs]
    told["packages"] = [] if None in sides else changes(*sides)
    if None in sides:
        told["unknown"] = ["packages"]
    graphs = [ancestors(connection, row) for row in (first, second)]
    differing = differing_parameters([parameters_read(connection, graph) for graph in graphs])
    told["parameters"] = [parameter_change(one) for one in differing]
    codes: list[Mapping[str, str]] = []
    for graph in graphs:
        parts: dict[str, str] = {}
        for row in graph.versions.values():
            text = document(connection, row.get("code"))
            parts |= json.loads(text) if text else {}
        codes.append(parts)
    told["code"] = changed_parts(*codes)
    told["inputs"] = _input_differences(graphs)
    return told


def parameter_change(parameter: DifferingParameter) -> str:
    """In a line, from the first side to the second."""
    one, other = (shown_value(value) for value in parameter.values)
    return f"{parameter.name}: {one} -> {other}{' (a default of the code)' if parameter.by_default else ''}"


def _packages(connection: LedgerReader, run: Mapping[str, Any]) -> Any:
    text = document(connection, run.get("packages"))
    return json.loads(text) if text else None


def _input_differences(graphs: list[Any]) -> list[dict[str, Any]]:
    """Ancestors and files whose content differs, nearest first."""
    sides: list[dict[str, tuple[str, str]]] = []
    for graph in graphs:
        side: dict[str, tuple[str, str]] = {}
        for number, row in graph.versions.items():
            if number != graph.root:
                side[row["dataset"]] = (row["digest"], row["version"])
        for reads in graph.outside.values():
            for read in reads:
                if read["kind"] in ("file", "engine"):
                    side[read["name"]] = (read["digest"] or "", (read["digest"] or "")[:12])
        sides.append(side)
    return [
        {"name": name, "before": sides[0].get(name, ("", ""))[1], "after": sides[1].get(name, ("", ""))[1]}
        for name in dict.fromkeys([*sides[0], *sides[1]])
        if sides[0].get(name, ("",))[0] != sides[1].get(name, ("",))[0]
    ]


def _commit(run: Mapping[str, Any]) -> str | None:
    commit = run.get("git_commit")
    return f"{commit[:12]}{' with changes' if run.get('git_dirty') else ''}" if commit else None


def _read(path: Path) -> Frame:
    import pandas as pd

    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_json(path, orient="records", lines=True, dtype=False, convert_dates=False)


def _by_key(table: Frame, key: Sequence[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    names = [tuple(_hashable(cell) for cell in row) for row in table[list(key)].itertuples(index=False, name=None)]
    return dict(zip(names, table.to_dict(orient="records"), strict=True))  # type: ignore[arg-type]


def _hashable(cell: Any) -> Any:
    if hasattr(cell, "tolist"):
        cell = cell.tolist()
    if isinstance(cell, list | dict):
        return json.dumps(cell, sort_keys=True, default=str)
    return None if isinstance(cell, float) and cell != cell else cell  # noqa: PLR0124


def _same(one: Any, other: Any) -> bool:
    return bool(_hashable(one) == _hashable(other))


def _plain(cell: Any) -> Any:
    cell = _hashable(cell)
    text = str(cell)
    return cell if isinstance(cell, int | float | bool | None) else text if len(text) <= 200 else text[:199] + "…"  # noqa: PLR2004


def _named(key: Sequence[str], values: tuple[Any, ...]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in zip(key, values, strict=True)}


def _text_difference(before: Path, after: Path, most: int = 200) -> list[str]:
    import difflib

    one, other = (path.read_text(encoding="utf-8", errors="replace").splitlines() for path in (before, after))
    lines = list(difflib.unified_diff(one, other, "before", "after", lineterm="", n=1))
    return lines if len(lines) <= most else [*lines[:most], f"... and {counted(len(lines) - most, 'line')} more"]
