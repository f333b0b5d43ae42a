"""What can be chosen about votes and their end; apart from the votes, so that parameters load without numpy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from medo1.parameters import Parameters


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
        description="in `filtered`, the share of samples that votes, surest first; DeepConf: 0.1 or 0.9 of hundreds",
    )


class StoppingRule(Parameters):
    """When a question has votes enough."""

    threshold: float = Field(default=0.95, gt=0, le=1, description="of the probability that the leader stays ahead")
    first: int = Field(default=3, gt=0, description="samples before the first look")
    step: int = Field(default=1, gt=0, description="samples between two looks")
    rule: Literal["dirichlet", "beta"] = Field(
        default="dirichlet", description="dirichlet: up to `samples` draws; beta: adaptive consistency's, without end"
    )
    prior: float = Field(
        default=0.25,
        gt=0,
        description="pseudo-count of each letter and of silence, in dirichlet: 1 believes nothing beforehand, less "
        "believes that one letter will have most of the votes",
    )
