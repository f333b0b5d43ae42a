"""Cases packed for a page: gzip in base64, the index apart, texts in chunks of whole questions."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from medo1.page.explorer.case_texts import Cases

CHUNK_CHARACTERS = 150_000  # of a chunk before it is packed; a question of more has a chunk of its own


class Packed(NamedTuple):
    """The index of the cases and their chunks, as base64."""

    contents: str
    chunks: tuple[str, ...]

    @property
    def size(self) -> int:
        """Characters in all."""
        return len(self.contents) + sum(map(len, self.chunks))


def packed(cases: Cases) -> Packed:
    """The cases, packed: equal cases give equal texts."""
    chunks: list[list[Any]] = [[]]
    firsts, size = [0], 0
    for number, texts in enumerate(cases.texts):
        length = sum(len(one.get("text", "")) for one in texts["said"]) + len(texts["stem"] or "") + 200
        if chunks[-1] and size + length > CHUNK_CHARACTERS:
            chunks.append([])
            firsts.append(number)
            size = 0
        chunks[-1].append(texts)
        size += length
    return Packed(_pack({**cases.index, "firsts": firsts}), tuple(_pack(chunk) for chunk in chunks))


def _pack(value: Any) -> str:
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode()


def chunk_files(chunks: Sequence[str]) -> dict[str, str]:
    """A script for each chunk, by file name: a page that was opened from a disk may load scripts, and nothing else."""
    return {f"{number}.js": f'medo1Chunk({number},"{chunk}");\n' for number, chunk in enumerate(chunks)}
