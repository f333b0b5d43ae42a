"""Requests and engines against the local server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from medo1.engines import Message, Request, Sampling
from medo1.engines.http.openai import OpenAI
from tests.engines.http.server import Server

KEY = "sk-marked-4f1d8c2e9b7a6053"


def ask(text: str, key: str | None = None, **options: Any) -> Request:
    """A request with one user message; unknown options go to its sampling."""
    known = {name: options.pop(name) for name in ("sample", "seed", "adapter") if name in options}
    system = options.pop("system", None)
    messages = (*([Message("system", system)] if system else []), Message("user", text))
    return Request(key or text, messages, Sampling(**options), **known)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def engine(server: Server) -> Iterator[OpenAI]:
    with engine_for(server) as made:
        yield made


def engine_for(server: Any, **options: Any) -> OpenAI:
    """An engine for the server, with a marked key."""
    options = {"credentials": {"api_key": KEY}, "concurrency": 8, "timeout_s": 5.0} | options
    return OpenAI(options.pop("model", "teacher"), base_url=server.url, **options)
