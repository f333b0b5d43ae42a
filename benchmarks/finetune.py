"""Training speed on this machine's CPU beside TRL's SFTTrainer, with its defaults and at its best; the same examples.

    python benchmarks/finetune.py [--rounds 5] [--chains 32]

Each round trains one epoch of LoRA on a Qwen2 of about a million weights three times in turn: TRL as it comes (bf16,
gradient checkpointing, batches of 8), TRL at its best on a CPU (fp32, no checkpointing, one example at a time, eight
accumulated), and medo1. Only the training is timed. No example is longer than TRL's default of 1,024 tokens, which
would cut it. A table; the last line is JSON: `vs_trl_cpu` and `vs_trl_best_cpu` are medians over the rounds of TRL's
seconds by medo1's.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

RANK, RATE, BATCH, SEED = 16, 1e-4, 8, 11


def texts(count: int) -> list[tuple[str, str]]:
    """Prompts and chains of made-up words: 60 words, and 150 to 500, of which two thirds are learnt."""
    draw = random.Random(SEED)
    words = ["".join(draw.choices("abcdefghijklmnop", k=draw.randint(2, 9))) for _ in range(1500)]

    def said(length: int) -> str:
        return " ".join(draw.choices(words, k=length))

    return [(said(60), said(draw.randint(150, 500))) for _ in range(count)]


def small_model(folder: Path, pairs: list[tuple[str, str]]) -> Path:
    """A Qwen2 of about a million random weights, with a tokenizer of the texts."""
    from medo1.from_scratch.scratch_training import ModelSpec, deterministic, new_model, saved
    from medo1.from_scratch.tokenizers import text_tokenizer

    tokenizer = text_tokenizer([" ".join(pair) for pair in pairs], 4096)
    with deterministic(SEED, 1):
        model = new_model(ModelSpec(hidden=128, layers=4, heads=4, feed_forward=344, positions=2048), tokenizer)
    saved(model, tokenizer, folder)
    return folder


def medo1_trainer(model: Path, pairs: list[tuple[str, str]], folder: Path) -> Any:
    from medo1.engines.base import Model
    from medo1.training.examples import TrainingExample
    from medo1.training.job import TrainingJob
    from medo1.training.spec import TrainingSpec
    from medo1.training.trainer import sft_trainer

    examples = tuple(TrainingExample(f"{n:016x}", 0, prompt, chain, 0, 0) for n, (prompt, chain) in enumerate(pairs))
    spec = TrainingSpec(
        learning_rate=RATE, batch_size=BATCH, epochs=1, rank=RANK, warmup_ratio=0, schedule="linear",
        train_after_stop=True, threads=1,
    )  # fmt: skip
    return sft_trainer(TrainingJob(examples, Model("small", model, "1"), spec, SEED), folder)


def trl_trainer(model: Path, pairs: list[tuple[str, str]], folder: Path, **options: Any) -> Any:
    import torch
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
    from trl import SFTConfig, SFTTrainer

    from datasets import Dataset

    set_seed(SEED)
    torch.set_num_threads(1)
    rows = [
        {"prompt": [{"role": "user", "content": prompt}], "completion": [{"role": "assistant", "content": chain}]}
        for prompt, chain in pairs
    ]
    return SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
        args=SFTConfig(
            output_dir=str(folder), num_train_epochs=1, learning_rate=RATE, seed=SEED, data_seed=SEED, use_cpu=True,
            report_to=[], save_strategy="no", disable_tqdm=True, **options,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(model),
        peft_config=LoraConfig(r=RANK, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
    )  # fmt: skip


DEFAULTS: dict[str, Any] = {"per_device_train_batch_size": BATCH}
BEST: dict[str, Any] = {
    "per_device_train_batch_size": 1, "gradient_accumulation_steps": BATCH, "bf16": False,
    "gradient_checkpointing": False, "max_length": None,
}  # fmt: skip


def weights_of(trainer: Any) -> dict[str, Any]:
    return {name: one.detach().clone() for name, one in trainer.model.named_parameters() if one.requires_grad}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--chains", type=int, default=32)
    chosen = parser.parse_args()
    logging.disable(logging.WARNING)
    pairs = texts(chosen.chains)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = small_model(folder / "model", pairs)
        makers: dict[str, Callable[[], Any]] = {
            "TRL as it comes": lambda: trl_trainer(model, pairs, folder / "defaults", **DEFAULTS),
            "TRL at its best": lambda: trl_trainer(model, pairs, folder / "best", **BEST),
            "medo1": lambda: medo1_trainer(model, pairs, folder / "medo1"),
        }
        took: dict[str, list[float]] = {who: [] for who in makers}
        weights, tokens = {}, 0
        for place in range(chosen.rounds + 1):  # the first round warms up
            for who, make in makers.items():
                trainer = make()
                began = time.perf_counter()
                trainer.train()
                if place:
                    took[who].append(time.perf_counter() - began)
                weights[who] = weights_of(trainer)
                tokens = getattr(trainer, "seen_tokens", tokens)
    difference = max(
        float((one - weights["TRL at its best"][name]).abs().max()) for name, one in weights["medo1"].items()
    )
    ratios = {who: [other / own for other, own in zip(took[who], took["medo1"], strict=True)] for who in took}
    print(
        f"{'':<18}{'tokens/s':>10}{'ratio to medo1':>17}{'lowest':>9}{'highest':>9}   medians of {chosen.rounds} rounds"
    )
    for who, seconds in took.items():
        ratio = ratios[who]
        print(
            f"{who:<18}{tokens / statistics.median(seconds):>10,.0f}{statistics.median(ratio):>17.2f}"
            f"{min(ratio):>9.2f}{max(ratio):>9.2f}"
        )
    print(f"{tokens:,} tokens; largest difference of a weight between medo1 and TRL at its best: {difference:.1e}")
    print(
        json.dumps(
            {
                "vs_trl_cpu": round(statistics.median(ratios["TRL as it comes"]), 2),
                "vs_trl_best_cpu": round(statistics.median(ratios["TRL at its best"]), 2),
                "weight_difference": difference,
            }
        )
    )


if __name__ == "__main__":
    main()
