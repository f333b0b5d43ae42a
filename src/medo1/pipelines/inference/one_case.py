"""One case for one arm: its thought streamed, then the votes of its samples.

The same requests as the pipeline would send for this question, so that repeats come from the completion
store.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Event

from medo1.answers import read_answer
from medo1.differential import normalised_diagnosis, read_differential
from medo1.engines.base import Around, Completion, Engine, Request
from medo1.errors import UserError
from medo1.pipelines.inference.asked_arm import AskedArm, Drawn, rivals
from medo1.questions import Question, question_id
from medo1.questions.question import LETTERS
from medo1.statistics.stopping import probability_of_staying_ahead
from medo1.statistics.votes import RankedDiagnosis, Vote, Voter, ranked_vote, ranked_winner, vote

OPTION = re.compile(r"[ \t]*(?:\((?P<round>[A-Z])\)|(?P<plain>[A-Z])[.):])[ \t]+(?P<text>\S.*?)[ \t]*")
FEWEST, MOST = 2, len(LETTERS)


class CaseError(UserError):
    """The case cannot be asked; the text says why."""


def question_from(text: str, options: Sequence[str] = ()) -> Question:
    """The question in a case's text: lines `A. ...`, `B) ...` at its end are its options, unless `options` are given.

    Without either, the question has no options. It has no gold letter.

    Raises:
        CaseError: for an empty case, one option alone, or lines whose letters do not run A, B, C ...
    """
    stem, found = _split(text)
    if options:
        stem, found = text.strip(), list(zip(LETTERS, options, strict=False))
    if not stem:
        raise CaseError("The case is empty: say what is asked, in quotes, or - to read it from standard input.")
    if len(found) == 1 or len(options) > MOST:
        raise CaseError(f"The case has {len(options) or 1} option(s); a choice has {FEWEST} to {MOST}, or none at all.")
    letters = "".join(letter for letter, _ in found)
    if not LETTERS.startswith(letters):
        raise CaseError(f"The options' letters are {', '.join(letters)}; they must run A, B, C ... without gaps.")
    named = dict(found)
    return Question(question_id(stem, named), "asked", "test", stem, named, gold="")


def _split(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The text before its last lines that are options, and those."""
    lines = text.strip().splitlines()
    found: list[tuple[str, str]] = []
    while lines and (not lines[-1].strip() or (match := OPTION.fullmatch(lines[-1]))):
        line = lines.pop()
        if line.strip():
            assert match is not None
            found.append((match["round"] or match["plain"], match["text"]))
    return "\n".join(lines).strip(), found[::-1]


@dataclass(frozen=True, slots=True)
class Voted:
    """How the samples voted.

    Attributes:
        samples: in the order of their numbers, each with what it states (None for nothing).
        outcome: by majority, of a free-form arm by ranks.
        by_confidence: weighted by the model's confidence; None where the engine does not say.
        counts: answer to votes, most first.
        probability: that the leader would stay ahead if all samples were drawn.
        differential: of a free-form arm, the lists made one; empty otherwise.
        tokens: of all samples; None where the engine does not count.
    """

    samples: tuple[tuple[Drawn, str | None], ...]
    outcome: Vote
    by_confidence: Vote | None
    counts: dict[str, int]
    probability: float
    differential: tuple[RankedDiagnosis, ...]
    tokens: int | None


class EchoingEngine(Around):
    """An engine whose answers are streamed, with the text inserted between the pieces of a thought."""

    streams = False

    def __init__(self, engine: Engine, told: Callable[[str], None]) -> None:
        super().__init__(engine)
        self._told = told
        self._said = ""

    def around(self, engine: Engine) -> EchoingEngine:
        return EchoingEngine(engine, self._told)

    def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
        for request in requests:
            last = request.messages[-1]
            if last.role == "assistant" and last.content.startswith(self._said):
                self._tell(last.content[len(self._said) :])
            yield [self.engine.stream(request, self._tell)]

    def _tell(self, text: str) -> None:
        self._said += text
        self._told(text)


def thought_of(arm: AskedArm, question: Question, told: Callable[[str], None]) -> Drawn:
    """The greedy generation, told as it comes."""
    first = arm.first
    if first is not None:
        first = replace(first, arm=replace(first.arm, engine=EchoingEngine(first.arm.engine, told)))
    params = arm.params.model_copy(update={"samples": 0})
    alone = replace(arm, engine=EchoingEngine(arm.engine, told), params=params, first=first)
    [drawn] = alone.draws_of([question])
    return drawn


def votes_of(arm: AskedArm, question: Question, seen: Callable[[Drawn, str | None], None]) -> Voted:
    """The votes of the samples, each shown to `seen` as it comes."""
    samples: list[tuple[Drawn, str | None]] = []
    for drawn in arm.draws_of([question], greedy=False):
        samples.append((drawn, arm.stated_by(drawn)))
        seen(*samples[-1])
    samples.sort(key=lambda sample: sample[0].sample)
    stated = [answer for _, answer in samples]
    weighed = [
        Voter(answer, drawn.generation.mean_logprob, confidence=drawn.generation.confidence)
        for drawn, answer in samples
    ]
    sure = all(sample.confidence is not None for sample in weighed if sample.letter is not None)
    counted = [drawn.generation.completion_tokens for drawn, _ in samples]
    lists = [[normalised_diagnosis(name) for name in differential_of(drawn)] for drawn, _ in samples]
    ranked = ranked_vote(lists) if arm.free else []
    return Voted(
        samples=tuple(samples),
        outcome=ranked_winner(lists) if ranked else vote(weighed),
        by_confidence=vote(weighed, "confidence") if sure else None,
        counts=dict(Counter(answer for answer in stated if answer is not None).most_common()),
        probability=probability_of_staying_ahead(
            stated, rivals(question, stated), arm.params.samples - len(samples), arm.stopping
        ),
        differential=tuple(ranked),
        tokens=None if None in counted else sum(count or 0 for count in counted),
    )


def differential_of(drawn: Drawn) -> tuple[str, ...]:
    """The diagnoses that a free-form generation names, most likely first."""
    return read_differential(drawn.generation.text, drawn.generation.finish_reason).names


def statement_of(drawn: Drawn, *, free: bool) -> str:
    """What a generation states, or why it states nothing, in words."""
    generation, question = drawn.generation, drawn.question
    if generation.error is not None:
        return f"nothing: {generation.error}"
    if free:
        names = differential_of(drawn)
        return "; ".join(f"{rank}. {name}" for rank, name in enumerate(names, 1)) or "no diagnosis"
    answer = read_answer(generation.text, question.options, generation.finish_reason)
    return f"{answer.letter}. {question.options[answer.letter]}" if answer.letter else f"nothing ({answer.rule})"
