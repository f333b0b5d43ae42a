"""An engine on each of two workers answers as it does alone."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from medo1.engines import Adapter, EngineError, Message, Model, Request, Sampling
from medo1.engines.local.transformers import Transformers
from medo1.engines.ray_data import RayData
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from medo1.lineage.digests import digest_of_tree, seed_from

KEY = "sk-marked-4f1d8c2e9b7a6053"
ECHO = "tests.engines.on_ray.Echo"
NEEDS_RAY = pytest.mark.skipif(
    find_spec("ray") is None and not os.environ.get("MEDO1_CI"), reason="Ray is not installed: pip install 'medo1[ray]'"
)


@pytest.fixture(scope="module")
def callers_ray() -> Iterator[Path]:
    """A Ray that the caller started, with two workers' room; its folder of logs."""
    import ray

    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # sockets lie in it: their paths must be short
    ray.init(
        address="local", num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False, _temp_dir=str(folder)
    )
    yield folder
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


def echo(tmp_path: Path, **options: Any) -> RayData:
    return RayData(engine=ECHO, options={"notes": str(tmp_path)}, credentials={"api_key": KEY}, **options)


def asked(*texts: str) -> list[Request]:
    return [Request(f"{place}", (Message("user", text),)) for place, text in enumerate(texts)]


@NEEDS_RAY
@pytest.mark.slow
def test_ray_is_started_where_there_is_none_and_ends_with_its_last_engine(tmp_path, monkeypatch):
    """Stands before the tests on a caller's Ray: a process has one."""
    import ray

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    one, other = (echo(tmp_path, workers=1, init={"num_cpus": 1}) for _ in range(2))
    assert not ray.is_initialized()
    assert [done.text for done in one.complete(asked("a"))] == ["a"]
    with (
        echo(tmp_path, workers=3) as large,
        pytest.raises(EngineError, match=r"3 workers need 3 CPUs, and Ray on this machine has 1"),
    ):
        list(large.complete(asked("a")))
    assert [done.text for done in other.complete(asked("b"))] == ["b"]
    one.close()
    assert ray.is_initialized()
    other.close()
    assert not ray.is_initialized()


@NEEDS_RAY
@pytest.mark.slow
def test_two_workers_answer_as_one_process_does(callers_ray, tiny_model, tiny_adapters, tmp_path):
    """Greedy and drawn, base and adapter; a store in front remembers what it would without Ray."""
    adapter = Adapter("arm", tiny_adapters[0], digest_of_tree(tiny_adapters[0]))
    requests = [
        Request(f"{n}/{one.temperature}/{who and who.name}", (Message("user", text),), one, 0, seed_from(1, n), who)
        for one in (Sampling(max_new_tokens=16), Sampling(temperature=1.0, max_new_tokens=16, stop=("zz",)))
        for who in (None, adapter)
        for n, text in enumerate(["Fever.", "A rash, and a cough of three weeks.", "Pain.", "Nothing at all?"])
    ]
    model = Model("tiny", tiny_model, "r")
    options = {"dtype": "float32", "device": "cpu"}
    plain = {one.key: one for one in Transformers(**options).with_model(model).complete(requests)}
    (tmp_path / "notes").mkdir()
    ray = RayData(
        engine="tests.engines.on_ray.Noting", options={**options, "notes": str(tmp_path / "notes")}, share=4, workers=2
    )
    with Stored(ray, CompletionStore(tmp_path / "store.sqlite")).with_model(model) as spread:
        answered = {one.key: one for one in spread.complete(requests)}
    assert list(plain) != [] and answered.keys() == plain.keys()
    for key, one in plain.items():
        there = answered[key]
        assert (there.text, there.finish_reason, there.completion_tokens) == (
            one.text, one.finish_reason, one.completion_tokens,
        )  # fmt: skip
        assert there.mean_logprob == pytest.approx(one.mean_logprob, abs=1e-4)
        assert not there.cached
    assert len(list((tmp_path / "notes").iterdir())) == 2

    alone = Stored(Transformers(**options).with_model(model), CompletionStore(tmp_path / "store.sqlite"))
    with alone:
        assert all(one.cached for one in alone.complete(requests))


