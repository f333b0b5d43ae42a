"""The base model of the embedded world: a tiny Qwen2 trained from scratch on the textbook.

A pure function of documents, tokenizer, spec and seed; the `clinic` pipeline keeps its result as a model directory, so
that a second run finds it made.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from medo1.clinic.textbook import Document
from medo1.clinic.training import (
    Example,
    LoopSpec,
    TrainingProgress,
    deterministic,
    exact_share,
    new_qwen2,
    train,
)
from medo1.lineage.digests import seed_from

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


class BaseSpec(BaseModel):
    """The base model and its training."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hidden: int = Field(default=64, ge=8)
    layers: int = Field(default=2, ge=1)
    heads: int = Field(default=4, ge=1)
    feed_forward: int = Field(default=128, ge=8)
    positions: int = Field(default=1024, ge=64)
    loop: LoopSpec = LoopSpec(steps=1000, rows=16, width=160, learning_rate=5e-3, warmup_steps=100)
    first_part: float = 0.3
    gate: float = Field(default=0.95, ge=0, le=1)
    held_out: int = Field(default=200, ge=1)


def examples_of(documents: Sequence[Document], tokenizer: PreTrainedTokenizerFast) -> list[Example]:
    """Documents as tokens; a token is learned when its first character stands in a learned part of the text."""
    encoded = tokenizer(
        [document.text for document in documents], add_special_tokens=False, return_offsets_mapping=True
    )
    examples = []
    for document, ids, offsets in zip(documents, encoded["input_ids"], encoded["offset_mapping"], strict=True):
        learned = bytearray(len(document.text))
        for start, end in document.learned:
            learned[start:end] = b"\1" * (end - start)
        examples.append(Example(tuple(ids), tuple(learned[first] == 1 for first, _ in offsets)))
    return examples
