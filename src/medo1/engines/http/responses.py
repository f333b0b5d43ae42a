"""Parsing responses of the chat completions protocol: JSON or an event stream to completions, or to a failure.

Pure functions. Source: the OpenAI API reference and vLLM's OpenAI-compatible server, with what real servers do beyond
it: content as a list of parts, a thought in fields of several names or within the content, an unrequested
event stream, errors inside a response with status 200, choices that are empty, a body that is a proxy's page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from medo1.engines.base import Completion, FinishReason, Request
from medo1.engines.confidence import token_confidence
from medo1.engines.http.failures import Failure, failure_within, shown
from medo1.engines.http.finish import FIELDS, Ending, ending
from medo1.engines.http.usage import Usage, usage_of
from medo1.engines.thought import apart, storable
from medo1.engines.tokens import prompt_tokens_bound

THOUGHTS = ("reasoning_content", "reasoning", "thinking", "thought", "thinking_content", "reasoning_details")
TEXT_PARTS = {"text", "output_text", None}
THOUGHT_PARTS = {
    "thinking",
    "reasoning",
    "thought",
    "summary_text",
    "reasoning_text",
    "reasoning.text",
    "reasoning.summary",
}


class ResponseError(Exception):
    """A response with status 200 that holds no usable answer; `failure` says what it means."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.text)
        self.failure = failure


@dataclass(slots=True)
class _Choice:
    """A choice, laid open."""

    index: int
    text: str
    thought: str
    ending: Ending | None
    word: str
    logprobs: list[Mapping[str, Any]]


def completions_from(group: Sequence[Request], payload: bytes, latency_s: float) -> list[Completion]:
    """The completions of a group, in its order; fewer than asked for when the server gave fewer choices.

    Raises:
        ResponseError: the body is no JSON, or holds an error, or no choice with an answer.
    """
    return _completions(group, _parsed(payload), payload, latency_s)


def completions_of_events(
    group: Sequence[Request], events: Sequence[Mapping[str, Any]], latency_s: float
) -> list[Completion]:
    """As `completions_from`, of the events of a stream.

    Raises:
        ResponseError: it breaks off, holds an error, or holds no answer.
    """
    return _completions(group, _put_together(events, done=False), b"", latency_s)


def _completions(
    group: Sequence[Request], answer: Mapping[str, Any], payload: bytes, latency_s: float
) -> list[Completion]:
    if (failure := failure_within(answer)) is not None:
        raise ResponseError(failure)
    choices = answer.get("choices")
    if not isinstance(choices, list):
        raise _unusable(f"the answer has no list `choices`: {shown(payload)}", answer)
    if not choices:
        raise _unusable("the answer's `choices` is empty", answer)
    opened = [_opened(choice, place, answer, payload) for place, choice in enumerate(choices[: len(group)])]
    opened.sort(key=lambda choice: choice.index)
    prompt = "\n".join(message.content for message in group[0].messages)
    usage = usage_of(answer, prompt, [one.text for one in opened], [one.thought for one in opened])
    lengths = [len(one.logprobs) or len(one.text) + len(one.thought) for one in opened]
    spent, thought = _shares(usage.completion, lengths), _shares(usage.reasoning, lengths)
    unseen_prompt, unseen_completion = _unseen(group[0], usage, len(opened))
    told = []
    for place, (request, choice) in enumerate(zip(group, opened, strict=False)):
        finish, odd = _finish(choice, spent[place], request.sampling.max_new_tokens)
        confidence = token_confidence(choice.logprobs)
        one = Completion(
            key=request.key,
            text=choice.text,
            finish_reason=finish,
            error=odd,
            prompt_tokens=usage.prompt,
            completion_tokens=spent[place],
            mean_logprob=confidence.mean_logprob,
            self_certainty=confidence.self_certainty,
            confidence=confidence.confidence,
            lowest_confidence=confidence.lowest,
            latency_s=latency_s,
            model=storable(str(answer.get("model") or "")),
            reasoning=choice.thought,
            reasoning_tokens=thought[place],
            cached_prompt_tokens=usage.cached,
            shared=len(opened),
            unseen_prompt_tokens=0 if place else unseen_prompt,
            unseen_completion_tokens=unseen_completion,
        )
        told.append(apart(one))
    return told


