"""What is asked of a server that cannot continue an answer and of a model that thinks unseen, and what is paid; what a
longer thought pays when a shorter one is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from medo1.engines.http.openai import OpenAI
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from medo1.frames import Frame
from medo1.pipelines.inference import nodes
from medo1.pipelines.inference.params import ArmParams, InferenceParams
from tests.engines.http.server import Server
from tests.pipelines.inference.tape import Tape
from tests.pipelines.inference.test_nodes import LETTERS, questions

ARM = ArmParams(prompt="cot", model=None)
# conf/paper's sweep, in words of the server
PAPER = InferenceParams(max_new_tokens=8192, budgets=(128, 256, 512, 1024, 2048, 4096), answer_tokens=32, samples=0)


def thought(number: int) -> str:
    """The n-th case takes 100 * 2 ** n words."""
    return f"{'so ' * (100 * 2**number - 3)}\nFinal answer: {LETTERS[number % 4]}"


def said_to(body: dict[str, Any]) -> str:
    """What the server says; it goes on where an assistant's turn stands."""
    number = int(re.findall(r"Case (\d+):", body["messages"][0]["content"])[0])
    whole, last = thought(number), body["messages"][-1]
    if last["role"] != "assistant":
        return whole
    if last["content"].endswith("Final answer:"):
        return whole[whole.index("Final answer:") + len("Final answer:") :]
    return whole[len(last["content"]) :]


def answering(server: Server, *, unseen: bool = False) -> Server:
    """Words are tokens, cut at the limit; `unseen`: all but the last line is a thought that is counted, not shown."""

    def completion(body: dict[str, Any], fault: str) -> dict[str, Any]:
        words = re.findall(r"\s*\S+", said_to(body))
        limit = body.get("max_completion_tokens") or body.get("max_tokens")
        hidden = next(n for n, word in enumerate(words) if "\n" in word) if unseen else 0
        spent = min(limit, len(words))
        content = "".join(words[hidden:spent])
        usage: dict[str, Any] = {"prompt_tokens": 9, "completion_tokens": spent, "total_tokens": spent + 9}
        if unseen:
            usage["completion_tokens_details"] = {"reasoning_tokens": min(limit, hidden)}
        return {
            "id": "x", "object": "chat.completion", "created": 0, "model": body["model"],
            "choices": [{"index": 0, "finish_reason": "stop" if spent == len(words) else "length",
                         "message": {"role": "assistant", "content": content}}],
            **({} if fault == "no_usage" else {"usage": usage}),
        }  # fmt: skip

    server.service.completion = completion  # type: ignore[method-assign]
    return server


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(answer=said_to) as running:
        yield answering(running)


def asked(server: Server, model: str = "api", params: InferenceParams = PAPER, **options: Any) -> tuple[Frame, Frame]:
    """The arm's answers to seven questions, and its budget curve."""
    table = questions(7)
    with OpenAI(model, base_url=server.url, max_attempts=2, tries=1, **options) as engine:
        generations, _ = nodes.generate(table, "Think.", engine, params, ARM, 3, name="api")
    answers = nodes.read_answers(generations, table, ARM)
    return answers, nodes.draw_curves(params, {"api": ARM}, 3, answers)[2].set_index("budget")


def limits_sent(server: Server) -> list[int]:
    return sorted(body.get("max_completion_tokens") or body["max_tokens"] for body in server.service.bodies)


def test_a_server_that_cannot_continue_is_asked_once_with_the_last_budget(server: Server) -> None:
    answers, curve = asked(server)
    assert limits_sent(server) == [8192] * 7, "nothing at 128 tokens, and nothing again"
    assert answers["correct"].all()
    # 100, 200, 400 ... 6,400 words: what had ended within a budget has its answer there, the others have none.
    assert curve["accuracy"].round(6).tolist() == [round(n / 7, 6) for n in (1, 2, 3, 4, 5, 6, 7)]
    assert curve["cut"].round(6).tolist() == [round(n / 7, 6) for n in (6, 5, 4, 3, 2, 1, 0)]
    assert (curve["forced"] == 0).all(), "no answer was asked for"
    assert curve.loc[256, "mean_tokens"] == pytest.approx((100 + 200 + 5 * 256) / 7)


