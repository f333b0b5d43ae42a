"""What a judge is asked, and how its reply is read: never a match that it did not state."""

from __future__ import annotations

import pytest

from medo1.differential import judge_prompt, read_verdict

TEMPLATE = "Gold: {gold}\nList:\n{differential}\nEnd with `Match: <number>` or `Match: none`."


def test_the_prompt_numbers_the_list():
    prompt = judge_prompt(TEMPLATE, ["gout", "pseudogout {x}"], "CPPD")
    assert "Gold: CPPD\nList:\n1. gout\n2. pseudogout {x}\n" in prompt


@pytest.mark.parametrize(
    "template", ["no places", "{gold}", "{gold} {differential} {other}", "{gold} {differential} {"]
)
def test_a_prompt_without_its_places_is_refused(template):
    with pytest.raises(ValueError, match="judge's prompt"):
        judge_prompt(template, [], "")


@pytest.mark.parametrize(
    ("reply", "rank", "status"),
    [
        ("The second is CPPD.\n\nMatch: 2", 2, "match"),
        ("**Match:** 2", 2, "match"),
        ("<think>Match: 1</think>\nMatch: 2", 2, "match"),
        ("2", 2, "match"),
        ("Match: none", None, "no_match"),
        ("Match: 0", None, "no_match"),
        ("none", None, "no_match"),
        ("Match: 7", None, "unread"),
        ("Match: 1\nMatch: 2", None, "unread"),
        ("It is similar to the first.", None, "unread"),
        ("<think>Match: 1", None, "unread"),
        ("", None, "unread"),
    ],
)
def test_only_a_stated_verdict_counts(reply, rank, status):
    verdict = read_verdict(reply, 3)
    assert (verdict.rank, verdict.status) == (rank, status)


def test_a_number_at_a_cut_is_no_verdict():
    assert read_verdict("Match: 1", 12, "length").status == "unread"
    assert read_verdict("Match: 1\n", 12, "length").rank is None
    assert read_verdict("Match: 1\nBecause the two", 12, "length").rank == 1
