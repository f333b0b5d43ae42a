"""The parameters of votes and stopping; separate from the votes, so that parameters load without numpy."""

from __future__ import annotations

from pydantic import Field

from medo1.parameters import Parameters
from medo1.vocabulary import RuleName

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
        description="dirichlet: up to `samples` draws; beta: adaptive consistency's rule, no limit on draws; "
        "distribution_free: agrees with the vote of all `samples` at `threshold` on every question, for more draws",
    )
    prior: float = Field(
        default=0.25,
        gt=0,
        description="pseudo-count of each letter and of no answer, in dirichlet: 1 is uniform, less "
        "expects one letter to have most of the votes",
    )
