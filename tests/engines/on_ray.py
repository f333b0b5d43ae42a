"""Engines that a test has on Ray's workers: one that notes where it ran, and some that fail in their own ways."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

from medo1.engines import Completion, Engine, EngineError, Request
from medo1.engines.local.transformers import Transformers


class Noting(Transformers):
    """The transformers engine; the folder `notes` gets a file for each process that loaded it."""

    def __init__(self, notes: str, **options: Any) -> None:
        super().__init__(**options)
        self._notes = Path(notes)

    def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
        (self._notes / str(os.getpid())).touch()
        yield from super().batches(requests, stop)


class Echo(Engine):
    """Says back what it is asked, and does what the question says.

    Args:
        notes: a folder for what is to happen once.
        credentials: `api_key`.
    """

    def __init__(self, notes: str, credentials: dict[str, str] | None = None) -> None:
        self._notes = Path(notes)
        self._key = (credentials or {}).get("api_key", "")

    @property
    def identity(self) -> dict[str, Any]:
        return {"kind": "echo"}

    def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
        for request in requests:
            asked = request.messages[-1].content
            if asked == "refuse":
                raise EngineError(f"the server does not know the key {self._key}")
            if asked == "break":
                raise ZeroDivisionError(f"with {self._key}\nand more")
            if asked == "die" or (asked == "die once" and self._first_time()):
                time.sleep(1.0)  # what was answered before is on its way
                os._exit(1)
            yield [Completion(request.key, asked, "stop")]

    def close(self) -> None:
        (self._notes / f"closed-{os.getpid()}").touch()

    def _first_time(self) -> bool:
        try:
            (self._notes / "died").touch(exist_ok=False)
        except FileExistsError:
            return False
        return True
