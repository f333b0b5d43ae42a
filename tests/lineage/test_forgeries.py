"""Forgeries by one who can write to everything in the folder, a table of kinds, and which check finds each of them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lineage.conftest import sql
from tests.lineage.tiny_project import TinyProject

Audit = Callable[..., Any]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> TinyProject:
    """A project after one run, its data kept as they were."""
    project = TinyProject(tmp_path_factory.mktemp("forgeries") / "project")
    project.pay_for_chains()
    project.commit()
    here = Path.cwd()
    os.chdir(project.path)
    project.run()
    os.chdir(here)
    shutil.copytree(project.data, project.path.with_name("kept"))
    return project


@pytest.fixture
def forged(honest: TinyProject, monkeypatch: pytest.MonkeyPatch) -> Iterator[TinyProject]:
    monkeypatch.chdir(honest.path)
    yield honest
    shutil.rmtree(honest.data)
    shutil.copytree(honest.path.with_name("kept"), honest.data)
    honest.git("checkout", "-q", ".")


def version(project: TinyProject, dataset: str) -> Path:
    return next((project.data / dataset).glob("20*"))


def sha(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def ledger(project: TinyProject, statement: str, *values: Any) -> None:
    sql(project.data / "ledger.sqlite", statement, *values)


def swap_tables(project: TinyProject) -> None:
    """What was dropped in the place of what was kept, with its manifest."""
    one, other = version(project, "kept_chains.parquet"), version(project, "dropped_chains.parquet")
    spare = project.data / "spare"
    one.rename(spare)
    other.rename(one)
    spare.rename(other)
    (one / "dropped_chains.parquet").rename(one / "kept_chains.parquet")
    (other / "kept_chains.parquet").rename(other / "dropped_chains.parquet")


def give_to_another_run(project: TinyProject) -> None:
    ledger(project, "UPDATE version SET run_id = '2020-01-01T00.00.00.000Z' WHERE dataset = 'results'")


def edit_prompt_and_all_that_names_it(project: TinyProject) -> None:
    from medo1.lineage.outside_files import prompt_text

    prompt = project.path / "conf/base/prompts/teacher.md"
    prompt.write_text("Think better.\n")
    digest = hashlib.sha256(prompt_text(prompt).encode()).hexdigest()
    file = version(project, "chains.parquet") / "_manifest.json"
    told = json.loads(file.read_text())
    told["made_from"]["teacher_prompt"]["digest"] = digest
    file.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
    ledger(project, "UPDATE input SET digest = ? WHERE name = 'teacher_prompt'", digest)
    ledger(project, "UPDATE version SET manifest = ? WHERE dataset = 'chains'", sha(file))


def say_another_time_everywhere(project: TinyProject) -> None:
    """When the run began, in ledger, record and every manifest, made to fit each other."""
    at = "2020-01-01T00:00:00.000+00:00"
    [record] = (project.data / ".lineage/runs").iterdir()
    content = json.loads(record.read_text())
    content["run"]["started_at"] = at
    digests = {}
    for file in project.data.glob("*/20*/_manifest.json"):
        told = json.loads(file.read_text())
        told["run_record"]["started_at"] = at
        file.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        digests[told["dataset"]] = sha(file)
    for node in content["nodes"]:
        for one in [*node["outputs"], *node["inputs"].values()]:
            if "manifest" in one:
                one["manifest"] = digests[one["dataset"]]
    record.write_text(json.dumps(content, indent=1))
    for dataset, digest in digests.items():
        ledger(project, "UPDATE version SET manifest = ? WHERE dataset = ?", digest, dataset)
    ledger(project, "UPDATE run SET started_at = ?, root = ?", at, sha(record))


def link_to_a_changed_copy(project: TinyProject) -> None:
    folder = version(project, "results.parquet")
    copy = project.data / "elsewhere"
    folder.rename(copy)
    folder.symlink_to(copy)
    with (copy / "results.parquet").open("ab") as file:
        file.write(b"x")


def write_the_name_otherwise(project: TinyProject) -> None:
    folder = version(project, "results.parquet")
    (folder / "results.parquet").rename(folder / "Results.parquet")


def lay_a_file_beside_the_data(project: TinyProject) -> None:
    (version(project, "results.parquet") / "results.csv").write_text("arm,accuracy\ntaught,0.99\n")


def lay_a_file_into_the_adapter(project: TinyProject) -> None:
    (version(project, "adapter") / "adapter/tokenizer_config.json").write_text("{}")


def link_a_folder_into_the_adapter(project: TinyProject) -> None:
    (version(project, "adapter") / "adapter/additional_chat_templates").symlink_to(project.path / "conf")


def cut_off_a_line(project: TinyProject) -> None:
    """A table of lines parses as well with one line less."""
    file = version(project, "training_log.jsonl") / "training_log.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))


def put_a_pipe_there(project: TinyProject) -> None:
    """Whoever opens it waits for a writer that never comes."""
    file = version(project, "results.parquet") / "results.parquet"
    file.unlink()
    os.mkfifo(file)


def show_another_parameter(project: TinyProject) -> None:
    ledger(project, "UPDATE input SET detail = '{\"rate\": 9.0}' WHERE name = 'params:train'")


def show_other_parameters_of_the_run(project: TinyProject) -> None:
    ledger(project, "UPDATE document SET content = replace(content, '0.1', '9.0') WHERE kind = 'parameters'")


def claim_other_code(project: TinyProject) -> None:
    ledger(project, "UPDATE node_run SET code = 'f00' WHERE node = 'train'")


def forget_a_node(project: TinyProject) -> None:
    ledger(project, "DELETE FROM node_run WHERE node = 'page'")


def move_a_tag(project: TinyProject) -> None:
    ledger(project, "INSERT INTO tag SELECT id, 'submitted', 0, '', '2026' FROM version WHERE dataset = 'results'")


def forget_a_version(project: TinyProject) -> None:
    """Gone from ledger and folder, as if it had never been."""
    shutil.rmtree(version(project, "dropped_chains.parquet"))
    ledger(project, "DELETE FROM version WHERE dataset = 'dropped_chains'")


def forget_the_run(project: TinyProject) -> None:
    ledger(project, "DELETE FROM run")


def take_another_record(project: TinyProject) -> None:
    [record] = (project.data / ".lineage/runs").iterdir()
    content = json.loads(record.read_text())
    content["nodes"] = content["nodes"][:3]
    record.write_text(json.dumps(content, indent=1))


def pay_for_more(project: TinyProject) -> None:
    """Answers that no version was made from, in the store: they count in no number."""
    file = project.data / "completions.sqlite"
    sql(file, "CREATE TABLE spare AS SELECT * FROM answers LIMIT 1")
    sql(file, "UPDATE spare SET request_id = 'f00'")
    sql(file, "INSERT INTO answers SELECT * FROM spare")


# What was done; what `verify` says of it (None: nothing); whether `verify --root` finds it.
FORGERIES: list[tuple[Callable[[TinyProject], None], str | None, bool]] = [
    (swap_tables, "dataset is kept_chains in the ledger and dropped_chains in the manifest", True),
    (give_to_another_run, "run_id is 2020", False),
    (edit_prompt_and_all_that_names_it, "the ledger and the run's record name other digests", True),
    (say_another_time_everywhere, None, True),
    (link_to_a_changed_copy, "saved were", True),
    (write_the_name_otherwise, "its data is not", True),
    (lay_a_file_beside_the_data, "results.csv does not belong there", True),
    (lay_a_file_into_the_adapter, "saved were", True),
    (link_a_folder_into_the_adapter, "is no file, nor a folder of its own", True),
    (cut_off_a_line, "saved were", True),
    (put_a_pipe_there, "is no file, nor a folder of its own", True),
    (show_another_parameter, "params:train.rate is 9.0 in the ledger", False),
    (show_other_parameters_of_the_run, "the ledger's text of its parameters", False),
    (claim_other_code, "the ledger says another code of its node train", False),
    (forget_a_node, "the ledger does not know its node page", False),
    (move_a_tag, "its tag submitted is not the same", False),
    (forget_a_version, "the run's record says that it was saved", True),
    (forget_the_run, "the ledger does not know the run", False),
    (take_another_record, "root digest", True),
    (pay_for_more, None, False),
]


@pytest.mark.parametrize(("forge", "told", "by_root"), FORGERIES, ids=[one[0].__name__ for one in FORGERIES])
def test_what_was_forged_is_found_by_the_check_that_rests_on_something_else(
    forged: TinyProject, audit: Audit, forge: Callable[[TinyProject], None], told: str | None, by_root: bool
) -> None:
    root = audit(forged, "root")["root"]
    assert audit(forged, "verify")["findings"] == audit(forged, "verify", "--root", root)["findings"] == []
    forge(forged)
    found = audit(forged, "verify", code=None)["findings"]
    if told is None:
        assert found == []
    else:
        assert any(told in one["what"] for one in found), found
    assert bool(audit(forged, "verify", "--root", root, code=None)["findings"]) is by_root


@pytest.mark.parametrize("forge", [put_a_pipe_there, link_a_folder_into_the_adapter])
def test_what_cannot_be_read_ends_a_trace_in_one_message(
    forged: TinyProject, audit: Audit, forge: Callable[[TinyProject], None]
) -> None:
    forge(forged)
    told = audit(forged, "trace", "results", "accuracy", "--where", "arm=taught", code=2)
    assert "cannot be read: " in told
    assert "Traceback" not in told


def test_parameters_that_were_changed_in_the_ledger_are_not_shown(forged: TinyProject, audit: Audit) -> None:
    show_other_parameters_of_the_run(forged)
    assert "was changed: its text has another digest" in audit(forged, "runs", "latest", code=2)


def test_code_that_git_was_told_to_overlook_is_an_uncommitted_change(forged: TinyProject, audit: Audit) -> None:
    file = f"src/{forged.package}/helpers.py"
    forged.git("update-index", "--assume-unchanged", file)
    forged.edit(file, "rate * 10", "rate * 11")
    try:
        assert forged.git("status", "--short") == ""
        told = audit(forged, "runs", forged.run("learn"))
    finally:
        forged.git("update-index", "--no-assume-unchanged", file)
    assert told["git_dirty"]
    assert told["diff_digest"]
