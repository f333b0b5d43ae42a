"""Nodes of clinic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from medo1.frames import Frame
from medo1.pipelines.clinic.params import ClinicParams


def make_world(params: ClinicParams) -> dict[str, Any]:
    """What is true in the embedded world, as JSON values."""
    raise NotImplementedError


def write_benchmark_files(world: dict[str, Any], params: ClinicParams) -> Path:
    """A folder with train.jsonl, dev.jsonl and test.jsonl, as benchmarks are published."""
    raise NotImplementedError


def write_textbook(world: dict[str, Any], params: ClinicParams) -> Frame:
    """The documents that the base model reads."""
    raise NotImplementedError


def train_base_model(
    world: dict[str, Any], textbook: Frame, cache: Any, params: ClinicParams, seed: int
) -> tuple[Path, dict[str, Any]]:
    """The base model's directory, and the log of its training."""
    raise NotImplementedError
