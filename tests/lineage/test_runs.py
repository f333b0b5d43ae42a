"""The ledger says of every run what it was, what it read and wrote, and how it ended."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kedro.io.core import DatasetError

from medo1.lineage.ledger import Ledger, LedgerError, NoLedgerError
from medo1.lineage.recorder import Recorder
from medo1.lineage.run_ids import run_id_after, run_id_at
from tests.lineage.tiny_project import TinyProject

Audit = Callable[..., Any]


def test_a_run_leaves_its_whole_record(project: TinyProject, audit: Audit) -> None:
    commit = project.commit()
    run = project.run(params={"train": {"rate": 0.2}})
    told = audit(project, "runs", run)
    assert (told["state"], told["git_commit"], told["git_dirty"]) == ("finished", commit, False)
    assert told["effective_parameters"]["train"] == {"rate": 0.2}
    assert told["runtime_params"] == {"train": {"rate": 0.2}}
    assert told["packages"]["kedro"].startswith("1.7")
    assert {"cores", "machine"} <= told["hardware"].keys()
    nodes = {node["node"]: node for node in told["nodes"]}
    assert len(nodes) == 8
    assert {node["outcome"] for node in nodes.values()} == {"finished"}
    assert all(node["duration_s"] >= 0 and node["code"] for node in nodes.values())
    assert nodes["train"]["function"] == f"{project.package}.nodes:train"
    outputs = {row["dataset"]: row for row in told["outputs"]}
    assert outputs["kept_chains"]["rows"] == 6
    assert outputs["kept_chains"]["key"] == ["question_id", "format"]
    assert outputs["adapter"]["size_bytes"] > 0
    assert [pin["name"] for pin in told["pins"]] == ["teacher_prompt"]


def test_a_failed_run_says_why_and_what_it_had_saved(project: TinyProject, audit: Audit) -> None:
    project.edit(
        "src/PACKAGE/nodes.py", "def score(answers, plain_answers):", "def score(answers, plain_answers):\n    1 / 0"
    )
    with pytest.raises(ZeroDivisionError):
        project.run()
    [told] = audit(project, "runs")
    assert (told["state"], told["error"]) == ("failed", "ZeroDivisionError: division by zero")
    whole = audit(project, "runs", "latest")
    assert {row["dataset"] for row in whole["outputs"]} >= {"answers", "adapter"}
    assert {node["node"]: node["outcome"] for node in whole["nodes"]}["score"] == "failed"


def test_a_run_that_is_interrupted_by_hand_says_so_at_once(project: TinyProject, audit: Audit) -> None:
    project.edit("src/PACKAGE/nodes.py", "def page(results):", "def page(results):\n    raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        project.run()
    assert audit(project, "runs")[0]["outcome"] == "interrupted"


def test_a_running_run_is_running_and_a_killed_one_interrupted(project: TinyProject, audit: Audit) -> None:
    process = project.start(f"--params=teacher.held_by={project.hold()}")
    _wait_for(lambda: _started(project, "write_chains"))
    assert audit(project, "runs")[0]["state"] == "running"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert audit(project, "runs")[0]["state"] == "interrupted"
    assert project.run() > audit(project, "runs", "latest~1")["id"]


def test_a_process_number_that_was_given_again_is_not_the_run(project: TinyProject) -> None:
    from medo1.lineage.environment import Process, current_process, lives

    me = current_process()
    assert lives(me) is True
    assert lives(Process(me.host, me.machine, me.pid, "1")) is False
    assert lives(Process("elsewhere", "another boot", me.pid, me.started)) is None


def test_a_run_on_another_machine_lives_while_its_heart_beats() -> None:
    from medo1.lineage.audit.known_runs import state_of

    run = {"outcome": None, "rebuilt": False, "host": "b", "machine": "m", "pid": 1, "process_started": "1"}
    assert state_of({**run, "heartbeat_at": 1000.0}, 15, now=1100.0) == "running"
    assert state_of({**run, "heartbeat_at": 1000.0}, 15, now=1121.0) == "interrupted"


def test_the_heart_beats_while_a_node_works(project: TinyProject) -> None:
    process = project.start(f"--params=teacher.held_by={project.hold()}")
    _wait_for(lambda: _started(project, "write_chains"))
    before = project.table("run")[0]["heartbeat_at"]
    _wait_for(lambda: project.table("run")[0]["heartbeat_at"] > before)
    process.kill()
    process.wait()


# Run ids


def test_ids_never_go_backwards_when_the_clock_does(project: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    first = project.run("learn")
    import medo1.lineage.run_ids as module

    class Past(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2020, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(module, "datetime", Past)
    second = project.run("learn")
    assert second > first
    assert project.versions("adapter")[-1] == second


def test_a_version_from_the_future_does_not_hide_what_is_saved_now(project: TinyProject) -> None:
    first = project.run("learn")
    folder = project.data / "adapter"
    future = "2099-01-01T00.00.00.000Z"
    import shutil

    shutil.copytree(folder / first, folder / future)
    manifest = folder / future / "_manifest.json"
    manifest.write_text(manifest.read_text().replace(first, future))
    second = project.run("learn")
    assert second > future


def test_ids_that_are_taken_are_not_taken_twice(project: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    first = project.run("learn")
    from medo1.lineage.session import LineageSession

    monkeypatch.setattr(LineageSession, "_latest_run_id", lambda self: None)
    monkeypatch.setattr("medo1.lineage.run_ids.run_id_after", lambda latest: (latest and run_id_after(latest)) or first)
    second = project.run("learn")
    assert second != first
    assert len(project.table("run")) == 2


def test_ids_have_kedros_form() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    assert run_id_at(moment) == "2026-01-02T03.04.05.678Z"
    assert run_id_after("2026-01-02T03.04.05.999Z", moment) == "2026-01-02T03.04.06.000Z"


# Many at once


WRITER = """
import sys
from medo1.lineage.recorder import Recorder, RunStart, now_text
from medo1.lineage.environment import current_environment
from medo1.lineage.ledger import Ledger, RunIdTakenError
from medo1.lineage.ledger_settings import ledger_settings_from
from medo1.lineage.manifests import Manifest
from medo1.lineage.places import Places
from medo1.lineage.run_ids import run_id_after
from pathlib import Path
root, name, count, url = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
settings = ledger_settings_from({"url": url}, root, lambda: {})
environment = current_environment(root)
for number in range(count):
    ledger = Ledger(settings, create=True)
    last = ledger.latest_run_id()
    while True:
        last = run_id_after(last)
        rest = ({}, {}, None, {}, {}, environment, None, "0", "1", [], now_text())
        start = RunStart(last, "load", "base", [name], *rest)
        try:
            recorder = Recorder(ledger, start, Places(settings))
            break
        except RunIdTakenError:
            continue
    for node in range(5):
        recorder.node_started(f"n{node}", None, {}, {})
        recorder.node_ran(f"n{node}", 0.1, ended=False)
        manifest = Manifest(f"d{node}", last, last, f"n{node}", "Table", "0" * 64, 1, 1, now_text())
        recorder.saved(f"n{node}", f"data/d{node}", manifest, manifest.text_digest, ended=True)
    recorder.ended("finished")
