"""Progress of long work: a bar with rate and time left in a terminal, a line now and then in a log."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

logger = logging.getLogger(__name__)

LINE_EVERY_S = 15.0


def tracked(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    """Pass `items` through and show how far they are.

    Args:
        items: what is worked through.
        total: how many there will be.
        what: what they are, such as `vanilla generations`.
    """
    from rich.console import Console

    console = Console(stderr=True)
    counted = _with_bar if console.is_terminal else _with_lines
    yield from counted(items, total, what)


def _with_bar(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.1f}/s"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    started = time.monotonic()
    with Progress(*columns, console=Console(stderr=True)) as bars:
        bar = bars.add_task(what, total=total, rate=0.0)
        for done, item in enumerate(items, start=1):
            bars.update(bar, completed=done, rate=done / max(time.monotonic() - started, 1e-9))
            yield item


def _with_lines(items: Iterable[Item], total: int, what: str) -> Iterator[Item]:
    started = told = time.monotonic()
    done = 0
    for done, item in enumerate(items, start=1):
        now = time.monotonic()
        if now - told >= LINE_EVERY_S:
            told, rate = now, done / (now - started)
            logger.info("%s: %d of %d, %.1f/s, about %.0f s left", what, done, total, rate, (total - done) / rate)
        yield item
    logger.info("%s: %d of %d in %.1f s", what, done, total, time.monotonic() - started)
