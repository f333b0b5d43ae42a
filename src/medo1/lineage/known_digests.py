"""Digests of files that have not changed since they were hashed, so that 140 GB of weights are hashed once.

For datasets, which ask each time that they load; `kedro audit verify` hashes.

A file counts as unchanged while its device, inode, size, and times of content and of status (nanoseconds) are the same;
the time of status cannot be set by a program, so a file that was changed and had its date set back is found out. As in
git's index, an entry is only trusted when the file was already older than the clock's grain at the time of hashing: a
file can change twice within one tick. Only large files are kept across processes, in the user's cache folder.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from pathlib import Path

from medo1.lineage.digests import Content, content_of_file, content_of_files, files_of_tree

# The coarsest clock of a file system in use (FAT, some network file systems): two seconds.
GRAIN_NS = 2_500_000_000
# Smaller files are hashed faster than a cache on disk pays for.
KEPT_FROM_BYTES = 16 << 20

SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    inode TEXT PRIMARY KEY, size INTEGER, modified INTEGER, status INTEGER, digest TEXT, hashed INTEGER
) WITHOUT ROWID
"""

Stat = tuple[str, int, int, int]


def cache_folder() -> Path:
    """Where medo1 keeps what can be made again: `MEDO1_CACHE`, else `medo1` in the user's cache folder."""
    named = os.environ.get("MEDO1_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "medo1"


class KnownDigests:
    """Contents of files by what the file system says of them. Safe for several threads and processes.

    Args:
        folder: where large files' digests are kept; None keeps them in this process only.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._memory: dict[Stat, tuple[Content, int]] = {}
        self._lock = threading.Lock()

    def of_tree(self, path: Path) -> Content:
        """Identity and size of a file or directory, as `content_of_tree` gives it."""
        if not path.is_dir():
            return self.of_file(path)
        files = files_of_tree(path)
        unknown = [file for file in files if self._known(_stat(file)) is None]
        if len(unknown) > 1:
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(min(len(unknown), os.cpu_count() or 1)) as pool:
                hashed = dict(zip(unknown, pool.map(self.of_file, unknown), strict=True))
        else:
            hashed = {file: self.of_file(file) for file in unknown}
        contents = [hashed.get(file) or self.of_file(file) for file in files]
        return content_of_files([file.relative_to(path).as_posix() for file in files], contents)

    def of_file(self, path: Path) -> Content:
        """Digest and size of a file, hashed only if it changed since it was hashed last."""
        before = _stat(path)
        known = self._known(before)
        if known is not None:
            return known
        now = time.time_ns()
        content = content_of_file(path)
        if _stat(path) == before:  # not written to meanwhile
            self._learn(before, content, now)
        return content

    def _known(self, stat: Stat) -> Content | None:
        with self._lock:
            found = self._memory.get(stat)
        if found is None and stat[1] >= KEPT_FROM_BYTES:
            found = self._read(stat)
        if found is None or found[1] - max(stat[2], stat[3]) < GRAIN_NS:
            return None
        return found[0]

    def _learn(self, stat: Stat, content: Content, now: int) -> None:
        with self._lock:
            self._memory[stat] = (content, now)
        if content.size_bytes >= KEPT_FROM_BYTES:
            self._write(stat, content, now)

    def _read(self, stat: Stat) -> tuple[Content, int] | None:
        database = self._database()
        if database is None:
            return None
        try:
            row = database.execute(
                "SELECT digest, hashed FROM files WHERE inode = ? AND size = ? AND modified = ? AND status = ?",
                stat,
            ).fetchone()
        except sqlite3.Error:
            return None
        finally:
            database.close()
        return (Content(row[0], stat[1]), row[1]) if row else None

    def _write(self, stat: Stat, content: Content, now: int) -> None:
        database = self._database()
        if database is None:
            return
        try:
            with database:
                database.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", (*stat, content.digest, now))
        except sqlite3.Error:
            pass  # a cache that cannot be written to is only slower
        finally:
            database.close()

    def _database(self) -> sqlite3.Connection | None:
        if self._folder is None:
            return None
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            database = sqlite3.connect(self._folder / "digests.sqlite", timeout=5)
            database.execute(SCHEMA)
        except (OSError, sqlite3.Error):
            return None
        return database


KNOWN = KnownDigests(cache_folder())


def _stat(path: Path) -> Stat:
    found = path.stat()
    return f"{found.st_dev}:{found.st_ino}", found.st_size, found.st_mtime_ns, found.st_ctime_ns
