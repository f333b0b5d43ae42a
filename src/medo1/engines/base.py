"""The contract of engines: what turns requests into completions.

An engine takes requests and yields completions in the order in which they finish, so that each can be stored as soon as
it exists. It never raises for one bad request: that one comes back with `finish_reason="error"` and the reason. It
raises `EngineError` when nothing can be answered at all (no server, wrong model, no key).
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Any, ClassVar, Literal, Self

from medo1.errors import UserError

SERVED_WITH = "medo1_adapter.json"  # beside an adapter: how it is asked (`chat_template_kwargs`, stop tokens)
Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "content_filter", "error"]


class EngineError(UserError):
    """The engine cannot answer anything: the text says what was found, what was expected and what to do."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation. A last turn by the assistant is continued rather than answered."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a completion is drawn. `stop` texts end a completion and are not part of it.

    Attributes:
        temperature: 0 is greedy.
        top_p: only the likeliest tokens that together have this probability; 1 for all.
        top_k: only so many of the likeliest tokens; 0 for all.
        min_p: only tokens with at least this share of the likeliest one's probability; 0 for all.
        repetition_penalty: logits of tokens that stand in the prompt or the answer are divided by it where they are
            positive, multiplied where negative (Keskar et al. 2019, arXiv 1909.05858); 1 for none. Greedy answers too.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    max_new_tokens: int = 1024
    stop: tuple[str, ...] = ()
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0


def beyond_top_p(sampling: Sampling) -> dict[str, float]:
    """Those settings that not every server knows, where they are set."""
    unset = Sampling()
    names = ("top_k", "min_p", "repetition_penalty")
    return {name: getattr(sampling, name) for name in names if getattr(sampling, name) != getattr(unset, name)}


