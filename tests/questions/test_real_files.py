"""The published files, with their counts."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from medo1.questions import MissingTextError, audit_questions, read_benchmark, read_questions
from medo1.questions.readers.jama import read_index
from medo1.questions.repeats import near_copy_clusters

COUNTS = {
    "medqa_test.jsonl": ("medqa", "test", 1273, {5: 1273}),
    "medbullets_op4.csv": ("medbullets", "test", 308, {4: 308}),
    "medbullets_op5.json": ("medbullets", "test", 308, {5: 308}),
    "long_chains_sample.json": ("huatuo", "train", 198, None),
}


@pytest.mark.parametrize("name", COUNTS)
def test_every_row_of_a_published_file_is_a_question(name: str, benchmark_files: Path):
    form, split, count, options = COUNTS[name]
    reading = read_benchmark(benchmark_files / name)
    assert (reading.form, len(reading.questions), reading.rejected) == (form, count, [])
    assert {question.split for question in reading.questions} == {split}
    if options:
        assert Counter(len(question.options) for question in reading.questions) == options


def test_jama_has_646_of_1524_cases_for_testing(benchmark_files: Path):
    index = read_index(benchmark_files / "jama_links.json", benchmark_files / "jama_test_urls.json")
    assert index.counts() == {"cases": 1524, "test": 646, "train": 878}


def test_the_jama_links_alone_are_no_benchmark(benchmark_files: Path):
    with pytest.raises(MissingTextError, match="1524 links and gold letters, and no text"):
        read_questions(benchmark_files / "jama_links.json")


def test_a_jama_file_as_the_scraper_writes_it_is_split_in_646_and_878(benchmark_files: Path, tmp_path: Path):
    """The licensed text is made up here; links, letters and right options are the real ones."""
    rows = []
    for number, case in enumerate(json.loads((benchmark_files / "jama_links.json").read_text())):
        options = {f"op{letter}": f"wrong {letter} {number}" for letter in "abcd"}
        options[f"op{case['answer_idx'].lower()}"] = case["answer"]
        rows.append({**case, "question": f"Case {number}. What next?", **options, "diagnosis": "x", "field": "y"})
    (tmp_path / "jama.json").write_text(json.dumps(rows))
    from medo1.questions import FileHints

    hints = FileHints(links=benchmark_files / "jama_links.json", test_urls=benchmark_files / "jama_test_urls.json")
    reading = read_benchmark(tmp_path / "jama.json", hints=hints)
    assert reading.form == "jama"
    splits = Counter(question.split for question in reading.questions)
    refused = Counter(bad.reason.partition(" ")[0] for bad in reading.rejected)
    assert sum(splits.values()) + len(reading.rejected) == reading.rows_read == 1524
    assert (splits["test"], splits["train"]) == (646, 878), refused


def test_the_repeats_in_the_published_files_are_known(benchmark_files: Path):
    kinds = {}
    for name in COUNTS:
        questions, _ = read_questions(benchmark_files / name)
        kinds[name] = Counter(group.kind for group in audit_questions(questions))
    assert kinds["medqa_test.jsonl"] == {}
    assert kinds["medbullets_op4.csv"] == {"duplicate": 10}  # in six of them the wrong options differ
    assert kinds["medbullets_op5.json"] == {"duplicate": 10}
    assert kinds["long_chains_sample.json"] == {}


# rows of MedQA's test and of Medbullets, counted from 0: rewritten from one another
REWRITTEN = {(241, 102), (348, 26), (388, 119), (769, 29), (851, 163), (878, 180), (919, 202), (959, 171), (1007, 115),
             (1092, 148), (1142, 167), (1172, 128)}  # fmt: skip


def test_near_copies_across_the_published_files_are_found_and_nothing_else(benchmark_files: Path):
    medqa, _ = read_questions(benchmark_files / "medqa_test.jsonl")
    medbullets, _ = read_questions(benchmark_files / "medbullets_op4.csv")
    found = near_copy_clusters([*medqa, *medbullets])
    across = {(places[0], one - len(medqa)) for places in found for one in places if places[0] < len(medqa) <= one}
    assert across == REWRITTEN
    within = near_copy_clusters(medbullets)
    assert len(medbullets) - sum(len(places) - 1 for places in within) == 298
