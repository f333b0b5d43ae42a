"""Nothing is believed that was not checked: forgeries of each kind are found and named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lineage.conftest import sql
from tests.lineage.tiny_project import SOURCE, TinyProject

Audit = Callable[..., Any]


def problems(audit: Audit, project: TinyProject, *arguments: str) -> set[tuple[str, str]]:
    found = audit(project, "verify", *arguments, code=1)["findings"]
    return {(one["problem"], one["dataset"]) for one in found}


def test_a_finished_run_has_a_root_digest_that_sha256sum_gives_too(paid: TinyProject, audit: Audit) -> None:
    import hashlib

    told = audit(paid, "root")
    file = paid.data / ".lineage" / "runs" / f"{told['run']}.json"
    assert told["root"] == told["ended_with"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert audit(paid, "root", text=True).strip() == told["root"]
    anchored = audit(paid, "verify", "--root", told["root"])
    assert (anchored["findings"], anchored["versions"], anchored["changed_since"]) == ([], 10, [])


def test_nothing_is_found_in_what_is_as_it_was(paid: TinyProject, audit: Audit) -> None:
    assert audit(paid, "verify")["findings"] == []


# The completion store


@pytest.mark.parametrize("column", ["text", "model", "completion_tokens", "finish_reason", "reasoning"])
def test_a_changed_answer_in_the_store_is_found(paid: TinyProject, audit: Audit, column: str) -> None:
    value = 1 if column == "completion_tokens" else "forged"
    root = audit(paid, "root")["root"]
    sql(paid.data / "completions.sqlite", f"UPDATE answers SET {column} = ? WHERE rowid = 3", value)
    assert problems(audit, paid) == {("unpaid", "chains")}
    assert problems(audit, paid, "--root", root) == {("unpaid", "chains")}


@pytest.mark.parametrize("how", ["row", "file", "garbage", "list"])
def test_a_store_that_lost_answers_is_found(paid: TinyProject, audit: Audit, how: str) -> None:
    store = paid.data / "completions.sqlite"
    if how == "row":
        sql(store, "DELETE FROM answers WHERE rowid = 3")
    elif how == "file":
        for file in paid.data.glob("completions.sqlite*"):
            file.unlink()
    elif how == "garbage":
        store.write_bytes(b"no database at all" * 1000)
    else:
        next(paid.data.glob("chains.parquet/*/_completions.txt")).unlink()
    assert problems(audit, paid) == {("altered" if how == "list" else "unpaid", "chains")}


# Data, manifests, the ledger


def forge_data(project: TinyProject, run: str) -> Path:
    import pandas as pd

    file = project.data / "results.parquet" / run / "results.parquet"
    pd.read_parquet(file).assign(accuracy=0.99).to_parquet(file, index=False)
    return file


def forge_manifest(project: TinyProject, run: str) -> None:
    """Data and its manifest, made to fit each other."""
    from medo1.lineage.digests import content_of_file

    content = content_of_file(forge_data(project, run))
    manifest = project.data / "results.parquet" / run / "_manifest.json"
    told = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(told | {"digest": content.digest, "size_bytes": content.size_bytes}, indent=2))


def forge_ledger(project: TinyProject, run: str) -> None:
    """Data, manifest and ledger, made to fit each other."""
    import hashlib

    forge_manifest(project, run)
    folder = project.data / "results.parquet" / run
    told = json.loads((folder / "_manifest.json").read_text())
    digest = hashlib.sha256((folder / "_manifest.json").read_bytes()).hexdigest()
    sql(
        project.data / "ledger.sqlite",
        "UPDATE version SET digest = ?, size_bytes = ?, manifest = ? WHERE dataset = 'results'",
        *(told["digest"], told["size_bytes"], digest),
    )


def forge_everything(project: TinyProject, run: str) -> None:
    """Data, manifests, ledger and record, made to fit each other: all that lies in the folder."""
    import hashlib

    def sha(file: Path) -> str:
        return hashlib.sha256(file.read_bytes()).hexdigest()

    forge_ledger(project, run)
    ledger, results = project.data / "ledger.sqlite", project.data / "results.parquet" / run / "_manifest.json"
    digest = json.loads(results.read_text())["digest"]
    sql(ledger, "UPDATE input SET digest = ? WHERE name = 'results'", digest)
    page = next((project.data / "report.html").glob("*/_manifest.json"))
    made = json.loads(page.read_text())
    made["made_from"]["results"]["digest"] = digest
    page.write_text(json.dumps(made, indent=2))
    sql(ledger, "UPDATE version SET manifest = ? WHERE dataset = 'report'", sha(page))
    record = project.data / ".lineage" / "runs" / f"{run}.json"
    content = json.loads(record.read_text())
    for node in content["nodes"]:
        for one in [*node["outputs"], *node["inputs"].values()]:
            if one.get("dataset") == "results":
                one |= {"digest": digest, "manifest": sha(results)}
            if one.get("dataset") == "report":
                one["manifest"] = sha(page)
    record.write_text(json.dumps(content, indent=1))
    sql(ledger, "UPDATE run SET root = ?", sha(record))


FORGERIES = {"data": forge_data, "manifest": forge_manifest, "ledger": forge_ledger, "everything": forge_everything}


@pytest.mark.parametrize("what", FORGERIES)
def test_the_root_digest_finds_whatever_was_made_to_fit(paid: TinyProject, audit: Audit, what: str) -> None:
    told = audit(paid, "root")
    FORGERIES[what](paid, told["run"])
    found = audit(paid, "verify", "--root", told["root"], code=1)["findings"]
    assert found
    if what == "everything":
        assert audit(paid, "verify")["findings"] == []  # from inside, nothing can be seen
        assert "no record of a run here has the root digest" in found[0]["what"]
        said = audit(paid, "verify", "--root", told["root"], code=1, text=True)
        assert "Nothing was checked" in said  # rather than a count of none
        assert f"1 record of other digests, the latest of run {told['run']}" in " ".join(found[0]["what"].split())
    else:
        assert "results" in {one["dataset"] for one in found}
        assert "results" in {dataset for _, dataset in problems(audit, paid)}


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE run SET git_commit = 'f00'", "git_commit"),
        ("UPDATE run SET \"user\" = 'somebody'", "user"),
        ("UPDATE run SET started_at = '2020-01-01T00:00:00.000+00:00'", "started_at"),
        ("UPDATE run SET ended_at = '2020-01-01T00:00:00.000+00:00'", "ended_at"),
        ('UPDATE run SET runtime_params = \'{"train": {"rate": 9}}\'', "runtime_params"),
        ("UPDATE run SET effective_parameters = parameters || '0'", "effective_parameters"),
        ("UPDATE input SET digest = '0' WHERE name = 'params:train'", "params:train"),
        ("DELETE FROM input WHERE name = 'params:train'", "made from params:train"),
        ("UPDATE version SET rows = 7 WHERE dataset = 'results'", "rows is 7 in the ledger"),
        ("UPDATE version SET saved_at = '2020' WHERE dataset = 'results'", "saved_at"),
    ],
)
def test_a_ledger_that_was_edited_is_found(paid: TinyProject, audit: Audit, statement: str, told: str) -> None:
    sql(paid.data / "ledger.sqlite", statement)
    found = audit(paid, "verify", code=1)["findings"]
    assert any(one["problem"] == "altered" and told in one["what"] for one in found), found


def test_a_lost_record_and_a_lost_document_are_found(paid: TinyProject, audit: Audit) -> None:
    told = audit(paid, "root")
    documents = sorted((paid.data / ".lineage" / "documents").iterdir())
    documents[0].unlink()
    assert any("is gone" in one["what"] for one in audit(paid, "verify", "--root", told["root"], code=1)["findings"])
    shutil.rmtree(paid.data / ".lineage")
    assert ("missing", "") in problems(audit, paid)
    assert "has no record" in audit(paid, "root", code=2)


def test_verify_of_a_name_that_is_unknown_is_an_error(paid: TinyProject, audit: Audit) -> None:
    assert "Did you mean results" in audit(paid, "verify", "resuts", code=2)
    assert "is no root digest" in audit(paid, "verify", "--root", "abc", code=2)


# After a rebuild


def test_a_rebuilt_ledger_knows_all_that_the_first_one_knew(paid: TinyProject, audit: Audit) -> None:
    run = audit(paid, "root")["run"]
    before = audit(paid, "runs", run)
    for file in paid.data.glob("ledger.sqlite*"):
        file.unlink()
    audit(paid, "rebuild")
    after = audit(paid, "runs", run)
    for one in (before, after):
        one.pop("heartbeat_at")
        for row in [*one["nodes"], *one["outputs"]]:
            row.pop("id")
            row.pop("node_run_id", None)
        one["nodes"].sort(key=lambda node: node["node"])
        one["outputs"].sort(key=lambda output: output["dataset"])
    assert after == before
    assert audit(paid, "verify")["findings"] == []
    assert audit(paid, "stale")["stale"] == []
    paid.edit("conf/base/parameters.yml", "rate: 0.1", "rate: 0.2")
    assert {one["dataset"] for one in audit(paid, "stale", code=1)["stale"]} >= {"adapter", "training_log"}


# What no run made


def by_hand(project: TinyProject, name: str, change: Callable[[Any], Any]) -> str:
    """Somebody loads a dataset in a session, changes it, and saves it; returns the version's name."""
    from kedro.framework.project import settings
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(project.path)
    with settings.SESSION_CLASS.create(project.path) as session:
        catalog = session.load_context().catalog
        catalog.save(name, change(catalog.load(name)))
        return str(catalog.get(name).manifest().version)


