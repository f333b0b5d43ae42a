"""The base of every typed parameter group: frozen, and unknown keys are refused.

A misspelt key that is silently ignored runs another experiment than the one that was meant.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Parameters(BaseModel):
    """A group of parameters. Subclasses give each field its type, unit, paper's value or reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)
