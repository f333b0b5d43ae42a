"""Rate limits of a server: limits per minute, back-off after refusals, and what `Retry-After` says.

For one event loop (nothing here locks). Times are seconds of a monotonic
clock, given by the caller, so that tests need not wait.

Sources: RFC 9110 section 10.2.3 (`Retry-After`: seconds or a date); `retry-after-ms`, a custom of OpenAI and Azure;
additive increase and multiplicative decrease after Chiu and Jain (1989), as TCP does it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_BACKOFF_S = 60.0
LONGEST_RETRY_AFTER_S = 3600.0
FIRST_BACKOFF_S = 0.1
CROWDED_SHARE = 0.5  # more than this share of recent attempts refused: the limit is everybody's, not this request's
BUSY_SHARE = 0.25
ROUNDING = 1e-9


class Bucket:
    """A token bucket for a limit per minute; a second's worth may be spent at once.

    A single cost above that is allowed when the bucket is full, and runs it into debt: a request larger than the limit
    of a second must not wait for ever, and the minute's sum still holds.
    """

    def __init__(self, per_minute: float, now: float) -> None:
        self.rate = per_minute / 60.0
        self.capacity = max(1.0, self.rate)
        self.level = self.capacity
        self._at = now

    def wait_s(self, cost: float, now: float) -> float:
        """Seconds until `cost` may be taken; 0 when it may be now."""
        self.level = min(self.capacity, self.level + (now - self._at) * self.rate)
        self._at = now
        missing = min(cost, self.capacity) - self.level
        return missing / self.rate if missing > ROUNDING else 0.0

    def take(self, cost: float) -> None:
        """Spend; a negative cost gives back what was reserved too much."""
        self.level = min(self.capacity, self.level - cost)


class Throttle:
    """How many requests may be in flight now, and until when none may be sent.

    A refusal always delays the request that was refused. Whether it slows the others depends on how many are refused:
    when more than half of the recent attempts are, the limit is shared, so all sending pauses (for `Retry-After` where
    given) and the number in flight is halved; above a quarter it shrinks gently; below, the refusals are noise and the
    rest continues at full speed. Answers let it grow again, by one or 5 % per round.
    """

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency
        self.allowed = float(concurrency)
        self.paused_until = 0.0
        self.epoch = 0
        self._recent = 0.0  # moving share of refusals
        self._weight = 1.0 / max(10.0, concurrency / 4)
        self._pauses = 0

    def answered(self) -> None:
        """The server took a request."""
        self._recent -= self._recent * self._weight
        self._pauses = 0
        if self.allowed < self.concurrency:
            step = max(1.0, 0.05 * self.allowed) / max(1.0, self.allowed)
            self.allowed = min(float(self.concurrency), self.allowed + step)

    def refused(self, epoch: int, now: float, retry_after_s: float | None) -> None:
        """The server refused a request that was sent in `epoch`."""
        self._recent += (1.0 - self._recent) * self._weight
        if epoch != self.epoch:
            return  # sent before the last cut: it says nothing about the present speed
        if self._recent > CROWDED_SHARE:
            self.epoch += 1
            self.allowed = max(1.0, self.allowed / 2)
            self._recent = BUSY_SHARE
            own = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2**self._pauses)
            self._pauses += 1
            self.paused_until = max(self.paused_until, now + (own if retry_after_s is None else retry_after_s))
        elif self._recent > BUSY_SHARE:
            self.allowed = max(1.0, self.allowed * 0.98)


def backoff_s(failures: int, retry_after_s: float | None, chance: random.Random) -> float:
    """Seconds until a request may be sent again after its `failures`-th failure in a row (from 1).

    Never less than the server asked for; a random part keeps requests that failed together from returning together.
    """
    if retry_after_s is not None:
        return retry_after_s * (1 + 0.1 * chance.random()) + 0.005 * chance.random()
    return min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(failures - 1, 20)) * (0.5 + 0.5 * chance.random())


def retry_after_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """What a refusal's headers say about when to come back, in seconds from now; None where they say nothing usable.

    Args:
        headers: with lower-case names.
        now: the wall clock, for tests.
    """
    for name, scale in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        if not text:
            continue
        try:
            seconds = float(text) * scale
        except ValueError:
            try:
                when = parsedate_to_datetime(text)
            except (TypeError, ValueError):
                continue
            when = when if when.tzinfo else when.replace(tzinfo=UTC)
            seconds = (when - (now or datetime.now(UTC))).total_seconds()
        if math.isfinite(seconds):
            return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)
    return None