@dataclass(frozen=True, slots=True)
class Model:
    """A base model.

    Attributes:
        name: a hub id, or what the directory is called.
        path: the directory of its files; None for a hub id.
        revision: of a hub id the commit; of a directory the digest of its files, where it is known already.
    """

    name: str
    path: Path | None = None
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter: the name that a server knows it by, its directory, and the digest of its files.

    `chat_template_kwargs` are the arguments of the chat template that it was trained with, as the text of a JSON
    object; engines render its prompts with them.
    """

    name: str
    path: Path
    digest: str
    chat_template_kwargs: str = "{}"

    @property
    def template_arguments(self) -> dict[str, Any]:
        """`chat_template_kwargs` as values."""
        found: dict[str, Any] = json.loads(self.chat_template_kwargs)
        return found


@dataclass(frozen=True, slots=True)
class Request:
    """One completion asked for.

    Attributes:
        key: the caller's name for it; comes back in the completion, is no part of the request's identity.
        messages: the conversation.
        sampling: how to draw.
        sample: which of several draws of the same messages this is, from 0.
        seed: seed of this draw (see `medo1.lineage.digests.seed_from`); None where the engine may choose.
        adapter: the adapter that answers; None for the base model.
        prompt_ids: the tokens of the whole prompt, where an engine rendered the conversation itself. No part of what is
            asked.
        may_retry: asked before a sending that follows one which may have been billed; False ends the attempts. No part
            of what is asked.
    """

    key: str
    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    sample: int = 0
    seed: int | None = None
    adapter: Adapter | None = None
    prompt_ids: tuple[int, ...] | None = field(default=None, compare=False, repr=False)
    may_retry: Callable[[], bool] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Completion:
    """What came back for one request.

    Attributes:
        key: the request's key.
        text: the completion, special tokens removed; empty where there was none.
        finish_reason: `stop` (the model ended it), `length` (truncated, or not known to be complete), `content_filter`,
            or `error`.
        prompt_tokens, completion_tokens: as counted by the engine; None where it does not say.
        mean_logprob: mean log-probability of the completion's tokens in nats; None where not offered.
        self_certainty: mean over its tokens of how far the model's distribution was from the uniform one, in nats (Kang
            et al. 2025); of a server that shows the likeliest tokens only, the same over these; None without either.
        confidence: mean over its tokens of -log p over the 20 likeliest tokens (DeepConf, Fu et al. 2025).
        lowest_confidence: the lowest mean of the same over any tenth of the completion.
        latency_s: seconds from sending to having it.
        model: the model's name as the engine returned it.
        cached: it came from the completion store and nothing was sent.
        request_id: the request's content address in the completion store; links a table's row to what was paid for it.
        error: the reason, for `finish_reason="error"`; of another completion what was odd about it.
        reasoning: the model's own thought: what the server returns separately from the text, and what was in the text
            between marks of thinking.
        reasoning_tokens: those of `completion_tokens` that went into thought; None where not reported.
        cached_prompt_tokens: those of `prompt_tokens` that the provider had cached; None where not reported.
        shared: how many draws came back from the one sending of the prompt that this one came from.
        attempts: how often the request was sent; `unread` of these may have been billed although no answer was read
            (a timeout, a connection lost in mid-answer, an answer that could not be understood).
        unusable: how many of these were answers that came whole and could not be used (no text, no JSON).
        unseen_prompt_tokens, unseen_completion_tokens: what must be taken as billed beyond the counts above: for
            sendings without a usable answer, and where the server does not say what it counted.
        written: the text as the model wrote it, where it held its thought too; None where `text` is all of it. A
            continuation starts from it.
        parts: request ids of the answers that were joined to make this one, where it was cut and continued.
    """

    key: str
    text: str
    finish_reason: FinishReason
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    mean_logprob: float | None = None
    self_certainty: float | None = None
    confidence: float | None = None
    lowest_confidence: float | None = None
    latency_s: float | None = None
    model: str = ""
    cached: bool = False
    request_id: str = ""
    error: str | None = None
    reasoning: str = ""
    reasoning_tokens: int | None = None
    cached_prompt_tokens: int | None = None
    shared: int = 1
    attempts: int = 1
    unread: int = 0
    unusable: int = 0
    unseen_prompt_tokens: int = 0
    unseen_completion_tokens: int = 0
    written: str | None = None
    parts: tuple[str, ...] = ()

    @property
    def whole_text(self) -> str:
        """The text as the model wrote it, thought included where that stood in it."""
        return self.text if self.written is None else self.written


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast an engine may be asked; None where its configuration sets no limit."""

    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None

    def seconds(self, requests: int, tokens: int) -> float:
        """The least time that these requests and tokens take within the rate limits; 0 without limits."""
        return 60 * max(
            requests / self.requests_per_minute if self.requests_per_minute else 0.0,
            tokens / self.tokens_per_minute if self.tokens_per_minute else 0.0,
        )


