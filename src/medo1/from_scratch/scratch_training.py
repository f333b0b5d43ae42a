"""The training loop of the models that are trained from scratch here.

Documents of many lengths are packed into rows of one width. Attention stays within a document (a block-diagonal mask)
and positions start anew with each, so that packing changes the speed and nothing else. The loss covers the learned
tokens only, and logits are made for those alone.

Equal inputs, seed and number of threads give equal weights, bit by bit, on one machine.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from medo1.parameters import Parameters
from medo1.progress_bars import StepProgress, silence_library_bars

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

WAITING = 8  # documents that fit nowhere before a batch counts as full: rows are then 97 % full
IGNORED = -100  # PyTorch's label of a position without loss


@dataclass(frozen=True, slots=True)
class TokenText:
    """A document as tokens: its ids, and for each whether it is predicted."""

    ids: tuple[int, ...]
    learned: tuple[bool, ...]


class LoopSpec(Parameters):
    """How a model is trained from scratch."""

    steps: int = Field(ge=1, description="optimiser steps")
    rows: int = Field(ge=1, description="rows of a batch")
    width: int = Field(ge=8, description="tokens of a row")
    learning_rate: float = Field(gt=0, description="at its peak, after the warm-up")
    warmup_steps: int = Field(ge=0, description="steps in which the learning rate rises from nothing")
    beta2: float = Field(
        default=0.98, gt=0, lt=1, description="AdamW's; in a short run 0.999 would average over all of it"
    )
    weight_decay: float = Field(default=0.05, ge=0, description="AdamW's")
    clip_norm: float = Field(default=1.0, gt=0, description="gradients are scaled down to this norm")
    skip: int = Field(
        default=0,
        ge=0,
        description="largest jump of positions, in tokens, between prompt and answer: longer texts are met later",
    )
    threads: int = Field(
        default=1, ge=1, description="one beats two for a model this small; other counts give other bytes"
    )


class ModelSpec(Parameters):
    """The shape and size of a model with tied embeddings."""

    family: Literal["qwen2", "llama"] = Field(
        default="qwen2", description="whose architecture: a Llama's attention has no biases, the rest is alike"
    )
    hidden: int = Field(ge=8, description="width of the residual stream")
    layers: int = Field(ge=1, description="transformer blocks")
    heads: int = Field(ge=1, description="attention heads of a block")
    feed_forward: int = Field(ge=8, description="width of the feed-forward layer")
    positions: int = Field(ge=64, description="longest text, in tokens")
    rope_theta: float = Field(
        default=1e4,
        gt=0,
        description="base of the rotary angles; Qwen2's own 1e6 leaves heads of 16 too few fast angles",
    )


@contextmanager
def deterministic(seed: int, threads: int) -> Iterator[None]:
    """PyTorch seeded, with this many threads and deterministic kernels; the caller's state comes back afterwards."""
    import torch

    before, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.set_num_threads(before)
            torch.use_deterministic_algorithms(strict)


