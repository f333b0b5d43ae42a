"""An engine with the completion store in front: what was answered before is not asked again.

Who uses it: the engine datasets of the catalog, which wrap the engine that the configuration names. `Stored` is itself
an engine. What it promises:

- A request whose answer is kept is never sent. The same request twice in one call is sent once.
- An answer is committed before it is yielded, and as soon as it is there, not when the consumer asks for the next one.
- When the consumer stops (an error, Ctrl-C), nothing new is sent, and answers that are in flight are waited for and
  kept, for up to `drain_s` seconds; a second Ctrl-C ends that.
- Memory does not grow with the number of requests.

Two processes that ask for the same request at the same time both send it; the first answer committed is what both
yield. To claim requests across processes would mean leases that outlive a killed process, so that a resumed run would
wait for a dead one: that costs more than the rare double payment.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from medo1.engines.base import Completion, Engine, Model, Request
from medo1.engines.store import CompletionStore, Paid, addressed, engine_address

logger = logging.getLogger(__name__)

ROOM = 4096  # completions that wait for the consumer, at most, before no further request is taken


class Stored(Engine):
    """An engine that remembers.

    Args:
        engine: who answers what is not in the store.
        store: where answers are kept.
        drain_s: seconds for which answers in flight are waited for when the consumer stops early.
    """

    def __init__(self, engine: Engine, store: CompletionStore, drain_s: float = 120.0) -> None:
        self.engine = engine
        self.store = store
        self._drain_s = drain_s

    @property
    def streams(self) -> bool:  # type: ignore[override]
        return self.engine.streams

    @property
    def price_factor(self) -> float:  # type: ignore[override]
        return self.engine.price_factor

    @property
    def identity(self) -> dict[str, Any]:
        """The wrapped engine's: where an answer is kept does not change it."""
        return self.engine.identity

    def with_model(self, model: Model) -> Stored:
        """The wrapped engine serving `model`, with the same store."""
        engine = self.engine.with_model(model)
        return self if engine is self.engine else Stored(engine, self.store, self._drain_s)

    def close(self) -> None:
        self.engine.close()
        self.store.close()

    def complete(self, requests: Iterable[Request]) -> Iterator[Completion]:
        """See `Engine.complete`; completions from the store come with `cached=True`."""
        for batch in self.batches(requests):
            yield from batch

    def batches(self, requests: Iterable[Request], stop: threading.Event | None = None) -> Iterator[list[Completion]]:
        """See `Engine.batches`: what was committed together comes together."""
        call = _Call(self.engine, self.store, requests, stop or threading.Event())
        call.start()
        try:
            yield from call.batches()
        finally:
            call.stop(self._drain_s)


class _Call:
    """One use of `Stored.complete`: a thread that forwards what is missing and commits what comes back."""

    def __init__(
        self, engine: Engine, store: CompletionStore, requests: Iterable[Request], stop: threading.Event
    ) -> None:
        self._engine = engine
        self._identity = engine.identity
        self._engine_id = engine_address(self._identity)
        self._store = store
        self._requests = requests
        self._waiting: dict[str, list[Request]] = {}  # sent and not yet answered, by address
        self._by_key: dict[str, str] = {}  # the key that a request was sent under, to its address
        self._sent = 0
        self._results: deque[list[Completion]] = deque()
        # An engine that does not stream takes every request before it answers one: making it wait would be for ever.
        self._room = threading.Semaphore(ROOM if engine.streams else 1 << 62)
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._stop = stop
        self._done = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._pump, name="medo1-store", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _missing(self) -> Iterator[Request]:
        """The requests that must be sent; the others are answered on the way."""
        for address, request in addressed(self._requests, self._engine_id):
            while not self._room.acquire(timeout=0.5):
                if self._stop.is_set():
                    return
            if self._stop.is_set():
                return
            with self._lock:
                if (followers := self._waiting.get(address)) is not None:
                    followers.append(request)
                    continue
            if (kept := self._store.get(address, request.key)) is not None:
                self._hand_on([kept])  # one by one: a generator may wait for this very answer
                continue
            with self._lock:
                self._sent += 1
                sent_as = str(self._sent)  # the caller's keys need not be unique
                self._waiting[address] = [request]
                self._by_key[sent_as] = address
            yield replace(request, key=sent_as)

    def _pump(self) -> None:
        try:
            for batch in self._engine.batches(self._missing(), self._stop):
                self._keep(batch)
                if self._stop.is_set() and not self._engine.streams:
                    break  # such an engine took all requests at once, and would answer them all
        except BaseException as error:
            self._error = error
        finally:
            self._done = True
            self._event.set()

    def _keep(self, batch: list[Completion]) -> None:
        with self._lock:
            paid = []
            for completion in batch:
                address = self._by_key.pop(completion.key)
                asked = self._waiting[address]
                paid.append(Paid(address, asked[0], replace(completion, key=asked[0].key)))
        kept = self._store.put(paid, self._engine_id, self._identity)
        told = []
        with self._lock:
            for completion in kept:
                told.append(completion)
                followers = self._waiting.pop(completion.request_id)[1:]
                told += [replace(completion, key=request.key, cached=completion.error is None) for request in followers]
        self._hand_on(told)

    def _hand_on(self, completions: list[Completion]) -> None:
        if completions:
            self._results.append(completions)
            self._event.set()

    def batches(self) -> Iterator[list[Completion]]:
        while True:
            done = self._done
            while self._results:
                batch = self._results.popleft()
                self._room.release(len(batch))
                yield batch
            if done:
                break
            self._event.wait()
            self._event.clear()
        if self._error is not None:
            raise self._error

    def stop(self, drain_s: float) -> None:
        """The consumer has left: send nothing more, keep what still comes."""
        if self._done:
            self._thread.join()
            return
        self._stop.set()
        with self._lock:
            in_flight = len(self._waiting)
        if in_flight:
            logger.warning("stopping: waiting up to %g s for %d answers in flight, to keep them", drain_s, in_flight)
        # Of an engine that does not stream, the present batch is all that can be waited for; nothing there is lost.
        self._thread.join(timeout=drain_s if self._engine.streams else min(drain_s, 10.0))
        if self._thread.is_alive():
            logger.warning(
                "stopped with %d requests still unanswered; a later run asks for them again", len(self._waiting)
            )
