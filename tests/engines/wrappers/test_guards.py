"""A run with a store loses nothing: to a full disk, to a signal, to a second run, to a damaged file."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from medo1.commands.completions import completions
from medo1.engines import EngineError
from medo1.engines.wrappers import stored as stored_module
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from tests.conftest import ROOT
from tests.engines.conftest import ask, engine_for
from tests.engines.http.server import Server, ServerProcess


class SmallDisk:
    """A disk on which SQLite finds no more pages, until there is space."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, pages: int) -> None:
        self.pages = pages
        self.connections: list[sqlite3.Connection] = []
        real = sqlite3.connect

        def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection = real(*arguments, **options)
            connection.execute(f"PRAGMA max_page_count = {self.pages}")
            self.connections.append(connection)
            return connection

        monkeypatch.setattr("medo1.engines.wrappers.store.sqlite3.connect", connect)

    def make_space(self) -> None:
        self.pages = 1 << 30
        for connection in self.connections:
            with contextlib.suppress(sqlite3.ProgrammingError):  # it is closed
                connection.execute(f"PRAGMA max_page_count = {self.pages}")


LONG = "A long question about a patient. " * 120


def run(path: Path, *words: str) -> str:
    told = CliRunner().invoke(completions, ["--store", str(path), *words])
    assert told.exit_code == 0, told.output
    return told.output


def test_a_full_disk_is_waited_for_and_nothing_is_lost(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(stored_module, "FULL_LOOK_S", 0.05)
    disk = SmallDisk(monkeypatch, 30)

    def make_space_when_told() -> None:
        while "the disk is full" not in caplog.text:
            time.sleep(0.05)
        time.sleep(0.3)
        disk.make_space()

    threading.Thread(target=make_space_when_told, daemon=True).start()
    with Stored(engine_for(server), CompletionStore(tmp_path / "c.sqlite")) as engine:
        answers = list(engine.complete([ask(f"{LONG} {n}") for n in range(60)]))
        assert len(answers) == engine.store.count() == 60
    assert max(server.service.received.values()) == 1
    assert "the disk is full" in caplog.text
    assert "there is space again" in caplog.text


def test_a_disk_that_stays_full_names_where_the_answers_are(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_module, "FULL_LOOK_S", 0.05)
    monkeypatch.setattr(stored_module, "FULL_PATIENCE_S", 0.2)
    disk = SmallDisk(monkeypatch, 30)
    asked = [ask(f"{LONG} {n}") for n in range(60)]
    path = tmp_path / "c.sqlite"
    with Stored(engine_for(server), CompletionStore(path)) as engine, pytest.raises(EngineError) as caught:
        list(engine.complete(asked))
    assert "the disk is full" in str(caught.value)
    found = re.search(r"saved to (\S+\.jsonl)", str(caught.value))
    assert found is not None
    rescued = Path(found[1])
    disk.make_space()
    assert re.search(r"\d answers? of", run(path, "restore", str(rescued)))
    rescued.unlink()
    sent = sum(server.service.received.values())
    assert CompletionStore(path).count() == sent
    with Stored(engine_for(server), CompletionStore(path)) as engine:
        assert len(list(engine.complete(asked))) == 60
    assert max(server.service.received.values()) == 1


def test_exported_answers_are_restored_as_they_were(server: Server, tmp_path: Path) -> None:
    asked = [ask("a", seed=3), ask("[faults: thinks]", temperature=0.7, stop=("x",)), ask("b", system="Be brief.")]
    with Stored(engine_for(server), CompletionStore(tmp_path / "one.sqlite")) as engine:
        first = {answer.key: answer for answer in engine.complete(asked)}
    run(tmp_path / "one.sqlite", "export", "-o", str(tmp_path / "out.jsonl"))
    run(tmp_path / "other.sqlite", "restore", str(tmp_path / "out.jsonl"))
    with Stored(engine_for(server), CompletionStore(tmp_path / "other.sqlite")) as engine:
        again = {answer.key: answer for answer in engine.complete(asked)}
    assert all(answer.cached for answer in again.values())
    for key, answer in first.items():
        assert (again[key].text, again[key].reasoning) == (answer.text, answer.reasoning)
    (tmp_path / "bad.jsonl").write_text('{"x": 1}\n')
    told = CliRunner().invoke(
        completions, ["--store", str(tmp_path / "other.sqlite"), "restore", str(tmp_path / "bad.jsonl")]
    )
    assert told.exit_code
    assert "line 1: not an exported answer" in told.output


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough to look like one" * 20, b"SQLite format 3\0" + b"x" * 5000]
)
def test_a_file_that_is_no_store_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "c.sqlite"
    path.write_bytes(content)
    with pytest.raises(EngineError, match=r"not a completion store, or a damaged one.*kedro completions .* recover"):
        CompletionStore(path)
    assert path.read_bytes() == content


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE patients (name TEXT)")
    with pytest.raises(EngineError, match=r"something else \(its tables: patients\)"):
        CompletionStore(path)
    with sqlite3.connect(path) as connection:
        assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master")] == ["patients"]
        connection.execute("PRAGMA user_version = 3")
    with pytest.raises(EngineError, match="not a whole completion store"):
        CompletionStore(path)


