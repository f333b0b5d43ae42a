"""The files of this package that are no code: style, scripts, templates."""

from __future__ import annotations

from importlib.resources import files


def part(name: str) -> str:
    """A file of this package as text."""
    return files("medo1.page").joinpath(name).read_text(encoding="utf-8")
