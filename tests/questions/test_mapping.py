"""A file of one's own, by a mapping of its columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from medo1.questions import QuestionsError, read_benchmark, read_questions
from tests.questions.test_forms import write

ROW = {
    "fall": "Fever and a stiff neck?",
    "w1": "Lupus",
    "w2": "Meningitis",
    "w3": "Gout",
    "loesung": "B",
    "fach": "Neuro",
}
MAPPING: dict[str, Any] = {"stem": "fall", "options": ["w1", "w2", "w3"], "gold": "loesung"}


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json", "parquet", "tsv"])
def test_a_mapping_reads_every_kind_of_file(kind: str, tmp_path: Path):
    rows = [ROW, {**ROW, "fall": "Another?", "loesung": "c"}, {**ROW, "loesung": "E"}]
    path = tmp_path / f"mine.{kind}"
    frame = pd.DataFrame(rows)
    match kind:
        case "csv" | "tsv":
            frame.to_csv(path, index=False, sep="," if kind == "csv" else "\t")
        case "parquet":
            frame.to_parquet(path)
        case _:
            frame.to_json(path, orient="records", lines=kind == "jsonl")
    reading = read_benchmark(path, mapping=MAPPING)
    assert (reading.form, reading.why, reading.benchmark) == ("mapping", "by the mapping", "mine")
    assert [question.gold for question in reading.questions] == ["B", "C"]
    assert reading.questions[0].options == {"A": "Lupus", "B": "Meningitis", "C": "Gout"}
    (bad,) = reading.rejected
    assert (bad.row, bad.reason) == (3, "'loesung' is 'E', expected one of A, B, C")


@pytest.mark.parametrize(
    ("gold_is", "value"), [("letter", "b"), ("text", " meningitis"), ("number_from_0", 1), ("number_from_1", "2")]
)
def test_the_right_option_is_given_in_four_ways(gold_is: str, value: object, tmp_path: Path):
    path = write(tmp_path / "mine.jsonl", [{**ROW, "loesung": value}])
    (question,), _ = read_questions(path, mapping={**MAPPING, "gold_is": gold_is})
    assert question.gold == "B"


@pytest.mark.parametrize(
    "options",
    [
        ["Lupus", "Meningitis", "Gout"],
        {"A": "Lupus", "B": "Meningitis", "C": "Gout"},
        '["Lupus", "Meningitis", "Gout"]',
    ],
)
def test_one_column_may_hold_all_options(options: object, tmp_path: Path):
    path = write(tmp_path / "mine.jsonl", [{"fall": "Which?", "alle": options, "loesung": "B"}])
    (question,), _ = read_questions(path, mapping={**MAPPING, "options": "alle"})
    assert question.options == {"A": "Lupus", "B": "Meningitis", "C": "Gout"}


def test_letters_may_be_named_and_further_columns_kept(tmp_path: Path):
    path = write(tmp_path / "mine.jsonl", [{**ROW, "text": "A case.", "fold": "valid"}])
    mapping = {
        **MAPPING,
        "options": {"A": "w2", "B": "w1"},
        "context": "text",
        "split": "fold",
        "extra": {"subject": "fach"},
    }
    (question,), _ = read_questions(path, mapping=mapping)
    assert question.options == {"A": "Meningitis", "B": "Lupus"}
    assert question.stem == "A case.\n\nFever and a stiff neck?"
    assert (question.split, question.extra) == ("dev", {"subject": "Neuro"})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"stem": "case"},
            "mine.jsonl: mapping: there is no column 'case'; the file has fach, fall, loesung, w1, w2, w3",
        ),
        ({"gold_is": "index"}, "gold_is is 'index', expected one of letter, text, number_from_0, number_from_1"),
        ({"question": "x"}, "mapping: unknown key 'question', expected some of stem, options, gold"),
        ({"options": {"A": "w1", "C": "w2"}}, r"options are keyed \['A', 'C'\], expected A, B, C"),
    ],
)
def test_a_mapping_that_does_not_fit_says_why(changes: dict[str, Any], told: str, tmp_path: Path):
    path = write(tmp_path / "mine.jsonl", [ROW])
    with pytest.raises(QuestionsError, match=told):
        read_questions(path, mapping={**MAPPING, **changes})


def test_a_mapping_and_a_form_are_one_too_many(tmp_path: Path):
    with pytest.raises(QuestionsError, match="both the form 'medqa' and a mapping are given"):
        read_questions(write(tmp_path / "mine.jsonl", [ROW]), "medqa", mapping=MAPPING)


def test_a_mapping_needs_its_three_columns(tmp_path: Path):
    with pytest.raises(QuestionsError, match="'gold' is missing; stem, options and gold are needed"):
        read_questions(write(tmp_path / "mine.jsonl", [ROW]), mapping={"stem": "fall", "options": ["w1", "w2"]})


def test_rows_of_a_csv_are_counted_whatever_their_texts_hold(tmp_path: Path):
    path = write(tmp_path / "mine.csv", [{**ROW, "fall": f'He said: "no",\nline {n}'} for n in range(3)])
    assert [question.source for question in read_questions(path, mapping=MAPPING)[0]] == [
        "mine.csv:1", "mine.csv:2", "mine.csv:3"
    ]  # fmt: skip
    assert json.loads(json.dumps(read_questions(path, mapping=MAPPING)[0][0].stem)).endswith("line 0")
