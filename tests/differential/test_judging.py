"""The judge is asked only about what text does not settle, and a failed reply is never a match."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Event
from typing import Any

import pytest

from medo1.differential import read_differential
from medo1.differential.judging import judged
from medo1.engines.base import Completion, Engine, Request

TEMPLATE = "Gold: {gold}\n{differential}\nMatch:"


class Echo(Engine):
    """An engine that gives each request the reply that the test set for it."""

    def __init__(self, replies: dict[str, Completion]) -> None:
        self.replies = replies
        self.asked: list[Request] = []

    @property
    def identity(self) -> dict[str, Any]:
        return {"kind": "echo"}

    def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
        for request in requests:
            self.asked.append(request)
            yield [self.replies[request.key]]


def test_equal_names_are_matched_without_asking_and_others_by_the_judge():
    engine = Echo(
        {
            "b": Completion("b", "Match: 2", "stop"),
            "c": Completion("c", "Match: none", "stop"),
            "d": Completion("d", "hard to say", "stop"),
            "e": Completion("e", "", "error", error="no route"),
        }
    )
    answer = read_differential("1. gout\n2. pseudogout")
    answers = [
        ("a", answer, "Gout"),
        *((key, answer, "calcium pyrophosphate deposition") for key in "bcde"),
        ("f", read_differential("none"), "x"),
    ]
    found = {judgement.key: judgement for judgement in judged(answers, engine, TEMPLATE)}
    assert [request.key for request in engine.asked] == ["b", "c", "d", "e"]
    assert [(found[key].rank, found[key].by) for key in "abcdef"] == [
        (1, "text"), (2, "judge"), (None, "judge"), (None, "unread"), (None, "unread"), (None, "nobody"),
    ]  # fmt: skip
    assert found["e"].error == "no route"


def test_without_a_judge_text_alone_decides():
    answers = [("a", read_differential("1. gout"), "Gout"), ("b", read_differential("1. gout"), "pseudogout")]
    assert [(judgement.rank, judgement.by) for judgement in judged(answers)] == [(1, "text"), (None, "nobody")]


def test_a_bad_prompt_is_refused_before_anything_is_asked():
    engine = Echo({})
    with pytest.raises(ValueError, match="judge's prompt"):
        list(judged([("a", read_differential("1. gout"), "x")], engine, "no places"))
    assert engine.asked == []
