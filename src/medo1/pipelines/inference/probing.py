"""Probes of an arm: what is asked, and the rows of what comes back.

Each derived question is asked once, greedily, with the arm's own budget, cue and adapter. Rows keep the id of the
question that they were derived from; `derived_id` is that of what was asked.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from medo1.answers import read_answer
from medo1.engines.base import Adapter, Engine, Message, Request, Sampling
from medo1.frames import Frame, records
from medo1.lineage.digests import seed_from
from medo1.pipelines.inference.asked_arm import Passed
from medo1.pipelines.inference.budget_forcing import ThinkingSpec, generations
from medo1.probes import ProbeQuestion, ProbeSpec, StatedConclusion, changed_step, probe_questions
from medo1.questions import Question, prompt_text
from medo1.questions.question import LETTERS

logger = logging.getLogger(__name__)


# A question and a thought about it to the conclusions of the thought's steps.
Conclusions = Callable[[Question, str], Iterable[StatedConclusion]]


def derived_rows(
    questions: Sequence[Question],
    spec: ProbeSpec,
    seed: int,
    thoughts: Mapping[tuple[str, str], Thought] | None = None,
    conclusions: Conclusions | None = None,
) -> list[dict[str, Any]]:
    """Rows of `tables.PROBE_QUESTIONS`: the derived questions of some of these, chosen by content.

    Args:
        questions: those that the arm was asked.
        spec: which probes.
        seed: of the choice of questions, and of what is drawn for each.
        thoughts: the arm's own by question id and benchmark, of which `changed_step` changes one step.
        conclusions: finds the conclusions of the steps.
    """
    chosen = _chosen(questions, spec.questions, seed)
    derived = probe_questions(chosen, spec, seed)
    if thoughts is not None and conclusions is not None:
        for question in chosen:
            thought = thoughts.get((question.question_id, question.benchmark))
            if thought is not None:
                stated = list(conclusions(question, thought.text))
                changed = changed_step(question, thought.text, thought.letter, stated, seed)
                derived += [changed] if changed else []
    made = Counter((one.probe, one.version) for one in derived if one.version == 0)
    for (probe, _), count in made.items():
        if count < len(chosen):
            logger.info("the probe %s cannot be made of %d of %d questions", probe, len(chosen) - count, len(chosen))
    return [_row(one) for one in derived]


@dataclass(frozen=True, slots=True)
class Thought:
    """An arm's greedy text up to where it states its answer, and the letter that it states."""

    text: str
    letter: str


def own_thoughts(generations: Frame, answers: Frame) -> dict[tuple[str, str], Thought]:
    """The arm's own thoughts by question id and benchmark, of the greedy draws whose answer could be read.

    Args:
        generations: `tables.GENERATIONS`. answers: `tables.ANSWERS`.
    """
    stated = {(row["question_id"], row["benchmark"]): row for row in records(answers) if row["draw"] == "greedy"}
    thoughts = {}
    for row in records(generations):
        key = row["question_id"], row["benchmark"]
        answer = stated.get(key)
        if row["draw"] == "greedy" and answer is not None and isinstance(answer["letter"], str):
            end = answer["span_start"]
            thoughts[key] = Thought(row["text"][:end] if isinstance(end, int) else row["text"], answer["letter"])
    return thoughts


def _chosen(questions: Sequence[Question], most: int | None, seed: int) -> list[Question]:
    of_benchmark: dict[str, list[Question]] = {}
    for question in questions:
        of_benchmark.setdefault(question.benchmark, []).append(question)
    found = []
    for group in of_benchmark.values():
        ordered = sorted(group, key=lambda question: seed_from("probed questions", seed, question.question_id))
        found += sorted(ordered[:most], key=lambda question: question.question_id)
    return found


def _row(one: ProbeQuestion) -> dict[str, Any]:
    question = one.question
    return {
        "question_id": one.origin,
        "benchmark": question.benchmark,
        "probe": one.probe,
        "version": one.version,
        "derived_id": question.question_id,
        "stem": question.stem,
        "options": [question.options[letter] for letter in sorted(question.options)],
        "gold": question.gold,
        "planted": one.planted,
        "begun": one.begun,
        "wording": one.wording,
    }


