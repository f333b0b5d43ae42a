"""Every row of every file is a question, is left out by a limit, or is rejected with its reason."""

# ruff: noqa: E501  (tables of cases)
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from medo1 import tables
from medo1.errors import MissingFileError, UserError
from medo1.pipelines.ingest.nodes import read_benchmark_files
from medo1.pipelines.ingest.params import IngestParams
from medo1.questions import letter_as_read, questions_from
from tests.questions.rows import LINK, OPTIONS, ROWS, STEM, changed
from tests.questions.test_forms import asked_in_turn, jama_lists, write

MEDQA = ROWS["medqa"][0]


def ingested(folder: Path, *files: dict[str, Any], **settings: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
    params = IngestParams.model_validate({"files": files, **settings})
    questions, rejected, audit, order, summary = read_benchmark_files(folder, params)
    for file in summary["files"]:
        assert file["rows"] == file["questions"] + file["rejected"] + file["left_out"], file
        assert sum(file["reasons"].values()) == file["rejected"]
    assert summary["questions"] == len(questions) == len(order)
    assert summary["rejected"] == len(rejected)
    assert summary["rows"] == len(questions) + len(rejected) + summary["left_out"]
    assert summary["repeated"] == len(audit)
    assert summary["clusters"] <= len(questions)
    return questions, rejected, audit, order, summary


def test_the_counts_add_up_over_good_bad_and_repeated_rows(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    rows = asked_in_turn(MEDQA, 5)
    write(tmp_path / "test.jsonl", [*rows, changed(MEDQA, {"answer_idx": "Z"}), rows[0], {"x": 1}])
    write(tmp_path / "train.jsonl", [rows[1], MEDQA])
    write(tmp_path / "other.jsonl", [changed(rows[2], {"answer_idx": "C", "answer": "Gout"}), rows[3]])
    questions, rejected, audit, _, summary = ingested(
        tmp_path,
        {"file": "train.jsonl"},
        {"file": "test.jsonl"},
        {"file": "other.jsonl", "benchmark": "other", "form": "medqa"},
    )
    assert [(row.file, row.row, row.reason.partition(":")[0]) for row in rejected.itertuples()] == [
        ("train.jsonl", 1, "leak"),
        ("test.jsonl", 3, "conflict"),
        ("test.jsonl", 6, "'answer_idx' is 'Z', expected one of A, B, C, D"),
        ("test.jsonl", 7, "duplicate"),
        ("test.jsonl", 8, "'question' is missing"),
        ("other.jsonl", 1, "conflict"),
    ]
    assert sorted(audit["kind"]) == ["conflict", "duplicate", "leak", "shared"]
    assert len(questions) == 6
    (told,) = (record for record in caplog.records if record.name.endswith("gathering"))
    assert told.levelname == "WARNING"
    assert told.getMessage().startswith("12 rows: 6 questions, 6 rejected (conflict (2); ")
    assert summary["files"][1]["why"] == "recognised by columns question, options, answer_idx"
    assert summary["files"][1]["split_why"] == "from the file's name"
    conflict = audit[audit["kind"] == "conflict"].iloc[0]
    assert list(conflict["golds"]) == ["Meningitis", "Gout"]
    assert list(conflict["sources"]) == ["test.jsonl:3", "other.jsonl:1"]


def test_a_limit_takes_the_first_and_says_how_many_are_left_out(tmp_path: Path):
    rows = asked_in_turn(MEDQA, 6)
    write(tmp_path / "test.jsonl", [changed(MEDQA, {"options": None}), *rows])
    questions, rejected, _, _, summary = ingested(tmp_path, {"file": "test.jsonl", "limit": 2})
    assert [row.source for row in questions.itertuples()] == ["test.jsonl:2", "test.jsonl:3"]
    assert (len(rejected), summary["left_out"]) == (1, 4)


def test_a_file_of_ones_own_is_read_by_a_mapping_in_the_parameters(tmp_path: Path):
    (tmp_path / "mine.csv").write_text("Fall;x,right,wrong\n".replace(";", " ") + "Which?,Gout,Lupus\n,Gout,Lupus\n")
    mapping = {"stem": "Fall x", "options": ["wrong", "right"], "gold": "right", "gold_is": "text"}
    questions, rejected, *_ = ingested(tmp_path, {"file": "mine.csv", "split": "dev", "mapping": mapping})
    (question,) = questions_from(questions)
    assert (question.benchmark, question.split, question.gold_text) == ("mine", "dev", "Gout")
    assert rejected.iloc[0]["reason"] == "'Fall x' is empty"


def test_jama_and_medmcqa_get_what_they_need_from_the_parameters(tmp_path: Path):
    jama_lists(tmp_path, ("B", "Meningitis"), [LINK])
    write(tmp_path / "jama.csv", [ROWS["jama"][0]])
    write(tmp_path / "medmcqa.jsonl", [changed(ROWS["medmcqa"][0], {"question": "Another?", "cop": 2, "exp": ""})])
    questions, *_ = ingested(
        tmp_path,
        {"file": "jama.csv", "links": "links.json", "test_urls": "test.json"},
        {"file": "medmcqa.jsonl", "gold_base": 0},
    )
    assert list(questions["split"]) == ["test", "dev"]
    assert list(questions["gold"]) == ["B", "C"]


def test_a_data_set_of_the_hub_is_an_entry_like_a_file(tmp_path: Path):
    datasets = pytest.importorskip("datasets")
    parts = {
        name: datasets.Dataset.from_list(asked_in_turn(MEDQA, n)[-1:]) for n, name in enumerate(("train", "test"), 1)
    }
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "saved"))
    questions, _, _, _, summary = ingested(tmp_path, {"hub": "saved", "benchmark": "medqa"})
    assert list(questions["split"]) == ["train", "test"]
    assert len(summary["files"]) == 2
    questions, *_ = ingested(tmp_path, {"hub": "saved", "hub_split": "train", "split": "dev"})
    assert list(questions["split"]) == ["dev"]


