"""The Batch API: half the price, and nothing paid twice whenever the process dies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from medo1.engines import EngineError
from medo1.engines.http.batch import BatchJobs, Journal
from medo1.engines.http.openai import OpenAI
from medo1.engines.wrappers.money import Budget, Budgeted, BudgetError, Price, cost_bound_usd
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from tests.engines.conftest import KEY, ask, engine_for
from tests.engines.http.server import Server


@pytest.fixture
def engine(server: Server, tmp_path: Path) -> Iterator[OpenAI]:
    with batch_engine(server, tmp_path) as made:
        yield made


def batch_engine(server: Server, tmp_path: Path, **options: Any) -> OpenAI:
    return engine_for(server, mode="batch", batch_dir=str(tmp_path / "batches"), batch_poll_s=0.02, **options)


class Killed(BaseException):
    """Stands for the end of the process."""


def test_a_batch_answers_every_request_at_half_price(server: Server, engine: OpenAI) -> None:
    assert (engine.streams, engine.price_factor) == (False, 0.5)
    answers = {answer.key: answer for answer in engine.complete([ask(f"q{n}") for n in range(5)])}
    assert {answer.finish_reason for answer in answers.values()} == {"stop"}
    assert len(server.service.batches) == 1
    assert answers["q1"].text != answers["q2"].text
    assert answers["q1"].completion_tokens == 4


def test_a_batch_and_a_live_answer_are_the_same_to_the_store(server: Server, engine: OpenAI, tmp_path: Path) -> None:
    store = CompletionStore(tmp_path / "c.sqlite")
    with Stored(engine_for(server), store) as live:
        list(live.complete([ask("q1")]))
    answers = list(Stored(engine, store).complete([ask("q1"), ask("q2")]))
    assert sum(answer.cached for answer in answers) == 1
    assert sum(server.service.received.values()) == 2


def test_large_batches_are_divided(server: Server, tmp_path: Path) -> None:
    with batch_engine(server, tmp_path, batch_size=4) as engine:
        assert len(list(engine.complete([ask(f"q{n}") for n in range(10)]))) == 10
    assert len(server.service.batches) == 3


def test_lines_that_fail_are_submitted_again_and_refused_ones_are_not(server: Server, engine: OpenAI) -> None:
    asked = [ask("[faults: 500]", "a"), ask("[faults: expired]", "b"), ask("[faults: malformed]", "c"), ask("d")]
    answers = {answer.key: answer for answer in engine.complete(asked)}
    assert {answer.finish_reason for answer in answers.values()} == {"stop"}
    assert len(server.service.batches) == 2
    assert answers["a"].attempts == 2


def test_a_reasoning_models_terms_are_learned_in_a_batch(server: Server, tmp_path: Path) -> None:
    with batch_engine(server, tmp_path, model="o9000", reasoning=False) as engine:
        (answer,) = engine.complete([ask("q")])
    assert answer.finish_reason == "stop", answer.error


@pytest.mark.parametrize("where", ["before create", "after create", "while waiting", "while taking"])
def test_a_batch_that_was_submitted_is_taken_over_by_the_next_run(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    questions = [ask(f"q{n}") for n in range(6)]
    create = BatchJobs._create

    async def dying(jobs: BatchJobs, tag: str, content: bytes) -> str:
        if where == "after create":
            await create(jobs, tag, content)
        raise Killed

    with monkeypatch.context() as patched, batch_engine(server, tmp_path) as engine, pytest.raises(Killed):
        if where.endswith("create"):
            patched.setattr(BatchJobs, "_create", dying)
        else:
            patched.setattr(BatchJobs, "_look" if where == "while waiting" else "_taken", _raise_killed)
        list(engine.complete(questions))
    with batch_engine(server, tmp_path) as engine:
        answers = list(engine.complete([*questions, ask("new")]))
    assert {answer.finish_reason for answer in answers} == {"stop"}
    assert len(answers) == 7
    assert max(server.service.answered.values()) == 1
    assert Journal(tmp_path / "batches").entries() == []


def _raise_killed(*_: Any) -> Any:
    raise Killed


def test_a_batch_that_is_refused_as_a_whole_says_why(server: Server, engine: OpenAI) -> None:
    server.service.batch_faults = ["failed"]
    (answer,) = engine.complete([ask("q")])
    assert answer.finish_reason == "error"
    assert "ended as failed without this answer. Line 1 is too long" in str(answer.error)


def test_a_journal_that_cannot_be_read_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "batches").mkdir()
    (tmp_path / "batches" / "x.json").write_text("{")
    with batch_engine(server, tmp_path) as engine, pytest.raises(EngineError, match=r"x\.json.*already paid"):
        list(engine.complete([ask("q")]))


def test_no_key_in_the_journal_or_in_errors(server: Server, tmp_path: Path) -> None:
    with batch_engine(server, tmp_path, max_attempts=1) as engine:
        list(engine.complete([ask("[faults: 500]")]))
    assert all(KEY.encode() not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_batch_mode_needs_a_place_to_remember(server: Server) -> None:
    with pytest.raises(EngineError, match="batch_dir"):
        engine_for(server, mode="batch")


def test_a_line_ends_at_a_line_feed_alone_and_a_broken_one_costs_no_other(server: Server, engine: OpenAI) -> None:
    server.service.answer = lambda body: "one\u2028two\u2029three\x85four\x0bfive\x1csix"
    server.service.batch_lines = [b"{not json", b"[1, 2]", b"\xff\xfe", b""]
    answers = list(engine.complete([ask(f"q{n}") for n in range(3)]))
    assert {answer.text for answer in answers} == {"one\u2028two\u2029three\x85four\x0bfive\x1csix"}


def test_a_batch_that_is_more_than_may_wait_goes_again_in_smaller_pieces(server: Server, tmp_path: Path) -> None:
    server.service.batch_faults = ["failed:token_limit_exceeded", "failed:token_limit_exceeded"]
    with batch_engine(server, tmp_path, max_attempts=1) as engine:
        answers = list(engine.complete([ask(f"q{n}") for n in range(8)]))
    assert [answer.finish_reason for answer in answers] == ["stop"] * 8
    sizes = [server.service.files[batch["input_file_id"]].count(b"\n") for batch in server.service.batches.values()]
    assert sizes[0] == 8
    assert sizes[1] == 4
    assert min(sizes[2:]) <= 2
    assert max(server.service.answered.values()) == 1


def test_a_batch_that_was_cancelled_is_not_sent_again_unasked(server: Server, engine: OpenAI) -> None:
    server.service.batch_faults = ["cancelled"]
    answers = list(engine.complete([ask("a"), ask("b")]))
    assert {answer.finish_reason for answer in answers} == {"error"}
    assert all("not sent again unasked" in str(answer.error) for answer in answers)
    assert len(server.service.batches) == 1


def test_an_error_that_does_not_mend_stops_a_batch_too(
    server: Server, engine: OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = (402, {"error": {"message": "Insufficient Balance"}})
    monkeypatch.setattr(server.service, "refusal", lambda body: refusal)
    with pytest.raises(EngineError, match="Insufficient Balance"):
        list(engine.complete([ask("a"), ask("b")]))
    assert len(server.service.batches) == 1


def test_a_batch_is_reserved_at_what_it_costs(server: Server, tmp_path: Path) -> None:
    price = Price(prompt_usd_per_million=1000.0, completion_usd_per_million=10_000.0)
    bound = cost_bound_usd(ask("q00", max_new_tokens=10), price, 0.5)
    budget = Budget(5.5 * bound)
    engine = Budgeted(batch_engine(server, tmp_path), {"teacher": price}, budget)
    got = []
    with engine, pytest.raises(BudgetError):
        for answer in engine.complete([ask(f"q{n:02}", max_new_tokens=10) for n in range(20)]):
            got.append(answer)  # noqa: PERF402
    assert len(got) == 5
    assert budget.spent_usd <= 5.5 * bound
