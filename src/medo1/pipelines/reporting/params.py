"""Parameters of reporting."""

from __future__ import annotations

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
