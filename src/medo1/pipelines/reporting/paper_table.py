"""Table 1 of the paper beside this study's arms.

`paper_table1.csv` holds the printed figures. Two rows do not add up in print (InternLM2.5-7B CoT, Llama3.1-70B CoT):
the printed mean is kept.
"""

from __future__ import annotations

import csv
from importlib import resources
from math import nan
from typing import Any

from medo1.pipelines.reporting.answer_groups import ALL
from medo1.pipelines.reporting.evidence import Evidence
from medo1.pipelines.reporting.roles import method_of

Row = dict[str, Any]
BENCHMARKS = ("jama", "medbullets", "medqa")
MEAN = "mean"
NAMELESS = "this study"


def paper_rows(evidence: Evidence) -> list[Row]:
    """Rows of `PAPER_TABLE`: each printed figure, with ours where the model, the method and the benchmark are the same;
    then ours that have no counterpart."""
    ours = {(row["model"], row["method"], row["benchmark"]): row for row in _ours(evidence)}
    rows = []
    for printed in _printed():
        key = (printed["model"], printed["method"], printed["benchmark"])
        rows.append({**printed, **(ours.pop(key) if key in ours else _nothing())})
    return rows + [{"paper": None, "paper_tokens": None, **row} for row in ours.values()]


def _printed() -> list[Row]:
    text = resources.files("medo1.pipelines.reporting").joinpath("paper_table1.csv").read_text(encoding="utf-8")
    rows = []
    for line in csv.DictReader(text.splitlines()):
        keys = {"model": line["model"], "method": line["method"]}
        rows.append({**keys, "benchmark": MEAN, "paper": _share(line["mean_acc"]), "paper_tokens": None})
        for name in BENCHMARKS:
            tokens = line[f"{name}_tokens"]
            figures = {"paper": _share(line[f"{name}_acc"]), "paper_tokens": float(tokens) if tokens else None}
            rows.append({**keys, "benchmark": name, **figures})
    return rows


def _ours(evidence: Evidence) -> list[Row]:
    """Our results by the paper's names; under ours where it has none."""
    printed = {row["model"].lower(): row["model"] for row in _printed()}
    names = dict(zip(evidence.model_sizes["arm"], evidence.model_sizes["model"], strict=True))
    taken: set[tuple[str, str, str]] = set()
    rows = []
    for result in evidence.results.to_dict(orient="records"):
        arm = str(result["arm"])
        spec = evidence.arms.get(arm, {})
        name = str(names.get(arm) or "").rpartition("/")[2]
        if spec.get("model") is not None and evidence.params.paper_model:
            name = evidence.params.paper_model
        model = printed.get(name.lower(), NAMELESS if spec.get("model") is not None or not name else name)
        method = method_of(arm, spec, evidence.params.baseline) or arm
        key = (model, method, benchmark_of(str(result["benchmark"])))
        if key in taken:  # two arms of one method: the second under its own name
            key = (model, arm, key[2])
        taken.add(key)
        rows.append(
            {
                **dict(zip(("model", "method", "benchmark"), key, strict=True)),
                "arm": arm,
                "ours": result["accuracy"],
                "low": result["accuracy_low"],
                "high": result["accuracy_high"],
                "n": result["questions"],
            }
        )
    return rows


def benchmark_of(name: str) -> str:
    """The paper's name of a benchmark: `medbullets` for `medbullets_op4`; ours where it has none."""
    if name == ALL:
        return MEAN
    return next((known for known in BENCHMARKS if name.lower().startswith(known)), name)


def _nothing() -> Row:
    return {"arm": "", "ours": nan, "low": nan, "high": nan, "n": 0}


def _share(percent: str) -> float | None:
    return float(percent) / 100 if percent else None
