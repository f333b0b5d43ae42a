"""Teachers at work: every question goes through its recipe, each stage as soon as what it needs is there.

Each engine has its own worker thread, which takes requests and returns completions; the chains' state stays in the
caller's thread. Where an engine streams, a question's second call is sent when its first is answered, alongside other
questions' first calls; a batch engine is given everything that is ready each time. No answer is lost when this stops
(an error, a spent budget, Ctrl-C): engines with a store have it on disk.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from medo1.chains.state import MadeChain, RejectedChain, TeachingError
from medo1.chains.survey import Survey, Watch
from medo1.engines.base import Completion, Engine, Request

logger = logging.getLogger(__name__)

OPEN_QUESTIONS = 4000  # chains under way at once, where engines stream; bounds memory
DRAIN_S = 120.0


class _Lane:
    """One engine's thread: requests in, completions out."""

    def __init__(self, name: str, engine: Engine, out: queue.SimpleQueue[Any]) -> None:
        self.name = name
        self.stop = threading.Event()
        self._engine = engine
        self._in: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._out = out
        self._thread = threading.Thread(target=self._run, name=f"medo1-{name}", daemon=True)
        self._thread.start()

    def put(self, request: Request) -> None:
        self._in.put(request)

    def end(self, timeout_s: float) -> None:
        """Take nothing more, wait for what is in flight."""
        self.stop.set()
        self._in.put(None)
        self._thread.join(timeout_s)

    def _stream(self) -> Iterator[Request]:
        while (request := self._in.get()) is not None:
            yield request

    def _waves(self) -> Iterator[list[Request]]:
        while (request := self._in.get()) is not None:
            wave = [request]
            while not self._in.empty():
                if (more := self._in.get()) is None:
                    return
                wave.append(more)
            yield wave

    def _run(self) -> None:
        try:
            for requests in [self._stream()] if self._engine.streams else self._waves():
                for batch in self._engine.batches(requests, self.stop):
                    for completion in batch:
                        self._out.put((self.name, completion))
        except BaseException as error:
            self._out.put((self.name, error))


def make_chains(
    survey: Survey, engines: Mapping[str, Engine], watch: Watch | None = None
) -> Iterator[MadeChain | RejectedChain]:
    """The chains of a task: those that its survey found finished, then the others in the order in which they finish.

    Args:
        survey: where the task stands; used up by this.
        engines: by role, as the recipe names them.
        watch: called with each answer that comes, its engine and its stage, for accounts and progress.

    Raises:
        TeachingError: most replies of a stage are refused for the same reason (`teaching.stop_after`).
        EngineError: an engine cannot answer anything, or the budget is spent.
    """
    yield from survey.finished
    if survey.calls or survey.unbegun:
        _stop_if_all_are_alike(survey)
        yield from _asked_for(survey, engines, watch)


def _asked_for(
    survey: Survey, engines: Mapping[str, Engine], watch: Watch | None
) -> Iterator[MadeChain | RejectedChain]:
    """The chains that are not finished, in one loop, told in order."""
    task, state = survey.task, survey.state
    out: queue.SimpleQueue[tuple[str, Completion | BaseException]] = queue.SimpleQueue()
    lanes: dict[str, _Lane] = {role: _Lane(role, engines[role], out) for role in task.recipe.engines}
    streams = all(engines[role].streams for role in task.recipe.engines)
    unbegun = iter(survey.unbegun)
    calls = survey.calls
    room = OPEN_QUESTIONS if streams else len(survey.unbegun) + len(state.works)
    judged, first = len(survey.finished), task.teaching.stop_after or 0
    try:
        while True:
            # The first ones go out few at a time, so that prompts that do not work are found out cheaply.
            while len(state.works) < (room if judged >= first else min(first, room)):
                if (item := next(unbegun, None)) is None:
                    break
                calls += state.begin(*item)
            for role, request in calls:
                lanes[role].put(request)
            if not state.works:
                break
            role, told = out.get()
            if isinstance(told, BaseException):
                raise told
            if watch is not None:
                watch(told, engines[role], state.stage_of(told.key))
            finished, calls = state.take(told)
            _stop_if_all_are_alike(survey)
            if finished is not None:
                judged += 1
                yield finished
    finally:
        if state.works:
            logger.warning(
                "%s: stopping; answers in flight are waited for and kept (Ctrl-C again: leave at once)", task.format
            )
        for lane in lanes.values():
            lane.stop.set()
        for lane in lanes.values():
            lane.end(DRAIN_S)


def _stop_if_all_are_alike(survey: Survey) -> None:
    teaching = survey.task.teaching
    if (told := survey.state.replies.alike(teaching.stop_after, teaching.stop_share)) is not None:
        longer = ", or raise synthesis.max_new_tokens" if ", cut: " in told else ""
        raise TeachingError(
            f"{told}. Stopped before more is paid; every reply is kept (`kedro completions show`). Change the prompts "
            f"({survey.task.where}), the teacher, or the format's checks{longer}, and run again; "
            "synthesis.stop_after: null goes on all the same"
        )
