"""What was once misread without a word: each is read right, or refused with what to write."""

# ruff: noqa: E501  (tables of cases)
from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from medo1.questions import FileHints, QuestionsError, read_benchmark, shuffled
from medo1.questions.figure_references import flags_of
from tests.questions.rows import OPTIONS, STEM, TEXTS
from tests.questions.test_forms import write

ROW: dict[str, Any] = {"question": STEM, "options": OPTIONS, "answer_idx": "B"}


def rows(count: int = 4, **changes: Any) -> list[dict[str, Any]]:
    return [{**ROW, "question": f"Case {n}. {STEM}", **changes} for n in range(count)]


def golds(path: Path, **hints: Any) -> list[str]:
    return [question.gold for question in read_benchmark(path, hints=FileHints(**hints)).questions]


def lettered(answers: list[Any], **more: Any) -> list[dict[str, Any]]:
    return [{"question": f"Case {n}?", "answer": answer, **OPTIONS, **more} for n, answer in enumerate(answers)]


# -- from where numbers count --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "right"),
    [
        ([1, 2, 3, 4], "ABCD"),  # KMMLU
        ([0, 1, 2, 3], "ABCD"),
        (["4", "1", "1", "2"], "DAAB"),
        ([3, 0, 0, 1], "DAAB"),
        (["A", "d", "(C)", "B."], "ADCB"),
        ([["B"], ["C"]], "BC"),
        (["['B']", '["C"]'], "BC"),
        (["B. Meningitis", "(C) Gout", "D) Influenza"], "BCD"),
        (["Meningitis", "gout"], "BC"),
        (["Meningitis.\nExplanation: it is.", "Gout. Explanation: it is."], "BC"),
    ],
)
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_the_right_option_is_read_as_the_whole_file_says_it(answers: list[Any], right: str, kind: str, tmp_path: Path):
    assert "".join(golds(write(tmp_path / f"x.{kind}", lettered(answers)))) == right


@pytest.mark.parametrize("answers", [[1, 2, 3], [1], ["2", "3"]])
@pytest.mark.parametrize("many", [False, True], ids=["columns", "list"])
def test_numbers_that_may_count_from_0_or_1_are_asked_for(answers: list[Any], many: bool, tmp_path: Path):
    table = [{"question": f"Case {n}?", "choices": TEXTS, "answer": one} for n, one in enumerate(answers)]
    path = write(tmp_path / "x.jsonl", table if many else lettered(answers))
    with pytest.raises(
        QuestionsError, match=r"x\.jsonl: 'answer' holds .* say which with gold_base: 0 or gold_base: 1"
    ):
        read_benchmark(path)
    assert golds(path, gold_base=1) == ["ABCD"[int(one) - 1] for one in answers]
    assert golds(path, gold_base=0) == ["ABCD"[int(one)] for one in answers]


def test_numbers_of_both_kinds_are_refused(tmp_path: Path):
    with pytest.raises(QuestionsError, match=r"holds both 0 and 4: rows that count from 0 and rows that count from 1"):
        read_benchmark(write(tmp_path / "x.jsonl", lettered([0, 4, 1])))


def test_a_letter_or_a_text_beside_a_number_tells_from_where_it_counts(tmp_path: Path):
    for base in (0, 1):
        table = [
            {"question": f"Case {n}?", "choices": TEXTS, "answer_idx": n + base, "answer_text": TEXTS[n]}
            for n in (1, 2)
        ]
        assert golds(write(tmp_path / "x.jsonl", table)) == ["B", "C"]


def test_the_names_of_classes_in_a_parquet_file_tell_what_its_numbers_mean(tmp_path: Path):
    datasets = pytest.importorskip("datasets")
    names = datasets.ClassLabel(names=["A", "B", "C", "D"])
    features = datasets.Features(
        {"question": datasets.Value("string"), "choices": datasets.List(datasets.Value("string")), "answer": names}
    )
    table = datasets.Dataset.from_list([{"question": "Which?", "choices": TEXTS, "answer": 1}], features=features)
    table.to_parquet(tmp_path / "x.parquet")
    assert golds(tmp_path / "x.parquet") == ["B"]


