"""Files with mistakes: each row is a question or is rejected by its number, and each message says what to do."""

# ruff: noqa: E501  (tables of cases)
from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from pathlib import Path
from typing import Any

import pytest

from medo1.questions import QuestionsError, read_benchmark
from tests.questions.rows import OPTIONS, STEM

GOOD = {"question": STEM, "options": OPTIONS, "answer_idx": "B"}
OTHER = {**GOOD, "question": "Another case?"}
HEAD = "question,A,B,C,D,answer"
LINE = "Which?,Lupus,Meningitis,Gout,Flu,B"


def lines(*rows: Any) -> str:
    return "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n"


def zipped(**members: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("_dot_", "."), text)
    return data.getvalue()


# name, content, what is told where nothing can be read, or (questions, rejected, part of a reason)
WHOLE: list[tuple[str, str | bytes, str]] = [
    ("a.jsonl", "", "it is empty"),
    ("a.jsonl", "\n\n", "it is empty"),
    ("a.jsonl", "not json\n", "none of its 1 rows is a record. Row 1: not JSON"),
    ("a.jsonl", '"text"\n3\n', "none of its 2 rows is a record. Row 1: expected an object, found str"),
    ("a.jsonl", "[" * 9000, "none of its 1 rows is a record. Row 1: not JSON"),
    ("a.jsonl", '{"question": ' * 9000, "objects are nested too deeply"),
    ("a.json", "", "is not JSON"),
    ("a.json", "[" * 9000, "nested too deeply"),
    ("a.json", '[{"question": "x"}', "is not JSON: .*line 1 column 19; is it cut off"),
    ("a.json", "[]", "it is empty"),
    ("a.json", "{}", "expected a list of records"),
    ("a.json", "3", "expected a list of records, found int"),
    ("a.json", '["x", "y"]', "Row 1: expected an object, found str"),
    ("a.json", '{"a": 1, "b": 2}', "found an object with the keys a, b"),
    ("a.json", '{"question": ["x", "y"], "options": [["a", "b"]], "answer_idx": ["A"]}', "columns of unequal length"),
    ("a.json", '{"question": {"0": "x"}, "answer_idx": {"0": "A", "1": "B"}}', "column 'answer_idx' has 2 rows"),
    ("a.csv", "", "it is empty"),
    ("a.csv", HEAD + "\n", "it is empty"),
    (
        "a.csv",
        f"{HEAD},A\n{LINE},x\n",
        "the column 'A' stands more than once in the first line \\(columns 2 and 7\\): rename one",
    ),
    ("a.csv", "one\ntwo\n", "columns \\(one\\) are those of no known form. Give a mapping"),
    (
        "a.csv",
        f"{HEAD}\n{LINE}\n".encode("cp1252").replace(b"Gout", b"Go\xfct"),
        "is not UTF-8: byte 0xfc on line 2; save it as UTF-8, or name its encoding",
    ),
    ("a.parquet", b"PAR1", "is not a Parquet file"),
    ("a.xlsx", b"PK\x03\x04", "is not an Excel file"),
    ("a.xls", b"\xd0\xcf\x11\xe0", "save it as .xlsx or .csv"),
    ("a.zip", b"PK\x03\x04", "is not a zip file"),
    ("a.zip", zipped(README_dot_md="x"), "none of its files is one of .jsonl.*it holds README.md"),
    ("a.csv.gz", b"\x1f\x8bxx", "cannot be unpacked"),
    ("a.jsonl.bz2", b"BZ", "cannot be unpacked"),
    ("a.jsonl.xz", b"x", "cannot be unpacked"),
    ("a.gz", gzip.compress(b"{}"), "name it after what is packed in it, such as a.jsonl.gz"),
    ("a.pdf", b"%PDF", "files are read by their suffix"),
    ("a.pickle", b"\x80", "files are read by their suffix"),
    ("a", b'[{"question": 1}]', "by its first bytes this one is .json or .jsonl"),
    ("a.jsonl", lines({"case": "x", "solution": "y"}), "columns \\(case, solution\\) are those of no known form"),
    ("a.jsonl", lines({"question": "x", "answer": "y"}), "those of no known form. Give a mapping"),
    ("a.jsonl", lines({**GOOD, "answer_idx": "Z"}), "not one of 1 rows can be used: 'answer_idx' is 'Z'.*Row 1 is "),
    ("a.jsonl", lines({**GOOD, "options": "Lupus or gout"}), "such as 'A. Gout' and each on a line of its own"),
    ("a.jsonl", lines({"question": "Which?", "choices": ["a", "b"], "answer": 1}), "say which with gold_base"),
    (
        "a.jsonl",
        lines({**GOOD, "vignette": "A long case of a man."}),
        "`context: \\[vignette\\]`.*`ignore: \\[vignette\\]`",
    ),
    ("a.json", '{"train": [1, 2], "test": [3, 4]}', "those of no known form"),
]
ROWS: list[tuple[str, str | bytes, int, int, str]] = [
    ("a.jsonl", lines(GOOD, "{", OTHER), 2, 1, "not JSON"),
    ("a.jsonl", lines(GOOD, '{"question": "cut off', OTHER), 2, 1, "not JSON"),
    ("a.jsonl", lines(GOOD, "[1]", OTHER), 2, 1, "expected an object, found list"),
    ("a.jsonl", lines(GOOD, "null"), 1, 1, "expected an object, found NoneType"),
    ("a.jsonl", lines(GOOD, "{}"), 1, 1, "'question' is missing"),
    ("a.jsonl", lines(GOOD, {**OTHER, "question": None}), 1, 1, "'question' is empty"),
    ("a.jsonl", lines(GOOD, {**OTHER, "question": {"text": "x"}}), 1, 1, "'question' is dict, expected a text"),
    ("a.jsonl", lines(GOOD, {**OTHER, "options": None}), 1, 1, "'options' is NoneType"),
    ("a.jsonl", lines(GOOD, {**OTHER, "options": []}), 1, 1, "0 options"),
    ("a.jsonl", lines(GOOD, {**OTHER, "options": {"A": "x"}}), 1, 1, "1 options, expected at least 2"),
    ("a.jsonl", lines(GOOD, {**OTHER, "options": {"A": "x", "B": "", "C": "y"}}), 1, 1, "option B is empty"),
    ("a.jsonl", lines(GOOD, {**OTHER, "options": {"A": "x", "C": "y"}}), 1, 1, "there is no option B although there is an option C"),
    ("a.jsonl", lines(GOOD, {**OTHER, "options": {"A": "x", "a": "y"}}), 1, 1, "labelled alike"),
    ("a.jsonl", lines(GOOD, {**OTHER, "options": {"left": "x", "right": "y"}}), 1, 1, "expected a letter"),
    ("a.jsonl", lines(GOOD, {**OTHER, "options": {"A": ["x"], "B": "y"}}), 1, 1, "an option is list, expected a text"),
    ("a.jsonl", lines(GOOD, {**OTHER, "options": [{"x": 1, "y": 2}, {"x": 1, "y": 2}]}), 1, 1, "which is the option's text"),
    ("a.jsonl", lines(GOOD, {**OTHER, "options": {"text": ["x", "y"], "label": ["A"]}}), 1, 1, "2 texts and 1 labels"),
    ("a.jsonl", lines(GOOD, {**OTHER, "options": "A. x vitamin B. y B. z"}), 1, 1, "names the label B twice"),
    ("a.jsonl", lines(GOOD, {**OTHER, "options": [f"o{n}" for n in range(30)]}), 1, 1, "30 options, at most 26"),
    ("a.jsonl", lines(GOOD, {**OTHER, "options": {"A": "same", "B": "Same", "C": "x"}, "answer_idx": "A"}), 1, 1, "have the same text"),
    ("a.jsonl", lines(GOOD, {**OTHER, "answer_idx": None}), 1, 1, "'answer_idx' is empty"),
    ("a.jsonl", lines(GOOD, {**OTHER, "answer_idx": []}), 1, 1, "'answer_idx' is empty"),
    ("a.jsonl", lines(GOOD, {**OTHER, "answer_idx": ["A", "B"]}), 1, 1, "names several right answers (A, B)"),
    ("a.jsonl", lines(GOOD, {**OTHER, "answer_idx": "A,C"}), 1, 1, "names several right answers (A, C)"),
    ("a.jsonl", lines(GOOD, {**OTHER, "answer_idx": "E"}), 1, 1, "'answer_idx' is 'E', expected one of A, B, C, D"),
    ("a.jsonl", lines(GOOD, {**OTHER, "answer_idx": True}), 1, 1, "'answer_idx' is 'True'"),
    ("a.jsonl", lines(GOOD, {**OTHER, "answer": "Gout"}), 1, 1, "the answer is 'Gout', but option B is 'Meningitis'"),
    ("a.jsonl", lines(GOOD, {**OTHER, "answer": "D. Influenza"}), 1, 1, "but option B is 'Meningitis'"),
    ("a.jsonl", lines(GOOD, {**OTHER, "split": "exam"}, {**OTHER, "question": "x?", "split": "dev"}), 2, 1, "the split is 'exam'"),
    ("a.jsonl", lines(GOOD, {**OTHER, "question": "x\ud83d"}), 1, 1, "half a character"),
    ("a.json", json.dumps([GOOD, 3, None, OTHER]), 2, 2, "expected an object, found int"),
    ("a.json", json.dumps({"train": [GOOD, 7], "test": [OTHER]}), 2, 1, "expected an object, found int"),
    ("a.json", json.dumps({"train": [GOOD], "test": [{**OTHER, "answer_idx": "Z"}]}), 1, 1, "'answer_idx' is 'Z'"),
    ("a.csv", f"{HEAD}\n{LINE}\nShort,x\n{LINE.replace('Which', 'What')}\n", 2, 1, "2 fields where the first line has 6 (line 3)"),
    ("a.csv", f"{HEAD}\n{LINE}\n{LINE},more\n", 1, 1, "7 fields where the first line has 6 (line 3)"),
    ("a.csv", f'{HEAD}\n{LINE}\n"open,x,y,z,w,A\n{LINE.replace("Which", "What")}\n', 2, 1, "line 3: a quote is opened and not closed"),
    ("a.csv", f'{HEAD}\n{LINE}\n"a "b" c",x,y,z,w,A\n{LINE.replace("Which", "What")}\n', 2, 1, "line 3: a quote"),
    ("a.csv", f"{HEAD}\n{LINE}\n,x,y,z,w,A\n", 1, 1, "'question' is empty"),
    ("a.csv", f"{HEAD}\n{LINE}\nWhat?,x,,z,w,A\n", 1, 1, "option B is empty"),
    ("a.csv", f"{HEAD}\n{LINE}\nWhat?,x,y,z,w,\n", 1, 1, "'answer' is empty"),
    ("a.csv", f"{HEAD}\n{LINE}\nWhat?,x,y,z,w,Q\n", 1, 1, "'answer' is 'Q'"),
    ("a.csv", (f"{HEAD}\n{LINE}\nWhat?,x,y,z,w\n").replace(",", ";"), 1, 1, "5 fields where the first line has 6"),
    ("a.csv.gz", gzip.compress(f"{HEAD}\n{LINE}\nShort,x\n".encode()), 1, 1, "2 fields"),
    ("a.jsonl.bz2", bz2.compress(lines(GOOD, "{").encode()), 1, 1, "not JSON"),
    ("a.jsonl.xz", lzma.compress(lines(GOOD, "{").encode()), 1, 1, "not JSON"),
    ("a.zip", zipped(x_dot_csv=f"{HEAD}\n{LINE}\nShort,x\n", y_dot_jsonl=lines(OTHER, "{")), 2, 2, "fields"),
]  # fmt: skip


