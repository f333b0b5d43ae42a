"""The page on making chains, pasted and run as a reader would; and the study with open teachers."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chains.test_formats import MONOLOGUE, STEPS
from tests.conftest import ROOT
from tests.engines.http.server import Server
from tests.journey.scratch import SMALL, Scratch

PAGE = (ROOT / "docs/make_your_own_chains.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```yaml\n# (conf/local/\w+\.yml)\n(.*?)```", re.DOTALL)
COMMAND = re.compile(r"^    (kedro run .*|cp -r .*)$", re.MULTILINE)


def says(body: dict[str, Any]) -> str:
    text = body["messages"][-1]["content"]
    if "Step 1: a short title" in text:
        third = (
            "\n\nStep 3: Decide\nGoal: choose.\nEvidence: one cause explains both.\nConclusion: it is the tick.\n\nLyme"
        )
        return STEPS.replace("\n\nLyme", third, 1)
    return MONOLOGUE if "inner monologue" in text else "The ring decides, and the knee follows it.\nFinal answer: C"


@pytest.mark.slow
def test_every_block_and_command_of_the_page_works_as_pasted(tmp_path: Path) -> None:
    project = Scratch(tmp_path)
    with Server(answer=says) as server:
        blocks = BLOCK.findall(PAGE)
        assert len(blocks) >= 5
        for file, content in blocks:
            (project.path / file).write_text(content.replace("http://127.0.0.1:8123/v1", server.url))
        given = yaml.safe_load((project.path / "conf/local/parameters.yml").read_text())
        given["synthesis"]["questions"] = 5
        project.configure("local/parameters.yml", given | {"clinic": SMALL["clinic"]})
        for command in COMMAND.findall(PAGE):
            program, *words = command.split()
            if program == "cp":
                shutil.copytree(project.path / words[1], project.path / words[2])
                continue
            ran = project.kedro(*words)
            assert ran.returncode == 0, f"{command}\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}"
            if "estimate_only" in command:
                assert "all formats: 45 requests" in ran.stderr
                assert "longstep_terse: 15 requests: 0 answered before, 15 to send" in ran.stderr
                assert not server.service.received
        # the variant has the same prompts as yet, so that its answers are there already
        assert sum(server.service.answered.values()) == 5 * (1 + 2 + 3)
    for name in ("cot", "longstep", "longmonolog", "longstep_terse"):
        assert project.versions(f"04_feature/{name}/chains.parquet")


@pytest.mark.slow
def test_the_study_with_open_teachers_hands_the_real_thought_on(tmp_path: Path, benchmark_files: Path) -> None:
    def open_model(body: dict[str, Any]) -> str:
        text = body["messages"][-1]["content"]
        if body["model"] == "a-reasoner" and "Step 1: a short title" not in text and "inner monologue" not in text:
            return "<think>\nThe ring troubles me.\n</think>\n\n" + says(body)
        return says(body)

    project = Scratch(tmp_path)
    with Server(answer=open_model, served=("a-reasoner", "a-plain-one")) as server:
        teachers = {"reasoner": {"model": "a-reasoner"}, "plain": {"model": "a-plain-one"}}
        given = yaml.safe_load((project.path / "conf/paper_open/globals.yml").read_text())
        project.configure(
            "paper_open/globals.yml",
            given
            | {name: one | {"url": server.url} for name, one in teachers.items()}
            | {"benchmarks_dir": str(benchmark_files)},
        )
        file = project.path / "conf/paper_open/parameters_synthesis.yml"
        changed = yaml.safe_load(file.read_text())
        changed["synthesis"] |= {"questions": 4, "questions_of": {"medqa": 4}}
        for name in ("longstep", "longmonolog"):
            changed["formats"][name]["min_words"] = 10
        changed["ingest"] = {
            "files": [{"benchmark": "medqa", "file": "medqa_test.jsonl", "form": "medqa", "split": "train"}]
        }
        parameters = project.path / "conf/paper_open/parameters.yml"
        rest = {key: value for key, value in yaml.safe_load(parameters.read_text()).items() if key != "ingest"}
        project.configure("paper_open/parameters.yml", rest | {"ingest": changed.pop("ingest")})
        project.configure("paper_open/parameters_synthesis.yml", changed)
        ran = project.kedro("run", "--env", "paper_open", "--pipelines=ingest,synthesis")
        assert ran.returncode == 0, ran.stderr[-3000:]
        writing = [
            body["messages"][-1]["content"]
            for body in server.service.bodies
            if "Step 1: a short title" in str(body) or "inner monologue" in str(body)
        ]
    assert len(writing) == 8
    assert all("The ring troubles me." in text and "<think>" not in text for text in writing)
