"""Kedro's own `kedro run`, which tells what a user can mend as one message."""

from __future__ import annotations

import logging
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import KedroCliError

from medo1.commands.plain_errors import plain_errors
from medo1.errors import UserError

logger = logging.getLogger(__name__)


class RunCommand(click.Command):
    """`kedro run`, whose options are refused in one line each."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        try:
            with plain_errors():
                return super().make_context(*arguments, **options)
        except KedroCliError as error:  # whose own text click 8.5 does not show
            raise click.UsageError(error.message) from error


def _run(show_traceback: bool, dry_run: bool, from_run: str | None, changed: tuple[str, ...], **options: Any) -> Any:
    from medo1.commands.dry_run import show_plan
    from medo1.lineage.pins import inputs_from
    from medo1.screen.hooks import ScreenHooks

    assert kedro_run.callback is not None
    if options["pipeline"]:  # Kedro's older name of the option
        if options["pipelines"]:
            raise click.UsageError("Give --pipelines alone: --pipeline is its older name.")
        options |= {"pipelines": [options["pipeline"]], "pipeline": None}
    if changed and not from_run:
        raise click.UsageError("--changed goes with --from-run RUN: without it every input is taken as it is now.")
    with plain_errors(show_traceback=show_traceback, how_to_see="--traceback"):
        _refuse_unknown_runner(options["runner"])
        try:
            with inputs_from(from_run, frozenset(changed)):
                if dry_run:
                    return show_plan(options)
                with ScreenHooks.drawn():
                    return kedro_run.callback(**options)
        except Exception as error:
            told = None if show_traceback else _told_better(error, options)
            if told is None:
                raise
            raise UserError(told) from error


def _refuse_unknown_runner(name: str | None) -> None:
    import kedro.runner
    from kedro.utils import load_obj

    from medo1.nearest import did_you_mean

    if not name:
        return
    try:
        load_obj(name, "kedro.runner")
    except (ImportError, AttributeError, ValueError) as error:
        known = [one for one in ("SequentialRunner", "ThreadRunner") if hasattr(kedro.runner, one)]
        raise UserError(f"--runner: there is no runner {name!r}. {did_you_mean(name, known)}") from error


def _told_better(error: Exception, options: dict[str, Any]) -> str | None:
    """What Kedro says of names and parameters, with the nearest name and the key; None for any other error."""
    from kedro.io import DatasetNotFoundError
    from kedro.validation.exceptions import ParameterValidationError

    if isinstance(error, ParameterValidationError):
        return "\n".join(_wrong_parameters()) or None
    idle = isinstance(error, DatasetNotFoundError) and "'load_versions' keys" in str(error)
    if not (idle or isinstance(error, ValueError | KeyError)) or getattr(error, "__notes__", None):
        return None
    if str(error).startswith("Pipeline input(s)"):
        return str(error).replace(
            "DataCatalogWithCatalogCommandsMixin", "catalog: add an entry under conf/<env>/catalog"
        )
    if not idle and not str(error).startswith(("Failed to find the pipeline", "Pipeline ")):
        return None
    from kedro.framework.project import pipelines

    from medo1.commands.chosen_nodes import nothing_chosen, unknown_names
    from medo1.pipeline_registry import PIPELINES

    return unknown_names(options, pipelines, ("__default__", *PIPELINES)) or nothing_chosen(options)


def _wrong_parameters() -> list[str]:
    """What is wrong with the parameters of the run that Kedro has just refused, key by key."""
    from kedro.framework.project import pipelines
    from kedro.validation.type_extractor import TypeExtractor
    from pydantic import BaseModel, ValidationError

    from medo1.configuration import StudyConfigLoader
    from medo1.parameters import problems

    loader = StudyConfigLoader.latest
    if loader is None:
        return []
    found: list[str] = []
    for key, group in TypeExtractor(dict(pipelines)).extract_types_from_pipelines().items():
        value: Any = loader["parameters"]
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is None or not (isinstance(group, type) and issubclass(group, BaseModel)):
            continue
        try:
            group.model_validate(value)
        except ValidationError as error:
            found += problems(error, group, key)
    return list(dict.fromkeys(found))


run = RunCommand(
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
        click.Option(
            ["--dry-run"], is_flag=True, help="Only say what would run, be reused and cost; nothing is sent or saved."
        ),
        click.Option(["--traceback", "show_traceback"], is_flag=True, help="Show where an error was raised."),
    ],
    callback=_run,
    help=kedro_run.help,
)
