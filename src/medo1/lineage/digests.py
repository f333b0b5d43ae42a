"""Digests: the identity of bytes and of values.

Every identity in medo1 (a question, a request, a dataset version) is a SHA-256 over a canonical form, written as
lower-case hex. SHA-256 because it is the one that other tools can check (`sha256sum`), and fast where the processor
has instructions for it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

CHUNK_BYTES = 1 << 20


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


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes, read in chunks: flat memory at any size."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def digest_of_tree(path: Path) -> str:
    """Identity of a file or of a directory: for a directory, the digest of its sorted list of (relative path, digest).

    Hidden and temporary names count too: a directory with one file more is another directory.
    """
    if path.is_file():
        return digest_of_file(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return digest_of_value([[file.relative_to(path).as_posix(), digest_of_file(file)] for file in files])


def seed_from(*parts: str | int) -> int:
    """A 31-bit seed that depends on each of its parts and on nothing else.

    One seed for many prompts correlates their samples, so each question and sample gets its own:
    `seed_from(run_seed, question_id, sample)`. 31 bits because that is what every engine accepts.
    """
    return int(digest_of_value(list(parts))[:8], 16) >> 1
