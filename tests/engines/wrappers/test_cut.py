"""Answers cut by their length: continued or asked again, every piece kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from medo1.engines.wrappers.cut import Whole
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


def test_a_cut_answer_is_continued_to_its_end(writing_server: Server, tmp_path: Path) -> None:
    for _ in range(2):  # the second time from the store
        stored = Stored(engine_for(writing_server, continuation="native"), CompletionStore(tmp_path / "c.sqlite"))
        with Whole(stored, "continue", rounds=4) as engine:
            (answer,) = engine.complete([ask("Count.", "k", max_new_tokens=4)])
        assert (answer.key, answer.text, answer.finish_reason) == ("k", WORDS, "stop")
        assert answer.completion_tokens is not None
        assert len(set(answer.parts)) == len(answer.parts) >= 3
    assert max(writing_server.service.received.values()) == 1


def test_a_cut_answer_is_asked_again_with_more_room(writing_server: Server, tmp_path: Path) -> None:
    with Whole(Stored(engine_for(writing_server), CompletionStore(tmp_path / "c.sqlite")), "reask", rounds=3) as engine:
        answers = {
            a.key: a for a in engine.complete([ask("Count.", "k", max_new_tokens=3), ask("b", max_new_tokens=99)])
        }
    assert answers["k"].text == answers["b"].text == WORDS
    assert [body["max_tokens"] for body in writing_server.service.bodies if "Count" in str(body)] == [3, 6, 12]
    assert answers["k"].completion_tokens == 10


def test_what_is_still_cut_after_all_rounds_says_so(writing_server: Server) -> None:
    with Whole(engine_for(writing_server, continuation="native"), "continue", rounds=1) as engine:
        (answer,) = engine.complete([ask("Count.", max_new_tokens=2)])
    assert answer.finish_reason == "length"
    assert answer.text.startswith("one two")


def test_a_continuation_that_fails_loses_no_text(writing_server: Server) -> None:
    with Whole(engine_for(writing_server), "continue") as engine:  # the engine is not told how to continue
        (answer,) = engine.complete([ask("Count.", max_new_tokens=4)])
    assert answer.text == "one two three four"
    assert answer.finish_reason == "length"
    assert "not continued" in str(answer.error)
