"""What cells that are still missing would take, told by those that are done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from medo1.studies.cell_results import CellResult
from medo1.studies.cells import Cell
from medo1.studies.declaration import Declaration


def expected_seconds(study: Declaration, missing: Sequence[Cell], done: Sequence[CellResult]) -> float | None:
    """Seconds that missing cells take, one after another.

    A cell takes as long as those took that share most of its levels; seeds and worlds do not count, for they change no
    amount of work.

    Args:
        study: the declaration.
        missing: the cells.
        done: results of others.

    Returns:
        None where none is done.
    """
    if not done:
        return None
    factors = [factor for factor in study.grid if factor not in study.repetitions]
    total = 0.0
    for cell in missing:
        shared = [sum(one.levels[factor] == cell.levels[factor] for factor in factors) for one in done]
        nearest = [one.run["seconds"] for one, count in zip(done, shared, strict=True) if count == max(shared)]
        total += sum(nearest) / len(nearest)
    return total


def adapter_steps(parameters: Mapping[str, Any]) -> int:
    """Optimiser steps of all adapters of a cell, as its parameters tell them; what a study leaves to its environment
    has none here.
    """
    questions = (parameters.get("synthesis") or {}).get("questions") or 500
    return sum(
        ceil(questions / recipe["batch_size"]) * int(recipe["epochs"])
        for recipe in (parameters.get("finetune") or {}).values()
        if recipe and recipe.get("epochs") and recipe.get("batch_size")
    )
