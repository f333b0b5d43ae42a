"""The log of a run: a file that holds all that was logged, and what of it is shown.

Kedro logs a line when each node begins and ends; that belongs into the file. The screen shows warnings, what is logged
with `medo1.progress_bars.ON_SCREEN`, and where nothing is drawn there, a line now and then of long work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
# What is told by the plan, an error message or the ending; and what libraries warn their users of.
TOLD_ELSEWHERE = ("kedro.pipeline.node", "kedro.validation", "py.warnings")
# Who reports how far long work is, and what it will cost.
TOLD_OF_WORK = ("medo1.progress_bars", "medo1.engines", "medo1.pipelines.synthesis")


class RunLog:
    """Keeps a run's log.

    Args:
        path: the file.
        hide: takes secrets out of a text.
        live: a line is drawn on the screen: only warnings are shown beside it.
    """

    def __init__(self, path: Path, hide: Callable[[str], str], *, live: bool) -> None:
        self.path = path
        self._live = live
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = logging.FileHandler(path, encoding="utf-8", delay=True)
        self._file.setFormatter(_Hiding(hide))
        self._shown: list[tuple[logging.StreamHandler[Any], Any]] = []

    def open(self, stream: Any = None) -> None:
        """Begin to keep what is logged.

        Args:
            stream: what shows lines without disturbing what is drawn; None leaves the handlers' own.
        """
        root = logging.getLogger()
        for handler in root.handlers:
            if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
                handler.addFilter(self._is_shown)
                self._shown.append((handler, handler.stream))
                if stream is not None:
                    handler.setStream(stream)
        root.addHandler(self._file)
        logging.captureWarnings(True)

    def close(self) -> None:
        """Leave the handlers as they were."""
        logging.captureWarnings(False)
        logging.getLogger().removeHandler(self._file)
        self._file.close()
        for handler, stream in self._shown:
            handler.removeFilter(self._is_shown)
            handler.setStream(stream)
        self._shown.clear()

    def _is_shown(self, record: logging.LogRecord) -> bool:
        if record.name.startswith(TOLD_ELSEWHERE):
            return False
        if record.levelno >= logging.WARNING or getattr(record, "on_screen", False):
            return True
        return not self._live and record.name.startswith(TOLD_OF_WORK)


class _Hiding(logging.Formatter):
    def __init__(self, hide: Callable[[str], str]) -> None:
        super().__init__(FORMAT)
        self._hide = hide

    def format(self, record: logging.LogRecord) -> str:
        return self._hide(super().format(record))