"""


def _load(root: Path, url: str, writers: int, runs: int) -> list[str]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(root), f"w{number}", str(runs), url],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        )
        for number in range(writers)
    ]
    return [process.communicate()[1] for process in processes]


def test_writers_at_once_lose_no_row(project: TinyProject) -> None:
    errors = _load(project.path, "sqlite:///data/ledger.sqlite", writers=4, runs=8)
    assert not any(errors), errors
    assert len(project.table("run", where="WHERE outcome = 'finished'")) == 32
    assert len(project.table("node_run", where="WHERE outcome = 'finished'")) == 160
    assert len(project.table("version")) == 160


def test_a_ledger_that_is_locked_for_a_while_loses_nothing_and_stops_no_run(
    project: TinyProject, monkeypatch: pytest.MonkeyPatch, audit: Audit
) -> None:
    monkeypatch.setattr("medo1.lineage.ledger.BUSY_S", 0.05)
    import sqlite3

    project.run("learn")
    held = sqlite3.connect(project.settings().file, isolation_level=None, check_same_thread=False)
    original = Recorder.node_started
    locked = threading.Event()

    def node_started(self: Recorder, *arguments: Any) -> None:
        if not locked.is_set():
            locked.set()
            held.execute("BEGIN IMMEDIATE")
            threading.Timer(0.6, lambda: held.execute("COMMIT")).start()
        original(self, *arguments)

    monkeypatch.setattr(Recorder, "node_started", node_started)
    run = project.run()
    told = audit(project, "runs", run)
    assert (told["state"], len(told["nodes"]), len(told["outputs"])) == ("finished", 8, 9)


# Which ledger


def test_a_ledger_that_is_locked_to_the_end_costs_a_second_and_the_run_is_finished_all_the_same(
    project: TinyProject, monkeypatch: pytest.MonkeyPatch, audit: Audit
) -> None:
    import sqlite3

    project.run("learn")
    held = sqlite3.connect(project.settings().file, isolation_level=None, check_same_thread=False)
    original = Recorder.node_started

    def node_started(self: Recorder, *arguments: Any) -> None:
        if not held.in_transaction:
            held.execute("BEGIN IMMEDIATE")
        original(self, *arguments)

    monkeypatch.setattr(Recorder, "node_started", node_started)
    waits: list[float] = []
    writing = Ledger.writing

    def counted(self: Ledger, patience_s: float = 30.0) -> Any:
        if held.in_transaction:
            waits.append(patience_s)
        return writing(self, patience_s)

    monkeypatch.setattr(Ledger, "writing", counted)
    monkeypatch.setattr("medo1.lineage.recorder.Heart", lambda *_: SimpleNamespace(stop=lambda: None))
    run = project.run()  # nine versions, eight nodes: two dozen events
    held.execute("COMMIT")
    assert 0 < sum(waits) <= 1  # seconds that the run waited for others, in all
    told = audit(project, "runs", run)
    assert told["state"] == "finished"
    assert told["ended_at"]
    assert audit(project, "runs")[0]["state"] == "finished"
    audit(project, "rebuild")
    told = audit(project, "runs", run)
    assert (told["state"], len(told["nodes"]), len(told["outputs"])) == ("finished", 8, 9)
    assert audit(project, "verify")["findings"] == []


def test_first_runs_that_start_at_once_on_a_new_ledger_all_get_one(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom medo1.lineage.ledger import Ledger\n"
        "from medo1.lineage.ledger_settings import ledger_settings_from\nimport sqlalchemy, medo1.lineage.schema\n"
        "time.sleep(max(0, float(sys.argv[2]) - time.time()))\n"
        "for number in range(5):\n"
        "    settings = ledger_settings_from({'url': f'sqlite:///data/{number}.sqlite'}, Path(sys.argv[1]))\n"
        "    ledger = Ledger(settings, create=True)\n"
        "    ledger.latest_run_id()\n    ledger.close()\n"
    )
    at = str(time.time() + 3)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), at],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        )
        for _ in range(6)
    ]
    assert [process.communicate()[1] for process in processes] == [""] * 6


def test_a_ledger_of_an_earlier_release_is_brought_up_to_date(project: TinyProject, audit: Audit) -> None:
    import sqlite3

    run = project.run()
    with sqlite3.connect(project.settings().file) as database:
        for table, column in (("run", "root"), ("run", "cost"), *(("version", name) for name in
                              ("env", "maker", "completions", "measures"))):  # fmt: skip
            database.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        database.execute("UPDATE meta SET value = '1' WHERE key = 'schema'")
    database.close()
    assert audit(project, "runs")[0]["id"] == run
    assert audit(project, "trace", "results", "accuracy", "--where", "arm=taught")["adds_up"]
    project.run()
    assert audit(project, "stale")["stale"] == []


def test_a_ledger_of_another_release_is_refused_with_what_to_do(project: TinyProject) -> None:
    import sqlite3

    project.run("learn")
    for schema, hint in (("99", "update medo1"), ("0", "kedro audit rebuild")):
        with sqlite3.connect(project.settings().file) as database:
            database.execute("UPDATE meta SET value = ?", (schema,))
        with pytest.raises(LedgerError, match=hint):
            Ledger(project.settings())


def test_without_a_ledger_the_message_says_how_it_comes(project: TinyProject, audit: Audit) -> None:
    with pytest.raises(NoLedgerError, match="first `kedro run` starts it"):
        project.ledger()
    assert audit(project, "runs") == []
    assert "kedro audit rebuild" in audit(project, "versions", "results", code=2)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("url: mysql://host/x", "begins with 'mysql'"),
        ("url: postgresql://me:secret@host/x", "conf/local/credentials.yml"),
        ("heartbeat_s: never", "heartbeat_s"),
        ("rots: [data]", "unknown key rots"),
        ("credentials: nobody", "no entry of conf/local/credentials.yml"),
    ],
)
def test_a_wrong_setting_is_named(project: TinyProject, line: str, message: str) -> None:
    (project.path / "conf" / "base" / "lineage.yml").write_text(f"{line}\n")
    with pytest.raises(Exception, match=re.escape(message)):
        project.run("learn")


# Secrets


def test_no_credential_enters_the_ledger_or_a_manifest(project: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, key = "correct-horse-battery", "sk-abcdefghijklmnop1234"
    (project.path / "conf" / "local" / "credentials.yml").write_text(f"teacher: {{api_key: {secret}}}\n")
    project.commit()
    (project.path / "src" / project.package / "new.py").write_text(f"KEY = '{key}'\n")
    monkeypatch.setattr(sys, "argv", ["kedro", "run", f"--params=api_key={key},note={secret}"])
    project.edit("src/PACKAGE/nodes.py", "def page(results):", f"def page(results):\n    raise ValueError('{secret}')")
    with pytest.raises(ValueError, match=secret):
        project.run(params={"api_key": key, "note": secret, "train": {"rate": 0.1}, "pad_token": "<pad>"})
    ledger = b"".join(file.read_bytes() for file in project.data.glob("ledger.sqlite*"))
    manifests = b"".join(file.read_bytes() for file in project.data.rglob("_manifest.json"))
    for hidden in (secret, key):
        assert hidden.encode() not in ledger
        assert hidden.encode() not in manifests
    [run] = project.table("run")
    assert json.loads(run["runtime_params"])["pad_token"] == "<pad>"
    assert run["diff"] is None
    assert run["diff_digest"]


# Several processes


def test_parallel_runner_is_refused_with_the_alternative(project: TinyProject) -> None:
    from kedro.runner import ParallelRunner

    with pytest.raises(DatasetError, match="ThreadRunner"):
        project.run(runner=ParallelRunner())


def test_threads_are_recorded_as_one_run(project: TinyProject, audit: Audit) -> None:
    from kedro.runner import ThreadRunner

    project.edit("conf/base/catalog.yml", "teacher_prompt:", "chains:\n  type: medo1.datasets.Table\n"
                 "  filepath: data/chains.parquet\n\nteacher_prompt:")  # fmt: skip
    run = project.run(runner=ThreadRunner())
    told = audit(project, "runs", run)
    assert (told["state"], len(told["nodes"]), len(told["outputs"])) == ("finished", 8, 10)
    assert told["selection"]["runner"] == "ThreadRunner"


def _started(project: TinyProject, node: str, runs: int = 1) -> bool:
    try:
        return sum(row["node"] == node for row in project.table("node_run")) >= runs
    except (NoLedgerError, LedgerError):
        return False


def _wait_for(claim: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)
