"""Parameters of synthesis."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from medo1.chains.formats import FORMATS, Checks
from medo1.chains.recipes import RECIPES, Recipe
from medo1.chains.task import TeachingSpec
from medo1.engines.wrappers.money import Price
from medo1.nearest import did_you_mean
from medo1.parameters import Parameters


class ImportParams(Parameters):
    """Existing chains: which file, and which fields hold their parts."""

    file: str = Field(description="file name in the benchmark folder, of any type that questions can be read from")
    form: str | None = Field(default=None, description="form of its questions; None: detected")
    reasoning: str | None = Field(
        default=None, description="field of the reasoning; None: none, or found by its usual names"
    )
    answer: str | None = Field(default=None, description="field of the final response; None: found by its usual names")
    question: str | None = Field(
        default=None, description="field of the question's text, id or link, if the questions are in another file"
    )
    mapping: dict[str, Any] | None = Field(
        default=None, description="columns of the questions, as in ingest, for a file with its own columns"
    )


class FormatParams(Checks):
    """One format of chains, or a variant of one (other prompts, another recipe) under its own name."""

    source: Literal["teacher", "student", "import"] = Field(
        default="teacher",
        description="where chains come from: written by the catalog's teacher or by a student, or imported from a file",
    )
    imported: ImportParams | None = Field(default=None, description="what is imported, for source: import")
    taught_by: str | None = Field(
        default=None,
        description="for source: student, the format whose student writes the chains, trained earlier in the same run; "
        "None: the base model itself",
    )
    questions: int | None = Field(
        default=None, gt=0, description="only the first so many of the training questions; None: all of them"
    )
    samples: int | None = Field(default=None, gt=0, description="chains per question; None: synthesis.samples")
    temperature: float | None = Field(default=None, ge=0, description="None: synthesis.temperature")
    prompts: str | None = Field(
        default=None, description="the format whose prompts it takes, the teacher's and the student's; None: its own"
    )
    writes: str | None = Field(
        default=None,
        description="the format that its chains must have (medo1.chains.formats); None: the one with the entry's name",
    )
    recipe: str = Field(default="single", description="the calls that make a chain (medo1.chains.recipes)")
    answer_guided: bool = Field(
        default=False, description="the prompts may show the right answer; such chains are marked `guided`"
    )

    seeded_as: str | None = Field(
        default=None,
        description="the format whose calls these take their seeds from: a control that is written otherwise is then "
        "drawn as what it is held against; None: the one that is written",
    )

    @field_validator("writes", "seeded_as")
    @classmethod
    def _a_format_is_written(cls, value: str | None) -> str | None:
        if value is not None and value not in FORMATS:
            raise ValueError(f"there is no format {value!r}. {did_you_mean(value, FORMATS)}")
        return value

    @field_validator("recipe")
    @classmethod
    def _the_recipe_exists(cls, value: str) -> str:
        if value not in RECIPES:
            raise ValueError(f"there is no recipe {value!r}. {did_you_mean(value, RECIPES)}")
        return value

    @model_validator(mode="after")
    def _what_is_imported_is_named(self) -> Self:
        if self.source == "import" and self.imported is None:
            raise ValueError("source: import needs `imported`, which names the file")
        if self.source != "student" and self.taught_by is not None:
            raise ValueError(f"taught_by: {self.taught_by} needs source: student; it is {self.source}")
        if self.source != "import" and self.imported is not None:
            raise ValueError(f"`imported` needs source: import; it is {self.source}")
        asked = [key for key in ("questions", "samples", "temperature") if getattr(self, key) is not None]
        if self.source == "import" and asked:
            raise ValueError(f"{asked[0]} is of chains that are written here; source: import takes those of its file")
        return self

    @property
    def calls(self) -> Recipe:
        """The recipe itself."""
        return RECIPES[self.recipe]

    def asked_with(self, params: SynthesisParams) -> SynthesisParams:
        """How its chains are asked for: as all are, but for what it has of its own."""
        own = {key: value for key in ("samples", "temperature") if (value := getattr(self, key)) is not None}
        return params.model_copy(update=own)

    def prompts_of(self, name: str) -> str:
        """The name under which the prompts of the entry `name` stand."""
        return self.prompts or name

    def written(self, name: str) -> str:
        """The format that chains of the entry `name` must have.

        Raises:
            ValueError: neither the name nor `writes` names a format.
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
        default=None, description="limit for each benchmark; paper: 350 of MedQA, 150 of JAMA; null: none"
    )
    budget_usd: float | None = Field(
        default=None, ge=0, description="limit for one run over all formats; null: no limit"
    )
    prices: dict[str, Price] = Field(default={}, description="list price of each model by name")
    expected_tokens: float | None = Field(
        default=None,
        gt=0,
        description="expected tokens per answer, for the estimate; null: mean of the model's earlier answers",
    )
    estimate_only: bool = Field(
        default=False, description="say what would be sent, what it would cost and how long it would take; send nothing"
    )
