"""What a training will take, in advance: steps, tokens, time and memory of each device, from the configuration
alone.

Memory is the sum of weights, what is trained (with gradients and Adam's two moments), the activations that the backward
pass needs, and logits. Activations count the tensors that a Llama-like layer saves; measured on small models the sum is
within a fifth (tests/training/test_estimate.py). Time is floating-point operations (2 a weight and token forward;
backward as many again for LoRA, twice as many for full training; once more forward under gradient checkpointing) by a
rate: on a CPU measured with a product of matrices, on a GPU a share of what its maker states. Estimates for GPUs were
not tested on such hardware.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from medo1.engines.base import Model
from medo1.engines.vllm.engine import RANKS
from medo1.training.adapters import empty_model
from medo1.training.spec import TrainingSpec

GIB = 1 << 30
SHARE_OF_PEAK = 0.35  # of a GPU's dense bf16 peak that training reaches; an assumption
SPARE = 1.1  # allocators reserve a little more than requested
CONTEXT_GIB = 1.0  # what CUDA and its libraries hold on each device
CPU_SHARE = 0.5  # of the measured matrix product's rate
SECONDS_A_LAYER = 0.0015  # of Python and small kernels, forward and backward: what a tiny model's step takes
USED_OF_TOTAL = 0.9  # of a device's memory that `micro_batch_size: auto` fills at most
BUSY_TOKENS = 16384  # at once, from which on more of them make no GPU faster
FUSED_ROWS = 1024  # rows whose logits TRL's fused head holds at once
# Dense bf16 TFLOP/s as their makers state them, by a part of the device's name.
PEAKS = {
    "H200": 989,
    "H100": 989,
    "B200": 2250,
    "A100": 312,
    "A800": 312,
    "L40S": 362,
    "A10": 125,
    "4090": 165,
    "V100": 125,
}
_INNER = 8  # of the hidden size: inputs of norms and projections, some in two precisions
_FEED_FORWARD = 3  # of the inner size: gate, up, their product


@dataclass(frozen=True, slots=True)
class ModelSizes:
    """Of a causal language model, from its configuration.

    `linear` maps each linear layer's name to `(out, in)`, the output layer left out.
    """

    weights: int
    layers: int
    hidden: int
    queries: int
    keys: int
    feed_forward: int
    vocabulary: int
    linear: dict[str, tuple[int, int]]

    @classmethod
    def of(cls, model: Model) -> ModelSizes:
        """The sizes of a model; no weight is loaded."""
        from torch import nn

        empty = empty_model(model)
        config = empty.config.get_text_config()
        heads = int(config.num_attention_heads)
        width = int(getattr(config, "head_dim", None) or config.hidden_size // heads)
        head = empty.get_output_embeddings()
        return cls(
            weights=sum(parameter.numel() for parameter in empty.parameters()),
            layers=int(config.num_hidden_layers),
            hidden=int(config.hidden_size),
            queries=heads * width,
            keys=int(getattr(config, "num_key_value_heads", None) or heads) * width,
            feed_forward=int(getattr(config, "intermediate_size", None) or 4 * config.hidden_size),
            vocabulary=int(config.vocab_size),
            linear={
                name: (module.out_features, module.in_features)
                for name, module in empty.named_modules()
                if isinstance(module, nn.Linear) and module is not head
            },
        )

    def trained(self, spec: TrainingSpec) -> int:
        """Weights that are trained."""
        if spec.method == "full":
            return self.weights
        targets = spec.target_modules
        if targets == "all-linear":
            chosen = list(self.linear.values())
        else:
            names = (targets,) if isinstance(targets, str) else targets
            chosen = [shape for name, shape in self.linear.items() if name.rpartition(".")[2] in names]
        return sum(spec.rank * (out + into) for out, into in chosen)

    def saved_per_token(self) -> int:
        """Elements that one layer keeps of a token for the backward pass."""
        return _INNER * self.hidden + 2 * (self.queries + self.keys) + _FEED_FORWARD * self.feed_forward


@dataclass(frozen=True, slots=True)
class TrainingEstimate:
    """Of one training.

    Attributes:
        examples, longest: how many, and the tokens of the longest.
        steps, tokens: optimizer steps and tokens, over all epochs.
        seconds: None where the device's rate is not known.
        micro_batch_size: examples at a time on one device, as asked for or as chosen.
        weights, trained: numbers of weights.
        parts_gib: memory of one device by what it holds.
        needed_gib, free_gib: their sum with some to spare, and what one device has; None where unknown.
        advice: what to change where it does not fit, and what is good to know.
    """

    examples: int
    longest: int
    steps: int
    tokens: int
    seconds: float | None
    micro_batch_size: int
    device: str
    devices: int
    weights: int
    trained: int
    parts_gib: dict[str, float]
    needed_gib: float
    free_gib: float | None
    advice: tuple[str, ...]

    @property
    def fits(self) -> bool | None:
        return None if self.free_gib is None else self.needed_gib <= self.free_gib

    def told(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "advice": list(self.advice), "fits": self.fits}


def estimated(
    model: Model,
    spec: TrainingSpec,
    tokens: Sequence[int],
    free_gib: float | None = None,
    device: str | None = None,
    total_gib: float | None = None,
) -> TrainingEstimate:
    """What a training will take.

    Args:
        model: who learns; only its configuration is read.
        spec: how.
        tokens: of each example.
        free_gib: memory of one device; None where it is not known.
        device: `cpu`, or a GPU's name such as `NVIDIA H100`; None: this machine's.
        total_gib: memory that one device has when nothing else runs, by which `micro_batch_size: auto` is chosen, so
            that the choice stays the same from run to run; None: `free_gib`.
    """
    sizes = ModelSizes.of(model)
    name = device or device_name()
    on_gpu = name != "cpu"
    longest = max(tokens, default=0)
    spec = with_micro_batch(spec, sizes, longest, total_gib or free_gib, on_gpu=on_gpu)
    parts = memory_parts(sizes, spec, longest, on_gpu=on_gpu)
    needed = sum(parts.values()) * SPARE + (CONTEXT_GIB if on_gpu else 0.0)
    rate = flops_rate(name)
    steps, seen = spec.steps(len(tokens)), sum(tokens) * spec.epochs
    seconds = None
    if rate is not None:
        passes = 2 + (2 if spec.method != "full" else 4) + (2 if spec.gradient_checkpointing else 0)
        attention = sum(2 * size * size * sizes.queries * sizes.layers for size in tokens) * spec.epochs * passes / 2
        work = passes * sizes.weights * seen + attention
        micro = -(-len(tokens) // (spec.micro_batch * spec.launch.processes)) * spec.epochs
        seconds = work / (rate * spec.launch.processes) + micro * sizes.layers * SECONDS_A_LAYER
    return TrainingEstimate(
        examples=len(tokens),
        longest=longest,
        steps=steps,
        tokens=seen,
        seconds=None if seconds is None else round(seconds, 1),
        micro_batch_size=spec.micro_batch,
        device=name,
        devices=spec.launch.processes,
        weights=sizes.weights,
        trained=sizes.trained(spec),
        parts_gib={part: round(size, 4) for part, size in parts.items()},
        needed_gib=round(needed, 4),
        free_gib=None if free_gib is None else round(free_gib, 2),
        advice=tuple(_advice(sizes, spec, longest, needed, free_gib, on_gpu=on_gpu)),
    )


def with_micro_batch(
    spec: TrainingSpec, sizes: ModelSizes, longest: int, memory_gib: float | None, *, on_gpu: bool
) -> TrainingSpec:
    """The spec with its `micro_batch_size: auto` chosen: the largest that the batch can be made of and the memory
    holds, but no more tokens at once than keep a GPU busy; 1 on a CPU and where the memory is not known."""
    if spec.micro_batch_size != "auto":
        return spec
    chosen = 1
    for size in spec.micro_batches:
        tried = spec.model_copy(update={"micro_batch_size": size})
        parts = memory_parts(sizes, tried, longest, on_gpu=on_gpu)
        holds = memory_gib is not None and sum(parts.values()) * SPARE + CONTEXT_GIB <= memory_gib * USED_OF_TOTAL
        if on_gpu and holds and size * longest <= BUSY_TOKENS:
            chosen = size
    return spec.model_copy(update={"micro_batch_size": chosen})


def memory_parts(sizes: ModelSizes, spec: TrainingSpec, longest: int, *, on_gpu: bool) -> dict[str, float]:
    """GiB of one device: `weights`, `trained` (with gradients and Adam's moments), `activations`, `logits`,
    `gathered`."""
    shared = spec.launch.processes if spec.launch.strategy != "ddp" else 1
    width = 2 if spec.bf16 else 4
    trained = sizes.trained(spec)
    linear = sum(out * into for out, into in sizes.linear.values())
    if spec.method == "qlora":
        weights = 0.56 * linear + width * (sizes.weights - linear)  # 4 bits, and the scales of each block
    else:
        weights = float(width * sizes.weights)
    # PEFT trains adapters in fp32: weight, gradient and two moments. Full training: gradient and moments in its dtype.
    extra = 16 * trained if spec.method != "full" else 3 * width * trained
    rows = spec.micro_batch * longest
    layer = rows * sizes.saved_per_token() * width
    if spec.gradient_checkpointing:
        activations = rows * sizes.hidden * width * (sizes.layers + 1) + layer
    else:
        activations = layer * sizes.layers
    scored = min(rows, FUSED_ROWS) if on_gpu else rows
    logits = scored * sizes.vocabulary * 4 * 3
    largest = max((out * into for out, into in sizes.linear.values()), default=0)
    block = linear / max(sizes.layers, 1)
    gathered = 2 * width * max(block, largest) if shared > 1 else 0
    found = {
        "weights": weights / shared,
        "trained": extra / shared,
        "activations": activations,
        "logits": logits,
        "gathered": gathered,
    }
    return {name: size / GIB for name, size in found.items() if size}


def device_name() -> str:
    """What this machine trains on: `cpu`, `mps`, or its GPU's name."""
    import torch

    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name(0))
    return "mps" if torch.backends.mps.is_available() else "cpu"


