"""One training from its job to a directory: in this process, or in several that are started for it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medo1.engines.base_mark import KEY, mark_of
from medo1.errors import UserError
from medo1.progress_bars import ON_SCREEN, StepProgress
from medo1.training.adapters import check_adapter, finish_adapter, linear_shapes
from medo1.training.checkpoints import Checkpoints, step_of
from medo1.training.job import TrainingJob

logger = logging.getLogger(__name__)

LOG = ("step", "epoch", "loss", "learning_rate", "grad_norm", "eval_loss", "eval_accuracy", "eval_unfinished")
_FULL = re.compile(r"not enough memory|out of memory|can.t allocate|cannot allocate", re.IGNORECASE)
TERMINATED = 143  # the exit status of a process that ends itself at SIGTERM, by custom


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training came to.

    Attributes:
        log: a row a step: epoch, loss, learning rate, norm of the gradient; and a row an evaluation.
        timing: seconds, tokens and tokens/s of each step, whichever run made it.
        best_step: whose weights were kept; None where the last step's were.
    """

    log: list[dict[str, Any]]
    timing: list[dict[str, Any]]
    best_step: int | None = None


def train(job: TrainingJob, output: Path, checkpoints: Path) -> Trained:
    """Train and write what came out to the empty directory `output`.

    A training that was killed resumes from its last complete checkpoint, to the same bytes on a CPU. Checkpoints stay
    until `Checkpoints(checkpoints, job.key).remove()`: until what they led to is saved.

    Args:
        job: what is trained.
        output: for `adapter_config.json`, `adapter_model.safetensors` and `medo1_adapter.json`; for `method: full`, for
            a model's files.
        checkpoints: a folder of all trainings' checkpoints.

    Raises:
        UserError: nothing to train on, a model or machine that does not fit, no memory, a loss that is no number.
        SystemExit: the process was told to leave (SIGTERM), after saving a checkpoint.
    """
    if not job.examples:
        raise UserError("There is no example to train on: every chain was dropped. The filter_summary says why.")
    kept = Checkpoints(checkpoints, job.key)
    with kept.held():
        if job.spec.launch.processes > 1:
            from medo1.training.launch import launched

            _tell_of_resuming(job, kept.latest(job.spec.launch.processes))
            return launched(job, output, kept)
        with StepProgress(job.spec.steps(len(job.examples)), f"{job.what} training steps") as meter:
            return train_here(job, output, kept, lambda _, loss: meter.advance(loss))


def train_here(job: TrainingJob, output: Path, kept: Checkpoints, told: Callable[[int, str], None]) -> Trained:
    """As `train`, in this process, alone or as one of several.

    Args:
        job: what is trained.
        output: where the first process writes.
        kept: its checkpoints.
        told: called after each step with its number and the loss.
    """
    from transformers import PrinterCallback

    from medo1.training import callbacks
    from medo1.training.trainer import served_with, sft_trainer

    processes = job.spec.launch.processes
    with _memory_told(job):
        trainer = sft_trainer(job, kept.folder)
        trainer.remove_callback(PrinterCallback)
        times = callbacks.StepTimes()
        saving = callbacks.Saving(kept, job.spec.checkpoint_minutes)
        development = callbacks.Development(job, kept.folder) if job.dev else None
        for callback in (callbacks.Finite(kept, processes), callbacks.Progress(told), times, saving, development):
            if callback is not None:
                trainer.add_callback(callback)
        times.trainer = trainer
        if development is not None:
            development.trainer = trainer
        checkpoint = kept.latest(processes)
        if checkpoint is not None:
            times.resume(checkpoint)
            if processes == 1:
                _tell_of_resuming(job, checkpoint)
            for step in range(1, step_of(checkpoint) + 1):
                told(step, "")
        with saving:
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        if job.spec.launch.strategy == "fsdp" and processes > 1 and not _is_sharded(trainer):
            raise UserError("launch.strategy is fsdp, and the model was not shared out: every process held all of it.")
        if saving.left:
            logger.warning(
                "%s: stopped by a signal; saved at step %d. The same command resumes from there.",
                job.what,
                trainer.state.global_step,
            )
            raise SystemExit(TERMINATED)
        best = _save(job, trainer, development, output)
    if trainer.args.process_index == 0 and job.spec.method != "full":
        finish_adapter(output, job.model, {**served_with(trainer.chat), KEY: mark_of(job.model)})
        check_adapter(output, linear_shapes(job.model))
    log = [{name: entry.get(name) for name in LOG} for entry in trainer.state.log_history if _is_step(entry)]
    return Trained(log, times.rows, best)


def _tell_of_resuming(job: TrainingJob, checkpoint: Path | None) -> None:
    if checkpoint is not None:
        message = "%s: training resumes from step %d (%s)"
        logger.info(message, job.what, step_of(checkpoint), checkpoint, extra=ON_SCREEN)


def _save(job: TrainingJob, trainer: Any, development: Any, output: Path) -> int | None:
    """Write the weights of the best evaluation, or of the last step, gathered from all processes."""
    from peft import get_peft_model_state_dict

    from medo1.training.callbacks import trained_weights

    weights = development.best_weights() if development is not None else None
    best = development.best_step() if weights is not None else None
    if weights is None:
        weights = trained_weights(trainer)
    if trainer.args.process_index != 0:
        return best
    model = trainer.accelerator.unwrap_model(trainer.model)
    if job.spec.method == "full":
        model.save_pretrained(str(output), state_dict=_tied_too(model, weights), safe_serialization=True)
        trainer.processing_class.save_pretrained(str(output))
        return best
    state = get_peft_model_state_dict(model, state_dict=weights)
    model.peft_config["default"].save_pretrained(str(output))
    from safetensors.torch import save_file

    save_file(
        {name: tensor.contiguous() for name, tensor in state.items()},
        output / "adapter_model.safetensors",
        {"format": "pt"},
    )
    return best


def _is_sharded(trainer: Any) -> bool:
    from torch.distributed.tensor import DTensor

    return any(isinstance(parameter, DTensor) for parameter in trainer.model_wrapped.parameters())


def _tied_too(model: Any, weights: dict[str, Any]) -> dict[str, Any]:
    """All of a model's weights: the trained ones, and those that are tied to them or were not trained."""
    return {**model.state_dict(), **weights}


def _is_step(entry: dict[str, Any]) -> bool:
    return "loss" in entry or "eval_loss" in entry


@contextmanager
def _memory_told(job: TrainingJob) -> Iterator[None]:
    """Say what to change where the memory is not enough."""
    import torch

    try:
        yield
    except (MemoryError, RuntimeError) as error:
        text = " ".join(str(error).split())
        full = isinstance(error, MemoryError | torch.OutOfMemoryError) or _FULL.search(text) is not None
        if not full:
            raise
        spec = job.spec
        advice = [
            *([f"micro_batch_size: {max(1, spec.micro_batch // 2)}"] if spec.micro_batch > 1 else []),
            *(["gradient_checkpointing: true"] if not spec.gradient_checkpointing else []),
            *(["method: qlora"] if spec.method == "lora" else ["method: lora"] if spec.method == "full" else []),
            "a smaller max_tokens with overlong: drop",
            "launch: {processes: ..., strategy: fsdp} on more devices",
        ]
        raise UserError(
            f"The memory does not hold this training ({text[:200]}). Change one of: {'; '.join(advice)}. The "
            "training_estimate says how much each needs."
        ) from error
