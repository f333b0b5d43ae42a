"""`kedro seeds`: the study once per model seed, and one table that shows every seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from medo1.datasets import Table
    from medo1.frames import Frame

TABLES = ("results", "results_by_seed")


@click.command()
@click.argument("seeds", nargs=-1, type=int, required=True)
@click.option("--env", "-e", default=None, help="Kedro environment.")
@click.option("--params", default="", help="More parameters for each run, as for `kedro run --params`.")
def seeds(seeds: tuple[int, ...], env: str | None, params: str) -> None:
    """Run the whole study once for each of SEEDS, then print every seed's accuracies and their median.

    The seed decides the base model's first weights, the adapters', and all sampling; questions stay the same. The
    table is saved as `results_by_seed`, made from the versions of `results` that the runs saved.

    Example: kedro seeds 11 12 13
    """
    if len(set(seeds)) < len(seeds):
        raise click.ClickException(f"Each seed once: {', '.join(map(str, seeds))} names one twice.")
    results, by_seed = _datasets(env)
    versions = {}
    for place, seed in enumerate(seeds, start=1):
        click.secho(f"seed {seed} ({place} of {len(seeds)})", bold=True)
        before = results.complete_versions()
        _run(seed, env, params)
        new = [version for version in results.complete_versions() if version not in before]
        if not new:
            raise click.ClickException(
                f"The run with seed {seed} saved no results: is `reporting` part of the journey?"
            )
        versions[seed] = new[0]
    table = _joined(results, versions)
    _save(by_seed, results, table, versions)
    _print(table)
    click.echo(f"Saved as results_by_seed: {by_seed.location}")


def _datasets(env: str | None) -> tuple[Table, Table]:
    from kedro.io import DataCatalog

    from medo1.configuration import project_loader

    loader = project_loader(Path.cwd(), env or os.environ.get("KEDRO_ENV"))
    entries = {name: entry for name, entry in loader["catalog"].items() if name in TABLES}
    catalog = DataCatalog.from_config({name: _unvalidated(entry) for name, entry in entries.items()})
    return catalog["results"], catalog["results_by_seed"]


def _unvalidated(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "validator"}


def _run(seed: int, env: str | None, params: str) -> None:
    given = ",".join(part for part in (params, f"seed={seed}") if part)
    command = [sys.executable, "-m", "kedro", "run", f"--params={given}", *([f"--env={env}"] if env else [])]
    outcome = subprocess.run(command, check=False)
    if outcome.returncode:
        raise click.ClickException(
            f"The run with seed {seed} failed (exit status {outcome.returncode}); its own message stands above. "
            "Runs that finished before are kept."
        )


def _joined(results: Table, versions: dict[int, str]) -> Frame:
    import pandas as pd

    from medo1 import tables

    rows = []
    for seed, version in versions.items():
        results.pin(version)
        rows.append(results.load().assign(seed=seed))
    return tables.RESULTS_BY_SEED.validate(pd.concat(rows, ignore_index=True)[list(tables.RESULTS_BY_SEED.columns)])


def _save(by_seed: Table, results: Table, table: Frame, versions: dict[int, str]) -> None:
    from medo1.lineage.manifests import Provenance

    made_from = {
        f"results (seed {seed})": {"version": version, "digest": results.manifest(version).digest}
        for seed, version in versions.items()
    }
    by_seed.provenance = Provenance("results_by_seed", node="kedro seeds", made_from=made_from)
    by_seed.save(table)


def _print(table: Frame) -> None:
    from rich.console import Console
    from rich.table import Table as Grid

    shown = table.pivot_table(index=["benchmark", "arm"], columns="seed", values="accuracy", sort=False)
    grid = Grid(title="Accuracy of each arm, by seed (greedy)", title_justify="left")
    grid.add_column("benchmark")
    grid.add_column("arm")
    for seed in shown.columns:
        grid.add_column(f"seed {seed}", justify="right")
    grid.add_column("median", justify="right", style="bold")
    for names, row in shown.iterrows():
        benchmark, arm = map(str, names)  # type: ignore[call-overload]
        grid.add_row(benchmark, arm, *(f"{value:.1%}" for value in row), f"{row.median():.1%}")
    Console(width=None if Console().is_terminal else 120).print(grid)
