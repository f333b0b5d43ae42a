"""The project that a command stands in, found without Kedro; and where the files of a new one are."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

import click

# What a project of one's own is made of, beside what is written for it (`medo1.commands.new_project`).
LOGGING = "conf/logging.yml"
COPIED = ("conf", "notebooks", ".telemetry", ".gitignore")


def project_above(start: Path | None = None) -> Path | None:
    """The nearest folder, from here upwards, whose pyproject.toml describes a Kedro project; None: there is none."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if file.is_file() and "[tool.kedro]" in file.read_text(encoding="utf-8", errors="replace"):
            return folder
    return None


def project_files() -> Path:
    """The folder that holds `COPIED`: within the installed package, or the checkout that it is installed from."""
    package = Path(__file__).resolve().parents[1]
    built = package / "project_files"
    return built if built.is_dir() else package.parents[1]


def in_project(command: click.Command) -> click.Command:
    """A command that works in the folder of the project that it is called in, from any folder below. Paths that are
    given to it mean what they mean where it was called."""
    if getattr(command, "in_project", False):
        return command
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            in_project(inner)
    invoke = command.invoke

    def invoked(context: click.Context) -> Any:
        project = project_above()
        if project is None or project == Path.cwd():
            return invoke(context)
        for parameter in command.params:
            if isinstance(parameter.type, click.Path) and parameter.name is not None:
                context.params[parameter.name] = _absolute(context.params.get(parameter.name))
        if isinstance(command, click.Group):  # whose command has paths of its own to read
            return invoke(context)
        _log_as_configured(project)
        with contextlib.chdir(project):
            return invoke(context)

    command.invoke = invoked  # type: ignore[method-assign,assignment]
    command.in_project = True  # type: ignore[attr-defined]
    return command


def _log_as_configured(project: Path) -> None:
    """Have Kedro log as the project says; it looked only into the folder that it was called in."""
    file = project / LOGGING
    kedro = sys.modules.get("kedro.framework.project")
    if kedro is not None and file.is_file() and "KEDRO_LOGGING_CONFIG" not in os.environ:
        import yaml

        kedro.LOGGING.configure(yaml.safe_load(file.read_text(encoding="utf-8")))


def _absolute(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(_absolute(one) for one in value)
    if isinstance(value, Path):
        return value.absolute()
    return str(Path(value).absolute()) if isinstance(value, str) and value != "-" else value