class Engine(ABC):
    """What turns requests into completions. Used as a context manager, or closed by its creator.

    Attributes:
        streams: requests are taken one at a time, in a thread of its own, as backpressure allows, and completions come
            meanwhile. So `requests` may be a generator that waits for earlier completions. An engine that takes a whole
            batch before it answers says False, and would wait for such a generator for ever.
        charges: whether somebody may want money for an answer: true of whatever is asked over a network.
        price_factor: what the provider charges for this way of asking, as a share of its list price (Batch API: 0.5).
        tries: how often a request is sent whose answers come whole and cannot be used, over all runs; 0 for no limit.
        sendings_unasked: how often a request may be sent, and billed, without `Request.may_retry` being asked.
        continues: whether a conversation that ends in the assistant's turn is continued from where it stands; None
            where the model behind it may think unseen, which only its answers show.
        answer_options, other_options: the names of the constructor's options, by whether an answer can depend on them.
            Those that it can depend on are part of the identity; an option that is in neither set is a fault.
        earlier_options: names that options had before, in catalogs, and what they are called now; None where there is
            nothing to choose any more.
    """

    streams: bool = False
    charges: bool = False
    price_factor: float = 1.0
    tries: int = 0
    sendings_unasked: int = 1
    continues: bool | None = True
    earlier_options: ClassVar[Mapping[str, str | None]] = {}
    answer_options: ClassVar[frozenset[str]] = frozenset()
    other_options: ClassVar[frozenset[str]] = frozenset()

    @property
    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What this engine is, as JSON values without secrets: kind, model, revision, endpoint. Part of every
        request's identity and of lineage: two engines that could answer differently have different identities.

        Raises:
            EngineError: the model cannot be identified.
        """

    def earlier_identity(self, *, continued: bool) -> dict[str, Any] | None:
        """The identity under which earlier versions of medo1 kept this engine's answers, where it differs and tells
        this engine from every other that could answer differently; else None.

        Args:
            continued: of requests whose conversation ends in the assistant's turn, or of all others.
        """
        return None

    @abstractmethod
    def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
        """Answer each request once, in the order in which answers are ready; in lists of what became ready together,
        so that a store can commit them together.

        Args:
            requests: what to answer.
            stop: when it is set nothing more is sent, and what is in flight is still yielded. An engine to which this
                means nothing may ignore it.

        Raises:
            EngineError: when nothing can be answered at all.
        """

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """As `batches`, one completion at a time. Leaving the iterator early cancels what is in flight."""
        batches = self.batches(requests)
        try:
            for batch in batches:
                yield from batch
        finally:
            if isinstance(batches, Generator):  # at once, not when the garbage collector comes by
                batches.close()

    def stream(self, request: Request, told: Callable[[str], None]) -> Completion:
        """Answer one request, handing its text to `told` piece by piece as it is written: joined, the pieces are the
        completion's `whole_text`. An engine that cannot stream returns the complete text at the end."""
        [completion] = self.complete([request])
        if completion.whole_text:
            told(completion.whole_text)
        return completion

    def kept_limits(self, requests: Sequence[Request]) -> list[int | None]:
        """Of each request the largest smaller `max_new_tokens` under which it is kept as an answer that was cut there,
        so that it can be continued; None where there is none, or where the request itself is kept."""
        return [None] * len(requests)

    def with_model(self, model: Model) -> Engine:
        """This engine, serving `model`. Engines whose configuration already names a model return themselves."""
        return self

    @property
    def pace(self) -> Pace:
        """The limits that its configuration sets."""
        return Pace()

    def check(self) -> None:  # noqa: B027  (most engines need nobody)
        """Look whether it can answer, without asking for anything that is paid.

        Raises:
            EngineError: nothing answers there, the key is refused, or the model is gone.
        """

    def close(self) -> None:  # noqa: B027  (most engines hold nothing)
        """Give back what the engine holds (a server, memory, connections). Closing twice is harmless."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Around(Engine):
    """An engine in front of another: what it does not change is the other's.

    Args:
        engine: who answers in the end.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def around(self, engine: Engine) -> Self:
        """The same wrapper in front of another engine. A wrapper with options of its own hands them on here."""
        return type(self)(engine)

    @property
    def streams(self) -> bool:  # type: ignore[override]
        return self.engine.streams

    @property
    def charges(self) -> bool:  # type: ignore[override]
        return self.engine.charges

    @property
    def price_factor(self) -> float:  # type: ignore[override]
        return self.engine.price_factor

    @property
    def tries(self) -> int:  # type: ignore[override]
        return self.engine.tries

    @property
    def sendings_unasked(self) -> int:  # type: ignore[override]
        return self.engine.sendings_unasked

    @property
    def continues(self) -> bool | None:  # type: ignore[override]
        return self.engine.continues

    def kept_limits(self, requests: Sequence[Request]) -> list[int | None]:
        return self.engine.kept_limits(requests)

    @property
    def identity(self) -> dict[str, Any]:
        return self.engine.identity

    def earlier_identity(self, *, continued: bool) -> dict[str, Any] | None:
        return self.engine.earlier_identity(continued=continued)

    def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
        return self.engine.batches(requests, stop)

    def stream(self, request: Request, told: Callable[[str], None]) -> Completion:
        return self.engine.stream(request, told)

    def with_model(self, model: Model) -> Self:
        engine = self.engine.with_model(model)
        return self if engine is self.engine else self.around(engine)

    @property
    def pace(self) -> Pace:
        return self.engine.pace

    def check(self) -> None:
        self.engine.check()

    def close(self) -> None:
        self.engine.close()
