"""What an arm asks: the requests of its greedy and sampled draws, and how many samples each question gets.

Seeds come from the run's seed, the question and the sample, so that a result depends neither on the order of questions
nor on which others are asked, and a longer run continues where a shorter one ended.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import exp
from typing import Any

from medo1.answers import read_answer
from medo1.differential import normalised_diagnosis, read_differential
from medo1.engines.base import Adapter, Completion, Engine, Message, Request, Sampling
from medo1.frames import Frame
from medo1.lineage.digests import seed_from
from medo1.pipelines.inference.budget_forcing import Generation, ThinkingSpec, generations
from medo1.pipelines.inference.params import DrawParams
from medo1.questions import FreeForm, Question, free_form, free_form_prompt, prompt_text, questions_from
from medo1.questions.free_form import free_stem
from medo1.statistics.rules import StoppingRule
from medo1.statistics.stopping import looks, stopping_point
from medo1.statistics.votes import Voter, vote
from medo1.vocabulary import Draw, SelectionScore

logger = logging.getLogger(__name__)

Passed = Callable[[Iterable[Completion]], Iterable[Completion]]


def _uncounted(completions: Iterable[Completion]) -> Iterable[Completion]:
    return completions


@dataclass(frozen=True, slots=True)
class Drawn:
    """A generation and what it is of."""

    question: Question
    draw: Draw
    sample: int
    generation: Generation

    def as_row(self) -> dict[str, Any]:
        """Its row of `tables.GENERATIONS`, without the arm's name."""
        generation = self.generation
        return {
            "question_id": self.question.question_id,
            "benchmark": self.question.benchmark,
            "draw": self.draw,
            "sample": self.sample,
            "budget": generation.budget,
            "text": generation.text,
            "status": generation.status,
            "finish_reason": generation.finish_reason,
            "prompt_tokens": generation.prompt_tokens,
            "completion_tokens": generation.completion_tokens,
            "answer_tokens": generation.answer_tokens,
            "reasoning_tokens": generation.reasoning_tokens,
            "waits": generation.waits,
            "mean_logprob": generation.mean_logprob,
            "self_certainty": generation.self_certainty,
            "confidence": generation.confidence,
            "lowest_confidence": generation.lowest_confidence,
            "error": generation.error,
            "request_id": generation.request_ids[0],
            "parts": list(generation.request_ids),
        }


def answerable(questions: Frame) -> Frame:
    """The questions that can be answered without options: not those that ask to judge their options."""
    fits = [free_form(question).needs_options is None for question in questions_from(questions)]
    if not all(fits):
        logger.info("%d of %d questions need their options and are not asked freely", len(fits) - sum(fits), len(fits))
    return questions[fits]


@dataclass(frozen=True, slots=True)
class FirstAsked:
    """Who answers first, and when that answer is sure enough.

    Attributes:
        arm: the one that answers. score, tau: think when its score is below. samples: of the score `agreement`.
    """

    arm: AskedArm
    score: SelectionScore
    tau: float
    samples: int

    def answers(self, questions: Sequence[Question]) -> Iterator[tuple[int, Drawn, float | None]]:
        """Of each question its place, its first answer with all that it cost, and how sure it is; None for an answer
        that states nothing."""
        sampled = self.score == "agreement"
        params = self.arm.params.model_copy(update={"budgets": (), "samples": self.samples if sampled else 0})
        asking = replace(self.arm, params=params, stopping=None)
        drawn: dict[str, list[Drawn]] = {}
        for one in asking.draws_of(questions, greedy=not sampled):
            drawn.setdefault(one.question.question_id, []).append(one)
        for place, question in enumerate(questions):
            answers = sorted(drawn[question.question_id], key=lambda one: one.sample)
            stated = [self.arm.stated_by(one) for one in answers]
            winner = vote([Voter(letter) for letter in stated]).letter
            said = answers[stated.index(winner)]  # where none states anything, the first
            others = [one.generation for one in answers if one is not said]
            whole = replace(said, draw="greedy", sample=0, generation=_with_cost_of(said.generation, others))
            yield place, whole, None if winner is None else self._score(said.generation, stated.count(winner))

    def _score(self, generation: Generation, agree: int) -> float | None:
        if self.score == "agreement":
            return agree / self.samples
        if self.score == "confidence":
            return generation.confidence
        return None if generation.mean_logprob is None else exp(generation.mean_logprob)


def _with_cost_of(generation: Generation, others: Sequence[Generation]) -> Generation:
    """The generation with the tokens and requests of others that were paid before it."""
    everything = [*others, generation]

    def total(name: str) -> int | None:
        counts = [getattr(one, name) for one in everything]
        return None if None in counts else sum(counts)

    return replace(
        generation,
        prompt_tokens=total("prompt_tokens"),
        completion_tokens=total("completion_tokens"),
        request_ids=tuple(request_id for one in everything for request_id in one.request_ids),
    )


