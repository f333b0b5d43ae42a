"""Progress of long work: in `kedro run` on a terminal, the run's live line; alone on a terminal, a bar; else a periodic
line in the log.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol, Self

logger = logging.getLogger(__name__)

LINE_EVERY_S = 15.0
WINDOW_S = 20.0  # over which a rate is taken
MINUTE, HOUR = 60, 3600
ON_SCREEN = {"on_screen": True}  # as `extra` of a line of the log that a run's screen shows too


class Screen(Protocol):
    """Where a run shows what goes on: one line, asked for whenever it is drawn."""

    def show(self, line: Callable[[], str]) -> None:
        """Show a piece of work from now on."""

    def hide(self, line: Callable[[], str]) -> None:
        """A piece of work is over."""

    def close(self) -> None:
        """Draw no more."""


_screens: list[Screen] = []


def use_screen(screen: Screen | None) -> None:
    """Have work be shown there from now on; None: nowhere."""
    _screens[:] = [] if screen is None else [screen]


def current_screen() -> Screen | None:
    """The screen of the run that goes on in this process; None where there is none."""
    return _screens[0] if _screens else None


class TokenCounter:
    """Tokens that engines of this process have generated: what moves before the first answer is done."""

    def __init__(self) -> None:
        self.tokens = 0


GENERATED = TokenCounter()


class Pace:
    """How fast a number grows lately, per second."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()

    def per_second(self, value: float, now: float | None = None) -> float:
        """The rate over the last seconds, of which `value` is the latest; 0 until there are two."""
        now = time.monotonic() if now is None else now
        self._seen.append((now, value))
        while len(self._seen) > 2 and self._seen[1][0] < now - WINDOW_S:  # noqa: PLR2004
            self._seen.popleft()
        since, before = self._seen[0]
        return (value - before) / (now - since) if now > since else 0.0


def clock(seconds: float) -> str:
    """Seconds as a clock shows them: 0:09, 12:30, 2:05:00."""
    whole = max(0, round(seconds))
    hours, minutes = whole // HOUR, whole % HOUR // MINUTE
    return f"{hours}:{minutes:02}:{whole % MINUTE:02}" if hours else f"{minutes}:{whole % MINUTE:02}"


def silence_library_bars() -> None:
    """Keep transformers' own bars (`Loading weights`, `Writing model shards`) out of medo1's output."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()


class StepProgress(AbstractContextManager["StepProgress"]):
    """Shows how far a piece of work is.

    Args:
        total: how many steps it has.
        what: what they are, such as `vanilla generations`.
    """

    def __init__(self, total: int, what: str) -> None:
        self._total, self._what = total, what
        self._done, self._note = 0, ""
        self._started = self._told = time.monotonic()
        self._bars: Any = None

    def __enter__(self) -> Self:
        from rich.console import Console

        if (screen := current_screen()) is not None:
            screen.show(self._line)
            return self
        console = Console(stderr=True)
        if console.is_terminal:
            self._bars, self._bar = _bars(console, self._what, self._total)
            self._bars.start()
        return self

    def advance(self, note: str = "") -> None:
        """One step more is done; `note` says what stands there, such as a loss."""
        self._done += 1
        self._note = note
        now = time.monotonic()
        if self._bars is not None:
            self._bars.update(self._bar, completed=self._done, rate=self._rate(now), note=note)
        elif now - self._told >= LINE_EVERY_S:
            self._told = now
            logger.info("%s", self._line())

    def _rate(self, now: float) -> float:
        return self._done / max(now - self._started, 1e-9)

    def _line(self) -> str:
        rate = self._rate(time.monotonic())
        told = f"{self._what}: {self._done:,} of {self._total:,}"
        if self._done:
            told += f", {rate:.1f}/s, {clock((self._total - self._done) / rate)} left"
        return f"{told}, {self._note}" if self._note else told

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()
        elif (screen := current_screen()) is not None:
            screen.hide(self._line)
        took = time.monotonic() - self._started
        logger.info("%s: %d of %d in %.1f s", self._what, self._done, self._total, took)


def _bars(console: Any, what: str, total: int) -> tuple[Any, Any]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f}/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    )
    return bars, bars.add_task(what, total=total, rate=0.0, note="")
