"""Rows out of every kind of file, and what is told of files that are broken."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from medo1.questions import QuestionsError
from medo1.questions.record_files import read_rows

RECORDS = [{"question": "a, b", "n": "1"}, {"question": 'say "c"\nd', "n": "2"}]


def values(path: Path) -> list[dict[str, object]]:
    rows, rejected = read_rows(path)
    assert rejected == []
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    return [dict(row.values) for row in rows]


def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path):
    frame = pd.DataFrame(RECORDS)
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    frame.to_json(tmp_path / "b.json", orient="records")
    frame.to_json(tmp_path / "c.json")  # pandas' own form, of columns
    frame.to_csv(tmp_path / "d.csv", index=False)
    frame.to_csv(tmp_path / "e.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "f.parquet")
    (tmp_path / "g.json").write_text(json.dumps({"data": RECORDS}))
    (tmp_path / "h.json").write_text(json.dumps({name: [row[name] for row in RECORDS] for name in RECORDS[0]}))
    (tmp_path / "i.json").write_text("\n".join(map(json.dumps, RECORDS)))  # lines under the other suffix
    (tmp_path / "j.csv").write_bytes(b"\xef\xbb\xbf" + (tmp_path / "d.csv").read_bytes())  # as Excel writes it
    (tmp_path / "k.jsonl").write_text("\r\n".join(map(json.dumps, RECORDS)) + "\r\n")
    for path in sorted(tmp_path.iterdir()):
        assert values(path) == RECORDS, path


def test_records_under_their_keys_keep_them(tmp_path: Path):
    (tmp_path / "a.json").write_text(json.dumps({"77": {"QUESTION": "x", "CONTEXTS": ["y"]}}))
    assert values(tmp_path / "a.json") == [{"_key": "77", "QUESTION": "x", "CONTEXTS": ["y"]}]


def test_a_line_that_is_no_record_is_rejected_and_the_rest_is_read(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n\n{"a": 2\n[1]\n{"a": 3}\n')
    rows, rejected = read_rows(path)
    assert [row.number for row in rows] == [1, 5]
    assert [(bad.row, bad.content) for bad in rejected] == [(3, '{"a": 2'), (4, "[1]")]
    assert "not JSON" in rejected[0].reason
    assert rejected[1].reason == "expected an object, found list"
    (tmp_path / "b.csv").write_text("a,b\n1,2\n1,2,3\n4\n5,6\n")
    rows, rejected = read_rows(tmp_path / "b.csv")
    assert [row.number for row in rows] == [1, 4]
    assert [(bad.row, bad.reason) for bad in rejected] == [
        (2, "3 fields where the first line has 2 (line 3)"),
        (3, "1 fields where the first line has 2 (line 4)"),
    ]
    (tmp_path / "c.json").write_text('[{"a": 1}, 2, null]')
    assert [bad.row for bad in read_rows(tmp_path / "c.json")[1]] == [2, 3]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.json", b'[{"a": 1}', "a.json is not JSON: .*is it cut off"),
        ("a.json", b"3", "expected a list of records, found int"),
        ("a.json", b'{"a": 1, "b": 2}', "found an object with the keys a, b"),
        ("a.json", b'{"a": {"0": 1, "1": 2}, "b": {"0": 1}}', "column 'b' has 1 rows where 'a' has 2"),
        ("a.json", b'{"a": [1, 2], "b": [1]}', "columns of unequal length"),
        ("a.csv", b"a,a\n1,2\n", "the column 'a' stands more than once"),
        ("a.csv", b"a,b\nx,\xe9\n", "a.csv is not UTF-8: byte 0xe9 on line 2; save it as UTF-8"),
        ("a.parquet", b"PAR1 no", "is not a Parquet file"),
        ("a.xlsx", b"x", "is not an Excel file that can be read"),
        ("a.bin", b"x", "files are read by their suffix, one of .jsonl"),
        ("a.dat", b'{"a": 1}', "by its first bytes this one is .json or .jsonl: copy it under a name that ends so"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "this is an old Excel file: save it as .xlsx or .csv"),
        ("a.zip", b"PK", "is not a zip file that can be read"),
        ("a.csv.gz", b"a,b", "cannot be unpacked"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_broken_file_says_what_is_wrong(name: str, content: bytes, told: str, tmp_path: Path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(QuestionsError, match=told):
        read_rows(tmp_path / name)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(QuestionsError, match=r"nothing\.jsonl is not a file"):
        read_rows(tmp_path / "nothing.jsonl")
