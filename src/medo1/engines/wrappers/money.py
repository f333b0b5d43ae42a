"""What answers cost: prices, an estimate before the first request, a hard budget, a table afterwards.

Prices come from parameters, as a table of model names; this module knows none, because they change.

The budget is hard, whatever a server reports: before a request is sent, the most that it can cost is reserved (prompt
bound plus `max_new_tokens`), and it is sent only if everything spent and reserved stays within the budget; the same
before it is sent once more after an attempt that may have been billed. When the answer comes, the reservation becomes
what the server counted. What it did not count, and attempts that may have been billed although no answer was read, cost
the most that they can. Where an answer costs more than was reserved for it (a thought that no limit of tokens bounds),
more is reserved for those that follow.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import Field

from medo1.counting import counted
from medo1.engines.base import Around, Completion, Engine, EngineError, Request
from medo1.engines.tokens import prompt_tokens_bound, prompt_tokens_guess
from medo1.engines.wrappers.store import engine_address, request_address
from medo1.engines.wrappers.stored import Stored
from medo1.parameters import Parameters

MILLION = 1e6
FIRST_WAIT_S = 60.0


class BudgetError(EngineError):
    """The budget is spent: nothing more is sent, and all that was answered is kept."""


class Price(Parameters):
    """A model's list price, in US dollars per million tokens. Thought is billed as completion."""

    prompt_usd_per_million: float = Field(ge=0, description="of tokens sent")
    completion_usd_per_million: float = Field(ge=0, description="of tokens generated, thought among them")
    cached_prompt_usd_per_million: float | None = Field(
        default=None, ge=0, description="of tokens sent that the server had cached; as sent ones where not given"
    )


Prices = Mapping[str, Price]


def price_of(prices: Prices, model: str) -> Price | None:
    """A model's price, under its own name alone: `gpt-4o-mini` costs a tenth of `gpt-4o`, and nobody knows what
    `gpt-4o-next` will cost."""
    return prices.get(model)


def cost_usd(completion: Completion, price: Price, factor: float = 1.0) -> float:
    """What one answer cost with all its attempts, from the server's own counts and what must be taken as billed beyond
    them; a prompt that several draws shared is divided among them."""
    prompt = completion.prompt_tokens or 0
    cached = min(completion.cached_prompt_tokens or 0, prompt)
    lower = price.cached_prompt_usd_per_million
    lower = price.prompt_usd_per_million if lower is None else lower
    paid = (prompt - cached) * price.prompt_usd_per_million + cached * lower
    answer = (completion.completion_tokens or 0) * price.completion_usd_per_million
    unseen = completion.unseen_prompt_tokens * price.prompt_usd_per_million
    unseen += completion.unseen_completion_tokens * price.completion_usd_per_million
    return (paid / max(1, completion.shared) + answer + unseen) * factor / MILLION


