"""Killed runs, full disks, buckets, a real PostgreSQL: nothing half-written is read, nothing recorded is lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from kedro.io.core import DatasetError, Version

from medo1.datasets import Json, Table
from tests.lineage.test_runs import _load
from tests.lineage.tiny_project import SOURCE, TinyProject

Audit = Callable[..., Any]
ROOT = Path(__file__).parents[2]
FIRST, SECOND = "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"


@pytest.mark.slow
def test_runs_killed_at_random_moments_leave_no_half_version_and_are_shown_as_interrupted(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: PLW1510
        [sys.executable, "-m", "tests.lineage.killed_runs", str(tmp_path / "project"), "12", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCE), str(ROOT)]), "KEDRO_DISABLE_TELEMETRY": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["half_versions"] > 0, "no kill fell into a save: the test shows nothing"
    assert told["broken"] == told["wrong"] == []
    assert told["states"].keys() <= {"finished", "interrupted"}
    assert told["states"]["interrupted"] >= 12
    assert told["states"]["interrupted"] <= told["killed"]
    # A version whose run was killed between its manifest and the ledger is whole, and `rebuild` finds it.
    assert set(told["damaged"]) <= {"half-written", "unknown"}


# A disk that is full


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB: the error is the kernel's own."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("a small file system can only be mounted as root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_named_and_the_previous_version_stays(small_disk: Path) -> None:
    path = str(small_disk / "table.parquet")
    small = pd.DataFrame({"n": [1, 2, 3]})
    large = pd.DataFrame({"text": [os.urandom(64).hex() for _ in range(40_000)]})
    Table(filepath=path, version=Version(None, FIRST)).save(small)
    with pytest.raises(DatasetError, match="the disk is full") as told:
        Table(filepath=path, version=Version(None, SECOND)).save(large)
    assert FIRST in str(told.value)
    assert "kedro audit prune" in str(told.value)
    assert [entry.name for entry in Path(path).iterdir()] == [FIRST]
    assert len(Table(filepath=path).load()) == 3


def test_a_file_that_may_not_grow_says_so(tmp_path: Path) -> None:
    """Where no small disk can be mounted: the kernel's limit on the size of a file."""
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from kedro.io.core import Version; from medo1.datasets import Page\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        f"Page(filepath=sys.argv[1], version=Version(None, '{FIRST}')).save('x' * 1_000_000)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "page.html")]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert "a file may not be so big" in done.stderr
    assert list((tmp_path / "page.html").iterdir()) == []


