"""Progress of long work: a bar with rate and time left in a terminal, a periodic line in a log."""

from __future__ import annotations

import logging
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

logger = logging.getLogger(__name__)

LINE_EVERY_S = 15.0


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
        self._done = 0
        self._started = self._told = time.monotonic()
        self._bars: Any = None

    def __enter__(self) -> Self:
        from rich.console import Console

        console = Console(stderr=True)
        if console.is_terminal:
            self._bars, self._bar = _bars(console, self._what, self._total)
            self._bars.start()
        return self

    def advance(self, note: str = "") -> None:
        """One step more is done; `note` says what stands there, such as a loss."""
        self._done += 1
        now = time.monotonic()
        rate = self._done / max(now - self._started, 1e-9)
        if self._bars is not None:
            self._bars.update(self._bar, completed=self._done, rate=rate, note=note)
        elif now - self._told >= LINE_EVERY_S:
            self._told = now
            left = (self._total - self._done) / rate
            logger.info(
                "%s: %d of %d, %.1f/s, about %.0f s left%s",
                self._what,
                self._done,
                self._total,
                rate,
                left,
                f", {note}" if note else "",
            )

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()
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
