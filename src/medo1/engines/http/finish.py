"""How a completion ended, from what providers report, field by field.

Sources: the API references of OpenAI, Azure, Anthropic, Google (Gemini), Mistral, Cohere, DeepSeek, Amazon Bedrock,
OpenRouter, Ollama, LM Studio; Hugging Face's TGI, vLLM, SGLang and llama.cpp's server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Ending = Literal["stop", "length", "content_filter", "unusable"]

# The fields of a choice, its message or the whole response that report it.
FIELDS = (
    "finish_reason", "native_finish_reason", "stop_reason", "finishReason", "stopReason", "done_reason", "stop_type",
)  # fmt: skip
ENDINGS: dict[str, Ending] = {
    # the model ended it, or came to a stop text
    **dict.fromkeys(
        ("stop", "end_turn", "stop_sequence", "eos", "eos_token", "complete", "finished", "end", "word", "reason_stop",
         "eosfound", "stopstringfound", "finish_reason_stop", "stop_token"),
        "stop",
    ),
    # a limit cut it
    **dict.fromkeys(
        ("length", "max_tokens", "max_token", "max_output_tokens", "max_length", "model_length", "error_limit", "limit",
         "context_length", "context_length_exceeded", "model_context_window_exceeded", "maxpredictedtokensreached",
         "contextlengthreached", "reason_max_len", "reason_max_context", "finish_reason_max_tokens", "pause_turn",
         "time_limit", "max_time"),
        "length",
    ),
    # a filter withheld it
    **dict.fromkeys(
        ("content_filter", "content_filtered", "safety", "recitation", "blocklist", "prohibited_content", "spii",
         "language", "refusal", "guardrail_intervened", "guardrails", "error_toxic", "image_safety", "sensitive"),
        "content_filter",
    ),
    # there is no answer, although something came: the server gave up, or the model called a tool that it was not given
    **dict.fromkeys(
        ("abort", "aborted", "cancelled", "canceled", "error", "failed", "load", "insufficient_system_resource",
         "tool_calls", "tool_use", "function_call", "tool_call", "toolcalls", "malformed_function_call",
         "unexpected_tool_call", "modelunloaded", "userstopped", "timeout", "network_error"),
        "unusable",
    ),
}  # fmt: skip
STRICTEST: tuple[Ending, ...] = ("unusable", "content_filter", "length", "stop")


def ending(*places: Mapping[str, Any]) -> tuple[Ending | None, str]:
    """How a completion ended, and the word for it that decided.

    Args:
        places: the choice, its message and the whole answer. Where several fields speak, the worse news holds.

    Returns:
        None as the ending where no field says anything, or none says a known word; the word is empty or unknown then.
    """
    said = [(name, str(word)) for place in places for name in FIELDS if (word := place.get(name)) not in (None, "")]
    plainly = any(name == "finish_reason" and _plain(word) in ENDINGS for name, word in said)
    known: dict[Ending, str] = {}
    for name, word in said:
        # vLLM's `stop_reason` is the stop text or token that ended the answer, which may be any word.
        found = None if plainly and name == "stop_reason" else ENDINGS.get(_plain(word))
        if found is not None:
            known.setdefault(found, word)
    for one in STRICTEST:
        if one in known:
            return one, known[one]
    return None, said[0][1] if said else ""


def _plain(word: str) -> str:
    return word.strip().lower().replace("-", "_").replace(" ", "_")
