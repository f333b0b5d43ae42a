"""What an arm asks: the requests of its greedy and sampled draws, and how many samples each question gets.

Seeds come from the run's seed, the question and the sample, so that a result depends neither on the order of questions
nor on which others are asked, and a longer run continues where a shorter one ended.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
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
from medo1.vocabulary import Draw

logger = logging.getLogger(__name__)

Passed = Callable[[Iterable[Completion]], Iterable[Completion]]


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
class AskedArm:
    """An arm that is asked questions.

    Attributes:
        engine: who answers. adapter: as whom; None for the base model.
        prompt: what is asked after each question.
        params: how it draws. stopping: when a question has samples enough; None draws all of them.
        seed: the run's.
        passed: every completion passes through it, for counting.
        free: the options are not shown, and a ranked differential is read.
    """

    engine: Engine
    adapter: Adapter | None
    prompt: str
    params: DrawParams
    stopping: StoppingRule | None
    seed: int
    passed: Passed
    free: bool = False

    def draws_of(self, questions: Sequence[Question], *, greedy: bool = True) -> Iterator[Drawn]:
        """One greedy generation of each question (and those of its smaller budgets), and its samples: all at once, or
        in rounds until the question is decided. Without `greedy`, the samples alone."""
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
        """Whether a thought states its letter, read as if it ended here. For a list this is unknown."""
        question = questions[int(request.key.split("/")[0])]
        return not self.free and read_answer(thought, question.options, "stop").letter is not None

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