def _unseen(request: Request, usage: Usage, choices: int) -> tuple[int, int]:
    """Tokens that must be taken as billed although the server does not say so: the most that they can have been."""
    prompt = prompt_tokens_bound(request.messages) if usage.prompt is None else 0
    return prompt, request.sampling.max_new_tokens if usage.completion is None else 0


def _parsed(payload: bytes) -> dict[str, Any]:
    head = payload.lstrip()[:16]
    if head.startswith((b"data:", b"event:", b":", b"id:")):
        return _of_events(payload)
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError):
        raise ResponseError(_unread(f"the answer is not JSON: {shown(payload)}")) from None
    if not isinstance(answer, dict):
        raise ResponseError(_unread(f"the answer is no JSON object: {shown(payload)}"))
    return answer


def _unread(text: str) -> Failure:
    return Failure("unusable", text, billed=True)


def _unusable(text: str, answer: Mapping[str, Any]) -> ResponseError:
    """An answer that is none, with what the server says that it cost."""
    usage = usage_of(answer, "", [], [])
    return ResponseError(replace(_unread(text), prompt_tokens=usage.prompt, completion_tokens=usage.completion))


def _of_events(payload: bytes) -> dict[str, Any]:
    """An event stream put together as the answer that it would have been without streaming.

    Raises:
        ResponseError: it breaks off, or holds an error.
    """
    events: list[Mapping[str, Any]] = []
    done = False
    for line in payload.decode("utf-8", "replace").split("\n"):
        name, _, data = line.rstrip("\r").partition(":")
        data = data.strip()
        if name != "data" or not data:
            continue
        if data == "[DONE]":
            done = True
            break
        try:
            event = json.loads(data)
        except (ValueError, RecursionError):
            raise ResponseError(_unread(f"an event of the answer is not JSON: {shown(data.encode())}")) from None
        if isinstance(event, dict):
            events.append(event)
    return _put_together(events, done=done)


def _put_together(events: Sequence[Mapping[str, Any]], *, done: bool) -> dict[str, Any]:
    """The answer that a stream's events make; `done` says that the stream told its end."""
    whole: dict[str, Any] = {}
    choices: dict[int, dict[str, Any]] = {}
    for event in events:
        if (failure := failure_within(event)) is not None:
            raise ResponseError(failure)
        whole |= {name: value for name, value in event.items() if name != "choices" and value is not None}
        for choice in event.get("choices") or ():
            if isinstance(choice, dict):
                _grown(choices.setdefault(_index(choice, 0), {"message": {}}), choice)
    ended = done or (choices and all(any(map(choice.get, FIELDS)) for choice in choices.values()))
    if not ended:
        raise ResponseError(_unread("the answer is an event stream that breaks off"))
    return {**whole, "choices": [{**choice, "index": index} for index, choice in sorted(choices.items())]}


def _grown(choice: dict[str, Any], event: dict[str, Any]) -> None:
    """Add an event's part of a choice to what came of it before."""
    message = choice["message"]
    delta = event.get("delta") or event.get("message") or {}
    for name, value in delta.items() if isinstance(delta, dict) else ():
        if name in {"content", "refusal", *THOUGHTS}:
            message[name] = (message.get(name) or "") + _text_of(value)[0] if value is not None else message.get(name)
        elif value is not None:
            message[name] = value
    for name, value in event.items():
        if name == "logprobs" and isinstance(value, dict):
            tokens = choice.setdefault("logprobs", {"content": []})["content"]
            tokens += value.get("content") or []
        elif name not in {"delta", "message", "logprobs"} and value is not None:
            choice[name] = value