def test_what_may_be_a_letter_or_a_text_is_asked_for(tmp_path: Path):
    groups = ["B", "A", "AB", "O"]  # blood groups
    path = write(tmp_path / "x.jsonl", [{"question": "Which group?", "choices": groups, "answer": "B"}])
    with pytest.raises(QuestionsError, match="option B by its letter and A by its text: say which with gold_is"):
        read_benchmark(path)
    assert golds(path, gold_is="text") == ["A"]
    more = write(
        tmp_path / "y.jsonl", [{"question": f"{one}?", "choices": groups, "answer": one} for one in ("B", "O")]
    )
    assert golds(more) == ["A", "D"]  # O is no letter here: texts are meant
    numbers = write(tmp_path / "z.jsonl", [{"question": "How many?", "choices": ["2", "3", "1", "4"], "answer": 3}])
    with pytest.raises(QuestionsError, match="say which with gold_is"):
        read_benchmark(numbers)


@pytest.mark.parametrize("answer", [["A", "C"], "A, C", "AC", "A and C", "A;C", [0, 2]])
def test_several_right_answers_are_refused_by_name(answer: Any, tmp_path: Path):
    table = [*lettered(["B", "C"]), {"question": "Which ones?", **OPTIONS, "answer": answer}]
    reading = read_benchmark(write(tmp_path / "x.jsonl", table))
    (bad,) = reading.rejected
    assert "names several right answers" in bad.reason


# -- columns that nobody uses --------------------------------------------------------------------------------------

CASE = "A 45-year-old man has had chest pain for two hours."


@pytest.mark.parametrize(
    "name", ["vignette", "context", "passage", "case_text", "history", "exam_findings", "vitals", "Anamnese"]
)
@pytest.mark.parametrize("listed", [False, True], ids=["text", "sentences"])
def test_text_that_no_form_uses_stops_the_reading(name: str, listed: bool, tmp_path: Path):
    table = lettered(["A", "B"])
    for n, row in enumerate(table):
        row[name] = [CASE, f"Troponin is {n}."] if listed else f"{CASE} Troponin is {n}."
    path = write(tmp_path / "x.jsonl", table)
    with pytest.raises(
        QuestionsError, match=rf"x\.jsonl: .*column '{name}' .*`context: \[{name}\]`.*`ignore: \[{name}\]`"
    ):
        read_benchmark(path)
    with_it = read_benchmark(path, hints=FileHints(context=(name,)))
    assert with_it.questions[1].stem == f"{CASE} Troponin is 1.\n\nCase 1?"
    without = read_benchmark(path, hints=FileHints(ignore=(name,)))
    assert without.questions[1].stem == "Case 1?"
    assert f"ignored: {name}" in "; ".join(without.notes)


@pytest.mark.parametrize("values", [{"Na": 135, "K": 4.1}, [["Na", "135"], ["K", "4.1"]]])
def test_a_table_of_values_that_no_form_uses_stops_the_reading(values: Any, tmp_path: Path):
    table = lettered(["A", "B"])
    table[0]["labs"], table[1]["labs"] = values, [["Na", "140"]]
    with pytest.raises(QuestionsError, match="column 'labs'"):
        read_benchmark(write(tmp_path / "x.jsonl", table))


def test_text_that_a_mapping_does_not_name_stops_the_reading_too(tmp_path: Path):
    table = [{"q": f"Which {n}?", "a": "x", "b": "y", "right": "A", "case": [CASE, f"He is {n}."]} for n in range(2)]
    path = write(tmp_path / "x.jsonl", table)
    mapping = {"stem": "q", "options": ["a", "b"], "gold": "right"}
    with pytest.raises(QuestionsError, match="column 'case'"):
        read_benchmark(path, mapping=mapping)
    assert (
        read_benchmark(path, mapping={**mapping, "context": "case"}).questions[1].stem == f"{CASE} He is 1.\n\nWhich 1?"
    )
    assert read_benchmark(path, mapping={**mapping, "ignore": ["case"]}).questions[1].stem == "Which 1?"
    wide = write(tmp_path / "y.jsonl", [{**row, "c": f"z{n} text"} for n, row in enumerate(table)])
    with pytest.raises(QuestionsError, match="column 'c'"):
        read_benchmark(wide, mapping={**mapping, "context": "case"})


