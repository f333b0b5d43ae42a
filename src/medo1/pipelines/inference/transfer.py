"""A benchmark that is generated here and is not about medicine: sequential steps.

The paper's next check is whether the habit of long thought transfers to another domain; here the number of steps is
the difficulty, so that a curve over it can be drawn, and nothing of it can have been in any training set.

Two kinds alternate. *Sums*: a number, then operations on it; wrong options are what a solver gets who leaves one step
out, so a guess at the size does not help. *Orders*: who is taller than whom, in a shuffled order; the question asks for
the one at some place from one end, and wrong options are other people of the story.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import cycle, islice, pairwise

from medo1.lineage.digests import seed_from
from medo1.questions import Question, question_id
from medo1.questions.question import LETTERS

BENCHMARK = "steps"
CHOICES = 4
NAMES = (
    "Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gia", "Hugo", "Ida", "Jon", "Kim", "Leo", "Mia", "Ned", "Ola", "Pia",
    "Quin", "Ron", "Sue", "Tom",
)  # fmt: skip
MOST_STEPS = len(NAMES) - 1
ORDINALS = ("", "second ", "third ", "fourth ", "fifth ", "sixth ", "seventh ", "eighth ", "ninth ", "tenth ")
Operation = tuple[str, Callable[[int], int]]


def transfer_questions(count: int, steps: Sequence[int], seed: int) -> list[Question]:
    """So many questions, the numbers of steps and both kinds in turn; the same seed gives the same questions.

    Args:
        count: how many.
        steps: the difficulties, each from 2 to 19.
        seed: of everything in them.
    """
    made: dict[str, Question] = {}
    kinds = cycle([(kind, number) for number in steps for kind in (_sum_question, _order_question)])
    for place, (kind, number) in enumerate(islice(kinds, count)):
        attempt = 0
        while True:  # two short stories can come out equal; a question is asked once
            rng = random.Random(seed_from(seed, "transfer", place, attempt))  # noqa: S311
            question = kind(number, rng)
            if question is not None and question.question_id not in made:
                break
            attempt += 1
        made[question.question_id] = question
    return list(made.values())


def _sum_question(steps: int, rng: random.Random) -> Question | None:
    start = rng.randint(2, 9)
    taken: list[Operation] = []
    value = start
    for _ in range(steps):
        step = rng.choice([step for step in _steps(value, rng) if 0 < step[1](value) < 1000])  # noqa: PLR2004
        taken.append(step)
        value = step[1](value)
    wrong: list[int] = []
    for left_out in rng.sample(range(steps), steps):
        other = start
        for place, (_, do) in enumerate(taken):
            other = other if place == left_out else do(other)
        if other != value and other not in wrong:
            wrong.append(other)
    near = [value + change for change in rng.sample((-3, -2, -1, 1, 2, 3, 4, 5), 8) if value + change not in wrong]
    wrong = [*wrong, *near][: CHOICES - 1]
    told = " ".join(text for text, _ in taken)
    return _question(f"Start with {start}. {told} What is the result?", str(value), list(map(str, wrong)), steps, rng)


def _steps(value: int, rng: random.Random) -> list[Operation]:
    """Operations that may come next."""
    more, less = rng.randint(2, 20), rng.randint(2, 20)
    found: list[Operation] = [
        (f"Add {more}.", lambda number: number + more),
        (f"Subtract {less}.", lambda number: number - less),
        ("Double it.", lambda number: 2 * number),
        ("Multiply it by 3.", lambda number: 3 * number),
    ]
    if value % 2 == 0:
        found.append(("Halve it, leaving out any remainder.", lambda number: number // 2))
    return found


def _order_question(steps: int, rng: random.Random) -> Question | None:
    people = rng.sample(NAMES, steps + 1)  # tallest first
    told = [
        f"{tall} is taller than {short}." if rng.random() < 0.5 else f"{short} is shorter than {tall}."  # noqa: PLR2004
        for tall, short in pairwise(people)
    ]
    rng.shuffle(told)
    place = rng.randrange(min(steps + 1, len(ORDINALS)))
    end, right = ("tallest", people[place]) if rng.random() < 0.5 else ("shortest", people[-1 - place])  # noqa: PLR2004
    others = [name for name in people if name != right]
    unnamed = [name for name in NAMES if name not in people]
    wrong = [*rng.sample(others, min(len(others), CHOICES - 1)), *unnamed][: CHOICES - 1]
    return _question(f"{' '.join(told)} Who is the {ORDINALS[place]}{end}?", right, wrong, steps, rng)


def _question(stem: str, right: str, wrong: Sequence[str], steps: int, rng: random.Random) -> Question | None:
    texts = [right, *wrong]
    if len(set(texts)) < CHOICES:
        return None
    rng.shuffle(texts)
    options = dict(zip(LETTERS, texts, strict=False))
    gold = next(letter for letter, text in options.items() if text == right)
    return Question(question_id(stem, options), BENCHMARK, "test", stem, options, gold, steps, "generated")