def test_a_model_that_thinks_unseen_pays_no_restart_and_its_hidden_thought_counts(server: Server) -> None:
    answering(server, unseen=True)
    answers, curve = asked(server, "o1-mini", continuation="ask")
    assert limits_sent(server) == [8192] * 7, "known by its name"
    assert answers["correct"].all()
    assert (answers["thinking_tokens"] > 90).all()
    assert curve["cut"].round(6).tolist() == [round(n / 7, 6) for n in (6, 5, 4, 3, 2, 1, 0)]


def test_a_model_found_to_think_unseen_is_asked_once_from_then_on(server: Server) -> None:
    answering(server, unseen=True)
    answers, curve = asked(server, "thinker", continuation="ask")
    assert limits_sent(server) in ([128, *[8192] * 7], [128, *[8192] * 6]), "one question showed it, at 128 tokens"
    assert answers["correct"].all()
    assert curve.loc[8192, "accuracy"] == 1.0


def test_a_server_that_continues_is_asked_for_the_difference(server: Server) -> None:
    params = PAPER.model_copy(update={"max_new_tokens": 512, "budgets": (128, 256)})
    _, curve = asked(server, params=params, continuation="native")
    sent = limits_sent(server)
    assert sent.count(128) == 7 + 6, "each first part, and what takes those cut at 128 to 256"
    assert sent.count(256) == 5
    assert curve["accuracy"].tolist() == [1.0, 1.0, 1.0]
    assert curve["cut"].tolist() == [0.0, 0.0, 0.0]


def test_tokens_that_are_not_counted_leave_the_smaller_budgets_open(server: Server) -> None:
    server.service.always = "no_usage"
    _, curve = asked(server)
    assert curve.index.tolist() == [8192]


# What is kept stays paid


def long(request: Any) -> str:
    number = int(request.messages[0].content.split(":")[0].removeprefix("Case "))
    return f"{'step ' * (13 * number)}\nFinal answer: {LETTERS[number % 4]}"


@pytest.mark.parametrize("samples", [0, 3])
def test_a_larger_budget_and_no_sweep_keep_what_is_drawn(samples: int, tmp_path: Path) -> None:
    tape, table = Tape(long), questions(10)

    def run(**changed: Any) -> tuple[int, Frame, Frame]:
        params = InferenceParams(**{"samples": samples, "answer_tokens": 4, "max_new_tokens": 64, **changed})
        with Stored(tape, CompletionStore(tmp_path / "c.sqlite")) as engine:
            before = sum(request.sampling.max_new_tokens for request in tape.asked)
            generations, timing = nodes.generate(
                table, "Think.", engine, params, ArmParams(prompt="cot"), 3, name="arm"
            )
            after = sum(request.sampling.max_new_tokens for request in tape.asked)
        return after - before, generations, timing

    cut = sum(
        len(long_text.split()) > 64 for long_text in (f"{'step ' * (13 * n)}\nFinal answer: A" for n in range(10))
    )
    run(max_new_tokens=64)
    more, larger, timing = run(max_new_tokens=128)
    assert more == cut * (1 + samples) * 64, "only what was cut goes on, from where it stopped"
    assert (larger["status"] == "finished").all()
    again, _, _ = run(max_new_tokens=128)
    assert again == 0
    assert timing["kept"].item() == 10 * (1 + samples), "every request of the shorter run"

    swept, with_sweep, _ = run(max_new_tokens=128, budgets=(16, 32, 64))
    assert swept > 0
    without, plain, _ = run(max_new_tokens=128, budgets=())
    assert without == 0
    whole = with_sweep[with_sweep["draw"] != "swept"].drop(columns=["budget", "parts", "request_id"])
    assert whole["text"].tolist() == plain["text"].tolist()


def test_a_sweep_that_is_left_out_later_keeps_its_thoughts(tmp_path: Path) -> None:
    tape, table = Tape(long), questions(10)
    for budgets in ((16, 32, 64), ()):
        params = InferenceParams(samples=0, answer_tokens=4, max_new_tokens=200, budgets=budgets)
        with Stored(tape, CompletionStore(tmp_path / "c.sqlite")) as engine:
            before = len(tape.asked)
            nodes.generate(table, "Think.", engine, params, ArmParams(prompt="cot"), 3, name="arm")
    assert len(tape.asked) == before
