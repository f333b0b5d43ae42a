"""The state of chains in progress: what to ask next, given the answers so far.

A chain goes through its recipe, each stage as soon as what it needs is there. An unusable reply is retried
with the reason, up to `tries`; then the chain is kept as rejected with that reason. All concurrent calls are
waited for, so that the fate of a chain, and its cost, does not depend on which answer came first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from medo1.chains.formats import Problem, parsed
from medo1.chains.prompts import filled, substituted
from medo1.chains.recipes import Stage, next_stages
from medo1.chains.task import AGAIN, ChainTask
from medo1.chains.trees import read_tree, walk
from medo1.engines.base import Completion, Message, Request, Sampling
from medo1.engines.wrappers.cut import joined, next_request
from medo1.errors import UserError
from medo1.lineage.digests import seed_from
from medo1.questions import Question


class TeachingError(UserError):
    """The teachers' replies cannot become chains; the text says why, how often, and what to do."""


@dataclass(frozen=True, slots=True)
class MadeChain:
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

    @property
    def tokens(self) -> int | None:
        """The chain's own length, None where the engine does not count: hidden thought is paid for, and nobody learns
        from it."""
        counted = self.completion.completion_tokens
        return None if counted is None else max(0, counted - (self.completion.reasoning_tokens or 0))


@dataclass(frozen=True, slots=True)
class RejectedChain:
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


class Replies:
    """Counts what teachers replied, by stage, and why replies could not be used."""

    def __init__(self) -> None:
        self._all: Counter[str] = Counter()
        self._refused: Counter[tuple[str, str]] = Counter()
        self._last: dict[tuple[str, str], tuple[str, str]] = {}

    def add(self, stage: str, problems: list[Problem], text: str) -> None:
        self._all[stage] += 1
        for problem in {one.code: one for one in problems}.values():
            self._refused[stage, problem.code] += 1
            self._last[stage, problem.code] = problem.text, text

    def alike(self, after: int | None, share: float) -> str | None:
        """What most replies of a stage were refused for; None while too few came, or they differ.

        Args:
            after: replies of a stage that must be there; None: never.
            share: of them that must have the same fault.
        """
        if after is None:
            return None
        for (stage, code), count in self._refused.most_common():
            whole = self._all[stage]
            if whole >= after and count >= share * whole:
                told, text = self._last[stage, code]
                begins = " ".join(text.split())[:160]
                return (
                    f"{count} of the first {whole} replies at the stage {stage!r} cannot be used for the same reason, "
                    f"{code}: {told}. The last of them begins: {begins!r}"
                )
        return None


