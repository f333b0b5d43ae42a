"""Several processes train what one trains at the same effective batch; one that dies or stalls ends the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medo1.configuration import project_loader
from medo1.errors import UserError
from medo1.training import run
from medo1.training.adapters import check_adapter, linear_shapes
from medo1.training.job import TrainingJob
from medo1.training.launch import last_words
from medo1.training.spec import TrainingSpec
from tests.conftest import ROOT
from tests.training.jobs import job, model

pytestmark = pytest.mark.slow
BATCH: dict[str, Any] = {"batch_size": 4, "micro_batch_size": 1, "threads": 1}


def trained(one: TrainingJob, folder: Path) -> run.Trained:
    output = folder / "adapter"
    output.mkdir(parents=True, exist_ok=True)
    return run.train(one, output, folder / "checkpoints")


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_train_what_one_trains(tiny_model: Path, tmp_path: Path, strategy: str) -> None:
    from safetensors.torch import load_file

    dev = {"evaluations": 1, "answers": 3, "max_new_tokens": 4}  # 7 examples in batches of 4, and 3 dev questions
    alone = trained(job(tiny_model, 10, 3, dev=dev, **BATCH), tmp_path / "alone")
    spread = job(tiny_model, 10, 3, dev=dev, launch={"processes": 2, "strategy": strategy}, **BATCH)
    both = trained(spread, tmp_path / "both")
    assert [row["step"] for row in both.log] == [row["step"] for row in alone.log]
    for one, two in zip(alone.log, both.log, strict=True):
        for name in ("loss", "eval_loss", "grad_norm", "eval_accuracy", "eval_unfinished"):
            if one[name] is None:
                assert two[name] is None
            else:
                assert two[name] == pytest.approx(one[name], rel=2e-3), (one["step"], name)
    check_adapter(tmp_path / "both" / "adapter", linear_shapes(model(tiny_model)))
    weights = [load_file(tmp_path / name / "adapter" / "adapter_model.safetensors") for name in ("alone", "both")]
    assert weights[0].keys() == weights[1].keys()
    assert max((tensor - weights[1][name]).abs().max() for name, tensor in weights[0].items()) < 2e-3


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
def test_two_processes_that_were_killed_go_on_to_what_nobody_killed_trains(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strategy: str
) -> None:
    from safetensors.torch import load_file

    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    given = job(tiny_model, 8, epochs=12, checkpoint_minutes=0, launch={"processes": 2, "strategy": strategy}, **BATCH)
    whole = trained(given, tmp_path / "whole")

    def kill() -> None:
        pids = launched_pids(tmp_path / "tmp", step=4)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    with pytest.raises(UserError, match="died"):
        trained(given, tmp_path / "killed")
    thread.join()
    again = trained(given, tmp_path / "killed")
    assert again.log == whole.log
    weights = [load_file(tmp_path / name / "adapter" / "adapter_model.safetensors") for name in ("whole", "killed")]
    assert all(tensor.equal(weights[1][name]) for name, tensor in weights[0].items())


def status_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "(zombie)"


def launched_pids(folder: Path, step: int = 1) -> list[int]:
    """Wait until both workers have made a step, and give their process ids."""
    for _ in range(1200):
        places = list(folder.glob("medo1-training-*"))
        steps = [int(file.read_text().split()[0]) for file in places[0].glob("step-*.txt")] if places else []
        if len(steps) == 2 and min(steps) >= step:
            return [int((places[0] / f"pid-{rank}.txt").read_text()) for rank in (0, 1)]
        time.sleep(0.05)
    raise AssertionError("the workers made no step")


@pytest.mark.parametrize(("number", "told"), [(signal.SIGKILL, "died"), (signal.SIGSTOP, "made a step for")])
def test_a_process_that_dies_or_stalls_ends_the_run_with_its_error(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, told: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    spread = job(tiny_model, 8, epochs=500, launch={"processes": 2, "stall_s": 6}, **BATCH)
    pids: list[int] = []

    def harm() -> None:
        pids.extend(launched_pids(tmp_path))
        os.kill(pids[1], number)

    thread = threading.Thread(target=harm)
    thread.start()
    with pytest.raises(UserError, match=told):
        trained(spread, tmp_path)
    thread.join()
    assert pids
    for _ in range(100):
        alive = [pid for pid in pids if Path(f"/proc/{pid}").exists() and "(zombie)" not in status_of(pid)]
        if not alive:
            break
        time.sleep(0.1)
    assert not alive


def test_the_papers_parameters_train_a_student_in_several_processes(tiny_model: Path, tmp_path: Path) -> None:
    """conf/paper as it is, but for the number of devices: FSDP, bf16, gradient checkpointing."""
    given = dict(project_loader(ROOT, "paper")["parameters"]["finetune"]["longstep"])
    given["launch"] = {**given["launch"], "processes": 2}
    student = replace(job(tiny_model, 8), spec=TrainingSpec.model_validate(given))
    done = trained(student, tmp_path)
    assert [row["step"] for row in done.log] == [1, 2, 3]
    check_adapter(tmp_path / "adapter", linear_shapes(model(tiny_model)))


def test_an_error_of_a_worker_is_the_runs(tiny_model: Path, tmp_path: Path) -> None:
    spread = job(tiny_model, 8, target_modules=("nowhere_proj",), launch={"processes": 2}, **BATCH)
    with pytest.raises(UserError, match="nowhere_proj"):
        trained(spread, tmp_path)


def test_two_processes_told_to_leave_save_and_go_on(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    spread = job(tiny_model, 8, epochs=60, launch={"processes": 2}, **BATCH)

    def leave() -> None:
        launched_pids(tmp_path)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=leave)
    thread.start()
    with pytest.raises(SystemExit) as left:
        trained(spread, tmp_path)
    thread.join()
    assert left.value.code == run.TERMINATED
    again = trained(spread, tmp_path)
    assert [row["step"] for row in again.log] == list(range(1, spread.spec.steps(8) + 1))
    assert [row["step"] for row in again.timing] == [row["step"] for row in again.log]


def test_a_worker_that_aborts_is_told_by_its_signal_and_its_own_last_words(tmp_path: Path) -> None:
    """torchrun's own traceback fills what is shown of the output otherwise."""
    script = tmp_path / "aborts.py"
    script.write_text(
        "import faulthandler, os, time\n"
        "faulthandler.enable()\n"
        "print('the words of', os.environ['RANK'], flush=True)\n"
        "os.abort() if os.environ['RANK'] == '1' else time.sleep(60)\n"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    printed = subprocess.run(command, capture_output=True, text=True, check=False)
    told = last_words(printed.stdout + printed.stderr)
    assert "the words of 1" in told
    assert f'{script}", line 4' in told
    assert told.endswith("failed (exitcode: -6) local_rank: 1")
