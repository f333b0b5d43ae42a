"""What a user can mend is one message with the nearest name, on every command: no traceback, and an exit status."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from medo1.commands.plain_errors import told_plainly
from tests.conftest import ROOT
from tests.journey.scratch import Scratch

# a command line, and what its message says
CASES: dict[str, tuple[list[str], list[str]]] = {
    "environment": (["run", "--env=papr"], ["There is no environment 'papr'", "Did you mean paper?"]),
    "environment of ask": (["ask", "a case", "--env=papr"], ["Did you mean paper?"]),
    "environment of audit": (["audit", "runs", "--env=recordd"], ["Did you mean recorded"]),
    "environment of Kedro's own": (["catalog", "describe-datasets", "--env=papr"], ["Did you mean paper?"]),
    "pipeline": (["run", "--pipelines=fintune"], ["no pipeline 'fintune'", "Did you mean finetune?"]),
    "pipeline, as Kedro called it": (["run", "--pipeline=inferense"], ["Did you mean inference?"]),
    "one of two pipelines": (["run", "--pipelines=ingest,fintune"], ["'fintune'", "finetune"]),
    "tag": (["run", "--tags=longstp"], ["--tags: there is no tag 'longstp'", "Did you mean longstep"]),
    "tag unlike any": (["run", "--tags=foo"], ["no tag 'foo'. There are ", " more."]),
    "tag of another pipeline": (["run", "--pipelines=ingest", "--tags=cot"], ["no tag 'cot' in ingest"]),
    "node": (["run", "--nodes=cot.write_chain"], ["--nodes: there is no node", "synthesis.cot.write_chains"]),
    "node without its namespace": (["run", "--from-nodes=make_world"], ["Did you mean clinic.make_world"]),
    "namespace without its stage": (["run", "--namespaces=longstep_sft"], ["Did you mean inference.longstep_sft"]),
    "last node": (["run", "--to-nodes=account_"], ["--to-nodes", "Did you mean inference.account?"]),
    "dataset": (["run", "--to-outputs=result"], ["--to-outputs: there is no dataset 'result'", "results"]),
    "first dataset": (["run", "--from-inputs=questoins"], ["--from-inputs", "Did you mean questions"]),
    "namespace": (["run", "--namespaces=long"], ["--namespaces: there is no namespace 'long'"]),
    "choices that leave nothing": (
        ["run", "--tags=cot", "--nodes=inference.vanilla.vote"],
        ["No node is left by --tags=cot"],
    ),
    "runner": (["run", "--runner=ThreadRuner"], ["no runner 'ThreadRuner'", "Did you mean ThreadRunner"]),
    "runner elsewhere": (["run", "--runner=nowhere.Other"], ["no runner 'nowhere.Other'. There are Sequential"]),
    "load version": (["run", "--load-versions=questions"], ["dataset_name:YYYY"]),
    "load version of nothing": (["run", "--load-versions=question:latest"], ["no dataset 'question'. Did you mean"]),
    "load version of what is made": (["run", "--load-versions=questions:latest"], ["questions is made by this run"]),
    "load version of what is not read": (
        ["run", "--pipelines=ingest", "--load-versions=results:latest"],
        ["results is no input of this run", "There is benchmark_files"],
    ),
    "load version that is not there": (
        ["run", "--pipelines=filtering", "--load-versions=questions:latst"],
        ["--load-versions questions:latst cannot take effect", "There are none yet"],
    ),
    "run to take inputs from": (["run", "--from-run=latst"], ["There is no run 'latst'"]),
    "change without a run": (["run", "--changed=questions"], ["--changed goes with --from-run"]),
    "pipeline of the registry": (["registry", "describe", "fintune"], ["'fintune' pipeline not found"]),
    "environment that is a path": (["run", "--env=../src"], ["There is no environment '../src'"]),
    "environment below another": (["run", "--env=base/../paper"], ["no environment 'base/../paper'"]),
    "configuration that is not there": (["run", "--conf-source=nowhere"], ["Path 'nowhere' does not exist"]),
    "nothing to read": (["run", "--pipelines=inference"], ["needs", "there is no complete version yet", "kedro run"]),
    "misspelt filter": (["run", "--params=filtering.order=[corect]"], ["filtering.order.0", "mean correct?"]),
    "misspelt recipe": (["run", "--params=formats.cot.recipe=singel"], ["'singel'", "Did you mean single?"]),
    "misspelt adapter": (["run", "--params=arms.cot_sft.adapter=cott"], ["'cott'", "Did you mean cot?"]),
    "folder of files": (
        ["run", "--env=recorded", "--params=benchmarks_dir=nowhere"],
        ["nowhere", "--params benchmarks_dir=DIR"],
    ),
    "parameter": (["run", "--params=inferense.samples=3"], ["Unknown parameter inferense", "Did you mean inference?"]),
    "parameter of a group": (["run", "--params=finetune.cot.epoch=3"], ["finetune.cot.epoch", "mean epochs?"]),
    "parameter of an arm": (["run", "--params=arms.vanilla.promt=x"], ["arms.vanilla.promt", "mean prompt?"]),
    "parameter in a list": (["run", "--params=inference.votes.number=[1]"], ["votes.number", "mean numbers?"]),
    "value": (["run", "--params=seed=eleven"], ["seed: is 'eleven'; input should be a valid integer"]),
    "value of a group": (["run", "--params=ingest.files=3"], ["ingest.files: is 3"]),
    "value that is none": (["run", "--params=nothing"], ["nothing"]),
    "option": (["run", "--nodse=x"], ["No such option", "--nodes"]),
    "command": (["adit"], ["No such command", "audit"]),
    "arm": (["ask", "a case", "--arm=cot_stf"], ["There is no arm 'cot_stf'", "Did you mean cot_sft"]),
    "format": (["estimate", "--format=longstp"], ["Did you mean longstep"]),
}

# a file below conf/, its text, and what the message says
FILES: dict[str, tuple[str, str, list[str]]] = {
    "bracket": ("broken/parameters.yml", "seed: 11\na: [1, 2\nb: 3\n", ["broken/parameters.yml, line 3", "not YAML"]),
    "tabulator": ("broken/parameters.yml", "a: 1\n\tb: 3\n", ["broken/parameters.yml, line 2, column 1", "not YAML"]),
    "catalog": ("broken/catalog.yml", "questions: {type: x\n", ["broken/catalog.yml, line 2", "not YAML"]),
    "bracket of the globals": ("broken/globals.yml", "a: 1\nroot: [data\n", ["broken/globals.yml, line 3", "not YAML"]),
    "key written twice": ("broken/parameters_x.yml", "seed: 1\nseed: 2\n", ["parameters_x.yml, line 2", "key seed"]),
    "key of an entry": (
        "broken/catalog.yml",
        "results: {type: medo1.datasets.Table, filpath: x}\n",
        ["results has no key 'filpath'", "Did you mean filepath?"],
    ),
    "no mapping": ("broken/parameters.yml", "just text\n", ["Unknown parameter just text"]),
    "a list": ("broken/parameters.yml", "- 1\n- 2\n", ["parameters"]),
    "reference": ("broken/parameters.yml", "seed: ${globals:sed}\n", ["seed", "'sed' not found"]),
    "misspelt": ("broken/parameters.yml", "sed: 3\n", ["Unknown parameter sed.", "Did you mean seed?"]),
    "prompt that is not there": (
        "broken/parameters.yml", "arms: {vanilla: {prompt: vanila}}\n", ["vanila"],
    ),
    "type of an entry": (
        "broken/catalog.yml", "questions: {type: medo1.datasets.Tabel}\n", ["'Tabel' not found", "Did you mean Table"],
    ),
    "no type": ("broken/catalog.yml", "questions: {filepath: x}\n", ["questions", "type"]),
}  # fmt: skip


UNWANTED = ("Traceback", "errors.pydantic.dev", "validation error for", "NoneType: None", "register_pipelines")


def calls(project: Path, *lines: list[str]) -> list[dict[str, Any]]:
    variables = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "COLUMNS": "200"}
    for name in ("KEDRO_ENV", "MEDO1_ROOT", "MEDO1_TRACEBACK"):
        variables.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-m", "tests.commands.many_calls"],
        cwd=project, env=variables, input=json.dumps(lines), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    project = Scratch(tmp_path_factory.mktemp("errors"))
    found = calls(project.path, *(line for line, _ in CASES.values()))
    return dict(zip(CASES, found, strict=True))


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_on_the_command_line_is_one_message(case: str, told: dict[str, dict[str, Any]]) -> None:
    is_one_message(told[case], CASES[case][1])


@pytest.fixture(scope="module")
def told_of_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    found = {}
    folder = tmp_path_factory.mktemp("files")
    project = Scratch(folder)
    for number, (name, (file, text, _)) in enumerate(FILES.items()):
        path = project.path / "conf" / file.replace("broken", f"broken{number}")
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
        found[name] = ["run", f"--env=broken{number}"]
    return dict(zip(found, calls(project.path, *found.values()), strict=True))


@pytest.mark.parametrize("case", FILES)
def test_a_mistake_in_a_file_is_one_message(case: str, told_of_files: dict[str, dict[str, Any]]) -> None:
    number = list(FILES).index(case)
    expected = [words.replace("broken", f"broken{number}") for words in FILES[case][2]]
    is_one_message(told_of_files[case], expected)


def is_one_message(found: dict[str, Any], expected: list[str]) -> None:
    whole = found["out"] + found["err"]
    assert found["code"] not in (0, None), whole
    for unwanted in UNWANTED:
        assert unwanted not in whole, whole
    assert found["err"].count("Error:") == 1, whole
    message = found["err"][found["err"].index("Error:") :]
    assert len(message.splitlines()) <= 6, message
    flat = " ".join(message.split())
    for words in expected:
        assert words in flat, message
        assert whole.count(words) == flat.count(words), f"said more than once: {whole}"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "data/x"), "data/x: No space left on device"),
        (PermissionError(errno.EACCES, "Permission denied", "data"), "data: Permission denied"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "data/y"), "data/y: Not a directory"),
        (OSError(errno.EROFS, "Read-only file system"), "A file or connection: Read-only file system"),
    ],
)
def test_what_the_system_refuses_is_told_with_the_file(error: OSError, said: str) -> None:
    @click.command()
    def refused() -> None:
        raise error

    told = CliRunner().invoke(told_plainly(refused), [])
    assert (told.exit_code, "Traceback" in told.output) == (1, False)
    assert f"Error: {said}\n" in told.output
    assert "raised at" not in told.output


def test_an_error_that_nobody_foresaw_names_the_node_and_the_line_and_how_to_see_more() -> None:
    @click.command()
    def odd() -> None:
        error = KeyError("letter")
        error.add_note("vanilla.vote failed.")
        raise error

    told = CliRunner().invoke(told_plainly(odd), [])
    assert told.exit_code == 1
    assert "vanilla.vote failed.\nKeyError: 'letter'\nraised at " in told.output
    assert "MEDO1_TRACEBACK=1" in told.output
    assert "Traceback" not in told.output