def test_a_damaged_store_gives_back_what_can_be_read(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    asked = [ask(f"{LONG} {n}") for n in range(100)]
    with Stored(engine_for(server), CompletionStore(path)) as engine:
        list(engine.complete(asked))
        engine.store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 3 * 4096] = b"\xff" * (3 * 4096)
    path.write_bytes(content)
    told = run(path, "recover", "--to", str(tmp_path / "new.sqlite"))
    assert "answers recovered" in told
    before = sum(server.service.received.values())
    with Stored(engine_for(server), CompletionStore(tmp_path / "new.sqlite")) as engine:
        assert len(list(engine.complete(asked))) == 100
    assert sum(server.service.received.values()) - before < 50


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_keeps_what_is_in_flight(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / "c.sqlite")
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    many = 20_000  # minutes of asking: on a busy machine too, it is still at it when the signal comes
    with ServerProcess(latency_s=0.5) as server:
        command = [sys.executable, "-m", "tests.engines.wrappers.killed_run", server.url, path, str(many), "8"]
        asking = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 300
        while server.totals()["answers"] < 8:
            assert asking.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        asking.send_signal(getattr(signal, name))
        assert asking.wait(120) != 0
        told = server.totals()
    assert told["requests"] == told["answers"] == CompletionStore(path).count() < many


def test_a_signal_that_is_ignored_or_handled_stays_so(server: Server, tmp_path: Path) -> None:
    def mine(*_: Any) -> None:
        pass

    before = signal.signal(signal.SIGTERM, mine), signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Stored(engine_for(server), CompletionStore(tmp_path / "c.sqlite")) as engine:
            for _ in engine.complete([ask("a")]):
                assert signal.getsignal(signal.SIGTERM) is mine
                assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGHUP, before[1])


def test_two_runs_that_ask_the_same_are_told(server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    server.service.latency_s = 0.05
    path = tmp_path / "c.sqlite"
    code = (
        "import sys\nfrom pathlib import Path\nfrom medo1.engines.wrappers.guards import AskingLock\n"
        "lock = AskingLock(Path(sys.argv[1]), sys.argv[2])\nlock.take()\nprint('held', flush=True)\nsys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(path), _engine_id(server)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with Stored(engine_for(server), CompletionStore(path)) as engine:
        assert len(list(engine.complete([ask("a")]))) == 1
    assert f"another run is asking the same engine with the same store (process {holder.pid} since" in caplog.text
    holder.kill()
    holder.wait()
    caplog.clear()
    with Stored(engine_for(server), CompletionStore(path)) as engine:
        list(engine.complete([ask("b")]))
        threads = [threading.Thread(target=lambda n=n: list(engine.complete([ask(f"t{n}")]))) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert "another run" not in caplog.text


def _engine_id(server: Server) -> str:
    from medo1.engines.wrappers.store import engine_address

    return engine_address(engine_for(server).identity)


def test_a_longer_limit_pays_no_answer_again_that_had_ended(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    asked = [ask("ends", max_new_tokens=50), ask("[faults: length]", max_new_tokens=50)]
    longer = [ask("ends", max_new_tokens=500), ask("[faults: length]", max_new_tokens=500)]
    shorter = [ask("ends", max_new_tokens=10), ask("ends", "short", max_new_tokens=2)]
    with Stored(engine_for(server), CompletionStore(path)) as engine:
        first = {answer.key: answer for answer in engine.complete(asked)}
        list(engine.complete(asked))  # what was cut is not asked again with the same limit
        assert sum(server.service.received.values()) == 2
        again = {answer.key: answer for answer in engine.complete(longer)}
        assert sum(server.service.received.values()) == 3
        assert again["ends"].cached
        assert again["ends"].request_id == first["ends"].request_id
        assert not again["[faults: length]"].cached
        less = {answer.key: answer for answer in engine.complete(shorter)}
    assert less["ends"].cached  # it has four tokens
    assert (less["short"].cached, less["short"].finish_reason) == (False, "length")


def test_long_waits_are_told(server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr("medo1.engines.http.sending.TOLD_EVERY_S", 0.2)
    with engine_for(server, concurrency=1) as engine:
        list(engine.complete([ask("[faults: 429=0.7]"), ask("[faults: slow=0.6]")]))
    waits = [line for line in caplog.messages if "no answer for" in line]
    assert any("wait until" in line and "429" in line for line in waits)
    assert any("1 requests in flight" in line and "bytes sent in all" in line for line in waits)


def test_secrets_are_in_no_file_of_a_run(server: Server, tmp_path: Path) -> None:
    marked = "tok-marked-0123456789"
    options: dict[str, Any] = {"extra_body": {"user_token": marked, "metadata": [marked]}}
    made = engine_for(server, **options)
    made._base_url = made._base_urls[0] = f"{server.url}?api-version=1&subscription-key={marked}"
    with Stored(made, CompletionStore(tmp_path / "c.sqlite")) as engine:
        list(engine.complete([ask("a"), ask("[faults: echo_key]")][:1]))
        assert f"subscription-key={marked}" in next(iter(server.service.paths))
    from medo1.datasets.engines import EngineDataset

    entry = EngineDataset(
        engine="medo1.engines.OpenAI",
        options={"model": "t", "base_url": f"https://someone:{marked}@host/v1?key={marked}&v=1", **options},
    )
    told = f"{json.dumps(entry.configuration)}{entry.identity()}{entry._describe()}{entry.preview()}"
    assert marked not in told
    assert "https://host/v1" in told
    assert all(marked.encode() not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
