"""Live progress of requests: done, failed, stored, rate, tokens, cost, time left.

In `kedro run` on a terminal it is the run's live line, alone on a terminal a bar; elsewhere it is one log line every
half minute and one at the end, so that a log stays readable. Before the first answers are done, the tokens that an
engine of this process has generated are what moves.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from medo1.counting import counted
from medo1.engines.base import Completion, Engine, Request
from medo1.engines.wrappers.money import Account
from medo1.progress_bars import GENERATED, Pace, clock, current_screen

if TYPE_CHECKING:
    from rich.progress import Progress

logger = logging.getLogger(__name__)

LOG_EVERY_S = 30.0
DRAW_EVERY_S = 0.2
ENOUGH = 5  # answers before a rate is shown


class Tally:
    """Shows counts as they grow.

    Args:
        total: how many will come; None where not known.
        label: what they are for (a format, an arm).
        account: where tokens and cost are counted.
        interactive: draw a bar; None for: if standard error is a terminal, and no run shows a line of its own.
        tokens_each: of an answer, by which the time left is told before enough answers are done; None: not known.
        at_most: whether `tokens_each` is only a limit.
    """

    def __init__(
        self,
        total: int | None,
        label: str,
        account: Account,
        *,
        interactive: bool | None = None,
        tokens_each: float | None = None,
        at_most: bool = False,
    ) -> None:
        self.total = total
        self.label = label or "answers"
        self.done = self.failed = self.kept = self.cut = 0
        self._account = account
        self._cost_before = account.cost_usd
        self._tokens_before = account.tokens
        self._started = time.monotonic()
        self._shown = self._started
        self._before = (self._started, 0)  # when the line before was logged, and how many had been sent
        self._tokens_each, self._at_most = tokens_each, at_most
        self._generated_before, self._pace = GENERATED.tokens, Pace()
        self._bar: Progress | None = None
        self._screen = current_screen() if interactive is None else None
        if self._screen is not None:
            self._screen.show(self._line)
        elif sys.stderr.isatty() if interactive is None else interactive:
            self._bar = _bar()
            self._task = self._bar.add_task(self.label, total=total, told="")
            self._bar.start()

    def add(self, completion: Completion) -> None:
        """Count one."""
        self.done += 1
        if self.total is not None and self.done > self.total:  # retried chains come on top
            self.total = self.done
        self.kept += completion.cached
        self.failed += completion.finish_reason == "error"
        self.cut += completion.finish_reason == "length"
        now = time.monotonic()
        if now - self._shown >= (LOG_EVERY_S if self._bar is None else DRAW_EVERY_S):
            self._shown = now
            self._show()

    def _show(self) -> None:
        if self._bar is None:
            logger.info("%s", str(self))
            self._before = (time.monotonic(), self.done - self.kept)
        else:
            self._bar.update(self._task, completed=self.done, total=self.total, told=self._told())

    def _told(self) -> str:
        seconds = max(time.monotonic() - self._started, 1e-6)
        sent = self.done - self.kept
        parts = [f"{sent / seconds:.1f}/s"]
        parts += [f"{self.kept:,} kept"] if self.kept else []
        parts += [f"{self.cut:,} cut"] if self.cut else []
        parts += [f"{self.failed:,} failed"] if self.failed else []
        parts.append(counted(self._account.tokens - self._tokens_before, "token"))
        if cost := self._account.cost_usd - self._cost_before:
            parts.append(f"${cost:,.2f}")
        return ", ".join(parts)

    def __str__(self) -> str:
        of = f" of {self.total:,}" if self.total is not None else ""
        return f"{self.label}: {self.done:,}{of} ({self._told()}{self._left()})"

    def _line(self) -> str:
        """What the run's live line says: answers, the tokens that move meanwhile, and the time left."""
        of = f" of {self.total:,}" if self.total is not None else ""
        generated = GENERATED.tokens - self._generated_before
        tokens = max(generated, self._account.tokens - self._tokens_before)
        rate = self._pace.per_second(tokens)
        parts = [
            f"{self.label}: {self.done:,}{of}",
            counted(tokens, "token"),
            *([f"{rate:,.0f}/s"] if rate else []),
        ]
        parts += [f"{self.kept:,} kept"] if self.kept else []
        parts += [f"{self.failed:,} failed"] if self.failed else []
        if cost := self._account.cost_usd - self._cost_before:
            parts.append(f"${cost:,.2f}")
        if self.total is None or self.done >= self.total:
            return ", ".join(parts)
        sent = self.done - self.kept
        if sent >= ENOUGH:
            seconds = (time.monotonic() - self._started) / sent * (self.total - self.done)
            parts.append(f"{clock(seconds)} left")
        elif self._tokens_each is not None and rate > 0:
            seconds = max(0.0, self._tokens_each * (self.total - self.kept) - tokens) / rate
            parts.append(f"{'at most ' if self._at_most else 'about '}{clock(seconds)} left")
        return ", ".join(parts)

    def _left(self) -> str:
        """How long it may take still, at the rate since the line before: the first answers may have waited for a
        server to start. Empty while too few have come to say."""
        since, sent_then = self._before
        lately = self.done - self.kept - sent_then
        if self.total is None or self.done >= self.total or lately < ENOUGH:
            return ""
        return f", {(time.monotonic() - since) / lately * (self.total - self.done):,.0f} s left"

    def close(self) -> None:
        """Show the last state and leave it there."""
        if self._screen is not None:
            self._screen.hide(self._line)
        if self._bar is not None:
            self._show()
            self._bar.stop()
        elif self.done:
            logger.info("%s", str(self))


def told_completions(engine: Engine, requests: Sequence[Request], label: str) -> Iterator[Completion]:
    """The engine's completions of some requests, in the order in which they finish, counted on the screen.

    Args:
        engine: who is asked. requests: what.
        label: what for, such as `judge: scores`.
    """
    if not requests:
        return
    account = Account({})
    tally = Tally(len(requests), label, account)
    try:
        for completion in engine.complete(requests):
            account.add(completion, engine, label)
            tally.add(completion)
            yield completion
    finally:
        tally.close()


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