class ChainState:
    """All chains of a task that are under way. Sends nothing and waits for nothing.

    Attributes:
        works: those under way, by `question_id/sample`.
        replies: counts of what was answered.
    """

    def __init__(self, task: ChainTask) -> None:
        self._task = task
        self.works: dict[str, _Work] = {}
        self.replies = Replies()

    def begin(self, question: Question, sample: int) -> list[tuple[str, Request]]:
        """The first calls for a question, each with the engine's role."""
        work = _Work(question, sample)
        if self._task.answer_guided:
            work.values["gold"] = f"{question.gold}. {question.gold_text}"
        self.works[f"{question.question_id}/{sample}"] = work
        return self._ready(work)

    def forget(self, question: Question, sample: int) -> None:
        """Undo `begin`."""
        del self.works[f"{question.question_id}/{sample}"]

    def goes_on(self, question: Question, sample: int) -> bool:
        """Whether a chain is under way and none of its stages was given up."""
        work = self.works.get(f"{question.question_id}/{sample}")
        return work is not None and not work.failed

    def stage_of(self, key: str) -> str:
        """The stage that a request's key belongs to."""
        return key.split("/")[2]

    def take(self, completion: Completion) -> tuple[MadeChain | RejectedChain | None, list[tuple[str, Request]]]:
        """What an answer leads to: a finished chain, or further calls, or (while others are open) nothing."""
        question_id, sample, _, turn = completion.key.split("/")
        name = f"{question_id}/{sample}"
        work = self.works[name]
        stage, request, pieces = work.open.pop(completion.key)
        recipe, teaching = self._task.recipe, self._task.teaching
        index = recipe.stages.index(stage)
        pieces.append(completion)
        work.paid.append((index, int(turn), len(pieces), completion.request_id))
        if self._worth_more(completion, pieces):
            return None, [self._follow_up(work, stage, request, pieces)]
        whole = joined(pieces, teaching.when_cut)
        problems = self._problems(stage, whole, work)
        self.replies.add(stage.name, problems, whole.text or whole.error or "")
        if problems and whole.finish_reason != "error" and work.tries[stage.name] < teaching.tries:
            return None, [self._ask(work, stage, "; ".join(problem.text for problem in problems))]
        if problems:
            work.failed[index] = problems, whole.text
            further = []
        elif stage is recipe.last:
            del self.works[name]
            tries = work.tries[stage.name]
            return MadeChain(question_id, work.sample, whole, work.request_ids, tries, self._task.answer_guided), []
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
        work.values[f"{stage.name}.thought"] = f"{answer.reasoning}\n\n{answer.text}".strip()
        if stage.gives == "tree":
            tree, _ = read_tree(answer.text)
            assert tree is not None
            work.values[f"{stage.name}.walk"] = walk(tree)

    def _rejected(self, work: _Work) -> RejectedChain:
        """A chain that cannot go on: the first of its stages that was given up says why."""
        index, (problems, text) = min(work.failed.items(), key=lambda item: item[0])
        stage = self._task.recipe.stages[index]
        codes = ",".join(dict.fromkeys(problem.code for problem in problems))
        reason = "; ".join(problem.text for problem in problems)
        if stage is not self._task.recipe.last:
            codes, reason = f"{stage.name}:{codes}", f"stage {stage.name}: {reason}"
        return RejectedChain(work.question.question_id, work.sample, codes, reason, text, work.request_ids)

    def _ready(self, work: _Work) -> list[tuple[str, Request]]:
        return [self._ask(work, stage) for stage in next_stages(self._task.recipe, work.done, work.asked)]

    def _ask(self, work: _Work, stage: Stage, reason: str = "") -> tuple[str, Request]:
        task = self._task
        work.asked.add(stage.name)
        work.tries[stage.name] = turn = work.tries.get(stage.name, 0) + 1
        text = filled(task.prompts[stage.name], work.question, work.values)
        if reason:
            text += "\n\n" + substituted(task.prompts[AGAIN], {"reason": reason})
        question_id = work.question.question_id
        drawn_as = task.seeded_as or task.format
        request = Request(
            key=f"{question_id}/{work.sample}/{stage.name}/{turn}",
            messages=(Message("user", text),),
            sampling=Sampling(temperature=task.teaching.temperature, max_new_tokens=task.teaching.max_new_tokens),
            sample=work.sample,
            seed=seed_from(task.seed, "teacher", drawn_as, stage.name, question_id, work.sample, turn),
            adapter=task.adapter,
        )
        work.open[request.key] = (stage, request, [])
        return stage.engine, request

    def _worth_more(self, completion: Completion, pieces: list[Completion]) -> bool:
        teaching = self._task.teaching
        return (
            completion.finish_reason == "length" and teaching.when_cut != "keep" and len(pieces) <= teaching.cut_rounds
        )

    def _follow_up(self, work: _Work, stage: Stage, request: Request, pieces: list[Completion]) -> tuple[str, Request]:
        teaching = self._task.teaching
        larger = round(request.sampling.max_new_tokens * teaching.cut_factor ** len(pieces))
        again = replace(next_request(request, pieces, teaching.when_cut, larger), key=request.key)
        work.open[request.key] = (stage, request, pieces)
        return stage.engine, again

    def _problems(self, stage: Stage, answer: Completion, work: _Work) -> list[Problem]:  # noqa: PLR0911
        """Why an answer cannot be used at its stage."""
        if answer.finish_reason == "error":
            return [Problem("failed", answer.error or "the engine gave no reason")]
        if stage is self._task.recipe.last:
            options, checks = work.question.options, self._task.checks
            return parsed(self._task.format, answer.text, options, answer.finish_reason, checks)[1]
        if answer.finish_reason == "content_filter":
            return [Problem("filtered", "a content filter withheld it")]
        if answer.finish_reason == "length":
            return [Problem("cut", "it was cut by the length limit")]
        if not answer.text.strip():
            return [Problem("empty", "it holds no text")]
        if stage.gives == "tree" and (wrong := read_tree(answer.text)[1]):
            return [Problem("no_tree", wrong)]
        return []