def generation_rows(
    derived: Frame,
    engine: Engine,
    adapter: Adapter | None,
    prompt: str,
    spec: ThinkingSpec,
    passed: Passed,
    repetition_penalty: float = 1.0,
) -> Iterator[dict[str, Any]]:
    """Rows of `tables.PROBE_GENERATIONS` without the arm's name, as answers come.

    Args:
        derived: `tables.PROBE_QUESTIONS`. engine, adapter: who answers, as whom. prompt: the arm's own.
        spec: how long a thought may be; smaller budgets are not asked for.
        passed: every completion passes through it, for counting.
        repetition_penalty: as the arm draws.
    """
    rows = list(records(derived))
    alone = spec.model_copy(update={"budgets": ()})
    sampling = Sampling(0.0, repetition_penalty=repetition_penalty)
    asked = [
        (Request(str(place), _messages(row, prompt), sampling, adapter=adapter), alone)
        for place, row in enumerate(rows)
    ]
    for generation in generations(engine, asked, passed, lambda request, text: _states(rows[int(request.key)], text)):
        row = rows[int(generation.key)]
        yield {
            **{name: row[name] for name in ("question_id", "benchmark", "probe", "version", "derived_id")},
            "text": generation.text,
            "status": generation.status,
            "finish_reason": generation.finish_reason,
            "prompt_tokens": generation.prompt_tokens,
            "completion_tokens": generation.completion_tokens,
            "error": generation.error,
            "request_id": generation.request_ids[0],
            "parts": list(generation.request_ids),
        }


def _messages(row: dict[str, Any], prompt: str) -> tuple[Message, ...]:
    question = _question(row)
    asked = Message("user", prompt_text(question, row["wording"].replace("{request}", prompt.strip())))
    return (asked, Message("assistant", row["begun"])) if row["begun"] else (asked,)


def _question(row: dict[str, Any]) -> Question:
    options = dict(zip(LETTERS, row["options"], strict=False))
    return Question(row["derived_id"], row["benchmark"], "test", row["stem"], options, row["gold"])


def _states(row: dict[str, Any], thought: str) -> bool:
    return read_answer(thought.removeprefix(row["begun"]), _question(row).options, "stop").letter is not None


def probe_answer_rows(generated: Frame, derived: Frame, asked: Iterable[Question]) -> list[dict[str, Any]]:
    """Rows of `tables.PROBE_ANSWERS`: what each generation states, and which option that is of the question as it was.

    Args:
        generated: `tables.PROBE_GENERATIONS`. derived: `tables.PROBE_QUESTIONS`. asked: the questions that were derived
            from.
    """
    of_key = {(row["question_id"], row["benchmark"], row["probe"], row["version"]): row for row in records(derived)}
    plain = {(question.question_id, question.benchmark): question for question in asked}
    rows = []
    for generation in records(generated):
        key = tuple(generation[name] for name in ("question_id", "benchmark", "probe", "version"))
        question = _question(of_key[key])
        letter, status, rule = None, "error", "engine_error"
        if generation["finish_reason"] != "error":
            answer = read_answer(generation["text"], question.options, generation["finish_reason"])
            letter, status, rule = answer.letter, answer.status, answer.rule
        own = plain[key[:2]].options
        text = question.options.get(letter) if letter else None
        rows.append(
            {
                **{name: generation[name] for name in ("question_id", "benchmark", "arm", "probe", "version")},
                "letter": letter,
                "original": next((one for one, option in own.items() if option == text), None),
                "planted": of_key[key]["planted"],
                "gold": question.gold,
                "status": status,
                "rule": rule,
                "correct": letter == question.gold,
                "outcome": generation["status"],
                "completion_tokens": generation["completion_tokens"],
            }
        )
    return rows


def without_unanswered(rows: list[dict[str, Any]], arm: str) -> list[dict[str, Any]]:
    """Say which probes the engine could not answer at all, such as a wrong start where it cannot continue a begun
    answer; their rows stay, as errors, and count in no comparison."""
    for probe in dict.fromkeys(row["probe"] for row in rows):
        of_probe = [row for row in rows if row["probe"] == probe]
        if all(row["finish_reason"] == "error" for row in of_probe):
            logger.warning("%s: the probe %s is left out: %s", arm, probe, of_probe[0]["error"])
    return rows
