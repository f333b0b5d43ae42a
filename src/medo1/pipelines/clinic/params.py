"""Parameters of the embedded world."""

from __future__ import annotations

from medo1.parameters import Parameters


class ClinicParams(Parameters):
    """The world, what is asked about it, and the base model that reads its textbook."""
