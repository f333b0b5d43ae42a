"""Requests as the chat completions protocol has them: pure functions from requests to a JSON body.

Nothing here sends, waits or remembers.

Source: the OpenAI API reference (chat completions, reasoning models) and vLLM's OpenAI-compatible server.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from medo1.engines.base import Message, Request, beyond_top_p
from medo1.engines.thought import storable

# Models that think before they answer refuse `max_tokens` and a temperature. The name is a first guess, which the
# server's own refusals correct (`learned`).
REASONING = re.compile(r"(^|/)(o[1-9]|gpt-[5-9])(?!\d)(?!.*chat)")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a server's model takes.

    Attributes:
        limit: the name of the limit on new tokens.
        dropped: names of parameters that are not sent because the model refuses them.
        system: how a system message is sent: under its own role, as `developer`, or in front of the first user message.
        limit_learned: the name of the limit was corrected by a refusal, and is not corrected again.
    """

    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    dropped: frozenset[str] = frozenset()
    system: Literal["system", "developer", "user"] = "system"
    limit_learned: bool = False


@dataclass(frozen=True, slots=True)
class Extras:
    """What an engine adds to each request: its options, fixed for its life and part of its identity."""

    reasoning_effort: str | None = None
    logprobs: bool = False
    top_logprobs: int = 20
    send_seed: bool = True
    continuation: Literal["native", "ask", "refuse"] = "refuse"
    continue_text: str = "Continue exactly where you stopped."
    body: tuple[tuple[str, Any], ...] = ()


def first_dialect(model: str, reasoning: bool | None) -> Dialect:
    """The dialect to begin with: by the model's name, or as the configuration says."""
    if reasoning if reasoning is not None else REASONING.search(model):
        return Dialect("max_completion_tokens", frozenset({"temperature", "top_p", "stop", "logprobs", "top_logprobs"}))
    return Dialect()


def chat_body(group: Sequence[Request], model: str, dialect: Dialect, extras: Extras) -> dict[str, Any]:
    """The JSON body that asks for one draw per request of `group`, which differ in key, sample and seed only."""
    request = group[0]
    if request.prompt_ids is not None:
        return _completions_body(group, request.prompt_ids, model, extras)
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": request.adapter.name if request.adapter is not None else model,
        "messages": _messages(request.messages, dialect, extras),
        dialect.limit: sampling.max_new_tokens,
        "temperature": sampling.temperature,
    }
    if sampling.top_p != 1.0:
        body["top_p"] = sampling.top_p
    body |= beyond_top_p(sampling)
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if len(group) > 1:
        body["n"] = len(group)
    if extras.send_seed and request.seed is not None:
        body["seed"] = request.seed
    if extras.logprobs:
        body["logprobs"] = True
        if extras.top_logprobs and sampling.temperature > 0:  # a greedy answer has no vote to weight
            body["top_logprobs"] = extras.top_logprobs
    if extras.reasoning_effort is not None:
        body["reasoning_effort"] = extras.reasoning_effort
    body.update(extras.body)
    if request.adapter is not None and (arguments := request.adapter.template_arguments):
        body["chat_template_kwargs"] = {**body.get("chat_template_kwargs", {}), **arguments}
    if request.messages[-1].role == "assistant" and extras.continuation == "native":
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    for name in dialect.dropped:
        body.pop(name, None)
    return body


def path_of(body: Mapping[str, Any]) -> str:
    """Where a body is sent."""
    return "/completions" if "prompt" in body else "/chat/completions"


def _completions_body(
    group: Sequence[Request], prompt_ids: Sequence[int], model: str, extras: Extras
) -> dict[str, Any]:
    """The body for the older completions endpoint, with the prompt as tokens: nothing renders it again."""
    request = group[0]
    sampling = request.sampling
    shown = extras.top_logprobs if sampling.temperature > 0 else 0
    options = {name: value for name, value in extras.body if name != "chat_template_kwargs"}
    return {
        "model": request.adapter.name if request.adapter is not None else model,
        "prompt": list(prompt_ids),
        "max_tokens": sampling.max_new_tokens,
        "temperature": sampling.temperature,
        **({"top_p": sampling.top_p} if sampling.top_p != 1.0 else {}),
        **beyond_top_p(sampling),
        **({"stop": list(sampling.stop)} if sampling.stop else {}),
        **({"n": len(group)} if len(group) > 1 else {}),
        **({"seed": request.seed} if extras.send_seed and request.seed is not None else {}),
        **({"logprobs": shown, "return_tokens_as_token_ids": True} if extras.logprobs else {}),
        **options,
    }


def body_bytes(body: Any) -> bytes:
    """A body as JSON; halves of surrogate pairs, which UTF-8 does not have, as U+FFFD."""
    return storable(json.dumps(body, ensure_ascii=False)).encode()


def _messages(messages: tuple[Message, ...], dialect: Dialect, extras: Extras) -> list[dict[str, str]]:
    turns = [{"role": message.role, "content": message.content} for message in messages]
    if messages[-1].role == "assistant" and extras.continuation == "ask":
        turns.append({"role": "user", "content": extras.continue_text})
    if dialect.system == "system" or all(message.role != "system" for message in messages):
        return turns
    if dialect.system == "developer":
        return [{**turn, "role": "developer"} if turn["role"] == "system" else turn for turn in turns]
    told = "\n\n".join(turn["content"] for turn in turns if turn["role"] == "system")
    rest = [turn for turn in turns if turn["role"] != "system"]
    first = next((turn for turn in rest if turn["role"] == "user"), None)
    if first is None:
        return [{"role": "user", "content": told}, *rest]
    first["content"] = f"{told}\n\n{first['content']}"
    return rest
