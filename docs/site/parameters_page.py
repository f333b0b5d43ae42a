"""The reference of parameters: every key of every typed group, with its type, default, base's value and meaning."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from medo1.pipelines.clinic.params import ClinicParams
from medo1.pipelines.filtering.params import FilteringParams
from medo1.pipelines.finetune.params import FinetuneParams
from medo1.pipelines.finetune.small_student import SmallStudentSpec
from medo1.pipelines.inference.params import ArmParams, InferenceParams
from medo1.pipelines.ingest.params import IngestParams
from medo1.pipelines.reporting.params import ReportingParams
from medo1.pipelines.synthesis.params import FormatParams, SynthesisParams
from medo1.study import Study

# What the study keeps of other groups, because the graph depends on it.
COPIES = ("estimate_only", "judge", "probes")


@dataclass(frozen=True)
class Key:
    """One parameter."""

    name: str
    kind: str
    default: str
    base: str
    says: str


def groups() -> dict[str, type[BaseModel]]:
    """The typed groups by the key under which their values stand; `<name>` is a name that the study gives."""
    return {
        "": Study,
        "clinic": ClinicParams,
        "ingest": IngestParams,
        "synthesis": SynthesisParams,
        "formats.<name>": FormatParams,
        "filtering": FilteringParams,
        "finetune.<format>": FinetuneParams,
        "small_student": SmallStudentSpec,
        "inference": InferenceParams,
        "arms.<name>": ArmParams,
        "reporting": ReportingParams,
    }


def _model(annotation: Any) -> tuple[type[BaseModel], str] | None:
    """The group that a field holds, and what stands between its key and theirs."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    inside = [argument for argument in get_args(annotation) if argument is not type(None)]
    if get_origin(annotation) in (Union, types.UnionType) and len(inside) == 1:
        return _model(inside[0])
    if get_origin(annotation) is dict and isinstance(inside[-1], type) and issubclass(inside[-1], BaseModel):
        return inside[-1], ".<name>"
    return None


def _kind(annotation: Any, field: FieldInfo | None = None) -> str:
    """A type as a reader would say it, with its bounds."""
    if get_origin(annotation) is Literal:
        said = ", ".join(f"`{value}`" for value in get_args(annotation))
    elif get_origin(annotation) in (Union, types.UnionType):
        said = " or ".join(_kind(argument) for argument in get_args(annotation))
    elif get_origin(annotation) in (tuple, list, frozenset, set):
        said = f"list of {_kind(get_args(annotation)[0])}"
    elif get_origin(annotation) is dict:
        said = f"mapping to {_kind(get_args(annotation)[1])}"
    elif hasattr(annotation, "__metadata__"):  # Annotated
        said = _kind(annotation.__origin__)
    else:
        words = {"str": "text", "int": "whole number", "float": "number", "bool": "yes or no", "NoneType": "nothing"}
        name = getattr(annotation, "__name__", str(annotation))
        said = words.get(name, name)
    signs = {"gt": "> {}", "ge": "≥ {}", "lt": "< {}", "le": "≤ {}"}
    bounds = [
        text.format(getattr(rule, sign))
        for rule in (field.metadata if field else ())
        for sign, text in signs.items()
        if getattr(rule, sign, None) is not None
    ]
    return ", ".join([said, *bounds])


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if isinstance(value, BaseModel):
        return "its own defaults"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004


def keys(model: type[BaseModel], under: str, base: Any) -> Iterator[Key]:
    """The keys of a group and of the groups in it.

    Args:
        model: the typed group.
        under: the key under which it stands.
        base: what conf/base has there, or None.
    """
    for name, field in model.model_fields.items():
        if under == "" and name in COPIES:
            continue
        if under == "" and (name in groups() or f"{name}.<name>" in groups()):
            continue  # has a section of its own
        key = f"{under}.{name}".lstrip(".")
        given = base.get(name, PydanticUndefined) if isinstance(base, dict) else PydanticUndefined
        inner = _model(field.annotation)
        default = field.get_default(call_default_factory=True) if not field.is_required() else PydanticUndefined
        yield Key(
            key,
            "group" if inner else _kind(field.annotation, field),
            "**required**" if default is PydanticUndefined else f"`{_shown(default)}`",
            "" if given is PydanticUndefined or inner else f"`{_shown(given)}`",
            " ".join((field.description or (inner[0].__doc__ if inner else "") or "").split()),
        )
        if inner:
            yield from keys(inner[0], key + inner[1], None if given is PydanticUndefined or inner[1] else given)


def _base(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for file in sorted((root / "conf/base").glob("parameters*.yml")):
        found |= yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    return found


def page(root: Path) -> str:
    """The page, in Markdown."""
    base = _base(root)
    lines = [
        "# Parameters",
        "",
        "Every key, made from the types that check it. Values stand in `conf/<environment>/parameters*.yml`, or",
        "are passed for one run with `--params group.key=value`; an unknown key is an error. How to change them:",
        "[vary the study](../vary_the_study.md).",
        "",
    ]
    for under, model in groups().items():
        if "<" in under:
            named = base.get(under.partition(".")[0]) or {}
            given = None
            title = f"{under}"
            lines += [f"## `{title}`", "", *_about(model), f"Base has: {', '.join(f'`{name}`' for name in named)}.", ""]
        else:
            given = base if under == "" else base.get(under)
            lines += [f"## `{under}`" if under else "## The study", "", *_about(model)]
        lines += ["| key | value | default | in `conf/base` | what it means |", "|---|---|---|---|---|"]
        lines += [
            f"| `{key.name}` | {cell(key.kind)} | {cell(key.default)} | {cell(key.base)} | {cell(key.says)} |"
            for key in keys(model, under, given)
        ]
        lines.append("")
    return "\n".join(lines)


def _about(model: type[BaseModel]) -> list[str]:
    said = " ".join((model.__doc__ or "").split("\n\n")[0].split())
    return [said, ""] if said else []


def cell(text: str) -> str:
    """Text that may stand in a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")
