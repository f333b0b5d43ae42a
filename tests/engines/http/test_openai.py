"""The `openai` engine against a server that misbehaves."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from medo1.engines import Adapter, EngineError, Message, Request, Sampling
from medo1.engines.http.openai import OpenAI
from tests.engines.conftest import KEY, ask, engine_for
from tests.engines.http.server import Server


def test_an_answer_carries_usage_reason_latency_and_model(engine: OpenAI) -> None:
    (answer,) = engine.complete([ask("What is it?", seed=5)])
    assert answer.key == "What is it?"
    assert "Final answer:" in answer.text
    assert answer.finish_reason == "stop"
    assert answer.prompt_tokens
    assert answer.completion_tokens == len(answer.text.split(" "))
    assert answer.latency_s is not None
    assert answer.model == "teacher-2026-01-01"
    assert answer.mean_logprob is None


FAILING = [
    "429", "429=0.1", "429_date=1", "429_ms=100", "500", "502", "503", "503=0.1", "reset", "reset_mid_body",
    "malformed", "html", "empty_choices", "no_choices", "null_content", "no_text", "429, 500, reset, 503",
]  # fmt: skip


@pytest.mark.parametrize("faults", FAILING)
def test_a_request_that_fails_for_a_while_is_answered_in_the_end(server: Server, faults: str) -> None:
    with engine_for(server) as engine:
        (answer,) = engine.complete([ask(f"Well? [faults: {faults}]")])
    assert answer.finish_reason == "stop", answer.error
    assert answer.attempts == len(faults.split(",")) + 1


@pytest.mark.parametrize("fault", ["reset_mid_body", "malformed", "empty_choices"])
def test_an_attempt_that_may_have_been_billed_is_counted(server: Server, fault: str) -> None:
    with engine_for(server) as engine:
        (answer,) = engine.complete([ask(f"Well? [faults: {fault}, 429]")])
    assert (answer.attempts, answer.unread) == (3, 1)


def test_a_hanging_answer_is_given_up_and_asked_again(server: Server) -> None:
    with engine_for(server, timeout_s=0.3) as engine:
        (answer,) = engine.complete([ask("Well? [faults: hang=30]")])
    assert (answer.finish_reason, answer.attempts, answer.unread) == ("stop", 2, 1)


def test_a_slow_answer_holds_up_no_other(server: Server) -> None:
    with engine_for(server) as engine:
        keys = [answer.key for answer in engine.complete([ask("[faults: slow=0.5]", "slow"), ask("a"), ask("b")])]
    assert keys[-1] == "slow"


def test_retry_after_is_honoured(server: Server) -> None:
    with engine_for(server) as engine:
        started = time.monotonic()
        list(engine.complete([ask("Well? [faults: 429=0.7]")]))
    assert 0.7 <= time.monotonic() - started < 3


def test_a_request_that_always_fails_comes_back_as_an_error(server: Server) -> None:
    with engine_for(server, max_attempts=2) as engine:
        answers = {a.key: a for a in engine.complete([ask("[faults: 500, 500, 500]", "bad"), ask("good")])}
    assert answers["bad"].finish_reason == "error"
    assert answers["bad"].error == "HTTP 500: Failed with 500 (after 2 attempts)"
    assert answers["good"].finish_reason == "stop"
    assert server.service.received["user: [faults: 500, 500, 500]"] == 2


def test_a_request_that_can_never_be_answered_is_sent_once(server: Server) -> None:
    with engine_for(server) as engine:
        (answer,) = engine.complete([ask("[faults: too_long]")])
    assert answer.finish_reason == "error"
    assert "maximum context length" in str(answer.error)
    assert sum(server.service.received.values()) == 1


def test_refusals_cost_no_attempt_and_end_with_patience(server: Server) -> None:
    with engine_for(server, patience_s=0.3, max_attempts=1) as engine:
        (answer,) = engine.complete([ask(f"[faults: {', '.join(['429'] * 50)}]")])
    assert answer.finish_reason == "error"
    assert "429" in str(answer.error)
    assert answer.attempts > 2


def test_length_and_content_filter_are_answers(server: Server) -> None:
    with engine_for(server) as engine:
        answers = {
            a.key: a for a in engine.complete([ask("[faults: length]", "l"), ask("[faults: content_filter]", "c")])
        }
    assert answers["l"].finish_reason == "length"
    assert answers["l"].text
    assert answers["c"].finish_reason == "content_filter"
    assert answers["c"].text == ""


@pytest.mark.parametrize("fault", ["no_usage", "wrong_usage"])
def test_a_usage_that_is_missing_or_wrong_is_unknown_not_zero(server: Server, fault: str) -> None:
    with engine_for(server) as engine:
        (answer,) = engine.complete([ask(f"[faults: {fault}]")])
    assert answer.finish_reason == "stop"
    assert answer.prompt_tokens is None
    assert answer.completion_tokens is None


def test_a_crowded_server_is_asked_more_slowly(server: Server) -> None:
    """Limit 4 at a time, 32 wanted: every request is answered, with few refusals beyond the first burst."""
    server.service.limit = 4
    server.service.latency_s = 0.02
    with engine_for(server, concurrency=32) as engine:
        answers = list(engine.complete([ask(f"q{place}") for place in range(300)]))
    assert all(answer.finish_reason == "stop" for answer in answers)
    assert len(answers) == 300
    assert server.service.statuses[429] < 300


def test_refusals_of_a_tenth_do_not_slow_the_rest(server: Server) -> None:
    server.service.share_429 = 0.1
    server.service.latency_s = 0.02
    with engine_for(server, concurrency=16) as engine:
        answers = list(engine.complete([ask(f"q{place}") for place in range(300)]))
    assert all(answer.finish_reason == "stop" for answer in answers)
    assert server.service.most_in_work == 16


def test_concurrency_is_bounded_and_used(server: Server) -> None:
    server.service.latency_s = 0.02
    with engine_for(server, concurrency=5) as engine:
        list(engine.complete([ask(f"q{place}") for place in range(50)]))
    assert server.service.most_in_work == 5


def test_one_session_serves_all_requests(server: Server) -> None:
    with engine_for(server, concurrency=3) as engine:
        list(engine.complete([ask(f"q{place}") for place in range(50)]))
        list(engine.complete([ask(f"r{place}") for place in range(50)]))
    assert server.service.connections <= 3


def test_limits_per_minute_are_kept(server: Server) -> None:
    with engine_for(server, requests_per_minute=600) as engine:  # ten a second, and ten at once to begin with
        started = time.monotonic()
        list(engine.complete([ask(f"q{place}") for place in range(16)]))
    assert time.monotonic() - started >= 0.55
    with engine_for(server, tokens_per_minute=3000) as engine:  # fifty a second; each answer uses six
        started = time.monotonic()
        list(engine.complete([ask(f"t{place}", max_new_tokens=30) for place in range(16)]))
    assert time.monotonic() - started >= 0.6


def test_a_reasoning_model_is_asked_in_its_own_terms(server: Server) -> None:
    with engine_for(server, model="o1", reasoning_effort="high", logprobs=True) as engine:
        (answer,) = engine.complete([ask("Well?", system="Be brief.", temperature=0.7, max_new_tokens=50)])
    assert answer.finish_reason == "stop", answer.error
    assert answer.reasoning_tokens == 7
    (body,) = server.service.bodies
    assert body["max_completion_tokens"] == 50
    assert body["reasoning_effort"] == "high"
    assert {"temperature", "max_tokens", "logprobs"}.isdisjoint(body)


def test_a_refused_system_role_goes_into_the_users_turn(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with engine_for(server, model="o1-preview") as engine:
        answers = list(engine.complete([ask(f"Well {n}?", system="Be brief.") for n in range(3)]))
    assert {answer.finish_reason for answer in answers} == {"stop"}
    assert [{"role": "user", "content": "Be brief.\n\nWell 2?"}] in [body["messages"] for body in server.service.bodies]
    assert "does not support 'system'" in caplog.text


def test_an_unknown_reasoning_model_is_learned_from_its_refusals(server: Server) -> None:
    with engine_for(server, model="o9000", reasoning=False) as engine:
        answers = list(engine.complete([ask(f"Well {n}?") for n in range(5)]))
    assert {answer.finish_reason for answer in answers} == {"stop"}
    assert server.service.bodies[-1]["max_completion_tokens"] == 1024


def test_draws_of_the_same_messages_share_one_sending(server: Server) -> None:
    requests = [ask(text, f"{text}{n}", sample=n, temperature=0.7) for text in ("a", "b") for n in range(4)]
    with engine_for(server, n_per_request=4, logprobs=True) as engine:
        answers = {answer.key: answer for answer in engine.complete(requests)}
    assert len(answers) == 8
    assert sum(server.service.received.values()) == 2
    assert answers["a0"].text != answers["a1"].text
    assert answers["a0"].shared == 4
    total = 4 * len(["Considered", "0123456789ab.\nFinal", "answer:", "A"])
    assert total <= sum(answers[f"a{n}"].completion_tokens or 0 for n in range(4)) <= total + 3
    assert answers["a0"].mean_logprob == pytest.approx(-0.5)


def test_a_group_does_not_wait_for_a_generator_that_waits_for_it(server: Server) -> None:
    answered = threading.Event()

    def requests():
        yield ask("first", sample=0)
        assert answered.wait(5), "the first request was held back"
        yield ask("second", sample=0)

    with engine_for(server, n_per_request=8) as engine:
        for _ in engine.complete(requests()):
            answered.set()


def test_a_generator_may_wait_for_earlier_completions(engine: OpenAI) -> None:
    assert engine.streams
    seen: list[str] = []

    def requests():
        for place in range(5):
            while len(seen) < place:
                time.sleep(0.001)
            yield ask(f"q{place}")

    for answer in engine.complete(requests()):
        seen.append(answer.key)  # noqa: PERF401  (the generator watches it grow)
    assert seen == [f"q{place}" for place in range(5)]


def test_an_adapter_is_a_served_model(server: Server) -> None:
    with engine_for(server) as engine:
        (answer,) = engine.complete([ask("Well?", adapter=Adapter("longstep", Path("x"), "d" * 64))])
    assert server.service.bodies[0]["model"] == "longstep"
    assert answer.model.startswith("longstep")


@pytest.mark.parametrize("continuation", ["native", "ask", "refuse"])
def test_the_assistants_turn_is_continued_as_the_server_can(server: Server, continuation: str) -> None:
    request = Request("k", (Message("user", "Think."), Message("assistant", "First, ")), Sampling())
    with engine_for(server, continuation=continuation) as engine:
        (answer,) = engine.complete([request])
    if continuation == "refuse":
        assert answer.finish_reason == "error"
        assert "continuation" in str(answer.error)
        return
    (body,) = server.service.bodies
    if continuation == "native":
        assert body["continue_final_message"] is True
        assert body["add_generation_prompt"] is False
    else:
        assert body["messages"][-1]["role"] == "user"


def test_a_wrong_key_stops_everything_and_is_not_shown(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    with engine_for(server) as engine, pytest.raises(EngineError, match="Incorrect API key") as caught:
        list(engine.complete([ask("[faults: echo_key]"), ask("[faults: bad_parameter]")]))
    assert server.service.headers[0]["authorization"] == f"Bearer {KEY}"
    told = f"{caught.value}{caught.value!r}{engine!r}{engine.identity}{caplog.text}{caught.getrepr(showlocals=True)}"
    assert KEY not in told
    assert KEY[:12] not in told


def test_what_was_in_flight_is_yielded_before_a_fatal_error(server: Server) -> None:
    requests = [ask("[faults: slow=0.3]", "slow"), ask("[faults: 429_quota]"), ask("later")]
    got = []
    with engine_for(server) as engine, pytest.raises(EngineError, match="quota"):
        for answer in engine.complete(requests):
            got.append(answer.key)  # noqa: PERF401  (what came before the error is the point)
    assert "slow" in got


def test_a_missing_server_is_named(tmp_path: Path) -> None:
    with (
        OpenAI("m", base_url="http://127.0.0.1:9/v1", connect_patience_s=0.3) as engine,
        pytest.raises(EngineError, match=r"nothing answers at http://127\.0\.0\.1:9/v1.*base_url"),
    ):
        list(engine.complete([ask("a"), ask("b")]))


def test_a_wrong_model_name_is_named(server: Server) -> None:
    server.service.served = ("teacher",)
    with (
        engine_for(server, model="techer") as engine,
        pytest.raises(EngineError, match=r"model techer: .*does not exist"),
    ):
        list(engine.complete([ask("a")]))


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with OpenAI("gpt-4o") as engine, pytest.raises(EngineError, match=r"api_key.*credentials\.yml.*OPENAI_API_KEY"):
        list(engine.complete([ask("a")]))


def test_a_key_in_the_environment_reaches_no_stranger(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with OpenAI("m", base_url=server.url) as engine:
        list(engine.complete([ask("a")]))
    assert KEY not in str(server.service.headers)


def test_the_generators_own_error_is_raised_after_what_was_sent(engine: OpenAI) -> None:
    def requests():
        yield ask("a")
        raise ValueError("row 7 has no stem")

    got = []
    with pytest.raises(ValueError, match="row 7"):
        for answer in engine.complete(requests()):
            got.append(answer.key)  # noqa: PERF401  (what came before the error is the point)
    assert got == ["a"]


def test_leaving_early_ends_the_work(server: Server) -> None:
    server.service.latency_s = 0.05
    with engine_for(server, concurrency=2) as engine:
        for _ in engine.complete(ask(f"q{place}") for place in range(1000)):
            break
        time.sleep(0.2)
        sent = sum(server.service.received.values())
        time.sleep(0.3)
        assert sum(server.service.received.values()) == sent < 20
        assert len(list(engine.complete([ask("again")]))) == 1


def test_two_calls_share_the_engine(server: Server) -> None:
    server.service.latency_s = 0.02
    counts = []
    with engine_for(server, concurrency=4) as engine:
        work = [
            threading.Thread(
                target=lambda n=n: counts.append(len(list(engine.complete([ask(f"{n}.{i}") for i in range(40)]))))
            )
            for n in range(3)
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
    assert counts == [40, 40, 40]
    assert server.service.most_in_work <= 4


def test_a_closed_engine_opens_again(server: Server) -> None:
    engine = engine_for(server)
    assert len(list(engine.complete([ask("a")]))) == 1
    engine.close()
    engine.close()
    assert len(list(engine.complete([ask("b")]))) == 1
    engine.close()


def test_a_server_that_knows_no_streams_is_asked_for_the_whole_text(engine: OpenAI) -> None:
    pieces: list[str] = []
    answer = engine.stream(ask("What is it?", seed=5), pieces.append)
    assert "Final answer:" in answer.text
    assert "".join(pieces) == answer.text
    assert answer.completion_tokens == len(answer.text.split(" "))


def test_a_stream_that_is_refused_ends_as_any_other_request(server: Server) -> None:
    with engine_for(server) as engine:
        answer = engine.stream(ask("Well? [faults: 429, 500]"), lambda _: None)
    assert answer.finish_reason == "stop", answer.error


@pytest.mark.parametrize("name", ["top_k", "min_p", "repetition_penalty"])
def test_a_way_of_drawing_is_sent_to_a_server_that_may_know_it_and_never_left_out(server: Server, name: str) -> None:
    value = {"top_k": 7, "min_p": 0.25, "repetition_penalty": 1.25}[name]
    request = Request("q", (Message("user", "Well?"),), Sampling(temperature=0.5, **{name: value}))  # type: ignore[arg-type]
    with engine_for(server) as engine:
        (answer,) = engine.complete([request])
    assert answer.error is None
    assert server.service.bodies[-1][name] == value


@pytest.mark.parametrize("name", ["top_k", "min_p", "repetition_penalty"])
@pytest.mark.parametrize("url", ["https://api.openai.com/v1", "https://one.openai.azure.com/openai"])
def test_an_endpoint_that_knows_no_such_way_of_drawing_is_named_before_anything_is_sent(name: str, url: str) -> None:
    request = Request("q", (Message("user", "Well?"),), Sampling(temperature=0.5, **{name: 2}))  # type: ignore[arg-type]
    with (
        OpenAI("gpt-4o", base_url=url, credentials={"api_key": KEY}) as engine,
        pytest.raises(EngineError, match=f"knows no {name}"),
    ):
        list(engine.complete([request]))
