"""The parameters of votes and stopping; separate from the votes, so that parameters load without numpy."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from medo1.parameters import Parameters
from medo1.vocabulary import RuleName

Mixture = tuple[tuple[float, float], ...]  # pairs of a concentration and its share of the questions

# Of selective thought: what it may lose of the accuracy of thinking always, and how surely it loses less.
MARGIN, CONFIDENCE = 0.03, 0.95


class Weighing(Parameters):
    """How votes are weighted."""

    borda_power: float = Field(
        default=0.5,
        ge=0,
        description="in `self_certainty`, rank r of n votes weighs (n - r + 1) ** this; Kang et al.: small for few",
    )
    keep_share: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="in `filtered`, share of samples that vote, most confident first; DeepConf: 0.1 or 0.9 of hundreds",
    )


class StoppingRule(Parameters):
    """When a question has votes enough."""

    threshold: float = Field(
        default=0.95,
        gt=0,
        le=1,
        description="stop when the leader stays ahead with at least this probability: under its prior in dirichlet and "
        "beta, whatever the answers in distribution_free",
    )
    first: int = Field(default=3, gt=0, description="samples before the rule is first checked")
    step: int = Field(default=1, gt=0, description="samples between two checks")
    rule: RuleName = Field(
        default="dirichlet",
        description="dirichlet: up to `samples` draws; fitted: the same under `mixture`; beta: adaptive consistency's "
        "rule, no limit on draws; "
        "distribution_free: agrees with the vote of all `samples` at `threshold` on every question, for more draws",
    )
    prior: float = Field(
        default=0.25,
        gt=0,
        description="pseudo-count of each letter and of no answer, in dirichlet: 1 is uniform, less "
        "expects one letter to have most of the votes",
    )
    mixture: Mixture = Field(
        default=(),
        description="the prior of the rule `fitted`: pairs of a pseudo-count and the share of questions that it fits; "
        "`stopping_prior` of a run that drew all samples has them",
    )

    agreement: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="in place of `threshold` and `mixture` of the rule `fitted`, where samples are drawn in rounds: "
        "the promised agreement; both are then read from `stopping_calibration` and `stopping_prior`, for each arm, as "
        "an earlier run on dev questions saved them",
    )

    @model_validator(mode="after")
    def _a_fitted_rule_has_its_prior(self) -> Self:
        if self.agreement is not None and (self.rule != "fitted" or self.mixture):
            raise ValueError("`agreement` belongs to the rule `fitted` without a `mixture` of its own")
        if self.rule == "fitted" and not self.mixture and self.agreement is None:
            raise ValueError(
                "the rule `fitted` needs questions to learn from: draw all samples of some dev questions (`splits: "
                "[dev]`, `draw: false`); then give the `agreement` that it shall promise, and it reads the tables "
                "`stopping_prior` and `stopping_calibration` of that run; or give the `mixture` and `threshold` that "
                "stand there"
            )
        if any(pseudo_count <= 0 or share < 0 for pseudo_count, share in self.mixture):
            raise ValueError(
                f"`mixture` has pairs of a pseudo-count above 0 and a share, such as [[0.1, 0.6], [1.0, 0.4]]; "
                f"found {[list(pair) for pair in self.mixture]}"
            )
        return self
