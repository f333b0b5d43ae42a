"""Checkpoints from which a killed training resumes: one root per training, keyed by the digest of all its inputs.

A checkpoint counts only with its list of files, which is written last: a half-written, truncated or incomplete one (no
optimizer, no random state) is skipped in favour of the one before, as resuming from it would silently give other
weights.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from medo1.errors import UserError
from medo1.lineage.digests import digest_of_file

logger = logging.getLogger(__name__)

CONTENTS = "medo1_contents.json"  # of a checkpoint: each file with its digest; written last
PREFIX = "checkpoint-"
TIMES = "medo1_times.json"  # of a checkpoint: what the steps up to it took
OPTIMIZERS = ("optimizer", "global_step")  # what its state's file or folder begins with; the second is DeepSpeed's
BEST = "best"
KEPT = 2


class Checkpoints:
    """The checkpoints of one training.

    Args:
        root: a folder of all trainings' checkpoints.
        key: of this one, such as `longstep-3f2a...`.
    """

    def __init__(self, root: Path, key: str) -> None:
        self.folder = root / key

    @contextmanager
    def held(self) -> Iterator[None]:
        """While this lasts no other process trains from the same root.

        Raises:
            UserError: another one does.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / ".lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise UserError(
                    f"Another run is training the same adapter now (its checkpoints: {self.folder}). Wait for it; "
                    "it saves what this run would make."
                ) from error
            yield

    def seal(self, step: int) -> None:
        """Say that the checkpoint of a step is complete, and keep the newest ones only."""
        folder = self.folder / f"{PREFIX}{step}"
        files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != CONTENTS)
        for file in files:
            with file.open("rb") as handle:
                os.fsync(handle.fileno())
        contents = {file.relative_to(folder).as_posix(): digest_of_file(file) for file in files}
        draft = folder / f".tmp-{CONTENTS}"
        draft.write_text(json.dumps(contents, indent=1), encoding="utf-8")
        draft.replace(folder / CONTENTS)
        for old in self._folders()[KEPT:]:
            shutil.rmtree(old, ignore_errors=True)

    def latest(self, processes: int = 1) -> Path | None:
        """The newest checkpoint that is whole and was made by as many processes; None where there is none.

        What is not whole is deleted, with a warning.
        """
        for folder in self._folders():
            fault = _fault(folder, processes)
            if fault is None:
                return folder
            logger.warning("The checkpoint %s is not used: %s.", folder, fault)
            shutil.rmtree(folder, ignore_errors=True)
        return None

    def remove(self) -> None:
        """Delete them all: the training is done and saved."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _folders(self) -> list[Path]:
        found = [path for path in self.folder.glob(f"{PREFIX}*") if path.name.removeprefix(PREFIX).isdigit()]
        return sorted(found, key=step_of, reverse=True)


def step_of(checkpoint: Path) -> int:
    """The optimizer step at which a checkpoint was saved."""
    return int(checkpoint.name.removeprefix(PREFIX))


def _fault(folder: Path, processes: int) -> str | None:
    """What is wrong with a checkpoint; None where nothing is."""
    try:
        contents = json.loads((folder / CONTENTS).read_text(encoding="utf-8"))
    except OSError:
        return "it was not written to its end"
    except ValueError:
        return f"its {CONTENTS} cannot be read"
    states = ["rng_state.pth"] if processes == 1 else [f"rng_state_{rank}.pth" for rank in range(processes)]
    missing = [name for name in ("trainer_state.json", TIMES, *states) if name not in contents]
    if not any(name.startswith(OPTIMIZERS) for name in contents):
        missing.append("state of the optimizer")
    if missing:
        return f"it has no {missing[0]}"
    for name, digest in contents.items():
        file = folder / name
        if not file.is_file():
            return f"{name} is gone"
        if digest_of_file(file) != digest:
            return f"{name} is not what was saved"
    return None
