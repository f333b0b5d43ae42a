"""Sending many requests to one server: what is in flight, what waits, what is retried and when.

A `Sender` lives on the engine's event loop; a `Call` is one use of `Engine.batches` and stands between that loop and
the thread that consumes the completions.

A failed request goes back into the same pool, with a time before which it is not sent; it is not in flight meanwhile,
so requests in back-off cost no throughput. Refusals (429, overload, no connection) bill nothing and are retried for
`patience_s`; failures that may have been billed are retried `max_attempts` times and counted as `unread`.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import random
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from medo1.engines.base import Completion, EngineError, FinishReason, Request, beyond_top_p
from medo1.engines.http.chat import Dialect, Extras, body_bytes, chat_body, path_of
from medo1.engines.http.failures import Failure, advice, failure_from, learned
from medo1.engines.http.limits import Bucket, Throttle, backoff_s
from medo1.engines.http.responses import ResponseError, completions_from
from medo1.engines.http.transport import Reply, TransportError
from medo1.engines.tokens import prompt_tokens_bound, prompt_tokens_guess

logger = logging.getLogger(__name__)

NO_CONTINUATION = (
    "the conversation ends in the assistant's turn, and this engine is not told how its server continues one: set "
    "`continuation` to `native` (vLLM) or `ask`"
)
GROUP_WAIT_S = 0.02
TOLD_EVERY_S = 30.0
STOP_LOOK_S = 0.2
LINGER_S = 0.005  # seconds for which answers that come one by one are gathered before they are passed on
STARTS_PER_ROUND = 2  # opening 200 connections in one round of the loop makes the server's answers arrive in one clump


class Poster(Protocol):
    """A `Transport`, or a `Fleet` of them."""

    async def post(self, path: str, body: bytes, timeout_s: float) -> Reply: ...


@dataclass(frozen=True, slots=True)
class SendingLimits:
    """See the parameters of `OpenAI`."""

    concurrency: int
    requests_per_minute: float | None
    tokens_per_minute: float | None
    timeout_s: float
    max_attempts: int
    patience_s: float
    connect_patience_s: float
    tries: int
    give_up_after: int


class Job:
    """One sending: a request, or several draws of the same messages."""

    __slots__ = (
        "asked",
        "attempts",
        "body",
        "call",
        "cost",
        "dialect",
        "failures",
        "group",
        "refusals",
        "refused_since",
        "sent_at",
        "unread",
        "unseen",
        "unusable",
    )

    def __init__(self, call: Call, group: Sequence[Request]) -> None:
        self.call = call
        self.group = group
        self.asked: dict[str, Any] = {}
        self.body = b""
        self.dialect: Dialect | None = None
        self.cost = 0.0
        self.attempts = self.failures = self.unread = self.unusable = self.refusals = 0
        self.unseen = (0, 0)  # prompt and completion tokens that sendings without an answer may have been billed for
        self.refused_since: float | None = None
        self.sent_at = 0.0

    def lost(self, failure: Failure) -> None:
        """Count a sending that was billed, or may have been, and brought no answer."""
        self.unread += 1
        self.unusable += failure.kind == "unusable"
        request = self.group[0]
        prompt, completion = failure.prompt_tokens, failure.completion_tokens
        if prompt is None:
            prompt = prompt_tokens_bound(request.messages)
        if completion is None:
            completion = request.sampling.max_new_tokens * len(self.group)
        self.unseen = (self.unseen[0] + prompt, self.unseen[1] + completion)

    def accounted(self, completions: list[Completion]) -> list[Completion]:
        """Completions with the attempts that they took; what was billed once per sending is counted at the first."""
        prompt, completion = self.unseen
        each = -(-completion // len(completions))
        first, *rest = [
            replace(one, attempts=self.attempts, unseen_completion_tokens=one.unseen_completion_tokens + each)
            for one in completions
        ]
        unseen = first.unseen_prompt_tokens + prompt
        first = replace(first, unread=self.unread, unusable=self.unusable, unseen_prompt_tokens=unseen)
        return [first, *rest]


class Call:
    """One use of `complete`: takes requests in a feeder thread, hands completions to the consumer.

    Args:
        most_open: most requests that were taken and whose completions the consumer has not had yet (backpressure).
    """

    def __init__(
        self,
        requests: Iterable[Request],
        most_open: int,
        group_size: int,
        sender: Sender,
        stop: threading.Event | None = None,
    ) -> None:
        self._requests = requests
        self._group_size = group_size
        self._group: list[Request] = []
        self._sender = sender
        self._stop = stop
        self._backpressure = threading.Semaphore(most_open)
        self._results: deque[Completion] = deque()
        self._event = threading.Event()
        self._idle = threading.Event()  # nothing is open: there is nothing to linger for
        self._lock = threading.Lock()
        self._open = 0
        self._fed = False
        self.stopped = False
        self.error: BaseException | None = None
        self._feeder = threading.Thread(target=self._feed, name="medo1-feeder", daemon=True)

    def start(self) -> None:
        self._feeder.start()

    def _feed(self) -> None:
        """Take requests as backpressure allows."""
        try:
            for request in self._requests:
                while not self._backpressure.acquire(timeout=0.5):
                    if self.stopped:
                        return
                if self.stopped:
                    return
                self._add(request)
        except BaseException as error:
            self.error = self.error or error  # what was taken before is still asked, and yielded first
        finally:
            self._flush(None)
            self._fed = True
            self._event.set()

    def _add(self, request: Request) -> None:
        """Send it, or gather draws of the same messages that follow one another into one sending."""
        with self._lock:
            self._open += 1
            full = bool(self._group) and (
                len(self._group) == self._group_size or not _together(self._group[-1], request)
            )
        if full:
            self._flush(None)
        with self._lock:
            self._group.append(request)
            begun = self._group if len(self._group) == 1 else None
        if self._group_size == 1:
            self._flush(None)
        elif begun is not None:  # a generator may wait for this very request before it gives another
            self._sender.later(GROUP_WAIT_S, lambda: self._flush(begun))

    def _flush(self, group: list[Request] | None) -> None:
        """Submit what is gathered; only if it is still `group`, where one is given."""
        with self._lock:
            if not self._group or (group is not None and group is not self._group):
                return
            gathered, self._group = self._group, []
        self._sender.submit(Job(self, gathered))

    def deliver(self, completions: Iterable[Completion], count: int) -> None:
        """From the loop: `count` requests are done."""
        self._results.extend(completions)
        with self._lock:
            self._open -= count
            if not self._open:
                self._idle.set()
        if not self._event.is_set():
            self._event.set()

    def fail(self, error: BaseException) -> None:
        """Nothing more is sent; what is in flight is still waited for, then `error` is raised."""
        self.error = self.error or error
        self.stopped = True
        self._event.set()

    def batches(self) -> Iterator[list[Completion]]:
        """What is ready, as it becomes ready."""
        while True:
            done = (self._fed or self.stopped) and self._open == 0
            ready = [self._results.popleft() for _ in range(len(self._results))]
            if ready:
                self._backpressure.release(len(ready))
                yield ready
            elif done:
                break
            else:
                self._event.wait(STOP_LOOK_S if self._stop is not None else None)
                if self._stop is not None and self._stop.is_set() and not self.stopped:
                    self.stopped = True
                    self._sender.later(0, lambda: self._sender.drop(self))
                if self._open:  # a wake-up per answer would take the processor from the loop that fetches them
                    self._idle.clear()
                    if self._open:
                        self._idle.wait(LINGER_S)
                self._event.clear()
        if self.error is not None:
            raise self.error


def _may_be_sent_again(job: Job) -> bool:
    return all(request.may_retry is None or request.may_retry() for request in job.group)


def _together(one: Request, other: Request) -> bool:
    """Two requests that differ in key, sample and seed only."""
    return one.messages == other.messages and one.sampling == other.sampling and one.adapter == other.adapter


class Sender:
    """Sends jobs to one server. All methods but `submit` and `later` run on the event loop."""

    def __init__(
        self,
        *,
        transport: Poster,
        model: str,
        dialect: Dialect,
        extras: Extras,
        limits: SendingLimits,
        endpoint: str,
        clean: Callable[[str], str],
    ) -> None:
        self._transport = transport
        self._model = model
        self.dialect = dialect
        self._extras = extras
        self._limits = limits
        self._endpoint = endpoint
        self._clean = clean
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._throttle = Throttle(limits.concurrency)
        self._requests = Bucket(limits.requests_per_minute, now) if limits.requests_per_minute else None
        self._tokens = Bucket(limits.tokens_per_minute, now) if limits.tokens_per_minute else None
        self._ready: deque[Job] = deque()
        self._later: list[tuple[float, int, Job]] = []  # heap of (due, order, job)
        self._order = itertools.count()
        self._tasks: dict[asyncio.Task[None], Job] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0  # uvloop's handle of a time that is already due does not know it
        self._hungry = True
        self._answers = 0
        self._failed: Counter[str] = Counter()
        self._last_refusal = ""
        self.bytes_sent = self.bytes_received = 0
        self._unreachable_since: float | None = None
        self._answered_at = now
        self._loop.call_later(TOLD_EVERY_S, self._tell)
        self._chance = random.Random()  # noqa: S311  (spreads retries in time, decides nothing)

    def _tell(self) -> None:
        """Say what is waited for, when nothing has come for a while: since when, until when, and why."""
        self._loop.call_later(TOLD_EVERY_S, self._tell)
        now = self._loop.time()
        flying = list(self._tasks.values())
        waiting = len(self._later) + len(self._ready)
        if not (flying or waiting) or now - self._answered_at < TOLD_EVERY_S:
            return
        parts = []
        if flying:
            oldest = now - min(job.sent_at for job in flying)
            parts.append(
                f"{len(flying)} requests in flight, the oldest for {oldest:,.0f} of {self._limits.timeout_s:,.0f} s "
                f"({self.bytes_sent:,} bytes sent in all, {self.bytes_received:,} received)"
            )
        if waiting:
            due = max(self._throttle.paused_until, self._later[0][0] if self._later else now)
            until = time.strftime("%H:%M:%S", time.localtime(time.time() + max(0.0, due - now)))
            why = f" ({self._last_refusal})" if self._last_refusal else ""
            parts.append(f"{waiting} wait until {until}{why}")
        logger.info("%s: no answer for %.0f s; %s", self._endpoint, now - self._answered_at, "; ".join(parts))

    def submit(self, job: Job) -> None:
        """From any thread."""
        self._ready.append(job)
        if (
            self._hungry
        ):  # else the next answer's `_dispatch` finds it: a wake-up per request would cost more than sending
            self._hungry = False
            self._loop.call_soon_threadsafe(self._dispatch)

    def later(self, delay_s: float, do: Callable[[], None]) -> None:
        """From any thread: do something on the loop."""
        self._loop.call_soon_threadsafe(self._loop.call_later, delay_s, do)

    def stop(self, call: Call) -> None:
        """Drop a call's requests, those in flight too."""
        call.stopped = True
        for task, job in list(self._tasks.items()):
            if job.call is call:
                task.cancel()
        self._dispatch()

    def drop(self, call: Call) -> None:
        """Forget a call's requests that are not in flight."""
        waiting = [job for *_, job in self._later if job.call is call]
        self._later = [entry for entry in self._later if entry[2].call is not call]
        heapq.heapify(self._later)
        for _ in range(len(self._ready)):  # feeders append to it meanwhile
            job = self._ready.popleft()
            (waiting if job.call is call else self._ready).append(job)
        for job in waiting:
            job.call.deliver((), len(job.group))

    def stop_all(self) -> None:
        for task, job in list(self._tasks.items()):
            job.call.stopped = True
            task.cancel()

    def _dispatch(self) -> None:
        starts = 0
        while len(self._tasks) < int(self._throttle.allowed):
            now = self._loop.time()
            if now < self._throttle.paused_until:
                self._wake(self._throttle.paused_until)
                return
            job = self._next(now)
            if job is None:
                return
            if job.call.stopped:
                job.call.deliver((), len(job.group))
                continue
            if starts == STARTS_PER_ROUND:
                self._ready.appendleft(job)
                self._loop.call_soon(self._dispatch)
                return
            if wait := self._wait_s(job, now):
                self._ready.appendleft(job)
                self._wake(now + wait)
                return
            starts += 1
            task = self._loop.create_task(self._attempt(job))
            self._tasks[task] = job
            task.add_done_callback(self._ended)

    def _next(self, now: float) -> Job | None:
        """A job whose time has come: one that was sent before, else a new one."""
        if self._later and self._later[0][0] <= now:
            return heapq.heappop(self._later)[2]
        try:
            return self._ready.popleft()
        except IndexError:
            self._hungry = True
        if self._ready:  # submitted between the two lines above, without a wake-up
            self._hungry = False
            return self._ready.popleft()
        if self._later:
            self._wake(self._later[0][0])
        return None

    def _wake(self, when: float) -> None:
        """Dispatch again at `when`, unless that is to happen earlier anyway."""
        if self._timer is not None:
            if self._timer_at <= when:
                return
            self._timer.cancel()
        self._timer_at = when
        self._timer = self._loop.call_at(when, self._woken)

    def _woken(self) -> None:
        self._timer = None
        self._dispatch()

    def _wait_s(self, job: Job, now: float) -> float:
        """Seconds until the limits per minute let the job go; takes its share when they do now."""
        if self._requests is None and self._tokens is None:
            return 0.0
        request = job.group[0]
        job.cost = prompt_tokens_guess(request.messages) + request.sampling.max_new_tokens * len(job.group)
        waits = [self._requests.wait_s(1, now)] if self._requests else []
        waits += [self._tokens.wait_s(job.cost, now)] if self._tokens else []
        if (wait := max(waits)) > 0:
            return wait
        if self._requests:
            self._requests.take(1)
        if self._tokens:
            self._tokens.take(job.cost)
        return 0.0

    def _ended(self, task: asyncio.Task[None]) -> None:
        job = self._tasks.pop(task)
        if task.cancelled():
            job.call.deliver((), len(job.group))
        elif (error := task.exception()) is not None:  # a fault of this program: say so, lose nothing else
            job.call.deliver((), len(job.group))
            job.call.fail(error)
        self._dispatch()

    async def _attempt(self, job: Job) -> None:
        """Send once, then deliver, or schedule the next attempt."""
        if job.group[0].messages[-1].role == "assistant" and self._extras.continuation == "refuse":
            self._deliver_failed(job, Failure("request", NO_CONTINUATION), "error")
            return
        started = self._loop.time()
        epoch = self._throttle.epoch
        job.attempts += 1
        job.sent_at = started
        if job.dialect is not self.dialect:
            job.dialect = self.dialect
            job.asked = chat_body(job.group, self._model, self.dialect, self._extras)
            job.body = body_bytes(job.asked)
        try:
            self.bytes_sent += len(job.body)
            reply = await self._transport.post(path_of(job.asked), job.body, self._limits.timeout_s)
            self._unreachable_since = None
            self.bytes_received += len(reply.body)
            if reply.status in range(200, 300):
                self._deliver(job, completions_from(job.group, reply.body, self._loop.time() - started))
                return
            failure = failure_from(reply.status, reply.headers, reply.body)
        except ResponseError as error:
            failure = error.failure
        except TransportError as error:
            if not error.connected:
                failure = self._unreachable(error)
            else:
                failure = Failure("unusable" if error.answered else "retry", str(error), billed=error.sent)
        if failure.billed:
            job.lost(failure)
        self._handle(job, replace(failure, text=self._clean(failure.text)), epoch)

    def _deliver(self, job: Job, completions: list[Completion]) -> None:
        self._throttle.answered()
        self._answered_at = self._loop.time()
        self._answers += 1
        if self._tokens:
            used = (completions[0].prompt_tokens or 0) + sum(one.completion_tokens or 0 for one in completions)
            self._tokens.take(used - job.cost if used else 0)
        if job.attempts > 1:
            completions = job.accounted(completions)
        if missing := job.group[len(completions) :]:
            self._ready.append(Job(job.call, missing))
        job.call.deliver(completions, len(completions))

    def _unreachable(self, error: TransportError) -> Failure:
        now = self._loop.time()
        self._unreachable_since = self._unreachable_since or now
        if not self._answers and now - self._unreachable_since >= self._limits.connect_patience_s:
            text = f"nothing answers at {self._endpoint}: {error}. Start the server, or correct the engine's `base_url`"
            return Failure("fatal", text)
        return Failure("refused", str(error))

    def _handle(self, job: Job, failure: Failure, epoch: int) -> None:
        now = self._loop.time()
        if self._tokens and not failure.billed:
            self._tokens.take(-job.cost)
        match failure.kind:
            case "fatal" if job.group[0].adapter is None or "HTTP 404" not in failure.text:
                self.give_up(failure)
                job.call.deliver((), len(job.group))
            case "filtered":
                self._deliver_failed(job, failure, "content_filter")
            case "parameter":
                self._leave_out(job, failure)
            case "refused":
                self._last_refusal = failure.text
                self._throttle.refused(epoch, now, failure.retry_after_s)
                job.refusals += 1
                job.refused_since = now if job.refused_since is None else job.refused_since
                if now - job.refused_since > self._limits.patience_s:
                    self._deliver_failed(job, failure, "error")
                else:
                    self._again(job, backoff_s(job.refusals, failure.retry_after_s, self._chance))
            case "retry" | "unusable":
                if failure.text.startswith("HTTP"):
                    self._throttle.refused(epoch, now, failure.retry_after_s)
                self._fail_once_more(job, failure)
            case _:
                self._deliver_failed(job, failure, "error")

    def _fail_once_more(self, job: Job, failure: Failure) -> None:
        self._last_refusal = failure.text
        job.failures += 1
        if job.failures >= self._limits.max_attempts or 0 < self._limits.tries <= job.unusable:
            self._deliver_failed(job, failure, "error")
        elif failure.billed and not _may_be_sent_again(job):
            text = f"{failure.text}; not sent again, because the budget does not hold another attempt"
            self._deliver_failed(job, replace(failure, text=text), "error")
        else:
            self._again(job, backoff_s(job.failures, failure.retry_after_s, self._chance))

    def _leave_out(self, job: Job, failure: Failure) -> None:
        """A request was refused, perhaps for one of its parameters: send it again without, where that may help."""
        if job.dialect is not self.dialect:
            self._ready.appendleft(job)  # another request has learned something meanwhile
            return
        first = job.group[0]
        better = learned(self.dialect, failure, job.asked, first.messages, beyond_top_p(first.sampling))
        if better is None:
            text = f"{failure.text}{advice(failure, job.asked)}"
            self._deliver_failed(job, replace(failure, text=text), "error")
            return
        logger.warning("%s: %s; %s", self._endpoint, failure.text, better[1])
        self.dialect = better[0]
        self._ready.appendleft(job)

    def _again(self, job: Job, delay_s: float) -> None:
        if job.call.stopped:
            job.call.deliver((), len(job.group))
            return
        heapq.heappush(self._later, (self._loop.time() + delay_s, next(self._order), job))

    def _deliver_failed(self, job: Job, failure: Failure, reason: str) -> None:
        text = failure.text + (f" (after {job.attempts} attempts)" if job.attempts > 1 else "")
        finish: FinishReason = "content_filter" if reason == "content_filter" else "error"
        failed = [Completion(key=request.key, text="", finish_reason=finish, error=text) for request in job.group]
        job.call.deliver(job.accounted(failed), len(failed))
        if finish == "error":
            self._look_whether_alike(failure)

    def _look_whether_alike(self, failure: Failure) -> None:
        """When nothing was answered and the first requests all failed alike, the others will fail like them."""
        if self._answers or not self._limits.give_up_after:
            return
        self._failed[re.sub(r"\W*\b\w*\d\w*\b", "", failure.text)] += 1
        if len(self._failed) == 1 and self._failed.total() >= self._limits.give_up_after:
            text = f"the first {self._failed.total()} requests failed alike, none was answered: {failure.text}"
            self.give_up(replace(failure, kind="fatal", text=text))

    def give_up(self, failure: Failure) -> None:
        """Nothing can be answered: every call ends once its requests in flight are back."""
        error = EngineError(f"{self._endpoint}, model {self._model}: {failure.text}")
        waiting = [job for _, _, job in self._later] + list(self._ready)
        self._later.clear()
        self._ready.clear()
        for job in waiting:
            job.call.fail(error)
            job.call.deliver((), len(job.group))
        for job in list(self._tasks.values()):
            job.call.fail(error)
