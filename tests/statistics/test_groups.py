"""A compact letter display says exactly which arms differ."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from medo1.statistics.groups import letter_groups

NAMES = "pqrstuv"


@given(st.sets(st.sampled_from(list(combinations(NAMES, 2)))))
def test_two_share_a_letter_exactly_where_they_are_not_different(different: set[tuple[str, str]]) -> None:
    letters = letter_groups(NAMES, sorted(different))
    for pair in combinations(NAMES, 2):
        assert bool(set(letters[pair[0]]) & set(letters[pair[1]])) == (pair not in different)
    assert all(letters.values())


def test_the_best_has_the_first_letter() -> None:
    assert letter_groups(["best", "middle", "worst"], [("best", "worst")]) == {
        "best": "a",
        "middle": "ab",
        "worst": "b",
    }
    assert letter_groups([], []) == {}
