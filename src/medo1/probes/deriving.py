"""Questions derived from a question: what is changed, and which option is then the right one.

What is drawn (an order, a wrong option) depends on the seed and the question alone, so that every arm is asked the same
and a longer run asks the same again. A question that a probe cannot be made of is left out, and counted.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from math import factorial

from medo1.lineage.digests import seed_from
from medo1.probes.specs import Probe, ProbeSpec
from medo1.questions import Question, question_id
from medo1.questions.rendering import speaks_of_place


@dataclass(frozen=True, slots=True)
class ProbeQuestion:
    """A derived question.

    Attributes:
        origin: the id of the question that it was made of; `probe` and `version` (from 0) tell its siblings apart.
        question: as it is asked. Its id is of its own content, the options' order included.
        planted: the letter of the wrong option that a begun thought names; None without one.
        begun: the beginning of the answer. wording: what is asked after it, `{request}` being the arm's own prompt.
    """

    origin: str
    probe: Probe
    version: int
    question: Question
    planted: str | None = None
    begun: str = ""
    wording: str = "{request}"


def probe_questions(questions: Iterable[Question], spec: ProbeSpec, seed: int) -> list[ProbeQuestion]:
    """All questions that are derived from these alone, by question and in the order of the spec's names."""
    kinds: dict[str, Callable[[Question, ProbeSpec, int], Iterator[ProbeQuestion]]] = {
        "none_of_the_others": _none_of_the_others,
        "shuffled_options": _shuffled_options,
        "options_only": _options_only,
        "wrong_start": _wrong_start,
        "reworded": _reworded,
    }
    return [
        one
        for question in questions
        for name in spec.names
        if name in kinds
        for one in kinds[name](question, spec, seed)
    ]


def _none_of_the_others(question: Question, spec: ProbeSpec, seed: int) -> Iterator[ProbeQuestion]:
    if speaks_of_place(question.options.values()) or _holds(question, spec.nothing_right):
        return  # an option speaks of the others already
    options = {**question.options, question.gold: spec.nothing_right}
    yield ProbeQuestion(question.question_id, "none_of_the_others", 0, _changed(question, options=options))


def _shuffled_options(question: Question, spec: ProbeSpec, seed: int) -> Iterator[ProbeQuestion]:
    if speaks_of_place(question.options.values()):
        return
    orders = _other_orders(len(question.options), seed_from(seed, "orders", question.question_id))
    letters = list(question.options)
    for version, order in enumerate(islice(orders, spec.orders)):
        options = {letter: question.options[letters[place]] for letter, place in zip(letters, order, strict=True)}
        gold = letters[order.index(letters.index(question.gold))]
        changed = _changed(question, options=options, gold=gold)
        yield ProbeQuestion(question.question_id, "shuffled_options", version, changed)


def _options_only(question: Question, spec: ProbeSpec, seed: int) -> Iterator[ProbeQuestion]:
    yield ProbeQuestion(question.question_id, "options_only", 0, _changed(question, stem=spec.bare_question))


def _wrong_start(question: Question, spec: ProbeSpec, seed: int) -> Iterator[ProbeQuestion]:
    wrong = [letter for letter in question.options if letter != question.gold]
    if not wrong:
        return
    letter = wrong[seed_from(seed, "wrong start", question.question_id) % len(wrong)]
    begun = spec.start.replace("{option}", question.options[letter])
    yield ProbeQuestion(question.question_id, "wrong_start", 0, _changed(question), letter, begun)


def _reworded(question: Question, spec: ProbeSpec, seed: int) -> Iterator[ProbeQuestion]:
    for version, wording in enumerate(spec.wordings):
        yield ProbeQuestion(question.question_id, "reworded", version, _changed(question), wording=wording)


def _other_orders(size: int, seed: int) -> Iterator[tuple[int, ...]]:
    """Different orders of so many options, in a random sequence; never the one in which they stand."""
    rng = random.Random(seed)  # noqa: S311  (an order, no secret)
    seen = {tuple(range(size))}
    while len(seen) < factorial(size):
        order = tuple(rng.sample(range(size), size))
        if order not in seen:
            seen.add(order)
            yield order


def _holds(question: Question, text: str) -> bool:
    return any(option.strip().casefold() == text.strip().casefold() for option in question.options.values())


def _changed(
    question: Question, *, stem: str | None = None, options: dict[str, str] | None = None, gold: str | None = None
) -> Question:
    stem, options = question.stem if stem is None else stem, options or question.options
    return replace(
        question,
        question_id=question_id(stem, options, ordered=True),
        stem=stem,
        options=options,
        gold=gold or question.gold,
    )
