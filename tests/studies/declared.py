"""A small declaration, and results as its cells would have them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from medo1.studies.cell_results import CellResult
from medo1.studies.cells import Cell, cells_of
from medo1.studies.declaration import Declaration

DECLARED: dict[str, Any] = {
    "question": "Does it?",
    "hypothesis": "It does.",
    "refuted_if": "It does not.",
    "pipelines": ["inference"],
    "parameters": {"world": 9, "arms": {"a": {"prompt": "p"}, "b": {"prompt": "q"}}},
    "grid": {
        "size": {"s1": {"clinic": {"hidden": 8}}, "s2": {"clinic": {"hidden": 16}}, "s4": {"clinic": {"hidden": 32}}},
        "seed": [1, 2, 3],
    },
    "scale": {"size": {"s1": 1, "s2": 2, "s4": 4}},
    "axis": {"size": "width"},
    "strata": {"recall": [0, 1], "chains": [2, 3]},
    "comparisons": {
        "gain": {
            "says": "b is ahead", "of": {"arm": "b"}, "against": {"arm": "a"}, "by": ["size"], "questions": "chains",
            "predicted": {"low": 0},
        },
        "growth": {
            "says": "b grows", "of": {"arm": "b", "at": {"size": "s4"}}, "against": {"arm": "b", "at": {"size": "s1"}},
        },
    },
    "trends": {"gain": {"says": "b gains more", "of": "b", "against": "a", "over": "size", "predicted": "rises"}},
    "best": {
        "place": {
            "says": "the best moves", "arms": {"a": 1, "b": 2}, "axis": "steps", "by": "size", "predicted": "rises",
        }
    },
    "smallest": {"grid": {"size": ["s1"], "seed": ["1"]}, "parameters": {"world": 1}},
}  # fmt: skip
SHARES = {"s1": (0.7, 0.3), "s2": (0.6, 0.6), "s4": (0.4, 0.9)}  # of a and b


def declaration(**changes: Any) -> Declaration:
    return Declaration.model_validate({**DECLARED, **changes})


def result(cell: Cell, shares: Mapping[str, tuple[float, float]] = SHARES, questions: int = 120) -> CellResult:
    """A cell's result in which both arms are right by chance, in these shares."""
    rng = random.Random(cell.name)
    difficulty = "".join(str(place % 4) for place in range(questions))
    arms = {
        arm: {"exam": {"right": "".join("1" if rng.random() < share else "0" for _ in range(questions)), "unread": 1,
                       "tokens": 10.0}}
        for arm, share in zip("ab", shares[cell.levels["size"]], strict=True)
    }  # fmt: skip
    run = {
        "id": f"run-{cell.name}",
        "root": "0" * 64,
        "commit": "c" * 40,
        "dirty": False,
        "seconds": 60.0,
        "hardware": {},
    }
    return CellResult(
        "tried", cell.digest, dict(cell.levels), run, {"exam": {"ids": "f" * 64, "difficulty": difficulty}}, arms,
        {"fact": 0.5}, 1000, {"longstep": 40}, {"a.answers": {"version": "v", "digest": "d"}},
    )  # fmt: skip


def results(**changes: Any) -> list[CellResult]:
    return [result(cell) for cell in cells_of(declaration(**changes))]
