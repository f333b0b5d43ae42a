"""The chat completions protocol as pure functions: requests to a JSON body, a response to completions or to a failure.

Nothing here sends, waits or remembers.

Source: the OpenAI API reference (chat completions, errors, reasoning models) and vLLM's OpenAI-compatible server, with
what real servers do beyond it: a usage that is missing or wrong, choices that are empty, a body that is a proxy's page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from medo1.engines.base import Completion, FinishReason, Message, Request
from medo1.engines.http.limits import retry_after_s
from medo1.engines.http.secrets import without_secrets

# Models that think before they answer refuse `max_tokens` and a temperature. The name is a first guess, which the
# server's own refusals correct (`learned`).
REASONING = re.compile(r"(^|/)(o[1-9]|gpt-[5-9])(?!\d)(?!.*chat)")
FINISH: dict[str | None, FinishReason] = {
    "stop": "stop", "eos_token": "stop", "end_turn": "stop", None: "stop",
    "length": "length", "max_tokens": "length", "content_filter": "content_filter",
}  # fmt: skip
ERROR_TEXT = 500  # characters of a server's error text that are kept

Kind = Literal["refused", "retry", "parameter", "request", "filtered", "fatal"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What a server's model takes.

    Attributes:
        limit: the name of the limit on new tokens.
        dropped: names of parameters that are not sent because the model refuses them.
        system: how a system message is sent: under its own role, as `developer`, or in front of the first user message.
    """

    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    dropped: frozenset[str] = frozenset()
    system: Literal["system", "developer", "user"] = "system"


@dataclass(frozen=True, slots=True)
class Extras:
    """What an engine adds to each request: its options, fixed for its life and part of its identity."""

    reasoning_effort: str | None = None
    logprobs: bool = False
    send_seed: bool = True
    continuation: Literal["native", "ask", "refuse"] = "refuse"
    continue_text: str = "Continue exactly where you stopped."
    body: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a response holds no completion.

    Attributes:
        kind: `refused` (too fast: wait, then send again; nothing was billed), `retry` (the server failed),
            `parameter` (the model does not take a parameter: see `learned`), `request` (this request can never be
            answered), `filtered` (refused by a content filter), `fatal` (no request can be answered).
        text: status and the server's words.
        code, param: as the server names them.
        retry_after_s: when to come back, where said.
    """

    kind: Kind
    text: str
    code: str = ""
    param: str = ""
    retry_after_s: float | None = None


class UnusableError(ValueError):
    """A response with status 200 that holds no usable answer."""


def first_dialect(model: str, reasoning: bool | None) -> Dialect:
    """The dialect to begin with: by the model's name, or as the configuration says."""
    if reasoning if reasoning is not None else REASONING.search(model):
        return Dialect("max_completion_tokens", frozenset({"temperature", "top_p", "stop", "logprobs"}))
    return Dialect()


def chat_body(group: Sequence[Request], model: str, dialect: Dialect, extras: Extras) -> dict[str, Any]:
    """The JSON body that asks for one draw per request of `group`, which differ in key, sample and seed only."""
    request = group[0]
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": request.adapter.name if request.adapter is not None else model,
        "messages": _messages(request.messages, dialect, extras),
        dialect.limit: sampling.max_new_tokens,
        "temperature": sampling.temperature,
    }
    if sampling.top_p != 1.0:
        body["top_p"] = sampling.top_p
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if len(group) > 1:
        body["n"] = len(group)
    if extras.send_seed and request.seed is not None:
        body["seed"] = request.seed
    if extras.logprobs:
        body["logprobs"] = True
    if extras.reasoning_effort is not None:
        body["reasoning_effort"] = extras.reasoning_effort
    body.update(extras.body)
    if request.messages[-1].role == "assistant" and extras.continuation == "native":
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    for name in dialect.dropped:
        body.pop(name, None)
    return body


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


def learned(dialect: Dialect, failure: Failure) -> Dialect | None:
    """The dialect after a refused parameter; None where nothing can be done about it."""
    about = f"{failure.param} {failure.text}"
    if "max_completion_tokens" in about and dialect.limit == "max_tokens":
        return replace(dialect, limit="max_completion_tokens")
    if "max_tokens" in about and dialect.limit == "max_completion_tokens":
        return replace(dialect, limit="max_tokens")
    if "role" in about and dialect.system != "user":
        wants_developer = "developer" in failure.text and dialect.system == "system"
        return replace(dialect, system="developer" if wants_developer else "user")
    for name in ("temperature", "top_p", "stop", "seed", "logprobs", "reasoning_effort"):
        if name in {*about.split(), failure.param} or f"'{name}'" in about:
            return None if name in dialect.dropped else replace(dialect, dropped=dialect.dropped | {name})
    return None


