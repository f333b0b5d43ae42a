"""The base model of the embedded world: a tiny Qwen2 trained from scratch on the textbook.

A function of documents, tokenizer, spec and seed; the `clinic` pipeline keeps its result as a model directory, so that
a second run reuses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from medo1.clinic.textbook import Document, probed_kind
from medo1.errors import UserError
from medo1.from_scratch.scratch_training import (
    LoopSpec,
    ModelSpec,
    TokenText,
    deterministic,
    exact_share,
    new_model,
    saved,
    train,
)
from medo1.parameters import Parameters

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

# What every arm needs, and the least share of fresh probes that shows it: to name the letter of a disease, to look the
# complaint up, to look one finding up.
GATES = {"pick": 0.95, "opening": 0.95, "alone": 0.9, "update": 0.9}
MORE_RATE = 0.5  # of the learning rate, in a further round


class BaseSpec(Parameters):
    """The base model, its training, and what it must be able to do."""

    model: ModelSpec = ModelSpec(hidden=64, layers=2, heads=4, feed_forward=128, positions=1024)
    loop: LoopSpec = LoopSpec(
        steps=1000,
        rows=20,
        width=128,  # the longest document has 104 tokens; attention over wider rows costs more than fuller rows save
        learning_rate=5e-3,  # a model this narrow wants a high rate
        warmup_steps=100,
        skip=120,  # LongMonolog's answer stands up to 150 tokens after the options
    )
    first_part: float = Field(default=0.3, ge=0, lt=1, description="share of the steps for the textbook's first part")
    gates: dict[str, float] = Field(
        default=GATES, description="kind of probe to the least share that the base must get right, in each task"
    )
    more_steps: int = Field(
        default=200, ge=1, description="of the second part, once more and at a lower rate, while it does not"
    )
    more_rounds: int = Field(default=3, ge=0, description="of those at most, before the base is refused")


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

    While a gate is not passed, training goes on for `more_steps`, at most `more_rounds` times.

    Returns:
        The training's log, as JSON values: `losses` (step, mean loss in nats a learned token since the one before),
        `recall` (kind of probe to the share that greedy decoding reproduces exactly; `fact` is over every undisputed
        fact, `disputed` the share of disputed ones of which it holds the truth), `more_rounds` that it took, and
        `parameters`, weights of the model.

    Raises:
        GateError: when a gate is not passed after the last round.
        FileExistsError: when the directory holds something.
        ValueError: when a document does not fit a row, a part has no documents, or a gate asks for no kind of probe.
    """
    if unknown := sorted(set(spec.gates) - set(map(probed_kind, probes))):
        raise ValueError(
            f"gates.{unknown[0]} names no probe: expected one of {', '.join(sorted(set(map(probed_kind, probes))))}"
        )
    steps = round(spec.loop.steps * spec.first_part)
    examples = examples_of(documents, tokenizer)
    by_part = [
        [example for example, document in zip(examples, documents, strict=True) if document.part == part]
        for part in (0, 1)
    ]
    parts = [(chosen, count) for chosen, count in zip(by_part, (steps, spec.loop.steps - steps), strict=True) if count]
    if not all(chosen for chosen, _ in parts):
        raise ValueError(f"the textbook has no documents of part {by_part.index([])} and steps ask for them")
    asked = {kind: examples_of(documents, tokenizer) for kind, documents in probes.items()}
    with deterministic(seed, spec.loop.threads):
        model = new_model(spec.model, tokenizer)
        losses = train(model, parts, spec.loop, seed, "base model")
        recall = _recall(model, asked, spec)
        rounds = 0
        while _failed(recall, spec) and rounds < spec.more_rounds:
            rounds += 1
            done = losses[-1][0]
            more = train(model, [(parts[-1][0], spec.more_steps)], _once_more(spec), seed + rounds, "base model")
            losses += [(done + step, loss) for step, loss in more]
            recall = _recall(model, asked, spec)
    if failed := _failed(recall, spec):
        raise GateError(
            "the base lacks what every arm needs: "
            + ", ".join(
                f"{kind} {recall[kind]:.1%} of probes, at least {spec.gates[probed_kind(kind)]:.0%} expected"
                for kind in failed
            )
            + f" after {losses[-1][0]} steps ({rounds} more rounds). All it can do: "
            + ", ".join(f"{kind} {share:.1%}" for kind, share in recall.items())
            + ". Train longer (loop.steps, more_rounds), or give those kinds more weight in the textbook; "
            "another seed may do as well."
        )
    saved(model, tokenizer, directory)
    return {"losses": losses, "recall": recall, "more_rounds": rounds, "parameters": model.num_parameters()}


def _recall(model: PreTrainedModel, asked: Mapping[str, Sequence[TokenText]], spec: BaseSpec) -> dict[str, float]:
    return {kind: exact_share(model, examples, spec.loop.width) for kind, examples in asked.items() if examples}


def _failed(recall: Mapping[str, float], spec: BaseSpec) -> list[str]:
    return [kind for kind, share in recall.items() if share < spec.gates.get(probed_kind(kind), 0.0)]


def _once_more(spec: BaseSpec) -> LoopSpec:
    return spec.loop.model_copy(
        update={
            "steps": spec.more_steps,
            "learning_rate": spec.loop.learning_rate * MORE_RATE,
            "warmup_steps": min(spec.loop.warmup_steps, spec.more_steps // 10),
        }
    )


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
