"""Teachers at work: every question goes through its recipe, each stage as soon as what it needs is there.

Who calls it: `synthesis`, or a notebook with two engines and a list of questions. Each engine has a lane of its own,
a thread that takes requests and gives completions; the chains' state stays in the caller's thread. Where an engine
streams, a question's second call goes out when its first is answered, beside other questions' first calls; an engine
that takes whole batches is given, each time, all that is ready.

A chain that is not of its format is asked for again with the reason, up to `tries`, then it is kept as rejected with
that reason. Calls that go out side by side are all waited for, so that what becomes of a chain, and what was paid for
it, does not depend on which answer came first. An answer cut by its length is treated as `when_cut` says. Nothing that
was answered is lost when this stops (an error, a spent budget, Ctrl-C): engines with a store have it on disk.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from medo1.chains.formats import Checks, Problem, parsed
from medo1.chains.prompts import checked_prompts, filled, substituted
from medo1.chains.recipes import Recipe, Stage, next_stages
from medo1.chains.trees import read_tree, walk
from medo1.engines.base import Completion, Engine, Message, Request, Sampling
from medo1.engines.wrappers.cut import WhenCut, joined, next_request
from medo1.lineage.digests import seed_from
from medo1.questions import Question

logger = logging.getLogger(__name__)

AGAIN = "again"  # the prompt that is added when a chain is asked for again
OPEN_QUESTIONS = 4000  # chains under way at once, where engines stream; bounds memory
DRAIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How chains are asked for.

    Attributes:
        samples: chains per question.
        temperature, max_new_tokens: of each call.
        tries: how often the writing stage is asked in all, when what it wrote is no chain of the format.
        when_cut, cut_rounds, cut_factor: see `medo1.engines.wrappers.cut`.
        answer_guided: show the teacher the right answer (`{{gold}}`); such chains are marked.
        checks: how strict the format is.
    """

    samples: int = 1
    temperature: float = 0.0
    max_new_tokens: int = 4096
    tries: int = 3
    when_cut: WhenCut = "keep"
    cut_rounds: int = 2
    cut_factor: float = 2.0
    answer_guided: bool = False
    checks: Checks = field(default_factory=Checks)


@dataclass(frozen=True, slots=True)
class Made:
    """A chain.

    Attributes:
        completion: the writing stage's answer, made whole; its text is the chain.
        request_ids: everything that was paid for it, in order of asking.
        tries: how often the writing stage was asked.
    """

    question_id: str
    sample: int
    completion: Completion
    request_ids: tuple[str, ...]
    tries: int
    guided: bool


@dataclass(frozen=True, slots=True)
class Rejected:
    """What became no chain: a code, the reason in words, and the text as far as there was one."""

    question_id: str
    sample: int
    code: str
    reason: str
    text: str
    request_ids: tuple[str, ...]


@dataclass(slots=True)
class _Work:
    """A chain under way."""

    question: Question
    sample: int
    values: dict[str, str] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    tries: dict[str, int] = field(default_factory=dict)
    open: dict[str, tuple[Stage, Request, list[Completion]]] = field(default_factory=dict)  # by key
    paid: list[tuple[int, int, int, str]] = field(default_factory=list)  # stage, turn, piece, request id
    failed: dict[int, tuple[list[Problem], str]] = field(default_factory=dict)  # stages given up: why, and their text

    @property
    def request_ids(self) -> tuple[str, ...]:
        """In the recipe's order: the order in which answers came back leaves no trace."""
        return tuple(request_id for *_, request_id in sorted(self.paid))


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


def check_prompts(recipe: Recipe, prompts: Mapping[str, str], settings: Settings, where: str) -> None:
    """Refuse prompts that are missing or ask for what they cannot have; see `medo1.chains.prompts`."""
    needed = recipe.placeholders()
    if settings.tries > 1:
        needed[AGAIN] = {"reason"}
    checked_prompts(prompts, needed, where, gold=settings.answer_guided)