def test_what_says_something_of_a_question_is_named_and_stops_nothing(tmp_path: Path):
    table = [
        {**row, "id": f"q-{n}", "subject_name": f"Subject {n}", "Disease Group": f"Group of {n}", "year": 2000 + n,
         "explanation": f"Because of {n}, of course.", "url": f"https://x.org/{n}", "Human Accuracy": 0.5 + n / 10}
        for n, row in enumerate(rows())
    ]  # fmt: skip
    reading = read_benchmark(write(tmp_path / "x.jsonl", table))
    told = "; ".join(reading.notes)
    assert all(name in told for name in ("id", "subject_name", "Disease Group", "year", "explanation", "url"))
    assert reading.rejected == []


def test_a_column_that_says_the_same_for_all_rows_is_only_named(tmp_path: Path):
    assert "not used: wording" in "; ".join(read_benchmark(write(tmp_path / "x.jsonl", rows(wording="plain"))).notes)
    with pytest.raises(QuestionsError, match=r"column 'wording' \(\d+ characters"):
        read_benchmark(write(tmp_path / "x.jsonl", rows(wording="A long passage. " * 20)))


def test_a_fifth_option_is_an_option_in_every_way_in_which_columns_are_named(tmp_path: Path):
    for names in ("ABCDE", ["opa", "opb", "opc", "opd", "ope"], [f"option_{x}" for x in "abcde"],
                  [f"option{n}" for n in range(1, 6)], [f"Option {x}" for x in "ABCDE"], [f"answer_{x}" for x in "abcde"]):  # fmt: skip
        options = dict(zip(names, [*TEXTS, "Measles"], strict=True))
        table = [{"question": f"Case {n}?", **options, "answer": "E"} for n in range(2)]
        (first, _) = read_benchmark(write(tmp_path / "x.csv", table)).questions
        assert (first.gold, first.gold_text, len(first.options)) == ("E", "Measles", 5)


# -- parts, splits, names ------------------------------------------------------------------------------------------


def test_every_list_of_a_file_is_read_under_its_split(tmp_path: Path):
    train, test = rows(2), [{**row, "question": f"Another {n}?"} for n, row in enumerate(rows(3))]
    (tmp_path / "exam.json").write_text(json.dumps({"train": train, "test": test}))
    reading = read_benchmark(tmp_path / "exam.json")
    assert [question.split for question in reading.questions] == ["train"] * 2 + ["test"] * 3
    assert {question.benchmark for question in reading.questions} == {"exam"}
    assert reading.questions[2].source == "exam.json/test:1"
    assert len(read_benchmark(tmp_path / "exam.json", hints=FileHints(part="test")).questions) == 3
    with pytest.raises(QuestionsError, match="there is no part 'dev'; it has train, test"):
        read_benchmark(tmp_path / "exam.json", hints=FileHints(part="dev"))


def test_every_list_of_a_file_is_a_benchmark_of_its_own(tmp_path: Path):
    named = {"MedQA_USLME_test": rows(2), "MedMCQA_validation": [{**row, "question": "B?"} for row in rows(1)]}
    (tmp_path / "eval_data.json").write_text(json.dumps(named))
    reading = read_benchmark(tmp_path / "eval_data.json")
    assert [(q.benchmark, q.split) for q in reading.questions] == [
        ("MedQA_USLME", "test"), ("MedQA_USLME", "test"), ("MedMCQA", "dev")
    ]  # fmt: skip
    keyed = {
        "medqa": {"0000": {**ROW, "answer": "B"}},
        "mmlu": {"anatomy-001": {**ROW, "question": "Other?", "answer": "B"}},
    }
    (tmp_path / "benchmark.json").write_text(json.dumps(keyed))
    assert {q.benchmark for q in read_benchmark(tmp_path / "benchmark.json").questions} == {"medqa", "mmlu"}


def test_a_rows_own_split_and_benchmark_count(tmp_path: Path):
    table = [{**row, "split": split, "dataset": name} for row, split, name in
             zip(rows(3), ("train", "validation", "test"), ("medqa", "medqa", "mmlu"), strict=True)]  # fmt: skip
    reading = read_benchmark(write(tmp_path / "x_test.jsonl", table))
    assert [question.split for question in reading.questions] == ["train", "dev", "test"]
    assert [question.benchmark for question in reading.questions] == ["medqa", "medqa", "mmlu"]
    assert reading.split_why == "from the column split"
    assert {q.split for q in read_benchmark(tmp_path / "x_test.jsonl", split="dev").questions} == {"dev"}


