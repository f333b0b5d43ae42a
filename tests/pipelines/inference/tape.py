"""An engine that reads its answers from a tape, a word a token, and goes on wherever it is told to go on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from threading import Event
from typing import Any

from medo1.engines import Completion, Engine, Request

CUE = "Final answer:"


class Tape(Engine):
    """Says what `thought` gives for a request, from where the assistant's turn stands.

    Args:
        thought: the whole text for a request, final answer included; words are tokens.
        context: tokens of prompt and answer together; a prompt has as many tokens as words.
    """

    def __init__(self, thought: Callable[[Request], str], context: int = 10**6, counted: bool = True) -> None:
        self._thought = thought
        self._context = context
        self._counted = counted
        self.asked: list[Request] = []

    @property
    def identity(self) -> dict[str, Any]:
        return {"kind": "tape"}

    def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
        for request in requests:
            self.asked.append(request)
            yield [self._answer(request)]

    def _answer(self, request: Request) -> Completion:
        prompt = sum(len(message.content.split()) for message in request.messages)
        if prompt >= self._context:
            text = f"the prompt has {prompt} tokens, the model's context {self._context}"
            return Completion(request.key, "", "error", prompt_tokens=prompt, error=text)
        last = request.messages[-1]
        said = last.content if last.role == "assistant" else ""
        whole = self._thought(request)
        if said.endswith(CUE):
            rest = whole[whole.index(CUE) + len(CUE) :]
        elif whole.startswith(said):
            rest = whole[len(said) :]
        else:  # told to go on with a word of the caller's
            rest = f" again {whole}"
        words = re.findall(r"\s*\S+", rest)
        stops = [
            place for place in range(len(words)) if any(s in "".join(words[: place + 1]) for s in request.sampling.stop)
        ]
        limit = min(request.sampling.max_new_tokens, self._context - prompt)
        finish: Any = "stop"
        if stops and stops[0] < limit:
            text = "".join(words[: stops[0] + 1])
            text = text[: min(text.index(stop) for stop in request.sampling.stop if stop in text)]
            count = stops[0] + 1
        elif len(words) > limit:
            text, count, finish = "".join(words[:limit]), limit, "length"
        else:
            text, count = "".join(words), len(words)
        return Completion(
            request.key,
            text,
            finish,
            prompt_tokens=prompt,
            completion_tokens=count if self._counted else None,
            mean_logprob=-1.0,
            self_certainty=2.0,
            confidence=3.0,
            lowest_confidence=float(count),
            request_id=f"id{request.sample}{len(said.split())}",
        )