def cost_bound_usd(request: Request, price: Price, factor: float = 1.0) -> float:
    """The most that one sending of a request can cost."""
    prompt = prompt_tokens_bound(request.messages) * price.prompt_usd_per_million
    return (prompt + request.sampling.max_new_tokens * price.completion_usd_per_million) * factor / MILLION


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will ask for, before it asks.

    Attributes:
        requests: all of them. kept: those whose answers are in the store. to_send: the rest.
        prompt_tokens: of what is sent, guessed from its bytes.
        completion_tokens: expected, from the engine's earlier answers or as given; without either, the bound.
        completion_tokens_bound: if every answer used its whole `max_new_tokens`.
        cost_usd, cost_bound_usd: the same in money; None without a price.
    """

    requests: int
    kept: int
    to_send: int
    prompt_tokens: int
    completion_tokens: int
    completion_tokens_bound: int
    cost_usd: float | None
    cost_bound_usd: float | None

    def row(self) -> dict[str, Any]:
        """As a row of a table."""
        return asdict(self)

    def __str__(self) -> str:
        text = (
            f"{counted(self.requests, 'request')}: {self.kept:,} answered before, {self.to_send:,} to send; about "
            f"{self.prompt_tokens:,} prompt and {self.completion_tokens:,} completion tokens "
            f"(at most {self.completion_tokens_bound:,})"
        )
        if self.cost_usd is None or self.cost_bound_usd is None:
            return f"{text}; no price known"
        return f"{text}; about ${self.cost_usd:,.2f}, at most ${self.cost_bound_usd:,.2f}"


def estimate(
    requests: Iterable[Request], engine: Engine, prices: Prices, completion_tokens: float | None = None
) -> Estimate:
    """What `engine.complete(requests)` would send and cost. Sends nothing.

    Args:
        requests: what will be asked; consumed once, not kept.
        engine: with a store or without.
        prices: the price table.
        completion_tokens: expected per answer; None to go by the engine's earlier answers.
    """
    store = engine.store if isinstance(engine, Stored) else None
    engine_id = engine_address(engine.identity)
    expected = completion_tokens
    if expected is None and store is not None:
        expected = store.typical_completion_tokens(engine_id)
    price = price_of(prices, str(engine.identity.get("model", "")))
    total = kept = prompt = bound = likely = 0
    money = most = 0.0
    seen: set[bytes] = set()
    for request in requests:
        total += 1
        if store is not None:
            address = request_address(request, engine_id)
            short = bytes.fromhex(address[:24])
            if short in seen or address in store:
                kept += 1
                continue
            seen.add(short)
        guess, limit = prompt_tokens_guess(request.messages), request.sampling.max_new_tokens
        answer = round(limit if expected is None else min(expected, limit))
        prompt, bound, likely = prompt + guess, bound + limit, likely + answer
        if price is not None:
            likely_answer = Completion("", "", "stop", prompt_tokens=guess, completion_tokens=answer)
            money += cost_usd(likely_answer, price, engine.price_factor)
            most += cost_bound_usd(request, price, engine.price_factor)
    return Estimate(
        requests=total,
        kept=kept,
        to_send=total - kept,
        prompt_tokens=prompt,
        completion_tokens=likely,
        completion_tokens_bound=bound,
        cost_usd=None if price is None else money,
        cost_bound_usd=None if price is None else most,
    )


class Budget:
    """Money that several engines may share. Safe for several threads.

    Args:
        limit_usd: what may be spent; None for no limit.
    """

    def __init__(self, limit_usd: float | None) -> None:
        if limit_usd is not None and limit_usd < 0:
            raise EngineError(f"budget_usd is {limit_usd}, expected 0 or more (or null for no limit)")
        self.limit_usd = limit_usd
        self.spent_usd = 0.0
        self.reserved_usd = 0.0
        self.exhausted = False
        self.answers = 0
        self.overrun = 1.0  # how many times its bound the dearest answer has cost
        self._settled = threading.Condition()

    def await_first(self, given_up: threading.Event) -> None:
        """Wait for the first answer, which shows whether the limit of tokens bounds what is paid; a minute at most."""
        until = time.monotonic() + FIRST_WAIT_S
        with self._settled:
            while self.limit_usd is not None and self.reserved_usd > 0 and not self.answers:
                if given_up.is_set() or time.monotonic() > until:
                    return
                self._settled.wait(timeout=0.2)

    def reserve(self, usd: float, *, wait: bool, given_up: threading.Event, ends: bool = True) -> bool:
        """Set money aside; False when it cannot be had any more.

        Args:
            usd: the most that a request can cost.
            wait: whether to wait for reservations of requests in flight to come back.
            given_up: ends the waiting.
            ends: whether nothing more is reserved for anybody when this cannot be.
        """
        with self._settled:
            while self.limit_usd is not None and self.spent_usd + self.reserved_usd + usd > self.limit_usd:
                too_much = self.spent_usd + usd > self.limit_usd
                if self.exhausted or too_much or not wait or self.reserved_usd <= 0 or given_up.is_set():
                    self.exhausted = self.exhausted or ends
                    return False
                self._settled.wait(timeout=0.2)
            self.reserved_usd += usd
            return True

    def settle(self, reserved_usd: float, spent_usd: float, of_bound: float = 0.0) -> None:
        """A request is over: what was set aside for it, what it cost, and how much that was of what it could."""
        with self._settled:
            self.reserved_usd = max(0.0, self.reserved_usd - reserved_usd)
            self.spent_usd += spent_usd
            self.answers += 1
            self.overrun = max(self.overrun, of_bound)
            self._settled.notify_all()


_BUDGETS: WeakKeyDictionary[Engine, Budget] = WeakKeyDictionary()
_BUDGETS_LOCK = threading.Lock()


def budget_of(engine: Engine, limit_usd: float | None) -> Budget:
    """The budget that goes with an engine for as long as the engine lives.

    A run loads each engine once, so all who ask one in a run share its budget, whichever part of the graph runs.

    Args:
        engine: the engine that everything is asked through or beside, such as the teacher.
        limit_usd: what may be spent; None for no limit. Another limit than before begins another budget.
    """
    with _BUDGETS_LOCK:
        budget = _BUDGETS.get(engine)
        if budget is None or budget.limit_usd != limit_usd:
            budget = _BUDGETS[engine] = Budget(limit_usd)
        return budget


class Budgeted(Around):
    """An engine that stops before the money runs out. It stands behind the store, so kept answers cost nothing.

    Args:
        engine: who is paid.
        prices: the price table; must have the engine's model if the budget has a limit.
        budget: what may be spent, shared by all engines that it is given to.

    Raises:
        EngineError: a limit without a price.
    """

    def __init__(self, engine: Engine, prices: Prices, budget: Budget) -> None:
        super().__init__(engine)
        self.budget = budget
        model = str(engine.identity.get("model", ""))
        self._price = price_of(prices, model)
        self._prices = prices
        if self._price is None and budget.limit_usd is not None:
            known = ", ".join(sorted(prices)) or "none"
            raise EngineError(
                f"budget_usd is set but `prices` has no price for {model!r} (known: {known}): add it, under that very "
                "name"
            )

    def around(self, engine: Engine) -> Budgeted:
        return Budgeted(engine, self._prices, self.budget)

    def batches(self, requests: Iterable[Request], stop: threading.Event | None = None) -> Iterator[list[Completion]]:
        """See `Engine.batches`.

        Raises:
            BudgetError: when the budget does not hold the next request, after all answers in flight have come.
        """
        price = self._price
        if price is None:
            yield from self.engine.batches(requests, stop)
            return
        held: dict[str, _Reserved] = {}
        given_up = threading.Event()
        stopped_at: list[float] = []

        def affordable() -> Iterator[Request]:
            for serial, request in enumerate(requests):
                most = cost_bound_usd(request, price, self.price_factor)
                if self.streams:
                    self.budget.await_first(given_up)
                bound = most * self.budget.overrun * self.sendings_unasked
                if not self.budget.reserve(bound, wait=self.streams, given_up=given_up):
                    stopped_at.append(bound)
                    return
                reserved = held[str(serial)] = _Reserved(request.key, most, bound)
                yield replace(request, key=str(serial), may_retry=partial(self._reserve_another, reserved))

        try:
            for batch in self.engine.batches(affordable(), stop):
                told = []
                for completion in batch:
                    reserved = held.pop(completion.key)
                    spent = cost_usd(completion, price, self.price_factor)
                    self.budget.settle(reserved.usd, spent, spent / max(reserved.most * completion.attempts, 1e-12))
                    told.append(replace(completion, key=reserved.key))
                yield told
        finally:
            given_up.set()
            for reserved in held.values():  # sent and never answered: it may have been billed
                self.budget.settle(reserved.usd, reserved.usd)
        if stopped_at:
            raise BudgetError(
                f"the budget of ${self.budget.limit_usd:,.2f} is reached: ${self.budget.spent_usd:,.4f} spent, and the "
                f"next request could cost ${stopped_at[0]:,.4f}. Every answer so far is kept; raise budget_usd and run "
                "again to go on from here, nothing is paid twice"
            )

    def _reserve_another(self, reserved: _Reserved) -> bool:
        """Set aside what one more sending of a request can cost; False when the budget does not hold it."""
        more = reserved.most * self.budget.overrun
        if not self.budget.reserve(more, wait=False, given_up=threading.Event(), ends=False):
            return False
        reserved.usd += more
        return True

    def stream(self, request: Request, told: Callable[[str], None]) -> Completion:
        """See `Engine.stream`.

        Raises:
            BudgetError: when the budget does not hold the request.
        """
        if self._price is None:
            return self.engine.stream(request, told)
        bound = cost_bound_usd(request, self._price, self.price_factor) * self.budget.overrun
        if not self.budget.reserve(bound, wait=False, given_up=threading.Event()):
            raise BudgetError(f"the budget of ${self.budget.limit_usd:,.2f} does not hold the next request")
        spent = bound
        try:
            completion = self.engine.stream(request, told)
            spent = cost_usd(completion, self._price, self.price_factor)
        finally:
            self.budget.settle(bound, spent)
        return completion


@dataclass(slots=True)
class _Reserved:
    """What is set aside for a request: its key, the most that one sending can cost, and for all sendings so far."""

    key: str
    most: float
    usd: float


def budgeted(engine: Engine, prices: Prices, budget: Budget) -> Engine:
    """`engine` within a budget; behind its store, where it has one, so that kept answers cost nothing.

    Raises:
        EngineError: a limit without a price.
    """
    if budget.limit_usd is None:
        return engine
    if isinstance(engine, Stored):
        return engine.around(Budgeted(engine.engine, prices, budget))
    return Budgeted(engine, prices, budget)


class Account:
    """Counts what answers were and what they cost, under a label each (a format, a stage, an arm).

    Args:
        prices: the price table.
    """

    COUNTS = (
        "requests", "kept", "failed", "cut", "filtered", "attempts", "unread", "prompt_tokens", "completion_tokens",
        "reasoning_tokens",
    )  # fmt: skip

    def __init__(self, prices: Prices) -> None:
        self._prices = prices
        self._rows: dict[tuple[str, str], dict[str, Any]] = {}
        self._lock = threading.Lock()
        self.cost_usd = 0.0
        self.tokens = 0

    def add(self, completion: Completion, engine: Engine, label: str = "") -> None:
        """Count one completion of `engine`."""
        identity = engine.identity
        model = str(identity.get("model") or identity.get("kind") or "")
        price = price_of(self._prices, model)
        cost = None if price is None else cost_usd(completion, price, engine.price_factor)
        with self._lock:
            row = self._rows.setdefault((label, model), self._empty(label, model, priced=price is not None))
            row["requests"] += 1
            row["kept"] += completion.cached
            row["failed"] += completion.finish_reason == "error"
            row["cut"] += completion.finish_reason == "length"
            row["filtered"] += completion.finish_reason == "content_filter"
            if completion.cached:
                row["saved_usd"] += cost or 0.0
                return
            row["attempts"] += completion.attempts
            row["unread"] += completion.unread
            for name in ("prompt_tokens", "completion_tokens", "reasoning_tokens"):
                row[name] += getattr(completion, name) or 0
            self.tokens += completion.completion_tokens or 0
            if cost is not None:
                row["cost_usd"] += cost
                self.cost_usd += cost

    def _empty(self, label: str, model: str, *, priced: bool) -> dict[str, Any]:
        counts = dict.fromkeys(self.COUNTS, 0)
        return {"label": label, "model": model, **counts, "cost_usd": 0.0, "saved_usd": 0.0, "priced": priced}

    def rows(self) -> list[dict[str, Any]]:
        """One row per label and model: what was asked, kept, failed, cut, sent and paid; `saved_usd` is what the
        kept answers had cost. `priced` says whether the price table had the model (if not, its costs read 0)."""
        with self._lock:
            return [dict(row) for _, row in sorted(self._rows.items())]
