"""Thoughts of a chosen length: a budget that still leaves room for the answer, a minimum length, sweeps.

A draw is made of pieces, each a request of its own, so that the completion store keeps each. When the budget ends a
thought, its answer is forced by a short continuation; a thought that ends too early is made to continue. Both are exact
for each question, whatever else is in the batch. A sweep asks for the answer at several budgets along the way; each
larger budget continues from the smaller one's text, so it costs only the difference. A thought that is kept from an
earlier run, cut at a smaller budget, is continued too. Where the context is full before the budget is spent, the end of
the thought makes room for the answer.

A server that cannot continue an answer, and a model that thinks unseen (it would think anew), is asked once, with the
largest budget, hidden thought included. What it would have said within a smaller one follows from where it ended.

Sources: budget forcing and the word that makes a thought go on (s1, Muennighoff et al. 2025, arXiv 2501.19393); budgets
for medical reasoning (m1, arXiv 2504.00869).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal, Self

from pydantic import Field, model_validator

from medo1.engines.base import Completion, Engine, FinishReason, Message, Request
from medo1.lineage.digests import seed_from
from medo1.parameters import Parameters
from medo1.vocabulary import Outcome

logger = logging.getLogger(__name__)

REPLACEMENT = "\ufffd"  # what a cut within a character leaves
# What engines say of a prompt that does not fit: the transformers engine, vLLM, api.openai.com.
OVERLONG = re.compile(
    r"the model's context \d+$|maximum (?:context|model) length|context_length_exceeded|longer than the maximum model",
    re.IGNORECASE,
)


class ThinkingSpec(Parameters):
    """How long a thought may be and must be."""

    max_new_tokens: int = Field(
        default=8192, gt=0, description="the thinking budget; paper: not published; m1 finds its best near 4,000"
    )
    budgets: tuple[int, ...] = Field(
        default=(),
        description="smaller thinking budgets at which the greedy thought must also give an answer; m1: 128 up",
    )
    answer_tokens: int = Field(
        default=32,
        ge=0,
        description="tokens for the answer that is forced when the budget ends a thought; 0: no answer is forced",
    )
    answer_cue: str = Field(
        default="\nFinal answer:", min_length=1, description="text appended to a truncated thought to elicit its answer"
    )
    min_thinking_tokens: int = Field(
        default=0,
        ge=0,
        description="a thought that ends before this many tokens is made to continue; paper: none, as 0",
    )
    continue_word: str = Field(
        default="\nWait,",
        min_length=1,
        description="text appended to make a thought continue, as in s1; m1 found that it does not help",
    )
    most_waits: int = Field(default=2, ge=0, description="most times that a thought is made to continue")

    @model_validator(mode="after")
    def _budgets_are_smaller_and_rise(self) -> Self:
        if list(self.budgets) != sorted(set(self.budgets)) or any(budget < 1 for budget in self.budgets):
            raise ValueError(f"budgets must rise and be 1 or more; found {list(self.budgets)}")
        if self.budgets and self.budgets[-1] >= self.max_new_tokens:
            raise ValueError(
                f"budgets must be smaller than max_new_tokens ({self.max_new_tokens}), which is the last budget by "
                f"itself; found {self.budgets[-1]}"
            )
        if self.budgets and not self.answer_tokens:
            raise ValueError("budgets need answer_tokens: at each budget the answer is asked for")
        if self.min_thinking_tokens >= self.max_new_tokens:
            raise ValueError(
                f"min_thinking_tokens ({self.min_thinking_tokens}) must be smaller than max_new_tokens "
                f"({self.max_new_tokens})"
            )
        return self

    @property
    def asked_once(self) -> ThinkingSpec:
        """The same where nothing can be continued: one request with the largest budget; its answer stands as it is."""
        return self.model_copy(update={"budgets": (), "answer_tokens": 0, "min_thinking_tokens": 0})

    @property
    def all_budgets(self) -> tuple[int, ...]:
        """The smaller budgets and the one that ends the thought."""
        return (*self.budgets, self.max_new_tokens)


@dataclass(frozen=True, slots=True)
class Generation:
    """A draw that is done.

    Attributes:
        key: the request's key.
        budget: the thinking budget that it had.
        swept: its thought went on to a larger budget; this is the answer that was asked for on the way.
        text: thought and answer, with whatever was put between them.
        status: `finished` (the model ended it), `forced` (its budget or the model's context ended its thought, and its
            answer was asked for unless it stood there already), `cut` (and not asked for), `cut_by_context` (the same,
            by the context), `empty`, `overlong_prompt`, `filtered`, `error`.
        finish_reason: of its last piece; `stop` where a cut thought states its answer and is taken as it stands.
        prompt_tokens: of the question. completion_tokens: all that were generated; `answer_tokens` of them in a forced
            answer, `reasoning_tokens` in a thought that the server returns separately.
        waits: how often it was made to continue.
        mean_logprob, self_certainty, confidence: means over all tokens. lowest_confidence: the lowest of any piece.
        request_ids: of its pieces, in order.
        error: the reason, for `error`, `overlong_prompt` and `filtered`, or why a truncated thought was not continued.
    """

    key: str
    budget: int
    swept: bool
    text: str
    status: Outcome
    finish_reason: FinishReason
    prompt_tokens: int | None
    completion_tokens: int | None
    answer_tokens: int
    reasoning_tokens: int | None
    waits: int
    mean_logprob: float | None
    self_certainty: float | None
    confidence: float | None
    lowest_confidence: float | None
    request_ids: tuple[str, ...]
    error: str | None


def generations(
    engine: Engine,
    asked: Iterable[tuple[Request, ThinkingSpec]],
    passed: Callable[[Iterable[Completion]], Iterable[Completion]] = lambda completions: completions,
    states: Callable[[Request, str], bool] = lambda request, text: False,
) -> Iterator[Generation]:
    """What each request comes to; one generation for each of its budgets that the thought reached, shortest first.

    A thought that ends within a smaller budget comes once, with that budget: larger ones would give the same.

    Args:
        engine: who answers.
        asked: one request a draw, keys unique, and how long its thought may be; its `max_new_tokens` is replaced.
        passed: every completion passes through it, for counting.
        states: whether a thought, as far as it has come, states its answer; then it keeps that one when it is cut.
    """
    draws = {request.key: _Draw(request, spec, states) for request, spec in asked}
    if engine.continues is False:
        draws = {key: draw.once for key, draw in draws.items()}
    waiting = [draw.begin() for draw in draws.values()]
    held: list[_Piece] = []
    if engine.continues is None and any(draw.spec.budgets for draw in draws.values()):
        waiting, held = waiting[:1], waiting[1:]  # the first answer shows whether thoughts can be continued
    full = 0
    while waiting:
        waiting = _resumed(engine, waiting)
        pieces = {str(place): piece for place, piece in enumerate(waiting)}
        named = (replace(piece.request, key=name) for name, piece in pieces.items())
        waiting, hidden = [], False
        for completion in passed(engine.complete(named)):
            piece = pieces[completion.key]
            key = piece.request.key
            ended_by_context = completion.finish_reason == "length" and _short_of_room(completion, piece.request)
            asks = piece.kind == "thought" and draws[key].spec.answer_tokens > 0
            full += asks and ended_by_context and not _hides(completion)
            if piece.kind == "thought" and _hides(completion):
                again = completion.finish_reason == "length" and piece.stage + 1 < len(draws[key].spec.all_budgets)
                hidden, draws[key] = True, draws[key].once
                if again:  # there is nothing to continue: asked once more, with the largest budget
                    waiting.append(draws[key].begin())
                    continue
                piece = replace(piece, stage=0)
            done, more = draws[key].take(piece, completion)
            yield from done
            waiting.extend(more)
        if held and hidden:
            draws |= {piece.request.key: draws[piece.request.key].once for piece in held}
            held = [draws[piece.request.key].begin() for piece in held]
        waiting, held = [*waiting, *held], []
    if full:
        logger.warning("thoughts that filled the model's context: %d; their last words give way to the answer", full)


def _resumed(engine: Engine, pieces: Sequence[_Piece]) -> list[_Piece]:
    """The pieces, those of which a part is kept from an earlier run cut down to that part: it is not paid again."""
    thoughts = [piece.request for piece in pieces if piece.kind == "thought"]
    limits = iter(
        engine.kept_limits(thoughts) if thoughts and engine.continues is not False else [None] * len(thoughts)
    )
    return [piece.within(next(limits)) if piece.kind == "thought" else piece for piece in pieces]


def _hides(completion: Completion) -> bool:
    """Whether the model thought unseen: such a thought cannot be continued."""
    return bool(completion.reasoning_tokens or (completion.reasoning and completion.written is None))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A request of a draw: a part of its thought, or the answer that ends it.

    Attributes:
        stage: which of the budgets. left: what it leaves for the thought; the request may ask for a part of that.
        full: the model's context ended the thought.
        kind: `thought`, `answer` (the thought came to it), `forced` (its budget ended).
        thought: the text before it, without what was put in to get this piece. said: with it.
        before: the pieces before it. waits: how often the thought was told to go on.
    """

    request: Request
    stage: int
    kind: Literal["thought", "answer", "forced"]
    thought: str
    said: str
    before: tuple[Completion, ...]
    waits: int
    left: int = 0
    full: bool = False

    def within(self, limit: int | None) -> _Piece:
        """The same, asked for no more than this."""
        if limit is None:
            return self
        sampling = replace(self.request.sampling, max_new_tokens=limit)
        return replace(self, request=replace(self.request, sampling=sampling))


