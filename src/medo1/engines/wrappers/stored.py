"""An engine behind the completion store: stored answers are not requested again.

What it promises:

- A request whose answer is kept is never sent. The same request twice in one call is sent once.
- An answer is committed before it is yielded, and as soon as it is there, not when the consumer asks for the next one.
- When the consumer stops (an error, Ctrl-C), nothing new is sent, and answers that are in flight are waited for and
  kept, for up to `drain_s` seconds; a second Ctrl-C ends that.
- A request whose answers were paid for but unusable, `tries` times over all runs, is not sent again.
- Where the disk is full, nothing more is sent; what was in flight is kept in memory until there is space again, and at
  last written to another place.
- Memory does not grow with the number of requests.

Two processes that ask for the same request at the same time both send it; the first answer committed is what both
yield. To claim requests across processes would mean leases that outlive a killed process, so that a resumed run would
wait for a dead one: that costs more than the rare double payment. A run that finds another at work says so.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from medo1.counting import counted
from medo1.engines.base import Around, Completion, Engine, EngineError, Request
from medo1.engines.wrappers.guards import AskingLock, is_full, rescued, signals_drain
from medo1.engines.wrappers.store import (
    Addresses,
    CompletionStore,
    Kept,
    Paid,
    kept_completion,
    prompt_text_of,
)
from medo1.lineage.digests import digest_of_text

logger = logging.getLogger(__name__)

CHUNK = 32  # requests looked up together; more would hold up the first sending
FULL_PATIENCE_S = 60.0  # for which a full disk is waited for
FULL_LOOK_S = 1.0
MOST_UNREAD = 4096  # completions that wait for the consumer, at most, before no further request is taken


class Stored(Around):
    """An engine that remembers.

    Args:
        engine: who answers what is not in the store.
        store: where answers are kept.
        drain_s: seconds for which answers in flight are waited for when the consumer stops early.
    """

    def __init__(self, engine: Engine, store: CompletionStore, drain_s: float = 120.0) -> None:
        super().__init__(engine)
        self.store = store
        self._drain_s = drain_s

    def around(self, engine: Engine) -> Stored:
        """Another engine with the same store in front."""
        return Stored(engine, self.store, self._drain_s)

    def close(self) -> None:
        self.engine.close()
        self.store.close()

    def lookup(self) -> Callable[[Request], Completion | None]:
        """What gives the kept answer to a request, None where there is none. Sends nothing."""
        where = Addresses(self.engine)

        def kept_answer(request: Request) -> Completion | None:
            prompt_id = digest_of_text(prompt_text_of(request.messages))
            address = where.of(request, prompt_id)
            kept = self.store.find({address: request}, {address: prompt_id}, where).get(address)
            return None if kept is None else kept_completion(*kept, request.key)

        return kept_answer

    def kept_limits(self, requests: Sequence[Request]) -> list[int | None]:
        """See `Engine.kept_limits`."""
        where = Addresses(self.engine)
        prompts = [digest_of_text(prompt_text_of(request.messages)) for request in requests]
        endless = [where.endless_of(request, prompt) for request, prompt in zip(requests, prompts, strict=True)]
        cut = self.store.limits_of_cut(endless)
        limits: list[int | None] = []
        for request, prompt, name in zip(requests, prompts, endless, strict=True):
            smaller = max(
                (limit for limit in cut.get(name, ()) if limit < request.sampling.max_new_tokens), default=None
            )
            address = where.of(request, prompt)
            whole = smaller is not None and self.store.find({address: request}, {address: prompt}, where)
            limits.append(None if whole else smaller)
        return limits

    def stream(self, request: Request, told: Callable[[str], None]) -> Completion:
        """See `Engine.stream`; a stored answer is streamed at once."""
        where = Addresses(self.engine)
        prompt = prompt_text_of(request.messages)
        prompt_id = digest_of_text(prompt)
        address = where.of(request, prompt_id)
        kept = self.store.find({address: request}, {address: prompt_id}, where).get(address)
        if kept is not None:
            completion = kept_completion(*kept, request.key)
            told(completion.whole_text)
            return completion
        completion = replace(self.engine.stream(request, told), request_id=address)
        paid = [Paid(address, prompt_id, prompt, request, completion)]
        [committed] = self.store.put(paid, where.engine_id, where.identity)
        return committed

    def batches(self, requests: Iterable[Request], stop: threading.Event | None = None) -> Iterator[list[Completion]]:
        """See `Engine.batches`: what was committed together comes together; what was kept comes with `cached=True`."""
        call = _Call(self.engine, self.store, requests, stop or threading.Event())
        with signals_drain():
            call.start()
            try:
                yield from call.batches()
            finally:
                call.stop(self._drain_s)


class _Ask(NamedTuple):
    """Requests of one content address, with the store's form of their prompt."""

    prompt_id: str
    prompt: str
    requests: list[Request]