def free_memory_gib() -> float:
    """What one device of this machine has free."""
    import torch

    if torch.cuda.is_available():
        return float(min(torch.cuda.mem_get_info(one)[0] for one in range(torch.cuda.device_count())) / GIB)
    import psutil

    return float(psutil.virtual_memory().available / GIB)


def total_memory_gib() -> float:
    """What one device of this machine has in all."""
    import torch

    if torch.cuda.is_available():
        return float(min(torch.cuda.mem_get_info(one)[1] for one in range(torch.cuda.device_count())) / GIB)
    import psutil

    return float(psutil.virtual_memory().total / GIB)


def flops_rate(device: str) -> float | None:
    """Operations a second of one device in training; None for one that is not known."""
    if device == "cpu":
        return _matrix_rate() * CPU_SHARE
    known = next((peak for part, peak in PEAKS.items() if part.lower() in device.lower()), None)
    return None if known is None else known * 1e12 * SHARE_OF_PEAK


def _matrix_rate(size: int = 512, seconds: float = 0.05) -> float:
    import torch

    left, right = torch.ones(size, size), torch.ones(size, size)
    torch.mm(left, right)
    began, count = time.perf_counter(), 0
    while (took := time.perf_counter() - began) < seconds:
        torch.mm(left, right)
        count += 1
    return 2 * size**3 * max(count, 1) / max(took, 1e-9)