def test_options_are_shuffled_by_a_seed_and_every_letter_maps_back(tmp_path: Path):
    write(tmp_path / "test.jsonl", asked_in_turn(MEDQA, 30))
    write(
        tmp_path / "train.jsonl", [{**row, "question": f"Train {row['question']}"} for row in asked_in_turn(MEDQA, 30)]
    )
    files = ({"file": "train.jsonl"}, {"file": "test.jsonl"})
    plain, *_ = ingested(tmp_path, *files)
    questions, _, _, order, summary = ingested(tmp_path, *files, shuffle_options={"seed": 7})
    assert list(questions["question_id"]) == list(plain["question_id"])
    assert summary["shuffled"] > 20
    assert set(questions[questions["split"] == "train"]["gold"]) == {"B"}
    assert len(set(questions[questions["split"] == "test"]["gold"])) > 1
    for question, original in zip(questions_from(questions), order["original"], strict=True):
        assert {letter_as_read(original, letter): text for letter, text in question.options.items()} == OPTIONS
        assert letter_as_read(original, question.gold) == "B"
    again, *_ = ingested(tmp_path, *files, shuffle_options={"seed": 7})
    other, *_ = ingested(tmp_path, *files, shuffle_options={"seed": 8})
    assert list(again["gold"]) == list(questions["gold"]) != list(other["gold"])


def test_a_missing_file_is_named_with_what_is_there(tmp_path: Path):
    write(tmp_path / "test.jsonl", [MEDQA])
    for entry in ({"file": "tset.jsonl"}, {"file": "test.jsonl", "links": "no.json"}):
        with pytest.raises(MissingFileError, match=r"which is not in .* \(there: test\.jsonl\)"):
            ingested(tmp_path, entry)


def test_a_file_that_cannot_be_read_is_a_users_error(tmp_path: Path):
    (tmp_path / "x.json").write_text("[{")
    with pytest.raises(UserError, match=r"x\.json is not JSON"):
        ingested(tmp_path, {"file": "x.json"})


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({}, "give either file or hub"),
        ({"file": "a.csv", "hub": "b"}, "give either file or hub"),
        ({"file": "a.csv", "revision": "main"}, "revision is for hub data sets; a.csv is a file"),
        ({"file": "a.csv", "benchmrk": "x"}, "benchmrk"),
        ({"file": "a.csv", "split": "exam"}, "train"),
        ({"file": "a.csv", "limit": 0}, "limit"),
        ({"file": "a.csv", "gold_base": 2}, "gold_base"),
        ({"file": "a.csv", "mapping": {"stem": "a", "options": ["b", "c"]}}, "gold"),
        ({"file": "a.csv", "mapping": {"stem": "a", "options": ["b"], "gold": "d", "answer": "e"}}, "answer"),
        ({"file": "a.csv", "mapping": {"stem": "a", "options": {"B": "b"}, "gold": "d"}}, "expected A, B, C"),
        (
            {"file": "a.csv", "form": "medqa", "mapping": {"stem": "a", "options": "b", "gold": "d"}},
            "either form or mapping",
        ),
    ],
)
def test_parameters_that_say_nothing_or_two_things_are_refused(entry: dict[str, Any], told: str):
    with pytest.raises(ValidationError, match=told):
        IngestParams.model_validate({"files": [entry]})


def test_an_order_that_is_part_of_the_identity_is_not_shuffled(tmp_path: Path):
    files = [{"file": "a.csv"}]
    with pytest.raises(ValidationError, match="`ordered` makes part of the identity"):
        IngestParams.model_validate({"files": files, "ordered": True, "shuffle_options": {"seed": 1}})
    reordered = {**MEDQA, "options": dict(zip("ABCD", ["Meningitis", "Lupus", "Gout", "Influenza"], strict=True)),
                 "answer_idx": "A"}  # fmt: skip
    write(tmp_path / "test.jsonl", [MEDQA, reordered])
    assert len(ingested(tmp_path, {"file": "test.jsonl"})[0]) == 1
    assert len(ingested(tmp_path, {"file": "test.jsonl"}, ordered=True)[0]) == 2


