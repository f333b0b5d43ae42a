"""`kedro chains export`: kept chains for other trainers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from medo1.counting import counted
from medo1.errors import UserError

SHAPES = ("messages", "sharegpt", "prompt_completion", "datasets")


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--as", "shape", type=click.Choice(SHAPES), default="messages", show_default=True, help="Output format.")
@click.option(
    "--format", "-f", "formats", multiple=True, help="Only chains of this format; several times.  [default: all]"
)
@click.option("--env", "-e", default=None, help="Kedro environment.")
def export(target: Path, shape: str, formats: tuple[str, ...], env: str | None) -> None:
    """Write the kept chains to TARGET: a JSONL file, or with --as datasets a directory with a card.

    Texts whose licence does not let them be passed on are left out; their ids and links are listed beside it.

    \b
    kedro chains export chains.jsonl --as sharegpt --format longmonolog
    kedro chains export my-chains --as datasets
    """
    from kedro.io.core import DatasetError, VersionNotFoundError

    try:
        written, chains, withheld = _export(target, shape, formats, env)
    except VersionNotFoundError as error:
        raise click.ClickException(
            f"{error}\nNo chains were kept here yet: `kedro run --pipelines=filtering` after the chains are made."
        ) from error
    except (UserError, DatasetError) as error:
        raise click.ClickException(str(error)) from error
    held = f", {withheld} withheld for their licence" if withheld else ""
    click.echo(f"{counted(chains, 'chain')}{held}: {', '.join(str(path) for path in written)}")


def _export(target: Path, shape: str, formats: tuple[str, ...], env: str | None) -> tuple[list[Path], int, int]:
    from kedro.io import DataCatalog

    from medo1.chains.exporting import card_of, exported, write_dataset, write_lines
    from medo1.configuration import project_loader
    from medo1.frames import records
    from medo1.questions import questions_from
    from medo1.study import Study

    loader = project_loader(Path.cwd(), env or os.environ.get("KEDRO_ENV"))
    study = Study.from_parameters(loader["parameters"])
    unknown = [name for name in formats if name not in study.formats]
    if unknown:
        raise UserError(f"There is no format {unknown[0]!r}; the study's formats are {', '.join(study.formats)}.")
    chosen = formats or tuple(study.formats)
    wanted = ("questions", "prompt_{name}", "{format}.kept_chains", "{format}.filter_summary")
    catalog = DataCatalog.from_config({name: entry for name, entry in loader["catalog"].items() if name in wanted})
    rows = [row for name in chosen for row in records(catalog[f"{name}.kept_chains"].load())]
    requests = {name: catalog[f"prompt_{study.formats[name].prompts_of(name)}"].load() for name in chosen}
    found = exported(rows, questions_from(catalog["questions"].load()), requests)
    if shape == "datasets":
        origins = [_origin(name, catalog[f"{name}.kept_chains"]) for name in chosen]
        filters = {name: catalog[f"{name}.filter_summary"].load() for name in chosen}
        written = write_dataset(found, target, card_of(found, origins, filters))
    else:
        written = write_lines(found, shape, target)
    return written, len(found.chains), len(found.withheld)


def _origin(format: str, dataset: Any) -> Mapping[str, Any]:
    """From which version a format's chains come, by its manifest."""
    version = dataset.resolve_load_version()
    manifest = dataset.manifest(version)
    return {
        "format": format,
        "version": version,
        "digest": manifest.digest,
        "run": manifest.run or "none",
        "commit": str(manifest.run_record.get("git_commit") or manifest.run_record.get("commit") or "unknown")[:12],
    }
