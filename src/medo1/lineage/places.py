"""Versions where they lie, a disk or a bucket, without Kedro: what the audit reads, checks and deletes.

Layout: see `medo1.lineage.manifests`. Paths go through fsspec, so that a bucket is a folder like any other.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from medo1.errors import UserError
from medo1.lineage.completion_digests import COMPLETIONS_NAME
from medo1.lineage.digests import CHUNK_BYTES, Content, content_of_files, content_of_tree
from medo1.lineage.known_digests import cache_folder
from medo1.lineage.ledger_settings import LedgerSettings
from medo1.lineage.manifests import MANIFEST_NAME, TAGS_NAME, Manifest, is_version_name

STAGING_PREFIX = ".tmp-"
RECORDS_FOLDER = ".lineage"


class CorruptFileError(UserError, ValueError):
    """A file cannot be read as what it is; the text names it and says what to do."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A name that somebody gave to a version. A protected version is never pruned."""

    name: str
    protected: bool = False
    note: str = ""
    at: str = ""


class Places:
    """Access to versions by location (relative to the project, or a URL) and version.

    Args:
        settings: the project, and the arguments of remote file systems.
    """

    def __init__(self, settings: LedgerSettings) -> None:
        self._settings = settings
        self._systems: dict[str, Any] = {}
        self._shared: dict[tuple[int, int], Content] = {}

    # What is there

    def manifest_text(self, location: str, version: str) -> bytes | None:
        """The manifest's bytes; None where there is none."""
        return self._read(self._inside(location, version, MANIFEST_NAME))

    def exists(self, location: str, version: str) -> bool:
        """Whether the version is complete."""
        path = self._inside(location, version, MANIFEST_NAME)
        if "://" not in path:
            return Path(path).is_file()
        return bool(self._system(path).exists(path))

    def versions(self, location: str) -> list[str]:
        """Names of the version directories, complete or not, oldest first."""
        return sorted(name for name in self._names(self._settings.path_of(location)) if is_version_name(name))

    def names(self, location: str, version: str) -> list[str]:
        """What lies in a version's directory."""
        return sorted(self._names(self._inside(location, version)))

    def strays(self, location: str, version: str) -> list[str]:
        """What lies in a version's directory and does not belong there."""
        own = (self.data_path(location, version).rpartition("/")[2], MANIFEST_NAME, TAGS_NAME, COMPLETIONS_NAME)
        return [name for name in self.names(location, version) if name not in own]

    def text_beside(self, location: str, version: str, name: str) -> bytes | None:
        """The content of a file beside a version's data; None where there is none."""
        return self._read(self._inside(location, version, name))

    def path_of(self, location: str) -> str:
        """The path or URL that a location names."""
        return self._settings.path_of(location)

    def content(self, location: str, version: str, told: Callable[[int], None] | None = None) -> Content:
        """Digest and size of the data, recomputed from its bytes.

        Raises:
            FileNotFoundError: when there is none.
        """
        path = self.data_path(location, version)
        if "://" not in path:
            return self._local_content(Path(path), told)
        system = self._system(path)
        files = sorted(system.find(path))
        if not files:
            raise FileNotFoundError(path)
        root = PurePosixPath(system._strip_protocol(path))
        names = [PurePosixPath(file).relative_to(root).as_posix() for file in files]
        contents = [_content_of_stream(system.open(file, "rb"), told) for file in files]
        return contents[0] if names == ["."] else content_of_files(names, contents)

    def _local_content(self, path: Path, told: Callable[[int], None] | None) -> Content:
        """As `content_of_tree`; a file that several versions share is hashed once."""
        if path.is_dir():
            return content_of_tree(path, told)
        stat = path.stat()
        shared = (stat.st_dev, stat.st_ino) if stat.st_nlink > 1 else None
        if shared is None or shared not in self._shared:
            content = content_of_tree(path, told)
            if shared is None:
                return content
            self._shared[shared] = content
        return self._shared[shared]

    def data_path(self, location: str, version: str) -> str:
        """Path or URL of the data: a file, or a directory."""
        return self._inside(location, version, PurePosixPath(location).name)

    def local_data(self, location: str, version: str, digest: str) -> Path:
        """The data as a local path; what is remote is fetched once and kept by its digest."""
        path = self.data_path(location, version)
        if "://" not in path:
            return Path(path)
        local = cache_folder() / "artifacts" / digest / PurePosixPath(location).name
        if not local.exists():
            system = self._system(path)
            root = PurePosixPath(system._strip_protocol(path))
            staging = local.parent.with_name(f"{STAGING_PREFIX}{os.getpid()}-{digest}")
            for file in system.find(path):
                name = PurePosixPath(file).relative_to(root)
                target = staging / local.name if name == PurePosixPath() else staging / local.name / name
                target.parent.mkdir(parents=True, exist_ok=True)
                system.get_file(file, str(target))
            with suppress(OSError):  # another process was faster
                staging.replace(local.parent)
            shutil.rmtree(staging, ignore_errors=True)
        return local

    def manifests(self, root: str) -> Iterator[tuple[str, str, bytes]]:
        """Location, version and bytes of every manifest below a root (a folder of the project, or a URL)."""
        top = self._settings.path_of(root)
        if "://" not in top:
            for folder, folders, files in os.walk(top):
                name = Path(folder).name
                if is_version_name(name):
                    folders.clear()  # data, which may be a directory of anything
                    if MANIFEST_NAME in files:
                        path = Path(folder)
                        text = self._read(str(path / MANIFEST_NAME))
                        if text is not None:
                            yield self._settings.location_of(str(path.parent)), name, text
                else:
                    folders[:] = sorted(name for name in folders if not name.startswith("."))
            return
        system, protocol = self._system(top), top.partition("://")[0]
        for file in sorted(system.find(top)):
            path_in = PurePosixPath(file)
            if path_in.name == MANIFEST_NAME and is_version_name(path_in.parent.name):
                yield (
                    f"{protocol}://{str(path_in.parent.parent).lstrip('/')}",
                    path_in.parent.name,
                    system.cat_file(file),
                )

    def locations(self, root: str) -> set[str]:
        """Every location below a root that holds a version directory, complete or not."""
        top = self._settings.path_of(root)
        found: set[str] = set()
        if "://" not in top:
            for folder, folders, _ in os.walk(top):
                if any(is_version_name(name) for name in folders):
                    found.add(self._settings.location_of(folder))
                folders[:] = [name for name in folders if not name.startswith(".") and not is_version_name(name)]
            return found
        system, protocol = self._system(top), top.partition("://")[0]
        for file in system.find(top):
            for parent in PurePosixPath(file).parents:
                if is_version_name(parent.name):
                    found.add(f"{protocol}://{str(parent.parent).lstrip('/')}")
        return found

    # Tags

    def tagged(self, location: str, version: str) -> bool:
        """Whether tags lie beside the version, readable or not."""
        path = self._inside(location, version, TAGS_NAME)
        if "://" not in path and not os.path.exists(path):  # noqa: PTH110  (thousands of versions)
            return False
        try:
            return bool(self.tags(location, version))
        except CorruptFileError:
            return True  # who cannot read the tags deletes nothing

    def tags(self, location: str, version: str) -> list[Tag]:
        """Tags as they lie beside the version.

        Raises:
            CorruptFileError: when the file cannot be read, naming it.
        """
        path = self._inside(location, version, TAGS_NAME)
        text = self._read(path)
        if text is None:
            return []
        try:
            return [Tag(**fields) for fields in json.loads(text)]
        except (TypeError, ValueError) as error:
            raise CorruptFileError(
                f"{path} is damaged: not a list of tags ({error}). Delete it, and give the version its tags again."
            ) from error

    def write_tags(self, location: str, version: str, tags: list[Tag]) -> None:
        """Replace the tags of a version."""
        path = self._inside(location, version, TAGS_NAME)
        text = json.dumps([asdict(tag) for tag in tags], indent=2, ensure_ascii=False) + "\n"
        if "://" in path:
            self._system(path).pipe_file(path, text.encode())
            return
        staged = Path(path).with_name(f"{STAGING_PREFIX}{os.getpid()}{TAGS_NAME}")
        staged.write_text(text, encoding="utf-8")
        staged.replace(path)

    # Records of runs

    def record_names(self, kind: str) -> set[str]:
        """Names of what lies among the records of runs: `runs` or `documents`."""
        return set(self._names(self._records(kind)))

    def record_file(self, kind: str, name: str) -> bytes | None:
        """The content of one of them; None where there is none."""
        return self._read(self._records(kind, name))

    def write_record_file(self, kind: str, name: str, text: str) -> None:
        """Write one of them, whole or not at all."""
        path = self._records(kind, name)
        if "://" in path:
            self._system(path).pipe_file(path, text.encode())
            return
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        staged = Path(path).with_name(f"{STAGING_PREFIX}{os.getpid()}-{name}")
        staged.write_text(text, encoding="utf-8")
        staged.replace(path)

    def _records(self, *names: str) -> str:
        root = self._settings.root if "://" in self._settings.root else str(self._settings.disk)
        return "/".join([root, RECORDS_FOLDER, *names])

    # Deleting

    def delete(self, location: str, version: str) -> None:
        """Delete a version: first the manifest, after which it exists for no reader, then all else."""
        folder = self._inside(location, version)
        manifest = self._inside(location, version, MANIFEST_NAME)
        if "://" in folder:
            system = self._system(folder)
            with suppress(FileNotFoundError):
                system.rm_file(manifest)
            with suppress(FileNotFoundError):
                system.rm(folder, recursive=True)
            system.invalidate_cache(folder)
            return
        Path(manifest).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)

    def delete_name(self, location: str, version: str, name: str) -> None:
        """Delete one thing in a version's directory, and the directory when nothing else is in it."""
        path = self._inside(location, version, name)
        if "://" in path:
            self._system(path).rm(path, recursive=True)
            return
        target = Path(path)
        shutil.rmtree(target, ignore_errors=True) if target.is_dir() else target.unlink(missing_ok=True)
        with suppress(OSError):
            target.parent.rmdir()

    def size(self, location: str, version: str, name: str = "") -> int:
        """Bytes of a version's directory, or of one thing in it."""
        path = self._inside(location, version, *([name] if name else []))
        if "://" in path:
            return int(self._system(path).du(path))
        target = Path(path)
        if target.is_file():
            return target.stat().st_size
        return sum(file.stat().st_size for file in target.rglob("*") if file.is_file())

    def freed(self, versions: Iterable[tuple[str, str]]) -> int:
        """Bytes that deleting some versions frees: of a file that others share, none."""
        links: dict[tuple[int, int], list[int]] = {}
        places: dict[str, tuple[str, set[str]]] = {}
        total = 0
        for location, version in versions:
            if location not in places:  # a dataset's folder is looked up and listed once
                place = self._settings.path_of(location)
                places[location] = place, set() if "://" in place else set(self.versions(location))
            place, there = places[location]
            if "://" in place:
                path = self._inside(location, version)
                total += int(self._system(path).du(path))
                continue
            for folder, _, names in os.walk(f"{place}/{version}") if version in there else ():
                for name in names:
                    stat = os.stat(f"{folder}/{name}")  # noqa: PTH116  (thousands of versions)
                    links.setdefault((stat.st_dev, stat.st_ino), [stat.st_size, stat.st_nlink, 0])[2] += 1
        return total + sum(size for size, there_are, gone in links.values() if gone >= there_are)

    # Paths

    def _inside(self, location: str, version: str, *names: str) -> str:
        return "/".join([self._settings.path_of(location), version, *names])

    def _names(self, path: str) -> list[str]:
        if "://" not in path:
            try:
                return os.listdir(path)  # noqa: PTH208  (thousands of versions)
            except (FileNotFoundError, NotADirectoryError):
                return []
        system = self._system(path)
        system.invalidate_cache(path)
        try:
            return [PurePosixPath(entry.rstrip("/")).name for entry in system.ls(path, detail=False)]
        except FileNotFoundError:
            return []

    def _read(self, path: str) -> bytes | None:
        try:
            return bytes(self._system(path).cat_file(path)) if "://" in path else Path(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _system(self, url: str) -> Any:
        import fsspec

        protocol = url.partition("://")[0]
        if protocol not in self._systems:
            self._systems[protocol] = fsspec.filesystem(protocol, **self._settings.storage)
        return self._systems[protocol]


def manifest_or_reason(text: bytes, where: str) -> Manifest | str:
    """A manifest, or why the text is none."""
    try:
        return Manifest.from_json(text, where)
    except ValueError as error:
        return str(error)


def digest_of_bytes(text: bytes) -> str:
    """SHA-256 of bytes, as `Manifest.text_digest` gives it for a manifest's file."""
    return hashlib.sha256(text).hexdigest()


def _content_of_stream(stream: Any, told: Callable[[int], None] | None) -> Content:
    digest, size = hashlib.sha256(), 0
    with stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            if told is not None:
                told(len(chunk))
    return Content(digest.hexdigest(), size)