@dataclass(frozen=True, slots=True)
class AskedArm:
    """An arm that is asked questions.

    Attributes:
        engine: who answers. adapter: as whom; None for the base model.
        prompt: what is asked after each question.
        params: how it draws. stopping: when a question has samples enough; None draws all of them.
        seed: the run's.
        passed: every completion passes through it, for counting.
        free: the options are not shown, and a ranked differential is read.
        first: who answers at once, so that only unsure questions are thought about; None thinks about all.
    """

    engine: Engine
    adapter: Adapter | None
    prompt: str
    params: DrawParams
    stopping: StoppingRule | None
    seed: int
    passed: Passed = _uncounted
    free: bool = False
    first: FirstAsked | None = None

    def counted_by(self, passed: Passed) -> AskedArm:
        """The same, every completion passing through this, those of first answers too."""
        first = None if self.first is None else replace(self.first, arm=self.first.arm.counted_by(passed))
        return replace(self, passed=passed, first=first)

    def draws_of(self, questions: Sequence[Question], *, greedy: bool = True) -> Iterator[Drawn]:
        """One greedy generation of each question (and those of its smaller budgets), and its samples: all at once, or
        in rounds until the question is decided. Without `greedy`, the samples alone.

        With a first answer there is one generation of each question, with the cost of both where it was thought about
        (and those of its smaller budgets)."""
        if self.first is not None:
            yield from self._when_unsure(questions, self.first)
            return
        most = self.params.samples
        rounds = [most] if self.stopping is None or not most else looks(self.stopping, most)
        stated: list[dict[int, str | None]] = [{} for _ in questions]
        undecided, taken = list(range(len(questions))), 0
        for look in rounds:
            asked = []
            for place in undecided:  # a question's draws follow one another: engines read their prompt once
                asked += [self._greedy(place, questions[place])] if greedy and not taken else []
                asked += [self._sample(place, questions[place], sample) for sample in range(taken, look)]
            for place, drawn in self._drawn(questions, asked):
                if self.stopping is not None and drawn.draw == "sampled":
                    stated[place][drawn.sample] = self.stated_by(drawn)
                yield drawn
            taken = look
            undecided = [place for place in undecided if not self._decided(stated[place], questions[place])]

    def _when_unsure(self, questions: Sequence[Question], first: FirstAsked) -> Iterator[Drawn]:
        unsure: dict[str, Generation] = {}
        budget = self.params.all_budgets[0]
        for place, said, score in first.answers(questions):
            if first.tau > 0 and (score is None or score < first.tau):
                unsure[questions[place].question_id] = said.generation
            else:
                yield replace(said, generation=replace(said.generation, budget=budget, swept=False))
        logger.info("%d of %d questions are thought about: their first answers are unsure", len(unsure), len(questions))
        thinking = replace(self, first=None, params=self.params.model_copy(update={"samples": 0}))
        for drawn in thinking.draws_of([one for one in questions if one.question_id in unsure]):
            paid = unsure[drawn.question.question_id]
            yield replace(drawn, generation=_with_cost_of(drawn.generation, [paid]))

    def _decided(self, stated: dict[int, str | None], question: Question) -> bool:
        if self.stopping is None:
            return True
        letters = [stated[sample] for sample in sorted(stated)]
        return stopping_point(letters, rivals(question, letters), self.stopping, self.params.samples) is not None

    def stated_by(self, drawn: Drawn) -> str | None:
        """What a generation votes for: a letter, or the name of a diagnosis; None for nothing."""
        generation = drawn.generation
        if generation.status in ("error", "overlong_prompt"):
            return None
        if self.free:
            names = read_differential(generation.text, generation.finish_reason).names
            return normalised_diagnosis(names[0]) if names else None
        return read_answer(generation.text, drawn.question.options, generation.finish_reason).letter

    def _drawn(
        self, questions: Sequence[Question], asked: Sequence[tuple[Request, ThinkingSpec]]
    ) -> Iterator[tuple[int, Drawn]]:
        """What comes back, each with the place of its question."""
        for generation in generations(self.engine, asked, self.passed, partial(self._states, questions)):
            place, sampled, sample = generation.key.split("/")
            draw: Draw = "sampled" if sampled == "sampled" else "swept" if generation.swept else "greedy"
            yield int(place), Drawn(questions[int(place)], draw, int(sample), generation)

    def _states(self, questions: Sequence[Question], request: Request, thought: str) -> bool:
        """Whether a thought states its letter, read as if it ended here. For a list this is unknown.

        A letter alone states nothing yet: it may be the first word of a sentence (`A 45-year-old man ...`).
        """
        question = questions[int(request.key.split("/")[0])]
        if self.free or len(thought.strip(" \n\t*_`'\"\u201c(")) <= 1:
            return False
        return read_answer(thought, question.options, "stop").letter is not None

    def _greedy(self, place: int, question: Question) -> tuple[Request, ThinkingSpec]:
        sampling = Sampling(0.0, repetition_penalty=self.params.repetition_penalty)
        request = Request(f"{place}/greedy/0", self._messages(question), sampling, adapter=self.adapter)
        return request, self.params

    def _sample(self, place: int, question: Question, sample: int) -> tuple[Request, ThinkingSpec]:
        drawn = self.params
        sampling = Sampling(
            temperature=drawn.temperature, top_p=drawn.top_p, top_k=drawn.top_k, min_p=drawn.min_p,
            repetition_penalty=drawn.repetition_penalty,
        )  # fmt: skip
        seed = seed_from(self.seed, question.question_id, sample)
        key = f"{place}/sampled/{sample}"
        request = Request(key, self._messages(question), sampling, sample, seed, self.adapter)
        return request, self.params.model_copy(update={"budgets": ()})  # only the greedy thought is swept

    def _messages(self, question: Question) -> tuple[Message, ...]:
        if self.free:
            case = FreeForm(question.question_id, free_stem(question.stem), gold="", needs_options=None)
            return (Message("user", free_form_prompt(case, self.prompt)),)
        return (Message("user", prompt_text(question, self.prompt)),)


def rivals(question: Question, stated: Sequence[str | None]) -> int:
    """How many answers there may be: the options, and whatever else was stated."""
    return len(set(question.options) | {one for one in stated if one is not None})
