"""Exported samples are what lm-eval's readers expect, and give the same comparison."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from medo1.commands.samples import write_samples
from medo1.gathered import gather
from medo1.pipelines.reporting.nodes import compare_arms
from medo1.pipelines.reporting.params import ReportingParams
from medo1.tables import QUESTIONS, as_table
from tests.page.studies import generation, question

STAMP = "2026-11-28T21-59-55.159"
# How the readers of lm-eval's logs find task and time in a file's name.
NAME = re.compile(r"samples_(?P<task>.+?)_(?P<stamp>\d{4}-\d{2}-\d{2}T[0-9.\-]+?)\.jsonl$")


def exported(folder: Path, private: bool = False) -> list[object]:
    from medo1 import tables

    answers, behind = [], {}
    for arm, misses in (("vanilla", 3), ("longstep_sft", 7)):
        asked = [question(number, "medqa", shareable=not private) for number in range(60)]
        pairs = [
            generation(arm, one, one["gold"] if number % misses else "A", f"secret stem {number} Final answer")
            for number, one in enumerate(asked)
        ]
        read = tables.as_table(tables.ANSWERS, [other for _, other in pairs])
        answers.append(read)
        said = tables.as_table(tables.GENERATIONS, [one for one, _ in pairs])
        behind[arm] = (read, said, as_table(QUESTIONS, asked))
    folder.mkdir(exist_ok=True)
    write_samples(folder, behind, STAMP)
    return answers


def test_every_question_stands_once_under_the_same_number_in_each_arm(tmp_path: Path) -> None:
    answers = exported(tmp_path / "logs")
    scores = {}
    for arm in ("vanilla", "longstep_sft"):
        [file] = (tmp_path / "logs" / arm).glob("samples_*.jsonl")
        named = NAME.search(file.name)
        assert named is not None
        assert (named["task"], named["stamp"]) == ("medqa", STAMP)
        told = json.loads((file.parent / f"results_{STAMP}.json").read_text())
        assert told["model_name"] == arm
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        assert [line["doc_id"] for line in lines] == list(range(60))
        assert all(line["metrics"] == ["acc"] and line["filter"] == "none" for line in lines)
        scores[arm] = {line["doc"]["question_id"]: line["acc"] for line in lines}
        assert told["results"]["medqa"]["acc,none"] == pytest.approx(sum(scores[arm].values()) / 60)
    [compared] = compare_arms(ReportingParams(), gather(*answers))[1].to_dict(orient="records")
    gained = sum(scores["longstep_sft"][one] > score for one, score in scores["vanilla"].items())
    lost = sum(scores["longstep_sft"][one] < score for one, score in scores["vanilla"].items())
    assert (compared["gained"], compared["lost"]) == (gained, lost)


def test_texts_that_may_not_be_passed_on_stay_here(tmp_path: Path) -> None:
    exported(tmp_path / "logs", private=True)
    for file in (tmp_path / "logs").rglob("*.jsonl"):
        assert "stem" not in file.read_text().lower()
