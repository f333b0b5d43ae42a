"""TRL's trainer as medo1 sets it up. Values come from the spec; device-dependent choices are made here.

The traps that cost others their results are closed: no truncation, the loss where `templates` says, padding that is not
a stop token, fp32 by default, one seed, the exact effective batch size.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from medo1.errors import UserError
from medo1.progress_bars import silence_library_bars
from medo1.training.adapters import refuse_missing_targets
from medo1.training.completion_loss import filler_count, trainer_class
from medo1.training.examples import TrainingExample
from medo1.training.job import TrainingJob
from medo1.training.spec import TrainingSpec
from medo1.training.templates import IGNORED, ChatTemplate, source_of, stop_tokens_of, tokenizer_of

Device = Literal["cuda", "mps", "cpu"]


def device_kind() -> Device:
    """What this process trains on."""
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def sft_trainer(job: TrainingJob, working: Path) -> Any:
    """The trainer of a job, ready to train.

    Args:
        job: what is trained.
        working: where its checkpoints go.

    Raises:
        UserError: the model, its template or this machine does not fit the job.
    """
    import torch
    from transformers import set_seed

    from datasets import Dataset, disable_progress_bars

    silence_library_bars()
    disable_progress_bars()
    spec = job.spec
    device = device_kind()
    refuse_unfit(spec, device)
    set_seed(job.seed)
    if spec.threads is not None:
        torch.set_num_threads(spec.threads)
    tokenizer = tokenizer_of(job.model)
    template = ChatTemplate(
        tokenizer, stop_tokens_of(job.model, tokenizer), spec.chat_template_kwargs, name=job.model.name
    )
    tokenizer.pad_token = template.pad_token
    arguments = sft_arguments(spec, spec.steps(len(job.examples)), job.seed, working)
    if device == "cpu" and spec.launch.processes > 1 and spec.launch.strategy == "fsdp":
        _share_out_on_cpus()
    if spec.launch.processes == 1:
        arguments._n_gpu = min(arguments.n_gpu, 1)  # Trainer would share each batch out over all GPUs that it sees
    rows = _rows(job.examples, template, spec)
    fillers = 0
    if spec.launch.processes > 1 and not spec.packing:
        fillers = filler_count(len(rows), spec.micro_batch * spec.launch.processes)
    rows += [{"input_ids": [template.pad_id] * 2, "labels": [IGNORED] * 2}] * fillers
    if spec.method != "full":
        refuse_missing_targets(job.model, spec.target_modules)
    trainer = trainer_class(_positions(spec, device))(
        model=_base(job, device),
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        eval_dataset=Dataset.from_list(_rows(job.dev, template, spec)) if job.dev else None,
        processing_class=tokenizer,
        peft_config=None if spec.method == "full" else _lora(spec),
    )
    trainer.chat, trainer.fillers = template, fillers
    return trainer


def sft_arguments(spec: TrainingSpec, steps: int, seed: int, working: Path) -> Any:
    """TRL's arguments for a spec on this machine; `steps` are the optimizer steps of the whole training."""
    from trl import SFTConfig

    device = device_kind()
    return SFTConfig(
        output_dir=str(working),
        num_train_epochs=spec.epochs,
        per_device_train_batch_size=spec.micro_batch,
        per_device_eval_batch_size=spec.micro_batch,
        gradient_accumulation_steps=spec.accumulation,
        learning_rate=spec.learning_rate,
        lr_scheduler_type=spec.schedule,
        warmup_steps=round(spec.warmup_ratio * steps),
        max_length=spec.max_tokens if spec.packing else None,
        packing=spec.packing,
        packing_strategy="bfd_split",
        eval_packing=False,
        gradient_checkpointing=spec.gradient_checkpointing,
        bf16=spec.bf16,
        fp16=False,
        use_cpu=device == "cpu",
        seed=seed,
        data_seed=seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",
        eval_strategy="no",
        prediction_loss_only=True,
        report_to=[],
        dataloader_pin_memory=device == "cuda",
        disable_tqdm=True,
        ddp_find_unused_parameters=False if spec.launch.processes > 1 else None,
        **_sharding(spec),
    )


