"""A server's reported token usage, made consistent with itself and with the text received.

Servers leave the usage out, send nonsense, count a thought outside `completion_tokens` instead of within it, or use the
field names of their own API. Costs must not be underestimated: where the counts cannot be true, the most that the
request can have cost is used instead.

Sources: the API references of OpenAI, Anthropic and Google (Gemini); DeepSeek's `prompt_cache_hit_tokens`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PROMPT = ("prompt_tokens", "input_tokens", "promptTokenCount", "inputTokens", "prompt_eval_count")
COMPLETION = ("completion_tokens", "output_tokens", "candidatesTokenCount", "outputTokens", "eval_count")
REASONING = ("reasoning_tokens", "thoughtsTokenCount", "thinking_tokens")
CACHED = ("cached_tokens", "cachedContentTokenCount", "cache_read_input_tokens", "prompt_cache_hit_tokens")
TOTAL = ("total_tokens", "totalTokenCount", "totalTokens")
DETAILS = (
    "completion_tokens_details", "output_tokens_details", "prompt_tokens_details", "input_tokens_details",
)  # fmt: skip
MOST = 1 << 40  # tokens; what is above is nonsense
WORDS_PER_TOKEN = 2  # a tokenizer makes a token of a word at least; half as many are not believed
BYTES_PER_TOKEN = 24  # and of so many bytes, in scripts without spaces


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts of one answer; None where the server does not say, or says what cannot be.

    Attributes:
        completion: all that was generated, thought included.
        reasoning: those of `completion` that went into thought.
    """

    prompt: int | None = None
    completion: int | None = None
    reasoning: int | None = None
    cached: int | None = None


def usage_of(answer: Mapping[str, Any], prompt: str, texts: list[str], thoughts: list[str]) -> Usage:
    """The usage of an answer, reconciled.

    Args:
        answer: the response's JSON.
        prompt: the conversation's text, which prompt tokens are checked against.
        texts, thoughts: the text of each choice, which completion tokens are checked against.
    """
    said = next((answer[name] for name in ("usage", "usageMetadata") if isinstance(answer.get(name), Mapping)), answer)
    details = [said[name] for name in DETAILS if isinstance(said.get(name), Mapping)]
    asked = _first(PROMPT, said)
    completion = _first(COMPLETION, said)
    reasoning = _first(REASONING, said, *details)
    total = _first(TOTAL, said)
    if completion is not None and reasoning:
        visible = sum(map(fewest_tokens, texts))
        beside = total is not None and asked is not None and total >= asked + completion + reasoning
        if (
            beside
            or reasoning > completion
            or (visible > completion - reasoning > -1 and completion < reasoning + visible)
        ):
            completion += reasoning
    if total is not None and asked is not None and total > asked + (completion or 0):
        completion = total - asked  # whatever was counted and not named is paid
    shown = sum(map(fewest_tokens, [*texts, *thoughts]))
    if completion is not None and completion < shown:
        completion = reasoning = None
    if asked is not None and asked < fewest_tokens(prompt):
        asked = None
    return Usage(asked, completion, reasoning if completion is not None else None, _first(CACHED, said, *details))


def fewest_tokens(text: str) -> int:
    """Fewer tokens than this a text cannot have, whatever the tokenizer."""
    if not text:
        return 0
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return max(1, len(text.split()) // WORDS_PER_TOKEN, size // BYTES_PER_TOKEN // WORDS_PER_TOKEN)


def _first(names: tuple[str, ...], *places: Mapping[str, Any]) -> int | None:
    for place in places:
        for name in names:
            if (count := counted(place.get(name))) is not None:
                return count
    return None


def counted(value: Any) -> int | None:
    """A token count if it is one; a server's nonsense is not carried into sums."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST else None
