"""Versions that are saved atomically: the base of every artifact that medo1 produces.

Kedro's own versioned datasets write in place, so that a killed save leaves a half file that becomes the latest
version. Here the data is staged beside its final place, synced, renamed, and only then given a manifest; a version
without a manifest does not exist for any reader. On file systems without rename (S3, GCS) the data is uploaded first
and the manifest last, with the same effect.
"""

from __future__ import annotations

import errno
import logging
import os
import platform
import shutil
import tempfile
from abc import abstractmethod
from contextlib import suppress
from dataclasses import dataclass
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

from medo1.counting import counted
from medo1.lineage.completion_digests import COMPLETIONS_NAME, UNKEPT, lines_of
from medo1.lineage.digests import Content, content_of_tree, digest_of_text, files_of_tree
from medo1.lineage.environment import user_name
from medo1.lineage.known_digests import KNOWN, cache_folder
from medo1.lineage.manifests import MANIFEST_NAME, Manifest, Provenance, is_version_name

logger = logging.getLogger(__name__)

STAGING_PREFIX = ".tmp-"
SHARED_WITH = 5  # recent versions that are checked for equal content
FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota is used up", errno.EFBIG: "a file may not be so big"}


@dataclass(frozen=True, slots=True)
class Adopted:
    """A value to save that was made elsewhere: a file or directory that is taken over as it is."""

    path: Path


