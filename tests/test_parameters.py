"""Groups of parameters, typed and plain."""

from __future__ import annotations

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
