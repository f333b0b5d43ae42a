"""Answers cut by their length: continued or asked again, every piece kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from medo1.engines import Completion, Engine, Request
from medo1.engines.wrappers.cut import WhenCut, joined, next_request
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from tests.engines.conftest import ask, engine_for
from tests.engines.http.server import Server

WORDS = "one two three four five six seven eight nine ten"


def writes_on(body: dict[str, Any]) -> str:
    """The words after those that the assistant has already written."""
    last = body["messages"][-1]
    said = last["content"] if last["role"] == "assistant" else ""
    return WORDS[len(said) :]


@pytest.fixture
def writing_server(server: Server) -> Server:
    server.service.answer = writes_on
    return server


def whole(engine: Engine, request: Request, when_cut: WhenCut, rounds: int) -> Completion:
    """The answer to a request, followed up at most `rounds` times."""
    pieces: list[Completion] = []
    for turn in range(rounds + 1):
        larger = request.sampling.max_new_tokens * 2**turn
        pieces += engine.complete([next_request(request, pieces, when_cut, larger) if pieces else request])
        if pieces[-1].finish_reason != "length":
            break
    return joined(pieces, when_cut)


def test_a_cut_answer_is_continued_to_its_end(writing_server: Server, tmp_path: Path) -> None:
    for _ in range(2):  # the second time from the store
        made = engine_for(writing_server, continuation="native")
        with Stored(made, CompletionStore(tmp_path / "c.sqlite")) as engine:
            answer = whole(engine, ask("Count.", "k", max_new_tokens=4), "continue", 4)
        assert (answer.key, answer.text, answer.finish_reason) == ("k", WORDS, "stop")
        assert answer.completion_tokens is not None
        assert len(set(answer.parts)) == len(answer.parts) >= 3
    assert max(writing_server.service.received.values()) == 1


def test_a_cut_answer_is_asked_again_with_more_room(writing_server: Server, tmp_path: Path) -> None:
    with Stored(engine_for(writing_server), CompletionStore(tmp_path / "c.sqlite")) as engine:
        answer = whole(engine, ask("Count.", "k", max_new_tokens=3), "reask", 3)
    assert answer.text == WORDS
    assert [body["max_tokens"] for body in writing_server.service.bodies if "Count" in str(body)] == [3, 6, 12]
    assert answer.completion_tokens == 10


def test_what_is_still_cut_after_all_rounds_says_so(writing_server: Server) -> None:
    with engine_for(writing_server, continuation="native") as engine:
        answer = whole(engine, ask("Count.", max_new_tokens=2), "continue", 1)
    assert answer.finish_reason == "length"
    assert answer.text.startswith("one two")


def test_a_continuation_that_fails_loses_no_text(writing_server: Server) -> None:
    with engine_for(writing_server) as engine:  # the engine is not told how to continue
        answer = whole(engine, ask("Count.", max_new_tokens=4), "continue", 2)
    assert answer.text == "one two three four"
    assert answer.finish_reason == "length"
    assert "not continued" in str(answer.error)
