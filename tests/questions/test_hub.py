"""Data sets of the hub, read from a copy that was saved to disk: no network here."""

from __future__ import annotations

from pathlib import Path

import pytest

from medo1.questions import QuestionsError, read_hub
from tests.questions.rows import ROWS
from tests.questions.test_forms import asked_in_turn

datasets = pytest.importorskip("datasets")


def saved(path: Path, **splits: list[dict[str, object]]) -> str:
    parts = {name: datasets.Dataset.from_list(rows) for name, rows in splits.items()}
    datasets.DatasetDict(parts).save_to_disk(str(path))
    return str(path)


def test_each_split_of_a_data_set_is_one_reading(tmp_path: Path):
    rows = asked_in_turn(ROWS["medqa"][0], 3)
    readings = read_hub(saved(tmp_path / "medqa", train=rows[:2], validation=rows[2:], test=rows))
    assert [(reading.form, len(reading.questions)) for reading in readings] == [
        ("medqa", 2),
        ("medqa", 1),
        ("medqa", 3),
    ]
    assert [reading.questions[0].split for reading in readings] == ["train", "dev", "test"]
    assert readings[2].questions[1].source.endswith("medqa/test:2")


def test_one_split_can_be_asked_for(tmp_path: Path):
    path = saved(tmp_path / "medqa", train=[ROWS["medqa"][0]], test=[ROWS["medqa"][0]])
    (reading,) = read_hub(path, split="test", benchmark="mine")
    assert (reading.questions[0].split, reading.questions[0].benchmark) == ("test", "mine")
    with pytest.raises(QuestionsError, match="there is no split 'exam'; it has train, test"):
        read_hub(path, split="exam")


def test_nested_columns_come_as_a_files_do(tmp_path: Path):
    (reading,) = read_hub(saved(tmp_path / "pubmedqa", train=[ROWS["pubmedqa"][0]]))
    assert reading.form == "pubmedqa"
    assert reading.questions[0].stem.startswith("BACKGROUND: We asked.")


def test_a_mapping_reads_a_data_set_too(tmp_path: Path):
    path = saved(tmp_path / "own", test=[{"q": "Which?", "o": ["Lupus", "Gout"], "a": 1}])
    (reading,) = read_hub(path, mapping={"stem": "q", "options": "o", "gold": "a", "gold_is": "number_from_0"})
    assert reading.questions[0].gold == "B"


def test_a_data_set_that_cannot_be_loaded_says_so(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(QuestionsError, match="the directory cannot be loaded"):
        read_hub(str(tmp_path / "empty"))
