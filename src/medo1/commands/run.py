"""Kedro's own `kedro run`, with errors that a user can fix shown as one message."""

from __future__ import annotations

from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run

from medo1.errors import UserError


def _mendable() -> tuple[type[Exception], ...]:
    from kedro.io.core import DatasetError
    from kedro.validation.exceptions import DataValidationError, ParameterValidationError
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    return (
        UserError,
        DatasetError,
        DataValidationError,
        ParameterValidationError,
        OmegaConfBaseException,
        YAMLError,
        FileNotFoundError,
    )


# what Kedro says, as a plain ValueError, of a pipeline that is unknown and of an input without a catalog entry
_SAID_BY_KEDRO = ("Failed to find the pipeline", "Pipeline input(s)")


def _run(show_traceback: bool, from_run: str | None, changed: tuple[str, ...], **options: Any) -> Any:
    from medo1.lineage.pins import inputs_from

    assert kedro_run.callback is not None
    try:
        with inputs_from(from_run, frozenset(changed)):
            return kedro_run.callback(**options)
    except _mendable() as error:
        if show_traceback:
            raise
        raise click.ClickException(f"{error}\n(--traceback shows where in the code this was raised)") from error
    except ValueError as error:
        if show_traceback or not str(error).startswith(_SAID_BY_KEDRO):
            raise
        told = str(error).replace(
            "DataCatalogWithCatalogCommandsMixin", "catalog: add an entry under conf/<env>/catalog"
        )
        raise click.ClickException(told) from error


run = click.Command(
    "run",
    params=[
        *kedro_run.params,
        click.Option(
            ["--from-run"], metavar="RUN", help="Take every free input from this run: an id, latest, latest~1, a tag."
        ),
        click.Option(
            ["--changed"],
            multiple=True,
            metavar="NAME",
            help="With --from-run: take this input as it is now; several times.",
        ),
        click.Option(["--traceback", "show_traceback"], is_flag=True, help="Show where an error was raised."),
    ],
    callback=_run,
    help=kedro_run.help,
)