def test_a_benchmark_is_called_after_its_file_never_after_its_form(tmp_path: Path):
    folder = tmp_path / "nephrology"
    folder.mkdir()
    for name, called in [("medbullets_op4.jsonl", "medbullets_op4"), ("anatomy_test.jsonl", "anatomy"),
                         ("test-00000-of-00001.jsonl", "nephrology"), ("train.jsonl", "nephrology")]:  # fmt: skip
        assert read_benchmark(write(folder / name, rows())).benchmark == called


@pytest.mark.parametrize(
    "ids",
    [
        ("ids.json", '["q1", "q2"]'), ("ids.json", '{"q1": "yes", "q2": "no"}'), ("ids.txt", "q1\nq2\n"),
        ("ids.csv", "id\nq1\nq2\n"),
    ],
)  # fmt: skip
def test_a_split_may_be_a_list_of_ids(ids: tuple[str, str], tmp_path: Path):
    (tmp_path / ids[0]).write_text(ids[1])
    path = write(tmp_path / "x.jsonl", [{**row, "id": f"q{n}"} for n, row in enumerate(rows(4))])
    lists = {"test": tmp_path / ids[0]}
    reading = read_benchmark(path, hints=FileHints(split_ids=lists, rest="train"))
    assert [question.split for question in reading.questions] == ["train", "test", "test", "train"]
    left = read_benchmark(path, hints=FileHints(split_ids=lists))
    assert [bad.reason for bad in left.rejected] == [
        "the id 'q0' is in no list of split_ids",
        "the id 'q3' is in no list of split_ids",
    ]
    (tmp_path / ids[0]).write_text('["q1", "q77"]')
    with pytest.raises(QuestionsError, match="1 of 2 ids are not in the file: q77"):
        read_benchmark(path, hints=FileHints(split_ids=lists))


def test_pubmedqas_official_test_is_its_list_of_500(tmp_path: Path):
    record = {"QUESTION": "Does it work?", "CONTEXTS": ["We asked."], "LABELS": ["BACKGROUND"], "final_decision": "yes"}
    (tmp_path / "ori_pqal.json").write_text(
        json.dumps({str(n): {**record, "QUESTION": f"Does {n} work?"} for n in range(1000)})
    )
    (tmp_path / "test_ground_truth.json").write_text(json.dumps({str(n): "yes" for n in range(0, 1000, 2)}))
    hints = FileHints(split_ids={"test": tmp_path / "test_ground_truth.json"}, rest="train")
    splits = [question.split for question in read_benchmark(tmp_path / "ori_pqal.json", hints=hints).questions]
    assert (splits.count("test"), splits.count("train")) == (500, 500)


# -- labels of options ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        [f"{letter}. {text}" for letter, text in OPTIONS.items()],
        [f"({letter}) {text}" for letter, text in OPTIONS.items()],
        {letter: f"{letter}) {text}" for letter, text in OPTIONS.items()},
        {letter.lower(): text for letter, text in OPTIONS.items()},
        {str(n): text for n, text in enumerate(TEXTS, 1)},
        {f"option{n}": text for n, text in enumerate(TEXTS, 1)},
        {"text": TEXTS, "label": list("ABCD")},
        [{"letter": letter, "content": text} for letter, text in OPTIONS.items()],
        [{"key": letter, "value": text} for letter, text in OPTIONS.items()],
        [{"aid": n, "atext": text} for n, text in enumerate(TEXTS, 1)],
        [{letter: text} for letter, text in OPTIONS.items()],
        "\n".join(f"{letter}. {text}" for letter, text in OPTIONS.items()),
        "\n".join(f"{letter} {text}" for letter, text in OPTIONS.items()),  # CMExam
        "Answer Choices:\n" + "\n".join(f"{letter}. {text}" for letter, text in OPTIONS.items()),  # MedReason
        " ".join(f"({letter}) {text}" for letter, text in OPTIONS.items()),
        str(OPTIONS), json.dumps(OPTIONS), json.dumps(TEXTS),
        list(reversed([f"{letter}. {text}" for letter, text in OPTIONS.items()])),
    ],
)  # fmt: skip
def test_an_options_own_label_is_read_and_never_asked_twice(options: Any, tmp_path: Path):
    table = [{"question": f"Case {n}?", "options": options, "answer": "Meningitis"} for n in range(2)]
    (first, _) = read_benchmark(write(tmp_path / "x.jsonl", table)).questions
    assert first.options == OPTIONS
    assert first.gold == "B"


