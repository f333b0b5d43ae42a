"""Parameters of reporting."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from medo1.parameters import Parameters


class ReportingParams(Parameters):
    """What is compared with what, and what the page says about it."""

    baseline: str = Field(default="vanilla", description="the arm that all others are compared with; paper: Vanilla")
    confidence: float = Field(default=0.95, gt=0, lt=1, description="level of the intervals")
    title: str = Field(default="Inference-time scaling for medical reasoning", description="of the page")
    notes: tuple[str, ...] = Field(
        default=(), description="what a reader must know before the figures, one paragraph each"
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
