"""The pages of declared studies, made from the cells in docs/results/ when the site is built.

What a page is made from is digested, so that building the site again makes only those anew that changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from medo1.studies.cells import cells_of
from medo1.studies.declaration import declared, names
from medo1.studies.kept_cells import KeptCells
from medo1.studies.reporting import kept_report

MADE_BY = ("studies", "statistics", "page")  # the rooms whose code makes a page


def pages(root: Path) -> Iterator[tuple[str, str]]:
    """The address under docs/ of each study's page, and the page, of those that have cells.

    Raises:
        ValueError: the verdicts that are kept beside the cells are not those that the cells come to.
    """
    declarations, kept_pages = root / "conf/studies", root / "build/study_pages"
    for name in names(declarations):
        folder = root / "docs/results" / name
        if not (folder / "study.json").is_file():
            continue
        file = kept_pages / f"{name}-{_digest(root, folder)}.html"
        if not file.is_file():
            declaration = declared(declarations, name)
            report = kept_report(KeptCells(folder, name, declaration), cells_of(declaration))
            kept = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
            if _verdicts(kept) != _verdicts(report.verdicts):
                raise ValueError(f"{folder}/verdicts.json is older than its cells: run `kedro study {name} --page`")
            kept_pages.mkdir(parents=True, exist_ok=True)
            file.write_text(report.html, encoding="utf-8")
        yield f"results/{name}/index.html", file.read_text(encoding="utf-8")


def _verdicts(told: Mapping[str, Any]) -> dict[str, str]:
    """Of each prediction its verdict; the figures may differ in their last digits from machine to machine."""
    return {one["name"]: one["verdict"] for one in told["predictions"]}


def _digest(root: Path, folder: Path) -> str:
    made_from = [*sorted(folder.glob("*.json")), root / f"conf/studies/{folder.name}.yml"]
    for room in MADE_BY:
        made_from += sorted(
            path for path in (root / "src/medo1" / room).rglob("*") if path.is_file() and path.suffix != ".pyc"
        )
    digest = hashlib.sha256()
    for path in made_from:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
