"""Parameters of synthesis."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from medo1.chains.formats import FORMATS, Checks
from medo1.chains.recipes import RECIPES, Recipe
from medo1.chains.task import TeachingSpec
from medo1.engines.wrappers.money import Price
from medo1.parameters import Parameters


class ImportParams(Parameters):
    """Chains that exist already: which file, and where in each row the parts stand."""

    file: str = Field(description="file name below the benchmark folder, of any kind that questions are read from")
    form: str | None = Field(default=None, description="form of its questions; None recognises it")
    reasoning: str | None = Field(default=None, description="field of the reasoning; None: none, or found by its name")
    answer: str | None = Field(default=None, description="field of the final response; None: found by its usual names")
    question: str | None = Field(
        default=None, description="field of the question's text, id or link, where the questions lie in another file"
    )
    mapping: dict[str, Any] | None = Field(
        default=None, description="columns of the questions, as in ingest, for a file of one's own"
    )


class FormatParams(Checks):
    """One format of chains, or a variant of one (other prompts, another recipe) under a name of its own."""

    source: Literal["teacher", "import"] = Field(
        default="teacher", description="who writes the chains: the catalog's teacher, or nobody, they are imported"
    )
    imported: ImportParams | None = Field(default=None, description="what is imported, for source: import")
    writes: str | None = Field(
        default=None,
        description="the format that its chains must have (medo1.chains.formats); None: the one of its name",
    )
    recipe: str = Field(default="single", description="the calls that make a chain (medo1.chains.recipes)")
    answer_guided: bool = Field(
        default=False, description="the prompts may show the right answer; such chains are marked `guided`"
    )

    @field_validator("writes")
    @classmethod
    def _a_format_is_written(cls, value: str | None) -> str | None:
        if value is not None and value not in FORMATS:
            raise ValueError(f"there is no format {value!r}; there is {', '.join(FORMATS)}")
        return value

    @field_validator("recipe")
    @classmethod
    def _the_recipe_exists(cls, value: str) -> str:
        if value not in RECIPES:
            raise ValueError(f"there is no recipe {value!r}; there is {', '.join(RECIPES)}")
        return value

    @model_validator(mode="after")
    def _what_is_imported_is_named(self) -> Self:
        if self.source == "import" and self.imported is None:
            raise ValueError("source: import needs `imported`, which names the file")
        return self

    @property
    def calls(self) -> Recipe:
        """The recipe itself."""
        return RECIPES[self.recipe]

    def written(self, name: str) -> str:
        """The format that chains of the entry `name` must have.

        Raises:
            ValueError: neither the name nor `writes` says it.
        """
        written = self.writes or name
        if written not in FORMATS:
            raise ValueError(
                f"formats.{name}: there is no format {name!r}; say with `writes` which of {', '.join(FORMATS)} it is"
            )
        return written


class SynthesisParams(TeachingSpec):
    """How the teacher is asked, for how many questions, and for how much money. The paper distils 500 cases."""

    questions: int = Field(default=500, gt=0, description="training questions per format; paper: 500")
    questions_of: dict[str, int] | None = Field(
        default=None, description="at most so many of each benchmark; paper: 350 of MedQA, 150 of JAMA; null: as drawn"
    )
    budget_usd: float | None = Field(default=None, ge=0, description="of one run, all formats; null: no limit")
    prices: dict[str, Price] = Field(default={}, description="list price of each model by name")
    expected_tokens: float | None = Field(
        default=None, gt=0, description="tokens of an answer, for the estimate; null: as the model's earlier answers"
    )
    estimate_only: bool = Field(
        default=False, description="say what would be sent, what it would cost and how long it would take; send nothing"
    )
