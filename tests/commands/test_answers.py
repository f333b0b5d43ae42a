"""`kedro answers`: any file of outputs, every row accounted for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from medo1.commands.answers import answers

OPTIONS = {"A": "Metformin", "B": "Beta-blocker therapy", "C": "Ceftriaxone", "D": "Vitamin D supplementation"}
ROWS: list[dict[str, Any]] = [
    {"raw": "The answer is (C).", "options": OPTIONS, "gold": "C", "model": "one"},
    {"raw": "The answer is A. It is what helps. The answer is B.", "options": OPTIONS, "gold": "B", "model": "one"},
    {"raw": "The most likely drug is **(C) Ceftriaxone**", "options": OPTIONS, "gold": "A", "model": "one"},
    {"raw": "", "options": OPTIONS, "gold": "A", "model": "two"},
    {"raw": "It is meningitis, so the", "options": OPTIONS, "gold": "A", "model": "two"},
]


def write(path: Path, rows: list[dict[str, Any]] = ROWS) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)) + "\n")
    return path


def run(path: Path, *words: str) -> Result:
    return CliRunner().invoke(answers, [str(path), *words], env={"COLUMNS": "200"})


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def counted(path: Path, *words: str) -> dict[str, Any]:
    told = run(path, *words, "--json")
    assert told.exit_code == 0, told.output
    return json.loads(told.stdout)


def test_each_output_gets_a_line_with_letter_status_rule_and_span(tmp_path: Path):
    told = run(write(tmp_path / "x.jsonl"), "--keep", "model")
    assert told.exit_code == 0, told.output
    written = read(tmp_path / "x.jsonl.answers.jsonl")
    assert [(row["row"], row["letter"], row["status"]) for row in written] == [
        (1, "C", "answer"),
        (2, None, "conflict"),
        (3, "C", "answer"),
        (4, None, "abstain"),
        (5, None, "truncated"),
    ]
    assert written[0] == {
        "row": 1,
        "model": "one",
        "letter": "C",
        "status": "answer",
        "rule": "answer_sentence",
        "span": [4, 17],
        "stated": "answer is (C)",
        "strict": None,
        "gold": "C",
        "correct": True,
    }
    assert "5 answers written to" in told.output
    assert "Accuracy: 20.0% (1 of 5; an output without an answer counts as wrong)" in " ".join(told.output.split())


def test_the_counts_are_given_as_json_too(tmp_path: Path):
    value = counted(write(tmp_path / "x.jsonl"), "--by", "model")
    assert value["statuses"] == {"answer": 2, "abstain": 1, "conflict": 1, "truncated": 1}
    assert value["rules"]["empty"] == 1
    assert (value["rows"], value["read"], value["rejected"]) == (5, 5, 0)
    assert value["by"] == {
        "one": {
            "read": 3,
            "with_gold": 3,
            "correct": 1,
            "accuracy": 1 / 3,
            "strict_correct": 0,
            "strict_accuracy": 0.0,
        },
        "two": {
            "read": 2,
            "with_gold": 2,
            "correct": 0,
            "accuracy": 0.0,
            "strict_correct": 0,
            "strict_accuracy": 0.0,
        },
    }
    assert value["fields"]["text"] == "raw"


def test_what_is_worth_a_look_is_shown_with_its_words(tmp_path: Path):
    shown = run(write(tmp_path / "x.jsonl")).output
    doubtful = shown[shown.index("Worth a look") :]
    assert "answer is A. It is what helps. The answer is B" in doubtful
    assert "(C) Ceftriaxone" in doubtful
    assert doubtful.index("conflict") < doubtful.index("abstain") < doubtful.index("truncated")
    assert "The answer is (C)." not in doubtful
    assert "1 of 4 doubtful outputs; --doubtful 4 shows all" in run(tmp_path / "x.jsonl", "-n", "1").output
    assert "Worth a look" not in run(tmp_path / "x.jsonl", "-n", "0").output


def test_rows_that_cannot_be_read_are_told_with_their_line_and_kept(tmp_path: Path):
    path = tmp_path / "x.jsonl"
    bad = [{**ROWS[0], "raw": ["a"]}, {"raw": "C"}, {**ROWS[0], "gold": "Z"}, {**ROWS[0], "options": {"A": "x"}}]
    lines = [json.dumps(row) for row in (ROWS[0], *bad)]
    path.write_text("\n".join([*lines, '{"raw": "cut', json.dumps(ROWS[1])]))
    told = run(path)
    assert told.exit_code == 0
    assert "7 rows, 2 read" in told.output
    assert "row 2: 'raw' is list, expected the output's text" in told.output
    refused = read(tmp_path / "x.jsonl.answers_rejected.jsonl")
    assert [row["row"] for row in refused] == [2, 3, 4, 5, 6]
    assert [row["row"] for row in read(tmp_path / "x.jsonl.answers.jsonl")] == [1, 7]
    write(path)
    run(path)
    assert not (tmp_path / "x.jsonl.answers_rejected.jsonl").exists()  # none of an earlier reading is left


def test_an_empty_output_stays_in_the_denominator(tmp_path: Path):
    rows = [{**ROWS[0], "raw": None}, {**ROWS[0], "raw": ""}, ROWS[0]]
    value = counted(write(tmp_path / "x.jsonl", rows))
    assert (value["read"], value["with_gold"], value["accuracy"]) == (3, 3, 1 / 3)


def test_fields_are_named_by_options_and_by_paths(tmp_path: Path):
    choice = {"message": {"content": "Answer: B"}, "finish_reason": "stop"}
    rows = [{"body": {"choices": [choice]}, "o1": "x", "o2": "y", "right": "b"}]
    path = write(tmp_path / "x.jsonl", rows)
    words = ("--text", "body.choices.0.message.content", "--options", "o1,o2", "--gold", "right")
    value = counted(path, *words, "--finish-reason", "body.choices.0.finish_reason")
    assert (value["statuses"]["answer"], value["correct"]) == (1, 1)


def test_a_finish_reason_makes_a_cut(tmp_path: Path):
    row = {**ROWS[0], "raw": "The answer is C", "finish_reason": "length"}
    assert counted(write(tmp_path / "x.jsonl", [row]))["statuses"]["truncated"] == 1
    assert counted(write(tmp_path / "x.jsonl", [{**row, "finish_reason": "stop"}]))["statuses"]["answer"] == 1


@pytest.mark.parametrize("letters", ["ABCD", "A-D", "a,b,c,d"])
def test_letters_alone_are_enough_where_options_are_not_in_the_file(letters: str, tmp_path: Path):
    path = write(tmp_path / "x.jsonl", [{"output": "The answer is (D)."}, {"output": "The answer is (E)."}])
    value = counted(path, "--letters", letters)
    assert (value["statuses"]["answer"], value["rules"]["letter_not_offered"]) == (1, 1)


@pytest.mark.parametrize("kind", ["csv", "parquet", "json"])
def test_other_kinds_of_files_are_read_too(kind: str, tmp_path: Path):
    frame = pd.DataFrame([{**row, "options": json.dumps(row["options"])} for row in ROWS])
    path = tmp_path / f"x.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_json(path, orient="records")
    assert counted(path)["statuses"] == {"answer": 2, "abstain": 1, "conflict": 1, "truncated": 1}


def test_letters_that_something_else_read_are_compared(tmp_path: Path):
    rows = [{**row, "peer": peer} for row, peer in zip(ROWS, ["C", "B", "c", None, None], strict=True)]
    assert counted(write(tmp_path / "x.jsonl", rows), "--compare", "peer")["agree"] == 4


@pytest.mark.parametrize(
    ("rows", "words", "told"),
    [
        ([{"case": "x"}], (), "no field has a usual name of text"),
        ([{"raw": "x", "output": "y", "options": OPTIONS}], (), "text may be any of the fields raw, output: say which"),
        ([{"raw": "x"}], (), "no field has a usual name of options"),
        (ROWS, ("--text", "txt"), "there is no field 'txt'; the fields are raw, options, gold, model"),
        (ROWS, ("--by", "modle"), "there is no field 'modle'"),
        (ROWS, ("--letters", "BCD"), "letters are 'BCD', expected A and those that follow it"),
        ([{"raw": 1, "options": OPTIONS}], (), "not one of 1 rows can be read: 'raw' is int"),
        ([], (), "not one of 0 rows can be read: it has no rows"),
    ],
)
def test_what_cannot_be_told_is_asked(rows: list[dict[str, Any]], words: tuple[str, ...], told: str, tmp_path: Path):
    result = run(write(tmp_path / "x.jsonl", rows), *words)
    assert result.exit_code == 1
    assert told in result.output
    assert "Traceback" not in result.output
    assert not list(tmp_path.glob("*.answers*"))


def test_the_file_that_is_read_is_never_overwritten(tmp_path: Path):
    path = write(tmp_path / "x.jsonl")
    before = path.read_bytes()
    assert run(path, "-o", str(path)).exit_code == 1
    assert path.read_bytes() == before
    assert run(path, "-o", str(tmp_path / "no" / "y.jsonl")).exit_code == 1


def test_a_models_text_cannot_command_the_terminal(tmp_path: Path):
    rows = [{**ROWS[0], "raw": "\x1b]0;owned\x07\x1b[2J[bold]Nothing[/bold] is stated here\u202e."}]
    shown = run(write(tmp_path / "x.jsonl", rows)).output
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[bold]Nothing[/bold]" in shown


def test_what_a_strict_reader_gives_stands_beside_it(tmp_path: Path):
    texts = ("The answer is (C).", "Final answer: C", "It is B.\nFinal answer: A", "Final answer: B\nWait, it is C.")
    rows = [{"raw": text, "options": OPTIONS, "gold": "C"} for text in texts]
    value = counted(write(tmp_path / "x.jsonl", rows))
    assert (value["correct"], value["strict_correct"]) == (3, 1)
    assert value["strict"] == {"answers": 3, "read_otherwise": 1}
    assert [row["strict"] for row in read(tmp_path / "x.jsonl.answers.jsonl")] == [None, "C", "A", "B"]
    assert "The last line `Final answer: X` alone gives 3 letters; right: 25.0%" in run(tmp_path / "x.jsonl").output


MEASURED = """
import resource, sys
sys.argv = ["medo1", "answers", sys.argv[1], "--json"]
from medo1.__main__ import main
try:
    main()
