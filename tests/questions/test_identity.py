"""When two questions are the same, what becomes of repeats, and options in another order."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medo1.questions import (
    Question,
    as_asked,
    audit_questions,
    letter_as_read,
    order_rows,
    prompt_text,
    question_id,
    question_text,
    shuffled,
    without_duplicates,
)

OPTIONS = {"A": "Lupus", "B": "Meningitis", "C": "Gout", "D": "Influenza"}


def question(stem: str = "Which?", gold: str = "B", **other: object) -> Question:
    options = other.pop("options", OPTIONS)
    found = Question(question_id(stem, options), "medqa", "test", stem, options, gold, source="x.jsonl:1")
    return replace(found, **other)


def test_identity_is_of_the_content_and_not_of_how_it_is_written():
    reordered = dict(zip("ABCD", ["Gout", "Influenza", "Lupus", "Meningitis"], strict=True))
    untidy = {letter: f"  {text.upper()}\u00a0" for letter, text in OPTIONS.items()}
    assert question_id("Which?", OPTIONS) == question_id("Which?", reordered) == question_id(" which?\n", untidy)
    assert question_id("Which?", OPTIONS) != question_id("What?", OPTIONS)
    assert question_id("Which?", OPTIONS) != question_id("Which?", {**OPTIONS, "E": "Measles"})
    assert question_id("Which?", OPTIONS, ordered=True) != question_id("Which?", reordered, ordered=True)


def test_an_identity_once_given_never_changes():
    """Ids are in tables, stores and lineage: a change of this value loses all of them."""
    assert question_id("Which?", OPTIONS) == "329769aa78045feb"


CASES = {
    # name: ([(benchmark, split, gold)], kind, which are used)
    "twice in one benchmark": ([("a", "test", "B"), ("a", "test", "B")], "duplicate", [0]),
    "in two benchmarks": ([("a", "test", "B"), ("b", "test", "B")], "shared", [0, 1]),
    "in two, in one twice": ([("a", "dev", "B"), ("b", "dev", "B"), ("a", "dev", "B")], "duplicate", [0, 1]),
    "twice for training": ([("a", "train", "B"), ("b", "train", "B")], "duplicate", [0]),
    "for training and testing": ([("a", "train", "B"), ("b", "test", "B")], "leak", [1]),
    "for all three": ([("a", "train", "B"), ("a", "dev", "B"), ("a", "test", "B")], "leak", [2]),
    "for training and choosing": ([("a", "dev", "B"), ("a", "train", "B")], "leak", [0]),
    "with two gold answers": ([("a", "test", "B"), ("a", "test", "C"), ("b", "train", "B")], "conflict", []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_stands_twice_is_reported_and_settled(case: str):
    places, kind, used = CASES[case]
    questions = [
        question(gold=gold, benchmark=benchmark, split=split, source=f"{benchmark}.jsonl:{row}")
        for row, (benchmark, split, gold) in enumerate(places, 1)
    ]
    (group,) = audit_questions(questions)
    assert group.kind == kind
    assert group.sources == tuple(one.source for one in questions)
    kept, rejected = without_duplicates(questions)
    assert kept == [questions[index] for index in used]
    assert len(kept) + len(rejected) == len(questions)
    for bad in rejected:
        assert bad.reason.partition(":")[0] in ("conflict", "leak", "duplicate")
        assert (bad.row - 1) not in used


def test_a_gold_answer_is_compared_by_its_text():
    reordered = dict(zip("ABCD", ["Meningitis", "Gout", "Influenza", "Lupus"], strict=True))
    (group,) = audit_questions([question(gold="B"), question(options=reordered, gold="A")])
    assert group.kind == "duplicate"
    (group,) = audit_questions([question(gold="B"), question(options=reordered, gold="B")])
    assert group.golds == ("Meningitis", "Gout")


def test_the_rendering_is_one_option_a_line():
    assert question_text(question()) == "Which?\nA. Lupus\nB. Meningitis\nC. Gout\nD. Influenza"
    assert prompt_text(question(), "Answer. ") == f"{question_text(question())}\nAnswer."


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=4), min_size=2, max_size=10, unique=True), st.integers(0, 9))
def test_shuffled_options_map_back_to_what_was_read(texts: list[str], seed: int):
    options = dict(zip("ABCDEFGHIJ", texts, strict=False))
    read = question(options=options, gold="B")
    asked = shuffled(read, seed)
    assert asked.question.question_id == read.question_id
    assert asked.question.gold_text == read.gold_text
    for letter, text in asked.question.options.items():
        assert options[asked.back(letter)] == text
    (row,) = order_rows([asked])
    assert [letter_as_read(row["original"], letter) for letter in asked.question.options] == [
        asked.back(letter) for letter in asked.question.options
    ]
    assert shuffled(read, seed) == asked
    assert asked.back(None) is letter_as_read(row["original"], None) is None


def test_an_order_is_drawn_over_the_texts_whatever_order_they_were_read_in():
    reordered = dict(zip("ABCD", ["Gout", "Influenza", "Lupus", "Meningitis"], strict=True))
    for seed in range(5):
        one, other = shuffled(question(), seed), shuffled(question(options=reordered, gold="D"), seed)
        assert one.question.options == other.question.options
        assert one.question.gold == other.question.gold


def test_every_letter_is_as_often_right_where_it_was_always_the_same():
    golds = Counter(shuffled(question(f"Case {n}?"), 3).question.gold for n in range(400))
    assert set(golds) == set("ABCD")
    assert min(golds.values()) > 60  # of 100 expected


@pytest.mark.parametrize(
    "text", ["None of the above", "Both A and B", "A and C", "All of these", "A, B and C", "Neither B"]
)
def test_options_that_speak_of_their_places_stay_where_they_are(text: str):
    asked = [shuffled(question(f"Case {n}?", options={**OPTIONS, "D": text}), n) for n in range(10)]
    assert not any(one.is_shuffled for one in asked)


@pytest.mark.parametrize(
    "text", ["Hepatitis", "Vitamin D supplementation", "An IgG and IgM panel", "Either surgery or rest"]
)
def test_other_options_are_shuffled(text: str):
    asked = [shuffled(question(f"Case {n}?", options={**OPTIONS, "D": text}), n) for n in range(10)]
    assert any(one.is_shuffled for one in asked)


def test_only_the_splits_that_are_named_are_shuffled():
    questions = [question(f"Case {n}?", split=split) for n in range(20) for split in ("train", "test")]
    moved = {one.question.split for one in as_asked(questions, 1, ("test",)) if one.is_shuffled}
    assert moved == {"test"}
    assert [one.question for one in as_asked(questions)] == questions


def test_a_letter_that_was_not_offered_cannot_be_mapped_back():
    with pytest.raises(ValueError, match="there is no option 'E' among 4"):
        letter_as_read("BACD", "E")