def completions_from(group: Sequence[Request], payload: bytes, latency_s: float) -> list[Completion]:
    """The completions of a group, in its order; fewer than asked for when the server gave fewer choices.

    Raises:
        UnusableError: the body is no JSON, or holds no choice with a text.
    """
    try:
        answer = json.loads(payload)
    except ValueError:
        raise UnusableError(f"the answer is not JSON: {_shown(payload)}") from None
    if not isinstance(answer, dict) or not isinstance(choices := answer.get("choices"), list):
        raise UnusableError(f"the answer has no list `choices`: {_shown(payload)}")
    if not choices:
        raise UnusableError("the answer's `choices` is empty")
    choices = [_checked(choice, payload) for choice in choices[: len(group)]]
    choices.sort(key=lambda choice: choice["index"] if isinstance(choice.get("index"), int) else 0)
    usage = answer["usage"] if isinstance(answer.get("usage"), dict) else {}
    lengths = [_length(choice) for choice in choices]
    spent = _shares(_count(usage, "completion_tokens"), lengths)
    thought = _shares(_count(usage.get("completion_tokens_details"), "reasoning_tokens"), lengths)
    return [
        Completion(
            key=request.key,
            text=choice["text"],
            finish_reason=choice["finish"],
            prompt_tokens=_count(usage, "prompt_tokens"),
            completion_tokens=spent[place],
            mean_logprob=_mean_logprob(choice),
            latency_s=latency_s,
            model=str(answer.get("model") or ""),
            reasoning=choice["reasoning"],
            reasoning_tokens=thought[place],
            cached_prompt_tokens=_count(usage.get("prompt_tokens_details"), "cached_tokens"),
            shared=len(choices),
        )
        for place, (request, choice) in enumerate(zip(group, choices, strict=False))
    ]


def _checked(choice: Any, payload: bytes) -> dict[str, Any]:
    """A choice with its text, thought and finish reason laid open."""
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise UnusableError(f"a choice has no `message`: {_shown(payload)}")
    reported = choice.get("finish_reason")
    finish = FINISH.get(reported, "stop")
    if reported in {"abort", "error"}:
        raise UnusableError(f"the server gave up on the answer (finish_reason {reported!r})")
    text = message.get("content")
    if text is None and isinstance(message.get("refusal"), str):
        text, finish = message["refusal"], "content_filter"
    if not isinstance(text, str):
        if finish == "stop":
            raise UnusableError("the answer holds no text although it says that it is complete")
        text = ""
    thought = message.get("reasoning_content") or message.get("reasoning")
    return {**choice, "text": text, "finish": finish, "reasoning": thought if isinstance(thought, str) else ""}


def _count(usage: Any, name: str) -> int | None:
    """A token count if it is one; a server's nonsense is not carried into sums."""
    value = usage.get(name) if isinstance(usage, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _tokens(choice: Mapping[str, Any]) -> list[Any]:
    logprobs = choice.get("logprobs")
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    return content if isinstance(content, list) else []


def _length(choice: Mapping[str, Any]) -> int:
    return len(_tokens(choice)) or len(choice["text"]) + len(choice["reasoning"])


def _shares(total: int | None, lengths: Sequence[int]) -> list[int | None]:
    """A total that a server gives for several choices, divided by their lengths so that the shares add up to it."""
    if total is None:
        return [None] * len(lengths)
    if len(lengths) == 1:
        return [total]
    whole = sum(lengths) or len(lengths)
    exact = [total * (length or (whole == len(lengths))) / whole for length in lengths]
    shares: list[int | None] = [int(share) for share in exact]
    rest = total - sum(int(share) for share in exact)
    for place in sorted(range(len(exact)), key=lambda place: int(exact[place]) - exact[place])[:rest]:
        shares[place] = int(exact[place]) + 1
    return shares


def _mean_logprob(choice: Mapping[str, Any]) -> float | None:
    values = [token.get("logprob") for token in _tokens(choice) if isinstance(token, dict)]
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    return sum(numbers) / len(numbers) if numbers else None


def failure_from(status: int, headers: Mapping[str, str], payload: bytes) -> Failure:  # noqa: PLR0911
    """What a response with a status other than 200 means."""
    text, code, param = _error_words(payload)
    if status in range(300, 400) and (location := headers.get("location")):
        text = f"moved to {without_secrets(location)}: write that address as the engine's `base_url`"
    text = f"HTTP {status}: {text or 'no reason given'}"
    wait = retry_after_s(headers)
    if code in {"insufficient_quota", "billing_hard_limit_reached", "account_deactivated"}:
        return Failure("fatal", text, code, param)
    if code in {"content_filter", "content_policy_violation"}:
        return Failure("filtered", text, code, param)
    if status in {429, 502, 503, 529}:  # too fast, no server behind the gateway, overloaded (529: Anthropic's gateways)
        return Failure("refused", text, code, param, wait)
    if status in {408, 409, 425} or status >= 500:  # noqa: PLR2004
        return Failure("retry", text, code, param, wait)
    if status in {401, 403, 404, 405} or 300 <= status < 400:  # noqa: PLR2004
        return Failure("fatal", text, code, param)
    if code in {"unsupported_parameter", "unsupported_value"} or "nsupported" in text or "not supported" in text:
        return Failure("parameter", text, code, param)
    return Failure("request", text, code, param)


def _error_words(payload: bytes) -> tuple[str, str, str]:
    """A server's own message, code and parameter, in OpenAI's form, vLLM's, FastAPI's or none."""
    try:
        answer = json.loads(payload)
    except ValueError:
        return _shown(payload), "", ""
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    if isinstance(error, dict):
        words = error.get("message") or error.get("detail") or json.dumps(error)
        return str(words)[:ERROR_TEXT], str(error.get("code") or ""), str(error.get("param") or "")
    return str(error)[:ERROR_TEXT], "", ""


def _shown(payload: bytes) -> str:
    return repr(payload[:120].decode("utf-8", "replace")) if payload else "an empty body"
