"""What decoding did, counted: for benchmarks, and for whoever asks where the time went."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Work:
    """What decoding did: tokens read (padding left out), tokens picked, seconds of each, passes, most rows at once."""

    read_tokens: int = 0
    new_tokens: int = 0
    read_s: float = 0.0
    decode_s: float = 0.0
    passes: int = 0
    most_rows: int = 0
    halvings: int = 0
