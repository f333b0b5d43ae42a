"""Chains that exist already: what becomes of each row of a file of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from medo1.chains.importing import ChainColumns, imported_chains, only_option_named
from medo1.errors import MissingFileError
from medo1.questions import read_questions

OPTIONS = {"A": "Vitamin D", "B": "Vitamin D deficiency", "C": "Lupus (SLE)", "D": "Gout"}
FIELDS = ChainColumns(form="huatuo", reasoning="Complex_CoT", answer="Response")


def row(n: int, **values: Any) -> dict[str, Any]:
    return {
        "question": f"Case {n}?", "options": OPTIONS, "answer_idx": "D", "answer": "Gout",
        "Complex_CoT": "Hmm, urate.", "Response": "It is gout.", **values,
    }  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [
        row(0),
        row(1, Response="It is lupus (SLE), as the final answer: C"),
        row(2, Complex_CoT=" "),
        row(0, Response="D"),
    ]
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(rows))
    return path


def ids(file: Path) -> list[str]:
    return list(dict.fromkeys(question.question_id for question in read_questions(file, "huatuo")[0]))


def test_a_chain_is_reasoning_answer_and_the_line_that_states_it(file: Path) -> None:
    chains, _ = imported_chains(file, FIELDS, set(ids(file)), "longmonolog")
    texts = {chain["question_id"]: chain["text"] for chain in chains}
    assert texts[ids(file)[0]] == "Hmm, urate.\n\nIt is gout.\n\nFinal answer: D"
    assert texts[ids(file)[1]].count("inal answer") == 1  # its own
    assert {chain["teacher"] for chain in chains} == {"imported:mine.json"}


def test_every_row_and_every_wanted_question_is_accounted_for(file: Path) -> None:
    chains, rejected = imported_chains(file, FIELDS, {*ids(file), "0" * 16}, "longmonolog")
    assert len(chains) == 2
    reasons = sorted(bad["reason"] for bad in rejected)
    assert len(reasons) == 3
    assert reasons[0] == "mine.json has no chain for this question"
    assert "Complex_CoT is missing or empty" in reasons[1]
    assert "a second chain for the same question" in reasons[2]


def test_questions_that_are_not_wanted_are_left_where_they_are(file: Path) -> None:
    assert imported_chains(file, FIELDS, set(), "longmonolog") == ([], [])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"nowhere\.json"):
        imported_chains(tmp_path / "nowhere.json", FIELDS, set(), "cot")


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("This is called gout.", "D"),
        ('It is a "vitamin  D-deficiency".', "B"),  # the longer of two that stand in one another
        ("Lupus, SLE for short", "C"),
        ("Gout or lupus (SLE)", None),
        ("The goutish one", None),
        ("", None),
    ],
)
def test_an_option_named_alone_is_what_prose_says(reply: str, letter: str | None) -> None:
    assert only_option_named(reply, OPTIONS) == letter
