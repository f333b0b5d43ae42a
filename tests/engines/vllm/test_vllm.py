"""The `vllm` engine and its server's life, with a small program in vLLM's place (the real one: test_vllm_real.py)."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from medo1.engines import Adapter, EngineError, Message, Model, Request
from medo1.engines.vllm.engine import VLLM, rank_of, served_rank
from tests.conftest import ROOT


class Fake:
    """The stand-in interpreter, and what it was started with."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.log = folder / "starts"
        self.path = folder / "python-with-vllm"
        self.path.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT / "tests/engines/vllm/fake_vllm.py"} "$@"\n')
        self.path.chmod(0o755)
        monkeypatch.setenv("FAKE_VLLM_STARTS", str(self.log))

    def engine(self, **options: Any) -> VLLM:
        model = options.pop("served", Model("base", None, "r"))
        return VLLM(python=str(self.path), **options).with_model(model)

    @property
    def starts(self) -> list[list[str]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    return Fake(tmp_path, monkeypatch)


def adapter(folder: Path, name: str, **config: Any) -> Adapter:
    path = folder / name
    path.mkdir()
    (path / "adapter_config.json").write_text(json.dumps({"r": 8} | config))
    return Adapter(name, path, f"digest of {name}")


def ask(key: str, adapter: Adapter | None = None, text: str = "Fever.") -> Request:
    return Request(key, (Message("user", text),), adapter=adapter)


def said(engine: VLLM, *requests: Request) -> dict[str, str]:
    completions = list(engine.complete(list(requests)))
    assert [one.error for one in completions] == [None] * len(requests)
    return {one.key: one.text for one in completions}


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
    except (FileNotFoundError, ProcessLookupError):  # the second: it ended between opening and reading
        return False


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 15
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


# Its life


def test_the_server_starts_with_the_first_request_and_stops_when_the_engine_is_closed(fake: Fake) -> None:
    engine = fake.engine()
    assert not fake.log.exists()
    with engine:
        assert list(engine.complete([])) == []
        assert not fake.log.exists()
        pid = int(said(engine, ask("a"))["a"].split()[-1])
        assert said(engine, ask("b"))["b"].endswith(str(pid))
        assert len(fake.starts) == 1
    assert gone(pid)


def test_the_server_is_gone_when_its_owner_is_killed(fake: Fake) -> None:
    code = (
        "import sys, time\nfrom medo1.engines import *\nfrom medo1.engines.vllm.engine import VLLM\n"
        "engine = VLLM(python=sys.argv[1]).with_model(Model('base', None, 'r'))\n"
        "[one] = engine.complete([Request('a', (Message('user', 'x'),))])\n"
        "print(one.text.split()[-1], flush=True)\ntime.sleep(60)\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", code, str(fake.path)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    assert alive(pid)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert gone(pid)


def test_a_server_that_ends_fails_the_call_and_the_next_run_starts_another(fake: Fake) -> None:
    with fake.engine() as engine:
        said(engine, ask("a"))
        with pytest.raises(EngineError, match=r"ended while it was needed.*run again"):
            list(engine.complete([ask("b", text="die")]))
        engine.close()
        assert said(engine, ask("c"))
        assert len(fake.starts) == 2


# Adapters


def test_adapters_are_served_models_and_one_name_with_other_files_is_another(fake: Fake, tmp_path: Path) -> None:
    one = adapter(tmp_path, "cot")
    other = Adapter("cot", one.path, "other digest")
    with fake.engine() as engine:
        told = said(engine, ask("base"), ask("one", one), ask("other", other))
        assert told["base"].startswith("base on")
        assert told["one"].startswith("cot@digest of co")
        assert told["other"].startswith("cot@other digest")
        [flags] = fake.starts
    assert flags[flags.index("--max-lora-rank") + 1] == "8"
    assert int(flags[flags.index("--max-loras") + 1]) == 5, (
        "one slot more than adapters, or the base takes one's weights"
    )


def test_an_adapter_under_whose_name_the_base_answers_is_refused(fake: Fake, tmp_path: Path) -> None:
    fake.monkeypatch.setenv("FAKE_VLLM_MODE", "base_only")
    engine = fake.engine()
    try:
        assert said(engine, ask("base"))
        with pytest.raises(EngineError, match=r"answers as the base model under the name of the adapter longstep"):
            list(engine.complete([ask("1", adapter(tmp_path, "longstep"))]))
    finally:
        engine.close()


def test_the_server_starts_again_for_the_first_adapter_and_for_a_larger_rank(fake: Fake, tmp_path: Path) -> None:
    with fake.engine() as engine:
        said(engine, ask("a"))
        said(engine, ask("b", adapter(tmp_path, "small", r=6)))
        said(engine, ask("c", adapter(tmp_path, "large", r=16)))
        said(engine, ask("d", adapter(tmp_path, "again", r=4)), ask("e"))
        ranks = [
            flags[flags.index("--max-lora-rank") + 1] if "--enable-lora" in flags else None for flags in fake.starts
        ]
    assert ranks == [None, "8", "16"]
    with fake.engine(max_rank=16) as engine:
        said(engine, ask("a"))
        said(engine, ask("b", adapter(tmp_path, "other", r=16)))
    assert len(fake.starts) == 4


def test_ranks_are_those_that_vllm_knows(tmp_path: Path) -> None:
    assert [served_rank(rank, "r") for rank in (1, 2, 8, 9, 100, 512)] == [1, 8, 8, 16, 128, 512]
    assert rank_of(adapter(tmp_path, "pattern", r=4, rank_pattern={"q_proj": 20})) == 32
    with pytest.raises(EngineError, match="rank of the adapter huge is 1024; vLLM serves adapters up to rank 512"):
        rank_of(adapter(tmp_path, "huge", r=1024))
    with pytest.raises(EngineError, match="plain LoRA; the adapter dora has use_dora"):
        rank_of(adapter(tmp_path, "dora", use_dora=True))
    with pytest.raises(EngineError, match="cannot be read"):
        rank_of(Adapter("none", tmp_path / "none", "d"))


# One message each


def test_each_thing_that_can_be_missing_is_one_message(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def message(engine: VLLM, mode: str = "serve") -> str:
        monkeypatch.setenv("FAKE_VLLM_MODE", mode)
        with engine, pytest.raises(EngineError) as caught:
            list(engine.complete([ask("a")]))
        return str(caught.value)

    assert "has no model" in message(VLLM(python=str(fake.path)))
    assert "There is no interpreter '/no/python', which the engine's option `python` names" in message(
        VLLM(python="/no/python").with_model(Model("m"))
    )
    monkeypatch.setenv("MEDO1_VLLM_PYTHON", "/nor/this")
    assert "which MEDO1_VLLM_PYTHON names" in message(VLLM().with_model(Model("m")))
    told = message(fake.engine(), "/usr/bin/python: Error while finding module: No module named 'vllm'")
    assert "vLLM is not installed for" in told
    told = message(
        fake.engine(), "Traceback ...\nOSError: base is not a local folder and is not a valid model identifier"
    )
    assert told.startswith("vLLM serving base did not start: OSError: base is not a local folder")
    assert "correct the model's name" in told
    told = message(fake.engine(), "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB")
    assert "lower `context`, or change `gpu_memory`" in told
    assert "was not ready within 1 s" in message(fake.engine(start_timeout_s=1), "never_ready")
    assert "is no model directory" in message(fake.engine(served=Model("m", tmp_path, "r")))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port} is taken" in message(fake.engine(port=port))
    with pytest.raises(EngineError, match="would run code"):
        VLLM(arguments=["--trust-remote-code"])


def test_no_vllm_anywhere_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDO1_VLLM_PYTHON", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(EngineError, match=r"pip install 'medo1\[vllm\]'"):
        list(VLLM().with_model(Model("m")).complete([ask("a")]))


# What it is started with


def flags_of(engine: VLLM, port: int = 1234) -> str:
    return " ".join(engine.flags(port))


def test_parallelism_memory_and_context_come_from_the_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medo1.engines.vllm.engine._has_gpu", lambda: True)
    options: dict[str, Any] = {"tensor_parallel": 4, "data_parallel": 2, "context": 16384, "gpu_memory": 0.8}
    told = flags_of(VLLM(arguments=["--kv-cache-dtype", "fp8"], **options).with_model(Model("org/big", None, "abc")))
    for wanted in (
        "--tensor-parallel-size 4", "--data-parallel-size 2", "--max-model-len 16384", "--gpu-memory-utilization 0.8",
        "--revision abc", "--enable-prefix-caching", "--generation-config vllm", "--load-format safetensors",
        "--host 127.0.0.1 --port 1234", "--kv-cache-dtype fp8", "--dtype auto",
    ):  # fmt: skip
        assert wanted in told
    assert "chunked" not in told
    assert "trust" not in told


def test_on_a_cpu_prompts_are_read_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """There a seed together with a split prompt ends the server."""
    monkeypatch.setattr("medo1.engines.vllm.engine._has_gpu", lambda: False)
    (tmp_path / "config.json").write_text('{"max_position_embeddings": 32768}')
    told = flags_of(VLLM().with_model(Model("m", tmp_path, "r")))
    assert "--no-enable-chunked-prefill --max-num-batched-tokens 32768" in told
    assert "--dtype float32" in told


def test_the_servers_key_is_nowhere_to_be_seen(fake: Fake, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with fake.engine() as engine:
        said(engine, ask("a"))
        key = engine._key
        assert key not in caplog.text
        assert key not in fake.log.read_text()
        assert key not in json.dumps(engine.identity)


def test_where_the_server_runs_is_no_part_of_what_the_engine_is(fake: Fake) -> None:
    with fake.engine() as one, fake.engine(port=free()) as other:
        assert one.identity == other.identity
        assert one.identity != fake.engine(dtype="bfloat16").identity


def free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_the_folder_of_a_servers_log_goes_with_it_and_stays_where_a_message_names_it(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import os
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old = tmp_path / "medo1-server-old"
    old.mkdir()
    os.utime(old, (0, 0))
    with fake.engine() as engine:
        list(engine.complete([ask("Well?")]))
        assert [path.name for path in tmp_path.glob("medo1-server-*/server.log")] == ["server.log"]
    assert list(tmp_path.glob("medo1-server-*")) == []
    monkeypatch.setenv("FAKE_VLLM_MODE", "ValueError: no")
    with fake.engine() as engine, pytest.raises(EngineError, match=r"its log: .*server\.log"):
        list(engine.complete([ask("Well?")]))
    assert len(list(tmp_path.glob("medo1-server-*/server.log"))) == 1


def test_an_adapter_whose_end_nothing_stops_on_is_refused_before_it_is_loaded(
    fake: Fake, tiny_model: Path, tmp_path: Path
) -> None:
    good, odd = adapter(tmp_path, "good"), adapter(tmp_path, "odd")
    (good.path / "medo1_adapter.json").write_text(json.dumps({"trained_stop_token": "<|im_end|>"}))
    (odd.path / "medo1_adapter.json").write_text(json.dumps({"trained_stop_token": "<|eot_id|>"}))
    with fake.engine(served=Model("tiny", tiny_model, "r"), context=512) as engine:
        assert engine._ends() == ["<|im_end|>"]
        with pytest.raises(EngineError, match=r"learned to end its answers with '<\|eot_id\|>', and tiny stops on"):
            list(engine.complete([ask("a", odd)]))


def test_an_adapter_of_another_base_is_refused_before_it_is_loaded(
    fake: Fake, tiny_model: Path, tmp_path: Path
) -> None:
    other = adapter(tmp_path, "other")
    (other.path / "medo1_adapter.json").write_text(json.dumps({"base": {"dtype": "F32", "numbers": "0.5 0.25"}}))
    with (
        fake.engine(served=Model("tiny", tiny_model, "r"), context=512) as engine,
        pytest.raises(EngineError, match="adapter other was trained on another base model than tiny"),
    ):
        list(engine.complete([ask("a", other)]))