def described(estimate: TrainingEstimate) -> list[str]:
    """The estimate in a few lines, advice last."""
    took = "unknown" if estimate.seconds is None else f"about {_duration(estimate.seconds)}"
    free = "" if estimate.free_gib is None else f" of {estimate.free_gib:.1f}"
    fits = {True: ", which fits", False: ", which does not fit", None: ""}[estimate.fits]
    return [
        f"{estimate.weights:,} weights, {estimate.trained:,} of them trained; {estimate.examples:,} examples, the "
        f"longest of {estimate.longest:,} tokens",
        f"{estimate.steps:,} steps, {estimate.tokens:,} tokens on {estimate.devices} x {estimate.device}, "
        f"{estimate.micro_batch_size} example(s) at a time on each; time: {took}",
        f"memory of a device: about {estimate.needed_gib:.2f}{free} GiB{fits} ({_parts(estimate.parts_gib)})",
        *estimate.advice,
    ]


def _parts(parts: dict[str, float]) -> str:
    return ", ".join(f"{name} {size:.2f}" for name, size in parts.items())


def _duration(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _advice(
    sizes: ModelSizes, spec: TrainingSpec, longest: int, needed: float, free: float | None, *, on_gpu: bool
) -> list[str]:
    lines = []
    if free is not None and needed > free:
        for change, other in _smaller(spec, on_gpu=on_gpu):
            less = sum(memory_parts(sizes, other, longest, on_gpu=on_gpu).values()) * SPARE + CONTEXT_GIB * on_gpu
            if less < needed:
                fits = ", which fits" if less <= free else ""
                lines.append(f"It does not fit. {change}: about {less:.1f} GiB{fits}")
    if spec.method != "full" and spec.rank > RANKS[-1]:
        lines.append(
            f"vLLM serves adapters up to rank {RANKS[-1]}, and rank is {spec.rank}: lower it, merge the adapter into "
            "its base (kedro export adapter --merged), or answer with the transformers engine."
        )
    if not on_gpu and sizes.weights > 1_000_000_000:  # noqa: PLR2004
        lines.append("A model of this size trains on a GPU; on a CPU a step takes minutes.")
    return lines


def _smaller(spec: TrainingSpec, *, on_gpu: bool) -> list[tuple[str, TrainingSpec]]:
    """Changes that need less memory, each with what it makes of the spec."""
    found: list[tuple[str, dict[str, Any]]] = []
    if spec.micro_batch > 1:
        found.append(("micro_batch_size: 1", {"micro_batch_size": 1}))
    if not spec.gradient_checkpointing:
        found.append(("gradient_checkpointing: true", {"gradient_checkpointing": True}))
    if on_gpu and not spec.bf16:
        found.append(("bf16: true", {"bf16": True}))
    if spec.method == "full":
        found.append(("method: lora", {"method": "lora"}))
    if on_gpu and spec.method == "lora":
        found.append(("method: qlora", {"method": "qlora"}))
    if spec.launch.strategy == "ddp" and spec.launch.processes > 1:
        found.append(("launch.strategy: fsdp", {"launch": spec.launch.model_copy(update={"strategy": "fsdp"})}))
    changes = [(name, spec.model_copy(update=update)) for name, update in found]
    if len(found) > 1:
        everything: dict[str, Any] = {}
        for _, update in found:
            everything.update(update)
        changes.append(("all of these", spec.model_copy(update=everything)))
    return changes
