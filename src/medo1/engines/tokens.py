"""Guesses at token counts before a server has counted them, for limits, reservations and estimates.

Byte-level tokenizers make at most one token per byte
and, on English medical prose, one per 4.0 to 4.5 bytes; other scripts run to about one per 2. A guess is meant to be
right on average, a bound to be never too low in practice.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from medo1.engines.base import Message

BYTES_PER_TOKEN = 4.0
FEWEST_BYTES_PER_TOKEN = 2.0
TOKENS_PER_MESSAGE = 8  # role, separators, and what a chat template puts in front


def prompt_bytes(messages: Iterable[Message]) -> tuple[int, int]:
    """UTF-8 bytes and number of messages."""
    sizes = [len(message.content.encode("utf-8", "replace")) for message in messages]
    return sum(sizes), len(sizes)


def prompt_tokens_guess(messages: Iterable[Message]) -> int:
    """About how many tokens a prompt has."""
    size, count = prompt_bytes(messages)
    return math.ceil(size / BYTES_PER_TOKEN) + TOKENS_PER_MESSAGE * count


def prompt_tokens_bound(messages: Iterable[Message]) -> int:
    """How many tokens a prompt has at most, for reserving money."""
    size, count = prompt_bytes(messages)
    return math.ceil(size / FEWEST_BYTES_PER_TOKEN) + TOKENS_PER_MESSAGE * count