@dataclass(frozen=True, slots=True)
class _Draw:
    """One draw: what is asked next, and what it has come to."""

    request: Request
    spec: ThinkingSpec
    states: Callable[[Request, str], bool]

    @property
    def once(self) -> _Draw:
        """The same where nothing can be continued."""
        return replace(self, spec=self.spec.asked_once)

    def begin(self) -> _Piece:
        """The first piece. Where the request's last turn is the assistant's, the thought begins with it."""
        return self._thinking(0, self._begun, self._begun, (), 0)

    @property
    def _begun(self) -> str:
        last = self.request.messages[-1]
        return last.content if last.role == "assistant" else ""

    def take(self, piece: _Piece, completion: Completion) -> tuple[list[Generation], list[_Piece]]:
        """After a piece has come back: what is done, and what to ask next."""
        said = piece.said + completion.whole_text
        pieces = (*piece.before, completion)
        if completion.finish_reason == "error" and piece.before:  # what there is of the thought is kept
            return [self._generation(piece, piece.before, piece.thought, completion.error)], []
        if piece.kind != "thought" or completion.finish_reason in ("error", "content_filter"):
            return [self._generation(piece, pieces, said)], []
        if completion.finish_reason == "length":
            return self._cut(piece, pieces, said)
        return self._ended(piece, pieces, said)

    def _cut(self, piece: _Piece, pieces: tuple[Completion, ...], said: str) -> tuple[list[Generation], list[_Piece]]:
        """The budget is spent, or the model's context is."""
        full = _short_of_room(pieces[-1], piece.request)
        if piece.request.sampling.max_new_tokens < piece.left and not full:  # a part that was kept: its budget goes on
            return [], [self._thinking(piece.stage, said, said, pieces, piece.waits)]
        if not self.spec.answer_tokens:
            return [self._generation(piece, pieces, said)], []
        said = said.rstrip(REPLACEMENT)
        larger = piece.stage + 1 < len(self.spec.all_budgets) and not full
        more = [self._thinking(piece.stage + 1, said, said, pieces, piece.waits)] if larger else []
        if self.states(self.request, said):  # asked again, it would state two
            stated = self._generation(piece, pieces, said)
            return [replace(stated, status="forced", finish_reason="stop", swept=larger)], more
        if full:
            said = _with_room(said, pieces, self.spec)
        answering = self._answering("forced", piece.stage, said, pieces, piece.waits)
        return [], [replace(answering, full=full), *more]

    def _ended(self, piece: _Piece, pieces: tuple[Completion, ...], said: str) -> tuple[list[Generation], list[_Piece]]:
        """The model ended the thought; with a minimum, its answer is still to come."""
        if not self.spec.min_thinking_tokens:
            return [self._generation(piece, pieces, said)], []
        if _spent(pieces) < self.spec.min_thinking_tokens and piece.waits < self.spec.most_waits:
            going_on = said.rstrip() + self.spec.continue_word
            return [], [self._thinking(piece.stage, said, going_on, pieces, piece.waits + 1)]
        return [], [self._answering("answer", piece.stage, said, pieces, piece.waits)]

    def _thinking(self, stage: int, thought: str, said: str, before: tuple[Completion, ...], waits: int) -> _Piece:
        left = self.spec.all_budgets[stage] - _spent(before)
        # With a minimum, the thought is stopped where its answer begins: what comes before that can be continued.
        stop = (self.spec.answer_cue.strip(),) if self.spec.min_thinking_tokens else ()
        return _Piece(self._asking(said, before, left, stop), stage, "thought", thought, said, before, waits, left)

    def _answering(
        self, kind: Literal["answer", "forced"], stage: int, thought: str, before: tuple[Completion, ...], waits: int
    ) -> _Piece:
        said = thought.rstrip() + self.spec.answer_cue
        asking = self._asking(said, before, max(1, self.spec.answer_tokens), ())
        return _Piece(asking, stage, kind, thought, said, before, waits)

    def _asking(self, said: str, before: tuple[Completion, ...], tokens: int, stop: tuple[str, ...]) -> Request:
        request = self.request
        seed = request.seed
        if before and seed is not None:
            seed = seed_from(seed, "piece", len(before))
        return replace(
            request,
            messages=(*self._asked_turns, Message("assistant", said)) if said else request.messages,
            sampling=replace(request.sampling, max_new_tokens=tokens, stop=(*request.sampling.stop, *stop)),
            seed=seed,
        )

    @property
    def _asked_turns(self) -> tuple[Message, ...]:
        return self.request.messages[:-1] if self._begun else self.request.messages

    def _generation(
        self, piece: _Piece, pieces: Sequence[Completion], text: str, error: str | None = None
    ) -> Generation:
        last = pieces[-1]
        answered = piece.kind != "thought" and error is None
        thought = [one.reasoning_tokens for one in pieces if one.reasoning_tokens is not None]
        counts = [one.completion_tokens for one in pieces]
        lowest = [one.lowest_confidence for one in pieces if one.lowest_confidence is not None]
        return Generation(
            key=self.request.key,
            budget=self.spec.all_budgets[piece.stage],
            swept=piece.kind == "forced" and piece.stage + 1 < len(self.spec.all_budgets) and not piece.full,
            text=text,
            status=_status(piece, last, text, answered=answered),
            finish_reason=last.finish_reason,
            prompt_tokens=pieces[0].prompt_tokens,
            completion_tokens=None if None in counts else sum(count or 0 for count in counts),
            answer_tokens=(last.completion_tokens or 0) if answered else 0,
            reasoning_tokens=sum(thought) if thought else None,
            waits=piece.waits,
            mean_logprob=_mean(pieces, "mean_logprob"),
            self_certainty=_mean(pieces, "self_certainty"),
            confidence=_mean(pieces, "confidence"),
            lowest_confidence=min(lowest) if lowest else None,
            request_ids=tuple(one.request_id for one in pieces),
            error=error or last.error,
        )


