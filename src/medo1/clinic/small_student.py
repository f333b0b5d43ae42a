"""A tiny student for real text, trained from scratch in about a minute.

Where there is no model to download, `conf/recorded` still takes real questions and real chains through every stage.
This student writes real words and knows no medicine; its scores are at chance, and are meant to be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from medo1.clinic.tokenizer import PAD, text_tokenizer
from medo1.clinic.training import (
    Example,
    LoopSpec,
    ModelSpec,
    TrainingProgress,
    deterministic,
    new_qwen2,
    saved,
    train,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


class SmallStudentSpec(BaseModel):
    """The student, its vocabulary and its training."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vocabulary: int = Field(default=4096, ge=300)  # most of the words of 200 chains, and a small softmax
    model: ModelSpec = ModelSpec(hidden=64, layers=2, heads=4, feed_forward=168, positions=4096)
    # Three passes over 170,000 tokens in small batches: many small steps reached a loss of 5.0, few large ones 5.6.
    loop: LoopSpec = LoopSpec(steps=1000, rows=4, width=128, learning_rate=5e-3, warmup_steps=20)


@dataclass(frozen=True, slots=True)
class SmallStudentTraining:
    """What the training came to: where the model lies, its losses (step, nats a token), its weights, the tokens of the
    texts and of the training, and the seconds that it took."""

    directory: Path
    losses: tuple[tuple[int, float], ...]
    parameters: int
    text_tokens: int
    tokens: int
    seconds: float


def train_small_student(
    texts: Sequence[str],
    spec: SmallStudentSpec,
    seed: int,
    directory: Path,
    progress: Callable[[TrainingProgress], None] | None = None,
) -> SmallStudentTraining:
    """Train tokenizer and model on texts, and save both as a model directory.

    Args:
        texts: what to learn from; exchanges rendered with `medo1.clinic.tokenizer.chat_text` teach turns too.
        spec: sizes and loop.
        seed: equal seeds give equal bytes on one machine.
        directory: where to; must not exist with files in it.
        progress: told about every twentieth of the steps; the log by default.

    Raises:
        ValueError: when there is no text.
        FileExistsError: when the directory holds something.
    """
    if not any(text.strip() for text in texts):
        raise ValueError("the small student was given no text to learn from")
    started = time.perf_counter()
    tokenizer = text_tokenizer(texts, spec.vocabulary)
    examples = _windows(texts, tokenizer, spec.loop.width)
    with deterministic(seed, spec.loop.threads):
        model = new_qwen2(spec.model, tokenizer)
        losses = train(model, [(examples, spec.loop.steps)], spec.loop, seed, progress)
    saved(model, tokenizer, directory)
    return SmallStudentTraining(
        directory=directory,
        losses=tuple(losses),
        parameters=model.num_parameters(),
        text_tokens=sum(len(example.ids) for example in examples),
        tokens=spec.loop.steps * spec.loop.rows * spec.loop.width,
        seconds=time.perf_counter() - started,
    )


def _windows(texts: Sequence[str], tokenizer: PreTrainedTokenizerFast, width: int) -> list[Example]:
    """Each text as stretches of at most `width` tokens, every token of them learned, an end mark after each text."""
    encoded = tokenizer([f"{text}{PAD}" for text in texts], add_special_tokens=False)["input_ids"]
    return [
        Example(tuple(ids[start : start + width]), (True,) * len(ids[start : start + width]))
        for ids in encoded
        for start in range(0, len(ids), width)
    ]
