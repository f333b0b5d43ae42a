"""`strict_letter`: the last line `Final answer: X` and nothing else."""

from __future__ import annotations

import pytest

from medo1.answers import strict_letter

LETTERS = "ABCD"


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("It is gout.\nFinal answer: C", "C"),
        ("It is gout.\n**Final Answer: (C).**\n", "C"),
        ("Final answer: A\nNo.\nFinal answer: C\nI hope that this helps.", "C"),
        ("Final answer: C. Gout", None),
        ("So my final answer: C", None),
        ("The answer is C.", None),
        ("Final answer: E", None),
        ("Final answer:\nC", None),
        ("", None),
        ("final answer: " * 2000, None),
    ],
)
def test_only_the_last_line_that_reads_final_answer_counts(text: str, letter: str | None):
    assert strict_letter(text, LETTERS) == letter