class _Call:
    """One use of `Stored.complete`: a thread that forwards what is missing and commits what comes back."""

    def __init__(
        self, engine: Engine, store: CompletionStore, requests: Iterable[Request], stop: threading.Event
    ) -> None:
        self._engine = engine
        self._where = Addresses(engine)
        self._store = store
        self._requests = requests
        self._waiting: dict[str, list[Request]] = {}  # sent and not yet answered, by address
        self._sent_as: dict[str, tuple[str, str, str]] = {}  # the key it was sent under: address, prompt's id, prompt
        self._renamed = 0
        self._answered: set[str] = set()  # since the present chunk was looked up
        self._results: deque[list[Completion]] = deque()
        # An engine that does not stream takes every request before it answers one: making it wait would be for ever.
        self._backpressure = threading.Semaphore(MOST_UNREAD if engine.streams else 1 << 62)
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._keeping = threading.Lock()
        self._stop = stop
        self._lock_of_run = AskingLock(store.path, self._where.engine_id)
        self._asked = False
        self._unwritten: list[Paid] = []  # the disk is full: what came meanwhile
        self._full_since: float | None = None
        self._done = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._pump, name="medo1-store", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _missing(self) -> Iterator[Request]:
        """The requests that must be sent; the others are answered on the way.

        A list is looked up in chunks: a look-up per request lets go of the interpreter each time, and the thread that
        opens the connections keeps it for milliseconds. A generator is taken one by one, because it may wait for the
        very answer that its last request leads to.
        """
        source = iter(self._requests)
        size = CHUNK if isinstance(self._requests, Sequence) else 1
        while chunk := list(islice(source, size)):
            with self._lock:
                self._answered.clear()
            asked = self._addressed(chunk)
            kept = self._kept(asked)
            given_up = self._given_up([address for address in asked if address not in kept])
            hits: list[Completion] = []
            for address, ask in asked.items():
                if not self._admitted(len(ask.requests), hits):
                    return
                with self._lock:
                    if (waiting := self._waiting.get(address)) is not None:
                        waiting.extend(ask.requests)
                        continue
                    late = address in self._answered  # since the chunk was looked up
                found = self._kept({address: ask}).get(address) if late else kept.get(address)
                if found is not None:
                    hits += [kept_completion(*found, request.key) for request in ask.requests]
                    continue
                if (reason := given_up.get(address)) is not None:
                    hits += [replace(reason, key=request.key) for request in ask.requests]
                    continue
                hits = self._hand_on(hits)
                if not self._writable():
                    return
                yield self._sent(address, ask)
            self._hand_on(hits)

    def _given_up(self, addresses: list[str]) -> dict[str, Completion]:
        """The requests among these that are not sent again, because their answers could never be used."""
        tries = self._engine.tries
        if not tries or not addresses:
            return {}
        return {
            address: Completion(
                "",
                "",
                "error",
                error=f"{error}. Its answers could not be used {count} times, and were paid: it is not sent again "
                "(`kedro completions retry` forgets that)",
                cached=True,
                request_id=address,
            )
            for address, (count, error) in self._store.unusable(addresses).items()
            if count >= tries
        }

    def _writable(self) -> bool:
        """Wait while the disk is full; False when it stays full, or the consumer has left."""
        while self._unwritten:
            self._stop.wait(FULL_LOOK_S)
            with self._keeping:
                if self._unwritten:
                    self._write([])
            if self._stop.is_set() or (self._full_since and time.monotonic() - self._full_since > FULL_PATIENCE_S):
                return False
        return True

    def _kept(self, asked: dict[str, _Ask]) -> dict[str, Kept]:
        requests = {address: ask.requests[0] for address, ask in asked.items()}
        return self._store.find(requests, {address: ask.prompt_id for address, ask in asked.items()}, self._where)

    def _addressed(self, chunk: Sequence[Request]) -> dict[str, _Ask]:
        """A chunk's requests by content address."""
        asked: dict[str, _Ask] = {}
        messages, prompt, prompt_id = None, "", ""
        for request in chunk:
            if request.messages is not messages:  # draws of one question share their messages
                messages = request.messages
                prompt = prompt_text_of(messages)
                prompt_id = digest_of_text(prompt)
            address = self._where.of(request, prompt_id)
            if (ask := asked.get(address)) is None:
                ask = asked[address] = _Ask(prompt_id, prompt, [])
            ask.requests.append(request)
        return asked

    def _admitted(self, count: int, hits: list[Completion]) -> bool:
        """Wait until the consumer can take this many completions; False when it has stopped."""
        for _ in range(count):
            if not self._backpressure.acquire(blocking=False):
                self._hand_on(hits[:])
                hits.clear()
                while not self._backpressure.acquire(timeout=0.5):
                    if self._stop.is_set():
                        return False
        return not self._stop.is_set()

    def _sent(self, address: str, ask: _Ask) -> Request:
        """Note that a request goes out, and under which key."""
        if not self._asked:
            self._asked = True
            self._lock_of_run.take()
        request = ask.requests[0]
        sent_as = request.key
        with self._lock:
            while sent_as in self._sent_as:  # the caller's keys need not be unique
                self._renamed += 1
                sent_as = f"{self._renamed}/{request.key}"
            self._waiting[address] = ask.requests
            self._sent_as[sent_as] = (address, ask.prompt_id, ask.prompt)
        return request if sent_as == request.key else replace(request, key=sent_as)

    def _pump(self) -> None:
        try:
            for batch in self._engine.batches(self._missing(), self._stop):
                self._keep(batch)
                if self._stop.is_set() and not self._engine.streams:
                    break  # such an engine took all requests at once, and would answer them all
        except BaseException as error:
            self._error = error
        finally:
            self._rescue()
            self._lock_of_run.release()
            self._done = True
            self._event.set()

    def _keep(self, batch: list[Completion]) -> None:
        paid = []
        with self._lock:
            for completion in batch:
                address, prompt_id, prompt = self._sent_as.pop(completion.key)
                request = self._waiting[address][0]
                named = replace(completion, key=request.key, request_id=address)
                paid.append(Paid(address, prompt_id, prompt, request, named))
        with self._keeping:
            self._write(paid)

    def _write(self, paid: list[Paid]) -> None:
        """Commit answers and hand them on; where the disk is full, keep them for the next time."""
        paid = [*self._unwritten, *paid]
        try:
            told = self._store.put(paid, self._where.engine_id, self._where.identity)
        except (sqlite3.Error, OSError, EngineError) as error:
            if not is_full(error):
                raise
            if self._full_since is None:
                self._full_since = time.monotonic()
                logger.error(  # noqa: TRY400  (the traceback says nothing more)
                    "%s: the disk is full (%s). Nothing more is sent; %d answers wait for space, up to %g s",
                    self._store.path, error, len(paid), FULL_PATIENCE_S,
                )  # fmt: skip
            self._unwritten = paid
            return
        if self._full_since is not None:
            logger.warning("%s: there is space again; %d answers were written", self._store.path, len(paid))
            self._unwritten, self._full_since = [], None
        with self._lock:
            for completion, one in zip(told[:], paid, strict=True):
                followers = self._waiting.pop(one.request_id)[1:]
                if completion.finish_reason != "error":
                    self._answered.add(one.request_id)
                told += [replace(completion, key=request.key, cached=completion.error is None) for request in followers]
        self._hand_on(told)

    def _rescue(self) -> None:
        """At the end: what the disk still does not take goes to another place."""
        try:
            self._writable()
        except BaseException as error:
            self._error = self._error or error
        left = self._unwritten
        if not left:
            return
        path = rescued(left, self._where.identity, self._store)
        where = (
            f"{counted(len(left), 'answer')} in flight saved to {path}: free some space, then "
            f"`kedro completions --store {self._store.path} restore {path}`"
            if path is not None
            else f"{counted(len(left), 'answer')} in flight lost, for no other place took them"
        )
        full = EngineError(f"{self._store.path}: the disk is full. {where}")
        full.__cause__ = self._error
        self._error = full

    def _hand_on(self, completions: list[Completion]) -> list[Completion]:
        """Give completions to the consumer; returns an empty list for the next ones."""
        if completions:
            self._results.append(completions)
            self._event.set()
        return []

    def batches(self) -> Iterator[list[Completion]]:
        while True:
            done = self._done
            while self._results:
                batch = self._results.popleft()
                self._backpressure.release(len(batch))
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
