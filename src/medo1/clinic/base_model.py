"""The base model of the embedded world: a tiny Qwen2 trained from scratch on the textbook.

A function of documents, tokenizer, spec and seed; the `clinic` pipeline keeps its result as a model directory, so that
a second run reuses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from medo1.clinic.textbook import Document
from medo1.errors import UserError
from medo1.from_scratch.scratch_training import (
    LoopSpec,
    ModelSpec,
    TokenText,
    deterministic,
    exact_share,
    new_qwen2,
    saved,
    train,
)

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

GATE = "pick"  # the kind of document that the gate asks about


class BaseSpec(BaseModel):
    """The base model, its training, and what it must be able to do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: ModelSpec = ModelSpec(hidden=64, layers=2, heads=4, feed_forward=128, positions=1024)
    loop: LoopSpec = LoopSpec(
        steps=800,
        rows=20,
        width=128,  # the longest document has 80 tokens; attention over wider rows costs more than fuller rows save
        learning_rate=5e-3,  # a model this narrow wants a high rate
        warmup_steps=100,
        skip=120,  # LongMonolog's answer stands up to 150 tokens after the options
    )
    first_part: float = Field(default=0.3, ge=0, lt=1)  # share of the steps for the textbook's first part
    gate: float = Field(default=0.95, ge=0, le=1)  # share of named diseases whose letter the base must give


class GateError(UserError):
    """The base cannot do what every arm needs; the message says what it reached. Nothing was saved."""


def train_base(
    documents: Sequence[Document],
    probes: Mapping[str, Sequence[Document]],
    tokenizer: PreTrainedTokenizerFast,
    spec: BaseSpec,
    seed: int,
    directory: Path,
) -> dict[str, Any]:
    """Train the base and save it as safetensors with its tokenizer.

    Args:
        documents: the textbook.
        probes: kind to documents that measure it, `pick` among them (see `medo1.clinic.textbook.probes`).
        tokenizer: the world's tokenizer.
        spec: model, loop and gate.
        seed: of the weights, the order and the positions. Equal seeds give equal bytes on one machine.
        directory: where to; made when the gate is passed, and must not exist with files in it.

    Returns:
        The training's log, as JSON values: `losses` (step, mean loss in nats a learned token since the one before),
        `recall` (kind of probe to the share that greedy decoding reproduces exactly; `fact` is over every fact), and
        `parameters`, weights of the model.

    Raises:
        GateError: when the base gives the right letter less often than `spec.gate`.
        FileExistsError: when the directory holds something.
        ValueError: when a document does not fit a row, or a part has no documents.
    """
    steps = round(spec.loop.steps * spec.first_part)
    examples = examples_of(documents, tokenizer)
    parts = []
    for part, count in enumerate((steps, spec.loop.steps - steps)):
        chosen = [example for example, document in zip(examples, documents, strict=True) if document.part == part]
        if count and not chosen:
            raise ValueError(f"the textbook has no documents of part {part} and {count} steps ask for them")
        if count:
            parts.append((chosen, count))
    with deterministic(seed, spec.loop.threads):
        model = new_qwen2(spec.model, tokenizer)
        losses = train(model, parts, spec.loop, seed, "base model")
        recall = {
            kind: exact_share(model, examples_of(asked, tokenizer), spec.loop.width) for kind, asked in probes.items()
        }
    if recall[GATE] < spec.gate:
        raise GateError(
            f"the base gives the right letter for {recall[GATE]:.1%} of names, at least {spec.gate:.0%} is needed: "
            f"every arm would sit near chance. Recall after {spec.loop.steps} steps: "
            + ", ".join(f"{kind} {share:.1%}" for kind, share in recall.items())
            + ". Train longer (loop.steps), or give `pick` and `map` more weight in the textbook."
        )
    saved(model, tokenizer, directory)
    return {"losses": losses, "recall": recall, "parameters": model.num_parameters()}


def examples_of(documents: Sequence[Document], tokenizer: PreTrainedTokenizerFast) -> list[TokenText]:
    """Documents as tokens; a token is learned when its first character stands in a learned part of the text."""
    encoded = tokenizer(
        [document.text for document in documents], add_special_tokens=False, return_offsets_mapping=True
    )
    examples = []
    for document, ids, offsets in zip(documents, encoded["input_ids"], encoded["offset_mapping"], strict=True):
        learned = bytearray(len(document.text))
        for start, end in document.learned:
            learned[start:end] = b"\1" * (end - start)
        examples.append(TokenText(tuple(ids), tuple(learned[first] == 1 for first, _ in offsets)))
    return examples
