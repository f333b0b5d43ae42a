"""Several endpoints behind one engine: balanced, and one that fails is survived."""

from __future__ import annotations

import time
from typing import Any

import pytest

from medo1.engines import EngineError
from medo1.engines.http.openai import OpenAI
from tests.engines.conftest import KEY, ask
from tests.engines.http.server import Server, ServerProcess


def fleet(urls: list[str], **options: Any) -> OpenAI:
    options = {"credentials": {"api_key": KEY}, "concurrency": 16, "timeout_s": 5.0, "endpoint": "fleet"} | options
    return OpenAI("teacher", base_url=urls, **options)


def received(*servers: Server) -> list[int]:
    return [sum(server.service.received.values()) for server in servers]


def test_requests_are_balanced() -> None:
    with Server(latency_s=0.02) as one, Server(latency_s=0.02) as two, Server(latency_s=0.02) as three:
        with fleet([one.url, two.url, three.url]) as engine:
            answers = list(engine.complete([ask(f"q{n}") for n in range(120)]))
        assert {answer.finish_reason for answer in answers} == {"stop"}
        counts = received(one, two, three)
    assert sum(counts) == 120
    assert min(counts) > 25


def test_a_slow_endpoint_gets_less() -> None:
    with Server(latency_s=0.01) as quick, Server(latency_s=0.2) as slow:
        with fleet([quick.url, slow.url], concurrency=8) as engine:
            assert len(list(engine.complete([ask(f"q{n}") for n in range(100)]))) == 100
        counts = received(quick, slow)
    assert counts[0] > 3 * counts[1]


def test_an_endpoint_that_is_not_there_costs_no_answer_and_no_attempt() -> None:
    with Server() as gone:
        url = gone.url
    with Server(latency_s=0.01) as there, fleet([url, there.url], max_attempts=1) as engine:
        answers = list(engine.complete([ask(f"q{n}") for n in range(60)]))
    assert [answer.error for answer in answers] == [None] * 60
    assert {answer.attempts for answer in answers} == {1}


def test_an_endpoint_that_dies_in_mid_run_is_survived() -> None:
    options = {"latency_s": 0.02}
    with Server(**options) as stays, ServerProcess(**options) as dies, fleet([stays.url, dies.url]) as engine:
        answers = []
        for answer in engine.complete([ask(f"q{n}") for n in range(200)]):
            answers.append(answer)
            if len(answers) == 50:
                dies._process.kill()
    assert len(answers) == 200
    assert [answer.error for answer in answers] == [None] * 200
    assert max(answer.attempts for answer in answers) <= 2


def test_a_refusing_endpoint_sends_its_requests_to_the_other() -> None:
    with Server(share_429=1.0) as busy, Server(latency_s=0.01) as free, fleet([busy.url, free.url]) as engine:
        began = time.monotonic()
        answers = list(engine.complete([ask(f"q{n}") for n in range(80)]))
        assert time.monotonic() - began < 5
        assert {answer.attempts for answer in answers} == {1}
        assert sum(free.service.answered.values()) == 80


def test_a_fleet_that_is_gone_is_one_message() -> None:
    with (
        fleet(["http://127.0.0.1:9/v1", "http://127.0.0.1:10/v1"], connect_patience_s=0.5) as engine,
        pytest.raises(EngineError, match="nothing answers at fleet"),
    ):
        list(engine.complete([ask("q")]))


def test_a_fleets_identity_is_its_name_so_that_answers_stay_when_it_grows() -> None:
    one = fleet(["http://a/v1", "http://b/v1"])
    assert one.identity == fleet(["http://a/v1", "http://b/v1", "http://c/v1"]).identity
    assert one.identity["endpoint"] == "fleet"
    with pytest.raises(EngineError, match=r"need a name, `endpoint: <name>`"):
        OpenAI("m", base_url=["http://a/v1", "http://user:hidden@b/v1"])
    with pytest.raises(EngineError, match="each endpoint once"):
        fleet(["http://a/v1", "http://a/v1"])
    with pytest.raises(EngineError, match="one endpoint"):
        fleet(["http://a/v1", "http://b/v1"], mode="batch", batch_dir="x")
