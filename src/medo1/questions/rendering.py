"""One rendering of a question as a prompt, used for every model and every arm; and the shuffling of options."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from medo1.lineage.digests import seed_from
from medo1.questions.question import Question


def question_text(question: Question) -> str:
    """Stem and lettered options, one option a line:

    <stem>
    A. <text>
    B. <text>
    """
    options = "\n".join(f"{letter}. {text}" for letter, text in question.options.items())
    return f"{question.stem.strip()}\n{options}"


def prompt_text(question: Question, request: str) -> str:
    """The user's message: the question, then what is asked of the model (`request`, from a prompt file)."""
    return f"{question_text(question)}\n{request.strip()}"


@dataclass(frozen=True, slots=True)
class Shuffled:
    """A question whose options stand in another order.

    Attributes:
        question: as it is asked; its id is that of the question as it was read.
        original: letter as asked to letter as read.
    """

    question: Question
    original: Mapping[str, str]

    def back(self, letter: str | None) -> str | None:
        """The letter as read of an option that was answered by its letter as asked; None stays None."""
        return None if letter is None else self.original[letter]


def shuffled(question: Question, seed: int) -> Shuffled:
    """The question with its options in an order that depends on the seed and on the question alone.

    The same options in another order give the same questions as asked: the order is drawn over the options' texts.
    """
    letters = list(question.options)
    by_text = sorted(letters, key=lambda letter: (question.options[letter], letter))
    random.Random(seed_from(seed, question.question_id)).shuffle(by_text)  # noqa: S311  (an order, no secret)
    original = dict(zip(letters, by_text, strict=True))
    asked = replace(
        question,
        options={letter: question.options[read] for letter, read in original.items()},
        gold=next(letter for letter, read in original.items() if read == question.gold),
    )
    return Shuffled(asked, original)
