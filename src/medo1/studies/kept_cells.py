"""The folder of a study's results: which cells are there, which another process is at, and which recipe they follow.

A folder holds `study.json` (the declaration that all cells follow), a file for each cell that is done, and one for each
that failed. Cells are claimed by a file that only one process can make, so that several processes, on one machine or on
machines that share the folder, never run the same cell at once.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from medo1.errors import UserError
from medo1.studies.cell_results import CellResult, CellResultError
from medo1.studies.cells import Cell
from medo1.studies.declaration import Declaration

RECIPE, VERDICTS, FAILED, CLAIMED = "study.json", "verdicts.json", ".failed.json", ".claim"
STALE_S = 6 * 3600  # a claim of another machine that is older counts as left behind


class ChangedRecipeError(UserError):
    """The declaration is not the one that the kept cells follow."""


class KeptCells:
    """The results of one study in a folder.

    Args:
        folder: where they lie; made when there is something to keep.
        name: the study's.
        study: its declaration.
    """

    def __init__(self, folder: Path, name: str, study: Declaration) -> None:
        self.folder, self.name, self.study = folder, name, study

    def check_recipe(self, *, keep: bool = False) -> None:
        """Refuse a declaration that was changed under its name; keep it where nothing has come out under one yet.

        Raises:
            ChangedRecipeError: naming the keys that differ.
        """
        file = self.folder / RECIPE
        if file.exists():
            differing = sorted(_differing(_decisive(_read(file), file), self.study.decisive))
            if not differing:
                return
        if file.exists() and self._begun:
            shown = ", ".join(differing[:6]) + (f" and {len(differing) - 6} more" if len(differing) > 6 else "")  # noqa: PLR2004
            raise ChangedRecipeError(
                f"The study {self.name} was declared otherwise when its first cells ran ({file}): {shown} "
                f"{'differ' if len(differing) > 1 else 'differs'}. "
                "What was predicted and how it is decided does not change afterwards: give the changed study "
                "a name of its own, or take the change back."
            )
        if keep:
            self.folder.mkdir(parents=True, exist_ok=True)
            now = {"study": self.name, "recipe": self.study.recipe, "declared": self.study.decisive}
            _write(file, json.dumps(now, indent=1, ensure_ascii=False, sort_keys=True) + "\n")

    @property
    def _begun(self) -> bool:
        """Whether any cell has a result, or a process is at one: from then on the declaration stands."""
        others = (RECIPE, VERDICTS, FAILED)
        cells = [file for file in self.folder.glob("*.json") if not file.name.endswith(others)]
        claims = [_claim(file) for file in self.folder.glob(f"*{CLAIMED}")]
        return bool(cells) or any(claim is not None and _alive(claim) for claim in claims)

    def done(self, cells: Iterable[Cell]) -> dict[str, CellResult]:
        """The results that are there, by the cell's name.

        Raises:
            CellResultError: a file belongs to another study or another cell.
        """
        found = {}
        for cell in cells:
            file = self.folder / f"{cell.name}.json"
            if not file.exists():
                continue
            result = CellResult.read(file)
            if result.study != self.name or result.cell != cell.digest:
                raise CellResultError(
                    f"{file} is the result of another cell (of {result.study}: {dict(result.levels)}, made from other "
                    "parameters). Take it away; `kedro study` then runs the cell again."
                )
            found[cell.name] = result
        return found

    def failures(self, cells: Iterable[Cell]) -> dict[str, dict[str, Any]]:
        """Why cells failed, by the cell's name; not what failed under a declaration that was mended since."""
        found = {}
        for cell in cells:
            file = self.folder / f"{cell.name}{FAILED}"
            if file.exists() and (told := _read(file)).get("cell") == cell.digest:
                found[cell.name] = told
        return found

    def claimed(self, cells: Iterable[Cell]) -> dict[str, str]:
        """Which cells another process is at, and where."""
        found = {}
        for cell in cells:
            file = self.folder / f"{cell.name}{CLAIMED}"
            if (claim := _claim(file)) is not None and _alive(claim):
                found[cell.name] = f"process {claim['pids'][0]} on {claim['host']}" if claim["pids"] else "a process"
        return found

    @contextmanager
    def claim(self, cell: Cell) -> Iterator[bool]:
        """Whether this process may run the cell; while it may, no other can."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{cell.name}{CLAIMED}"
        if (left := _claim(file)) is not None and not _alive(left):
            file.unlink(missing_ok=True)
        try:
            with file.open("x", encoding="utf-8") as claim:
                json.dump(_claim_of([os.getpid()]), claim)
        except FileExistsError:
            yield False
            return
        try:
            yield True
        finally:
            file.unlink(missing_ok=True)

    def claim_for_run(self, cell: Cell, pid: int) -> None:
        """Let the claim last as long as the cell's run, which may go on where the process that started it is killed."""
        _write(self.folder / f"{cell.name}{CLAIMED}", json.dumps(_claim_of([os.getpid(), pid])))

    def keep(self, cell: Cell, result: CellResult) -> Path:
        """Keep a cell's result, in place of an earlier failure."""
        file = self.folder / f"{cell.name}.json"
        _write(file, result.to_json())
        (self.folder / f"{cell.name}{FAILED}").unlink(missing_ok=True)
        return file

    def keep_failure(self, cell: Cell, why: str, run: str | None) -> None:
        """Keep why a cell failed: a study shows its dead ends."""
        told = {"study": self.name, "cell": cell.digest, "levels": dict(cell.levels), "run": run, "why": why}
        _write(self.folder / f"{cell.name}{FAILED}", json.dumps(told, indent=1, ensure_ascii=False) + "\n")


def _write(file: Path, text: str) -> None:
    """A whole file or none."""
    staged = file.with_name(f".{file.name}.{os.getpid()}")
    staged.write_text(text, encoding="utf-8")
    staged.replace(file)


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CellResultError(f"{file} cannot be read ({error}): take it away, or fetch it again.") from error
    if not isinstance(found, dict):
        raise CellResultError(f"{file} holds no object: take it away, or fetch it again.")
    return found


def _decisive(kept: dict[str, Any], file: Path) -> dict[str, Any]:
    """What was declared, with the defaults of keys that did not exist when it was kept."""
    declared = {key: value for key, value in (kept.get("declared") or {}).items() if key not in ("smallest", "needs")}
    try:
        return Declaration.model_validate(declared).decisive
    except ValidationError as error:
        raise CellResultError(
            f"{file} holds no declaration of a study: fetch it again, or take the folder away."
        ) from error


def _claim_of(pids: list[int]) -> dict[str, Any]:
    return {"pids": pids, "host": socket.gethostname(), "since": time.time()}


def _claim(file: Path) -> dict[str, Any] | None:
    try:
        claim = json.loads(file.read_text(encoding="utf-8"))
        if "pid" in claim:  # as claims were written until November 2026
            claim = {**claim, "pids": [claim["pid"]]}
        return claim if {"pids", "host", "since"} <= set(claim) else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError):  # being written at this moment
        return {"pids": [], "host": "", "since": time.time()}


def _alive(claim: dict[str, Any]) -> bool:
    if claim["host"] != socket.gethostname():
        return bool(time.time() - claim["since"] < STALE_S)
    return any(_runs(pid) for pid in claim["pids"])


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _differing(before: Any, now: Any, under: str = "") -> set[str]:
    """Dotted keys in which two values differ."""
    if isinstance(before, dict) and isinstance(now, dict):
        return {
            key
            for name in before.keys() | now.keys()
            for key in _differing(before.get(name), now.get(name), f"{under}.{name}" if under else name)
        }
    return set() if before == now else {under}
