"""Forms in which benchmarks are spread, in small: each is read as it stands, without a word from the caller."""

# ruff: noqa: E501, RUF001  (tables of rows)
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from medo1.questions import read_benchmark

Q = ["A man has gout. Which drug?", "A girl has fever. Which next?", "A boy coughs. Which test?"]
ABC = {"A": "aa", "B": "bb", "C": "cc"}


def lines(*rows: dict[str, Any]) -> str:
    return "\n".join(map(json.dumps, rows)) + "\n"


def each(golds: list[Any], **row: Any) -> list[dict[str, Any]]:
    return [{"question": question, **row, "answer": gold} for question, gold in zip(Q, golds, strict=False)]


# name -> (file, content, golds, options of the first)
SPREAD: dict[str, tuple[str, Any, str, list[str]]] = {
    "C-Eval": ("x.csv", "id,question,A,B,C,D,answer,explanation\n0,这个是什么,甲,乙,丙,丁,C,因为如此\n", "C", ["甲", "乙", "丙", "丁"]),
    "CMMLU": ("x.csv", ",Question,A,B,C,D,Answer\n0,这个是什么,甲,乙,丙,丁,C\n1,那个,甲,乙,丙,丁,A\n", "CA", ["甲", "乙", "丙", "丁"]),
    "KMMLU": ("x.csv", "question,answer,A,B,C,D,Category,Human Accuracy\nQ1?,4,a,b,c,d,Health,0.5\nQ2?,1,a,b,c,d,Health,0.4\n", "DA", ["a", "b", "c", "d"]),
    "KorMedMCQA": ("x.jsonl", lines(*({"subject": "doctor", "year": 2012, "q_number": n, "question": q, "A": "a", "B": "b", "C": "c", "D": "d", "E": "e", "answer": a, "cot": "long"} for n, (q, a) in enumerate(zip(Q, (5, 1, 2), strict=True)))), "EAB", ["a", "b", "c", "d", "e"]),
    "CMExam": ("x.csv", 'Question,Options,Answer,Explanation,Disease Group\n"患者男性，45岁","A 慢性胃炎\nB 胃溃疡\nC 胃癌",B,解释,消化\n"女性发热","A 甲\nB 乙\nC 丙",A,解释,呼吸\n', "BA", ["慢性胃炎", "胃溃疡", "胃癌"]),
    "HEAD-QA": ("x.json", {"version": "1.0", "language": "en", "exams": {"Cuaderno_2013": {"name": "Cuaderno_2013", "year": "2013", "data": [{"qid": "1", "qtext": Q[0], "ra": "3", "image": "", "answers": [{"aid": 1, "atext": "aa"}, {"aid": 2, "atext": "bb"}, {"aid": 3, "atext": "cc"}]}]}}}, "C", ["aa", "bb", "cc"]),
    "AfriMed-QA": ("x.csv", 'sample_id,question,answer_options,correct_answer,country,answer_rationale\n1,Which?,"{""option1"": ""aa"", ""option2"": ""bb""}",option2,KEN,because of it\n2,What?,"{""option1"": ""aa"", ""option2"": ""bb""}",option1,KEN,because\n', "BA", ["aa", "bb"]),
    "IgakuQA": ("x.jsonl", lines(*({"problem_id": f"116A{n}", "problem_text": q, "choices": ["aa", "bb", "cc"], "text_only": True, "answer": [a], "points": "1"} for n, (q, a) in enumerate(zip(Q, "abc", strict=True)))), "ABC", ["aa", "bb", "cc"]),
    "FrenchMedMCQA": ("x.json", [{"id": "a", "question": Q[0], "answers": {"a": "x1", "b": "x2", "c": "x3"}, "correct_answers": ["b"], "subject_name": "p", "nbr_correct_answers": 1}], "B", ["x1", "x2", "x3"]),
    "MedConceptsQA": ("x.jsonl", lines({"question_id": 1, "answer": "A", "answer_id": "A", "option1": "xx", "option2": "yy", "question": "What is it?\nA. xx\nB. yy", "vocab": "icd", "level": "easy"}), "A", ["xx", "yy"]),
    "ARC": ("x.jsonl", lines({"id": "M1", "question": Q[0], "choices": {"text": ["aa", "bb"], "label": ["1", "2"]}, "answerKey": "2"}), "B", ["aa", "bb"]),
    "OpenBookQA": ("x.jsonl", lines({"id": "7", "question": {"stem": Q[0], "choices": [{"text": "aa", "label": "A"}, {"text": "bb", "label": "B"}]}, "answerKey": "B"}), "B", ["aa", "bb"]),
    "ARC as a table": ("x.csv", "id,question,choices,answerKey\nM1,Which?,\"{'text': array(['aa', 'bb'], dtype=object), 'label': array(['A', 'B'], dtype=object)}\",B\n", "B", ["aa", "bb"]),
    "an array as numpy prints it": ("x.csv", "question,options,answer\nWhich?,\"['aa' 'bb'\n 'cc']\",bb\n", "B", ["aa", "bb", "cc"]),
    "TruthfulQA": ("x.jsonl", lines({"question": Q[0], "mc1_targets": {"choices": ["a", "b", "c"], "labels": [0, 1, 0]}}), "B", ["a", "b", "c"]),
    "options marked as right": ("x.jsonl", lines({"question": Q[0], "options": [{"text": "x", "is_correct": False}, {"text": "y", "is_correct": True}]}), "B", ["x", "y"]),
    "GPQA": ("x.csv", "Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Explanation\nWhich?,z,a,b,because\n", "C", ["a", "b", "z"]),
    "openlifescienceai": ("x.jsonl", lines({"data": {"Question": Q[0], "Options": ABC, "Correct Option": "B", "Correct Answer": "bb"}, "subject_name": None, "id": "u1"}), "B", list(ABC.values())),
    "MIRAGE": ("x.json", {"medqa": {"0000": {"question": Q[0], "options": ABC, "answer": "A"}}, "mmlu": {"a-1": {"question": Q[1], "options": ABC, "answer": "C"}}}, "AC", list(ABC.values())),
    "m23k": ("x.jsonl", lines({"prompt": f"{Q[0]}\nA. aa\nB. bb", "answer_letter": "B", "answer_idx": 1, "answer_string": "bb", "source": "x", "metadata": "{}", "reasoning": "hm"}), "B", ["aa", "bb"]),
    "MedReason": ("x.jsonl", lines({"id_in_dataset": 7, "dataset_name": "medqa", "question": Q[0], "options": "Answer Choices:\nA. aa\nB. bb", "answer": "bb. Explanation: it is so.", "reasoning": "hm"}), "B", ["aa", "bb"]),
    "two splits, of which one tells the base": ("x.json", {"train": each([0], choices=["aa", "bb"]), "test": [{"question": Q[1], "choices": ["aa", "bb"], "answer": 1}]}, "AB", ["aa", "bb"]),
    "roman labels": ("x.jsonl", lines(*each(["ii"], options={"i": "x", "ii": "y", "iii": "z"})), "B", ["x", "y", "z"]),
    "circled numbers": ("x.jsonl", lines(*each(["②"], options=["① x", "② y", "③ z"])), "B", ["x", "y", "z"]),
    "an option called None": ("x.jsonl", lines(*each(["None"], options={"A": "x", "B": "None"})), "B", ["x", "None"]),
    "yes and no": ("x.jsonl", lines(*each(["no", "yes"], options={"A": "yes", "B": "no"})), "BA", ["yes", "no"]),
    "six options": ("x.csv", "question,answer,A,B,C,D,E,F\nQ1?,F,a,b,c,d,e,f\nQ2?,A,a,b,c,d,e,f\n", "FA", list("abcdef")),
    "a semicolon table": ("x.csv", "Question;Option A;Option B;Option C;Correct\nWhich, then?;x;y;z;B\nWhat?;x;y;z;C\n", "BC", ["x", "y", "z"]),
}  # fmt: skip


@pytest.mark.parametrize("name", SPREAD)
def test_a_form_that_is_spread_is_read_as_it_stands(name: str, tmp_path: Path) -> None:
    file, content, golds, options = SPREAD[name]
    (tmp_path / file).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    reading = read_benchmark(tmp_path / file)
    assert "".join(question.gold for question in reading.questions) == golds
    assert list(reading.questions[0].options.values()) == options
    assert reading.rejected == []
