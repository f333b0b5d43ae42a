"""The `openai` engine: any endpoint that speaks the OpenAI protocol (api.openai.com, vLLM, a gateway, a fleet).

The openai client holds endpoint, key and headers, and carries files, batches and streams; chat requests go out through
`medo1.engines.http.transport`, which says why.

Threads: an engine has one thread with an event loop, started by the first request. Each call of `batches` takes its
requests in a thread of its own, so a generator of requests may wait for earlier completions.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar
from urllib.parse import urlsplit

from medo1.engines.base import Completion, Engine, EngineError, Pace, Request, beyond_top_p
from medo1.engines.http.chat import Dialect, Extras, chat_body, first_dialect
from medo1.engines.http.failures import Failure
from medo1.engines.http.fleet import Fleet
from medo1.engines.http.responses import ResponseError, completions_of_events
from medo1.engines.http.secrets import (
    SecretMask,
    api_key,
    query_identity,
    secrets_named,
    secrets_of_url,
    secrets_within,
    without_secrets,
)
from medo1.engines.http.sending import Call, Sender, SendingLimits
from medo1.engines.http.transport import Transport
from medo1.engines.identity import without_texts
from medo1.engines.thought import storable

if TYPE_CHECKING:
    from openai import AsyncOpenAI

OPENAI_URL = "https://api.openai.com/v1"
KNOWS_TOP_P_ALONE = frozenset({"api.openai.com", "openai.azure.com"})  # no top-k, no min-p, no repetition penalty
CHECK_S = 10.0  # for the list of models
OWN_FIELDS = {"model", "messages", "stream", "n", "max_tokens", "max_completion_tokens"}
CREDENTIALS = {"api_key", "organization", "project", "headers"}
T = TypeVar("T")


class OpenAI(Engine):
    """Asks a server that speaks the OpenAI protocol.

    Args:
        model: the model's name at the server.
        base_url: the endpoint, up to and with `/v1`; or a list of endpoints that serve the same model, among which the
            requests are balanced, and of which one that fails is survived.
        credentials: `api_key`, and where needed `organization`, `project`, `headers`; from conf/local/credentials.yml.
        key_env: name of an environment variable with the key, used when `credentials` has none. OPENAI_API_KEY for
            api.openai.com; none for another endpoint unless named here, so that no key reaches a stranger.
        revision: what else tells the served weights apart (a commit, a digest); part of the identity.
        endpoint: a name for the endpoint in the identity, in place of its address; for a server whose port or host
            changes from run to run although what it serves does not. A list of endpoints must be named: what was
            answered stays answered when the list changes.
        concurrency: requests in flight at once, at most.
        requests_per_minute, tokens_per_minute: limits to keep below; None for none. Tokens count the prompt and
            `max_new_tokens`, corrected when the answer says how many there were.
        timeout_s: seconds for one attempt.
        max_attempts: attempts at one request that fail in a way that may have been billed, before it is an error.
        patience_s: seconds for which a refused request (429, overload) is sent again, before it is an error.
        connect_patience_s: seconds without any connection before the engine gives up, when nothing has answered yet.
        tries: sendings of a request, over all runs with one store, whose answers come whole (and are paid) but cannot
            be used: no text, no JSON, a call of a tool; then it is an error. 0 for no limit.
        give_up_after: when this many requests have failed alike and none was answered, the run stops; 0: never.
        n_per_request: draws of the same messages that one sending asks for (`n`); 1 where the server has no `n`.
            With more, only the first draw's seed is sent: the server derives the others.
        reasoning: whether the model is a reasoning model (`max_completion_tokens`, no temperature); None to go by the
            model's name and by what the server refuses.
        reasoning_effort: `minimal`, `low`, `medium`, `high`; None for the server's default.
        logprobs: ask for log-probabilities, for `mean_logprob`; of sampled answers those of the `top_logprobs`
            likeliest tokens too, for `confidence`, `lowest_confidence` and `self_certainty`.
        top_logprobs: see `logprobs`; 0 for the tokens' own only. A server that refuses it is asked without.
        send_seed: send the request's seed.
        continuation: how a conversation that ends in the assistant's turn is handled. `native`: the server continues
            writing it (vLLM's `continue_final_message`); `ask`: a user's turn asks to go on; `refuse`: an error.
        extra_body: further fields of the request's body, for what a server offers beyond the protocol.
        mode: `live`, or `batch` for the Batch API (half price, an answer within a day).
        batch_dir: where submitted batches are remembered, so that a killed run asks for its batch again and not anew;
            needed for `batch`.
        batch_size: requests in one batch, at most. batch_poll_s: seconds between two looks at a batch.
        trust_env: go through the proxy that the environment names (HTTP_PROXY, HTTPS_PROXY, NO_PROXY).
    """

    earlier_options: ClassVar = {"transport": None}
    charges = True
    answer_options = frozenset(
        {"model", "base_url", "revision", "endpoint", "n_per_request", "reasoning", "reasoning_effort", "logprobs",
         "send_seed", "continuation", "extra_body"}
    )  # fmt: skip
    other_options = frozenset(
        {"credentials", "key_env", "concurrency", "requests_per_minute", "tokens_per_minute", "timeout_s",
         "max_attempts", "patience_s", "connect_patience_s", "mode", "batch_dir", "batch_size", "batch_poll_s",
         "trust_env", "tries", "give_up_after", "top_logprobs"}
    )  # fmt: skip

    def __init__(
        self,
        model: str,
        *,
        base_url: str | Sequence[str] = OPENAI_URL,
        credentials: Mapping[str, Any] | None = None,
        key_env: str | None = None,
        revision: str | None = None,
        endpoint: str | None = None,
        concurrency: int = 64,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        timeout_s: float = 600.0,
        max_attempts: int = 6,
        patience_s: float = 1800.0,
        connect_patience_s: float = 10.0,
        tries: int = 2,
        give_up_after: int = 10,
        n_per_request: int = 1,
        reasoning: bool | None = None,
        reasoning_effort: str | None = None,
        logprobs: bool = False,
        top_logprobs: int = 20,
        send_seed: bool = True,
        continuation: Literal["native", "ask", "refuse"] = "refuse",
        extra_body: Mapping[str, Any] | None = None,
        mode: Literal["live", "batch"] = "live",
        batch_dir: str | None = None,
        batch_size: int = 20_000,
        batch_poll_s: float = 30.0,
        trust_env: bool = True,
    ) -> None:
        self.model = model
        self._base_urls = _endpoints(base_url, endpoint, mode)
        base_url = self._base_url = self._base_urls[0]
        self._credentials = dict(credentials or {})
        if unknown := set(self._credentials) - CREDENTIALS:
            known = ", ".join(sorted(CREDENTIALS))
            raise EngineError(
                f"credentials for {without_secrets(base_url)}: unknown {sorted(unknown)}, expected {known}"
            )
        self._key_env = key_env or ("OPENAI_API_KEY" if base_url == OPENAI_URL else None)
        self._endpoint = endpoint or without_secrets(base_url)
        self._query = {} if endpoint else query_identity(base_url)
        self._revision = revision
        if clash := sorted(OWN_FIELDS & set(extra_body or {})):
            raise EngineError(
                f"engine for {self._endpoint}: extra_body sets {', '.join(clash)}, which the engine itself sets"
            )
        for name, value in (
            ("concurrency", concurrency),
            ("n_per_request", n_per_request),
            ("max_attempts", max_attempts),
        ):
            if value < 1:
                raise EngineError(f"engine for {self._endpoint}: {name} is {value}, expected at least 1")
        if mode == "batch" and not batch_dir:
            raise EngineError(f"engine for {self._endpoint}: mode `batch` needs `batch_dir`, to find its batches again")
        self._limits = SendingLimits(
            concurrency=concurrency,
            requests_per_minute=requests_per_minute,
            tokens_per_minute=tokens_per_minute,
            timeout_s=timeout_s,
            max_attempts=max_attempts,
            patience_s=patience_s,
            connect_patience_s=connect_patience_s,
            tries=tries,
            give_up_after=give_up_after,
        )
        self.tries, self.max_attempts = tries, max_attempts
        self._group_size = n_per_request
        self._reasoning = reasoning
        self._extras = Extras(
            reasoning_effort=reasoning_effort,
            logprobs=logprobs,
            top_logprobs=top_logprobs,
            send_seed=send_seed,
            continuation=continuation,
            body=tuple(sorted((extra_body or {}).items())),
        )
        self._mode = mode
        self._batch_dir = batch_dir
        self._batch_size = batch_size
        self._batch_poll_s = batch_poll_s
        self._trust_env = trust_env
        self._mask = self._masking()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: AsyncOpenAI | None = None
        self._clients: list[AsyncOpenAI] = []
        self._transport: Transport | Fleet | None = None
        self._sender: Sender | None = None
        hidden = first_dialect(model, reasoning) != Dialect()
        self.continues = False if continuation == "refuse" or hidden else None
        self.streams = mode == "live"
        self.price_factor = 0.5 if mode == "batch" else 1.0

    def __repr__(self) -> str:
        return f"OpenAI(model={self.model!r}, endpoint={self._endpoint!r}, mode={self._mode!r})"

    @property
    def identity(self) -> dict[str, Any]:
        """Model, endpoint and whatever changes an answer; how fast and how often it asks is not part of it."""
        return self._identity(extra_body=without_texts(dict(self._extras.body)), continuation=self._extras.continuation)

    def earlier_identity(self, *, continued: bool) -> dict[str, Any] | None:
        """See `Engine.earlier_identity`: once, texts in `extra_body` stood in it as they are, and `continuation`,
        `reasoning`, `n_per_request` and the address's query did not."""
        told_apart = self._reasoning is None and self._group_size == 1 and not self._query
        if not told_apart or (continued and self._extras.continuation != "refuse"):
            return None
        earlier = self._identity(extra_body=dict(self._extras.body), continuation="refuse")
        return None if earlier == self.identity else earlier

    def _identity(self, *, extra_body: dict[str, Any], continuation: str) -> dict[str, Any]:
        extras = self._extras
        options: dict[str, Any] = {
            "reasoning_effort": extras.reasoning_effort,
            "logprobs": extras.logprobs or None,
            "send_seed": None if extras.send_seed else False,
            "extra_body": extra_body or None,
            "revision": self._revision,
            "reasoning": self._reasoning,
            "n_per_request": self._group_size if self._group_size > 1 else None,
            "continuation": continuation if continuation != "refuse" else None,
            "query": self._query or None,
        }
        chosen = {name: value for name, value in options.items() if value is not None}
        return {"kind": "openai", "endpoint": self._endpoint, "model": self.model, **chosen}

    def batches(self, requests: Iterable[Request], stop: threading.Event | None = None) -> Iterator[list[Completion]]:
        """See `Engine.batches`."""
        if self._mode == "batch":
            from medo1.engines.http.batch import BatchJobs

            self._start()
            assert self._client is not None
            assert self._batch_dir is not None
            jobs = BatchJobs(
                client=self._client,
                run=self.run,
                directory=self._batch_dir,
                identity=self.identity,
                model=self.model,
                dialect=first_dialect(self.model, self._reasoning),
                extras=self._extras,
                size=self._batch_size,
                poll_s=self._batch_poll_s,
                clean=self._mask.clean,
                max_attempts=self._limits.max_attempts,
                tries=self.tries,
            )
            yield from jobs.batches(requests)
            return
        sender = self._start()
        requests = self._supported(requests) if set(map(_host, self._base_urls)) & KNOWS_TOP_P_ALONE else requests
        call = Call(requests, 2 * self._limits.concurrency + 32, self._group_size, sender, stop)
        call.start()
        try:
            yield from call.batches()
        finally:
            call.stopped = True
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(sender.stop, call)

    def _supported(self, requests: Iterable[Request]) -> Iterator[Request]:
        """The requests as they come.

        Raises:
            EngineError: one is to be drawn in a way that the endpoint does not know; it would draw it in another.
        """
        for request in requests:
            if unknown := beyond_top_p(request.sampling):
                raise EngineError(
                    f"engine for {self._endpoint}: it knows no {', '.join(unknown)}; leave it out for this arm "
                    "(arms.<name>.draws), or ask a server that does (vLLM, SGLang, the transformers engine)"
                )
            yield request

    def stream(self, request: Request, told: Callable[[str], None]) -> Completion:
        """See `Engine.stream`. A server that does not stream properly is asked for the complete text."""
        if (
            self._mode == "live"
            and request.prompt_ids is None
            and (request.messages[-1].role != "assistant" or self._extras.continuation != "refuse")
        ):
            sender = self._start()
            body = chat_body([request], self.model, sender.dialect, self._extras)
            completion = self.run(self._streamed(request, body, told))
            if completion is not None:
                return completion
        return super().stream(request, told)

    async def _streamed(self, request: Request, body: dict[str, Any], told: Callable[[str], None]) -> Completion | None:
        """The completion, told piece by piece; None when the stream could not be opened."""
        from openai import APIError

        assert self._client is not None
        began = time.monotonic()
        events: list[dict[str, Any]] = []
        named = {name: body.pop(name) for name in ("model", "messages")}
        try:
            chunks = await self._client.chat.completions.create(
                **named, stream=True, stream_options={"include_usage": True}, extra_body=body
            )
        except (APIError, ValueError):
            return None  # a refusal, a limit, no connection: what `batches` knows how to deal with
        try:
            async for chunk in chunks:
                event = chunk.model_dump(mode="json", exclude_none=True, warnings=False)
                events.append(event)
                for choice in event.get("choices") or ():
                    if isinstance(piece := (choice.get("delta") or {}).get("content"), str):
                        told(storable(piece))
            return completions_of_events([request], events, time.monotonic() - began)[0]
        except (APIError, ValueError, ResponseError) as broken:
            if not events:
                return None  # a server that knows no streams, and answered as if none had been asked for
            text = self._mask.clean(f"the stream broke off: {broken}")
            return Completion(request.key, "", "error", error=text, latency_s=time.monotonic() - began, unread=1)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the engine's loop and wait for it."""
        self._start()
        assert self._loop is not None
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _start(self) -> Sender:
        with self._lock:
            if self._sender is not None:
                return self._sender
            key = api_key(self._credentials, self._key_env, self._endpoint, required=self._base_url == OPENAI_URL)
            self._mask = self._masking(key)
            ready: threading.Event = threading.Event()
            self._loop = _new_loop()
            self._thread = threading.Thread(target=self._live, args=(ready,), name="medo1-openai", daemon=True)
            self._thread.start()
            ready.wait()
            try:
                future = asyncio.run_coroutine_threadsafe(self._open(key), self._loop)
                self._sender = future.result()
            except BaseException:
                self._stop_loop()
                raise
            return self._sender

    def _live(self, ready: threading.Event) -> None:
        assert self._loop is not None
        asyncio.set_event_loop(self._loop)
        self._loop.call_soon(ready.set)
        self._loop.run_forever()

    def _masking(self, *more: str) -> SecretMask:
        return SecretMask(
            [
                *secrets_within(self._credentials),
                *chain.from_iterable(map(secrets_of_url, self._base_urls)),
                *secrets_named(dict(self._extras.body)),
                *more,
            ]
        )

    async def _open(self, key: str) -> Sender:
        try:
            transports = [(without_secrets(url), self._transport_to(url, key)) for url in self._base_urls]
        except (
            ValueError,
            ImportError,
        ) as error:  # the latter: a proxy of a kind that the openai client has no code for
            raise EngineError(f"engine for {self._endpoint}: {self._mask.clean(str(error))}") from None
        self._client = self._clients[0]
        self._transport = transports[0][1] if len(transports) == 1 else Fleet(transports)
        dialect = first_dialect(self.model, self._reasoning)
        clean = self._mask.clean
        return Sender(
            transport=self._transport,
            model=self.model,
            dialect=dialect,
            extras=self._extras,
            limits=self._limits,
            endpoint=self._endpoint,
            clean=clean,
        )

    def _transport_to(self, url: str, key: str) -> Transport:
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient

        client = AsyncOpenAI(
            api_key=key,
            base_url=url,
            organization=self._credentials.get("organization"),
            project=self._credentials.get("project"),
            default_headers=self._credentials.get("headers"),
            max_retries=0,
            timeout=self._limits.timeout_s,
            http_client=None if self._trust_env else DefaultAsyncHttpxClient(trust_env=False),
        )
        self._clients.append(client)
        headers = {**client.default_headers, **client.auth_headers}
        plain = {name: value for name, value in headers.items() if isinstance(value, str)}
        return Transport(url, plain, trust_env=self._trust_env)

    @property
    def pace(self) -> Pace:
        return Pace(self._limits.requests_per_minute, self._limits.tokens_per_minute)

    def check(self) -> None:
        """See `Engine.check`: asks each endpoint for its list of models. A server that has no such list passes."""
        self._start()
        faults = [
            self.run(self._fault(url, client)) for url, client in zip(self._base_urls, self._clients, strict=True)
        ]
        if all(faults):  # of several endpoints, one that can answer is enough
            raise EngineError("; ".join(str(fault) for fault in faults))

    async def _fault(self, url: str, client: AsyncOpenAI) -> str | None:
        """Why an endpoint cannot answer for the model; None where nothing speaks against it."""
        from openai import APIConnectionError, AuthenticationError, NotFoundError, OpenAIError

        where, model, served = without_secrets(url), self.model, list[str]()
        try:
            served = [entry.id async for entry in client.with_options(timeout=CHECK_S).models.list()]
            if served and not any(name == model or name.endswith(f"/{model}") for name in served):
                await client.with_options(timeout=CHECK_S).models.retrieve(model)
        except APIConnectionError as error:
            return f"nothing answers at {where}: {self._mask.clean(str(error.__cause__ or error))}"
        except AuthenticationError as error:
            return f"{where} refuses the key: {self._mask.clean(error.message)}"
        except NotFoundError:
            if served:
                return (
                    f"{where} does not serve the model {model!r} (any more); it serves {len(served)} others: "
                    f"{', '.join(sorted(served)[:12])}. Name one of them as the engine's `model` in the catalog"
                )
        except (OpenAIError, AttributeError, TypeError, ValueError):
            pass  # a key that may not list models, or no list that can be read: the first request will tell
        return None

    def give_up(self, reason: str) -> None:
        """Have every call end with an `EngineError`, because nothing can be answered any more. From any thread."""
        with self._lock:
            sender, loop = self._sender, self._loop
        if sender is not None and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(sender.give_up, Failure("fatal", reason))

    def close(self) -> None:
        """Cancel what is in flight, close the connections, end the thread."""
        with self._lock:
            if self._loop is None or self._loop.is_closed():
                return
            asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(timeout=10)
            self._stop_loop()
            self._sender = self._client = self._transport = None

    async def _shut(self) -> None:
        if self._sender is not None:
            self._sender.stop_all()
        await asyncio.sleep(0)
        if self._transport is not None:
            await self._transport.aclose()
        for client in self._clients:
            await client.close()
        self._clients.clear()

    def _stop_loop(self) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread is not None:
            self._thread.join(timeout=10)
        self._loop.close()


def _host(url: str) -> str:
    """The last three parts of a URL's host: `api.openai.com`, `openai.azure.com`."""
    return ".".join((urlsplit(url).hostname or "").split(".")[-3:])


def _endpoints(base_url: str | Sequence[str], endpoint: str | None, mode: str) -> list[str]:
    """The endpoints' addresses.

    Raises:
        EngineError: for a list that is empty, repeats an address, has no name, or cannot be used in this mode.
    """
    urls = [base_url] if isinstance(base_url, str) else [str(url) for url in base_url]
    if len(urls) == 1 and isinstance(base_url, str):
        return urls
    named = f"engine for {endpoint or [without_secrets(url) for url in urls]}"
    if not urls or len(set(urls)) < len(urls):
        raise EngineError(f"{named}: base_url must name each endpoint once, and one at least; found {len(urls)}")
    if endpoint is None:
        raise EngineError(
            f"{named}: several endpoints need a name, `endpoint: <name>`, under which their answers are kept whichever "
            "of them answered"
        )
    if mode == "batch":
        raise EngineError(f"{named}: mode `batch` needs one endpoint: a batch lies where it was submitted")
    return urls


def _new_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed: it halves the cost of a request's system calls."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop
