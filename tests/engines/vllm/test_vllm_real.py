"""The real vLLM server under the `vllm` engine, on the CPU: it says what the transformers engine says."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from medo1.engines import Adapter, Completion, EngineError, Message, Model, Request, Sampling
from medo1.engines.local.transformers import Transformers
from medo1.engines.vllm.engine import VLLM
from medo1.lineage.digests import digest_of_tree, seed_from

pytestmark = [pytest.mark.vllm, pytest.mark.slow]

PROMPTS = ["A patient presents with rash.", "Fever.", "A much longer story of a patient with cough, pain and a murmur."]
GREEDY = Sampling(max_new_tokens=24)


@pytest.fixture(scope="module")
def engine(vllm_python: str, served_model: Path, one_vllm_at_a_time: None) -> Iterator[VLLM]:
    made = VLLM(python=vllm_python, context=512, rows=32, max_rank=8, start_timeout_s=400)
    with made.with_model(Model("tiny", served_model, "r")) as engine:
        yield engine


def adapters_of(paths: tuple[Path, Path]) -> list[Adapter]:
    return [Adapter(f"rank{place}", path, digest_of_tree(path)) for place, path in enumerate(paths)]


def requests(sampling: Sampling, adapter: Adapter | None = None, samples: int = 1) -> list[Request]:
    return [
        Request(f"{prompt}/{n}/{adapter and adapter.name}", (Message("user", prompt),), sampling, n,
                seed_from(1, prompt, n) if sampling.temperature else None, adapter)
        for prompt in PROMPTS for n in range(samples)
    ]  # fmt: skip


def answered(engine: Any, asked: list[Request]) -> dict[str, Completion]:
    return {completion.key: completion for completion in engine.complete(asked)}


def texts(engine: Any, asked: list[Request]) -> dict[str, str]:
    return {key: completion.text for key, completion in answered(engine, asked).items()}


def test_greedy_answers_equal_the_transformers_engines_base_and_adapters_mixed(
    engine: VLLM, served_model: Path, served_adapters: tuple[Path, Path]
) -> None:
    """In one call, so that base and adapters are batched together: the base must not get an adapter's weights."""
    one, two = adapters_of(served_adapters)
    asked = [*requests(GREEDY), *requests(GREEDY, one), *requests(GREEDY, two)]
    asked = asked[::3] + asked[1::3] + asked[2::3]
    with Transformers().with_model(Model("tiny", served_model, "r")) as other:
        expected = answered(other, asked)
    told = answered(engine, asked)
    assert {key: one.text for key, one in told.items()} == {key: one.text for key, one in expected.items()}
    assert len({completion.text for completion in told.values()}) == len(asked)
    for key, completion in told.items():
        assert completion.prompt_tokens == expected[key].prompt_tokens
        assert completion.completion_tokens == expected[key].completion_tokens
        assert completion.finish_reason == expected[key].finish_reason
        assert completion.mean_logprob == pytest.approx(expected[key].mean_logprob, abs=1e-3)


def test_a_thought_is_gone_on_with_as_the_transformers_engine_does(engine: VLLM, served_model: Path) -> None:
    begun = [
        Request(f"{place}", (Message("user", prompt), Message("assistant", said)), GREEDY)
        for place, (prompt, said) in enumerate(zip(PROMPTS, ("Hmm, ", "So.\nFinal answer:", "x y\n"), strict=True))
    ]
    with Transformers().with_model(Model("tiny", served_model, "r")) as other:
        assert texts(engine, begun) == texts(other, begun)


def test_samples_differ_and_come_again_with_their_seeds(engine: VLLM, served_adapters: tuple[Path, Path]) -> None:
    """Seeds with prompts that are read in parts end the server: here they are read whole."""
    for adapter in (None, adapters_of(served_adapters)[0]):
        asked = requests(Sampling(temperature=1.0, max_new_tokens=16), adapter, samples=6)
        first = texts(engine, asked)
        said = [text for text in first.values() if text]  # a draw may end at once
        assert len(set(said)) == len(said) > len(asked) / 2
        assert texts(engine, asked[::-1]) == first


def test_an_allowance_beyond_the_context_is_shortened_and_an_overlong_prompt_is_an_error(engine: VLLM) -> None:
    prompt = "word " * 80
    [shortened] = engine.complete([Request("a", (Message("user", prompt),), Sampling(max_new_tokens=1000))])
    assert shortened.error is None
    assert shortened.prompt_tokens is not None
    assert shortened.completion_tokens is not None
    assert shortened.prompt_tokens + shortened.completion_tokens <= 512
    [refused] = engine.complete([Request("b", (Message("user", prompt * 3),), Sampling(max_new_tokens=4))])
    from medo1.pipelines.inference.budget_forcing import OVERLONG

    assert refused.finish_reason == "error"
    assert OVERLONG.search(refused.error or ""), refused.error


def test_the_answer_streams(engine: VLLM) -> None:
    request = requests(GREEDY)[0]
    pieces: list[str] = []
    completion = engine.stream(request, pieces.append)
    assert "".join(pieces) == completion.text == texts(engine, [request])[request.key]
    assert len(pieces) > 3
    assert completion.completion_tokens is not None


def test_a_server_that_dies_ends_the_run_with_one_message_and_is_started_again_by_the_next(
    engine: VLLM, served_model: Path
) -> None:
    list(engine.complete(requests(GREEDY)))
    server = engine._server
    assert server is not None
    [child] = Path(f"/proc/{server._process.pid}/task/{server._process.pid}/children").read_text().split()
    asked = [replace_key(request, n) for n in range(400) for request in requests(Sampling(max_new_tokens=200))]
    began = time.monotonic()
    with pytest.raises(EngineError, match="ended while it was needed"):
        for place, _ in enumerate(engine.complete(asked)):
            if place == 3:
                os.kill(int(child), signal.SIGKILL)
    assert time.monotonic() - began < 60
    engine.close()
    assert not Path(f"/proc/{child}").exists()


def replace_key(request: Request, number: int) -> Request:
    return Request(f"{number}/{request.key}", request.messages, request.sampling)


def test_confidence_of_drawn_answers_comes_over_http(engine: VLLM, served_model: Path) -> None:
    """From the 20 likeliest tokens that the server shows: the same kind of figures as the embedded engine has, and
    enough for each vote."""
    drawn = requests(Sampling(temperature=1.0, max_new_tokens=24), samples=8)
    with Transformers().with_model(Model("tiny", served_model, "r")) as other:
        embedded = list(answered(other, drawn).values())
    served = [one for one in answered(engine, drawn).values() if one.text]  # a draw may end at once
    assert len(served) > len(drawn) / 2
    for name in ("confidence", "lowest_confidence", "self_certainty", "mean_logprob"):
        values = [getattr(one, name) for one in served]
        assert None not in values, (name, [one for one in served if getattr(one, name) is None][:1])
    assert all(one.lowest_confidence > 0 for one in served)  # type: ignore[operator]
    means = [sum(one.confidence or 0.0 for one in ones) / len(ones) for ones in (served, embedded)]
    assert means[0] == pytest.approx(means[1], rel=0.2)
    [greedy] = engine.complete(requests(GREEDY)[:1])
    assert greedy.confidence is None
    assert greedy.mean_logprob is not None
