"""`kedro chains why`: what the filters said of a chain."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from medo1.errors import UserError

if TYPE_CHECKING:
    from medo1.frames import Frame


@click.command()
@click.argument("question_id")
@click.option("--format", "format_", help="Only the chain of this format.")
@click.option("--env", "-e", default=None, help="Kedro environment.")
def why(question_id: str, format_: str | None, env: str | None) -> None:
    """Say why the chains of QUESTION_ID (or of ids that begin so) were kept or dropped."""
    from kedro.io.core import DatasetError

    try:
        told = list(_told(question_id, format_, env))
    except (UserError, DatasetError) as error:
        raise click.ClickException(str(error)) from error
    if not told:
        raise click.ClickException(f"no chain belongs to a question whose id begins with {question_id!r}")
    for line in told:
        click.echo(line)


def _told(question_id: str, format_: str | None, env: str | None) -> Any:
    from kedro.io import DataCatalog

    from medo1.settings import CONFIG_LOADER_ARGS, StudyConfigLoader
    from medo1.study import Study

    loader = StudyConfigLoader("conf", env=env or os.environ.get("KEDRO_ENV"), **CONFIG_LOADER_ARGS)
    study = Study.from_parameters(loader["parameters"])
    if format_ is not None and format_ not in study.formats:
        raise UserError(f"There is no format {format_!r}; the study's formats are {', '.join(study.formats)}.")
    catalog = DataCatalog.from_config({key: value for key, value in loader["catalog"].items() if "{format}." in key})
    for name in [format_] if format_ else study.formats:
        for row in _rows(catalog[f"{name}.kept_chains"].load(), question_id):
            yield f"{name} {row['question_id']} sample {row['sample']}: kept"
        for row in _rows(catalog[f"{name}.dropped_chains"].load(), question_id):
            yield f"{name} {row['question_id']} sample {row['sample']}: dropped by {row['filter']}: {row['reason']}"


def _rows(table: Frame, question_id: str) -> list[dict[str, Any]]:
    return table[table["question_id"].str.startswith(question_id)].to_dict("records")  # type: ignore[return-value]
