"""The base of every typed parameter group: frozen, and unknown keys are rejected.

A misspelt key that is silently ignored runs a different experiment from the one intended.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Parameters(BaseModel):
    """A group of parameters. Subclasses give each field its type, unit, paper's value or reason."""

    model_config = ConfigDict(extra="forbid", frozen=True)