@pytest.mark.parametrize("label", ["2", "option2", "b"])
def test_a_right_answer_may_name_an_options_own_label(label: str, tmp_path: Path):
    keys = {"2": "1 2 3 4", "option2": "option1 option2 option3 option4", "b": "a b c d"}[label].split()
    table = [
        {"question": f"Case {n}?", "options": dict(zip(keys, TEXTS, strict=True)), "answer": label} for n in range(2)
    ]
    assert golds(write(tmp_path / "x.jsonl", table)) == ["B", "B"]


def test_texts_that_only_begin_like_labels_are_kept_whole(tmp_path: Path):
    for texts in (["1.5 mg", "2.5 mg", "3.5 mg", "4.5 mg"], ["E. coli", "S. aureus", "H. pylori", "K. oxytoca"],
                  ["Vitamin A", "Vitamin B", "C-peptide", "D-dimer"], ["1:10", "2:10", "3:10", "4:10"]):  # fmt: skip
        (question,) = read_benchmark(write(tmp_path / "x.jsonl", [{**ROW, "options": texts}])).questions
        assert list(question.options.values()) == texts


def test_options_keyed_in_one_order_and_lettered_in_another_are_refused(tmp_path: Path):
    swapped = {"A": "B. Lupus", "B": "A. Gout", "C": "C. Flu"}
    reading = read_benchmark(write(tmp_path / "x.jsonl", [*rows(2), {**ROW, "options": swapped}]))
    assert "keyed in one order and lettered in another" in reading.rejected[0].reason


def test_options_at_the_end_of_the_question_are_read_where_no_column_holds_them(tmp_path: Path):
    listed = "\n".join(f"{letter}. {text}" for letter, text in OPTIONS.items())
    table = [{"prompt": f"Case {n}. {STEM}\n{listed}", "answer_letter": "B", "answer_idx": 1, "answer_string": "Meningitis"}
             for n in range(2)]  # m23k  # fmt: skip
    (first, _) = read_benchmark(write(tmp_path / "x.jsonl", table)).questions
    assert (first.stem, first.options, first.gold) == (f"Case 0. {STEM}", OPTIONS, "B")


PLACED = [
    "A only", "B alone", "All except B", "both of the above", "None of these", "A and C", "All of the listed options",
    "Options A and D", "Only A", "Neither A nor B", "C is correct", "All but D", "The last two", "Both (A) and (B)",
    "None of the other options", "以上都是", "None", "All are correct", "Both A and B are correct", "A & B", "Either B or C",
    "Any of these", "The first two options", "All of the above except C", "toutes les réponses",
]  # fmt: skip


@pytest.mark.parametrize("text", PLACED)
def test_options_that_rest_on_their_place_are_never_moved(text: str, tmp_path: Path):
    table = rows(8, options={**OPTIONS, "D": text})
    questions = read_benchmark(write(tmp_path / "x.jsonl", table)).questions
    assert not any(shuffled(question, seed).is_shuffled for seed, question in enumerate(questions))


@pytest.mark.parametrize("text", ["Vitamin B supplementation", "A loop diuretic", "Above-knee amputation", "All-trans retinoic acid",
                                  "Bothersome cough", "I see no need", "Nonecrotizing lesion", "An A-a gradient"])  # fmt: skip
def test_options_that_do_not_are_moved(text: str, tmp_path: Path):
    table = rows(12, options={**OPTIONS, "D": text})
    questions = read_benchmark(write(tmp_path / "x.jsonl", table)).questions
    moved = any(shuffled(question, seed).is_shuffled for seed, question in enumerate(questions))
    assert moved or text == "Above-knee amputation"  # `above` alone is enough to leave an option where it is


