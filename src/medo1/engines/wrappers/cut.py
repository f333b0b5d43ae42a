"""Answers cut by their length limit: kept and marked, continued, or asked again with more room.

Who uses it: engine configurations that want whole answers (`Whole` wraps an engine, usually a stored one), and the
chains' own driver, which applies the same functions while other requests go on. Every piece is a request of its own, so
each is kept in the store and none is paid twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

from medo1.engines.base import Around, Completion, Engine, EngineError, Message, Model, Request

WhenCut = Literal["keep", "continue", "reask"]


def next_request(request: Request, pieces: Sequence[Completion], when_cut: WhenCut, larger: int) -> Request:
    """What to ask after `pieces`, the last of which was cut.

    Args:
        request: as it was first asked.
        pieces: the answers so far.
        when_cut: `continue`: go on where the text stops (the last message is the text so far); `reask`: the same again.
        larger: `max_new_tokens` of the new request, for `reask`.
    """
    if when_cut == "reask":
        return replace(request, sampling=replace(request.sampling, max_new_tokens=larger))
    text = "".join(piece.text for piece in pieces)
    last = request.messages[-1]
    if last.role == "assistant":
        return replace(request, messages=(*request.messages[:-1], Message("assistant", last.content + text)))
    return replace(request, messages=(*request.messages, Message("assistant", text)))


def joined(pieces: Sequence[Completion], when_cut: WhenCut) -> Completion:
    """The pieces as one completion: texts joined (continued) or the last one (asked again), tokens of all paid pieces,
    the first piece's prompt."""
    if len(pieces) == 1:
        return pieces[0]
    first, last = pieces[0], pieces[-1]
    if last.finish_reason == "error":  # what there is of the answer is worth more than the error
        whole = first if when_cut == "reask" else joined(pieces[:-1], when_cut)
        return replace(whole, error=f"cut, and not continued: {last.error}")
    continued = when_cut == "continue"
    return replace(
        last,
        key=first.key,
        text="".join(piece.text for piece in pieces) if continued else last.text,
        reasoning="".join(piece.reasoning for piece in pieces) if continued else last.reasoning,
        prompt_tokens=first.prompt_tokens,
        completion_tokens=_total(piece.completion_tokens for piece in (pieces if continued else [last])),
        reasoning_tokens=_total(piece.reasoning_tokens for piece in (pieces if continued else [last])),
        mean_logprob=_mean(pieces) if continued else last.mean_logprob,
        latency_s=sum(piece.latency_s or 0.0 for piece in pieces),
        cached=all(piece.cached for piece in pieces),
        attempts=sum(piece.attempts for piece in pieces),
        unread=sum(piece.unread for piece in pieces),
        parts=tuple(piece.request_id for piece in pieces),
    )


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _mean(pieces: Sequence[Completion]) -> float | None:
    """Mean log-probability over the tokens of all pieces; None if one of them does not say."""
    total = weight = 0.0
    for piece in pieces:
        if piece.mean_logprob is None or not piece.completion_tokens:
            return None
        total += piece.mean_logprob * piece.completion_tokens
        weight += piece.completion_tokens
    return total / weight if weight else None


class Whole(Around):
    """An engine whose cut answers are made whole, in rounds: first all requests, then those that were cut, and so on.

    Args:
        engine: who answers; with a store, so that each piece is kept.
        when_cut: `continue` or `reask`.
        rounds: most follow-ups of one answer.
        factor: how much larger the limit of each further asking is, for `reask`.
    """

    streams = False  # a cut answer is held back until all others have come

    def __init__(self, engine: Engine, when_cut: WhenCut, rounds: int = 2, factor: float = 2.0) -> None:
        if when_cut == "reask" and factor <= 1:
            raise EngineError(
                f"asking again with {factor} times the limit cannot give a longer answer: expected more than 1"
            )
        super().__init__(engine)
        self.when_cut = when_cut
        self.rounds = rounds
        self.factor = factor

    @property
    def identity(self) -> dict[str, Any]:
        """The wrapped engine's, and how cut answers are treated."""
        return {**self.engine.identity, "when_cut": self.when_cut, "rounds": self.rounds, "factor": self.factor}

    def with_model(self, model: Model) -> Whole:
        return Whole(self.engine.with_model(model), self.when_cut, self.rounds, self.factor)

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """See `Engine.complete`. Only cut answers are held back, until they are whole or `rounds` are over."""
        asked: dict[str, tuple[Request, list[Completion]]] = {}
        open_requests: dict[str, Request] = {}

        def named() -> Iterator[Request]:
            for serial, request in enumerate(requests):
                open_requests[str(serial)] = request
                yield replace(request, key=str(serial))

        source: Iterable[Request] = named()
        for turn in range(self.rounds + 1):
            follow: list[Request] = []
            for completion in self.engine.complete(source):
                request = open_requests.pop(completion.key)
                first, pieces = asked.pop(completion.key, (request, []))
                pieces.append(completion)
                if completion.finish_reason == "length" and turn < self.rounds and self.when_cut != "keep":
                    larger = round(first.sampling.max_new_tokens * self.factor ** (turn + 1))
                    again = next_request(first, pieces, self.when_cut, larger)
                    asked[completion.key] = (first, pieces)
                    open_requests[completion.key] = first
                    follow.append(replace(again, key=completion.key))
                else:
                    yield replace(joined(pieces, self.when_cut), key=first.key)
            if not follow:
                return
            source = follow
