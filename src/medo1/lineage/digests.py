"""Digests: the identity of bytes and of values.

Every identity in medo1 (a question, a request, a dataset version) is a SHA-256 over a canonical form, written as
lower-case hex. SHA-256 because it is the one that other tools can check (`sha256sum`), and fast where the processor
has instructions for it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

# Large enough that the kernel reads ahead; larger buffers fall out of the processor's cache and are slower.
CHUNK_BYTES = 1 << 20
# From this size on the files of a directory are hashed by several threads: hashlib lets go of the interpreter's lock.
THREADS_FROM_BYTES = 8 << 20


def canonical_json(value: Any) -> str:
    """The one JSON text of a value: keys sorted, no spaces, UTF-8 kept as it is.

    Raises:
        TypeError: for a value that JSON does not have (so that no identity rests on a `repr`).
        ValueError: for NaN and infinities, which JSON does not have either.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of_text(text: str) -> str:
    """SHA-256 of a text's UTF-8 bytes, 64 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of_value(value: Any) -> str:
    """SHA-256 of a JSON value's canonical text, 64 hex digits."""
    return digest_of_text(canonical_json(value))


class Content(NamedTuple):
    """What bytes are: their identity and how many there are. Of a directory: see `content_of_tree`."""

    digest: str
    size_bytes: int


def content_of_file(path: Path, told: Callable[[int], None] | None = None) -> Content:
    """SHA-256 and size of a file's bytes, read in chunks: flat memory at any size.

    Args:
        path: the file.
        told: called with the number of bytes of each chunk, for a progress bar.
    """
    if not path.is_file():  # a pipe would be waited for, a linked folder's files would not count
        raise (OSError if os.path.lexists(path) else FileNotFoundError)(f"{path} is no file, nor a folder of its own")
    digest, size = hashlib.sha256(), 0
    buffer = memoryview(bytearray(CHUNK_BYTES))
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(buffer[:count])
            size += count
            if told is not None:
                told(count)
    return Content(digest.hexdigest(), size)


def content_of_tree(path: Path, told: Callable[[int], None] | None = None) -> Content:
    """Identity and size of a file or of a directory.

    A directory's digest is that of its sorted list of (relative path, digest); its size is the sum of its files'.
    Hidden and temporary names count too: a directory with one file more is another directory. Several files are hashed
    at once.
    """
    if not path.is_dir():
        return content_of_file(path, told)
    files = files_of_tree(path)
    large = len(files) > 1 and sum(file.stat().st_size for file in files) >= THREADS_FROM_BYTES
    if large:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(len(files), os.cpu_count() or 1)) as pool:
            contents = list(pool.map(lambda file: content_of_file(file, told), files))
    else:
        contents = [content_of_file(file, told) for file in files]
    return content_of_files([file.relative_to(path).as_posix() for file in files], contents)


def content_of_files(names: list[str], contents: list[Content]) -> Content:
    """The identity of a directory from its files' relative names (sorted) and contents."""
    listed = [[name, content.digest] for name, content in zip(names, contents, strict=True)]
    return Content(digest_of_value(listed), sum(content.size_bytes for content in contents))


def files_of_tree(path: Path) -> list[Path]:
    """All below a directory but its own folders, sorted by path: files, and what a digest refuses (linked folders)."""
    found = []
    for folder, folders, names in os.walk(path):
        linked = [name for name in folders if Path(folder, name).is_symlink()]
        found += [Path(folder, name) for name in (*names, *linked)]
    return sorted(found)


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes, 64 hex digits."""
    return content_of_file(path).digest


def digest_of_tree(path: Path) -> str:
    """SHA-256 of a file, or the identity of a directory (see `content_of_tree`), 64 hex digits."""
    return content_of_tree(path).digest


class HashingFile(io.RawIOBase):
    """A new file that is hashed while it is written, so that nothing is read a second time.

    Only for writers that write from front to back; one that seeks is refused by the missing method.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb", buffering=0)
        self._digest = hashlib.sha256()
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        self._digest.update(view)
        left = view
        while left:  # a raw file may take less than it is given
            left = left[self._file.write(left) or 0 :]
        self._size += len(view)
        return len(view)

    def tell(self) -> int:
        return self._size

    def sync(self) -> None:
        """Have the bytes on disk when this returns."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()

    @property
    def content(self) -> Content:
        """Digest and size of what was written so far."""
        return Content(self._digest.hexdigest(), self._size)


def seed_from(*parts: str | int) -> int:
    """A 31-bit seed that depends on each of its parts and on nothing else.

    One seed for many prompts correlates their samples, so each question and sample gets its own:
    `seed_from(run_seed, question_id, sample)`. 31 bits because that is what every engine accepts.
    """
    return int(digest_of_value(list(parts))[:8], 16) >> 1
