"""Which completion stores a command looks into: the file that was named, or those of the environment's engines."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from medo1.errors import UserError

SHARED_STORE = "completions.sqlite"  # of what all environments share: the paid answers of teachers


@dataclass(frozen=True, slots=True)
class StoreChoice:
    """What a user said about the stores: a file, an environment, both or nothing."""

    store: Path | None
    env: str | None


def store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which stores are chosen."""
    chosen = click.option(
        "--store", type=click.Path(path_type=Path, dir_okay=False),
        help="A completion store's file. Without it: every store that the environment's engines write to.",
    )(command)  # fmt: skip
    return click.option("--env", "-e", default=None, help="Kedro environment.")(chosen)


def with_stores(*, new: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Pass a command the files of its stores; the options may stand before the command's name or after it.

    Args:
        new: a store that is not there yet will do, where no other is.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def called(store: Path | None, env: str | None, **options: Any) -> Any:
            before: StoreChoice = click.get_current_context().obj
            return command(chosen_stores(StoreChoice(store or before.store, env or before.env), new=new), **options)

        return store_options(called)

    return decorate


def chosen_stores(choice: StoreChoice, *, new: bool = False) -> list[Path]:
    """Files of the stores that are meant.

    Raises:
        click.ClickException: when there is none.
    """
    if choice.store is not None:
        return [choice.store]
    env = choice.env or os.environ.get("KEDRO_ENV")
    named = _stores_of(env)
    found = [path for path in named if path.is_file()] or (named if new else [])
    if not found:
        looked = ", ".join(map(str, named)) or "nothing: no engine of its catalog has a `store`"
        raise click.ClickException(
            f"There is no completion store of environment {env or 'base'} yet (looked for {looked}). A run that asks "
            "an engine makes one (`kedro run`); --env names another environment, --store a file."
        )
    return found


def only_store(stores: list[Path]) -> Path:
    """The one store of a command that changes one.

    Raises:
        click.ClickException: when there are several.
    """
    if len(stores) > 1:
        raise click.ClickException(f"There are several stores, {', '.join(map(str, stores))}: say which with --store.")
    return stores[0]


def _stores_of(env: str | None) -> list[Path]:
    """Files that the catalog of an environment names as stores, and the one that all environments share."""
    from kedro.config import MissingConfigException
    from kedro.utils import find_kedro_project

    from medo1.configuration import project_loader

    here = Path.cwd()
    project = Path(find_kedro_project(here) or here)
    try:
        loader = project_loader(project, env)
        named = [*_named(loader["catalog"]), f"{loader['globals']['shared']}/{SHARED_STORE}"]
    except (UserError, MissingConfigException) as error:
        raise click.ClickException(f"{error}\n(--store names a completion store's file)") from error
    return [Path(name) if project == here else project / name for name in sorted(set(named))]


def _named(entries: Any) -> Iterator[str]:
    """What stands under `store`, however deep: an engine may be made of others."""
    for key, value in entries.items() if isinstance(entries, dict) else enumerate(entries):
        if key == "store" and isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            yield from _named(value)