def test_what_is_saved_reads_back_the_same(tmp_path: Path):
    import pandas as pd

    write(tmp_path / "test.jsonl", [MEDQA, MEDQA, changed(MEDQA, {"question": "half \ud83d"})])
    made = ingested(tmp_path, {"file": "test.jsonl"})[:4]
    schemas = (tables.QUESTIONS, tables.QUESTIONS_REJECTED, tables.QUESTIONS_AUDIT, tables.QUESTIONS_ORDER)
    for table, schema in zip(made, schemas, strict=True):
        table.to_parquet(tmp_path / "t.parquet", index=False)
        assert len(schema.validate(pd.read_parquet(tmp_path / "t.parquet"))) == len(table)


def test_real_files_are_ingested_together(benchmark_files: Path):
    names = ["long_chains_sample.json", "medqa_test.jsonl", "medbullets_op4.csv", "medbullets_op5.json"]
    files = [{"file": name, "benchmark": name.partition(".")[0]} for name in names]
    _, rejected, audit, _, summary = ingested(benchmark_files, *files)
    assert [file["rows"] for file in summary["files"]] == [198, 1273, 308, 308]
    assert [file["questions"] for file in summary["files"]] == [198, 1273, 298, 298]
    assert {reason.partition(":")[0] for reason in rejected["reason"]} == {"duplicate"}
    assert set(audit["kind"]) == {"duplicate", "shared", "near_copy"}
    assert (audit["kind"] == "near_copy").sum() >= 12  # MedQA's rewritten in Medbullets, and others within


def test_a_stem_is_never_cut(tmp_path: Path):
    long = f"{'A long history. ' * 2000}{STEM}"
    write(tmp_path / "test.jsonl", [changed(MEDQA, {"question": long})])
    assert ingested(tmp_path, {"file": "test.jsonl"})[0].iloc[0]["stem"] == long
    assert json.dumps(long)


def test_doubtful_questions_are_flagged_by_their_stems_and_can_be_left_out(tmp_path: Path):
    rows = asked_in_turn(MEDQA, 4)
    write(tmp_path / "test.jsonl", rows)
    listed = [
        {"Question": row["question"].upper(), "verdict": verdict} for row, verdict in zip(rows, "yynn", strict=True)
    ]
    write(tmp_path / "doubtful.csv", listed)
    files = {"file": "test.jsonl", "benchmark": "m"}
    questions, *_, summary = ingested(tmp_path, files, doubtful={"file": "doubtful.csv", "where": {"verdict": ["y"]}})
    assert list(questions["flags"]) == ["doubtful", "doubtful", "", ""]
    assert summary["flags"] == {"doubtful": 2}
    questions, rejected, *_ = ingested(tmp_path, files, doubtful={"file": "doubtful.csv"}, exclude=["doubtful"])
    assert len(questions) == 0 or set(rejected["reason"]) == {"excluded: a list calls it doubtful"}
    with pytest.raises(UserError, match=r"ingest\.doubtful: doubtful\.csv has no column 'x'; it has Question, verdict"):
        ingested(tmp_path, files, doubtful={"file": "doubtful.csv", "where": {"x": ["y"]}})


def test_near_copies_are_clusters_and_all_are_kept(tmp_path: Path):
    case = (
        "A 45-year-old man with a history of gout comes in after a feast because of a swollen and painful toe since {}."
    )
    stems = [f"{case.format('last night')} What is the diagnosis?", f"{case.format('this morning')} What is the diagnosis?",
             "A child of three years has fever, a rash on the trunk and a strawberry tongue. What is the treatment?"]  # fmt: skip
    others = [f"Quite another question, number {n}, about organ {n * 7} and vessel {n * 13}?" for n in range(30)]
    write(tmp_path / "test.jsonl", [{**MEDQA, "question": stem} for stem in (*stems, *others)])
    questions, rejected, audit, *_ = ingested(tmp_path, {"file": "test.jsonl", "benchmark": "m"})
    assert len(rejected) == 0
    clusters = list(questions["cluster"])
    assert clusters[0] == clusters[1] == questions["question_id"][0]
    assert clusters[2] == questions["question_id"][2]
    assert "near_copy" in set(audit["kind"])


@pytest.mark.parametrize("flag", ["figure", "missing_case"])
def test_questions_that_need_what_they_do_not_hold_are_counted_and_can_be_left_out(flag: str, tmp_path: Path):
    stems = {
        "figure": "A man has a rash (see figure). What is it?",
        "missing_case": "What is the best drug for this patient?",
    }
    write(tmp_path / "test.jsonl", [MEDQA, {**MEDQA, "question": stems[flag]}])
    questions, *_, summary = ingested(tmp_path, {"file": "test.jsonl", "benchmark": "m"})
    assert summary["flags"] == {flag: 1}
    questions, rejected, *_ = ingested(tmp_path, {"file": "test.jsonl", "benchmark": "m"}, exclude=[flag])
    assert len(questions) == 1
    assert rejected.iloc[0]["reason"].startswith("excluded: ")