finally:
    heavy = [name for name in ("torch", "transformers", "pandas", "kedro", "pyarrow") if name in sys.modules]
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, heavy, file=sys.stderr)
"""


def peak_kilobytes(path: Path) -> int:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, path.name], cwd=path.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["read"] == len(path.read_text().splitlines())
    kilobytes, heavy = done.stderr.split(maxsplit=1)
    assert heavy.strip() == "[]", "the command needs none of these"
    return int(kilobytes)


def test_a_long_file_is_never_held_whole(tmp_path: Path):
    row = json.dumps({"raw": "It is the uric acid. " * 1000 + "The answer is (C).", "options": OPTIONS}) + "\n"
    (tmp_path / "short.jsonl").write_text(row * 25)
    (tmp_path / "long.jsonl").write_text(row * 500)  # 10 MB
    assert peak_kilobytes(tmp_path / "long.jsonl") < peak_kilobytes(tmp_path / "short.jsonl") + 6_000


def test_lines_that_are_packed_are_read_too(tmp_path: Path):
    import gzip

    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in ROWS).encode()))
    assert counted(path)["read"] == 5
    path.write_bytes(path.read_bytes()[:-20])
    assert "cannot be read to its end" in run(path).output or run(path).exit_code == 1


def test_a_line_that_is_no_utf8_is_named(tmp_path: Path):
    path = write(tmp_path / "x.jsonl")
    path.write_bytes(path.read_bytes() + b'{"raw": "\xe9"}\n')
    result = run(path)
    assert "byte 0xe9 on line 6" in result.output
    assert not list(tmp_path.glob("*.answers*"))


def test_a_named_field_that_only_late_rows_have_is_found(tmp_path: Path):
    rows = [*([{"raw": "The answer is C.", "options": OPTIONS}] * 600), {**ROWS[0], "label": "C"}]
    value = counted(write(tmp_path / "x.jsonl", rows), "--gold", "label")
    assert (value["read"], value["rejected"], value["correct"]) == (1, 600, 1)


def test_the_command_is_one_of_kedros():
    from medo1.commands.project_commands import COMMANDS

    assert COMMANDS["answers"] == "medo1.commands.answers.answers"


def test_recorded_outputs_are_read_through_the_command(benchmark_files: Path, tmp_path: Path):
    path = benchmark_files / "recorded_outputs_dev.jsonl"
    value = counted(path, "--compare", "peer_pred", "-o", str(tmp_path / "out.jsonl"))
    assert (value["rows"], value["read"]) == (875, 875)
    assert value["agree"] >= 0.98 * 875
    assert len(read(tmp_path / "out.jsonl")) == 875
