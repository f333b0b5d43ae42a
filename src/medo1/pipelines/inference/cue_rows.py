"""Which cue elicits the answer of a thought that its budget ends: candidates from how chains close, and how each does.

A cue is measured by how often the answers that it elicits can be read and by how varied they are: a model that does not
know a cue goes on thinking, or always gives the same letter. Whether the answers are right decides nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import log
from typing import Any

from medo1.answers import read_answer
from medo1.pipelines.inference.asked_arm import AskedArm, Drawn
from medo1.questions import Question

COMMON = ("\nFinal answer:", "\nThe answer is", " The answer is")  # what models that were not trained here may know
CLOSING = 0.2  # share of the chains that must close a thought alike
LONGEST = 120  # characters
BOUNDARY = re.compile(r"(?<=[.!?])(?=\s)|(?=\n)")


def closing_cues(chains: Sequence[str], questions: Sequence[Question]) -> list[str]:
    """How chains close their thought: what stands, from the start of its sentence, before the option that is named last
    and before the letter that is read; the commonest first.

    Args:
        chains: the texts. questions: the question of each, in the same order.
    """
    found: Counter[str] = Counter()
    for text, question in zip(chains, questions, strict=True):
        letter = read_answer(text, question.options, "stop").letter
        named = [match.start() for match in re.finditer(rf"\b{letter}\b", text)] if letter else []
        places = {max(text.rfind(option) for option in question.options.values()), *named[-1:]}
        found.update({cue for place in places if place > 0 and (cue := _before(text, place))})
    return [cue for cue, count in found.most_common() if count >= CLOSING * len(chains)]


def _before(text: str, place: int) -> str:
    """The begun sentence that ends at a place, with the white space that sets it off; empty for a long one."""
    start = max((match.start() for match in BOUNDARY.finditer(text, 0, place)), default=0)
    cue = text[start:place].rstrip(" ([*")
    return cue if cue.strip() and len(cue) <= LONGEST else ""


def cue_rows(arm: AskedArm, name: str, questions: Sequence[Question], cues: Sequence[str]) -> list[dict[str, Any]]:
    """Rows of `tables.ANSWER_CUES`: what each cue elicits at each of the arm's smaller budgets; greedy.

    Args:
        arm: with `budgets`; the thoughts are the same for every cue. name: the arm's.
        questions: of the dev split. cues: candidates.
    """
    *smaller, last = arm.params.budgets
    rows = []
    for cue in dict.fromkeys(cues):
        changed = {"budgets": tuple(smaller), "max_new_tokens": last, "answer_cue": cue, "samples": 0}
        asking = replace(arm, stopping=None, params=arm.params.model_copy(update=changed))
        by_budget: dict[int, list[Drawn]] = {budget: [] for budget in (*smaller, last)}
        for drawn in asking.draws_of(questions):
            by_budget[drawn.generation.budget].append(drawn)
        for budget, drawns in by_budget.items():
            asked = [drawn for drawn in drawns if drawn.generation.answer_tokens]
            if asked:
                rows.append({"arm": name, "cue": cue, "budget": budget, **_elicited(asking, asked)})
    best = chosen_cue(rows)
    return [{**row, "chosen": row["cue"] == best} for row in rows]


def chosen_cue(rows: Sequence[Mapping[str, Any]]) -> str | None:
    """The cue whose answers are read and varied most, over all answers that it elicited; the first of equals."""
    scores: dict[str, float] = {}
    for row in rows:
        scores[row["cue"]] = scores.get(row["cue"], 0.0) + row["elicited"] * (1 - row["unread"]) * row["variety"]
    return max(scores, key=lambda cue: scores[cue]) if scores else None


def _elicited(arm: AskedArm, drawns: Sequence[Drawn]) -> dict[str, Any]:
    letters = [arm.stated_by(drawn) for drawn in drawns]
    read = Counter(letter for letter in letters if letter is not None)
    right = sum(letter == drawn.question.gold for letter, drawn in zip(letters, drawns, strict=True))
    commonest = read.most_common(1)[0] if read else (None, 0)
    gold = Counter(drawn.question.gold for drawn in drawns)
    return {
        "elicited": len(drawns),
        "unread": letters.count(None) / len(drawns),
        "commonest": commonest[0],
        "commonest_share": commonest[1] / len(drawns),
        "variety": min(1.0, _entropy(read) / _entropy(gold)) if _entropy(gold) else 1.0,
        "accuracy": right / len(drawns),
    }


def _entropy(counts: Counter[str]) -> float:
    total = counts.total()
    return -sum(count / total * log(count / total) for count in counts.values())


def trained_on(chains: Sequence[Mapping[str, Any]], questions: Sequence[Question]) -> Iterator[tuple[str, Question]]:
    """The text of each chain with its question."""
    known = {question.question_id: question for question in questions}
    for chain in chains:
        if chain["question_id"] in known:
            yield chain["text"], known[chain["question_id"]]
