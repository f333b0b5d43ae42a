"""Only parameters that both sides read are compared, like with like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medo1.lineage.audit.differences import parameter_change
from medo1.lineage.audit.parameter_differences import ReadParameter, differing_parameters
from tests.lineage.tiny_project import TinyProject

Audit = Callable[..., Any]

FILES = [{"file": "a"}, {"file": "b", "limit": 3}]
FILLED = [{"file": "a", "limit": None, "hub": {"name": "h"}}, {"file": "b", "limit": 3, "hub": {"name": "h"}}]
OTHER = [{"file": "a", "limit": 9, "hub": {"name": "h"}}, {"file": "b", "limit": 3, "hub": {"name": "k"}}]


def told(*sides: tuple[Any, Any] | None) -> list[str]:
    """What differs, where each side read `params:p` as written and as filled in (None: did not read it)."""
    reads = [{} if side is None else {("d", "params:p"): ReadParameter(*side)} for side in sides]
    return [parameter_change(one) for one in differing_parameters(reads)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((1, 1), (2, 2), ["p: 1 -> 2"]),
        ((1, 1), None, []),
        (None, (1, 1), []),
        (({"a": 1}, {"a": 1, "b": 5}), ({"a": 1}, {"a": 1}), []),
        (({"a": 1}, {"a": 1, "b": 5}), ({"a": 1}, {"a": 1, "b": 6}), ["p.b: 5 -> 6 (a default of the code)"]),
        (({"a": 1}, {"a": 1, "b": 5}), ({"a": 1, "b": 5}, {"a": 1, "b": 5}), []),
        (({"a": 1}, {"a": 1, "b": 5}), ({"a": 1, "b": 6}, {"a": 1, "b": 6}), ["p.b: 5 -> 6"]),
        (({"a": 1}, {"a": 1}), ({"a": 1, "b": 6}, {"a": 1, "b": 6}), ["p.b: (not set) -> 6"]),
        (({"a": 1, "b": 6}, {"a": 1, "b": 6}), ({"a": 1}, {"a": 1}), ["p.b: 6 -> (not set)"]),
        (({"a": 1, "b": None}, {"a": 1, "b": None}), ({"a": 1}, {"a": 1}), []),
        ((FILES, FILES), (FILES, FILLED), []),
        ((FILES, FILLED), (FILES, FILES), []),
        (
            (FILES, FILLED),
            (FILES, OTHER),
            ["p[0].limit: (not set) -> 9 (a default of the code)",
             'p[1].hub.name: "h" -> "k" (a default of the code)'],
        ),
        ((FILES, FILLED), (FILES[:1], FILLED[:1]), None),
        (({"rate": "1e-4"}, {"rate": "1e-4"}), ({"rate": "1e-4"}, {"rate": 0.0001}), []),
        (({"on": True}, {"on": True}), ({"on": 1}, {"on": 1}), ["p.on: true -> 1"]),
        (({"x": {"a": 1}}, {"x": {"a": 1}}), ({"x": None}, {}), ['p.x: {"a": 1} -> (not set)']),
    ],
)  # fmt: skip
def test_what_differs_is_what_both_read_and_what_is_not_the_same(
    before: Any, after: Any, expected: list[str] | None
) -> None:
    found = told(before, after)
    if expected is None:
        [line] = found
        assert line.startswith("p: [")
    else:
        assert found == expected


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def with_defaults(value: Any, default: int) -> Any:
    """As a typed group fills a value in: keys of its own in every mapping, wherever it stands."""
    if isinstance(value, dict):
        return {name: with_defaults(inner, default) for name, inner in value.items()} | {"filled": default}
    return [with_defaults(inner, default) for inner in value] if isinstance(value, list) else value


@given(VALUES, VALUES)
def test_who_filled_in_defaults_makes_no_difference(one: Any, other: Any) -> None:
    plain, filled = (one, one), (one, with_defaults(one, 1))
    assert told(plain, filled) == told(filled, plain) == told(plain, plain) == []
    assert told(filled, (other, with_defaults(other, 1))) == told(plain, (other, other))


def test_a_run_of_a_later_pipeline_alone_changes_nothing(project: TinyProject, audit: Audit) -> None:
    project.run()
    project.run("report", params={"train": {"rate": 7}})  # which nothing on the way reads
    assert audit(project, "diff", "results")["runs"]["parameters"] == []
    project.run("ask", "report", params={"arm": {"shift": 1}, "train": {"rate": 9}})
    assert audit(project, "diff", "results")["runs"]["parameters"] == ["arm.shift: 0 -> 1"]
    project.run("learn", params={"keep": {"skip": 3}})
    project.run("ask", "report")
    changed = audit(project, "diff", "results", "latest~1", "latest")["runs"]["parameters"]
    assert changed == ["arm.shift: 1 -> 0", "keep.skip: 2 -> 3"]  # of the runs before them, too
