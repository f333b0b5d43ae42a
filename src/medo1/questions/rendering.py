"""One rendering of a question as a prompt, used for every model and every arm; and the shuffling of options."""

# ruff: noqa: E501  (patterns, of texts in several languages)
from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from medo1.lineage.digests import seed_from
from medo1.questions.question import Question

# an option that speaks of its place, or of others by theirs: `Both A and B`, `A only`, `None of the above`
_OTHERS = r"(?:these|them|those|the (?:options|choices|answers|others|alternatives|two|three|listed|given))"
_SPEAKS_OF_PLACE = re.compile(
    r"\b(?:above|below|preceding|aforementioned|following (?:options?|choices?)|previous (?:options?|choices?|answers?)"
    r"|last two|first two|first three|last three|other options?|other choices?)\b"
    rf"|\b(?:all|none|both|neither|any|either|some|two|three|one|each|every|half) of {_OTHERS}\b"
    r"|^(?:all|none|both|neither|any|either|everything|nothing)\b[^a-z]*$"
    r"|^(?:all|none|both|neither|either) (?:are|is|apply|applies|correct|true|false|right|wrong|options?|choices?|answers?)\b"
    r"|\b(?:options?|choices?|answers?|statements?|items?) \(?[A-J1-9]\)?(?![A-Za-z0-9])"
    r"|以上|上述|前述|上記|上の|すべて正しい|위의|이상의|모두 (?:맞|정답|옳)"
    r"|\b(?:todas|ninguna) (?:las anteriores|de las anteriores)\b|\b(?:toutes|aucune) (?:les|des) r[ée]ponses\b"
    r"|\b(?:alle|keine|beide)[rs]? (?:der )?(?:oben|genannten|obigen|antworten)\b",
    re.IGNORECASE,
)
_LETTERS = r"\(?[A-J]\)?"
_NAMES_LETTERS = re.compile(
    rf"(?<![A-Za-z0-9]){_LETTERS}(?:\s*(?:,|&|\+|/|and|or|AND|OR|et|y|und|和|と|、)\s*(?:and |or )?{_LETTERS})+(?![A-Za-z0-9])"
    rf"|^(?:[Bb]oth|[Nn]either|[Ee]ither|[Oo]nly|[Aa]ll|[Nn]one|[Nn]ot|[Aa]ny|[Aa]ll of|[Oo]ptions?|[Cc]hoices?|[Aa]nswers?) {_LETTERS}(?![A-Za-z0-9])"
    rf"|(?<![A-Za-z0-9]){_LETTERS} (?:only|alone|is correct|is true|is right|are correct|are true)\b"
    rf"|\b(?:except|but|besides|excluding|other than|not|without|only|plus) (?:for |option |choice )?{_LETTERS}(?![A-Za-z0-9])"
    rf"|^{_LETTERS}$|(?<=\()[A-J](?=\))"
)


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
    """A question whose options may stand in another order.

    Attributes:
        question: as it is asked; its id is that of the question as it was read.
        original: letter as asked to letter as read.
    """

    question: Question
    original: Mapping[str, str]

    @property
    def is_shuffled(self) -> bool:
        """Whether the order differs from the one that was read."""
        return any(asked != read for asked, read in self.original.items())

    def back(self, letter: str | None) -> str | None:
        """The letter as read of an option that was answered by its letter as asked; None stays None."""
        return None if letter is None else self.original[letter]


def speaks_of_place(options: Iterable[str]) -> bool:
    """Whether an option's text rests on the options' order, so that in another order it would mean something else."""
    return any(_SPEAKS_OF_PLACE.search(text) or _NAMES_LETTERS.search(text) for text in options)


def shuffled(question: Question, seed: int) -> Shuffled:
    """The question with its options in an order that depends on the seed and on the question alone.

    The same options in another order give the same questions as asked: the order is drawn over the options' texts.
    Where an option speaks of the others' places (`None of the above`, `Both A and B`) all stay where they are.
    """
    if speaks_of_place(question.options.values()):
        return unshuffled(question)
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


def unshuffled(question: Question) -> Shuffled:
    """The question as it was read."""
    return Shuffled(question, {letter: letter for letter in question.options})


def as_asked(
    questions: Iterable[Question], seed: int | None = None, splits: Collection[str] = ("dev", "test")
) -> list[Shuffled]:
    """The questions as they are asked: those of the splits in an order by the seed, where one is given."""
    return [
        shuffled(question, seed) if seed is not None and question.split in splits else unshuffled(question)
        for question in questions
    ]
