"""Real vLLM teaches one batch in every format: the engine, the store and the recipes against the real server.

The server is vLLM on the CPU with the tiny model, started on loopback. It is found in this environment, or at the
interpreter that MEDO1_VLLM_PYTHON names. A model of random weights writes no valid chain, so what is tested is that
every call is answered, kept, continued where it was cut, and that every question ends as a chain or as a rejected row.
"""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from medo1.chains.making import Made, Rejected, Settings, make_chains
from medo1.chains.recipes import RECIPES
from medo1.engines import Message, Request, Sampling
from medo1.engines.openai import OpenAI
from medo1.engines.store import CompletionStore
from medo1.engines.stored import Stored
from tests.chains.test_making import FULL, questions

PYTHON = os.environ.get("MEDO1_VLLM_PYTHON") or (sys.executable if importlib.util.find_spec("vllm") else None)
START_S = 400  # half a minute on a quiet machine
FLAGS = [
    *("--dtype", "float32", "--max-model-len", "1024", "--max-num-seqs", "16", "--max-num-batched-tokens", "8192"),
    *(
        "--enforce-eager",
        "--enable-prefix-caching",
        "--no-enable-chunked-prefill",
    ),  # a seed and a split prefill: a crash
    *("--generation-config", "vllm", "--served-model-name", "tiny"),
]

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.slow,
    pytest.mark.skipif(PYTHON is None, reason="no vLLM here: install it, or name its interpreter in MEDO1_VLLM_PYTHON"),
]


@pytest.fixture(scope="module")
def served_model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model's tokenizer with weights of 32 dimensions a head, the fewest that vLLM's CPU attention takes."""
    import torch
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=1024, tie_word_embeddings=True, initializer_range=0.3,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("served")
    Qwen2ForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def endpoint(served_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("vllm") / "server.log"
    environment = {**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    environment.pop("PYTHONPATH", None)
    server = ["-m", "vllm.entrypoints.openai.api_server", "--host", "127.0.0.1", "--port", str(port)]
    assert PYTHON is not None
    with log.open("w") as output:
        process = subprocess.Popen(
            [PYTHON, *server, "--model", str(served_model), *FLAGS],
            stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"vLLM did not start:\n{log.read_text()[-3000:]}")


@pytest.mark.parametrize("name", list(RECIPES))
def test_vllm_teaches_a_batch_in_every_format(endpoint: str, tmp_path: Path, name: str) -> None:
    format = "cot" if name == "single" else name

    def run() -> tuple[list[Made | Rejected], int]:
        store = CompletionStore(tmp_path / "c.sqlite")
        options = {"base_url": endpoint, "endpoint": "vllm", "concurrency": 8, "continuation": "native"}
        with Stored(OpenAI("tiny", **options), store) as teacher, Stored(OpenAI("tiny", **options), store) as plain:
            outcomes = list(
                make_chains(
                    questions(4),
                    format=format,
                    recipe=RECIPES[name],
                    engines={"teacher": teacher, "plain_teacher": plain},
                    prompts={**FULL[name], "again": "{{reason}}"},
                    settings=Settings(max_new_tokens=24, temperature=0.8, tries=2, when_cut="continue", cut_rounds=1),
                )
            )
            return outcomes, store.count()

    outcomes, kept = run()
    assert len(outcomes) == 4
    assert kept >= 4
    assert all(outcome.request_ids for outcome in outcomes)
    assert all("failed" not in outcome.code for outcome in outcomes if isinstance(outcome, Rejected))
    again, kept_again = run()
    assert kept_again == kept
    assert {outcome.question_id for outcome in again} == {outcome.question_id for outcome in outcomes}


def test_vllm_draws_continues_and_scores(endpoint: str) -> None:
    with OpenAI("tiny", base_url=endpoint, logprobs=True, n_per_request=4, continuation="native") as engine:
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
