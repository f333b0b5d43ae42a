"""The generated benchmark: its answers are right by another way of working them out, and its difficulty is known."""

from __future__ import annotations

import re
from collections import Counter

import pandas as pd
import pytest
from pydantic import ValidationError

from medo1.pipelines.inference.nodes import choose_questions
from medo1.pipelines.inference.params import ArmParams, InferenceParams, TransferParams
from medo1.pipelines.inference.transfer import MOST_STEPS, transfer_questions
from medo1.questions import Question
from tests.pipelines.inference.test_nodes import questions


def worked_out(question: Question) -> str:
    """The answer from the text alone."""
    if question.stem.startswith("Start with"):
        value = 0
        for sentence in re.findall(r"[^.?]+[.]", question.stem):
            number = int(found[0]) if (found := re.findall(r"\d+", sentence)) else 0
            first = sentence.split()[0]
            value = {
                "Start": number, "Add": value + number, "Subtract": value - number, "Double": 2 * value,
                "Multiply": number * value, "Halve": value // 2,
            }[first]  # fmt: skip
        return str(value)
    pairs = [(a, b) for a, b in re.findall(r"(\w+) is taller than (\w+)", question.stem)]
    pairs += [(b, a) for a, b in re.findall(r"(\w+) is shorter than (\w+)", question.stem)]
    below = dict(pairs)
    [person] = set(below) - set(below.values())
    order = [person]
    while person in below:
        order.append(person := below[person])
    asked = re.search(r"Who is the (?:(\w+) )?(tallest|shortest)\?", question.stem)
    assert asked is not None
    words = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
    place = words.index(asked[1]) + 1 if asked[1] else 0
    return order[place] if asked[2] == "tallest" else order[-1 - place]


def test_every_gold_answer_is_what_the_text_says() -> None:
    made = transfer_questions(240, (2, 5, 9, 19), seed=3)
    assert len(made) == 240
    assert all(question.gold_text == worked_out(question) for question in made)
    assert all(len(set(question.options.values())) == 4 for question in made)
    assert len({question.question_id for question in made}) == 240


def test_difficulty_is_the_number_of_steps_and_no_letter_is_favoured() -> None:
    made = transfer_questions(400, (2, 4, 6, 8), seed=3)
    assert Counter(question.difficulty for question in made) == {2: 100, 4: 100, 6: 100, 8: 100}
    for question in made:
        assert question.stem.count(".") - question.stem.startswith("Start") == question.difficulty
    assert max(Counter(question.gold for question in made).values()) < 140


def test_a_seed_gives_the_same_questions_and_another_gives_others() -> None:
    assert transfer_questions(40, (2, 4), 1) == transfer_questions(40, (2, 4), 1)
    assert not set(map(repr, transfer_questions(40, (4, 8), 1))) & set(map(repr, transfer_questions(40, (4, 8), 2)))


def test_transfer_questions_are_asked_beside_the_others() -> None:
    params = InferenceParams(transfer=TransferParams(questions=12, steps=(2, 3)))
    chosen = choose_questions(questions(4), params, ArmParams(prompt="cot"), seed=1)
    assert chosen["benchmark"].value_counts().to_dict() == {"steps": 12, "clinic": 4}
    assert chosen.loc[chosen["benchmark"] == "steps", "difficulty"].notna().all()
    pd.testing.assert_frame_equal(chosen, choose_questions(questions(4), params, ArmParams(prompt="cot"), seed=1))


def test_steps_that_cannot_be_told_are_refused() -> None:
    with pytest.raises(ValidationError, match=str(MOST_STEPS)):
        TransferParams(steps=(1, 4))
    with pytest.raises(ValidationError, match=str(MOST_STEPS)):
        TransferParams(steps=(40,))