@NEEDS_RAY
@pytest.mark.slow
def test_a_worker_that_cannot_go_on_is_one_message_without_its_key(callers_ray, tmp_path, caplog, capfd):
    with echo(tmp_path) as engine:
        for text, says in (("refuse", "the server does not know the key"), ("break", "ZeroDivisionError: with")):
            with pytest.raises(EngineError) as failed:
                list(engine.complete(asked("a", text)))
            said = str(failed.value)
            assert f"{says} [secret]" in said
            assert "on a Ray worker" in said
            assert "\n" not in said
    with pytest.raises(EngineError, match=r"adapter 'arm' is not at .*on a file system that all nodes share"):
        list(engine.complete([Request("1", (Message("user", "a"),), adapter=Adapter("arm", tmp_path / "no", "d"))]))
    said = "".join(capfd.readouterr()) + caplog.text + repr(engine._build)
    logs = [path for path in callers_ray.rglob("*") if path.is_file()]
    assert logs
    assert KEY not in said
    assert not [path for path in logs if KEY.encode() in path.read_bytes()]


@NEEDS_RAY
@pytest.mark.slow
def test_a_lost_worker_costs_no_answer(callers_ray, tmp_path):
    texts = [*map(str, range(10)), "die once", *map(str, range(10))]
    engine = echo(tmp_path, share=8)
    answered = list(engine.complete(asked(*texts)))
    assert sorted(int(one.key) for one in answered) == list(range(21))
    assert all(one.text == texts[int(one.key)] for one in answered)
    with pytest.raises(EngineError, match="lost 1 times, and 1 requests are unanswered"):
        list(echo(tmp_path, lost_workers=0).complete(asked("a", "die")))


@NEEDS_RAY
@pytest.mark.slow
def test_who_leaves_early_leaves_no_worker_behind_and_the_callers_ray_running(callers_ray, tmp_path):
    import ray

    engine = echo(tmp_path, share=1)
    first = engine.complete(asked(*map(str, range(20))))
    next(first)
    first.close()  # type: ignore[attr-defined]
    assert len(list(engine.complete(asked("a", "b")))) == 2  # both CPUs are free again, or this would wait for ever
    until = time.monotonic() + 20
    while not (closed := list(tmp_path.glob("closed-*"))) and time.monotonic() < until:
        time.sleep(0.1)
    assert closed  # the workers' engines too: one may have started a server
    engine.close()
    engine.close()
    assert ray.is_initialized()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"engine": "medo1.engines.Transformer"},
            "There is no engine 'medo1.engines.Transf",
        ),
        ({"engine": "medo1.engines.ray_data.RayData"}, "is no engine that the ray engine can wrap"),
        ({"engine": ECHO, "options": {"note": "x"}}, "The options of engine tests.engines.on_ray.Echo do not fit"),
        ({"engine": ECHO, "options": {"notes": "x"}, "workers": 0}, "workers is 0; expected 1 or more"),
    ],
)
def test_a_wrong_configuration_is_refused_before_anything_runs(options, says):
    with pytest.raises(EngineError, match=says):
        RayData(**options)


def test_it_is_what_the_wrapped_engine_is():
    wrapped = Transformers(dtype="bfloat16").with_model(Model("m", None, "r"))
    ray = RayData(engine="medo1.engines.Transformers", options={"dtype": "bfloat16"})
    assert ray.with_model(Model("m", None, "r")).identity == wrapped.identity
    assert not ray.streams


def test_it_continues_answers_as_its_workers_engines_do() -> None:
    for continuation, expected in (("refuse", False), ("native", None)):
        options = {"model": "m", "base_url": "http://127.0.0.1:9/v1", "continuation": continuation}
        assert RayData(engine="medo1.engines.OpenAI", options=options).continues is expected
