"""LoRA with TRL and PEFT.

The traps that cost others their results are closed here: no truncation, loss on the assistant's tokens only, fp32
unless asked, one seed, an adapter configuration in a fixed order and without a path of this machine, so that equal
runs give equal bytes.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.engines.base import Model
from medo1.errors import UserError
from medo1.pipelines.finetune.completion_loss import completion_trainer_class
from medo1.pipelines.finetune.params import FinetuneParams
from medo1.pipelines.finetune.training_examples import TrainingExample
from medo1.progress_bars import StepProgress, silence_library_bars

if TYPE_CHECKING:
    from trl import SFTTrainer


def train_lora(
    examples: Sequence[TrainingExample],
    model: Model,
    params: FinetuneParams,
    seed: int,
    output: Path,
    what: str = "LoRA",
) -> list[dict[str, Any]]:
    """Train an adapter and write it to the directory `output` (`adapter_config.json`, `adapter_model.safetensors`).

    Args:
        examples: what is learnt; each fits `params.max_tokens`.
        model: the base model; its weights stay as they are.
        params: how to train.
        seed: of the adapter's first weights and of the order of examples.
        output: an empty directory.
        what: what is trained, for the progress shown.

    Returns:
        One row a logged step: step, epoch, loss, learning_rate.

    Raises:
        UserError: when there is no example.
    """
    if not examples:
        raise UserError("There is no example to train on: every chain was dropped. The filter_summary says why.")
    from transformers import PrinterCallback

    trainer = sft_trainer(examples, model, params, seed, output)
    with StepProgress(optimizer_steps(len(examples), params), f"{what} training steps") as progress:
        trainer.remove_callback(PrinterCallback)
        trainer.add_callback(_reporting_to(progress))
        trainer.train()
    trainer.model.save_pretrained(str(output), safe_serialization=True)
    _make_reproducible(output, model)
    return [
        {name: entry.get(name) for name in ("step", "epoch", "loss", "learning_rate")}
        for entry in trainer.state.log_history
        if "loss" in entry
    ]


def sft_trainer(
    examples: Sequence[TrainingExample], model: Model, params: FinetuneParams, seed: int, output: Path
) -> SFTTrainer:
    """TRL's trainer, set up as `train_lora` uses it."""
    import torch
    from accelerate import PartialState
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
    from trl import SFTConfig, SFTTrainer

    trainer_class = completion_trainer_class() if params.loss_positions == "completion" else SFTTrainer
    from datasets import Dataset

    silence_library_bars()
    set_seed(seed)
    if params.threads is not None:
        torch.set_num_threads(params.threads)
    source = str(model.path or model.name)
    revision = None if model.path else model.revision
    tokenizer = AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=False)
    base = AutoModelForCausalLM.from_pretrained(
        source,
        revision=revision,
        trust_remote_code=False,
        use_safetensors=True,
        dtype=torch.bfloat16 if params.bf16 else torch.float32,
    )
    devices = max(1, torch.cuda.device_count()) if PartialState().num_processes == 1 else PartialState().num_processes
    steps = optimizer_steps(len(examples), params)
    arguments = SFTConfig(
        output_dir=str(output / "_trainer"),
        num_train_epochs=params.epochs,
        per_device_train_batch_size=params.micro_batch_size,
        gradient_accumulation_steps=params.accumulation(devices),
        learning_rate=params.learning_rate,
        lr_scheduler_type=params.schedule,
        warmup_steps=round(params.warmup_ratio * steps),
        max_length=None,
        completion_only_loss=True,
        packing=False,
        gradient_checkpointing=params.gradient_checkpointing,
        bf16=params.bf16,
        fp16=False,
        use_cpu=not torch.cuda.is_available(),
        seed=seed,
        data_seed=seed,
        logging_steps=max(1, steps // 50),
        save_strategy="no",
        report_to=[],
        dataloader_pin_memory=False,
        disable_tqdm=True,
    )
    targets = params.target_modules
    return trainer_class(
        model=base,
        args=arguments,
        train_dataset=Dataset.from_list([_conversation(example) for example in examples]),
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=params.rank,
            lora_alpha=params.alpha,
            lora_dropout=params.dropout,
            target_modules=targets if isinstance(targets, str) else list(targets),
            task_type="CAUSAL_LM",
        ),
    )


def optimizer_steps(examples: int, params: FinetuneParams) -> int:
    """Optimizer steps of a whole training; the last one of a pass takes what is left."""
    return math.ceil(examples / params.batch_size) * params.epochs


def _reporting_to(progress: StepProgress) -> Any:
    from transformers import TrainerCallback

    class Reporter(TrainerCallback):
        """Tells the progress of each step, with the latest loss."""

        loss = ""

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs:
                self.loss = f"loss {float(logs['loss']):.4f}"

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            progress.advance(self.loss)

    return Reporter()


def _conversation(example: TrainingExample) -> dict[str, Any]:
    return {
        "prompt": [{"role": "user", "content": example.prompt}],
        "completion": [{"role": "assistant", "content": example.completion}],
    }


def _make_reproducible(output: Path, model: Model) -> None:
    """PEFT writes modules in the order of a set, and the base's path on this machine: sort the one, name the other."""
    path = output / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config = {key: sorted(value) if isinstance(value, list) else value for key, value in config.items()}
    config["base_model_name_or_path"] = model.name
    config["revision"] = model.revision
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for leftover in list(output.iterdir()):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        elif leftover.name not in {"adapter_config.json", "adapter_model.safetensors"}:
            leftover.unlink()