# -- case that carries meaning -------------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", [("Bb Bb", "BB BB"), ("D", "d"), ("Km", "KM"), ("pH", "PH"), ("aa", "Aa")])
def test_options_that_differ_in_symbols_are_two(pair: tuple[str, str], tmp_path: Path):
    options = {"A": pair[0], "B": pair[1], "C": "neither of it"}
    table = [{"question": "Which?", "options": options, "answer_idx": letter} for letter in "AB"]
    reading = read_benchmark(write(tmp_path / "x.jsonl", table))
    assert [question.gold for question in reading.questions] == ["A", "B"]
    by_text = [{"question": "Which?", "options": options, "answer": pair[1]}]
    assert golds(write(tmp_path / "y.jsonl", by_text), gold_is="text") == ["B"]


def test_questions_that_differ_in_symbols_are_two(tmp_path: Path):
    table = [{**ROW, "question": f"A plant of genotype {one} is crossed. What follows?"} for one in ("Bb", "BB", "bb")]
    ids = {question.question_id for question in read_benchmark(write(tmp_path / "x.jsonl", table)).questions}
    assert len(ids) == 3 or len(ids) == 2  # BB and bb differ in nothing but case that nothing else tells
    assert len(ids) >= 2


# -- figures and cases that are not there --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stem",
    [
        "A man has a rash (see figure). What is it?", "An ECG is shown. What is it?", "What does Figure 2 show?",
        "A radiograph is shown below. Which is it?", "His chest x-ray is shown in the image. Which?", "<img src=x> Which?",
        "The structure marked by the red arrow is which?", "Which structure is labelled X in the diagram below?",
        "![scan](a.png) Which?", "Based on the graph shown in figure A, which drug is it?", "The patient's right eye is shown in Figure A.",
    ],
)  # fmt: skip
def test_a_question_about_a_figure_is_flagged(stem: str):
    assert "figure" in flags_of(stem)


@pytest.mark.parametrize(
    "stem",
    [
        "The drug has been shown to reduce mortality. Which is it?", "Laboratory studies are shown below:\nHb: 12 g/dL\nNa: 140",
        "Her father was a figure of authority. Which disorder?", "The image of God is a phrase. Which?",
        "Which of the following ECG findings is most likely?", "CT imaging shows a mass. Which is next?",
    ],
)  # fmt: skip
def test_a_question_that_tells_all_is_not(stem: str):
    assert "figure" not in flags_of(stem)


@pytest.mark.parametrize(
    ("stem", "missing"),
    [
        ("Which of the following is the best course of treatment in this patient?", True),
        ("What is the diagnosis of the patient described above?", True),
        ("Which is the most likely cause of her symptoms?", True),
        ("A 30-year-old woman has a rash. What is the best treatment of this patient?", False),
        ("Which drug treats gout?", False),
        ("A man with gout is given a drug. Which of these explains his symptoms?", False),
    ],
)
def test_a_question_whose_case_is_missing_is_flagged(stem: str, missing: bool):
    assert ("missing_case" in flags_of(stem)) is missing


def test_a_file_of_images_is_counted_in_the_notes(tmp_path: Path):
    reading = read_benchmark(write(tmp_path / "x.jsonl", [*rows(2), *rows(1, question="Other?", image="a.png")]))
    assert [question.flags for question in reading.questions] == [(), (), ("figure",)]
    assert "1 speak of a figure that is not in the text" in reading.notes


# -- files as people have them -------------------------------------------------------------------------------------


def csv_text(table: list[dict[str, Any]], **options: Any) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(table[0]), **options)
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


