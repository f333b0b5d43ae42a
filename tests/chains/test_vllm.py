"""Real vLLM teaches one batch in every format: the engine, the store and the recipes against the real server.

The server is vLLM on the CPU with the tiny model, started on loopback by the `vllm` engine. A model of random weights
writes no valid chain, so what is tested is that every call is answered, kept, continued where it was cut, and that
every question ends as a chain or as a rejected row.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from medo1.chains.recipes import RECIPES
from medo1.chains.state import MadeChain, RejectedChain
from medo1.chains.task import TeachingSpec
from medo1.engines import Message, Model, Request, Sampling
from medo1.engines.http.openai import OpenAI
from medo1.engines.vllm.engine import VLLM
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from tests.chains.asked import chains_of
from tests.chains.test_making import FULL, questions

pytestmark = [pytest.mark.vllm, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(vllm_python: str, served_model: Path, one_vllm_at_a_time: None) -> Iterator[VLLM]:
    with VLLM(python=vllm_python, context=1024, rows=16, start_timeout_s=400) as engine:
        engine.with_model(Model("tiny", served_model, "r"))
        list(engine.complete([Request("ready?", (Message("user", "Ready?"),), Sampling(max_new_tokens=1))]))
        yield engine


@pytest.mark.parametrize("name", list(RECIPES))
def test_vllm_teaches_a_batch_in_every_format(server: VLLM, tmp_path: Path, name: str) -> None:
    format = "cot" if name == "single" else name

    def run() -> tuple[list[MadeChain | RejectedChain], int]:
        store = CompletionStore(tmp_path / "c.sqlite")
        outcomes = list(
            chains_of(
                questions(4),
                format=format,
                recipe=RECIPES[name],
                engines={"teacher": Stored(server, store), "plain_teacher": Stored(server, store)},
                prompts={**FULL[name], "again": "{{reason}}"},
                teaching=TeachingSpec(max_new_tokens=24, temperature=0.8, tries=2, when_cut="continue", cut_rounds=1),
            )
        )
        kept = store.count()
        store.close()
        return outcomes, kept

    outcomes, kept = run()
    assert len(outcomes) == 4
    assert kept >= 4
    assert all(outcome.request_ids for outcome in outcomes)
    assert all("failed" not in outcome.code for outcome in outcomes if isinstance(outcome, RejectedChain))
    again, kept_again = run()
    assert kept_again == kept  # nothing is asked for twice, and nothing was left unasked

    def paid(made: list[MadeChain | RejectedChain]) -> dict[str, tuple[str, ...]]:
        return {outcome.question_id: outcome.request_ids for outcome in made}

    assert paid(again) == paid(outcomes)


def test_vllm_draws_continues_and_scores(server: VLLM) -> None:
    assert server._server is not None
    options = {"base_url": f"http://127.0.0.1:{server._server.port}/v1", "credentials": {"api_key": server._key}}
    with OpenAI("tiny", logprobs=True, n_per_request=4, continuation="native", **options) as engine:
        draws = [
            Request(str(n), (Message("user", "What is it?"),), Sampling(1.0, max_new_tokens=12), sample=n, seed=5 + n)
            for n in range(4)
        ]
        answers = {answer.key: answer for answer in engine.complete(draws)}
        assert len({answer.text for answer in answers.values()}) > 1
        assert all(answer.mean_logprob is not None and answer.mean_logprob < 0 for answer in answers.values())
        assert all(answer.shared == 4 for answer in answers.values())
        assert sum(answer.completion_tokens or 0 for answer in answers.values()) <= 48
        begun = (Message("user", "What is it?"), Message("assistant", "It is"))
        (continued,) = engine.complete([Request("k", begun, Sampling(max_new_tokens=8))])
        (fresh,) = engine.complete([Request("k", begun[:1], Sampling(max_new_tokens=8))])
    assert continued.finish_reason in {"stop", "length"}
    assert (continued.prompt_tokens or 0) > (fresh.prompt_tokens or 0) - 20