class VersionedArtifact(AbstractVersionedDataset):
    """A file or directory with versions, each complete or not there at all.

    Subclasses say how to write a value to a local path and how to read it back (`_write`, `_read`), and may count rows.

    Args:
        filepath: where the versions lie, as `<filepath>/<version>/<name>`; any path that fsspec knows.
        version: set by Kedro; versions are always on, so the catalog need not say `versioned: true`.
        credentials: for the file system, from the catalog's credentials.
        fs_args: more arguments for the file system.
        metadata: kept for kedro-viz; its key `rows_from` is lineage's (see `medo1.lineage.tracing`).
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
        self._saved: Manifest | None = None
        self._borrowed: tuple[str, PurePosixPath] | None = None  # a version of another place, and the place
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
    def _write(self, data: Any, path: Path) -> Content | None:
        """Write `data` to the local `path`, which does not exist yet.

        Returns:
            digest and size, when they were taken while writing; None has them taken afterwards.
        """

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
        try:
            if self._is_local:
                self._saved = self._save_locally(data, version, Path(directory))
            else:
                self._saved = self._save_remotely(data, version, directory)
        except OSError as error:
            if error.errno not in FULL:
                raise
            raise DatasetError(self._out_of_space(error)) from error

    def load(self) -> Any:
        manifest = self.manifest()
        if self._is_local:
            path = Path(self._data_path(manifest.version))
            self._refuse_damage(path, manifest)
            return self._read(path)
        return self._read(self._downloaded(manifest))

    def manifest(self, version: str | None = None) -> Manifest:
        """The manifest of a version, of the one that `load` would read when none is named.

        Raises:
            VersionNotFoundError: when there is no such complete version.
            DatasetError: when its manifest cannot be read, or is another version's.
        """
        wanted = version or self.resolve_load_version()
        assert wanted is not None
        if self._saved is not None and self._saved.version == wanted:
            return self._saved
        path = f"{self._version_directory(wanted)}/{MANIFEST_NAME}"
        try:
            text = self._fs.cat_file(path)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise VersionNotFoundError(
                f"No complete version {wanted!r} at {self._filepath}. Complete versions: "
                f"{', '.join(self.complete_versions()[:5]) or 'none'}."
            ) from error
        try:
            manifest = Manifest.from_json(text, path)
        except ValueError as error:
            raise DatasetError(str(error)) from error
        if manifest.version != wanted:
            raise DatasetError(
                f"{path} is the manifest of version {manifest.version}: the directory was renamed or copied. "
                f"Give it its own name back, or move it out of {self._filepath}."
            )
        return manifest

    # Versions

    def complete_versions(self) -> list[str]:
        """Names of the complete versions, latest first."""
        return [name for name in self._version_names() if self._manifest_exists(name)]

    def latest_version(self, before: str | None = None) -> str | None:
        """The latest complete version, or the latest before the one named; None where there is none.

        A directory that was renamed is passed over with a warning: its name says nothing about its age.
        """
        for name in self._version_names():
            if (before is not None and name >= before) or not self._manifest_exists(name):
                continue
            try:
                self.manifest(name)
            except DatasetError as error:
                if "was renamed or copied" not in str(error):
                    raise
                logger.warning("%s", error)
                continue
            return name
        return None

    def newest_name(self) -> str | None:
        """The highest name of a version, complete or not; None where there is none."""
        return next(iter(self._version_names()), None)

    def pin(self, version: str, place: str | None = None) -> None:
        """Load this version from now on, whatever other runs save meanwhile.

        Args:
            version: its name.
            place: where it lies, where that is not this dataset's own place: another environment's.

        Raises:
            DatasetError: when the other place is on another file system.
        """
        if place is not None and place != self.location:
            protocol, path = get_protocol_and_path(place)
            if protocol != self._protocol:
                raise DatasetError(f"{place} cannot be read in the place of {self.location}: another file system")
            self._borrowed = (version, PurePosixPath(path))
        self._version = Version(version, self._version.save)

    def save_as(self, version: str) -> None:
        """Save the next value under this version's name."""
        self._version = Version(None, version)

    @property
    def location(self) -> str:
        """Where the versions lie that it saves: a path, or a URL where it is not on this machine."""
        return str(self._filepath) if self._is_local else f"{self._protocol}://{self._filepath}"

    @property
    def read_location(self) -> str:
        """Where the version lies that `load` reads: its own place, or another environment's."""
        if self._borrowed is None or self._saved is not None:
            return self.location
        place = self._borrowed[1]
        return str(place) if self._is_local else f"{self._protocol}://{place}"

    def resolve_load_version(self) -> str | None:
        """The version that `load` reads: the one saved by this very run, else the pinned one, else the latest."""
        return self._saved.version if self._saved is not None else super().resolve_load_version()

    def _fetch_latest_load_version(self) -> str:
        if self._cached_load_version is None:
            latest = self.latest_version()
            if latest is None:
                raise VersionNotFoundError(
                    f"No complete version at {self._filepath}. Run the pipeline that makes it first."
                )
            self._cached_load_version = latest
        return self._cached_load_version

    def _get_versions(self) -> list[str]:
        return [self._data_path(name) for name in self.complete_versions()]

    def _version_names(self) -> list[str]:
        try:
            if self._is_local:  # fsspec would ask for the state of each of a thousand versions
                entries = os.listdir(self._filepath)  # noqa: PTH208
            else:
                self._fs.invalidate_cache(str(self._filepath))
                entries = self._fs.ls(str(self._filepath), detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted((name for entry in entries if is_version_name(name := PurePosixPath(entry).name)), reverse=True)

    def _manifest_exists(self, version: str) -> bool:
        return bool(self._fs.exists(f"{self._version_directory(version)}/{MANIFEST_NAME}"))

    # How a save becomes complete

    def _save_locally(self, data: Any, version: str, directory: Path) -> Manifest:
        directory.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=directory))
        staged_manifest = directory / f"{staging.name}{MANIFEST_NAME}"
        try:
            staged = staging / self._filepath.name
            content = self._write_or_take(data, staged) or content_of_tree(staged)
            self._share_equal(staged, content)
            _sync_tree(staged)
            if self.provenance.answers:
                answers = directory / COMPLETIONS_NAME
                answers.write_text(lines_of(self.provenance.answers), encoding="utf-8")
                _sync_tree(answers)
            manifest = self._described(data, version, content)
            staged_manifest.write_text(manifest.to_json(), encoding="utf-8")
            _sync_tree(staged_manifest)
            final = directory / self._filepath.name
            if final.is_dir():  # left by a save that was killed before its manifest
                shutil.rmtree(final)
            staged.replace(final)
            shutil.rmtree(staging, ignore_errors=True)  # now: a save that is killed once it is complete leaves no more
            _sync_directory(directory)
            staged_manifest.replace(directory / MANIFEST_NAME)
            _sync_directory(directory)
            _sync_directory(directory.parent)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
            staged_manifest.unlink(missing_ok=True)
            with suppress(OSError):
                directory.rmdir()  # of a save that failed; a directory with something in it stays
        return manifest

    def _share_equal(self, staged: Path, content: Content) -> None:
        """Keep content that a recent version has already once, as hard links, where the file system has them."""
        for name in self.complete_versions()[:SHARED_WITH]:
            with suppress(DatasetError, VersionNotFoundError, OSError):
                if self.manifest(name).digest != content.digest:
                    continue
                earlier = Path(self._data_path(name))
                if KNOWN.of_tree(earlier) != content:  # damaged meanwhile
                    continue
                for file in files_of_tree(staged) if staged.is_dir() else [staged]:
                    link = file.with_name(f"{STAGING_PREFIX}{file.name}")
                    os.link(earlier / file.relative_to(staged) if staged.is_dir() else earlier, link)
                    link.replace(file)
                return

    def _save_remotely(self, data: Any, version: str, directory: str) -> Manifest:
        with tempfile.TemporaryDirectory(prefix="medo1-") as staging:
            staged = Path(staging) / self._filepath.name
            content = self._write_or_take(data, staged) or content_of_tree(staged)
            manifest = self._described(data, version, content)
            target = f"{directory}/{self._filepath.name}"
            with suppress(FileNotFoundError):
                self._fs.rm(target, recursive=True)
            self._fs.makedirs(directory, exist_ok=True)
            # File by file: whether a copied directory lands in or on its target differs between file systems.
            files = files_of_tree(staged) if staged.is_dir() else [staged]
            names = [file.relative_to(staged).as_posix() for file in files]
            self._fs.put(
                [str(file) for file in files], [target if name == "." else f"{target}/{name}" for name in names]
            )
        if self.provenance.answers:
            self._fs.pipe_file(f"{directory}/{COMPLETIONS_NAME}", lines_of(self.provenance.answers).encode())
        self._fs.pipe_file(f"{directory}/{MANIFEST_NAME}", manifest.to_json().encode())
        self._fs.invalidate_cache(directory)
        return manifest

    def _described(self, data: Any, version: str, content: Content) -> Manifest:
        given = self.provenance
        return Manifest(
            dataset=given.dataset,
            version=version,
            run=given.run,
            node=given.node,
            kind=type(self).__name__,
            digest=content.digest,
            size_bytes=content.size_bytes,
            rows=self._rows(self.adopted_value(data.path) if isinstance(data, Adopted) else data),
            saved_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            key=given.key,
            rows_from=given.rows_from,
            made_by=given.made_by,
            made_from=given.made_from,
            run_record=given.run_record,
            measures=given.measures,
            maker=given.maker if given.run or given.maker else made_outside_a_run(given.node or "hand"),
            completions=_completions(given),
        )

    def _write_or_take(self, data: Any, path: Path) -> Content | None:
        """Write a value, or take over what was made elsewhere byte for byte."""
        if not isinstance(data, Adopted):
            return self._write(data, path)
        self.adopted_value(data.path)
        (shutil.copytree if data.path.is_dir() else shutil.copyfile)(data.path, path)
        return None

    def adopted_value(self, path: Path) -> Any:
        """What was made elsewhere, as a value.

        Raises:
            DatasetError: when it cannot be read as what it is said to be.
        """
        try:
            return self._read(path)
        except Exception as error:
            raise DatasetError(f"{path} cannot be read as a {type(self).__name__}: {error}") from error

    def _out_of_space(self, error: OSError) -> str:
        name = self.provenance.dataset or self._filepath.name
        free = ""
        if self._is_local:
            place = next(path for path in Path(self._filepath).parents if path.exists())
            free = f" ({shutil.disk_usage(place).free / 1e6:,.0f} MB free at {place})"
        with suppress(DatasetError):
            previous = self.latest_version()
        kept = f"version {previous} is still the latest" if previous else "there is no earlier version"
        return (
            f"{name} was not saved: {FULL[error.errno or 0]}{free}. Nothing half-written stays, and {kept}. "
            "`kedro audit prune` shows what can be deleted; then run again."
        )

    # What is loaded is what was saved

    def _refuse_damage(self, path: Path, manifest: Manifest) -> None:
        """An error for data that is not what its manifest says. Hashed once, then only if the files changed since."""
        try:
            found = KNOWN.of_tree(path)
        except FileNotFoundError as error:
            raise DatasetError(f"{path} is gone although its manifest is there: the version is damaged.") from error
        if found == (manifest.digest, manifest.size_bytes):
            return
        what = (
            f"has {counted(found.size_bytes, 'byte')}, its manifest says {manifest.size_bytes:,}"
            if found.size_bytes != manifest.size_bytes
            else f"has the digest {found.digest[:12]}, its manifest says {manifest.digest[:12]}"
        )
        raise DatasetError(
            f"{path} {what}: the version is damaged. Load another version with --load-versions, or make it again; "
            "`kedro audit verify` looks for more of the kind."
        )

    def _downloaded(self, manifest: Manifest) -> Path:
        """A local copy of remote data, checked, and kept by its digest for the next time."""
        cache = cache_folder() / "artifacts" / manifest.digest
        local = cache / self._filepath.name
        if local.exists() and KNOWN.of_tree(local).digest == manifest.digest:
            return local
        shutil.rmtree(cache, ignore_errors=True)  # somebody changed it
        path = self._data_path(manifest.version)
        cache.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        staging = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=cache.parent))
        try:
            staged = staging / self._filepath.name
            self._download(path, staged)
            self._refuse_damage(staged, manifest)
            with suppress(OSError):  # another process was faster; its copy has the same digest
                staging.replace(cache)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return local

    def _download(self, path: str, staged: Path) -> None:
        files = self._fs.find(path)
        if not files:
            raise DatasetError(f"{path} is gone although its manifest is there: the version is damaged.")
        root = PurePosixPath(self._fs._strip_protocol(path))
        for file in files:
            name = PurePosixPath(file).relative_to(root)
            target = staged if name == PurePosixPath() else staged / name
            target.parent.mkdir(parents=True, exist_ok=True)
            self._fs.get_file(file, str(target))

    # Small things

    @property
    def _is_local(self) -> bool:
        return self._protocol in ("file", "local")

    def _version_directory(self, version: str) -> str:
        return str(PurePosixPath(self._data_path(version)).parent)

    def _data_path(self, version: str) -> str:
        if self._borrowed is not None and self._borrowed[0] == version:
            place = self._borrowed[1]
            return str(place / version / place.name)
        return str(self._get_versioned_path(version))

    def _exists(self) -> bool:
        version = self.resolve_load_version()
        return version is not None and self._manifest_exists(version)

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "protocol": self._protocol, "version": self._version}


def made_outside_a_run(by: str, **more: str) -> dict[str, Any]:
    """Who makes a version where no run does: this user on this machine."""
    return {"by": by, "user": user_name(), "host": platform.node(), **more}


def _completions(given: Provenance) -> dict[str, Any]:
    if not given.stores:
        return {}
    kept = {name: digest for name, digest in given.answers.items() if digest != UNKEPT}
    text = lines_of(given.answers)
    counts = {"answers": len(given.answers), "unkept": len(given.answers) - len(kept)}
    return {"stores": given.stores, **counts, "digest": digest_of_text(text)} if given.answers else {}


def _sync_tree(path: Path) -> None:
    for file in files_of_tree(path) if path.is_dir() else [path]:
        with file.open("rb") as handle:
            os.fsync(handle.fileno())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
