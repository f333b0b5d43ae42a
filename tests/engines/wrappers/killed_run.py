"""A run that a test kills: asks a server for `count` answers through a store, and says when it is done.

python -m tests.engines.wrappers.killed_run URL STORE COUNT CONCURRENCY
"""

from __future__ import annotations

import signal
import sys

from medo1.engines import Message, Request, Sampling
from medo1.engines.http.openai import OpenAI
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored


def requests(count: int) -> list[Request]:
    return [Request(str(place), (Message("user", f"question {place}"),), Sampling()) for place in range(count)]


def engine(url: str, store: str, concurrency: int) -> Stored:
    return Stored(OpenAI("teacher", base_url=url, endpoint="server", concurrency=concurrency), CompletionStore(store))


def hears_signals() -> None:
    """As from a terminal. A shell that starts a job in the background has it ignore Ctrl-C, `nohup` has it ignore
    SIGHUP, and whoever starts tests in such a way hands that down to this process."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def main() -> None:
    hears_signals()
    url, store, count, concurrency = sys.argv[1:5]
    with engine(url, store, int(concurrency)) as asked:
        print("begun", flush=True)
        done = sum(1 for _ in asked.complete(requests(int(count))))
    print("done", done, flush=True)


if __name__ == "__main__":
    main()
