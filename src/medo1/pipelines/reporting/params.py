"""Parameters of reporting."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, field_validator

from medo1.parameters import Parameters

# What the paper claims (claims.py says how each is measured), and how a study of it goes wrong (signatures.py).
ClaimName = Literal[
    "long_chains_pay",
    "steps_pay",
    "harder_questions_longer_chains",
    "chains_hurt_small_models",
    "votes_add_little",
    "votes_can_hurt",
    "free_form_is_a_differential",
]
SignatureName = Literal[
    "cot_below_vanilla", "wrong_longer_than_right", "loops", "unfinished", "votes_fall", "gain_vanishes"
]
CLAIM_NAMES: tuple[ClaimName, ...] = get_args(ClaimName)
SIGNATURE_NAMES: tuple[SignatureName, ...] = get_args(SignatureName)

# The methods of the paper's Table 1, and its free-form answers; which arm plays which.
Role = Literal["vanilla", "vanilla_cot", "cot_sft", "longstep_sft", "longmonolog_sft", "free_form"]


class FamilyParams(Parameters):
    """The comparisons that the study is about, declared before it runs: corrected among themselves. All others are
    corrected among themselves too, as a second family. What is null names all."""

    arms: tuple[str, ...] | None = Field(default=None, description="arms whose comparison with the baseline counts")
    benchmarks: tuple[str, ...] | None = Field(
        default=None, description="benchmarks on which it counts; `all` is the mean over them"
    )


class ReportingParams(Parameters):
    """What is compared with what, and what the page says about it."""

    baseline: str = Field(default="vanilla", description="the arm that all others are compared with; paper: Vanilla")
    confidence: float = Field(default=0.95, gt=0, lt=1, description="level of the intervals")
    title: str = Field(default="Inference-time scaling for medical reasoning", description="of the page")
    notes: tuple[str, ...] = Field(
        default=(), description="what a reader must know before the figures, one paragraph each"
    )
    family: FamilyParams = FamilyParams()
    weights: dict[str, float] = Field(
        default={},
        description="size of each benchmark in the mean over them, where only some of its questions are asked; none: "
        "the questions asked. Paper: 1273 MedQA, 308 Medbullets, 646 JAMA",
    )
    margin: float = Field(
        default=0.01, gt=0, lt=1, description="greatest loss that does not matter, as a share: `no worse than`"
    )
    power: float = Field(default=0.8, gt=0, lt=1, description="chance to find the smallest detectable difference")
    roles: dict[Role, str] = Field(
        default={}, description="arm of each method of the paper, where it cannot be told by name, prompt and adapter"
    )
    paper_model: str | None = Field(
        default=None, description="row of the paper's Table 1 that the student stands beside; null: by its name"
    )
    sizes: dict[str, float] = Field(
        default={}, description="weights of a model, by its name or an arm's, where they cannot be counted: for FLOPs"
    )
    built_in: tuple[ClaimName | SignatureName, ...] = Field(
        default=(),
        description="claims and signatures that the questions were made to show: their verdict is `built in`",
    )

    cases: Literal["shareable", "all", "none"] = Field(
        default="shareable",
        description="questions whose texts the explorer shows: those that may be passed on; all, for a page that "
        "stays with you; none, for a page without explorer",
    )
    most_mb: float = Field(
        default=25.0,
        ge=0,
        description="MB of packed cases that the page carries itself; more lie in a folder beside it",
    )

    @field_validator("weights", "sizes")
    @classmethod
    def _are_positive(cls, value: dict[str, float]) -> dict[str, float]:
        bad = {name: number for name, number in value.items() if not number > 0}
        if bad:
            raise ValueError(f"must be above zero; found {bad}")
        return value
