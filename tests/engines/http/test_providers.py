"""What real providers send beyond the protocol is read, counted and acted on by its kind."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medo1.engines import Completion, EngineError, Message, Request, Sampling
from medo1.engines.http.chat import Dialect, Extras, chat_body
from medo1.engines.http.failures import failure_from, learned
from medo1.engines.http.finish import ENDINGS, ending
from medo1.engines.http.responses import ResponseError, completions_from
from medo1.engines.http.usage import fewest_tokens, usage_of
from medo1.engines.thought import apart, storable
from medo1.engines.wrappers.money import Budget, Budgeted, BudgetError, Price, cost_bound_usd, cost_usd
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from tests.engines.conftest import ask, engine_for
from tests.engines.http.server import HABITS, Server

REQUEST = Request("k", (Message("user", "Which one is it, and why?"),), Sampling(max_new_tokens=500))
PRICE = Price(prompt_usd_per_million=1000.0, completion_usd_per_million=10_000.0)


def one(server: Server, fault: str, **options: Any) -> Completion:
    with engine_for(server, **options) as engine:
        (answer,) = engine.complete([ask(f"Well, is it A or is it B? [faults: {fault}]", max_new_tokens=500)])
    return answer


# Texts


@given(st.text() | st.text(alphabet=st.characters(categories=["Cs", "Cc", "Ll"])))
@settings(max_examples=200, deadline=None)
def test_any_json_string_as_content_is_kept_as_one_answer(text: str) -> None:
    payload = json.dumps({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}).encode()
    (answer,) = completions_from([REQUEST], payload, 0.0)
    answer.text.encode()
    answer.reasoning.encode()
    if "<" not in text and "[" not in text:
        assert answer.text == storable(text)


@given(st.lists(st.text(alphabet=st.characters()), min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_a_commit_never_fails_for_one_row(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    """Whatever an engine says, and whatever it is asked: every answer is there again, as far as it can be written."""

    class Says:
        pass

    from tests.engines.wrappers.test_stored import Scripted

    class Repeats(Scripted):
        def batches(self, requests: Any, stop: Any = None) -> Any:
            told = [Completion(r.key, r.messages[0].content, "stop", 10**30, 1, reasoning="\udfff") for r in requests]
            yield told

    path = tmp_path_factory.mktemp("store") / "c.sqlite"
    asked = [ask(text, str(place)) for place, text in enumerate([*texts, "plain"])]
    for _ in range(2):
        with Stored(Repeats(streams=False), CompletionStore(path)) as engine:
            answers = {answer.key: answer for answer in engine.complete(asked)}
        assert len(answers) == len(asked)
        assert "cannot be kept" in str(answers[str(len(texts))].error)


def test_what_cannot_be_written_costs_no_other_answer(server: Server, tmp_path: Path) -> None:
    asked = [
        *(ask(f"q{n}") for n in range(20)),
        ask("[faults: surrogate]"),
        ask("half \udc80 a prompt"),
        ask("[faults: nul]"),
    ]
    for turn in range(2):
        with Stored(engine_for(server), CompletionStore(tmp_path / "c.sqlite")) as engine:
            answers = {answer.key: answer for answer in engine.complete(asked)}
        assert {answer.finish_reason for answer in answers.values()} == {"stop"}
        assert all(answer.cached for answer in answers.values()) == bool(turn)
        assert answers["[faults: surrogate]"].text == "half a pair \ufffd and more"
    assert sum(server.service.received.values()) == len(asked)


@pytest.mark.parametrize(
    ("fault", "text", "reasoning"),
    [
        ("thinks", "Considered", "Is it A? No."),
        ("reasoning", "Considered", "Is it A? No."),
        ("parts", "It is B.", "Is it A?"),
        ("reasoning_only", "", "Is it A? No."),
        ("thinks_on", "", "Is it A? No, and"),
        ("events", "Considered", ""),
    ],
)
def test_thought_and_answer_come_apart_wherever_they_stand(
    server: Server, tmp_path: Path, fault: str, text: str, reasoning: str
) -> None:
    for _ in range(2):
        with Stored(engine_for(server), CompletionStore(tmp_path / "c.sqlite")) as engine:
            (answer,) = engine.complete([ask(f"[faults: {fault}]")])
        assert answer.finish_reason in {"stop", "length"}, answer.error
        assert answer.text.startswith(text)
        assert bool(answer.text) == bool(text)
        assert answer.reasoning == reasoning
        assert answer.attempts == 1
    assert sum(server.service.received.values()) == 1


def test_what_stood_in_the_text_is_there_to_go_on_from() -> None:
    answer = apart(Completion("k", "<think>Is it A?</think>\n\nB", "length"))
    assert (answer.reasoning, answer.text, answer.whole_text) == ("Is it A?", "B", "<think>Is it A?</think>\n\nB")
    plain = Completion("k", "No thought. A < B > C.", "stop")
    assert apart(plain) is plain


# Endings


@pytest.mark.parametrize(("word", "expected"), sorted(ENDINGS.items()))
def test_each_word_for_an_ending_means_what_the_provider_says(word: str, expected: str) -> None:
    for spelled in (word, word.upper(), word.replace("_", "-")):
        assert ending({"finish_reason": spelled})[0] == expected


@pytest.mark.parametrize("word", ["wobble", "STOPPED_EARLY", "0", "finish", "unknown", "OTHER"])
def test_an_unknown_ending_is_never_a_whole_answer(server: Server, word: str) -> None:
    answer = one(server, f"finish={word}")
    assert answer.finish_reason == "length"
    assert word in str(answer.error)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"finish_reason": "stop", "stop_reason": "Final answer:"}, "stop"),
        ({"finish_reason": "stop", "stop_reason": 151645}, "stop"),
        ({"finish_reason": "stop", "native_finish_reason": "MAX_TOKENS"}, "length"),
        ({"finish_reason": None, "stop_reason": "max_tokens"}, "length"),
        ({"finish_reason": "length", "stop_reason": None}, "length"),
        ({"finishReason": "SAFETY"}, "content_filter"),
        ({}, None),
    ],
)
def test_the_fields_of_an_ending_are_weighed(choice: dict[str, Any], expected: str | None) -> None:
    assert ending(choice)[0] == expected


def test_a_missing_ending_is_one_where_tokens_were_left(server: Server) -> None:
    assert one(server, "no_finish").finish_reason == "stop"
    payload = json.dumps({"choices": [{"message": {"content": "a"}}]}).encode()
    assert completions_from([REQUEST], payload, 0.0)[0].finish_reason == "length"


def test_a_thought_that_used_all_tokens_is_cut_not_empty() -> None:
    for content, reason in ((None, "length"), ("", "stop"), ("", "length")):
        message = {"content": content, "reasoning_content": "so " * 500}
        body = {"choices": [{"message": message, "finish_reason": reason}], "usage": {"completion_tokens": 500}}
        (answer,) = completions_from([REQUEST], json.dumps(body).encode(), 0.0)
        assert (answer.finish_reason, answer.text) == ("length", "")


# Failures


@pytest.mark.parametrize("fault", ["inside_429", "inside_exhausted", "inside_choice", "inside_500", "events_error"])
def test_an_error_within_200_is_treated_by_its_own_code(server: Server, fault: str) -> None:
    answer = one(server, f"{fault}, {fault}")
    assert (answer.finish_reason, answer.attempts) == ("stop", 3), answer.error
    assert answer.unread == (2 if fault == "inside_500" else 0)


def test_a_balance_within_200_stops_the_run(server: Server) -> None:
    with pytest.raises(EngineError, match="Insufficient Balance"):
        one(server, "inside_402")
    assert sum(server.service.received.values()) == 1


HOPELESS = [
    (402, "Payment Required"),
    (400, "API key not valid. Please pass a valid API key."),
    (400, "Your credit balance is too low to access the Anthropic API"),
    (429, "You exceeded your current quota, please check your plan and billing details."),
    (500, "The model `o1-preview` has been deprecated"),
    (400, "Model gpt-9 does not exist"),
    (422, "Unknown model: foo"),
    (503, "Your account has been suspended, contact support"),
    (400, "You do not have permission to use this resource"),
    (418, "Insufficient credits: add more at /credits"),
    (400, "The requested model 'x' is no longer available"),
    (500, "invalid access key"),
    (400, "This organization has no access to this endpoint"),
    (403, "nope"),
]
PASSING = [
    (429, "Rate limit reached for gpt-4o in organization org on tokens per min (TPM): Limit 30000"),
    (429, "You exceeded your current quota. Please retry in 30s per minute"),
    (429, "Too many requests"),
    (503, "The model is overloaded, please try again later"),
    (500, "Internal server error"),
    (502, "Bad gateway"),
    (400, "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens"),
    (400, "Unsupported parameter: 'max_tokens' is not supported with this model."),
    (400, "temperature is not supported with this model"),
    (400, "messages[0].role does not support system with this model"),
    (400, "Invalid value for top_p"),
]


@pytest.mark.parametrize(("status", "text"), HOPELESS)
def test_what_no_other_request_mends_stops_the_run(status: int, text: str) -> None:
    for payload in ({"error": {"message": text}}, {"detail": text}, {"message": text}, [{"error": {"message": text}}]):
        assert failure_from(status, {}, json.dumps(payload).encode()).kind == "fatal"
    assert failure_from(status, {}, text.encode()).kind == "fatal"


@pytest.mark.parametrize(("status", "text"), PASSING)
def test_what_waiting_or_another_request_mends_does_not(status: int, text: str) -> None:
    assert failure_from(status, {}, json.dumps({"error": {"message": text}}).encode()).kind != "fatal"


def test_a_quota_that_says_when_to_come_back_is_a_limit() -> None:
    body = json.dumps({"error": {"message": "You exceeded your current quota"}}).encode()
    assert failure_from(429, {"retry-after": "3"}, body).kind == "refused"
    assert failure_from(429, {}, body).kind == "fatal"


@pytest.mark.parametrize("status", ["402", "401", "403"])
def test_a_run_stops_at_once_for_what_does_not_mend(server: Server, status: str) -> None:
    server.service.always = status
    server.service.latency_s = 0.01
    with engine_for(server, concurrency=4) as engine, pytest.raises(EngineError, match=f"HTTP {status}"):
        list(engine.complete([ask(f"q{n}") for n in range(80)]))
    assert sum(server.service.received.values()) <= 8


def test_the_first_requests_that_fail_alike_stop_the_run(server: Server) -> None:
    server.service.always = "bad_parameter"
    alike = pytest.raises(EngineError, match=r"first 5 requests failed alike.*Invalid value")
    with engine_for(server, give_up_after=5, concurrency=2) as engine, alike:
        list(engine.complete([ask(f"q{n}") for n in range(80)]))
    assert sum(server.service.received.values()) <= 8
    with engine_for(server, give_up_after=0) as engine:
        assert len(list(engine.complete([ask(f"r{n}") for n in range(30)]))) == 30


def test_one_answer_among_failures_lets_the_run_go_on(server: Server) -> None:
    asked = [ask("good"), *(ask(f"[faults: too_long] {n}") for n in range(30))]
    with engine_for(server, give_up_after=5, concurrency=1) as engine:
        assert len(list(engine.complete(asked))) == 31


# Parameters


@pytest.mark.parametrize(
    "phrase",
    [
        "Unsupported parameter: '{name}'",
        "{name}: Extra inputs are not permitted",
        "This model does not accept {name}.",
        "Unrecognized request argument supplied: {name}",
        "`{name}` is deprecated for this model",
        "Setting {name} is not possible here",
        "{name} must be 1",
        '[{{"loc": ["body", "{name}"], "msg": "extra fields not permitted"}}]',
        "property '{name}' is unsupported",
        "got an unexpected keyword argument '{name}'",
    ],
)
@pytest.mark.parametrize(
    "name", ["temperature", "top_p", "seed", "stop", "logprobs", "top_logprobs", "top_k", "reasoning_effort"]
)
def test_a_refused_parameter_is_learned_from_any_phrasing(server: Server, phrase: str, name: str) -> None:
    server.service.always = f"unsupported={name}"
    server.service.refusal_text = phrase
    options: dict[str, Any] = {
        "logprobs": True,
        "extra_body": {"top_k": 3},
        "reasoning_effort": "low",
        "concurrency": 1,
    }
    with engine_for(server, **options) as engine:
        answers = list(
            engine.complete([ask(f"q{n}", temperature=0.7, top_p=0.9, stop=("END",), seed=n) for n in range(3)])
        )
    assert [answer.finish_reason for answer in answers] == ["stop"] * 3, answers[0].error
    assert sum(server.service.received.values()) == 4  # one refusal for the whole engine
    assert name not in server.service.bodies[-1]
    kept = {"temperature", "top_p", "seed", "stop", "top_k"} - {name}
    assert kept <= set(server.service.bodies[-1])


@pytest.mark.parametrize("name", ["top_k", "min_p", "repetition_penalty"])
def test_a_refused_way_of_drawing_that_was_asked_for_is_an_error_and_never_left_out(server: Server, name: str) -> None:
    server.service.always = f"unsupported={name}"
    server.service.refusal_text = "Unsupported parameter: '{name}'"
    with engine_for(server, concurrency=1) as engine:
        answers = list(engine.complete([ask(f"q{n}", temperature=0.7, **{name: 2}) for n in range(2)]))
    assert [answer.finish_reason for answer in answers] == ["error"] * 2
    assert all(name in str(answer.error) for answer in answers)
    assert all(body[name] == 2 for body in server.service.bodies)


def test_a_prompt_that_is_repeated_in_an_error_names_no_parameter() -> None:
    asked = Request("k", (Message("user", "Her temperature is 39 and her seed oil stop was no use"),), seed=1)
    body = chat_body([asked], "m", Dialect(), Extras())
    about = failure_from(400, {}, b'{"error": {"message": "cannot answer: Her temperature is 39 and her seed oil"}}')
    assert learned(Dialect(), about, body, asked.messages) is None
    quoted = failure_from(400, {}, b'{"error": {"message": "unsupported: \'temperature\'"}}')
    assert learned(Dialect(), quoted, body, asked.messages) is not None


def test_a_limit_is_never_left_out(server: Server) -> None:
    server.service.always = "unsupported=max_tokens"
    with engine_for(server) as engine:
        (answer,) = engine.complete([ask("Which?")])
    assert answer.finish_reason == "stop"
    assert "max_completion_tokens" in server.service.bodies[-1]
    asked = ask("q", max_new_tokens=9000)
    body = chat_body([asked], "m", Dialect(), Extras())
    long = failure_from(400, {}, b"max_tokens=9000 cannot be greater than max_model_len=8192. Please request fewer")
    assert learned(Dialect(), long, body, asked.messages) is None


def test_what_a_server_cannot_continue_is_told_with_the_option(server: Server) -> None:
    server.service.always = "unsupported=continue_final_message"
    request = Request("k", (Message("user", "a"), Message("assistant", "b")))
    with engine_for(server, continuation="native") as engine:
        (answer,) = engine.complete([request])
    assert answer.finish_reason == "error"
    assert "`continuation`" in str(answer.error)


# Answers that are none


UNUSABLE = [
    "null_content",
    "no_text",
    "tool",
    "html",
    "malformed",
    "empty_choices",
    "no_choices",
    "latin1",
    "deep",
    "events_cut",
]


@pytest.mark.parametrize("fault", UNUSABLE)
def test_an_answer_that_is_none_is_paid_tried_and_remembered(server: Server, tmp_path: Path, fault: str) -> None:
    asked = [ask(f"[faults: {', '.join([fault] * 9)}]", "bad"), ask("good")]
    with Stored(engine_for(server, tries=2), CompletionStore(tmp_path / "c.sqlite")) as engine:
        answers = {answer.key: answer for answer in engine.complete(asked)}
    bad = answers["bad"]
    assert answers["good"].finish_reason == "stop"
    assert (bad.finish_reason, bad.attempts, bad.unread, bad.unusable) == ("error", 2, 2, 2)
    assert cost_usd(bad, PRICE) > 0
    sent = sum(server.service.received.values())
    for _ in range(2):
        with Stored(engine_for(server, tries=2), CompletionStore(tmp_path / "c.sqlite")) as engine:
            again = {answer.key: answer for answer in engine.complete(asked)}["bad"]
        assert again.cached
        assert "were paid: it is not sent again" in str(again.error)
    assert sum(server.service.received.values()) == sent
    with Stored(engine_for(server, tries=3), CompletionStore(tmp_path / "c.sqlite")) as engine:
        assert engine.store.forget_failures() == 1
        list(engine.complete(asked))
    assert sum(server.service.received.values()) == sent + 3


@pytest.mark.parametrize("habit", sorted(HABITS))
def test_no_habit_ends_a_run_with_anything_but_an_answer_or_a_reason(server: Server, habit: str) -> None:
    asked = [ask(f"[faults: {habit}, {habit}]", "odd"), *(ask(f"q{n}") for n in range(5))]
    try:
        with engine_for(server) as engine:
            answers = list(engine.complete(asked))
    except EngineError as error:
        assert "Balance" in str(error)
        return
    assert len(answers) == 6
    assert all(answer.finish_reason != "error" or answer.error for answer in answers)


@pytest.mark.parametrize("habit", ["surrogate", "thinks", "parts", "reasoning", "no_finish", "usage_gemini"])
def test_a_batch_reads_answers_as_live_requests_are_read(server: Server, tmp_path: Path, habit: str) -> None:
    server.service.always = habit
    options = {"mode": "batch", "batch_dir": str(tmp_path / "b"), "batch_poll_s": 0.01}
    asked = [ask("odd"), ask("odder")]
    with Stored(engine_for(server, **options), CompletionStore(tmp_path / "c.sqlite")) as engine:
        batched = {answer.key: answer for answer in engine.complete(asked)}
    with engine_for(server) as engine:
        live = {answer.key: answer for answer in engine.complete(asked)}
    for name in ("text", "reasoning", "finish_reason", "completion_tokens", "unseen_completion_tokens"):
        assert getattr(batched["odd"], name) == getattr(live["odd"], name)


# Money


@pytest.mark.parametrize(
    "habit",
    [
        "usage_none",
        "usage_small",
        "usage_huge",
        "usage_text",
        "no_usage",
        "wrong_usage",
        "html",
        "malformed",
    ],
)
def test_the_budget_holds_whatever_the_server_counts(server: Server, habit: str) -> None:
    server.service.always = habit
    server.service.latency_s = 0.005
    bound = cost_bound_usd(ask("q00", max_new_tokens=10), PRICE)
    budget = Budget(5.5 * bound)
    engine = Budgeted(engine_for(server, concurrency=4, give_up_after=0), {"teacher": PRICE}, budget)
    with engine, pytest.raises(BudgetError):
        list(engine.complete([ask(f"q{n:02}", max_new_tokens=10) for n in range(120)]))
    assert sum(server.service.received.values()) == 5
    assert budget.spent_usd <= 5.5 * bound


@pytest.mark.parametrize("habit", ["reasoning_outside", "reasoning_outside_untold"])
def test_a_thought_counted_beside_the_answer_is_paid_and_reserved(server: Server, habit: str) -> None:
    server.service.always = habit
    budget = Budget(45.0)  # an answer costs some $20: 2,000 tokens of thought
    engine = Budgeted(engine_for(server, concurrency=1), {"teacher": PRICE}, budget)
    answers = []
    with engine, pytest.raises(BudgetError):
        for answer in engine.complete([ask(f"q{n}", max_new_tokens=10) for n in range(120)]):
            answers.append(answer)  # noqa: PERF402
    assert {answer.completion_tokens for answer in answers} == {2004}
    assert {answer.reasoning_tokens for answer in answers} == {2000}
    assert len(answers) == 2
    assert budget.spent_usd < 45.0


@pytest.mark.parametrize(
    ("habit", "prompt", "completion", "reasoning"),
    [("usage_gemini", 9, 34, 30), ("usage_anthropic", 9, 34, None), ("usage_none", None, None, None)],
)
def test_a_usage_is_read_in_its_providers_form(
    server: Server, habit: str, prompt: int | None, completion: int | None, reasoning: int | None
) -> None:
    answer = one(server, habit)
    told = (answer.prompt_tokens, answer.completion_tokens, answer.reasoning_tokens)
    assert told == (prompt, completion, reasoning)


@given(st.text(max_size=300), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_what_is_counted_is_never_less_than_the_text_shows(
    text: str, prompt: int, completion: int, thought: int
) -> None:
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
    found = usage_of({"usage": usage}, "", [text], [])
    assert found.completion is None or found.completion >= fewest_tokens(text)
    assert found.completion is None or found.completion >= completion
    assert found.reasoning is None or found.completion is None or found.reasoning <= found.completion


def test_a_further_attempt_is_reserved_before_it_is_made(server: Server) -> None:
    bound = cost_bound_usd(ask("[faults: reset_mid_body, reset_mid_body]", max_new_tokens=10), PRICE)
    budget = Budget(1.5 * bound)
    with Budgeted(engine_for(server), {"teacher": PRICE}, budget) as engine:
        (answer,) = engine.complete([ask("[faults: reset_mid_body, reset_mid_body]", max_new_tokens=10)])
    assert answer.finish_reason == "error"
    assert "the budget does not hold another attempt" in str(answer.error)
    assert sum(server.service.received.values()) == 1
    assert budget.spent_usd <= 1.5 * bound


def test_a_gateway_that_gave_up_waiting_may_have_been_billed(server: Server) -> None:
    answer = one(server, "504, 500, 502")
    assert (answer.finish_reason, answer.attempts, answer.unread) == ("stop", 4, 1)
    assert answer.unseen_completion_tokens == 500


# Choices, confidence


def test_choices_come_back_in_the_order_of_their_indices(server: Server) -> None:
    asked = [ask("Which? [faults: shuffled]", f"k{n}", sample=n, temperature=1.0) for n in range(3)]
    with engine_for(server, n_per_request=3) as engine:
        answers = {answer.key: answer.text for answer in engine.complete(asked)}
    assert [answers[f"k{n}"][:3] for n in range(3)] == ["Con", "(1)", "(2)"]


def test_confidence_comes_from_the_likeliest_tokens(server: Server) -> None:
    with engine_for(server, logprobs=True) as engine:
        drawn, greedy = (
            next(iter(engine.complete([ask(text, temperature=t)]))) for text, t in (("a", 1.0), ("b", 0.0))
        )
    assert server.service.bodies[0]["top_logprobs"] == 20
    assert "top_logprobs" not in server.service.bodies[1]
    expected = (0.5 + sum(1.5 + rank for rank in range(1, 20))) / 20
    assert drawn.confidence == pytest.approx(expected)
    assert drawn.lowest_confidence == pytest.approx(expected)
    total = math.log(math.exp(-0.5) + sum(math.exp(-1.5 - rank) for rank in range(1, 20)))
    assert drawn.self_certainty == pytest.approx(expected + total - math.log(20))
    assert (greedy.mean_logprob, greedy.confidence) == (-0.5, None)


def test_an_endpoint_that_two_requests_see_fail_rests_once() -> None:
    import asyncio

    from medo1.engines.http.fleet import FIRST_REST_S, Fleet

    async def seen_twice() -> tuple[int, float]:
        fleet = Fleet([("one", None), ("other", None)])  # type: ignore[list-item]
        member = fleet.members[0]
        fleet._rest(member, "HTTP 500", None)
        fleet._rest(member, "HTTP 500", None)
        return member.failures, member.resting_until - asyncio.get_running_loop().time()

    failures, rest_s = asyncio.run(seen_twice())
    assert failures == 1
    assert rest_s <= FIRST_REST_S


def test_a_response_error_says_what_was_found() -> None:
    with pytest.raises(ResponseError, match="not JSON: 'hello'"):
        completions_from([REQUEST], b"hello", 0.0)


def test_extra_body_sets_nothing_that_the_engine_sets(server: Server) -> None:
    with pytest.raises(EngineError, match="max_tokens"):
        engine_for(server, extra_body={"max_tokens": 10**6})