def test_what_was_saved_by_hand_is_no_free_input_and_is_marked_wherever_it_is_named(
    paid: TinyProject, audit: Audit
) -> None:
    from kedro.io.core import DatasetError

    version = by_hand(paid, "answers", lambda table: table.assign(correct=True))
    manifest = json.loads((paid.data / "answers.parquet" / version / "_manifest.json").read_text())
    assert (manifest["dataset"], manifest["run"], manifest["maker"]["by"]) == ("answers", "", "hand")
    assert manifest["maker"]["user"]
    with pytest.raises(DatasetError, match=r"made by no run \(by hand, by .*kedro audit adopt answers"):
        paid.run("report")
    run = paid.run("report", load_versions={"answers": version})
    [pin] = [pin for pin in audit(paid, "runs", run)["pins"] if pin["name"] == "answers"]
    assert pin["maker"]["by"] == "hand"
    for command in (["runs", run], ["versions", "answers"], ["lineage", "results"], ["verify"], [
        *("trace", "results", "accuracy", "--where", "arm=taught")
    ]):  # fmt: skip
        told = " ".join(audit(paid, *command, text=True).replace("│", " ").split())
        assert "by hand" in told, command
    assert audit(paid, "trace", "results", "accuracy", "--where", "arm=taught")["trace"]["by_hand"] == [
        f"answers@{version}"
    ]


