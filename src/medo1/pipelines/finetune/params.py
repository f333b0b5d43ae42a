"""Parameters of fine-tuning."""

from __future__ import annotations

from medo1.training.spec import TrainingSpec


class FinetuneParams(TrainingSpec):
    """How the adapter of one format is trained."""
