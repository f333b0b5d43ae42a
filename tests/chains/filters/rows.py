"""Chains, questions and an engine that says what it is told to, for tests of the filters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from threading import Event
from typing import Any

from medo1.chains.filters.candidate import Candidate
from medo1.engines.base import Completion, Engine, Request
from medo1.questions import Question

OPTIONS = {"A": "influenza", "B": "measles", "C": "rubella"}
RIGHT = "The rash began behind the ears and spread down, so it is measles.\nFinal answer: B"


def question(n: int, split: str = "train", stem: str | None = None, benchmark: str = "b", **more: Any) -> Question:
    options = more.pop("options", OPTIONS)
    return Question(
        f"{n:016x}", benchmark, split, stem or f"Case {n}: what is it?", options, more.pop("gold", "B"), None, f"f:{n}"
    )


def chain(n: int, text: str = RIGHT, finish: str = "stop", sample: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "question_id": f"{n:016x}",
        "format": "cot",
        "sample": sample,
        "text": text,
        "finish_reason": finish,
        "completion_tokens": 5,
        "teacher": "t",
        "guided": False,
        "request_id": f"r{n}",
        "request_ids": [f"r{n}"],
        **more,
    }


def candidate(text: str = RIGHT, n: int = 1, tokens: int | None = None, **more: Any) -> Candidate:
    asked = more.pop("question", None) or question(n)
    return Candidate(chain(n, text, **more), asked, "cot", tokens)


class Told(Engine):
    """An engine whose answers are a function of the request."""

    def __init__(self, answer: Callable[[Request], str], finish_reason: Any = "stop", name: str = "told") -> None:
        self.answer, self.finish_reason, self.name = answer, finish_reason, name
        self.asked: list[Request] = []

    @property
    def identity(self) -> dict[str, Any]:
        return {"kind": "told", "name": self.name}

    def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
        for request in requests:
            self.asked.append(request)
            text = self.answer(request)
            yield [
                Completion(
                    request.key,
                    text,
                    self.finish_reason,
                    completion_tokens=len(text.split()),
                    model=self.name,
                    request_id=f"{self.name}-{request.key}",
                )
            ]
