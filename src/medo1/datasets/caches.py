"""A cache of directories that are expensive to make, such as a base model, keyed by the digest of their inputs."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from kedro.io.core import AbstractDataset, DatasetError

from medo1.lineage.digests import digest_of_value
from medo1.lineage.environment import Process, current_process, lives


class DirectoryCache:
    """Directories by key. A kept directory is complete or absent: it is staged beside and renamed.

    What a killed process was making is removed by the next one that makes something.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def get_or_make(self, key: str, make: Callable[[Path], None]) -> Path:
        """A fresh copy of the directory kept under `key`, made by `make(empty_directory)` where there is none yet.

        The copy belongs to the caller, who may move it; what is kept stays.
        """
        kept = self._root / key
        if not kept.is_dir():
            self._root.mkdir(parents=True, exist_ok=True)
            self._remove_orphans()
            staging = Path(tempfile.mkdtemp(prefix=".tmp-", dir=self._root))
            owner = staging.with_name(f"{staging.name}{_OWNER}")
            try:
                owner.write_text(json.dumps(asdict(current_process())), encoding="utf-8")
                make(staging)
                try:
                    staging.replace(kept)
                except OSError:
                    if not kept.is_dir():  # not the race with another process that made the same
                        raise
            finally:
                shutil.rmtree(staging, ignore_errors=True)
                owner.unlink(missing_ok=True)
        os.utime(kept)
        copy = Path(tempfile.mkdtemp(prefix="medo1-")) / key
        shutil.copytree(kept, copy)
        return copy

    def _remove_orphans(self) -> None:
        """Remove what a process was making that is known to be dead; one on another machine may be alive."""
        for owner in self._root.glob(f".tmp-*{_OWNER}"):
            try:
                process = Process(**json.loads(owner.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):
                continue  # removed meanwhile, or not yet written
            if lives(process) is False:
                shutil.rmtree(owner.with_suffix(""), ignore_errors=True)
                owner.unlink(missing_ok=True)

    def get_or_train(self, made_from: Mapping[str, Any], train: Callable[[Path], dict[str, Any]]) -> tuple[Path, Any]:
        """As `get_or_make` for a model that is trained, under the digest of what it is made from; and its log.

        Args:
            made_from: all that decides what comes out, as JSON values; versions of torch and transformers are added.
            train: trains into an empty directory and returns the log, as JSON values; where nothing is trained the log
                is that of the training that made what is kept.
        """
        import torch
        import transformers

        def make(directory: Path) -> None:
            (directory / _LOG).write_text(json.dumps(train(directory)), encoding="utf-8")

        versions = [torch.__version__, transformers.__version__]
        directory = self.get_or_make(digest_of_value({**made_from, "libraries": versions}), make)
        log_file = directory / _LOG
        log = json.loads(log_file.read_text(encoding="utf-8"))
        log_file.unlink()
        return directory, log


_OWNER = ".owner"  # beside a directory in the making: the process that makes it
# the log lies beside the model in the cache, and nowhere else
_LOG = "medo1_training.json"


class CacheDataset(AbstractDataset[Any, DirectoryCache]):
    """A `DirectoryCache` as a catalog entry. Holds nothing that cannot be recreated; safe to delete."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(filepath)
        self.metadata = metadata

    def load(self) -> DirectoryCache:
        return DirectoryCache(self._path)

    def save(self, data: Any) -> NoReturn:
        raise DatasetError(f"the cache {self._path} fills itself; no node saves to it")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}


class WorkFolder(AbstractDataset[Any, Path]):
    """A folder on disk for what lives while something is made, such as checkpoints. Loads as its path, made where
    absent."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(filepath)
        self.metadata = metadata

    def load(self) -> Path:
        self._path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._path

    def save(self, data: Any) -> NoReturn:
        raise DatasetError(f"{self._path} is a place to work in; no node saves to it")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}
