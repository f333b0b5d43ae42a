"""An engine for catalogs of tests: it knows one thought and streams it word by word."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from threading import Event
from typing import Any

from medo1.engines import Completion, Engine, Request

THOUGHT = "Fever and rash fit it. Let me check. It is B.\nFinal answer: B"
LIST = "The differential diagnosis is:\n1. Lupus\n2. Measles\n3. Rubella"


class Spoken(Engine):
    """Says its thought; every third sample says another answer. Without options it says a list."""

    @property
    def identity(self) -> dict[str, Any]:
        return {"kind": "spoken"}

    def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
        for request in requests:
            yield [self._said(request)]

    def stream(self, request: Request, told: Callable[[str], None]) -> Completion:
        completion = self._said(request)
        for word in re.findall(r"\s*\S+", completion.text):
            told(word)
        return completion

    other_every = 3

    def _said(self, request: Request) -> Completion:
        whole = THOUGHT if "\nA. " in request.messages[0].content else LIST
        if request.sample % self.other_every == self.other_every - 1:
            whole = whole.replace("B", "C").replace("1. Lupus\n2. Measles", "1. Measles\n2. Lupus")
        last = request.messages[-1]
        if last.role == "assistant":
            return Completion(request.key, " B", "stop", 5, 1, model="spoken")
        words = re.findall(r"\s*\S+", whole)
        cut = words[: request.sampling.max_new_tokens]
        finish: Any = "length" if len(cut) < len(words) else "stop"
        return Completion(request.key, "".join(cut), finish, 5, len(cut), model="spoken", confidence=2.0)


class Divided(Spoken):
    """Says the other answer every second time."""

    other_every = 2
