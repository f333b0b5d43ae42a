"""The cells of a study: one run each, with its levels and all parameters that make it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from medo1.errors import UserError
from medo1.lineage.digests import digest_of_value
from medo1.studies.declaration import Declaration


@dataclass(frozen=True)
class Cell:
    """One run of a study.

    Attributes:
        levels: factor to level.
        parameters: what the run is given, over those of its environment.
    """

    levels: Mapping[str, str]
    parameters: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its levels in one word, which names its file: `size-w32_seed-21`."""
        return "_".join(f"{factor}-{level}" for factor, level in self.levels.items())

    @property
    def digest(self) -> str:
        """SHA-256 of what makes it."""
        return digest_of_value({"levels": dict(self.levels), "parameters": dict(self.parameters)})


def cells_of(study: Declaration, *, small: bool = False) -> list[Cell]:
    """All cells, repetitions outermost: a study that stops half-way has whole repetitions.

    Args:
        study: the declaration.
        small: the study in small.
    """
    chosen = {
        factor: [one for one in levels if not small or one in study.smallest.grid.get(factor, tuple(levels))]
        for factor, levels in study.grid.items()
    }
    order = [*study.repetitions, *(factor for factor in chosen if factor not in study.repetitions)]
    found = []
    for combination in itertools.product(*(chosen[factor] for factor in order)):
        at = dict(zip(order, combination, strict=True))
        if any(_within(left_out, at) for left_out in study.without):
            continue
        levels = {factor: at[factor] for factor in study.grid}
        parts = [study.parameters, *(study.grid[factor][level] for factor, level in levels.items())]
        found.append(Cell(levels, merged([*parts, study.smallest.parameters] if small else parts)))
    return found


def chosen_cells(cells: Iterable[Cell], only: Mapping[str, Iterable[str]]) -> list[Cell]:
    """The cells that have one of the levels named of each factor.

    Raises:
        UserError: no cell has these levels.
    """
    cells = list(cells)
    found = [cell for cell in cells if all(cell.levels.get(factor, "") in levels for factor, levels in only.items())]
    if not found:
        asked = ", ".join(f"{factor}={'|'.join(levels)}" for factor, levels in only.items())
        known = {factor: list(dict.fromkeys(cell.levels[factor] for cell in cells)) for factor in cells[0].levels}
        told = "; ".join(f"{factor}: {', '.join(levels)}" for factor, levels in known.items())
        raise UserError(f"No cell has {asked}. The factors and their levels: {told}.")
    return found


def merged(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Nested mappings, later ones over earlier ones, key by key."""
    whole: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            known = whole.get(key)
            both = isinstance(known, Mapping) and isinstance(value, Mapping)
            whole[key] = merged([known, value]) if both else value  # type: ignore[list-item]
    return whole


def _within(part: Mapping[str, str], whole: Mapping[str, str]) -> bool:
    return all(whole.get(factor) == level for factor, level in part.items())
