"""One of the processes of a training on several devices; torchrun starts it with the folder of its job."""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from medo1.errors import UserError
from medo1.training.checkpoints import Checkpoints
from medo1.training.job import TrainingJob
from medo1.training.launch import JOB, RESULT


def main(folder: Path, output: Path, checkpoints: Path) -> int:
    """Train as one of several; returns the exit status."""
    import torch.distributed

    from medo1.training.run import train_here

    rank = int(os.environ["RANK"])
    _write(folder / f"pid-{rank}.txt", str(os.getpid()))
    job = TrainingJob.from_json((folder / JOB).read_text(encoding="utf-8"))
    started, wanted = int(os.environ["WORLD_SIZE"]), job.spec.launch.processes
    if started != wanted:
        raise UserError(
            f"{started} processes were started for a training on {wanted} devices; torchrun starts {wanted}."
        )

    def told(step: int, loss: str) -> None:
        _write(folder / f"step-{rank}.txt", f"{step} {loss}")

    done = train_here(job, output, Checkpoints(checkpoints.parent, checkpoints.name), told)
    if torch.distributed.get_world_size() != wanted:
        raise UserError(f"The training ran in {torch.distributed.get_world_size()} processes, not in {wanted}.")
    if rank == 0:
        _write(folder / RESULT, json.dumps({"log": done.log, "timing": done.timing, "best_step": done.best_step}))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
    return 0


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".tmp-{path.name}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _leave(status: int) -> NoReturn:
    """End at once. All is written, and threads of libraries that outlive the group may abort an interpreter that shuts
    down."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    faulthandler.enable()  # where a signal such as SIGABRT struck is printed, and so told by the run's error
    places = [Path(argument) for argument in sys.argv[1:4]]
    try:
        _leave(main(*places))
    except UserError as error:
        _write(places[0] / f"error-{os.environ.get('RANK', '0')}.txt", str(error))
        sys.exit(1)
    except Exception:
        traceback.print_exc()
        sys.exit(1)