# Buckets


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A local server that speaks S3, with a bucket; what s3fs needs to reach it."""
    from moto.server import ThreadedMotoServer

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    arguments = {"key": "testing", "secret": "testing-secret", "endpoint_url": f"http://{host}:{port}"}
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem(**arguments).mkdir("artifacts")
    yield arguments
    import urllib.request

    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
    server.stop()


def test_versions_in_a_bucket_are_complete_or_not_there(bucket: dict[str, Any]) -> None:
    import s3fs

    path, files = "s3://artifacts/value.json", s3fs.S3FileSystem(**bucket)
    Json(filepath=path, version=Version(None, FIRST), credentials=bucket).save({"a": 1})
    files.pipe_file(f"artifacts/value.json/{SECOND}/value.json", b"{}")  # an upload that was killed before its manifest
    dataset = Json(filepath=path, credentials=bucket)
    assert dataset.complete_versions() == [FIRST]
    assert dataset.load() == {"a": 1}
    Json(filepath=path, version=Version(None, SECOND), credentials=bucket).save({"a": 2})  # over what was left
    assert Json(filepath=path, credentials=bucket).load() == {"a": 2}
    files.pipe_file(f"artifacts/value.json/{SECOND}/value.json", b'{\n  "a": 3\n}\n')
    shutil.rmtree(Path(os.environ["MEDO1_CACHE"]) / "artifacts", ignore_errors=True)
    with pytest.raises(DatasetError, match="damaged"):
        Json(filepath=path, credentials=bucket).load()


@pytest.mark.slow
def test_a_study_in_a_bucket_is_recorded_verified_and_rebuilt(
    tmp_path: Path, bucket: dict[str, Any], audit: Audit
) -> None:
    project = TinyProject(tmp_path / "project", root="s3://artifacts/study")
    (project.path / "conf" / "local" / "credentials.yml").write_text(f"bucket: {json.dumps(bucket)}\n")
    catalog = project.path / "conf" / "base" / "catalog.yml"
    lines = catalog.read_text().splitlines()
    catalog.write_text("".join(f"{line}\n" + ("  credentials: bucket\n" if "s3://" in line else "") for line in lines))
    with (project.path / "conf" / "base" / "lineage.yml").open("a") as file:
        file.write("storage_credentials: bucket\n")
    run = project.run()
    assert audit(project, "verify") | {"seconds": 0, "bytes": 0} == {
        "versions": 9, "bytes": 0, "seconds": 0, "findings": []
    }  # fmt: skip
    assert audit(project, "trace", "results", "accuracy", "--where", "arm=taught")["adds_up"]
    import s3fs

    files = s3fs.S3FileSystem(**bucket)
    folder = f"artifacts/study/report.html/{run}"
    files.pipe_file(f"{folder}/report.html", b"<p>another page</p>")
    [finding] = audit(project, "verify", code=1)["findings"]
    assert (finding["problem"], finding["dataset"]) == ("damaged", "report")
    for file in project.data.glob("ledger.sqlite*"):
        file.unlink()
    assert audit(project, "rebuild")["new_versions"] == 9
    # A writer whose clock is behind takes a later id, so that what it saves is not hidden.
    files.copy(folder, "artifacts/study/report.html/2999-01-01T00.00.00.000Z", recursive=True)
    second = project.run()
    assert second.startswith("2999-01-01")
    files.rm("artifacts/study/report.html/2999-01-01T00.00.00.000Z", recursive=True)
    audit(project, "prune", "--keep-last", "1", "--yes")
    assert [name.rpartition("/")[2] for name in files.ls("artifacts/study/report.html", refresh=True)] == [second]
    secret = bucket["secret"].encode()
    assert all(secret not in file.read_bytes() for file in project.data.glob("ledger.sqlite*"))


# PostgreSQL


def _programs() -> Path | None:
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: float(path.parent.name))


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of its own, on a socket in a folder of its own; gives the folder."""
    programs = _programs()
    if programs is None:
        reason = "PostgreSQL's server programs are not installed (Debian: apt-get install postgresql)"
        pytest.fail(reason) if os.environ.get("MEDO1_CI") else pytest.skip(reason)
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="medo1-pg-", dir="/tmp"))  # a socket's path must be short
    data = folder / "data"
    prefix: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    (folder / "password").write_text("correct-horse\n")
    (folder / "password").chmod(0o644)

    def call(*command: str) -> None:
        subprocess.run([*prefix, *command], check=True, capture_output=True, cwd="/")

    call(str(programs / "initdb"), "-D", str(data), "-U", "auditor", f"--pwfile={folder / 'password'}",
         "-A", "scram-sha-256", "--no-sync")  # fmt: skip
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    call(str(programs / "pg_ctl"), "-D", str(data), "-o", options, "-w", "-l", str(folder / "log"), "start")
    yield str(folder)
    call(str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def shared_project(tmp_path: Path, database: str) -> TinyProject:
    """A project whose ledger is a new database."""
    import psycopg

    name = f"ledger_{os.urandom(4).hex()}"
    with psycopg.connect(
        host=database, user="auditor", password="correct-horse", dbname="postgres", autocommit=True
    ) as c:
        c.execute(f"CREATE DATABASE {name}")
    url = f"postgresql+psycopg:///{name}?host={database}"
    project = TinyProject(tmp_path / "project", url=url)
    (project.path / "conf" / "local" / "credentials.yml").write_text(
        "ledger: {username: auditor, password: correct-horse}\n"
    )
    with (project.path / "conf" / "base" / "lineage.yml").open("a") as file:
        file.write("credentials: ledger\n")
    return project


@pytest.mark.slow
@pytest.mark.postgres
def test_a_team_ledger_in_postgresql_answers_like_a_file(shared_project: TinyProject, audit: Audit) -> None:
    project = shared_project
    project.commit()
    first = project.run()
    second = project.run(params={"train": {"rate": 0.2}})
    assert [row["id"] for row in audit(project, "runs")] == [second, first]
    assert {row["dataset"] for row in audit(project, "lineage", "adapter")["up"]["versions"]} == {
        "adapter", "kept_chains", "questions"
    }  # fmt: skip
    assert [row["version"] for row in audit(project, "versions", "adapter")] == [second, first]
    assert {row["version"] for row in audit(project, "versions")} == {second}
    assert audit(project, "lineage", f"adapter@{first[:-1]}")["version"]["version"] == first
    assert [row["id"] for row in audit(project, "runs", "--dataset", "adapter", "-n", "1")] == [second]
    assert audit(project, "diff", "adapter")["runs"]["parameters"] == ["train.rate: 0.1 -> 0.2"]
    assert {one["dataset"] for one in audit(project, "stale", code=1)["stale"]} >= {"adapter", "report"}
    assert audit(project, "verify")["findings"] == []
    audit(project, "tag", "adapter@latest~1", "gold", "--protect")
    assert project.run("ask", load_versions={"adapter": "gold"})
    assert audit(project, "prune", "--keep-last", "1", "--yes")["kept"]["tagged or protected"] == 1
    assert audit(project, "reproduce", second, code=None)["run"] == second
    assert "correct-horse" not in json.dumps(audit(project, "runs", second))
    assert not list(project.data.glob("ledger.sqlite*"))


@pytest.mark.slow
@pytest.mark.postgres
def test_writers_at_once_lose_no_row_in_postgresql(shared_project: TinyProject, database: str) -> None:
    os.environ["PGUSER"], os.environ["PGPASSWORD"] = "auditor", "correct-horse"
    try:
        errors = _load(shared_project.path, shared_project.settings().url, writers=4, runs=6)
    finally:
        del os.environ["PGUSER"], os.environ["PGPASSWORD"]
    assert not any(errors), errors
    assert len(shared_project.table("run", where="WHERE outcome = 'finished'")) == 24
    assert len(shared_project.table("version")) == 120


@pytest.mark.postgres
def test_a_wrong_password_is_no_secret_and_no_traceback(shared_project: TinyProject) -> None:
    from medo1.lineage.ledger import LedgerError

    (shared_project.path / "conf" / "local" / "credentials.yml").write_text(
        "ledger: {username: auditor, password: wrong-horse}\n"
    )
    with pytest.raises(LedgerError, match="cannot be reached") as told:
        shared_project.run("learn")
    assert "wrong-horse" not in str(told.value)
