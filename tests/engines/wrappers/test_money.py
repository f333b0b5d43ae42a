"""Prices, estimates, budgets, and the account of what was paid."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from medo1.engines import Completion, EngineError
from medo1.engines.wrappers.money import Account, Budget, Budgeted, BudgetError, Price, cost_usd, estimate, price_of
from medo1.engines.wrappers.progress import Tally
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from tests.conftest import ROOT
from tests.engines.conftest import ask, engine_for
from tests.engines.http.server import Server

PRICE = Price(prompt_usd_per_million=1000.0, completion_usd_per_million=10_000.0)
PRICES = {"teacher": PRICE}
# An answer of the server has 4 words, a prompt 2 or 3: about $0.042; the bound with 10 new tokens is above $0.1.


def questions(count: int) -> list:  # type: ignore[type-arg]
    return [ask(f"q{n}", max_new_tokens=10) for n in range(count)]


def test_cost_counts_cached_and_shared_prompts_at_what_they_cost() -> None:
    price = Price(prompt_usd_per_million=2.0, completion_usd_per_million=8.0, cached_prompt_usd_per_million=1.0)
    answer = Completion("k", "", "stop", prompt_tokens=1_000_000, completion_tokens=500_000)
    assert cost_usd(answer, price) == pytest.approx(2 + 4)
    assert cost_usd(answer, price, factor=0.5) == pytest.approx(3)
    cached = Completion("k", "", "stop", prompt_tokens=1_000_000, completion_tokens=0, cached_prompt_tokens=500_000)
    assert cost_usd(cached, price) == pytest.approx(1.5)
    shared = Completion("k", "", "stop", prompt_tokens=1_000_000, completion_tokens=0, shared=4)
    assert cost_usd(shared, price) == pytest.approx(0.5)


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-4o-2024-08-06", "gpt-4", "GPT-4o", ""])
def test_a_price_is_the_models_own_or_none(server: Server, model: str) -> None:
    assert price_of({"gpt-4o": PRICE}, "gpt-4o") is PRICE
    assert price_of({"gpt-4o": PRICE}, model) is None
    with pytest.raises(EngineError, match="under that very name"):
        Budgeted(engine_for(server, model=model), {"gpt-4o": PRICE}, Budget(1.0))
    assert not server.service.received


def test_the_estimate_sends_nothing_and_knows_what_is_kept(server: Server, tmp_path: Path) -> None:
    with Stored(engine_for(server), CompletionStore(tmp_path / "c.sqlite")) as engine:
        before = estimate(questions(30), engine, PRICES)
        assert sum(server.service.received.values()) == 0
        assert (before.requests, before.kept, before.to_send) == (30, 0, 30)
        assert before.completion_tokens == before.completion_tokens_bound == 300
        list(engine.complete(questions(20)))
        after = estimate([*questions(30), *questions(30)], engine, PRICES)
        assert (after.requests, after.to_send) == (60, 10)
        assert after.completion_tokens == 40  # four an answer, as the engine's earlier answers had
        assert after.cost_usd is not None
        assert after.cost_bound_usd is not None
        assert 0 < after.cost_usd < after.cost_bound_usd
        assert "10 to send" in str(after)
        assert "no price known" in str(estimate(questions(1), engine, {}))


def test_the_budget_is_never_exceeded_and_everything_is_kept(server: Server, tmp_path: Path) -> None:
    server.service.latency_s = 0.01
    budget = Budget(1.0)
    with Stored(Budgeted(engine_for(server), PRICES, budget), CompletionStore(tmp_path / "c.sqlite")) as engine:
        got = []
        with pytest.raises(BudgetError, match=r"budget of \$1\.00 is reached.*kept; raise budget_usd"):
            for answer in engine.complete(questions(100)):
                got.append(answer)  # noqa: PERF402
        spent = sum(cost_usd(answer, PRICE) for answer in got)
        assert spent == pytest.approx(budget.spent_usd)
        assert 0.85 <= spent <= 1.0
        assert engine.store.count() == len(got) == sum(server.service.answered.values())
        again = []
        with pytest.raises(BudgetError):
            for answer in Stored(Budgeted(engine_for(server), PRICES, Budget(0.0)), engine.store).complete(
                questions(100)
            ):
                again.append(answer)  # noqa: PERF402
        assert again
        assert all(answer.cached for answer in again)
    with Stored(Budgeted(engine_for(server), PRICES, Budget(None)), CompletionStore(tmp_path / "c.sqlite")) as engine:
        assert len(list(engine.complete(questions(100)))) == 100
    assert sum(server.service.answered.values()) == 100


def test_two_engines_share_a_budget(server: Server) -> None:
    budget = Budget(0.5)
    with Budgeted(engine_for(server), PRICES, budget) as one, Budgeted(engine_for(server), PRICES, budget) as other:
        for engine in (one, other):
            with pytest.raises(BudgetError):
                list(engine.complete(questions(100)))
    assert budget.spent_usd <= 0.5


def test_a_lost_answer_counts_as_paid(server: Server) -> None:
    budget = Budget(10.0)
    with Budgeted(engine_for(server), PRICES, budget) as engine:
        (answer,) = engine.complete([ask("[faults: reset_mid_body]", max_new_tokens=10)])
    counted = replace(answer, unseen_prompt_tokens=0, unseen_completion_tokens=0)
    assert budget.spent_usd == pytest.approx(cost_usd(answer, PRICE))
    assert budget.spent_usd > cost_usd(counted, PRICE) + 0.1


def test_a_budget_without_a_price_is_refused(server: Server) -> None:
    with pytest.raises(EngineError, match="no price for 'teacher'"):
        Budgeted(engine_for(server), {"other": PRICE}, Budget(1.0))


def test_the_account_says_what_was_asked_and_paid(server: Server, tmp_path: Path) -> None:
    account = Account(PRICES)
    with Stored(engine_for(server), CompletionStore(tmp_path / "c.sqlite")) as engine:
        asked = [*questions(3), ask("[faults: length]"), ask("[faults: too_long]")]
        for _ in range(2):
            for answer in engine.complete(asked):
                account.add(answer, engine, "cot")
    (row,) = account.rows()
    assert (row["label"], row["model"]) == ("cot", "teacher")
    assert (row["requests"], row["kept"], row["failed"], row["cut"]) == (10, 4, 1, 2)
    assert row["cost_usd"] > row["saved_usd"] > 0
    assert row["cost_usd"] == pytest.approx(account.cost_usd)


def test_progress_is_quiet_where_nobody_watches(
    server: Server, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "medo1.engines.wrappers.progress")
    account = Account(PRICES)
    with engine_for(server) as engine:
        tally = Tally(7, "cot", account)
        for answer in engine.complete(questions(7)):
            account.add(answer, engine, "cot")
            tally.add(answer)
        tally.close()
    assert capsys.readouterr().err == ""
    (line,) = caplog.messages
    assert line.startswith("cot: 7 of 7 (")
    assert "28 tokens, $" in line


def test_progress_draws_a_bar_for_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr", screen)
    tally = Tally(2, "cot", Account({}), interactive=True)
    tally.add(Completion("k", "x", "error", error="why"))
    tally.close()
    assert "1 failed" in screen.getvalue()


def test_the_time_left_is_told_at_the_rate_since_the_line_before(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "medo1.engines.wrappers.progress")
    clock = iter([0.0])
    now = [0.0]
    monkeypatch.setattr("medo1.engines.wrappers.progress.time.monotonic", lambda: next(clock, now[0]))
    tally = Tally(1000, "vanilla", Account({}), interactive=False)
    now[0] = 200.0  # so long the server took to start
    tally.add(Completion("k", "x", "stop"))
    for second in range(1, 41):
        now[0] = 200.0 + second
        tally.add(Completion("k", "x", "stop"))
    assert "left" not in caplog.messages[0]
    assert "969 s left" in caplog.messages[1]  # one a second, 31 of 1,000 done


COUNTED = {"budget_forcing.py"}  # by the meter of its arm


def test_wherever_an_engine_is_asked_its_answers_are_counted_on_the_screen() -> None:
    asking = [
        path.name
        for path in (ROOT / "src/medo1").rglob("*.py")
        if "engines" not in path.parts and ".complete(" in path.read_text(encoding="utf-8")
    ]
    assert set(asking) == COUNTED, "ask through medo1.engines.wrappers.progress.told_completions"