def test_what_was_made_elsewhere_is_adopted_with_its_origin(paid: TinyProject, audit: Audit, tmp_path: Path) -> None:
    source = next((paid.data / "answers.parquet").glob("*/answers.parquet"))
    outside = tmp_path / "theirs.parquet"
    shutil.copy(source, outside)
    told = audit(paid, "adopt", "answers", str(outside), "--origin", "https://example.org/study")
    assert (told["maker"]["by"], told["maker"]["origin"]) == ("adopted", "https://example.org/study")
    run = paid.run("report")
    [pin] = [pin for pin in audit(paid, "runs", run)["pins"] if pin["name"] == "answers"]
    assert pin["version"] == told["version"]
    shown = " ".join(audit(paid, "lineage", "results", text=True).replace("│", " ").split())
    assert "from https://example.org/study" in shown
    assert audit(paid, "verify")["findings"] == []
    outside.write_bytes(b"no table")
    assert "cannot be read as a Table" in audit(paid, "adopt", "answers", str(outside), "--origin", "x", code=2)
    assert "is no dataset" in audit(paid, "adopt", "nothing", str(source), "--origin", "x", code=2)


# The page


def test_the_page_shows_the_digest_of_all_that_it_was_made_from(paid: TinyProject, audit: Audit) -> None:
    file = next((paid.data / "report.html").glob("*/report.html"))
    page = file.read_text()
    digest = page.rpartition("</p>")[2]
    assert len(digest) == 64
    assert audit(paid, "trace", "report")["trace"]["checks"][0]["comes_out"] is True
    paid.run()  # the same content, made again: the same digest
    assert sorted(one.read_text() for one in (paid.data / "report.html").glob("*/report.html")) == [page, page]
    paid.run(params={"keep": {"skip": 3}})
    last = max((paid.data / "report.html").glob("*/report.html"))
    assert last.read_text().rpartition("</p>")[2] != digest


# Where nothing can be written


@pytest.fixture
def archive(paid: TinyProject) -> Iterator[TinyProject]:
    """The project, its data on a file system that is mounted read-only."""
    data = str(paid.data)
    mounts = (["mount", "--bind", data, data], ["mount", "-o", "remount,bind,ro", data])
    if any(subprocess.run(command, capture_output=True, check=False).returncode for command in mounts):
        subprocess.run(["umount", data], capture_output=True, check=False)
        pytest.skip("mounting needs rights that this process does not have")
    yield paid
    subprocess.run(["umount", data], check=True)


# Every command that only reads.
READING = (
    *(["runs"], ["runs", "latest"], ["versions"], ["versions", "results"], ["lineage", "results"], ["tag"], ["root"]),
    *(["trace", "results", "accuracy", "--where", "arm=taught"], ["trace", "report"], ["stale"], ["verify"]),
    *(["diff", "results", "latest", "latest"], ["prune"], ["export"]),
)


