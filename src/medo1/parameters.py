"""The base of every typed parameter group: frozen, and unknown keys are rejected.

A misspelt key that is silently ignored runs a different experiment from the one intended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from medo1.nearest import did_you_mean, nearest

SHOWN = 80  # characters of a value in a message

# Groups whose entries an environment takes away by setting them to null.
NAMED = ("formats", "arms", "finetune")


class Parameters(BaseModel):
    """A group of parameters. Subclasses give each field its type, unit, paper's value or reason."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def problems(error: ValidationError, group: Any, under: str = "") -> list[str]:
    """What is wrong with some parameters, a line each: the dotted key, what was found, what was expected.

    Args:
        error: what validating them raised.
        group: their type, whose names are offered for one that is misspelt.
        under: the dotted key of the whole group.
    """
    return list(dict.fromkeys(_problem(dict(item), group, under) for item in error.errors(include_url=False)))


def _problem(item: dict[str, Any], group: Any, under: str) -> str:
    place = [str(part) for part in item["loc"]]
    key = ".".join([*([under] if under else []), *place]) or "the parameters"
    kind, said = item["type"], str(item["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if kind == "extra_forbidden":
        known = list(dict.fromkeys(_fields_at(group, place[:-1])))
        return f"{key}: there is no such parameter. {did_you_mean(place[-1], known)}"
    if kind == "missing":
        return f"{key}: is missing"
    if kind == "literal_error" and isinstance(item.get("input"), str):
        known = re.findall(r"'([^']*)'", str(item["ctx"]["expected"]))
        if nearest(item["input"], known):
            return f"{key}: is {item['input']!r}. {did_you_mean(item['input'], known)}"
    if kind == "value_error":  # says itself what was found
        return f"{key}: {said}"
    found = repr(item.get("input"))
    found = found if len(found) <= SHOWN else f"{found[: SHOWN - 3]}..."
    return f"{key}: is {found}; {said[:1].lower()}{said[1:]}"


def _fields_at(group: Any, place: list[str]) -> Iterator[str]:
    """Names of the fields that a type has below a place, in whatever unions and containers it stands."""
    if isinstance(group, type) and issubclass(group, BaseModel):
        if not place:
            yield from group.model_fields
        elif place[0] in group.model_fields:
            yield from _fields_at(group.model_fields[place[0]].annotation, place[1:])
        return
    inner = get_args(group)
    for one in inner:
        yield from _fields_at(one, place)
        if place and not (isinstance(one, type) and issubclass(one, BaseModel) and place[0] in one.model_fields):
            yield from _fields_at(one, place[1:])  # a key of a mapping, a place in a list, the name of a union's part


def plain_values(group: Any) -> Any:
    """A group of parameters, or a mapping of such groups, as plain values.

    Kedro hands over a typed group wherever any node of the run asks for it by type, and plain values where none does: a
    node that takes a group from another pipeline's parameters cannot know which it gets.
    """
    if isinstance(group, BaseModel):
        return group.model_dump()
    if isinstance(group, dict):
        return {name: plain_values(value) for name, value in group.items()}
    return group


def without_removed(parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters without the formats and arms that are null: so an environment takes away what `base` has."""
    return {
        key: {name: entry for name, entry in value.items() if entry is not None}
        if key in NAMED and isinstance(value, dict)
        else value
        for key, value in parameters.items()
    }
