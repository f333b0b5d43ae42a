"""What only a GPU can show, in at most eight minutes: LoRA steps, memory beside the estimate, decoding; QLoRA, packing
with flash attention, ZeRO-3 and FSDP, each where what it needs is there. Not tried on such hardware.

    python benchmarks/gpu.py [--minutes 8]
    python benchmarks/gpu.py --small      # the same on tiny shapes and on a CPU, to see that the script runs

LoRA steps on random Qwen2 shapes of 0.5B and 7B at 2,048 tokens in bf16: tokens/s, the share of 790 TFLOP/s
(operations of the model alone: 4 a weight and token, 6 with gradient checkpointing), medo1's settings beside TRL's own
trainer with the same (batch 8, no checkpointing where it fits, fused head), and the memory that was needed beside the
estimate. Then decoding on the 0.5B shape, with the local engine and with vLLM. Then medo1's whole path from examples to
a checked adapter, on the 0.5B shape: QLoRA (bitsandbytes), packing (flash-attn), ZeRO-3 (deepspeed) and FSDP (several
GPUs), all weights. What does not fit into the time left, or lacks its package, is left out and named. The last line is
JSON.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from _absent import not_here

PEAK = 790e12  # dense bf16 operations a second that an H200 reaches in a product of large matrices
SHAPES: dict[str, dict[str, int]] = {
    "0.5B": {
        "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14,
        "num_key_value_heads": 2, "vocab_size": 151936,
    },
    "7B": {
        "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28,
        "num_key_value_heads": 4, "vocab_size": 152064,
    },
}  # fmt: skip
TINY = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 2, "vocab_size": 512,
}  # fmt: skip


class Clock:
    """How long is left."""

    def __init__(self, minutes: float) -> None:
        self._end = time.monotonic() + 60 * minutes
        self.left_out: list[str] = []

    def has(self, seconds: float, what: str) -> bool:
        """Whether so many seconds are left; what does not fit is noted."""
        if self._end - time.monotonic() >= seconds:
            return True
        self.left_out.append(what)
        return False


def config_of(shape: dict[str, int], length: int) -> Any:
    from transformers import Qwen2Config

    config = Qwen2Config(**shape, max_position_embeddings=2 * length, tie_word_embeddings=shape["hidden_size"] < 1000)
    config.architectures = ["Qwen2ForCausalLM"]
    return config


def random_model(config: Any, device: str) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device(device):
        return AutoModelForCausalLM.from_config(config, dtype=torch.float32 if device == "cpu" else torch.bfloat16)


def lora_run(config: Any, device: str, length: int, steps: int, own: bool, checkpointing: bool) -> dict[str, float]:
    """Seconds a step and the most memory of a short training; `own` says with medo1's trainer or with TRL's."""
    import torch
    from peft import LoraConfig
    from trl import SFTTrainer

    from datasets import Dataset
    from medo1.training.completion_loss import trainer_class
    from medo1.training.spec import TrainingSpec
    from medo1.training.trainer import sft_arguments

    spec = TrainingSpec(
        batch_size=8, micro_batch_size=2, epochs=1, bf16=device != "cpu", gradient_checkpointing=checkpointing
    )
    draw = torch.Generator().manual_seed(11)
    ids = torch.randint(10, config.vocab_size, (8 * steps, length), generator=draw).tolist()
    rows = [{"input_ids": row, "labels": [-100] * (length // 4) + row[length // 4 :]} for row in ids]
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats()
    times: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        arguments = sft_arguments(spec, steps, 11, Path(folder))
        trainer = (trainer_class("all") if own else SFTTrainer)(
            model=random_model(config, device), args=arguments, train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer(Path(folder)),
            peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
        )  # fmt: skip
        trainer.add_callback(timed(times, device))
        trainer.train()
    memory = 0.0 if device == "cpu" else torch.cuda.max_memory_allocated() / (1 << 30)
    weights = sum(one.numel() for one in trainer.model.parameters())
    del trainer
    gc.collect()
    if device != "cpu":
        torch.cuda.empty_cache()
    return {"step_s": statistics.median(times[1:]), "tokens": 8 * length, "weights": weights, "memory_gib": memory}


def timed(times: list[float], device: str) -> Any:
    import torch
    from transformers import TrainerCallback

    class Timed(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.began = self._now()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            times.append(self._now() - self.began)

        @staticmethod
        def _now() -> float:
            if device != "cpu":
                torch.cuda.synchronize()
            return time.perf_counter()

    return Timed()


def tokenizer(folder: Path) -> Any:
    from medo1.from_scratch.tokenizers import text_tokenizer

    return text_tokenizer(["some words to have a tokenizer at all"] * 4, 300)


def training(name: str, shape: dict[str, int], device: str, length: int, steps: int) -> dict[str, float]:
    """One shape: medo1 and TRL in turn, and the estimate of the memory."""
    from medo1.engines.base import Model
    from medo1.training.estimate import estimated
    from medo1.training.spec import TrainingSpec

    config = config_of(shape, length)
    checkpointing = name == "7B"
    own = lora_run(config, device, length, steps, own=True, checkpointing=checkpointing)
    trl = lora_run(config, device, length, steps, own=False, checkpointing=checkpointing)
    with tempfile.TemporaryDirectory() as folder:
        config.save_pretrained(folder)
        spec = TrainingSpec(
            batch_size=8, micro_batch_size=2, bf16=device != "cpu", gradient_checkpointing=checkpointing
        )
        told = estimated(
            Model(name, Path(folder), "1"), spec, [length] * 8, device="H200" if device != "cpu" else "cpu"
        )
    passes = 6 if checkpointing else 4
    share = passes * own["weights"] * own["tokens"] / own["step_s"] / PEAK
    print(
        f"{name:<6}{own['tokens'] / own['step_s']:>12,.0f} tokens/s  {share:>7.1%} of 790 TFLOP/s  "
        f"{trl['step_s'] / own['step_s']:>6.2f} times TRL  {own['memory_gib']:>6.1f} GiB (estimate "
        f"{told.needed_gib:.1f})"
    )
    return {
        "tokens_per_s": own["tokens"] / own["step_s"], "peak_fraction": share, "vs_trl": trl["step_s"] / own["step_s"],
        "memory_gib": own["memory_gib"], "memory_estimate_gib": told.needed_gib,
    }  # fmt: skip


def saved_model(shape: dict[str, int], folder: Path, context: int) -> Path:
    """A random model of the shape with a tokenizer, as a directory."""
    words = tokenizer(folder)
    config = config_of({**shape, "vocab_size": max(len(words), shape["vocab_size"])}, context)
    config.eos_token_id, config.pad_token_id = words.eos_token_id, words.pad_token_id
    random_model(config, "cpu").save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def path(name: str, shape: dict[str, int], length: int, **changes: Any) -> dict[str, float]:
    """medo1's own path on a saved model: examples, training in as many processes as asked, an adapter that was checked.

    Returns: tokens/s of the median step, and the loss of the last one.
    """
    from medo1.engines.base import Model
    from medo1.training.examples import ChainText, prepared
    from medo1.training.job import TrainingJob
    from medo1.training.run import train
    from medo1.training.spec import TrainingSpec
    from medo1.training.templates import chat_template_of

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        model = Model(name, saved_model(shape, folder / "model", length), "1")
        spec = TrainingSpec.model_validate({"batch_size": 8, "epochs": 1, "max_tokens": 2 * length, **changes})
        words = "to have a tokenizer at all some words " * (length // 32)
        chains = [ChainText(f"{n:016x}", 0, f"some words {n}", words, {}) for n in range(32)]
        examples = prepared(chains, chat_template_of(model, {}), spec, 2 * length).examples
        (folder / "adapter").mkdir()
        done = train(TrainingJob(tuple(examples), model, spec, 11, name), folder / "adapter", folder / "checkpoints")
    rate = statistics.median(row["tokens_per_s"] for row in done.timing[1:])
    loss = [row["loss"] for row in done.log if row["loss"] is not None][-1]
    print(f"{name:<28}{rate:>12,.0f} tokens/s  last loss {loss:.3f}")
    return {"tokens_per_s": rate, "last_loss": loss}


def whole_paths(shape: dict[str, int], length: int, small: bool, clock: Clock) -> dict[str, Callable[[], Any]]:
    """What of the whole path this machine can run; the rest is noted."""
    import torch

    devices = 2 if small else torch.cuda.device_count()
    on_gpu: dict[str, Any] = {"bf16": not small, "micro_batch_size": 1}
    wanted: dict[str, tuple[str | None, dict[str, Any]]] = {
        "qlora": ("bitsandbytes", {"method": "qlora"}),
        "packing": ("flash_attn", {"packing": True}),
        "full": (None, {"method": "full", "gradient_checkpointing": True}),
        "fsdp": (None, {"launch": {"processes": devices, "strategy": "fsdp"}, "batch_size": 8 * devices}),
        "zero3": ("deepspeed", {"launch": {"processes": devices, "strategy": "zero3"}, "batch_size": 8 * devices}),
    }
    found: dict[str, Callable[[], Any]] = {}
    for name, (package, changes) in wanted.items():
        if package and (small or find_spec(package) is None):
            clock.left_out.append(f"{name}: needs {'a GPU and ' if small else ''}{package}")
        elif "launch" in changes and devices < 2:
            clock.left_out.append(f"{name}: needs several GPUs")
        else:
            found[name] = lambda n=name, c=changes: path(n, shape, length, **{**on_gpu, **c})
    return found


def decoding(shape: dict[str, int], device: str, prompts: int, tokens: int, vllm: bool = False) -> float:
    """Tokens/s of the local engine, or of vLLM, on a random model of the shape."""
    from medo1.engines import VLLM, Transformers
    from medo1.engines.base import Message, Model, Request, Sampling

    with tempfile.TemporaryDirectory() as name:
        folder = saved_model(shape, Path(name), 2048)
        requests = [
            Request(str(n), (Message("user", f"some words {n}"),), Sampling(0.7, max_new_tokens=tokens), seed=n)
            for n in range(prompts)
        ]
        kind = "float32" if device == "cpu" else "bfloat16"
        served = VLLM(dtype=kind, context=2048) if vllm else Transformers(dtype=kind, device=device)
        with served as engine:
            serving = engine.with_model(Model("random", folder, "1"))
            list(serving.complete(requests[:2]))
            began = time.perf_counter()
            done = list(serving.complete(requests))
            rate = sum(one.completion_tokens or 0 for one in done) / (time.perf_counter() - began)
    print(f"decoding {rate:>12,.0f} tokens/s ({prompts} rows, {'vLLM' if vllm else 'local engine'})")
    return rate


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--small", action="store_true", help="tiny shapes on the CPU")
    chosen = parser.parse_args()
    if not chosen.small and not torch.cuda.is_available():
        not_here("There is no GPU here (CUDA). --small runs the same on tiny shapes on the CPU.")
    device = "cpu" if chosen.small else "cuda"
    clock, found = Clock(chosen.minutes), {}
    found["device"] = platform.processor() or "cpu" if chosen.small else torch.cuda.get_device_name(0)
    found["at"] = datetime.now(UTC).isoformat(timespec="minutes")
    print(f"{found['device']}, torch {torch.__version__}, {found['at']}")
    length, steps = (64, 4) if chosen.small else (2048, 8)
    shapes = {"tiny": TINY} if chosen.small else SHAPES
    served, rows, answer = (TINY, 4, 16) if chosen.small else (SHAPES["0.5B"], 128, 256)
    parts: list[tuple[str, float, Callable[[], Any]]] = []
    for name, shape in shapes.items():
        needed = 150.0 if name == "7B" else 60.0
        parts.append((f"lora_{name}", needed, lambda n=name, s=shape: training(n, s, device, length, steps)))
    parts.append(("decoding_tokens_per_s", 90.0, lambda: decoding(served, device, rows, answer)))
    if find_spec("vllm") is None or chosen.small:
        clock.left_out.append("decoding_vllm_tokens_per_s: needs a GPU and vllm")
    else:
        parts.append(("decoding_vllm_tokens_per_s", 120.0, lambda: decoding(served, device, 4 * rows, answer, True)))
    for name, part in whole_paths(served, length // 2, chosen.small, clock).items():
        parts.append((f"path_{name}", 60.0, part))
    for name, seconds, part in parts:
        if clock.has(seconds if not chosen.small else 0.0, name):
            try:
                found[name] = part()
            except (RuntimeError, ValueError, MemoryError) as error:
                found[name] = f"failed: {' '.join(str(error).split())[:200]}"
                print(f"{name} {found[name]}")
    trained = [one for one in found.values() if isinstance(one, dict) and "vs_trl" in one]
    if trained:
        found["vs_trl_gpu"] = round(statistics.median(one["vs_trl"] for one in trained), 2)
        found["peak_fraction_gpu"] = round(max(one["peak_fraction"] for one in trained), 3)
    print(json.dumps({**found, "left_out": clock.left_out}))


if __name__ == "__main__":
    main()