def new_model(spec: ModelSpec, tokenizer: PreTrainedTokenizerFast) -> PreTrainedModel:
    """An untrained model in float32 for this tokenizer."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(
        spec.family,
        vocab_size=len(tokenizer),
        hidden_size=spec.hidden,
        intermediate_size=spec.feed_forward,
        num_hidden_layers=spec.layers,
        num_attention_heads=spec.heads,
        num_key_value_heads=spec.heads,
        max_position_embeddings=spec.positions,
        initializer_range=spec.hidden**-0.5,  # with the families' usual 0.02 a model this narrow stalled
        rope_parameters={"rope_type": "default", "rope_theta": spec.rope_theta},
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        dtype="float32",
    )
    return AutoModelForCausalLM.from_config(config, dtype=torch.float32)


def saved(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, directory: Path) -> None:
    """Write a model directory: safetensors, configuration, tokenizer and chat template; no pickle.

    Raises:
        FileExistsError: when the directory holds something: a model is never written over another.
    """
    if directory.exists() and any(directory.iterdir()):
        raise FileExistsError(f"{directory} is not empty: a model directory is written once; choose another")
    directory.mkdir(parents=True, exist_ok=True)
    silence_library_bars()
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)


def train(
    model: PreTrainedModel,
    parts: Sequence[tuple[Sequence[TokenText], int]],
    spec: LoopSpec,
    seed: int,
    what: str = "model",
) -> list[tuple[int, float]]:
    """Train a model in place with AdamW and a cosine that falls to nothing.

    Args:
        model: any causal language model with a decoder under `.model`.
        parts: (examples, steps) one after the other; the steps must add up to `spec.steps`. Within a part examples are
            shuffled, and again for each pass over them.
        spec: the loop.
        seed: of the order and the positions. The weights' seed is the caller's (`deterministic`).
        what: what is trained, for the progress shown.

    Returns:
        (step, mean loss since the one before) at every twentieth of the steps.

    Raises:
        ValueError: when an example is wider than a row, or the parts' steps do not add up.
    """
    import torch

    if sum(steps for _, steps in parts) != spec.steps:
        raise ValueError(f"the parts ask for {[steps for _, steps in parts]} steps, the loop for {spec.steps}")
    longest = max(len(example.ids) for examples, _ in parts for example in examples)
    if longest > spec.width:
        raise ValueError(
            f"a training text has {longest} tokens and a row holds {spec.width}: widen `width`; nothing is cut silently"
        )
    rng = random.Random(seed)  # noqa: S311
    optimizer = torch.optim.AdamW(_groups(model, spec.weight_decay), lr=spec.learning_rate, betas=(0.9, spec.beta2))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share_of_rate(step, spec))
    every = max(1, spec.steps // 20)
    log: list[tuple[int, float]] = []
    recent: list[float] = []
    step = 0
    model.train()
    with StepProgress(spec.steps, f"{what} training steps") as progress:
        for examples, steps in parts:
            stream = _endless(examples, rng)
            waiting: list[TokenText] = []
            for _ in range(steps):
                batch = _packed(stream, waiting, spec.rows, spec.width, spec.skip, rng, model.config.pad_token_id)
                optimizer.zero_grad(set_to_none=True)
                loss = _loss(model, batch)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), spec.clip_norm)
                optimizer.step()
                schedule.step()
                step += 1
                recent.append(loss.item())
                if step % every == 0 or step == spec.steps:
                    log.append((step, sum(recent) / len(recent)))
                    recent.clear()
                progress.advance(f"loss {log[-1][1]:.3f}" if log else "")
    model.eval()
    return log


def exact_share(model: PreTrainedModel, examples: Sequence[TokenText], width: int, rows: int = 16) -> float:
    """The share of examples whose every learned token is the model's first choice.

    That is the share which greedy decoding reproduces exactly: while all so far is right, decoding sees what
    this sees.
    """
    import torch

    right = 0
    model.eval()
    with torch.no_grad():
        waiting: list[TokenText] = []
        stream = iter(examples)
        while True:
            rng = random.Random(0)  # noqa: S311  (asked for jumps of positions, of which there are none here)
            batch = _packed(stream, waiting, rows, width, 0, rng, model.config.pad_token_id)
            if not batch.documents:
                return right / len(examples)
            hidden = _hidden(model, batch)
            places = batch.labels != IGNORED
            chosen = model.lm_head(hidden[places]).argmax(-1)
            wrong = set(batch.numbers[places][chosen != batch.labels[places]].tolist())
            right += batch.documents - len(wrong)


def _groups(model: PreTrainedModel, weight_decay: float) -> list[dict[str, object]]:
    """Weight decay for matrices only: norms and biases have no reason to shrink."""
    named = list(model.named_parameters())
    return [
        {"params": [weight for _, weight in named if weight.dim() > 1], "weight_decay": weight_decay},
        {"params": [weight for _, weight in named if weight.dim() <= 1], "weight_decay": 0.0},
    ]


def _share_of_rate(step: int, spec: LoopSpec) -> float:
    import math

    if step < spec.warmup_steps:
        return (step + 1) / spec.warmup_steps
    done = (step - spec.warmup_steps) / max(1, spec.steps - spec.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * done))


def _endless(examples: Sequence[TokenText], rng: random.Random) -> Iterator[TokenText]:
    order = list(range(len(examples)))
    while True:
        rng.shuffle(order)
        for place in order:
            yield examples[place]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows of packed documents, each tensor [rows, width]; `numbers` tells documents apart, -1 is padding."""

    ids: torch.Tensor
    positions: torch.Tensor
    numbers: torch.Tensor
    labels: torch.Tensor
    documents: int


