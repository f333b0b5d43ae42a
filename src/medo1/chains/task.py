"""What teachers are asked for: chains of one format by one recipe, with these prompts, this sampling, these checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import Field

from medo1.chains.formats import FORMATS, USUAL_CHECKS, Checks
from medo1.chains.prompts import checked_prompts
from medo1.chains.recipes import Recipe
from medo1.engines.base import Adapter
from medo1.engines.wrappers.cut import WhenCut
from medo1.errors import UserError
from medo1.parameters import Parameters

AGAIN = "again"  # the prompt that is added when a chain is retried


class TeachingSpec(Parameters):
    """How chains are asked for."""

    samples: int = Field(default=1, gt=0, description="chains per question; paper: not stated, 1 is the least")
    temperature: float = Field(default=0.0, ge=0, description="paper: not published")
    max_new_tokens: int = Field(default=4096, gt=0, description="room for LongMonolog's 1,223 tokens on average")
    tries: int = Field(default=3, gt=0, description="attempts in all for a stage whose reply cannot be used")
    when_cut: WhenCut = Field(
        default="keep",
        description="an answer that hits the length limit is rejected with its text kept, continued, or retried",
    )
    cut_rounds: int = Field(default=2, gt=0, description="continuations of one answer at most")
    cut_factor: float = Field(default=2.0, gt=1, description="factor by which `reask` raises the limit each time")
    stop_after: int | None = Field(
        default=20, gt=0, description="first replies of a stage that are checked before going on; null: no check"
    )
    stop_share: float = Field(
        default=0.7,
        gt=0,
        le=1,
        description="the run stops when at least this share of them is rejected for the same reason",
    )


USUAL_TEACHING = TeachingSpec()


@dataclass(frozen=True, slots=True)
class ChainTask:
    """The task, without the engines.

    Attributes:
        format: what the last stage's text must be, a key of `FORMATS`.
        recipe: the stages.
        prompts: by stage; and `again`, if unusable replies are retried.
        teaching: sampling, tries.
        checks: how strict the format is.
        answer_guided: the prompts may show the right answer (`{{gold}}`); such chains are marked.
        seed: each call's seed derives from it, the format, the stage, the question and the sample.
        seeded_as: the format that the seeds derive from, where it is not the one written.
        adapter: as whom the engines answer, where a student is the teacher; None: as themselves.
        where: where the prompts come from, for messages.

    Raises:
        UserError: a prompt is missing or asks for what it cannot have; there is no such format.
    """

    format: str
    recipe: Recipe
    prompts: Mapping[str, str]
    teaching: TeachingSpec = USUAL_TEACHING
    checks: Checks = USUAL_CHECKS
    answer_guided: bool = False
    seed: int = 0
    seeded_as: str | None = None
    adapter: Adapter | None = None
    where: str = "the prompts"

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise UserError(f"there is no format {self.format!r}; there is {', '.join(FORMATS)}")
        needed = self.recipe.placeholders()
        if self.teaching.tries > 1:
            needed[AGAIN] = {"reason"}
        checked_prompts(self.prompts, needed, self.where, gold=self.answer_guided)
