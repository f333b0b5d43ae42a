"""Every form is recognised, and every row of it is a question or is rejected with its number and a reason."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from medo1.questions import FORMS, FileHints, MissingTextError, QuestionsError, read_benchmark, read_questions
from tests.questions.rows import ABSTRACT, COLUMNS, JUNK, LINK, OPTIONS, ROWS, STEM, TEN, TEXTS, changed


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    else:
        path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    return path


def asked_in_turn(row: dict[str, Any], times: int) -> list[dict[str, Any]]:
    """The row several times, a different question each time."""
    key = "question" if "question" in row else "stem"
    return [{**row, key: f"{row[key]} ({n})"} for n in range(times)]


# one row tells nothing of from where its numbers count
HINTS = {"mmlu": FileHints(gold_base=0)}


def test_there_are_rows_for_every_form():
    assert set(ROWS) == set(FORMS)


@pytest.mark.parametrize("form", ROWS)
def test_a_good_row_is_recognised_and_read(form: str, tmp_path: Path):
    row, gold, _ = ROWS[form]
    row = {key: value for key, value in row.items() if key != "exp"}
    reading = read_benchmark(write(tmp_path / "x.jsonl", [row]), hints=HINTS.get(form, FileHints()))
    assert reading.form == form
    assert reading.why.startswith("recognised by ")
    (question,) = reading.questions
    assert question.gold == gold
    assert list(question.options) == list("ABCDEFGHIJ"[: len(question.options)])
    assert question.source == "x.jsonl:1"
    assert read_benchmark(tmp_path / "x.jsonl", form, hints=HINTS.get(form, FileHints())).why == "named by the caller"


BAD = [(form, changes, reason) for form, (_, _, bad) in ROWS.items() for changes, reason in bad]


@pytest.mark.parametrize(("form", "changes", "reason"), BAD, ids=[f"{form}-{reason[:32]}" for form, _, reason in BAD])
def test_a_malformed_row_is_refused_with_its_number_and_the_reason(
    form: str, changes: dict[str, Any], reason: str, tmp_path: Path
):
    good = ROWS[form][0]
    rows = [*asked_in_turn(good, 2), changed(good, changes), *asked_in_turn(good, 1)]
    reading = read_benchmark(write(tmp_path / "x.jsonl", rows), form, hints=HINTS.get(form, FileHints()))
    (bad,) = reading.rejected
    assert (bad.file, bad.row) == ("x.jsonl", 3)
    assert reason in bad.reason
    assert bad.content
    assert reading.rows_read == len(reading.questions) + len(reading.rejected) == 4


@pytest.mark.parametrize("form", ROWS)
def test_no_value_whatever_makes_the_rest_of_a_file_unreadable(form: str, tmp_path: Path):
    good = ROWS[form][0]
    for column in good:
        rows = [good, *(changed(good, {column: junk}) for junk in JUNK)]
        reading = read_benchmark(write(tmp_path / "x.jsonl", rows), form, hints=HINTS.get(form, FileHints()))
        assert reading.rows_read == len(rows) == len(reading.questions) + len(reading.rejected)
        for question in reading.questions:
            assert question.gold in question.options
            assert question.stem
            json.dumps([question.stem, question.options], ensure_ascii=False).encode()
        for bad in reading.rejected:
            f"{bad.reason} {bad.content}".encode()


def test_medqa_is_read_in_all_the_ways_in_which_it_is_spread(tmp_path: Path):
    pairs = [{"key": letter, "value": text} for letter, text in OPTIONS.items()]
    nested = {"data": {"Question": STEM, "Options": OPTIONS, "Correct Option": "B", "Correct Answer": "Meningitis"}}
    rows = [
        {"question": STEM, "options": OPTIONS, "answer_idx": "B", "meta_info": "step1"},
        {"question": STEM, "options": pairs, "answer_idx": "b"},
        {"question": STEM, "options": json.dumps(OPTIONS), "answer_idx": "(B)"},
        {"question": STEM, "options": str(OPTIONS), "answer_idx": "B."},
        {"question": STEM, "options": {**OPTIONS, "E": ""}, "answer_idx": "B"},
        {"question": STEM, "options": OPTIONS, "answer": "Meningitis"},
        nested,
    ]
    questions, rejected = read_questions(write(tmp_path / "x.jsonl", rows), "medqa")
    assert rejected == []
    assert {(question.question_id, question.gold, len(question.options)) for question in questions} == {
        (questions[0].question_id, "B", 4)
    }
    assert questions[0].extra == {"meta_info": "step1"}
    assert read_benchmark(write(tmp_path / "y.jsonl", [nested])).form == "medqa"


def test_a_csv_and_a_column_oriented_json_hold_the_same_questions(tmp_path: Path):
    row = {key: value for key, value in ROWS["medbullets"][0].items() if key != "ope"} | {"answer_idx": "B"}
    rows = asked_in_turn(row, 3)
    columns = {name: {str(n): one[name] for n, one in enumerate(rows)} for name in row}
    (tmp_path / "b.json").write_text(json.dumps(columns))
    one = read_benchmark(write(tmp_path / "a.csv", rows))
    other = read_benchmark(tmp_path / "b.json")
    assert one.form == other.form == "medbullets"
    assert [q.question_id for q in one.questions] == [q.question_id for q in other.questions]


def test_a_file_that_may_be_two_forms_is_never_guessed(tmp_path: Path):
    row = {"question": STEM, **COLUMNS, "answer_idx": "B"}
    path = write(tmp_path / "x.csv", [row])
    with pytest.raises(QuestionsError, match=r"x\.csv may be any of: medbullets .*; jama .*Say which with form"):
        read_benchmark(path)
    assert read_benchmark(path, "medbullets").form == "medbullets"


def test_a_file_of_no_known_form_says_what_it_has_and_what_there_is(tmp_path: Path):
    path = write(tmp_path / "x.jsonl", [{"case": STEM, "solution": "B"}])
    with pytest.raises(QuestionsError, match=r"columns \(case, solution\) are those of no known form\. Give a mapping"):
        read_benchmark(path)
    with pytest.raises(QuestionsError, match="there is no form 'medqua'; forms are medqa, "):
        read_benchmark(path, "medqua")


def test_a_wrong_form_cannot_be_missed(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """Named wrongly, no row can be used and the reasons are told; guessed and half unusable, there is a warning."""
    path = write(tmp_path / "x.jsonl", [ROWS["mmlu"][0]])
    with pytest.raises(QuestionsError, match=r"read as medqa \(named by the caller\): not one of 1 rows can be used"):
        read_benchmark(path, "medqa")
    good = ROWS["medqa"][0]
    half = write(tmp_path / "y.jsonl", [good, changed(good, {"answer_idx": "Z"})])
    with caplog.at_level("INFO"):
        read_benchmark(half)
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    told = record.getMessage()
    assert "y.jsonl: read as medqa (recognised by columns question, options, answer_idx)" in told
    assert "2 rows, 1 questions, 1 rejected" in told


def test_mmlu_is_read_with_a_line_of_names_and_without(tmp_path: Path):
    bare = tmp_path / "anatomy_test.csv"
    bare.write_text(f'"{STEM}",{",".join(TEXTS)},B\n"Other?",{",".join(TEXTS)},D\n')
    reading = read_benchmark(bare)
    assert [question.gold for question in reading.questions] == ["B", "D"]
    assert reading.questions[0].stem == STEM
    named = write(tmp_path / "named.csv", [{"question": STEM, **OPTIONS, "answer": "B"}])
    assert read_benchmark(named).questions[0].question_id == reading.questions[0].question_id


def test_medmcqa_never_assumes_from_where_its_numbers_count(tmp_path: Path):
    base = {key: value for key, value in ROWS["medmcqa"][0].items() if key != "exp"}
    of_one = [{**row, "cop": cop} for row, cop in zip(asked_in_turn(base, 4), (1, 2, 3, 4), strict=True)]
    of_zero = [{**row, "cop": row["cop"] - 1} for row in of_one]
    for rows in (of_one, of_zero):
        reading = read_benchmark(write(tmp_path / "x.jsonl", rows))
        assert [question.gold for question in reading.questions] == ["A", "B", "C", "D"]
    with pytest.raises(QuestionsError, match="both 0 and 4"):
        read_benchmark(write(tmp_path / "x.jsonl", [*of_one, *of_zero]))
    unclear = write(tmp_path / "x.jsonl", of_one[:3])
    with pytest.raises(QuestionsError, match="say which with gold_base"):
        read_benchmark(unclear)
    assert [q.gold for q in read_benchmark(unclear, hints=FileHints(gold_base=1)).questions] == ["A", "B", "C"]


def test_medmcqa_explanations_contradict_a_wrong_count(tmp_path: Path):
    base = {key: value for key, value in ROWS["medmcqa"][0].items() if key != "exp"}
    rows = [{**row, "cop": 2, "exp": "Ans. (b) it is."} for row in asked_in_turn(base, 30)]
    path = write(tmp_path / "x.jsonl", rows)
    with pytest.raises(QuestionsError, match=r"agrees with 0 of 30 explanations .* counting from 1 with 30"):
        read_benchmark(path, hints=FileHints(gold_base=0))
    assert "agrees with 30 of 30" in " ".join(read_benchmark(path, hints=FileHints(gold_base=1)).notes)


def test_pubmedqa_puts_the_abstract_before_the_question_in_both_of_its_forms(tmp_path: Path):
    authors = tmp_path / "ori_pqal.json"
    record = {"QUESTION": "Does it work?", "CONTEXTS": ABSTRACT["contexts"], "LABELS": ABSTRACT["labels"]}
    authors.write_text(json.dumps({"21645374": {**record, "final_decision": "maybe", "LONG_ANSWER": "Who knows."}}))
    (one,), _ = read_questions(authors)
    (other,), _ = read_questions(write(tmp_path / "x.jsonl", [ROWS["pubmedqa"][0]]))
    assert one.stem == other.stem == "BACKGROUND: We asked.\nRESULTS: We found.\n\nDoes it work?"
    assert one.question_id == other.question_id
    assert one.extra == {"pubid": "21645374", "explanation": "Who knows."}


def test_medxpertqa_takes_options_that_stand_twice_off_the_stem(tmp_path: Path):
    options = dict(zip("ABCDEFGHIJ", TEN, strict=True))
    listed = " ".join(f"({letter}) {text}" for letter, text in options.items())
    row = {"question": f"{STEM}\nAnswer Choices: {listed}", "options": options, "label": "A"}
    (question,), _ = read_questions(write(tmp_path / "x.jsonl", [row]))
    assert question.stem == STEM


def test_mmlu_pro_leaves_out_what_fills_up_to_ten(tmp_path: Path):
    (question,), _ = read_questions(write(tmp_path / "x.jsonl", [ROWS["mmlu_pro"][0]]))
    assert len(question.options) == 9


def test_huatuo_keeps_the_recorded_chain_and_says_what_its_other_file_is(tmp_path: Path):
    (question,), _ = read_questions(write(tmp_path / "x.jsonl", [ROWS["huatuo"][0]]))
    assert question.extra == {"complex_cot": "Hmm.", "response": "It is meningitis."}
    assert question.split == "train"
    with pytest.raises(QuestionsError, match="chains without options"):
        read_questions(write(tmp_path / "y.jsonl", [{"Question": STEM, "Complex_CoT": "Hmm.", "Response": "It is."}]))


def jama_lists(folder: Path, gold: tuple[str, str], test: list[str]) -> FileHints:
    (folder / "links.json").write_text(
        json.dumps([{"id": 1, "link": LINK, "answer_idx": gold[0], "answer": gold[1]},
                    {"id": 2, "link": LINK.replace("2812345", "2"), "answer_idx": "A", "answer": "Lupus"}])
    )  # fmt: skip
    (folder / "test.json").write_text(json.dumps(test))
    return FileHints(links=folder / "links.json", test_urls=folder / "test.json")


def test_jama_is_split_by_its_urls_and_checked_against_its_links(tmp_path: Path):
    row = ROWS["jama"][0]
    other = {**row, "question": "Another?", "link": LINK.replace("2812345", "2"), "answer_idx": "A"}
    hints = jama_lists(tmp_path, ("B", "Meningitis"), [LINK.replace("fullarticle", "article-abstract") + "?x=1"])
    reading = read_benchmark(write(tmp_path / "jama.csv", [row, other]), hints=hints)
    assert [question.split for question in reading.questions] == ["test", "train"]
    hints = jama_lists(tmp_path, ("C", "Gout"), [LINK])
    reading = read_benchmark(tmp_path / "jama.csv", hints=hints)
    (bad,) = reading.rejected
    assert "the gold answer is B 'Meningitis', in the list of links it is C 'Gout'" in bad.reason
    elsewhere = write(tmp_path / "jama.csv", [other, {**row, "link": LINK.replace("2812345", "9")}])
    (bad,) = read_benchmark(elsewhere, hints=hints).rejected
    assert "jama/9 is not in the list of links" in bad.reason


def test_jama_links_without_text_say_how_to_get_the_text(tmp_path: Path):
    path = tmp_path / "jama_links.json"
    path.write_text(json.dumps([{"id": 1, "link": LINK, "answer_idx": "A", "answer": "Lupus"}]))
    with pytest.raises(MissingTextError, match=r"under JAMA's licence.*ChallengeClinicalQA"):
        read_questions(path)


def test_test_urls_that_are_in_no_list_are_refused(tmp_path: Path):
    hints = jama_lists(tmp_path, ("B", "Meningitis"), [LINK.replace("2812345", "77")])
    with pytest.raises(QuestionsError, match="1 of 1 URLs are not in the links"):
        read_benchmark(write(tmp_path / "jama.csv", [ROWS["jama"][0]]), hints=hints)


@pytest.mark.parametrize(
    ("name", "split"),
    [("x_train.jsonl", "train"), ("dev.jsonl", "dev"), ("x.validation.jsonl", "dev"), ("x.jsonl", "test")],
)
def test_a_split_comes_from_the_caller_else_the_name_else_the_form(name: str, split: str, tmp_path: Path):
    path = write(tmp_path / name, [ROWS["medqa"][0]])
    assert read_questions(path)[0][0].split == split
    assert read_questions(path, split="train")[0][0].split == "train"
    with pytest.raises(QuestionsError, match="split is 'exam'"):
        read_questions(path, split="exam")
