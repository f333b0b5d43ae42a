"""`kedro seeds`: the study once per model seed and embedded world, and one table that shows every one of them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medo1.counting import counted

if TYPE_CHECKING:
    from medo1.datasets import Table
    from medo1.frames import Frame

TABLES = ("results", "results_by_seed")


@dataclass(frozen=True, slots=True)
class Repetition:
    """One run of the study: its model seed, and its embedded world where that is varied too."""

    seed: int
    world: int | None = None

    @property
    def title(self) -> str:
        return f"seed {self.seed}" if self.world is None else f"world {self.world}, seed {self.seed}"

    @property
    def params(self) -> str:
        return f"seed={self.seed}" if self.world is None else f"world={self.world},seed={self.seed}"


@click.command()
@click.argument("seeds", nargs=-1, type=int, required=True)
@click.option("--world", "worlds", multiple=True, type=int, help="A world's seed; may be given several times.")
@click.option("--env", "-e", default=None, help="Kedro environment.")
@click.option("--params", default="", help="More parameters for each run, as for `kedro run --params`.")
def seeds(seeds: tuple[int, ...], worlds: tuple[int, ...], env: str | None, params: str) -> None:
    """Run the whole study once for each of SEEDS in each world, then print every accuracy, medians and intervals.

    The seed decides the base model's first weights, the adapters', and all sampling. A world's seed decides what is
    true in the embedded world and what is asked about it; without --world it is the configured one. The table is saved
    as `results_by_seed` after every run, made from the versions of `results` that the runs saved. A run that fails is
    shown as such, and the others go on.

    Example: kedro seeds 11 12 13 --world 7 --world 8
    """
    for name, given in (("seed", seeds), ("world", worlds)):
        if len(set(given)) < len(given):
            raise click.ClickException(f"Each {name} once: {', '.join(map(str, given))} names one twice.")
    results, _, baseline = _datasets(env)
    asked = [Repetition(seed, world) for world in (worlds or (None,)) for seed in seeds]
    versions: dict[Repetition, str] = {}
    failed: list[Repetition] = []
    table = None
    for place, one in enumerate(asked, start=1):
        click.secho(f"{one.title} ({place} of {len(asked)})", bold=True)
        before = results.complete_versions()
        status = _run(one, env, params)
        new = [version for version in results.complete_versions() if version not in before]
        if status or not new:
            reason = f"exit status {status}" if status else "no results saved: is `reporting` part of the journey?"
            click.secho(f"{one.title} failed ({reason}); its own message stands above.", fg="red", err=True)
            failed.append(one)
            continue
        versions[one] = new[0]
        table = _joined(results, versions)
        by_seed = _datasets(env)[1]  # an entry saves one version
        _save(by_seed, results, table, versions, env)
    if table is not None:
        _print(table, failed, baseline)
        click.echo(f"Saved as results_by_seed: {by_seed.location}")
    if failed:
        raise click.ClickException(
            f"{len(failed)} of {counted(len(asked), 'run')} failed: {'; '.join(one.title for one in failed)}. "
            "Those that finished are kept."
        )


def _datasets(env: str | None) -> tuple[Table, Table, str]:
    from kedro.io import DataCatalog

    from medo1.configuration import project_loader

    loader = project_loader(Path.cwd(), env or os.environ.get("KEDRO_ENV"))
    entries = {name: entry for name, entry in loader["catalog"].items() if name in TABLES}
    catalog = DataCatalog.from_config({name: _unvalidated(entry) for name, entry in entries.items()})
    baseline = (loader["parameters"].get("reporting") or {}).get("baseline", "vanilla")
    return catalog["results"], catalog["results_by_seed"], baseline


def _unvalidated(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "validator"}


def _run(one: Repetition, env: str | None, params: str) -> int:
    given = ",".join(part for part in (params, one.params) if part)
    command = [sys.executable, "-m", "kedro", "run", f"--params={given}", *([f"--env={env}"] if env else [])]
    return subprocess.run(command, check=False).returncode


def _joined(results: Table, versions: dict[Repetition, str]) -> Frame:
    import pandas as pd

    from medo1 import tables

    rows = []
    for one, version in versions.items():
        results.pin(version)
        rows.append(results.load().assign(seed=one.seed, world=one.world, run=version))
    joined = pd.concat(rows, ignore_index=True).astype({"world": "Int64"})
    return tables.RESULTS_BY_SEED.validate(joined[list(tables.RESULTS_BY_SEED.columns)])


def _save(by_seed: Table, results: Table, table: Frame, versions: dict[Repetition, str], env: str | None) -> None:
    from medo1.commands.made_tables import save_made_table

    reads = [
        {"dataset": "results", "run": version, "version": version, "digest": results.manifest(version).digest}
        for version in versions.values()
    ]
    save_made_table(
        by_seed,
        table,
        name="results_by_seed",
        command="kedro seeds",
        reads=reads,
        env=env or os.environ.get("KEDRO_ENV"),
    )


def _print(table: Frame, failed: list[Repetition], baseline: str) -> None:
    """Every run's accuracy of every arm, the median, and that of the differences from the baseline in the same run."""
    import pandas as pd
    from rich.console import Console
    from rich.table import Table as Grid

    from medo1.statistics.intervals import median_interval

    worlds = [None if pd.isna(world) else int(world) for world in table["world"]]
    by_run = table.assign(run=[_short(seed, world) for seed, world in zip(table["seed"], worlds, strict=True)])
    shown = by_run.pivot_table(index=["benchmark", "arm"], columns="run", values="accuracy", sort=False)
    grid = Grid(title="Accuracy of each arm in each run (greedy)", title_justify="left")
    grid.add_column("benchmark")
    grid.add_column("arm", no_wrap=True)
    for run in shown.columns:
        grid.add_column(run, justify="right")
    for one in failed:
        grid.add_column(_short(one.seed, one.world), justify="right")
    grid.add_column("median", justify="right", style="bold")
    grid.add_column(f"against {baseline}, points", justify="right")
    for names, row in shown.iterrows():
        benchmark, arm = map(str, names)  # type: ignore[call-overload]
        against = ""
        if arm != baseline and (benchmark, baseline) in shown.index:
            found = median_interval(list(100 * (row - shown.loc[(benchmark, baseline)]).dropna()))
            against = f"{found.value:+.1f} [{found.low:+.1f}, {found.high:+.1f}]"
        cells = [f"{value:.1%}" for value in row]
        grid.add_row(benchmark, arm, *cells, *("failed" for _ in failed), f"{row.median():.1%}", against)
    # A fixed width where there is no terminal, so that a log holds whole rows.
    Console(width=None if Console().is_terminal else 70 + 9 * (len(shown.columns) + len(failed))).print(grid)
    click.echo(
        "In brackets: the median's 95 % interval over runs, by order statistics; with fewer than six runs, their range."
    )


def _short(seed: int, world: int | None) -> str:
    """A run's heading: `s11`, or `w7 s11`."""
    return f"s{seed}" if world is None else f"w{world} s{seed}"
