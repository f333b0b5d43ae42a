"""What a judge writes after a label is read as it means it; what names no single number is not made into one."""

from __future__ import annotations

import time

import pytest

from medo1.differential.verdicts import Verdict, read_verdict
from medo1.pipelines.inference.judged_samples import chosen, given_score

SCORES: list[tuple[str, float | None]] = [
    ("Score: 7", 0.7), ("score: 7/10", 0.7), ("**Score:** 8", 0.8), ("Score: **8**/10", 0.8), ("Score: 10", 1.0),
    ("Score: 0", 0.0), ("Score: 7.5", 0.75), ("Score: 7,5", 0.75), ("Score: 8 out of 10", 0.8), ("Score: <8>", 0.8),
    ("Score (0 to 10): 6", 0.6), ("Score from 0 to 10: 6", 0.6), ("Score on a scale of 0-10: 6", 0.6),
    ("Final score = 9", 0.9), ("The score is 4.", 0.4), ("Score: 5\nScore: 6", 0.6), ("Score:\n9", 0.9),
    ("score: [7]", 0.7), ("Score: 9 - very likely", 0.9), ("Score: 7. 3 steps are wrong", 0.7),
    ("- Score: 3", 0.3), ('{"score": 7}', 0.7), ("# Score\n\n6", 0.6), ("<think>Score: 2</think>Score: 9", 0.9),
    ("Score: 8, step 2 is wrong", 0.8), ("Score: 9, and 2 steps are unclear", 0.9), ("Score: 8.5/10.0", 0.85),
    ("Score: 7 (out of 10)", 0.7), ("Score: 6 points of 10", 0.6),
    # No number from 0 to 10.
    ("Score: 7 (out of 100)", None), ("Score: 4 of 5", None), ("Score: 4 points out of 5", None), ("Score: ten", None),
    ("Score: -3", None), ("Score: \u22123", None), ("Score: 11", None), ("Score: 100", None), ("Score: 1e1", None),
    ("Score: 70%", None), ("Score: 70 %", None), ("Score: nan", None), ("Score: high", None), ("Score: none", None),
    ("Score: 5/5", None), ("Score: 85/100", None), ("Score: 8\u20139", None), ("Score: 8-9", None),
    ("Score: 8 or 9", None),
    ("Score: 7 to 8", None), ("Score: 1,000", None), ("Score: 1.2.3", None), ("<think>Score: 2", None), ("", None),
    ("Score: 5\nScore: 5/5", None), ("Underscore: 4", None),
]  # fmt: skip
CHOICES: list[tuple[str, int | None]] = [
    ("Choice: 2", 1), ("**Choice: 2**", 1), ("Choice: <2>", 1), ("Choice: candidate 2", 1), ("Choice: Candidate 2", 1),
    ("Choice: **Candidate 2**", 1), ("Choice: #2", 1), ("Choice: No. 2", 1), ("Choice 1 is wrong. Choice: 3", 2),
    ("Choice:\n\n3", 2), ("Choice: [1]", 0), ("Choice: 2.", 1), ("My choice is 2", 1), ("Choice: answer 4.", 3),
    ("<think>Choice: 1</think>Choice: 4", 3), ("Choice: 2 (of 4)", 1),
    ("Choice: none", None), ("Choice: 9", None), ("Choice: 0", None), ("Choice: 2 or 3", None), ("Choice: 2, 3", None),
    ("Choice: 1 and 4", None), ("Choice: 2-3", None), ("Choice: candidates", None), ("Choice: B", None),
    ("Choice: 2 or candidate 3", None), ("Choice: not 2", None), ("Choice: both 2 and 3", None),
    ("Choice: 1.5", None), ("multiple-choices: 2", None),
]  # fmt: skip
MATCHES: list[tuple[str, Verdict]] = [
    ("Match: 2", Verdict(2, "match")), ("Match: item 2", Verdict(2, "match")), ("**Match:** #2", Verdict(2, "match")),
    ("Match: 2.", Verdict(2, "match")), ("2", Verdict(2, "match")), ("Match: none", Verdict(None, "no_match")),
    ("Match: none of them", Verdict(None, "no_match")), ("Match: 0", Verdict(None, "no_match")),
    ("Match: 2 or 3", Verdict(None, "unread")), ("Match: 1, 3", Verdict(None, "unread")),
    ("Match: 2\nMatch: 3", Verdict(None, "unread")), ("Match: 9", Verdict(None, "unread")),
    ("The answer 2 is close.\nMatch: none", Verdict(None, "no_match")), ("Match: 1.5", Verdict(None, "unread")),
    ("Match: -1", Verdict(None, "unread")), ("Match: no match", Verdict(None, "no_match")),
    ("Match: 2 and item 3", Verdict(None, "unread")),
]  # fmt: skip


@pytest.mark.parametrize(("reply", "score"), SCORES)
def test_a_score(reply: str, score: float | None) -> None:
    assert given_score(reply) == (None if score is None else pytest.approx(score))


@pytest.mark.parametrize(("reply", "place"), CHOICES)
def test_a_choice(reply: str, place: int | None) -> None:
    assert chosen(reply, 4) == place


@pytest.mark.parametrize(("reply", "verdict"), MATCHES)
def test_a_match(reply: str, verdict: Verdict) -> None:
    assert read_verdict(reply, 5) == verdict


def test_a_number_at_the_end_of_a_reply_that_was_cut_may_be_longer() -> None:
    assert given_score("Score: 1", "length") is None
    assert chosen("Choice: 1", 12, "length") is None
    assert read_verdict("Match: 1", 12, "length") == Verdict(None, "unread")
    assert given_score("Score: 9\nbecause", "length") == pytest.approx(0.9)
    assert given_score("Score: 9", "stop") == pytest.approx(0.9)


@pytest.mark.parametrize(
    "text",
    [
        "Score " * 20_000,
        "Score: " + "(" * 100_000,
        "Score: " + "**" * 99_000,
        "score from 0 " * 20_000,
        "score (a" * 20_000,
    ],
    ids=["label", "parentheses", "stars", "range", "asides"],
)
def test_reading_takes_time_in_proportion_to_the_text(text: str) -> None:
    least = min(_timed(text) for _ in range(5))
    assert least < 2.0


def _timed(text: str) -> float:
    began = time.perf_counter()
    given_score(text)
    return time.perf_counter() - began
