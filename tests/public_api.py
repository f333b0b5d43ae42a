"""The public names of medo1 with their signatures, a line each: `python -m tests.public_api > tests/public_api.txt`.

A line that changes or goes is a change for users: docs/upgrading.md says how it is made, CHANGELOG.md that it was.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import medo1


def described() -> Iterator[str]:
    """Every public name: functions and classes with their parameters, anything else with its type."""
    for package in medo1.__all__:
        module = import_module(f"medo1.{package}")
        for name in sorted({*module.__all__, *getattr(module, "ENGINES", ())}):
            yield f"medo1.{package}.{name}{_shape(getattr(module, name))}"


def _shape(value: Any) -> str:
    if not (inspect.isclass(value) or inspect.isroutine(value)):
        return ": type" if typing.get_origin(value) else f": {type(value).__name__}"
    if inspect.isclass(value) and issubclass(value, Exception):
        return ": error"
    return re.sub(r"ForwardRef\(('[^']*')\)", r"\1", str(inspect.signature(value)))


if __name__ == "__main__":
    print("\n".join(described()))