def _packed(
    stream: Iterator[TokenText],
    waiting: list[TokenText],
    rows: int,
    width: int,
    skip: int,
    rng: random.Random,
    pad: int,
) -> _Batch:
    """Fill rows, each document where it first fits, until several fit nowhere; those wait for the next batch."""
    import torch

    ids: list[list[int]] = [[] for _ in range(rows)]
    positions: list[list[int]] = [[] for _ in range(rows)]
    numbers: list[list[int]] = [[] for _ in range(rows)]
    labels: list[list[int]] = [[] for _ in range(rows)]
    earlier, count = iter(waiting[:]), 0
    waiting.clear()
    while len(waiting) < WAITING and (example := next(earlier, None) or next(stream, None)):
        size = len(example.ids)
        row = next((row for row in range(rows) if len(ids[row]) + size <= width), None)
        if row is None:
            waiting.append(example)
            continue
        ids[row] += example.ids
        positions[row] += _positions(example, skip, rng)
        numbers[row] += [count] * size
        # The label of a place is the token after it: the last place of a document predicts nothing.
        ahead = [token if learned else IGNORED for token, learned in zip(example.ids, example.learned, strict=True)]
        labels[row] += [*ahead[1:], IGNORED]
        count += 1
    waiting += earlier

    def padded(table: list[list[int]], filler: int) -> torch.Tensor:
        return torch.tensor([line + [filler] * (width - len(line)) for line in table])

    return _Batch(padded(ids, pad), padded(positions, 0), padded(numbers, -1), padded(labels, IGNORED), count)


def _positions(example: TokenText, skip: int, rng: random.Random) -> list[int]:
    """Positions of a document: 0, 1, 2 ..., in half of them with a jump of up to `skip` before what is learned.

    A model sees only distances that occur in its training, and short documents have short ones. With a jump the prompt
    is read from afar, as it is at the end of a long chain (skip-wise positions: Zhu et al. 2023, arXiv 2309.10400).
    """
    size = len(example.ids)
    if not skip or rng.random() < 0.5:  # noqa: PLR2004
        return list(range(size))
    start = example.learned.index(True)
    jump = rng.randint(1, skip)
    return [*range(start), *range(start + jump, size + jump)]


def _hidden(model: PreTrainedModel, batch: _Batch) -> torch.Tensor:
    import torch

    width = batch.ids.shape[1]
    same = batch.numbers[:, :, None] == batch.numbers[:, None, :]
    causal = torch.ones(width, width, dtype=torch.bool).tril()
    mask = (same & causal)[:, None]
    return model.model(
        input_ids=batch.ids, position_ids=batch.positions, attention_mask=mask, use_cache=False
    ).last_hidden_state


def _loss(model: PreTrainedModel, batch: _Batch) -> torch.Tensor:
    import torch

    places = batch.labels != IGNORED
    logits = model.lm_head(_hidden(model, batch)[places])
    return torch.nn.functional.cross_entropy(logits, batch.labels[places])
