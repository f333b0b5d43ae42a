"""`kedro study`: a declared study, cell by cell, and one page of what it came to."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medo1.counting import counted
from medo1.errors import UserError

if TYPE_CHECKING:
    from medo1.studies.cell_results import CellResult
    from medo1.studies.cells import Cell
    from medo1.studies.declaration import Declaration
    from medo1.studies.kept_cells import KeptCells
    from medo1.studies.running import CellOutcome

RESULTS = Path("docs/results")  # committed, so that a study goes on from there on any machine


@click.command()
@click.argument("name", required=False)
@click.option("--dry-run", is_flag=True, help="Say which cells there are, are done and are missing; run nothing.")
@click.option(
    "--only", "only", multiple=True, metavar="FACTOR=LEVEL", help="Only these cells; may be given several times."
)
@click.option("--most", type=click.IntRange(min=1), default=None, metavar="N", help="Run at most N cells now.")
@click.option("--jobs", "-j", type=click.IntRange(min=1), default=1, show_default=True, help="Cells at a time.")
@click.option("--ray", "ray", default=None, metavar="ADDRESS", help="Run cells on this Ray cluster; `local` for here.")
@click.option("--again", is_flag=True, help="Try cells again that failed.")
@click.option("--small", is_flag=True, help="The study in small, into data/: that it runs, not what it says.")
@click.option(
    "--page", "page_only", is_flag=True, help="Run nothing; make the page anew from the cells that are there."
)
@click.option("--reproduce", "reproduced", is_flag=True, help="Run a done cell once more elsewhere, and compare.")
@click.option(
    "--results", "folder", type=click.Path(file_okay=False, path_type=Path), default=None,
    help="Folder of the study's cells and page.  [default: docs/results/NAME]",
)  # fmt: skip
def study(
    name: str | None,
    dry_run: bool,
    only: tuple[str, ...],
    most: int | None,
    jobs: int,
    ray: str | None,
    again: bool,
    small: bool,
    page_only: bool,
    reproduced: bool,
    folder: Path | None,
) -> None:
    """Run the study NAME as declared in conf/studies/NAME.yml, and write its page. Without NAME: which there are.

    A cell is a run with one level of each factor. Cells that are done are found; a study that was stopped goes on with
    what is missing. A file that was changed after its first result is refused.

    \b
    kedro study threshold --dry-run
    kedro study threshold --only size=w16 --only size=w24 --jobs 2
    """
    from medo1.studies.cells import cells_of, chosen_cells
    from medo1.studies.declaration import FOLDER, declared
    from medo1.studies.kept_cells import KeptCells

    project = Path.cwd()
    declarations = project / "conf" / FOLDER
    if name is None:
        return _list(declarations)
    declaration = declared(declarations, name)
    place = folder or (Path("data") / FOLDER / "small" / name if small else RESULTS / name)
    kept = KeptCells(place, f"{name} (small)" if small else name, declaration)
    kept.check_recipe()
    cells = cells_of(declaration, small=small)
    chosen = chosen_cells(cells, _levels(only))
    done = kept.done(cells)
    if reproduced:
        return _reproduce(project, kept, chosen, done)
    if dry_run:
        return _plan(declaration, kept, chosen, done, jobs)
    if not page_only:
        failures = {} if again else kept.failures(chosen)
        missing = [cell for cell in chosen if cell.name not in done and cell.name not in failures][:most]
        kept.check_recipe(keep=True)
        _run_all(project, kept, missing, jobs, ray, already=len(done), of=len(cells))
        done = kept.done(cells)
    if not done:
        raise UserError(
            f"No cell of {name} is done: there is nothing to show. `kedro study {name} --dry-run` lists them."
        )
    return _show(project, kept, cells, done, small=small)


def _list(declarations: Path) -> None:
    from medo1.studies.declaration import declared, names

    found = names(declarations)
    if not found:
        raise UserError(f"There is no study in {declarations}: docs/studies.md says how one is declared.")
    for name in found:
        click.secho(name, bold=True)
        click.echo(f"  {declared(declarations, name).question}")


def _levels(only: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in only:
        factor, equals, level = one.partition("=")
        if not equals or not level:
            raise click.UsageError(f"--only {one}: expected FACTOR=LEVEL, such as seed=21")
        found.setdefault(factor, []).append(level)
    return found


def _plan(
    declaration: Declaration, kept: KeptCells, cells: Sequence[Cell], done: dict[str, CellResult], jobs: int
) -> None:
    """Which cells there are, and what the missing ones would take."""
    from medo1.screen.run_plan import time_text
    from medo1.studies.estimates import adapter_steps, expected_seconds

    failed, claimed = kept.failures(cells), kept.claimed(cells)
    missing = [cell for cell in cells if cell.name not in done and cell.name not in failed]
    click.echo(declaration.question)
    click.echo(f"Predicted: {declaration.hypothesis}")
    click.echo(f"Refuted if: {declaration.refuted_if}")
    if declaration.needs:
        click.echo(f"Needs: {declaration.needs}")
    click.echo(
        f"{len(cells)} cells: {sum(cell.name in done for cell in cells)} done, {len(failed)} failed, "
        f"{len(missing)} missing. Results: {kept.folder}"
    )
    for cell in cells:
        state = (
            f"done, {time_text(done[cell.name].run['seconds'])}" if cell.name in done
            else f"failed: {failed[cell.name]['why'].splitlines()[-1]}" if cell.name in failed
            else f"at it: {claimed[cell.name]}" if cell.name in claimed else "missing"
        )  # fmt: skip
        click.echo(f"  {cell.name:<40} {state}")
    seconds = expected_seconds(declaration, missing, list(done.values()))
    steps = sum(adapter_steps(cell.parameters) for cell in missing)
    if steps:
        click.echo(f"The missing ones train adapters for {counted(steps, 'step')} in all.")
    if missing:
        click.echo(
            f"They take about {time_text(seconds / jobs)} with --jobs {jobs}, by the cells that are done."
            if seconds is not None
            else "How long they take is not known before one is done. `--most 1` runs one."
        )
        click.echo(f"What one of them would send and cost: kedro run --env {declaration.env} --dry-run")


def _run_all(
    project: Path, kept: KeptCells, missing: Sequence[Cell], jobs: int, ray: str | None, *, already: int, of: int
) -> None:
    from medo1.engines.wrappers.guards import signals_drain
    from medo1.screen.run_plan import time_text
    from medo1.studies.declaration import FOLDER
    from medo1.studies.running import CellRunner, outcomes, outcomes_on_ray

    threads = max(1, (os.cpu_count() or 1) // jobs)
    run = CellRunner(project, kept, project / "data" / FOLDER / "logs" / kept.folder.name, threads)
    failed: list[CellOutcome] = []
    number = already
    ended = outcomes_on_ray(run, missing, ray, threads) if ray else outcomes(run, missing, jobs)
    with signals_drain(), closing(ended):
        for outcome in ended:
            if outcome.failure is not None:
                failed.append(outcome)
                click.secho(f"{outcome.cell.name} failed: {outcome.failure}", fg="red", err=True)
            elif outcome.result is None:
                why = "was told to end; it is missing still" if outcome.stopped else "another process is at it"
                click.echo(f"{outcome.cell.name}: {why}")
            else:
                number += 1
                took = time_text(outcome.result.run["seconds"])
                click.echo(f"{outcome.cell.name}: {_accuracies(outcome.result)} ({took}; {number} of {of} done)")
    if failed:
        click.secho(
            f"{len(failed)} of {len(missing)} cells failed; the others are kept. --again tries them once more.",
            fg="red", err=True,
        )  # fmt: skip


def _accuracies(result: CellResult) -> str:
    told = []
    for arm, answered in result.arms.items():
        right = "".join(one["right"] for one in answered.values())
        told.append(f"{arm} {right.count('1') / len(right):.1%}")
    return ", ".join(told)


def _show(project: Path, kept: KeptCells, cells: Sequence[Cell], done: dict[str, CellResult], *, small: bool) -> None:
    """The page, the table of all cells as a version of the catalog, and the verdicts in words."""
    from medo1.studies.kept_cells import VERDICTS
    from medo1.studies.reporting import kept_report

    report = kept_report(kept, cells)
    page = kept.folder / "index.html"
    page.write_text(report.html, encoding="utf-8")
    (kept.folder / VERDICTS).write_text(
        json.dumps(report.verdicts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    for line in report.lines:
        click.echo(line)
    click.echo(f"The page: {page}")
    if not small:
        click.echo(f"Kept as a version of study_cells: {_keep_table(project, kept, report.cells, list(done.values()))}")


def _keep_table(project: Path, kept: KeptCells, rows: Sequence[dict[str, Any]], results: Sequence[CellResult]) -> str:
    """Save every accuracy of every cell as one version, made from the versions that the runs saved."""
    from kedro.io import DataCatalog

    from medo1 import tables
    from medo1.commands.made_tables import save_made_table
    from medo1.configuration import project_loader

    entry = project_loader(project, kept.study.env)["catalog"]["study_cells"]
    plain = {key: value for key, value in entry.items() if key != "validator"}
    saved: Any = DataCatalog.from_config({"study_cells": plain})["study_cells"]
    reads = [
        {"dataset": dataset, "run": result.run["id"], **identity}
        for result in results
        for dataset, identity in result.made_from.items()
    ]
    table = tables.as_table(tables.STUDY_CELLS, rows)
    return save_made_table(
        saved, table, name="study_cells", command="kedro study", reads=reads, env=kept.study.env, study=kept.name
    )


def _reproduce(project: Path, kept: KeptCells, cells: Sequence[Cell], done: dict[str, CellResult]) -> None:
    """Run the first of these cells that is done once more, into a folder of its own, and compare.

    Raises:
        click.ClickException: it came out otherwise.
    """
    import tempfile

    from medo1.configuration import ROOT_VARIABLE
    from medo1.studies.cell_results import differences
    from medo1.studies.kept_cells import KeptCells
    from medo1.studies.running import CellRunner

    cell = next((one for one in cells if one.name in done), None)
    if cell is None:
        raise UserError("None of these cells is done: there is nothing to compare with.")
    before = done[cell.name]
    with tempfile.TemporaryDirectory(prefix="medo1-again-") as root:
        os.environ[ROOT_VARIABLE] = root
        again = KeptCells(Path(root) / "cells", kept.name, kept.study)
        click.echo(f"{cell.name}: run once more, into {root} ...")
        outcome = CellRunner(project, again, Path(root) / "logs", max(1, os.cpu_count() or 1))(cell)
    if outcome.result is None:
        raise click.ClickException(f"{cell.name} failed this time: {outcome.failure}")
    lines = differences(before, outcome.result)
    for line in lines:
        click.echo(line)
    if lines:
        raise click.ClickException(f"{cell.name} came out otherwise than run {before.run['id']} did.")
    click.echo(f"{cell.name}: every answer, ability and number of chains is that of run {before.run['id']}.")
