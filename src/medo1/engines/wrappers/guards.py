"""Guards for a run with a completion store: a second run with the same requests, signals, a full disk."""

from __future__ import annotations

import json
import logging
import os
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from medo1.engines.wrappers.store import CompletionStore, Paid, exported

logger = logging.getLogger(__name__)


class AskingLock:
    """A lock beside the store, per engine, held while a run uses it; a second run of the same engine is warned.

    The operating system lets go of it when its holder ends, however it ends.

    Args:
        store: the store's file.
        engine_id: address of the engine.
    """

    def __init__(self, store: Path, engine_id: str) -> None:
        self._path = store.with_name(f"{store.name}.{engine_id[:8]}.lock")
        self._file: IO[str] | None = None

    def take(self) -> None:
        """Take it; where another process has it, say so and go on."""
        try:
            import fcntl
        except ImportError:  # Windows
            return
        try:
            file = self._path.open("a+", encoding="utf-8")
        except OSError:
            return  # a full or read-only disk is said where answers are written
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip()
            file.close()
            if not holder.startswith(f"process {os.getpid()} "):
                logger.warning(
                    "another run is asking the same engine with the same store (%s, %s): what both ask for at the same "
                    "time is paid twice. Stop one of them, or let it end first",
                    holder or "a process that does not say which",
                    self._path,
                )
            return
        file.truncate(0)
        file.write(f"process {os.getpid()} since {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
        with suppress(OSError):
            file.flush()
        self._file = file

    def release(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.truncate(0)
                self._file.close()
            self._file = None


@contextmanager
def signals_drain() -> Iterator[None]:
    """While this lasts, SIGTERM (a scheduler) and SIGHUP (a closed terminal) do what Ctrl-C does: nothing more is sent,
    and answers in flight are waited for and kept. A signal that is ignored or has a handler already stays as it is."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {}

    def interrupt(number: int, _: Any) -> None:
        logger.warning("%s: stopping, answers in flight are kept", signal.Signals(number).name)
        raise KeyboardInterrupt(signal.Signals(number).name)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            before[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            if signal.getsignal(number) is interrupt:
                signal.signal(number, handler)


def is_full(error: BaseException) -> bool:
    """Whether an error means that the disk has no space left."""
    return (isinstance(error, sqlite3.Error) and "full" in str(error)) or "No space left" in str(error)


def rescued(paid: Sequence[Paid], identity: Mapping[str, Any], store: CompletionStore) -> Path | None:
    """Write answers that the store's disk cannot take to another place, as `kedro completions restore` reads them.

    Returns:
        the file; None where no place takes them.
    """
    name = f"medo1-answers-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.jsonl"
    full = store.path.parent.stat().st_dev
    places = [Path(tempfile.gettempdir()), Path.home(), Path("/dev/shm"), Path.cwd()]  # noqa: S108
    for place in sorted(places, key=lambda one: one.is_dir() and one.stat().st_dev == full):
        path = place / name
        try:
            with path.open("x", encoding="utf-8") as file:
                for one in paid:
                    file.write(json.dumps(exported(one, identity), ensure_ascii=False) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                path.unlink()
            continue
        return path
    return None
