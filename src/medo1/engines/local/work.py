"""Counters of decoding work, for benchmarks and profiling."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Work:
    """What decoding did: prompt tokens of prefills (padding left out), new tokens, seconds of each, decoding passes,
    most rows at once, and how often memory ran out and rows were preempted."""

    prefill_tokens: int = 0
    new_tokens: int = 0
    prefill_s: float = 0.0
    decode_s: float = 0.0
    passes: int = 0
    most_rows: int = 0
    preemptions: int = 0
