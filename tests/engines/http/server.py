"""A local server that speaks the OpenAI protocol and misbehaves on demand.

Who uses it: the tests of the engines (in a thread of the test: `with Server() as server`) and the kill tests and
benchmarks (as a process of its own: `with ServerProcess() as server`). It counts, per prompt, how often it was asked
and how often it answered in full, so that a test can say "paid exactly once" and mean it.

How it misbehaves is said in the prompt, so that a test reads as one line. `[faults: 429, reset]` in any message makes
the first attempt at that prompt fail with 429, the second with a reset connection, and the third succeed. A fault may
have a value: `429=0.2` sends `Retry-After: 0.2`.

    429[=s] 429_date=s 429_ms=ms 429_quota 500 503[=s] 401 403 404 echo_key hang=s slow=s reset reset_mid_body malformed
    html empty_choices no_choices length content_filter no_usage wrong_usage null_content no_text no_logprobs
    504 402 too_long bad_parameter unsupported=name shuffled finish=word (see HABITS for ways in which answers differ)
    gzip deflate deflate_raw gzip_cut gzip_never br zstd

A server-wide share of 429 answers (`share_429`) is drawn from a hash of prompt and attempt, so that runs repeat.
Written on `asyncio.Protocol`, because a slower server would be what a benchmark measures.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import gzip
import hashlib
import json
import re
import ssl
import subprocess
import sys
import threading
import urllib.request
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

FAULTS = re.compile(r"\[faults: ([^\]]*)\]")
JSON_TYPE = "application/json"


def prompt_of(body: dict[str, Any]) -> str:
    """The conversation as one text: what answers are counted by (with the seed, where the client sends one)."""
    turns = [f"{message.get('role')}: {message.get('content')}" for message in body.get("messages", [])]
    return "\n".join(turns) + (f"\nseed: {body['seed']}" if body.get("seed") is not None else "")


def default_answer(body: dict[str, Any]) -> str:
    """A text that depends on the prompt alone and states an answer."""
    digest = hashlib.sha256(prompt_of(body).encode()).hexdigest()
    return f"Considered {digest[:12]}.\nFinal answer: {'ABCD'[int(digest[0], 16) % 4]}"


class Service:
    """What the server knows: how to answer, and what it has counted."""

    def __init__(
        self,
        *,
        latency_s: float = 0.0,
        share_429: float = 0.0,
        retry_after_s: float | None = None,
        answer: Callable[[dict[str, Any]], str] = default_answer,
        served: tuple[str, ...] = (),
        batch_delay_s: float = 0.0,
        limit: int | None = None,
    ) -> None:
        self.latency_s = latency_s
        self.share_429 = share_429
        self.retry_after_s = retry_after_s
        self.answer = answer
        self.served = served  # model names that it knows; empty for any
        self.batch_delay_s = batch_delay_s
        self.limit = limit  # requests in work above which it answers 429, None for no limit
        self.received: Counter[str] = Counter()
        self.refusal_text = "Unsupported parameter: {name}"
        self.always = ""  # what goes wrong with every attempt
        self.paths: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.bodies: deque[dict[str, Any]] = deque(maxlen=5000)
        self.headers: deque[dict[str, str]] = deque(maxlen=500)
        self.statuses: Counter[int] = Counter()
        self.in_work = 0
        self.most_in_work = 0
        self.connections = 0
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.batch_faults: list[str] = []
        self.batch_lines: list[bytes] = []  # further lines of each output file
        self._round: float | None = None

    def arrival(self) -> float:
        """When the event loop's present round began: requests read in one round had all arrived by then."""
        loop = asyncio.get_running_loop()
        if self._round is None:
            self._round = loop.time()
            loop.call_soon(self._end_round)
        return self._round

    def _end_round(self) -> None:
        self._round = None

    def stats(self) -> dict[str, Any]:
        return {
            "received": dict(self.received),
            "answered": dict(self.answered),
            "requests": sum(self.received.values()),
            "answers": sum(self.answered.values()),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "most_in_work": self.most_in_work,
            "connections": self.connections,
            "batches": len(self.batches),
        }

    def totals(self) -> dict[str, Any]:
        return {key: value for key, value in self.stats().items() if key not in {"received", "answered"}}

    def fault(self, prompt: str, attempt: int) -> tuple[str, str]:
        """What goes wrong with this attempt (from 1): (kind, value), both empty for nothing."""
        if (found := FAULTS.search(prompt)) is not None:
            faults = [part.strip() for part in found[1].split(",")]
            if attempt <= len(faults):
                kind, _, value = faults[attempt - 1].partition("=")
                return kind, value
        if self.always:
            kind, _, value = self.always.partition("=")
            return kind, value
        if self.share_429:
            draw = int(hashlib.sha256(f"{prompt}#{attempt}".encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
            if draw < self.share_429:
                return "429", "" if self.retry_after_s is None else str(self.retry_after_s)
        return "", ""

    def completion(self, body: dict[str, Any], fault: str) -> dict[str, Any]:  # noqa: PLR0912
        """The protocol's answer to a chat request."""
        model = str(body.get("model"))
        prompt = prompt_of(body)
        limit = body.get("max_completion_tokens") or body.get("max_tokens") or 10**9
        choices = []
        total = 0
        for index in range(body.get("n") or 1):
            words = self.answer(body).split(" ")
            if index:
                words[0] = f"({index}) {words[0]}"
            finish = "stop"
            if len(words) > limit or fault == "length":
                words, finish = words[: min(limit, max(1, len(words) // 2))], "length"
            if fault == "content_filter":
                words, finish = [], "content_filter"
            total += len(words)
            message: dict[str, Any] = {"role": "assistant", "content": " ".join(words)}
            if fault == "null_content":
                message["content"] = None
            if fault == "no_text":
                message = {"role": "assistant"}
            choice: dict[str, Any] = {"index": index, "message": message, "finish_reason": finish}
            if body.get("logprobs") and fault != "no_logprobs":
                choice["logprobs"] = {"content": [self.logprob(word, body.get("top_logprobs", 0)) for word in words]}
            choices.append(choice)
        usage: dict[str, Any] | None = {
            "prompt_tokens": len(prompt.split()),
            "completion_tokens": total,
            "total_tokens": len(prompt.split()) + total,
            "prompt_tokens_details": {"cached_tokens": 0},
        }
        if model.startswith("o") and usage is not None:
            usage["completion_tokens"] += 7
            usage["completion_tokens_details"] = {"reasoning_tokens": 7}
        if fault == "no_usage":
            usage = None
        if fault == "wrong_usage":
            usage = {"prompt_tokens": -3, "completion_tokens": "many", "total_tokens": None}
        if fault == "shuffled":
            choices.reverse()
        if fault == "empty_choices":
            choices = []
        answer = {
            "id": "chatcmpl-" + hashlib.sha256(prompt.encode()).hexdigest()[:12],
            "object": "chat.completion",
            "created": 0,
            "model": f"{model}-2026-01-01",
            "choices": choices,
            "system_fingerprint": "fp_test",
        }
        if usage is not None:
            answer["usage"] = usage
        if fault == "no_choices":
            del answer["choices"]
        return answer

    @staticmethod
    def logprob(word: str, top: int) -> dict[str, Any]:
        """A token at -0.5, with the likeliest ones: -0.5, -2.5, -3.5 ..."""
        others = [{"token": f"t{rank}", "logprob": -0.5 if rank == 0 else -1.5 - rank} for rank in range(top)]
        return {"token": word, "logprob": -0.5} | ({"top_logprobs": others} if top else {})

    def refusal(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        """What the real servers refuse: unknown models, and what reasoning models do not take."""
        model = str(body.get("model"))
        if self.served and model not in self.served:
            return 404, error(f"The model `{model}` does not exist.", "model_not_found", "model")
        if not model.startswith("o"):
            return None
        roles = {message.get("role") for message in body.get("messages", [])}
        if "max_tokens" in body:
            text = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'."
            return 400, error(text, "unsupported_parameter", "max_tokens")
        if body.get("temperature", 1) != 1:
            text = "Unsupported value: 'temperature' does not support 0 with this model; only the default (1)."
            return 400, error(text, "unsupported_value", "temperature")
        refused = {"system", "developer"} if "preview" in model or "mini" in model else set()
        if roles & refused:
            text = "Unsupported value: 'messages[0].role' does not support 'system' with this model."
            return 400, error(text, "unsupported_value", "messages[0].role")
        return None


def error(message: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def ready_of(service: Service, body: dict[str, Any]) -> bytes:
    return json.dumps(service.completion(body, "")).encode()


Answer = dict[str, Any]


def _message(answer: Answer) -> dict[str, Any]:
    message: dict[str, Any] = answer["choices"][0]["message"]
    return message


def _with(answer: Answer, **fields: Any) -> Answer:
    """The answer with other fields in its first choice's message."""
    _message(answer).update(fields)
    return answer


def _events(answer: Answer, *, end: bool = True) -> bytes:
    """The answer as an event stream, a word an event."""
    words = re.findall(r"\s*\S+", _message(answer)["content"])
    head = {name: answer[name] for name in ("id", "model", "created")} | {"object": "chat.completion.chunk"}
    events = [head | {"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]} for word in words]
    if end:
        events.append(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        events.append(head | {"choices": [], "usage": answer["usage"]})
    lines = [": keep-alive", *(f"data: {json.dumps(event)}" for event in events), *(["data: [DONE]"] if end else [])]
    return "\n\n".join(lines).encode()


def _outside(answer: Answer, total: bool) -> Answer:
    usage = answer["usage"]
    usage["completion_tokens_details"] = {"reasoning_tokens": 2000}
    usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"] + 2000
    if not total:
        del usage["total_tokens"]
    return answer


# Ways in which real providers' answers differ from the protocol: what is sent with status 200.
HABITS: dict[str, Callable[[Answer], Answer | bytes]] = {
    "surrogate": lambda one: _with(one, content="half a pair \ud83d and more"),
    "nul": lambda one: _with(one, content="a\x00b"),
    "thinks": lambda one: _with(one, content="<think>\nIs it A? No.\n</think>\n\n" + _message(one)["content"]),
    "thinks_on": lambda one: _with(one, content="<think>\nIs it A? No, and"),
    "reasoning": lambda one: _with(one, reasoning_content="Is it A? No."),
    "reasoning_only": lambda one: _with(one, content=None, reasoning="Is it A? No."),
    "parts": lambda one: _with(one, content=[{"type": "thinking", "thinking": "Is it A?"},
                                             {"type": "text", "text": "It is "}, {"type": "text", "text": "B."}]),
    "tool": lambda one: _with(one, content=None, tool_calls=[{"function": {"name": "search", "arguments": "{}"}}]),
    "events": _events,
    "events_cut": lambda one: _events(one, end=False),
    "events_error": lambda one: b'data: {"error": {"message": "Overloaded", "code": 503}}\n\ndata: [DONE]\n\n',
    "inside_429": lambda one: {"error": {"message": "Provider returned error", "code": 429}},
    "inside_exhausted": lambda one: {"error": {"code": "RESOURCE_EXHAUSTED", "message": "Slow down, per minute"}},
    "inside_402": lambda one: {"error": {"message": "Insufficient Balance", "type": "unknown_error"}},
    "inside_choice": lambda one: {**one, "choices": [{"index": 0, "finish_reason": "error", "message": {"content": ""},
                                                      "error": {"code": 502, "message": "Upstream error"}}]},
    "inside_500": lambda one: {"object": "error", "message": "internal error, try later", "code": 500},
    "latin1": lambda one: '{"choices": [{"message": {"content": "caf\xe9"}}]}'.encode("latin-1"),
    "deep": lambda one: b"[" * 100_000,
    "no_finish": lambda one: {**one, "choices": [{**one["choices"][0], "finish_reason": None}]},
    "usage_small": lambda one: {**one, "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}},
    "usage_huge": lambda one: {**one, "usage": {"prompt_tokens": 10**30, "completion_tokens": 10**30}},
    "usage_none": lambda one: {name: value for name, value in one.items() if name != "usage"},
    "usage_text": lambda one: {**one, "usage": {"prompt_tokens": "7", "completion_tokens": None}},
    "usage_gemini": lambda one: {**one, "usage": None, "usageMetadata": {
        "promptTokenCount": 9, "candidatesTokenCount": 4, "thoughtsTokenCount": 30, "totalTokenCount": 43}},
    "usage_anthropic": lambda one: {**one, "usage": {"input_tokens": 9, "output_tokens": 34}},
    "reasoning_outside": lambda one: _outside(one, total=True),
    "reasoning_outside_untold": lambda one: _outside(one, total=False),
}  # fmt: skip

# Answers in an encoding that nobody asked for, the last four of them impossible to undo.
ENCODED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "deflate_raw": lambda body: zlib.compress(body, wbits=-15),
    "gzip_cut": lambda body: gzip.compress(body)[:-12],
    "gzip_never": lambda body: body,
    "br": lambda _: b"\x0b\x02\x80hello\x03",
    "zstd": lambda _: b"(\xb5/\xfd",
}


class Connection(asyncio.Protocol):
    """One connection: parses requests as they come, answers each after its delay, keeps alive."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.buffer = b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.service.connections += 1

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head_end = self.buffer.find(b"\r\n\r\n")
            if head_end < 0:
                return
            lines = self.buffer[:head_end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
            length = int(headers.get("content-length", 0))
            if len(self.buffer) < head_end + 4 + length:
                return
            body = self.buffer[head_end + 4 : head_end + 4 + length]
            self.buffer = self.buffer[head_end + 4 + length :]
            method, path, _ = lines[0].split(" ", 2)
            self.handle(method, path, headers, body)

    def send(
        self, status: int, payload: Any, headers: dict[str, str] | None = None, *, cut: bool = False, raw: bool = False
    ) -> bool:
        """Write an answer; True when the client was still there and the whole of it went out."""
        if self.transport.is_closing():
            return False
        self.service.statuses[status] += 1
        body = payload if raw else json.dumps(payload).encode()
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {JSON_TYPE}\r\ncontent-length: {len(body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        if cut:
            self.transport.write(head.encode() + b"\r\n" + body[: len(body) // 2])
            asyncio.get_running_loop().call_later(0.01, self.transport.abort)
            return False
        self.transport.write(head.encode() + b"\r\n" + body)
        return True

    def handle(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        service = self.service
        if (moved := re.match(r"/moved-(\d+)(/.*)", path)) is not None:
            self.send(int(moved[1]), {}, {"location": moved[2]})
            return
        if path.startswith("/elsewhere/"):
            self.send(307, {}, {"location": f"http://127.0.0.2:9{path.removeprefix('/elsewhere')}"})
            return
        self.service.paths[path] += 1
        path = path.split("?", maxsplit=1)[0]
        if path.endswith("/chat/completions"):
            service.headers.append(headers)
            self.chat(json.loads(body), headers)
        elif path == "/_stats":
            self.send(200, service.stats())
        elif path == "/_totals":
            self.send(200, service.totals())
        elif path == "/_set":
            for name, value in json.loads(body).items():
                setattr(service, name, value)
            self.send(200, {})
        elif "/files" in path or "/batches" in path:
            self.batch(method, path, headers, body)
        elif path.endswith("/models"):
            self.send(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in service.served]})
        else:
            self.send(404, error(f"no such path {path}"))

    def chat(self, body: dict[str, Any], headers: dict[str, str]) -> None:
        service = self.service
        prompt = prompt_of(body)
        service.bodies.append(body)
        service.received[prompt] += 1
        if (refusal := service.refusal(body)) is not None:
            self.send(*refusal)
            return
        fault, value = service.fault(prompt, service.received[prompt])
        if service.limit is not None and service.in_work >= service.limit:
            fault, value = "429", ""
        service.in_work += 1
        service.most_in_work = max(service.most_in_work, service.in_work)
        delay = 0.0 if fault.startswith(("4", "5")) else service.latency_s
        if fault in {"slow", "hang"}:
            delay += float(value or 1)
        # The answer is made while the client waits, and sent at a time counted from when the request lay in the socket:
        # what is left is the latency of a remote server, not this one's processor time.
        ready = json.dumps(service.completion(body, "")).encode() if not fault else b""
        asyncio.get_running_loop().call_at(
            service.arrival() + delay,
            functools.partial(
                self.answer, body=body, prompt=prompt, fault=fault, value=value, headers=headers, ready=ready
            ),
        )

    def answer(  # noqa: PLR0912
        self, *, body: dict[str, Any], prompt: str, fault: str, value: str, headers: dict[str, str], ready: bytes
    ) -> None:
        service = self.service
        service.in_work -= 1
        if not fault:
            service.answered[prompt] += self.send(200, ready, raw=True)
            return
        if fault in {"429", "503"}:
            extra = {"retry-after": value} if value else {}
            self.send(int(fault), error("Rate limit reached" if fault == "429" else "Overloaded"), extra)
        elif fault == "429_date":
            when = format_datetime(datetime.now(UTC) + timedelta(seconds=float(value or 1)), usegmt=True)
            self.send(429, error("Rate limit reached"), {"retry-after": when})
        elif fault == "429_ms":
            self.send(429, error("Rate limit reached"), {"retry-after-ms": value})
        elif fault == "429_quota":
            self.send(429, error("You exceeded your current quota", "insufficient_quota"))
        elif fault in {"401", "402", "403", "404", "500", "502", "504"}:
            self.send(int(fault), error(f"Failed with {fault}"))
        elif fault == "echo_key":
            self.send(401, error(f"Incorrect API key provided: {headers.get('authorization', '')}"))
        elif fault == "too_long":
            text = "This model's maximum context length is 8192 tokens. Please reduce the length of the messages."
            self.send(400, error(text, "context_length_exceeded", "messages"))
        elif fault == "bad_parameter":
            self.send(400, error(f"Invalid value; sent with {headers.get('authorization', '')}", "invalid_value"))
        elif fault == "unsupported":
            if value in body:
                self.send(400, error(service.refusal_text.format(name=value), None, None))
            else:
                service.answered[prompt] += self.send(200, service.completion(body, ""))
        elif fault == "finish":
            one = service.completion(body, "")
            one["choices"][0]["finish_reason"] = value or None
            service.answered[prompt] += self.send(200, one)
        elif fault in HABITS:
            payload = HABITS[fault](service.completion(body, ""))
            service.answered[prompt] += self.send(200, payload, raw=isinstance(payload, bytes))
        elif fault in ENCODED:
            self.send(
                200,
                ENCODED[fault](ready_of(service, body)),
                {"content-encoding": fault.split("_", maxsplit=1)[0]},
                raw=True,
            )
        elif fault == "reset":
            self.transport.abort()
        elif fault == "malformed":
            service.answered[prompt] += self.send(200, b'{"id": "chatcmpl-1", "choices": [{"mess', raw=True)
        elif fault == "html":
            self.send(200, b"<html><body>Bad gateway</body></html>", raw=True)
        elif fault == "reset_mid_body":
            self.send(200, service.completion(body, ""), cut=True)
        else:
            service.answered[prompt] += self.send(200, service.completion(body, fault))

    def batch(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        """Files and batches, as much of them as a client needs: upload, create, list, look, fetch, cancel."""
        service = self.service
        parts = path.strip("/").split("/")
        if parts[-1] == "files" and method == "POST":
            boundary = headers["content-type"].split("boundary=")[1].encode()
            content = next(
                part.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n", 1)[0]
                for part in body.split(b"--" + boundary)
                if b'name="file"' in part
            )
            name = f"file-{len(service.files)}"
            service.files[name] = content
            self.send(200, {"id": name, "object": "file", "bytes": len(content), "created_at": 0,
                            "filename": "batch.jsonl", "purpose": "batch", "status": "processed"})  # fmt: skip
            return
        if parts[-1] == "batches" and method == "POST":
            asked = json.loads(body)
            name = f"batch_{len(service.batches)}"
            service.batches[name] = {
                "id": name, "object": "batch", "endpoint": asked["endpoint"], "input_file_id": asked["input_file_id"],
                "completion_window": "24h", "created_at": 0, "status": "in_progress",
                "metadata": asked.get("metadata"), "request_counts": {"total": 0, "completed": 0, "failed": 0},
            }  # fmt: skip
            asyncio.get_running_loop().call_later(service.batch_delay_s, self.run_batch, name)
            self.send(200, service.batches[name])
            return
        if parts[-1] == "batches":
            self.send(200, {"object": "list", "data": list(service.batches.values())[::-1], "has_more": False})
        elif parts[-1] == "content":
            self.send(200, service.files[parts[-2]], raw=True)
        elif parts[-1] == "cancel":
            service.batches[parts[-2]]["status"] = "cancelled"
            self.send(200, service.batches[parts[-2]])
        elif "batches" in parts and parts[-1] in service.batches:
            self.send(200, service.batches[parts[-1]])
        elif "files" in parts and method == "DELETE":
            self.send(200, {"id": parts[-1], "object": "file", "deleted": True})
        else:
            self.send(404, error(f"no such path {path}"))

    def run_batch(self, name: str) -> None:
        service = self.service
        batch = service.batches[name]
        if self.service.batch_faults:
            status, _, code = self.service.batch_faults.pop(0).partition(":")
            message = "Enqueued token limit reached for this model" if code else "Line 1 is too long"
            errors = {"object": "list", "data": [{"code": code or "invalid", "message": message, "line": 1}]}
            batch.update(status=status, errors=errors)
            return
        results, failures = [], []
        for line in service.files[batch["input_file_id"]].decode().splitlines():
            asked = json.loads(line)
            prompt = prompt_of(asked["body"])
            service.received[prompt] += 1
            service.bodies.append(asked["body"])
            fault, _ = service.fault(prompt, service.received[prompt])
            refusal = service.refusal(asked["body"])
            if fault in {"500", "429"} or refusal is not None:
                status, payload = refusal or (int(fault), error(f"Failed with {fault}"))
                failures.append({"id": "r", "custom_id": asked["custom_id"], "error": None,
                                 "response": {"status_code": status, "request_id": "r", "body": payload}})  # fmt: skip
                continue
            if fault in HABITS:
                service.answered[prompt] += 1
                payload = HABITS[fault](service.completion(asked["body"], fault))
                results.append({"id": "r", "custom_id": asked["custom_id"], "error": None,
                                "response": {"status_code": 200, "request_id": "r", "body": payload}})  # fmt: skip
                continue
            if fault == "expired":
                failures.append({"id": "r", "custom_id": asked["custom_id"], "response": None,
                                 "error": {"code": "batch_expired", "message": "Not executed."}})  # fmt: skip
                continue
            service.answered[prompt] += 1
            body = service.completion(asked["body"], fault)
            results.append({"id": "r", "custom_id": asked["custom_id"], "error": None,
                            "response": {"status_code": 200, "request_id": "r", "body": body}})  # fmt: skip
        output, failed = f"file-{name}-out", f"file-{name}-err"
        lines = [json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace") for row in results[::-1]]
        service.files[output] = b"".join(line + b"\n" for line in [*lines, *service.batch_lines])
        service.files[failed] = "".join(json.dumps(row) + "\n" for row in failures).encode()
        batch.update(
            status="completed",
            output_file_id=output if results else None,
            error_file_id=failed if failures else None,
            request_counts={"total": len(results) + len(failures), "completed": len(results), "failed": len(failures)},
        )


class Server:
    """The server in a thread of this process, on a free loopback port."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, **options: Any) -> None:
        self.service = Service(**options)
        self.loop = asyncio.new_event_loop()
        self._tls = tls
        self.port = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        listener = self.loop.run_until_complete(
            self.loop.create_server(lambda: Connection(self.service), "127.0.0.1", 0, backlog=1024, ssl=self._tls)
        )
        self.port = listener.sockets[0].getsockname()[1]
        self._ready.set()
        self.loop.run_forever()
        listener.close()
        self.loop.close()

    def __enter__(self) -> Server:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()


class ServerProcess:
    """The server as a process of its own, so that it outlives a killed client and takes none of its processor time."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.port = 0
        self._process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> ServerProcess:
        command = [sys.executable, str(Path(__file__).resolve()), json.dumps(self.options)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdout, self._process.stdin):
            if pipe is not None:
                pipe.close()

    def stats(self, path: str = "_stats") -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}") as answer:
            stats: dict[str, Any] = json.load(answer)
        return stats

    def totals(self) -> dict[str, Any]:
        return self.stats("_totals")

    def set(self, **values: Any) -> None:
        data = json.dumps(values).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_set", data=data) as answer:
            answer.read()


@contextlib.contextmanager
def stopped_with_parent() -> Iterator[None]:
    """End this process when whoever started it is gone: its standard input closes."""

    def watch() -> None:
        sys.stdin.read()
        import os

        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
    yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("options", nargs="?", default="{}", help="the service's options as JSON")
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    service = Service(**json.loads(arguments.options))

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(lambda: Connection(service), "127.0.0.1", arguments.port, backlog=1024)
        print(listener.sockets[0].getsockname()[1], flush=True)
        await listener.serve_forever()

    try:
        from uvloop import run  # a slower server would be what a benchmark measures
    except ImportError:
        run = asyncio.run
    with stopped_with_parent() if arguments.port == 0 else contextlib.nullcontext():
        run(serve())


if __name__ == "__main__":
    main()