def make_chains(  # noqa: PLR0912  (one loop, told in order)
    questions: Iterable[Question],
    *,
    format: str,
    recipe: Recipe,
    engines: Mapping[str, Engine],
    prompts: Mapping[str, str],
    settings: Settings = Settings(),
    seed: int = 0,
    where: str = "the prompts",
    watch: Callable[[Completion, Engine, str], None] | None = None,
) -> Iterator[Made | Rejected]:
    """Chains of one format, in the order in which they are finished.

    Args:
        questions: what to write chains for.
        format: the format that the writing stage's text must have, a key of `FORMATS`.
        recipe: the stages.
        engines: by role, as the stages name them.
        prompts: by stage; and `again`, if an invalid chain is asked for again.
        settings: sampling, tries, checks.
        seed: each call's seed derives from it, the format, the stage, the question and the sample.
        where: where the prompts come from, for messages.
        watch: called with each completion, its engine and its stage, for accounts and progress.

    Raises:
        UserError: a prompt is missing or asks for what it cannot have.
        EngineError: an engine cannot answer anything, or the budget is spent.
    """
    check_prompts(recipe, prompts, settings, where)
    maker = ChainState(format, recipe, dict(prompts), settings, seed)
    out: queue.SimpleQueue[tuple[str, Completion | BaseException]] = queue.SimpleQueue()
    lanes: dict[str, _Lane] = {role: _Lane(role, engines[role], out) for role in recipe.engines}
    streams = all(engines[role].streams for role in recipe.engines)
    source = ((question, sample) for question in questions for sample in range(settings.samples))
    exhausted = False
    try:
        while True:
            while not exhausted and (not streams or len(maker.works) < OPEN_QUESTIONS):
                if (item := next(source, None)) is None:
                    exhausted = True
                    break
                for role, request in maker.begin(*item):
                    lanes[role].put(request)
            if not maker.works:
                break
            role, told = out.get()
            if isinstance(told, BaseException):
                raise told
            if watch is not None:
                watch(told, engines[role], maker.stage_of(told.key))
            finished, further = maker.take(told)
            for next_role, request in further:
                lanes[next_role].put(request)
            if finished is not None:
                yield finished
    finally:
        if maker.works:
            logger.warning(
                "%s: stopping; answers in flight are waited for and kept (Ctrl-C again: leave at once)", format
            )
        for lane in lanes.values():
            lane.stop.set()
        for lane in lanes.values():
            lane.end(DRAIN_S)