def _opened(choice: Any, place: int, answer: Mapping[str, Any], payload: bytes) -> _Choice:
    """A choice with its text, thought and ending laid open.

    Raises:
        ResponseError: there is no answer in it.
    """
    if not isinstance(choice, dict):
        raise _unusable(f"a choice is no JSON object: {shown(payload)}", answer)
    if (failure := failure_within(choice)) is not None:
        raise ResponseError(failure)
    message = choice.get("message")
    if not isinstance(message, dict):
        if isinstance(choice.get("text"), str):  # the older completions form
            message = {"content": choice["text"]}
        else:
            raise _unusable(f"a choice has no `message`: {shown(payload)}", answer)
    how, word = ending(choice, message, answer)
    text, thought = _text_of(message.get("content"))
    for name in THOUGHTS:
        if apart_thought := _text_of(message.get(name), thought=True)[1]:
            thought = thought + apart_thought
            break
    if not text and isinstance(message.get("refusal"), str) and message["refusal"]:
        text, how, word = message["refusal"], "content_filter", "refusal"
    if how == "unusable" and not (text and word.lower().startswith(("tool", "function"))):
        raise _unusable(f"the server gave up on the answer, or called a tool (finish reason {word!r})", answer)
    if how == "unusable":  # text beside a call to a tool that was not offered
        how = None
    called = bool(message.get("tool_calls") or message.get("function_call"))
    empty = not text and not thought and how in {"stop", None}
    if empty and (called or not isinstance(message.get("content"), str)):  # an empty text is one
        tools = " but calls of tools" if called else ""
        raise _unusable(f"the answer holds no text{tools}, although it says that it is complete", answer)
    logprobs = choice.get("logprobs")
    tokens = logprobs.get("content", _of_completions(logprobs)) if isinstance(logprobs, dict) else None
    tokens = [one for one in tokens if isinstance(one, dict)] if isinstance(tokens, list) else []
    return _Choice(_index(choice, place), storable(text), storable(thought), how, storable(word), tokens)


def _of_completions(logprobs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The log-probabilities of the older completions form, parallel lists, as the chat form has them."""
    chosen, shown = logprobs.get("token_logprobs"), logprobs.get("top_logprobs")
    if not isinstance(chosen, list):
        return []
    tops = shown if isinstance(shown, list) and len(shown) == len(chosen) else [None] * len(chosen)
    return [
        {
            "logprob": value,
            "top_logprobs": [{"token": token, "logprob": one} for token, one in top.items()]
            if isinstance(top, Mapping)
            else [],
        }
        for value, top in zip(chosen, tops, strict=True)
    ]


def _index(choice: Mapping[str, Any], place: int) -> int:
    index = choice.get("index")
    return index if isinstance(index, int) and not isinstance(index, bool) else place


def _text_of(content: Any, *, thought: bool = False) -> tuple[str, str]:
    """Text and thought of a message's content: a string, or a list of parts.

    Args:
        content: as it came.
        thought: it came in a field that holds thought: all text in it is.
    """
    if isinstance(content, str):
        return ("", content) if thought else (content, "")
    if isinstance(content, Mapping):
        content = [content]
    if not isinstance(content, list):
        return "", ""
    texts: list[str] = []
    thoughts: list[str] = []
    for part in content:
        if isinstance(part, str):
            (thoughts if thought else texts).append(part)
        if not isinstance(part, Mapping):
            continue
        kind = part.get("type")
        within = next(
            (part[name] for name in ("text", "thinking", "reasoning", "summary", "content") if part.get(name)), ""
        )
        told = within if isinstance(within, str) else "".join(_text_of(within, thought=thought))
        if thought or kind in THOUGHT_PARTS or part.get("thought") is True:
            thoughts.append(told)
        elif kind in TEXT_PARTS or kind == "refusal":
            texts.append(told)
    return "".join(texts), "".join(thoughts)


def _finish(choice: _Choice, tokens: int | None, limit: int) -> tuple[FinishReason, str | None]:
    """How a completion ended, and what is odd about that. What is not known to be complete counts as truncated."""
    if choice.ending in {"stop", "length", "content_filter"}:
        if choice.ending == "stop" and not choice.text and tokens is not None and tokens >= limit:
            return "length", None  # a thought that used all tokens
        return choice.ending, None
    if choice.word:
        return "length", f"the finish reason {choice.word!r} is not known: counted as cut"
    if tokens is not None and tokens < limit:
        return "stop", None
    return "length", "the server does not say how the answer ended: counted as cut"


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
