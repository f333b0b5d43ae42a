"""Values of one run (`--params`) that differ from the environment's files, in words.

An arm that exists in one run's parameters only is probably a misspelt one: it is announced with all that it inherits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from medo1.nearest import nearest
from medo1.pipelines.inference.params import ArmParams
from medo1.pipelines.synthesis.params import FormatParams

_MEMBERS: dict[str, type[ArmParams | FormatParams]] = {"arms": ArmParams, "formats": FormatParams}
_ABSENT = object()


def changed_parameters(given: Mapping[str, Any], files: Mapping[str, Any]) -> list[str]:
    """A line for each value that differs, and one for each new arm or format.

    Args:
        given: the run's own parameters, nested.
        files: the parameters of the environment's files.
    """
    lines: list[str] = []
    for key, value in given.items():
        known = files.get(key)
        for name in value if key in _MEMBERS and isinstance(value, Mapping) else ():
            if value[name] is not None and name not in (known or {}):
                lines.append(_new_member(key, name, value[name], known or {}))
                value = {other: own for other, own in value.items() if other != name}  # noqa: PLW2901
        for path, own in _leaves(value, (key,)):
            before = _at(files, path)
            if before is _ABSENT:
                lines.append(f"{'.'.join(path)} = {_shown(own)} (the files do not set it)")
            elif before != own:
                lines.append(f"{'.'.join(path)} = {_shown(own)} (the files: {_shown(before)})")
    return lines


def _new_member(group: str, name: str, value: Any, known: Mapping[str, Any]) -> str:
    own = value if isinstance(value, Mapping) else {}
    fields = _MEMBERS[group].model_fields
    inherited = [
        f"{field}={_shown(spec.default)}"
        for field, spec in fields.items()
        if field not in own and not spec.is_required()
    ]
    given = ", ".join(f"{'.'.join(path)}={_shown(leaf)}" for path, leaf in _leaves(own, ())) or "nothing"
    close = nearest(name, known, most=1)
    meant = f" Was {group}.{close[0]} meant?" if close else ""
    what = "an arm" if group == "arms" else "a format"
    return (
        f"{group}.{name} is new: {what} that no file of the environment has.{meant} Given: {given}; by default: "
        f"{', '.join(inherited)}"
    )


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif path and not (isinstance(value, Mapping) and not value):
        yield path, value


def _at(values: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = values
    for key in path:
        if not isinstance(found, Mapping) or key not in found:
            return _ABSENT
        found = found[key]
    return found


def _shown(value: Any) -> str:
    return "none" if value is None else str(value)
