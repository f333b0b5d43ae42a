"""Callbacks of a training: progress, checkpoints, termination signals, a loss that is not a number, dev
questions. Decisions that all processes must share are agreed on first."""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from transformers import TrainerCallback

from medo1.errors import UserError
from medo1.training.checkpoints import BEST, PREFIX, TIMES, Checkpoints
from medo1.training.evaluation import dev_answers
from medo1.training.job import TrainingJob


class DivergedError(UserError):
    """The loss or the gradient is no number any more."""


class Progress(TrainerCallback):
    """Tells somebody of each step, with the latest loss."""

    def __init__(self, told: Callable[[int, str], None]) -> None:
        self._told = told
        self._loss = ""

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self._loss = f"loss {float(logs['loss']):.4f}"

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._told(int(state.global_step), self._loss)


class StepTimes(TrainerCallback):
    """Seconds and tokens of each step; apart from the log, because equal trainings differ in them. Kept with each
    checkpoint, so that a training that resumes knows what its earlier steps took."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.trainer: Any = None
        self._before = (time.perf_counter(), 0)

    def resume(self, checkpoint: Path) -> None:
        """Go on from what the steps up to a checkpoint took."""
        self.rows = list(json.loads((checkpoint / TIMES).read_text(encoding="utf-8")))

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if args.process_index == 0:
            folder = Path(args.output_dir) / f"{PREFIX}{state.global_step}"
            (folder / TIMES).write_text(json.dumps(self.rows), encoding="utf-8")

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._before = (time.perf_counter(), self.trainer.seen_tokens)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        began, tokens = self._before
        took = time.perf_counter() - began
        seen = (self.trainer.seen_tokens - tokens) * args.world_size
        rate = seen / took if took else None
        self.rows.append({"step": int(state.global_step), "seconds": took, "tokens": seen, "tokens_per_s": rate})


class Finite(TrainerCallback):
    """Ends a training whose loss or gradient is no number, before it is saved."""

    def __init__(self, checkpoints: Checkpoints, processes: int) -> None:
        self._checkpoints, self._processes = checkpoints, processes

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        bad = [name for name in ("loss", "grad_norm") if logs and not math.isfinite(float(logs.get(name, 0.0)))]
        if not bad:
            return
        kept = self._checkpoints.latest(self._processes)
        where = f"the last good checkpoint is {kept}" if kept else "no checkpoint had been saved before"
        raise DivergedError(
            f"The {bad[0]} is {logs[bad[0]]} at step {state.global_step} (epoch {float(state.epoch or 0):.2f}): the "
            f"training diverged, and {where}. Lower learning_rate, lengthen warmup_ratio, or train in fp32 (bf16: "
            "false)."
        )


class Saving(TrainerCallback):
    """Saves a checkpoint periodically, and on SIGTERM."""

    def __init__(self, checkpoints: Checkpoints, minutes: float) -> None:
        self._checkpoints = checkpoints
        self._every_s = minutes * 60
        self._saved_at = time.monotonic()
        self._previous: Any = None
        self.leaving = False
        self.left = False

    def __enter__(self) -> Saving:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGTERM, self._leave)
        return self

    def __exit__(self, *_: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGTERM, self._previous)

    def _leave(self, number: int, frame: FrameType | None) -> None:
        self.leaving = True

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        leave = _agreed(self.leaving, args)
        due = _agreed(time.monotonic() - self._saved_at >= self._every_s, args)
        if leave or due:
            control.should_save = True
        if leave and state.global_step < state.max_steps:
            control.should_training_stop = True
            self.left = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if args.world_size > 1:
            import torch.distributed

            torch.distributed.barrier()
        if args.process_index == 0:
            self._checkpoints.seal(int(state.global_step))
        self._saved_at = time.monotonic()


class Development(TrainerCallback):
    """Evaluates on the dev examples, keeps the best weights, and stops when nothing gets better.

    Args:
        job: with its dev examples.
        folder: where the best weights lie meanwhile.
    """

    def __init__(self, job: TrainingJob, folder: Path) -> None:
        self._job = job
        self._dev = job.spec.dev
        self._folder = folder / BEST
        self.trainer: Any = None

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step in self._dev.after(state.max_steps):
            control.should_evaluate = True

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> None:
        if metrics is None:
            return
        entry = state.log_history[-1]  # Trainer has just written the loss there
        entry.update(self._answers(args))
        value = self._value(entry)
        best = self._best()
        if best is None or value > best["value"] or best["step"] == state.global_step:
            self._keep(state.global_step, value)
        elif self._dev.patience is not None:
            passed = [one for one in state.log_history if "eval_loss" in one and one["step"] > best["step"]]
            if len(passed) >= self._dev.patience:
                control.should_training_stop = True

    def best_weights(self) -> dict[str, Any] | None:
        """The weights of the best evaluation; None where the last step's are to be kept."""
        from safetensors.torch import load_file

        if not self._dev.keep_best or self._best() is None:
            return None
        return dict(load_file(self._folder / "weights.safetensors"))

    def best_step(self) -> int | None:
        """The step of the best evaluation."""
        best = self._best()
        return None if best is None else int(best["step"])

    def _answers(self, args: Any) -> dict[str, Any]:
        if not self._dev.answers:
            return {}
        first: dict[str, Any] = {}
        for example in self._job.dev:
            first.setdefault(example.question_id, example)
        chosen = list(first.values())[: self._dev.answers]
        mine = chosen[args.process_index :: args.world_size] or chosen[:1]
        counts = dev_answers(
            _writing(self.trainer),
            self.trainer.chat,
            mine,
            self._job.questions,
            self._dev.max_new_tokens,
            together=-(-len(chosen) // args.world_size) if self._job.spec.sharded else 0,
        )
        if args.process_index >= len(chosen):
            counts = dict.fromkeys(counts, 0)
        totals = {name: _summed(count, args) for name, count in counts.items()}
        answered = totals["answered"] or 1
        return {
            "eval_accuracy": totals["correct"] / answered,
            "eval_unfinished": totals["unfinished"] / answered,
        }

    def _value(self, entry: dict[str, Any]) -> float:
        """What is best when it is greatest. By accuracy: of equal ones the one of the lower loss."""
        loss = float(entry["eval_loss"])
        if self._dev.best_by == "accuracy" and "eval_accuracy" in entry:
            return float(entry["eval_accuracy"]) - 1e-6 * loss
        return -loss

    def _best(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads((self._folder / "best.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found

    def _keep(self, step: int, value: float) -> None:
        from safetensors.torch import save_file

        weights = trained_weights(self.trainer)
        if self.trainer.args.process_index == 0:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = self._folder / ".tmp-weights.safetensors"
            save_file(weights, draft)
            (self._folder / "best.json").unlink(missing_ok=True)
            draft.replace(self._folder / "weights.safetensors")
            told = self._folder / ".tmp-best.json"
            told.write_text(json.dumps({"step": int(step), "value": value}), encoding="utf-8")
            told.replace(self._folder / "best.json")
        if self.trainer.args.world_size > 1:
            import torch.distributed

            torch.distributed.barrier()


def trained_weights(trainer: Any) -> dict[str, Any]:
    """The weights that training changes, whole and on the CPU, by name. All processes must ask together."""
    state = trainer.accelerator.get_state_dict(trainer.model)
    names = {name for name, parameter in trainer.model.named_parameters() if parameter.requires_grad}
    plain = {name.removeprefix("module."): name for name in names}
    return {
        name.removeprefix("module."): tensor.detach().to("cpu", copy=True).contiguous()
        for name, tensor in (state or {}).items()
        if name.removeprefix("module.") in plain
    }


def _writing(trainer: Any) -> Any:
    """The model as it writes answers; one that FSDP shards gathers its weights for that as for a training step."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if trainer.args.world_size > 1:
        from torch.distributed import fsdp

        if isinstance(model, fsdp.FSDPModule) and "generate" not in vars(model):
            fsdp.register_fsdp_forward_method(model, "generate")  # type: ignore[arg-type]
    return model


def _agreed(flag: bool, args: Any) -> bool:
    """Whether any of the processes says so."""
    return flag if args.world_size == 1 else _summed(int(flag), args) > 0


def _summed(count: int, args: Any) -> int:
    if args.world_size == 1:
        return count
    import torch
    import torch.distributed

    total = torch.tensor(count, device=args.device)
    torch.distributed.all_reduce(total)
    return int(total.item())
