"""One training on several devices: processes that torchrun starts, watched until they end.

`accelerate launch --cpu` runs one process whatever number is requested, so torchrun starts them, and each asserts how
many there are. A process that dies ends all with its own error; when none completes a step within `stall_s`, all are
ended.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from medo1.errors import UserError
from medo1.progress_bars import StepProgress
from medo1.training.checkpoints import Checkpoints
from medo1.training.job import TrainingJob
from medo1.training.run import TERMINATED, Trained

logger = logging.getLogger(__name__)

JOB, RESULT, LOG_FILE = "job.json", "result.json", "log.txt"
_POLL_S = 0.2
_START_S = 1800.0  # to load the model in, at least
_GRACE_S = 60.0  # to save a checkpoint in
_SHOWN = 1500  # characters of the processes' output in an error
_FAILED = re.compile(r"^.*\] (?P<told>failed \(exitcode: -?\d+\) local_rank: \d+).*$", re.MULTILINE)


def launched(job: TrainingJob, output: Path, kept: Checkpoints) -> Trained:
    """As `train`, in `job.spec.launch.processes` processes.

    Raises:
        UserError: a process failed or stalled; the text is its own.
        SystemExit: this process was told to leave, after a checkpoint was saved.
    """
    processes = job.spec.launch.processes
    with tempfile.TemporaryDirectory(prefix="medo1-training-") as name:
        folder = Path(name)
        (folder / JOB).write_text(job.to_json(), encoding="utf-8")
        command = [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"),
            *("-m", "medo1.training.worker", str(folder), str(output), str(kept.folder)),
        ]
        threads = str(job.spec.threads or max(1, (os.cpu_count() or 1) // processes))
        environment = {"OMP_NUM_THREADS": threads, **os.environ}
        with (folder / LOG_FILE).open("wb") as log:
            started = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
            )
        try:
            status = _watched(started, job, folder)
        finally:
            _end(started, folder)
        return _result(status, job, folder)


def _watched(started: subprocess.Popen[bytes], job: TrainingJob, folder: Path) -> int:
    """Wait for the processes, showing progress; pass on SIGTERM. Returns torchrun's exit status."""
    told_to_leave = False

    def leave(number: int, frame: object) -> None:
        nonlocal told_to_leave
        told_to_leave = True

    previous = signal.signal(signal.SIGTERM, leave) if _in_main_thread() else None
    done, shown, moved_at = 0, 0, time.monotonic()
    try:
        with StepProgress(job.spec.steps(len(job.examples)), f"{job.what} training steps") as meter:
            while started.poll() is None:
                time.sleep(_POLL_S)
                steps = _steps(folder, job.spec.launch.processes)
                if steps and sum(steps.values()) != done:
                    for _ in range(min(steps.values()) - shown):
                        meter.advance(_loss(folder))
                    shown = max(shown, min(steps.values()))
                    done, moved_at = sum(steps.values()), time.monotonic()
                if told_to_leave:
                    for process in _pids(folder):
                        _signal(process, signal.SIGTERM)
                    _wait(started, _GRACE_S)
                    return TERMINATED
                allowed = job.spec.launch.stall_s if done else max(job.spec.launch.stall_s, _START_S)
                if time.monotonic() - moved_at > allowed:
                    raise UserError(
                        f"{job.what}: none of the {job.spec.launch.processes} training processes made a step for "
                        f"{allowed:.0f} s; they were ended. Steps so far: {_told(steps)}. The same "
                        f"command resumes from the last checkpoint. What they printed last: {_printed(folder)}"
                    )
    finally:
        if previous is not None:
            signal.signal(signal.SIGTERM, previous)
    return started.returncode


def _result(status: int, job: TrainingJob, folder: Path) -> Trained:
    if status == TERMINATED:
        logger.warning(
            "%s: stopped by a signal; a checkpoint was saved. The same command resumes from there.", job.what
        )
        raise SystemExit(TERMINATED)
    result = folder / RESULT
    if status == 0 and result.is_file():
        told = json.loads(result.read_text(encoding="utf-8"))
        return Trained(told["log"], told["timing"], told["best_step"])
    errors = sorted(folder.glob("error-*.txt"))
    if errors:
        raise UserError(errors[0].read_text(encoding="utf-8"))
    raise UserError(
        f"{job.what}: one of the {job.spec.launch.processes} training processes died (torchrun ended with "
        f"{status}). The same command resumes from the last checkpoint. What they printed last: {_printed(folder)}"
    )


def _steps(folder: Path, processes: int) -> dict[int, int]:
    found = {}
    for rank in range(processes):
        try:
            found[rank] = int((folder / f"step-{rank}.txt").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            continue
    return found


def _loss(folder: Path) -> str:
    try:
        return (folder / "step-0.txt").read_text().partition(" ")[2]
    except OSError:
        return ""


def _pids(folder: Path) -> list[int]:
    return [int(file.read_text()) for file in folder.glob("pid-*.txt")]


def _told(steps: dict[int, int]) -> str:
    return ", ".join(f"process {rank} {step}" for rank, step in sorted(steps.items())) or "none"


def _printed(folder: Path) -> str:
    return last_words((folder / LOG_FILE).read_text(encoding="utf-8", errors="replace"))


def last_words(text: str) -> str:
    """What the processes printed last, with torchrun's line on the first that failed, without its own traceback."""
    failed = _FAILED.search(text)
    if failed is None:
        return text[-_SHOWN:].strip()
    return f"{text[: failed.start()][-_SHOWN:].strip()}\n{failed['told']}".strip()


def _in_main_thread() -> bool:
    import threading

    return threading.current_thread() is threading.main_thread()


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        logger.warning("The training processes did not end within %.0f s; they are killed.", seconds)


def _signal(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return


def _end(started: subprocess.Popen[bytes], folder: Path) -> None:
    """Kill what is left: torchrun, and its workers, which have sessions of their own."""
    if started.poll() is None:
        started.kill()
        started.wait()
        for process in _pids(folder):
            _signal(process, signal.SIGKILL)