def test_a_file_is_read_however_it_is_written_and_packed(tmp_path: Path):
    openpyxl = pytest.importorskip("openpyxl")
    table = [{"question": f"Case {n}; {STEM}", **OPTIONS, "answer": "B"} for n in range(3)]
    plain, lines = csv_text(table), "\n".join(map(json.dumps, table))
    (tmp_path / "a.csv").write_text(csv_text(table, delimiter=";"))
    (tmp_path / "b.csv").write_text("sep=;\n" + csv_text(table, delimiter=";"))
    (tmp_path / "c.csv").write_text(csv_text([{"": n, **row} for n, row in enumerate(table)]))
    (tmp_path / "d.csv").write_text(csv_text([{"Unnamed: 0": n, **row} for n, row in enumerate(table)]))
    (tmp_path / "e.csv").write_text(plain.replace("question,A", "Question,A").replace("answer", "Answer"))
    (tmp_path / "f.csv").write_text(plain.replace("question,A,B,C,D,answer", "QUESTION,a,b,c,d,ANSWER"))
    (tmp_path / "g.csv").write_text(csv_text(table, delimiter="|"))
    (tmp_path / "h.csv").write_bytes(plain.encode("utf-16"))
    (tmp_path / "i.jsonl").write_text(json.dumps(table))
    (tmp_path / "j.jsonl").write_text("\n".join(json.dumps(row, indent=1) for row in table))
    (tmp_path / "k.csv.gz").write_bytes(gzip.compress(plain.encode()))
    (tmp_path / "l.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("README.txt", "read me")
        archive.writestr("__MACOSX/._x.csv", "junk")
        archive.writestr("exam/x.csv", plain)
    book = openpyxl.Workbook()
    book.active.append(list(table[0]))
    for row in table:
        book.active.append(list(row.values()))
    book.save(tmp_path / "n.xlsx")
    (tmp_path / "o.json").write_text(
        json.dumps({"columns": list(table[0]), "data": [list(row.values()) for row in table]})
    )
    (tmp_path / "p.json").write_text(json.dumps({"version": "1", "data": table}))
    (tmp_path / "q.tsv").write_text(csv_text(table, delimiter="\t"))
    (tmp_path / "r.csv").write_text(plain.replace("\n", "\r\n").replace("answer", "answer,").replace(",B\r", ",B,\r"))
    expected = read_benchmark(write(tmp_path / "z.jsonl", table)).questions
    for path in sorted(tmp_path.glob("[a-r].*")):
        reading = read_benchmark(path)
        assert [(q.question_id, q.gold, q.options) for q in reading.questions] == [
            (q.question_id, q.gold, q.options) for q in expected
        ], path.name  # fmt: skip
        assert reading.rejected == [], path.name


def test_several_files_in_one_are_parts_with_splits_of_their_own(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "exam.zip", "w") as archive:
        archive.writestr("train.csv", csv_text(lettered(["A", "B"])))
        archive.writestr("test.jsonl", json.dumps({**ROW, "question": "Other?"}))
    reading = read_benchmark(tmp_path / "exam.zip")
    assert [(q.split, q.benchmark) for q in reading.questions] == [
        ("train", "exam"),
        ("train", "exam"),
        ("test", "exam"),
    ]
    assert reading.questions[2].source == "exam.zip/test.jsonl:1"


@pytest.mark.parametrize(
    "line",
    ['"An open quote,Lupus,Gout,B', '"A "stray" quote",Lupus,Gout,B', 'A,"B"x,C,B'],
    ids=["open", "stray", "after"],
)
def test_a_bad_quote_costs_its_own_line_and_names_it(line: str, tmp_path: Path):
    text = f'question,A,B,answer\nWhich 0?,Lupus,Gout,B\n{line}\n"Which, 1?",Lupus,Gout,A\n"Two\nlines?",Lupus,"Go""ut",B\n'
    (tmp_path / "x.csv").write_text(text)
    reading = read_benchmark(tmp_path / "x.csv")
    assert [question.stem for question in reading.questions] == ["Which 0?", "Which, 1?", "Two\nlines?"]
    (bad,) = reading.rejected
    assert "line 3" in bad.reason
    assert reading.rows_read == 4


def test_gold_as_letter_and_text_beside_an_option_is_read(tmp_path: Path):
    table = [
        {"idx": n, "question": f"Case {n}?\n\n", "options": OPTIONS, "answer": "C. Gout\n", "answer_idx": "C"}
        for n in range(2)
    ]
    assert golds(write(tmp_path / "HLE_biomed.jsonl", table)) == ["C", "C"]
    wrong = write(tmp_path / "x.jsonl", [*table, {**table[0], "question": "Other?", "answer": "C. Lupus"}])
    (bad,) = read_benchmark(wrong).rejected
    assert "the answer is 'C. Lupus', but option C is 'Gout'" in bad.reason


def test_a_files_own_column_names_stand_in_what_is_told(tmp_path: Path):
    table = [
        {"Question": q, "Options": OPTIONS, "Correct Option": gold} for q, gold in (("Which?", "B"), ("What?", "Z"))
    ]
    (bad,) = read_benchmark(write(tmp_path / "x.jsonl", table)).rejected
    assert bad.reason == "'Correct Option' is 'Z', expected one of A, B, C, D"
