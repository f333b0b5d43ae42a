"""The parameters of each filter, typed, each with its unit and the reason for its value.

The paper does not publish how its 500 chains were chosen; every value here is medo1's own.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from medo1.parameters import Parameters

FilterName = Literal[
    "finished", "format", "answer", "correct", "leak", "length", "repetition", "language",
    "decontamination", "difficulty", "judge", "duplicates", "selection",
]  # fmt: skip


class LengthSpec(Parameters):
    """A window of lengths."""

    tokens_of: Literal["student", "teacher", "estimate"] = Field(
        default="student",
        description="how tokens are counted: by the base model's tokenizer, as billed by the teacher, or (without "
        "any model) as a quarter of the characters",
    )
    min_tokens: int = Field(default=32, ge=0, description="shorter chains contain no reasoning")
    max_tokens: int | None = Field(
        default=8192, gt=0, description="longer ones are rejected before training anyway; null: no limit"
    )

    @model_validator(mode="after")
    def _a_window(self) -> Self:
        if self.max_tokens is not None and self.min_tokens > self.max_tokens:
            raise ValueError(f"min_tokens is {self.min_tokens}, more than max_tokens {self.max_tokens}")
        return self


class RepetitionSpec(Parameters):
    """How much a chain may say again."""

    max_share: float = Field(
        default=0.3, ge=0, le=1, description="largest share of 10-grams that repeat earlier ones; loops have .5 and up"
    )
    max_in_a_row: int = Field(default=3, gt=0, description="most times that a sentence or line may occur in a row")


class LanguageSpec(Parameters):
    """In which language a chain thinks."""

    languages: tuple[str, ...] | None = Field(
        default=None, description="ISO codes, such as [en, zh]; null: the language of the chain's own question"
    )
    min_script_share: float = Field(
        default=0.9, ge=0, le=1, description="least share of letters in its language's script; less is mixed writing"
    )


class DecontaminationSpec(Parameters):
    """What a chain may share with a test question."""

    near_copies: bool = Field(
        default=True, description="compare by shared n-grams; false: whole questions only, by their ids"
    )
    leak: float = Field(default=0.40, gt=0, le=1, description="score from which a chain is dropped")
    sibling: float = Field(default=0.20, gt=0, le=1, description="score from which a pair is reported as siblings")
    drop_siblings: bool = Field(default=False, description="also drop vignettes that follow a test question's pattern")
    texts: tuple[Literal["question", "chain"], ...] = Field(
        default=("question", "chain"), min_length=1, description="what is compared with the test questions"
    )

    @model_validator(mode="after")
    def _bands(self) -> Self:
        if self.sibling > self.leak:
            raise ValueError(f"sibling is {self.sibling}, more than leak {self.leak}")
        return self


class DuplicatesSpec(Parameters):
    """Which chains say the same."""

    similarity: float = Field(
        default=0.8, gt=0, le=1, description="share of common 5-grams from which two chains count as the same"
    )


class DifficultySpec(Parameters):
    """What needs long thought."""

    solver: str | None = Field(
        default=None,
        description="catalog entry of the engine that tries each question without long thought, such as `student` (the "
        "untrained one) or `plain_teacher`; null: none",
    )
    prompt: str = Field(default="vanilla", description="the student prompt that the solver gets")
    attempts: int = Field(default=4, gt=0, description="how often the solver tries each question")
    temperature: float = Field(default=0.7, ge=0, description="of the attempts")
    max_new_tokens: int = Field(default=512, gt=0, description="of an attempt")
    min_failure_rate: float = Field(
        default=0.25,
        ge=0,
        le=1,
        description="least share of failed attempts; a question that is always solved needs no chain",
    )
    max_failure_rate: float = Field(
        default=1.0, ge=0, le=1, description="largest share of failed attempts; 1 keeps questions that are never solved"
    )
    min_reconsidered: int = Field(
        default=0, ge=0, description="fewest places where the chain takes back a hypothesis; 0: any chain"
    )


class JudgeSpec(Parameters):
    """Judges of a chain's reasoning, and of answers in prose."""

    engines: tuple[str, ...] = Field(
        default=(),
        max_length=2,
        description="catalog entries of the engines that judge; with two, their agreement is reported; (): no judge",
    )
    min_score: float = Field(default=3.0, ge=1, le=5, description="least mean score on the rubric, 1 to 5")
    max_new_tokens: int = Field(default=512, gt=0, description="of a judge's reply")


class SelectionSpec(Parameters):
    """How many chains are kept, and from where: a balanced choice instead of whatever passed."""

    target_size: int | None = Field(default=500, gt=0, description="chains that are kept; paper: 500; null: all")
    sources: dict[str, int] = Field(
        default={}, description="limit for each benchmark; paper: 350 of MedQA, 150 of JAMA; {}: none"
    )
    topics: dict[str, tuple[str, ...]] = Field(
        default={}, description="words by topic; within a source, topics take turns; {}: one topic"
    )
    long_tokens: int | None = Field(
        default=None, gt=0, description="tokens from which a chain counts as long; null: lengths are ignored"
    )
    long_share: float = Field(
        default=0.2, ge=0, le=1, description="share of long chains; published for small students: 1 long to 4 short"
    )
    hard_first: bool = Field(
        default=False,
        description="within a topic, questions that the solver fails most come first; false: order by seed",
    )


class RefineSpec(Parameters):
    """A second chance for a chain that would be dropped."""

    reasons: tuple[Literal["correct", "answer", "leak"], ...] = Field(
        default=(), description="filters whose dropped chains are sent back to the teacher once; (): none"
    )
    max_new_tokens: int = Field(default=4096, gt=0, description="limit for the rewritten chain")


class FilterSpecs(Parameters):
    """Which filters are applied to a chain, in which order, with which parameters."""

    order: tuple[FilterName, ...] = Field(
        default=(
            "finished", "format", "answer", "correct", "leak", "length", "repetition", "language", "decontamination",
            "difficulty", "judge", "duplicates", "selection",
        ),
        description="the filters to apply, first to last; the first to refuse a chain drops it. "
        "`duplicates` and `selection` choose among the remaining chains, so they come last",
    )  # fmt: skip
    length: LengthSpec = LengthSpec()
    repetition: RepetitionSpec = RepetitionSpec()
    language: LanguageSpec = LanguageSpec()
    decontamination: DecontaminationSpec = DecontaminationSpec()
    duplicates: DuplicatesSpec = DuplicatesSpec()
    difficulty: DifficultySpec = DifficultySpec()
    judge: JudgeSpec = JudgeSpec()
    selection: SelectionSpec = SelectionSpec()
    refine: RefineSpec = RefineSpec()

    @model_validator(mode="after")
    def _an_order(self) -> Self:
        if len(set(self.order)) != len(self.order):
            raise ValueError(f"order names a filter twice: {', '.join(self.order)}")
        among = [name for name in self.order if name in ("duplicates", "selection")]
        if among and list(self.order[-len(among) :]) != among:
            raise ValueError(f"{' and '.join(among)} choose among what is left and come last in order")
        return self