def refuse_unfit(spec: TrainingSpec, device: Device) -> None:
    """An error for what this machine cannot do.

    Raises:
        UserError: naming what is missing and what to set instead.
    """
    if spec.method == "qlora" and (device != "cuda" or find_spec("bitsandbytes") is None):
        missing = "a GPU (CUDA)" if device != "cuda" else "the package bitsandbytes (pip install 'medo1[qlora]')"
        raise UserError(f"method: qlora needs {missing}. Set method: lora, which needs neither.")
    if spec.packing and (device != "cuda" or find_spec("flash_attn") is None):
        missing = "a GPU (CUDA)" if device != "cuda" else "flash attention (the package flash-attn)"
        raise UserError(
            f"packing needs {missing}: without it packed examples would read each other. Set packing: false."
        )
    if spec.launch.strategy == "zero3" and (device != "cuda" or find_spec("deepspeed") is None):
        missing = "GPUs (CUDA)" if device != "cuda" else "the package deepspeed (pip install 'medo1[deepspeed]')"
        raise UserError(f"launch.strategy: zero3 needs {missing}. Set strategy: fsdp, which shares the model out too.")
    if device == "cuda":
        import torch

        if torch.cuda.device_count() < spec.launch.processes:
            raise UserError(
                f"launch.processes is {spec.launch.processes}, and this machine has {torch.cuda.device_count()} "
                "GPU(s). Set it to the number of GPUs, and batch_size to a multiple of that."
            )
    if spec.bf16 and device == "cpu" and sys.platform == "darwin":
        raise UserError("bf16 on this processor is not supported. Set bf16: false.")


def served_with(template: ChatTemplate) -> dict[str, Any]:
    """How an adapter is asked, for the file beside it."""
    told = template.described()
    names = ("chat_template_kwargs", "template_sha256", "stop_tokens", "trained_stop_token")
    return {name: told[name] for name in names}


def _rows(examples: Sequence[TrainingExample], template: ChatTemplate, spec: TrainingSpec) -> list[dict[str, Any]]:
    rows = []
    for example in examples:
        tokens = template.tokenized(example.prompt, example.completion)
        ids, labels = tokens.ids, tokens.labels(spec.train_after_stop)
        if not spec.train_after_stop and tokens.rest:
            ids, labels = ids[: -len(tokens.rest)], labels[: -len(tokens.rest)]
        rows.append({"input_ids": ids, "labels": labels})
    return rows


def _positions(spec: TrainingSpec, device: Device) -> Literal["completion", "all"]:
    if spec.loss_positions != "auto":
        return spec.loss_positions
    return "completion" if device == "cpu" else "all"


def _base(job: TrainingJob, device: Device) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    source, revision = source_of(job.model)
    options: dict[str, Any] = {"dtype": torch.bfloat16 if job.spec.bf16 else torch.float32}
    if job.spec.method == "qlora":
        from transformers import BitsAndBytesConfig

        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=options["dtype"],
        )
        options["device_map"] = {"": int(os.environ.get("LOCAL_RANK", "0")) if device == "cuda" else device}
    if job.spec.packing:
        options["attn_implementation"] = "flash_attention_2"
    try:
        return AutoModelForCausalLM.from_pretrained(
            source, revision=revision, trust_remote_code=False, use_safetensors=True, **options
        )
    except (OSError, ValueError) as error:
        raise UserError(
            f"The model {source} cannot be loaded: {' '.join(str(error).split())[:300]}. Give a directory with "
            "config.json and safetensors, or a hub id that is in the cache or can be downloaded."
        ) from error


def _lora(spec: TrainingSpec) -> Any:
    from peft import LoraConfig

    targets = spec.target_modules
    return LoraConfig(
        r=spec.rank,
        lora_alpha=spec.alpha,
        lora_dropout=spec.dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        task_type="CAUSAL_LM",
    )


def _share_out_on_cpus() -> None:
    """Have accelerate share the model out over CPU processes.

    It does so for accelerators only, and without a word keeps all of it in each CPU process.
    """
    from accelerate import PartialState
    from accelerate.utils import DistributedType

    PartialState._shared_state["distributed_type"] = DistributedType.MULTI_XPU


def _sharding(spec: TrainingSpec) -> dict[str, Any]:
    """How the model is shared out over devices."""
    if spec.launch.processes == 1:
        return {}
    if spec.launch.strategy == "fsdp":
        return {
            "fsdp": True,
            "fsdp_config": {
                "version": 2,
                "reshard_after_forward": True,
                "auto_wrap_policy": "TRANSFORMER_BASED_WRAP",
                "state_dict_type": "FULL_STATE_DICT",
                "cpu_ram_efficient_loading": False,
            },
        }
    if spec.launch.strategy == "zero3":
        return {
            "deepspeed": {
                "zero_optimization": {
                    "stage": 3,
                    "overlap_comm": True,
                    "contiguous_gradients": True,
                    "stage3_gather_16bit_weights_on_model_save": True,
                },
                "bf16": {"enabled": spec.bf16},
                "gradient_accumulation_steps": spec.accumulation,
                "train_micro_batch_size_per_gpu": spec.micro_batch,
                "train_batch_size": spec.batch_size,
                "gradient_clipping": 1.0,
            }
        }
    return {}
