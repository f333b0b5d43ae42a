"""Parameters of filtering. The paper does not publish its filters: each of these is medo1's choice, with its reason."""

from __future__ import annotations

from pydantic import Field

from medo1.parameters import Parameters


class FilteringParams(Parameters):
    """Which chains are kept."""

    require_correct: bool = Field(
        default=True, description="drop chains whose stated answer is not the gold one: they teach the wrong answer"
    )
    leak_phrases: tuple[str, ...] = Field(
        default=(
            "the given answer",
            "the correct answer is given",
            "the provided answer",
            "as stated in the answer key",
        ),
        description="drop chains that speak of a given answer: the teacher had it, so the chain does not derive it",
    )
    ngram_words: int | None = Field(
        default=13,
        gt=0,
        description="length of the word n-grams held against the test questions; None compares whole questions only",
    )
    ngram_boilerplate_questions: int = Field(
        default=3,
        gt=0,
        description="an n-gram in more questions than this is boilerplate (which of the following is ...)",
    )
