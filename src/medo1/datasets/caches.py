"""A cache of directories that are dear to make, such as a base model: kept by the digest of what they are made from."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from kedro.io.core import AbstractDataset, DatasetError


class DirectoryCache:
    """Directories by key. A kept directory is complete or absent: it is staged beside and renamed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get_or_make(self, key: str, make: Callable[[Path], None]) -> Path:
        """A fresh copy of the directory kept under `key`, made by `make(empty_directory)` where there is none yet.

        The copy belongs to the caller, who may move it; what is kept stays.
        """
        kept = self._root / key
        if not kept.is_dir():
            self._root.mkdir(parents=True, exist_ok=True)
            staging = Path(tempfile.mkdtemp(prefix=".tmp-", dir=self._root))
            try:
                make(staging)
                try:
                    staging.replace(kept)
                except OSError:
                    if not kept.is_dir():  # not the race with another process that made the same
                        raise
            finally:
                shutil.rmtree(staging, ignore_errors=True)
        os.utime(kept)
        copy = Path(tempfile.mkdtemp(prefix="medo1-")) / key
        shutil.copytree(kept, copy)
        return copy


class CacheDataset(AbstractDataset[Any, DirectoryCache]):
    """A `DirectoryCache` as a catalog entry. Holds nothing that cannot be made again; safe to delete."""

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