def test_there_are_enough_of_them():
    assert len(WHOLE) + len(ROWS) >= 60


@pytest.mark.parametrize(("name", "content", "told"), WHOLE, ids=[f"{n}-{one[0]}" for n, one in enumerate(WHOLE)])
def test_a_file_of_which_nothing_can_be_read_says_why(name: str, content: str | bytes, told: str, tmp_path: Path):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    with pytest.raises(QuestionsError, match=told) as caught:
        read_benchmark(path)
    assert str(caught.value).startswith(name)


@pytest.mark.parametrize(
    ("name", "content", "questions", "rejected", "reason"),
    ROWS,
    ids=[f"{n}-{one[4][:30]}" for n, one in enumerate(ROWS)],
)
def test_a_row_that_cannot_be_used_costs_no_other(
    name: str, content: str | bytes, questions: int, rejected: int, reason: str, tmp_path: Path
):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    reading = read_benchmark(path)
    assert (len(reading.questions), len(reading.rejected)) == (questions, rejected)
    assert reading.rows_read == questions + rejected
    assert any(reason in bad.reason for bad in reading.rejected), [bad.reason for bad in reading.rejected]
    for bad in reading.rejected:
        assert bad.file.startswith(name)
        assert bad.row >= 1
        f"{bad.reason} {bad.content}".encode()