def _status(piece: _Piece, last: Completion, text: str, *, answered: bool) -> Outcome:
    """What became of a draw. A forced answer that was itself cut is still one: the reader decides what it states."""
    if last.finish_reason == "error":
        return "overlong_prompt" if OVERLONG.search(last.error or "") else "error"
    if last.finish_reason == "content_filter":
        return "filtered"
    if not text.strip():
        return "empty"
    if answered:
        return "forced" if piece.kind == "forced" else "finished"
    if last.finish_reason == "length":
        return "cut_by_context" if _short_of_room(last, piece.request) else "cut"
    return "finished"


def _short_of_room(completion: Completion, request: Request) -> bool:
    """Whether it was cut before it had the tokens that it was asked with: then the context was full."""
    count = completion.completion_tokens
    return count is not None and count < request.sampling.max_new_tokens


def _with_room(said: str, pieces: Sequence[Completion], spec: ThinkingSpec) -> str:
    """A thought without its last words, so that cue and answer fit into the model's context, by its mean token."""
    letters = max(1.0, len(said) / max(1, _spent(pieces)))
    needed = spec.answer_tokens * letters + len(spec.answer_cue) + 4 * letters  # and a few tokens for where they split
    kept = said[: max(0, len(said) - ceil(needed))]
    return kept if kept.endswith((" ", "\n")) else kept[: max(kept.rfind(" "), kept.rfind("\n"), 0)]


def _spent(pieces: Iterable[Completion]) -> int:
    return sum(piece.completion_tokens or 0 for piece in pieces)


def _mean(pieces: Sequence[Completion], name: str) -> float | None:
    """The mean over the tokens of all pieces; None where one of them does not say."""
    values = [getattr(piece, name) for piece in pieces]
    weights = [piece.completion_tokens or 0 for piece in pieces]
    if any(value is None for value in values) or not sum(weights):
        return None
    return sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights)
