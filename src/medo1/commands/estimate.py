"""`kedro estimate`: what a training run would take on devices that are not at hand, from the configuration alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from medo1.errors import UserError
from medo1.nearest import did_you_mean


@click.command()
@click.option("--format", "name", default=None, help="Whose finetune parameters; the study's first format if none.")
@click.option(
    "--model", default=None, help="Directory with a config.json, or hub id; the catalog's base_model if none."
)
@click.option("--devices", default=None, type=click.IntRange(1), help="How many; launch.processes if none is given.")
@click.option("--device", default=None, help="cpu, or a GPU's name such as 'A100'; this machine's if none is given.")
@click.option("--memory", default=None, type=click.FloatRange(0), help="GiB of one device.")
@click.option("--examples", default=500, show_default=True, type=click.IntRange(1), help="How many chains.")
@click.option("--tokens", default=1500, show_default=True, type=click.IntRange(1), help="Mean, prompt and chain.")
@click.option("--longest", default=None, type=click.IntRange(1), help="Tokens of the longest; default: max_tokens.")
@click.option("--env", "-e", default=None, help="Kedro environment.")
def estimate(env: str | None, **wishes: Any) -> None:
    """Say what a training would take: steps, tokens, time, memory of each device, and what to change where it does not
    fit.

    Only the model's configuration is read. Estimates for GPUs were not tried on such hardware.

    Example: kedro estimate --env paper --devices 8 --device A100 --memory 80
    """
    try:
        _say(env, wishes)
    except UserError as error:
        raise click.ClickException(str(error)) from error


def _say(env: str | None, wishes: dict[str, Any]) -> None:
    from pydantic import ValidationError

    from medo1.configuration import project_loader
    from medo1.training.estimate import described, estimated, free_memory_gib
    from medo1.training.spec import TrainingSpec

    loader = project_loader(Path.cwd(), env or os.environ.get("KEDRO_ENV"))
    groups = loader["parameters"].get("finetune") or {}
    name = wishes["name"] or next(iter(groups), None)
    if name not in groups:
        raise UserError(f"There is no finetune.{name}. {did_you_mean(str(name), groups)}")
    given = dict(groups[name] or {})
    if wishes["devices"] is not None:
        given["launch"] = {**(given.get("launch") or {}), "processes": wishes["devices"]}
    try:
        spec = TrainingSpec.model_validate(given)
    except ValidationError as error:
        raise UserError(f"finetune.{name}: {error.errors()[0]['msg']}") from error
    longest = wishes["longest"] or spec.max_tokens
    tokens = [min(longest, wishes["tokens"])] * (wishes["examples"] - 1) + [longest]
    memory = wishes["memory"]
    if memory is None and wishes["device"] is None:
        memory = free_memory_gib()
    found = estimated(_model(loader, wishes["model"]), spec, tokens, free_gib=memory, device=wishes["device"])
    for line in described(found):
        click.echo(line)


def _model(loader: Any, named: str | None) -> Any:
    from kedro.io import DataCatalog
    from kedro.io.core import DatasetError, VersionNotFoundError

    from medo1.engines.base import Model

    if named is not None:
        path = Path(named)
        return Model(named, path if path.is_dir() else None, None)
    try:
        return DataCatalog.from_config({"base_model": loader["catalog"]["base_model"]})["base_model"].load()
    except (DatasetError, VersionNotFoundError) as error:
        raise UserError(f"The base model cannot be read: {error} Name one with --model.") from error
