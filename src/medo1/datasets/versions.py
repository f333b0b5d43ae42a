"""Versions that are saved atomically: the base of every artifact that medo1 produces.

Kedro's own versioned datasets write in place, so that a killed save leaves a half file that becomes the latest
version. Here the data is staged beside its final place, synced, renamed, and only then given a manifest; a version
without a manifest does not exist for any reader. On file systems without rename (S3, GCS) the data is uploaded first
and the manifest last, with the same effect.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from abc import abstractmethod
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar

import fsspec
from kedro.io.core import (
    AbstractVersionedDataset,
    DatasetError,
    Version,
    VersionNotFoundError,
    get_protocol_and_path,
)

from medo1.lineage.digests import digest_of_tree
from medo1.lineage.manifests import MANIFEST_NAME, Manifest, Provenance, is_version_name

STAGING_PREFIX = ".tmp-"


class VersionedArtifact(AbstractVersionedDataset):
    """A file or directory with versions, each complete or not there at all.

    Subclasses say how to write a value to a local path and how to read it back (`_write`, `_read`), and may count rows.

    Args:
        filepath: where the versions lie, as `<filepath>/<version>/<name>`; any path that fsspec knows.
        version: set by Kedro; versions are always on, so the catalog need not say `versioned: true`.
        credentials: for the file system, from the catalog's credentials.
        fs_args: more arguments for the file system.
        metadata: kept for kedro-viz.
    """

    # Kedro reads this: a dataset of this class is versioned whether or not the catalog says so.
    versioned: ClassVar[bool] = True

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        credentials: dict[str, Any] | None = None,
        fs_args: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        protocol, path = get_protocol_and_path(filepath, version)
        self._protocol = protocol
        self._fs = fsspec.filesystem(protocol, **(credentials or {}), **(fs_args or {}))
        self.metadata = metadata
        self.provenance = Provenance()
        self._saved: str | None = None
        self._version: Version
        self._cached_load_version: str | None
        super().__init__(
            filepath=PurePosixPath(path),
            version=version or Version(None, None),
            exists_function=self._fs.exists,
            glob_function=self._fs.glob,
        )

    # What a subclass says

    @abstractmethod
    def _write(self, data: Any, path: Path) -> None:
        """Write `data` to the local `path`, which does not exist yet."""

    @abstractmethod
    def _read(self, path: Path) -> Any:
        """Read the value back from a local path."""

    def _rows(self, data: Any) -> int | None:
        """How many rows `data` has; None where rows mean nothing."""
        return None

    # Saving and loading

    def save(self, data: Any) -> None:
        version = self.resolve_save_version()
        assert version is not None
        directory = self._version_directory(version)
        if self._manifest_exists(version):
            raise DatasetError(
                f"{directory} is already a complete version; a version is never overwritten. "
                "Start a new run, which saves under a new version."
            )
        if self._is_local:
            manifest = self._save_locally(data, version, Path(directory))
        else:
            manifest = self._save_remotely(data, version, directory)
        self._put_manifest(manifest, directory)
        self._saved = version

    def load(self) -> Any:
        manifest = self.manifest()
        path = self._data_path(manifest.version)
        found = self._size(path)
        if found != manifest.size_bytes:
            raise DatasetError(
                f"{path} has {found} bytes, its manifest says {manifest.size_bytes}: the version is damaged. "
                "Load another version with --load-versions, or make it again."
            )
        if self._is_local:
            return self._read(Path(path))
        return self._read(self._downloaded(path, manifest))

    def manifest(self, version: str | None = None) -> Manifest:
        """The manifest of a version, of the one that `load` would read when none is named.

        Raises:
            VersionNotFoundError: when there is no such complete version.
            DatasetError: when its manifest cannot be read.
        """
        wanted = version or self.resolve_load_version()
        assert wanted is not None
        path = f"{self._version_directory(wanted)}/{MANIFEST_NAME}"
        try:
            text = self._fs.cat_file(path).decode()
        except FileNotFoundError as error:
            raise VersionNotFoundError(
                f"No complete version {wanted!r} at {self._filepath}. Complete versions: "
                f"{', '.join(self.complete_versions()[:5]) or 'none'}."
            ) from error
        try:
            return Manifest.from_json(text, path)
        except ValueError as error:
            raise DatasetError(str(error)) from error

    # Versions

    def complete_versions(self) -> list[str]:
        """Names of the complete versions, latest first."""
        return [name for name in self._version_names() if self._manifest_exists(name)]

    def pin(self, version: str) -> None:
        """Load this version from now on, whatever other runs save meanwhile."""
        self._version = Version(version, self._version.save)

    def resolve_load_version(self) -> str | None:
        """The version that `load` reads: the one saved by this very run, else the pinned one, else the latest."""
        return self._saved or super().resolve_load_version()

    def _fetch_latest_load_version(self) -> str:
        if self._cached_load_version is None:
            latest = next((name for name in self._version_names() if self._manifest_exists(name)), None)
            if latest is None:
                raise VersionNotFoundError(
                    f"No complete version at {self._filepath}. Run the pipeline that makes it first."
                )
            self._cached_load_version = latest
        return self._cached_load_version

    def _get_versions(self) -> list[str]:
        return [self._data_path(name) for name in self.complete_versions()]

    def _version_names(self) -> list[str]:
        self._fs.invalidate_cache(str(self._filepath))
        try:
            entries = self._fs.ls(str(self._filepath), detail=False)
        except FileNotFoundError:
            return []
        return sorted((name for entry in entries if is_version_name(name := PurePosixPath(entry).name)), reverse=True)

    def _manifest_exists(self, version: str) -> bool:
        return bool(self._fs.exists(f"{self._version_directory(version)}/{MANIFEST_NAME}"))

    # How a save becomes complete

    def _save_locally(self, data: Any, version: str, directory: Path) -> Manifest:
        directory.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=directory))
        try:
            staged = staging / self._filepath.name
            self._write(data, staged)
            manifest = self._described(data, version, staged)
            _sync_tree(staged)
            final = directory / self._filepath.name
            if final.is_dir():  # left by a save that was killed before its manifest
                shutil.rmtree(final)
            staged.replace(final)
            _sync_directory(directory)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return manifest

    def _save_remotely(self, data: Any, version: str, directory: str) -> Manifest:
        with tempfile.TemporaryDirectory(prefix="medo1-") as staging:
            staged = Path(staging) / self._filepath.name
            self._write(data, staged)
            manifest = self._described(data, version, staged)
            target = f"{directory}/{self._filepath.name}"
            with suppress(FileNotFoundError):
                self._fs.rm(target, recursive=True)
            self._fs.makedirs(directory, exist_ok=True)
            self._fs.put(str(staged), target, recursive=staged.is_dir())
        return manifest

    def _put_manifest(self, manifest: Manifest, directory: str) -> None:
        target = f"{directory}/{MANIFEST_NAME}"
        if not self._is_local:
            self._fs.pipe_file(target, manifest.to_json().encode())
            return
        staged = Path(directory) / f"{STAGING_PREFIX}{os.getpid()}{MANIFEST_NAME}"
        staged.write_text(manifest.to_json(), encoding="utf-8")
        _sync_tree(staged)
        staged.replace(target)
        _sync_directory(Path(directory))

    def _described(self, data: Any, version: str, staged: Path) -> Manifest:
        return Manifest(
            dataset=self.provenance.dataset,
            version=version,
            run=self.provenance.run,
            node=self.provenance.node,
            kind=type(self).__name__,
            digest=digest_of_tree(staged),
            size_bytes=_size_of_tree(staged),
            rows=self._rows(data),
            saved_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            made_from=self.provenance.made_from,
        )

    # Small things

    @property
    def _is_local(self) -> bool:
        return self._protocol in ("file", "local")

    def _version_directory(self, version: str) -> str:
        return str(self._get_versioned_path(version).parent)

    def _data_path(self, version: str) -> str:
        return str(self._get_versioned_path(version))

    def _size(self, path: str) -> int:
        try:
            if self._is_local:
                return _size_of_tree(Path(path))
            return sum(self._fs.size(file) for file in self._fs.find(path))
        except FileNotFoundError as error:
            raise DatasetError(f"{path} is gone although its manifest is there: the version is damaged.") from error

    def _downloaded(self, path: str, manifest: Manifest) -> Path:
        cache = Path(tempfile.gettempdir()) / "medo1-artifacts" / manifest.digest
        local = cache / self._filepath.name
        if not local.exists():
            cache.parent.mkdir(parents=True, exist_ok=True)
            staging = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=cache.parent))
            self._fs.get(path, str(staging / self._filepath.name), recursive=self._fs.isdir(path))
            try:
                staging.replace(cache)
            except OSError:  # another process was faster; its copy has the same digest
                shutil.rmtree(staging, ignore_errors=True)
        return local

    def _exists(self) -> bool:
        version = self.resolve_load_version()
        return version is not None and self._manifest_exists(version)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "protocol": self._protocol, "version": self._version}


def _size_of_tree(path: Path) -> int:
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size


def _sync_tree(path: Path) -> None:
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    for file in files:
        with file.open("rb") as handle:
            os.fsync(handle.fileno())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
