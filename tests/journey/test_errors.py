"""What a user can mend is one message that says where, what was found, what was expected: never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.journey.scratch import Scratch

QUESTION = {"question": "What is it?", "options": {"A": "One", "B": "Two"}, "answer": "One", "answer_idx": "A"}


@pytest.fixture
def project(tmp_path: Path) -> Scratch:
    return Scratch(tmp_path)


def refused(project: Scratch, *arguments: str) -> str:
    done = project.kedro("run", *arguments)
    told = done.stderr[done.stderr.find("Error:") :]
    assert done.returncode == 1, done.stdout[-2000:]
    assert "Traceback" not in done.stdout + done.stderr, done.stderr[-3000:]
    return " ".join(told.split())


def test_a_folder_that_is_not_there(project: Scratch) -> None:
    told = refused(project, "--env=recorded", "--pipelines=ingest", "--params=benchmarks_dir=nowhere")
    assert "There is no folder" in told
    assert "nowhere" in told
    assert "docs/bring_real_data.md" in told


def test_a_file_that_is_missing(project: Scratch) -> None:
    (project.path / "mine").mkdir()
    told = refused(project, "--env=recorded", "--pipelines=ingest", "--params=benchmarks_dir=mine")
    assert "long_chains_sample.json" in told


def test_a_file_with_a_wrong_column(project: Scratch) -> None:
    only(project, {"benchmark": "mine", "file": "mine.jsonl", "form": "medqa", "split": "test"})
    row = {"stem" if key == "question" else key: value for key, value in QUESTION.items()}
    (project.path / "mine/mine.jsonl").write_text(json.dumps(row) + "\n")
    told = refused(project, "--env=recorded", "--pipelines=ingest", "--params=benchmarks_dir=mine")
    assert "mine.jsonl" in told
    assert "'question' is missing" in told


def test_a_parameter_that_is_unknown(project: Scratch) -> None:
    assert "Unknown parameter inferense" in refused(project, "--params=inferense.samples=3")
    told = refused(project, "--pipelines=ingest", "--params=ingest.fils=3")
    assert "fils" in told


def test_a_pipeline_that_is_unknown(project: Scratch) -> None:
    assert "fintune" in refused(project, "--pipelines=fintune")


def test_a_key_that_is_missing(project: Scratch) -> None:
    only(project, {"benchmark": "medqa", "file": "mine.jsonl", "form": "medqa", "split": "train"}, env="paper")
    (project.path / "mine/mine.jsonl").write_text(json.dumps(QUESTION) + "\n")
    told = refused(project, "--env=paper", "--pipelines=ingest,synthesis", "--params=benchmarks_dir=mine")
    assert "conf/local/credentials.yml" in told
    assert "OPENAI_API_KEY" in told


def test_a_catalog_entry_of_an_unknown_type(project: Scratch) -> None:
    project.configure("mine/catalog.yml", {"benchmark_files": {"type": "medo1.datasets.Folder", "filepath": "mine"}})
    told = refused(project, "--env=mine", "--pipelines=ingest")
    assert "benchmark_files" in told
    assert "'Folder' not found in 'medo1.datasets'" in told


def test_a_catalog_entry_that_is_missing(project: Scratch) -> None:
    catalog = project.path / "conf/base/catalog/1_questions.yml"
    entries = yaml.safe_load(catalog.read_text())
    del entries["benchmark_files"]
    catalog.write_text(yaml.safe_dump(entries))
    told = refused(project, "--pipelines=ingest")
    assert "'benchmark_files'" in told
    assert "catalog: add an entry under conf/" in told


def test_an_input_that_no_run_has_made(project: Scratch) -> None:
    told = refused(project, "--pipelines=finetune")
    assert "kept_chains" in told


def only(project: Scratch, entry: dict[str, str], env: str = "recorded") -> None:
    """Have one file be all that ingest reads."""
    path = project.path / f"conf/{env}/parameters.yml"
    parameters = yaml.safe_load(path.read_text())
    parameters["ingest"]["files"] = [entry]
    path.write_text(yaml.safe_dump(parameters))
    (project.path / "mine").mkdir()


def test_a_base_model_that_the_catalog_does_not_name(project: Scratch) -> None:
    told = refused(project, "--params=base_model=Qwen/Qwen2.5-7B-Instruct")
    assert "The parameter base_model is 'Qwen/Qwen2.5-7B-Instruct'" in told
    assert "conf/local/catalog.yml" in told
    assert "{type: medo1.datasets.HubModel, name: Qwen/Qwen2.5-7B-Instruct}" in told