def test_every_command_that_only_reads_answers_from_a_place_that_is_read_only(
    archive: TinyProject, audit: Audit
) -> None:
    with pytest.raises(OSError, match="Read-only"):
        (archive.data / "x").touch()
    for command in (*READING, ["verify", "--root", audit(archive, "root")["root"]]):
        audit(archive, *command, text=True)
    assert "nothing can be written" in audit(archive, "tag", "results", "gold", code=2)


# Somebody who may read everything and write nothing, and has no home.
READER = """
import json, os, sys
from pathlib import Path
from click.testing import CliRunner
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
from medo1.commands.audit import audit
print(json.dumps(["may write", os.access("data", os.W_OK), 0]))
for command in json.loads(sys.argv[1]):
    done = CliRunner().invoke(audit, command)
    print(json.dumps([command, done.exit_code, done.output[-300:] if done.exit_code else repr(done.exception)]))
"""


def test_every_command_that_only_reads_answers_another_user_who_may_only_read(paid: TinyProject, audit: Audit) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("to become another user takes root and setpriv (Debian: apt-get install util-linux)")
    root = audit(paid, "root")["root"]
    with tempfile.TemporaryDirectory(prefix="medo1-reader-") as folder:
        shutil.copytree(paid.path, Path(folder, "project"))
        for path in (Path(folder), *Path(folder).rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        variables = {**paid.environment(), "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}
        variables["PYTHONPATH"] = f"{SOURCE}:{folder}/project/src"
        for name in ("MEDO1_CACHE", "XDG_CACHE_HOME"):
            variables.pop(name, None)
        done = subprocess.run(
            [*nobody, sys.executable, "-c", READER, json.dumps([*READING, ["verify", "--root", root]])],
            cwd=f"{folder}/project", env=variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(('["', '[["'))]
    assert told[:1] == [["may write", False, 0]], done.stderr[-2000:]
    assert [one for one in told[1:] if one[1] != 0] == []
    assert len(told) == len(READING) + 2


# Reading what was changed


@pytest.mark.parametrize("what", ["data", "manifest", "ledger"])
def test_trace_and_diff_name_the_file_that_was_forged(paid: TinyProject, audit: Audit, what: str) -> None:
    [run] = paid.versions("results.parquet")
    question = ("trace", "results", "accuracy", "--where", "arm=taught")
    FORGERIES[what](paid, run)
    told = audit(paid, *question, code=1)
    assert told["adds_up"] is False  # it does not come out of its rows either
    if what != "ledger":
        assert any("results.parquet" in mismatch for mismatch in told["mismatches"])
        assert audit(paid, "diff", "results", "latest", "latest", code=1)["mismatches"]


@pytest.mark.parametrize("file", ["answers.parquet", "adapter", "kept_chains.parquet"])
def test_trace_finds_a_forgery_below_the_number(paid: TinyProject, audit: Audit, file: str) -> None:
    [run] = paid.versions(file)
    files = [path for path in sorted((paid.data / file / run).rglob("*")) if path.is_file()]
    target = next(path for path in files if path.name[0] != "_")
    content = bytearray(target.read_bytes())
    content[-1] ^= 1
    target.write_bytes(content)
    told = " ".join(audit(paid, "trace", "results", "accuracy", "--where", "arm=taught", code=None, text=True).split())
    assert file in told
    assert "Traceback" not in told
    assert "saved was" in told


def test_trace_shows_no_changed_answer_as_paid_evidence(paid: TinyProject, audit: Audit) -> None:
    question = ("trace", "chains", "--where", "question_id=q2")
    before = audit(paid, *question)
    assert (before["trace"]["calls"]["kept"], before["trace"]["calls"]["checked"]) == (1, 1)
    sql(paid.data / "completions.sqlite", "UPDATE answers SET text = 'forged' WHERE text LIKE '%q2'")
    after = audit(paid, *question, code=1)
    assert after["trace"]["calls"]["kept"] == 0
    assert any("is not the one that chains was made from" in mismatch for mismatch in after["mismatches"])
    assert "forged" not in json.dumps(after)


def test_a_prompt_that_was_edited_is_a_mismatch_unless_the_commit_has_it(paid: TinyProject, audit: Audit) -> None:
    question = ("trace", "chains", "--where", "question_id=q2")
    paid.edit("conf/base/prompts/teacher.md", "Think.", "Think otherwise.")
    assert audit(paid, *question)["mismatches"] == []  # the run's commit has what it read
    paid.run()
    paid.edit("conf/base/prompts/teacher.md", "Think otherwise.", "Think as before.")
    told = audit(paid, *question, code=1)
    assert any("teacher.md" in mismatch for mismatch in told["mismatches"])