class ChainState:
    """The chains' state: what to ask next, given what was answered. Sends nothing and waits for nothing."""

    def __init__(self, format: str, recipe: Recipe, prompts: dict[str, str], settings: Settings, seed: int) -> None:
        self._format = format
        self._recipe = recipe
        self._prompts = prompts
        self._settings = settings
        self._seed = seed
        self.works: dict[str, _Work] = {}

    def begin(self, question: Question, sample: int) -> list[tuple[str, Request]]:
        """The first calls for a question."""
        work = _Work(question, sample)
        if self._settings.answer_guided:
            work.values["gold"] = f"{question.gold}. {question.gold_text}"
        self.works[f"{question.question_id}/{sample}"] = work
        return self._ready(work)

    def stage_of(self, key: str) -> str:
        """The stage that a request's key belongs to."""
        return key.split("/")[2]

    def take(self, completion: Completion) -> tuple[Made | Rejected | None, list[tuple[str, Request]]]:
        """What an answer leads to: a finished chain, or further calls, or (while others are open) nothing."""
        question_id, sample, _, turn = completion.key.split("/")
        name = f"{question_id}/{sample}"
        work = self.works[name]
        stage, request, pieces = work.open.pop(completion.key)
        index = self._recipe.stages.index(stage)
        pieces.append(completion)
        work.paid.append((index, int(turn), len(pieces), completion.request_id))
        if self._worth_more(completion, pieces):
            return None, [self._follow_up(work, stage, request, pieces)]
        whole = joined(pieces, self._settings.when_cut)
        problems = self._problems(stage, whole, work)
        if problems and whole.finish_reason != "error" and work.tries[stage.name] < self._settings.tries:
            return None, [self._ask(work, stage, "; ".join(problem.text for problem in problems))]
        if problems:
            work.failed[index] = problems, whole.text
            further = []
        elif stage is self._recipe.last:
            del self.works[name]
            guided = self._settings.answer_guided
            tries = work.tries[stage.name]
            return Made(question_id, work.sample, whole, work.request_ids, tries, guided), []
        else:
            self._note(work, stage, whole)
            further = self._ready(work)
        if work.open:
            return None, further
        del self.works[name]
        return self._rejected(work), []

    def _note(self, work: _Work, stage: Stage, answer: Completion) -> None:
        """A stage's answer, for the stages that need it."""
        work.done.add(stage.name)
        work.values[stage.name] = answer.text.strip()
        work.values[f"{stage.name}.thought"] = (answer.reasoning or answer.text).strip()
        if stage.gives == "tree":
            tree, _ = read_tree(answer.text)
            assert tree is not None
            work.values[f"{stage.name}.walk"] = walk(tree)

    def _rejected(self, work: _Work) -> Rejected:
        """A chain that cannot go on: the first of its stages that was given up says why."""
        index, (problems, text) = min(work.failed.items(), key=lambda item: item[0])
        stage = self._recipe.stages[index]
        codes = ",".join(dict.fromkeys(problem.code for problem in problems))
        reason = "; ".join(problem.text for problem in problems)
        if stage is not self._recipe.last:
            codes, reason = f"{stage.name}:{codes}", f"stage {stage.name}: {reason}"
        return Rejected(work.question.question_id, work.sample, codes, reason, text, work.request_ids)

    def _ready(self, work: _Work) -> list[tuple[str, Request]]:
        return [self._ask(work, stage) for stage in next_stages(self._recipe, work.done, work.asked)]

    def _ask(self, work: _Work, stage: Stage, reason: str = "") -> tuple[str, Request]:
        work.asked.add(stage.name)
        work.tries[stage.name] = turn = work.tries.get(stage.name, 0) + 1
        text = filled(self._prompts[stage.name], work.question, work.values)
        if reason:
            text += "\n\n" + substituted(self._prompts[AGAIN], {"reason": reason})
        question_id = work.question.question_id
        request = Request(
            key=f"{question_id}/{work.sample}/{stage.name}/{turn}",
            messages=(Message("user", text),),
            sampling=Sampling(temperature=self._settings.temperature, max_new_tokens=self._settings.max_new_tokens),
            sample=work.sample,
            seed=seed_from(self._seed, "teacher", self._format, stage.name, question_id, work.sample, turn),
        )
        work.open[request.key] = (stage, request, [])
        return stage.engine, request

    def _worth_more(self, completion: Completion, pieces: list[Completion]) -> bool:
        settings = self._settings
        return (
            completion.finish_reason == "length" and settings.when_cut != "keep" and len(pieces) <= settings.cut_rounds
        )

    def _follow_up(self, work: _Work, stage: Stage, request: Request, pieces: list[Completion]) -> tuple[str, Request]:
        larger = round(request.sampling.max_new_tokens * self._settings.cut_factor ** len(pieces))
        again = replace(next_request(request, pieces, self._settings.when_cut, larger), key=request.key)
        work.open[request.key] = (stage, request, pieces)
        return stage.engine, again

    def _problems(self, stage: Stage, answer: Completion, work: _Work) -> list[Problem]:  # noqa: PLR0911
        """Why an answer cannot be used at its stage."""
        if answer.finish_reason == "error":
            return [Problem("failed", answer.error or "the engine gave no reason")]
        if stage is self._recipe.last:
            checks = self._settings.checks
            return parsed(self._format, answer.text, work.question.options, answer.finish_reason, checks)[1]
        if answer.finish_reason == "content_filter":
            return [Problem("filtered", "a content filter withheld it")]
        if answer.finish_reason == "length":
            return [Problem("cut", "it was cut by the length limit")]
        if not answer.text.strip():
            return [Problem("empty", "it holds no text")]
        if stage.gives == "tree" and (wrong := read_tree(answer.text)[1]):
            return [Problem("no_tree", wrong)]
        return []
