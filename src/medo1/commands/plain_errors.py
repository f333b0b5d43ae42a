"""One message in place of a traceback: what was found, where, what was expected and what to do.

Errors that a user can mend are their own text. Any other says what failed in which line of the code. The traceback is
shown where `kedro run --traceback` or MEDO1_TRACEBACK=1 asks for it.
"""

from __future__ import annotations

import importlib
import inspect
import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from medo1.counting import counted
from medo1.errors import UserError
from medo1.nearest import did_you_mean

TRACEBACK_VARIABLE = "MEDO1_TRACEBACK"
IN_THE_ENVIRONMENT = f"{TRACEBACK_VARIABLE}=1 in the environment"
_UNKNOWN_TYPE = re.compile(r"Dataset '(\w+)' not found in 'medo1\.datasets'")
_UNKNOWN_ARGUMENT = re.compile(
    r"unexpected keyword argument '(?P<argument>\w+)'\.\s+Dataset '(?P<entry>[^']+)' must only contain arguments "
    r"valid for the constructor of '(?P<module>[\w.]+)\.(?P<type>\w+)'"
)
MOST_LINES = 40  # of a message of another library
_PYDANTIC_URL = re.compile(r"^\s*For further information visit https://errors\.pydantic\.dev\S*\n?", re.MULTILINE)


def message_of(error: BaseException) -> str:
    """What to tell of an error, without a traceback."""
    said = _said(error)
    told = "\n".join([*(str(note) for note in getattr(error, "__notes__", ())), said])
    lines = [line.rstrip() for line in _PYDANTIC_URL.sub("", told).strip().splitlines()]
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"... and {counted(len(lines) - MOST_LINES, 'line')} more"]
    return "\n".join(lines)


def _said(error: BaseException) -> str:
    from pydantic import ValidationError

    from medo1.parameters import problems

    if isinstance(error, ValidationError):
        return "\n".join(problems(error, None))
    if isinstance(error, ExceptionGroup):
        return "\n".join(_said(one) for one in error.exceptions)
    if _is_mendable(error):
        return _with_nearest_argument(_with_nearest_type(str(error))) or type(error).__name__
    if isinstance(error, OSError) and error.strerror:  # the disk is full, a folder is a file, the network is away
        return f"{error.filename or 'A file or connection'}: {error.strerror}"
    text = f": {error}" if str(error) else ""
    return f"{type(error).__name__}{text}\n{_place_of(error)}"


def _with_nearest_type(text: str) -> str:
    """What Kedro says of an entry's unknown type, with the nearest one in place of advice to install something."""
    found = _UNKNOWN_TYPE.search(text)
    if found is None:
        return text
    from medo1 import datasets

    return f"{text[: found.end()]}. {did_you_mean(found[1], datasets.__all__)}"


def _with_nearest_argument(text: str) -> str:
    """What Kedro says of an entry's unknown key, with the nearest one."""
    found = _UNKNOWN_ARGUMENT.search(text)
    if found is None:
        return text
    kind = getattr(importlib.import_module(found["module"]), found["type"])
    known = [name for name in inspect.signature(kind).parameters if name not in ("args", "kwargs")]
    said = f"has no key {found['argument']!r} ({found['module']}.{found['type']})"
    return f"The catalog's entry {found['entry']} {said}. {did_you_mean(found['argument'], known)}"


def _is_mendable(error: BaseException) -> bool:
    """Whether its text alone says what to do. Asks only for the types of modules that are loaded: no other can have
    raised it."""
    if isinstance(error, UserError | click.ClickException | FileNotFoundError):
        return True
    named = (
        ("kedro.io.core", "DatasetError"),
        ("kedro.validation.exceptions", "ParameterValidationError"),
        ("kedro.config", "MissingConfigException"),
        ("omegaconf.errors", "OmegaConfBaseException"),
        ("yaml", "YAMLError"),
    )
    types = [getattr(sys.modules[module], name, None) for module, name in named if module in sys.modules]
    return isinstance(error, tuple(one for one in types if one is not None))


def _place_of(error: BaseException) -> str:
    """The line of medo1's code, or of whose else, in which an unexpected error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "medo1" in Path(frame.filename).parts]
    if not frames:
        return ""
    frame = (own or frames)[-1]
    parts = Path(frame.filename).parts
    shown = "/".join(parts[parts.index("medo1") :]) if own else frame.filename
    return f"raised at {shown}:{frame.lineno} in {frame.name}"


@contextmanager
def plain_errors(
    *, show_traceback: bool = False, how_to_see: str = f"{TRACEBACK_VARIABLE}=1 in the environment"
) -> Iterator[None]:
    """Within this, an error ends the command with its message and exit status 1.

    Args:
        show_traceback: let errors through as they are.
        how_to_see: what shows the traceback, in words.
    """
    try:
        yield
    except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
        raise
    except Exception as error:
        if show_traceback or os.environ.get(TRACEBACK_VARIABLE):
            raise
        raise click.ClickException(_with_hint(error, how_to_see)) from error


def _with_hint(error: Exception, how_to_see: str = IN_THE_ENVIRONMENT) -> str:
    """The message; and of an error that nobody foresaw, how to see its traceback."""
    hint = "" if _is_mendable(error) else f"\n({how_to_see} shows the traceback)"
    return message_of(error) + hint


def told_plainly(command: click.Command) -> click.Command:
    """A command whose errors are told so, if they are not already."""
    if getattr(command, "told_plainly", False):
        return command
    if isinstance(command, click.Group):
        for inner in command.commands.values():  # those of a lazy group are told so when they are imported
            told_plainly(inner)
        return command
    invoke = command.invoke

    def invoked(context: click.Context) -> Any:
        with plain_errors():
            return invoke(context)

    command.invoke = invoked  # type: ignore[method-assign,assignment]
    command.told_plainly = True  # type: ignore[attr-defined]
    return command


def excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """For `sys.excepthook`: Kedro's own commands (`kedro registry`, `kedro viz`) raise what nothing of ours catches."""
    if os.environ.get(TRACEBACK_VARIABLE) or not isinstance(error, Exception):
        sys.__excepthook__(kind, error, trace)
        return
    click.echo(f"Error: {_with_hint(error)}", err=True)
