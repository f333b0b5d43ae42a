"""The completion store: nothing that was answered is lost, nothing is paid twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from medo1.engines import Adapter, Completion, Engine, EngineError, Message, Request, Sampling
from medo1.engines.wrappers.store import CompletionStore, Filter, engine_address, request_address
from medo1.engines.wrappers.stored import Stored
from tests.engines.conftest import KEY, ask, engine_for
from tests.engines.http.server import Server, ServerProcess
from tests.engines.wrappers.killed_run import requests as killed_requests

KILLS = 30


class Scripted(Engine):
    """Answers from a function, one at a time, in the order asked."""

    def __init__(self, streams: bool = True) -> None:
        self.streams = streams
        self.asked: list[str] = []

    @property
    def identity(self) -> dict[str, Any]:
        return {"kind": "scripted"}

    def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
        for request in requests:
            text = request.messages[-1].content
            self.asked.append(text)
            yield [Completion(request.key, f"answer to {text}", "error" if "fail" in text else "stop", error="failed")]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CompletionStore]:
    made = CompletionStore(tmp_path / "completions.sqlite")
    yield made
    made.close()


def test_a_finished_run_sends_nothing_and_gives_the_same(server: Server, store: CompletionStore) -> None:
    questions = [ask(f"q{n}", sample=n % 2, seed=n) for n in range(50)]
    with Stored(engine_for(server, logprobs=True), store) as engine:
        first = {answer.key: answer for answer in engine.complete(questions)}
    with Stored(engine_for(server, logprobs=True), store) as engine:
        again = {answer.key: answer for answer in engine.complete(questions)}
    assert sum(server.service.received.values()) == 50
    assert all(answer.cached for answer in again.values())
    assert {key: replace(answer, cached=False) for key, answer in again.items()} == first
    assert all(len(answer.request_id) == 64 for answer in first.values())


@pytest.mark.parametrize(
    "change",
    [
        {"messages": (Message("user", "another"),)},
        {"messages": (Message("system", "q"),)},
        {"sampling": Sampling(temperature=0.1)},
        {"sampling": Sampling(top_p=0.9)},
        {"sampling": Sampling(max_new_tokens=5)},
        {"sampling": Sampling(stop=("x",))},
        {"sample": 1},
        {"seed": 7},
        {"adapter": Adapter("a", Path("a"), "d" * 64)},
    ],
    ids=str,
)
def test_whatever_changes_an_answer_changes_its_address(change: dict[str, Any]) -> None:
    request = ask("q")
    other = replace(request, **change)
    assert request_address(other, "engine") != request_address(request, "engine")
    assert request_address(replace(request, key="other key"), "engine") == request_address(request, "engine")


@pytest.mark.parametrize(
    "option",
    [{"model": "other"}, {"revision": "r2"}, {"reasoning_effort": "low"}, {"logprobs": True}, {"send_seed": False},
     {"extra_body": {"min_p": 0.1}}, {"endpoint": "fleet"}],
    ids=str,
)  # fmt: skip
def test_another_engine_is_asked_again(server: Server, option: dict[str, Any]) -> None:
    here, there = engine_for(server).identity, engine_for(server, **option).identity
    assert engine_address(here) != engine_address(there)


def test_speed_key_and_host_do_not_change_the_identity(server: Server) -> None:
    one = engine_for(server, endpoint="fleet", concurrency=2, credentials={"api_key": "another-key"})
    other = engine_for(server, endpoint="fleet", concurrency=200, timeout_s=1, requests_per_minute=5)
    assert one.identity == other.identity


def test_one_added_row_sends_one_request(server: Server, store: CompletionStore) -> None:
    with Stored(engine_for(server), store) as engine:
        list(engine.complete([ask(f"q{n}") for n in range(20)]))
        list(engine.complete([ask("new"), *(ask(f"q{n}") for n in range(20))]))
    assert sum(server.service.received.values()) == 21


def test_the_same_request_twice_is_sent_once(server: Server, store: CompletionStore) -> None:
    server.service.latency_s = 0.05
    with Stored(engine_for(server), store) as engine:
        answers = list(engine.complete([ask("same", f"k{n}") for n in range(10)]))
    assert sum(server.service.received.values()) == 1
    assert {answer.key for answer in answers} == {f"k{n}" for n in range(10)}
    assert sum(not answer.cached for answer in answers) == 1


def test_keys_need_not_be_unique(server: Server, store: CompletionStore) -> None:
    with Stored(engine_for(server), store) as engine:
        answers = list(engine.complete([ask("a", "k"), ask("b", "k")]))
    assert [answer.key for answer in answers] == ["k", "k"]
    assert len({answer.text for answer in answers}) == 2


def test_an_answer_is_on_disk_before_it_is_counted(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with Stored(engine_for(server), CompletionStore(path)) as engine:
        for count, answer in enumerate(engine.complete([ask(f"q{n}") for n in range(30)]), start=1):
            elsewhere = CompletionStore(path)
            assert answer.request_id in elsewhere
            assert elsewhere.count() >= count
            elsewhere.close()


def test_an_answer_is_kept_although_the_consumer_is_busy(server: Server, store: CompletionStore) -> None:
    with Stored(engine_for(server), store) as engine:
        for _ in engine.complete([ask(f"q{n}") for n in range(8)]):
            deadline = time.monotonic() + 5
            while store.count() < 8 and time.monotonic() < deadline:
                time.sleep(0.01)
            assert store.count() == 8
            break


def test_leaving_early_keeps_what_is_in_flight(server: Server, store: CompletionStore) -> None:
    """As after Ctrl-C: nothing new is sent, and what was sent is waited for and kept."""
    server.service.latency_s = 0.3
    with Stored(engine_for(server, concurrency=4), store) as engine:
        answers = engine.complete(ask(f"q{n}") for n in range(1000))
        next(answers)
        time.sleep(0.1)  # the next four are in flight
        answers.close()
        sent = sum(server.service.received.values())
        assert store.count() == sent
        assert sent <= 9
        time.sleep(0.4)
        assert sum(server.service.received.values()) == sent


def test_errors_are_recorded_and_asked_again(store: CompletionStore) -> None:
    engine = Scripted()
    stored = Stored(engine, store)
    for _ in range(2):
        (answer,) = stored.complete([ask("fail")])
        assert (answer.finish_reason, answer.error, answer.cached) == ("error", "failed", False)
    assert engine.asked == ["fail", "fail"]
    assert store.count() == 0
    assert [row["error"] for row in store.failures()] == ["failed", "failed"]


def test_a_cut_answer_is_kept_and_marked(server: Server, store: CompletionStore) -> None:
    with Stored(engine_for(server), store) as engine:
        for _ in range(2):
            (answer,) = engine.complete([ask("[faults: length]")])
            assert answer.finish_reason == "length"
    assert sum(server.service.received.values()) == 1
    assert store.count(Filter(finish_reason="length")) == 1


def test_an_engine_that_does_not_stream_is_stored_too(store: CompletionStore) -> None:
    engine = Scripted(streams=False)
    stored = Stored(engine, store)
    assert not stored.streams
    assert len(list(stored.complete([ask(f"q{n}") for n in range(5)]))) == 5
    assert len(list(stored.complete(ask(f"q{n}") for n in range(7)))) == 7
    assert len(engine.asked) == 7


def test_an_engine_that_takes_all_requests_first_is_not_kept_waiting_for_room(store: CompletionStore) -> None:
    """More requests than the store lets wait: such an engine answers none before it has them all."""

    class Greedy(Scripted):
        def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
            yield from super().batches(list(requests), stop)

    questions = [ask(f"q{n}") for n in range(5000)]
    assert len(list(Stored(Greedy(streams=False), store).complete(questions))) == 5000


def test_how_sure_a_model_was_is_kept(store: CompletionStore) -> None:
    class Sure(Scripted):
        def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
            for [answer] in super().batches(requests, stop):
                yield [replace(answer, mean_logprob=-0.5, self_certainty=3.0, confidence=2.5, lowest_confidence=1.5)]

    [first] = Stored(Sure(), store).complete([ask("q")])
    [again] = Stored(Sure(), store).complete([ask("q")])
    assert again.cached
    assert (again.self_certainty, again.confidence, again.lowest_confidence) == (3.0, 2.5, 1.5)
    assert replace(again, cached=False, latency_s=first.latency_s) == first


def test_a_store_of_the_first_version_is_brought_up_to_date_with_all_it_holds(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "old.sqlite"
    with Stored(Scripted(), CompletionStore(path)) as engine:
        list(engine.complete([ask("q")]))
    connection = sqlite3.connect(path)
    connection.executescript("DROP INDEX answers_that_ended; DROP INDEX answers_that_were_cut; DROP TABLE aliases;")
    lost = ["unseen_prompt_tokens", "unseen_completion_tokens"]
    for name in ["self_certainty", "confidence", "lowest_confidence", "endless_id", *lost]:
        connection.execute(f"ALTER TABLE answers DROP COLUMN {name}")
    for name in ["unusable", *lost]:
        connection.execute(f"ALTER TABLE failures DROP COLUMN {name}")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    with Stored(Scripted(), CompletionStore(path)) as engine:
        [kept] = engine.complete([ask("q")])
        [added] = engine.complete([ask("r")])
    assert kept.cached
    assert kept.confidence is None
    assert not added.cached


def test_a_streaming_generator_may_wait_for_kept_answers_too(server: Server, store: CompletionStore) -> None:
    with Stored(engine_for(server), store) as engine:
        list(engine.complete([ask("q0"), ask("q2")]))
        seen: list[str] = []

        def chain() -> Iterator[Request]:
            for place in range(4):
                while len(seen) < place:
                    time.sleep(0.001)
                yield ask(f"q{place}")

        for answer in engine.complete(chain()):
            seen.append(answer.key)  # noqa: PERF401  (the generator watches it grow)
    assert seen == ["q0", "q1", "q2", "q3"]


def test_threads_and_processes_share_a_store(server: Server, tmp_path: Path) -> None:
    """Eight writers at once, two of them other processes: no lock error, every answer once in the file."""
    path = tmp_path / "c.sqlite"
    command = [sys.executable, "-m", "tests.engines.wrappers.killed_run", server.url, str(path), "100", "8"]
    others = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    counts = []

    def ask_all() -> None:
        with Stored(engine_for(server, endpoint="server"), CompletionStore(path)) as engine:
            counts.append(len(list(engine.complete(killed_requests(100)))))

    threads = [threading.Thread(target=ask_all) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [100] * 6
    assert [other.wait(30) for other in others] == [0, 0]
    store = CompletionStore(path)
    assert store.count() == 100
    store.close()


def test_of_two_answers_to_one_request_all_runs_see_the_first(store: CompletionStore) -> None:
    from medo1.engines.wrappers.store import Paid

    request = ask("q")
    for text in ("first", "second"):
        (kept,) = store.put(
            [Paid("id", "prompt", "[]", request, Completion("k", text, "stop", latency_s=1.0, request_id="id"))],
            "engine",
            {"kind": "x"},
        )
        assert kept.text == "first"


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be mistaken for one " * 10)
    with pytest.raises(EngineError, match=r"notes\.txt: not a completion store"):
        CompletionStore(path)


def test_no_key_reaches_the_store(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with Stored(engine_for(server, max_attempts=1), CompletionStore(path)) as engine:
        list(engine.complete([ask("a"), ask("[faults: bad_parameter]"), ask("[faults: 500]")]))
        assert "[secret]" in engine.store.failures()[0]["error"] + engine.store.failures()[1]["error"]
    for file in tmp_path.iterdir():
        assert KEY.encode() not in file.read_bytes()


def killed_at_random(
    url: str, path: Path, stats: Any, *, kills: int, count: int, concurrency: int, chance: random.Random
) -> None:
    """Start the run, kill -9 it at a random moment, look at what is in the store; `kills` times, then let it finish.

    The promise, exactly: what was committed when the process died is never sent again.
    """
    command = [sys.executable, "-m", "tests.engines.wrappers.killed_run", url, str(path), str(count), str(concurrency)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["src", *filter(None, [os.environ.get("PYTHONPATH")])])}
    prompts = {str(n): f"user: question {n}" for n in range(count)}
    engine_id = engine_address({"kind": "openai", "endpoint": "server", "model": "teacher"})
    by_address = {request_address(request, engine_id): prompts[request.key] for request in killed_requests(count)}
    committed: dict[str, int] = {}  # prompt to how often it had been sent when it was first seen committed
    hit = 0
    for _ in range(kills):
        sent_before = sum(stats()["received"].values())
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert process.stdout is not None
        process.stdout.readline()
        while process.poll() is None and sum(stats()["received"].values()) == sent_before:
            time.sleep(0.005)  # it opens its engine and reads what is kept: a kill before it sends would prove nothing
        time.sleep(chance.uniform(0.0, 0.06))
        hit += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        store = CompletionStore(path)
        kept = [by_address[row["request_id"]] for row in store.rows()]
        store.close()
        received = stats()["received"]
        for prompt in kept:
            committed.setdefault(prompt, received[prompt])
    finished = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert hit >= 0.9 * kills, "the runs were over before they were killed: give them more to do"
    assert f"done {count}" in finished.stdout
    told = stats()
    assert [prompt for prompt, before in committed.items() if told["received"][prompt] != before] == []
    assert set(told["answered"]) == set(prompts.values())
    # Beyond one answer each, only what was under way at a kill: on the wire, or come and being committed.
    assert told["answers"] - count <= 2 * kills * concurrency
    store = CompletionStore(path)
    assert store.count() == count
    store.close()


@pytest.mark.slow
def test_a_killed_run_pays_no_request_twice(tmp_path: Path) -> None:
    with ServerProcess(latency_s=0.01) as server:
        killed_at_random(
            server.url, tmp_path / "c.sqlite", server.stats,
            kills=KILLS, count=1200, concurrency=4, chance=random.Random(7),
        )  # fmt: skip


@pytest.mark.slow
def test_ctrl_c_keeps_every_answer_and_the_next_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    with ServerProcess(latency_s=0.2) as server:
        command = [sys.executable, "-m", "tests.engines.wrappers.killed_run", server.url, str(path), "240", "8"]
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        process.stdout.readline()
        while server.totals()["answers"] < 10:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
        assert process.returncode != 0
        assert "answers in flight" in told
        store = CompletionStore(path)
        assert store.count() == server.totals()["answers"] == server.totals()["requests"]
        store.close()
        assert "done 240" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert server.totals()["requests"] == 240
