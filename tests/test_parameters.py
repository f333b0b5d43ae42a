"""Groups of parameters, typed and plain."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from math import inf, nan
from typing import get_args

import pytest
from pydantic import BaseModel, ValidationError

import medo1
from medo1.parameters import Parameters, plain_values, without_removed


class Inner(Parameters):
    number: int = 1


class Outer(Parameters):
    inner: Inner = Inner()


def test_a_node_gets_plain_values_whether_another_asked_for_them_by_type_or_not() -> None:
    plain = {"arm": {"inner": {"number": 1}}, "gone": None}
    assert plain_values({"arm": Outer(), "gone": None}) == plain
    assert plain_values(plain) == plain


def test_a_format_or_arm_that_is_null_is_gone_and_nothing_else() -> None:
    given = {"arms": {"kept": {"prompt": "cot"}, "gone": None}, "formats": {"gone": None}, "inference": {"judge": None}}
    assert without_removed(given) == {"arms": {"kept": {"prompt": "cot"}}, "formats": {}, "inference": {"judge": None}}


def numbers(kind: type[BaseModel]) -> list[str]:
    """The fields of a group that hold a fractional number."""
    return [
        name
        for name, field in kind.model_fields.items()
        if float in (field.annotation, *get_args(field.annotation)) and str not in get_args(field.annotation)
    ]


def groups() -> list[type[BaseModel]]:
    """Every group of parameters in the package."""
    for module in pkgutil.walk_packages(medo1.__path__, "medo1."):
        if not module.name.endswith("__main__"):
            import_module(module.name)

    def below(kind: type[BaseModel]) -> list[type[BaseModel]]:
        return [one for child in kind.__subclasses__() for one in (child, *below(child))]

    return [kind for kind in below(BaseModel) if kind.__module__.startswith("medo1.")]


def test_no_parameter_takes_what_is_no_number_or_has_no_bounds() -> None:
    """YAML's .nan and .inf compare with nothing, or with everything: an experiment that nobody meant."""
    found = {(kind, name) for kind in groups() for name in numbers(kind)}
    assert len(found) > 40
    for kind, name in sorted(found, key=str):
        for value in (nan, inf, -inf):
            with pytest.raises(ValidationError) as error:
                kind.model_validate({name: value})
            assert any(item["loc"] == (name,) or name in item["loc"] for item in error.value.errors()), (kind, name)
