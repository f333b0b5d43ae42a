"""Chains that exist already: what becomes of each row of a file of one's own."""

# ruff: noqa: E501  (tables of rows)
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from medo1.chains.chain_files import RowChain
from medo1.chains.importing import ChainColumns, chain_text, imported_chains
from medo1.errors import MissingFileError
from medo1.questions import Question, QuestionsError, question_id, read_questions

OPTIONS = {"A": "Vitamin D", "B": "Vitamin D deficiency", "C": "Lupus (SLE)", "D": "Gout"}
FIELDS = ChainColumns(form="huatuo", reasoning="Complex_CoT", answer="Response")


def row(n: int, **values: Any) -> dict[str, Any]:
    return {
        "question": f"Case {n}?", "options": OPTIONS, "answer_idx": "D", "answer": "Gout",
        "Complex_CoT": "Hmm, urate.", "Response": "It is gout.", **values,
    }  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [
        row(0),
        row(1, Response="It is lupus (SLE), as the final answer: C"),
        row(2, Complex_CoT=" "),
        row(0, Response="D"),
    ]
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(rows))
    return path


def asked(file: Path) -> list[Question]:
    return list({question.question_id: question for question in read_questions(file, "huatuo")[0]}.values())


def ids(file: Path) -> list[str]:
    return [question.question_id for question in asked(file)]


def test_a_chain_is_reasoning_answer_and_the_line_that_states_it(file: Path) -> None:
    chains, _ = imported_chains(file, FIELDS, asked(file), "longmonolog")
    texts = {chain["question_id"]: chain["text"] for chain in chains}
    assert texts[ids(file)[0]] == "Hmm, urate.\n\nIt is gout.\n\nFinal answer: D"
    assert texts[ids(file)[1]].count("inal answer") == 1  # its own
    assert {chain["teacher"] for chain in chains} == {"imported:mine.json"}


def test_every_row_and_every_wanted_question_is_accounted_for(file: Path) -> None:
    other = replace(asked(file)[0], question_id="0" * 16, stem="Another case altogether, of which nobody wrote?")
    chains, rejected = imported_chains(file, FIELDS, [*asked(file), other], "longmonolog")
    assert len(chains) == 2
    reasons = sorted(bad["reason"] for bad in rejected)
    assert "mine.json has no chain for this question" in reasons
    assert any("Complex_CoT is missing or empty" in reason for reason in reasons)
    assert any("a second chain for the same question" in reason for reason in reasons)


def test_a_chain_of_an_unknown_question_is_rejected_with_its_row(file: Path) -> None:
    chains, rejected = imported_chains(file, FIELDS, asked(file)[:1], "longmonolog")
    assert len(chains) == 1
    assert "mine.json:2: its question is none of the training questions" in [bad["reason"] for bad in rejected]


def test_a_file_or_a_field_that_is_not_there_is_named(file: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"nowhere\.json"):
        imported_chains(tmp_path / "nowhere.json", FIELDS, [], "cot")
    with pytest.raises(QuestionsError, match="reasoning names the field 'thoughts'; the file has question, options"):
        imported_chains(file, ChainColumns(reasoning="thoughts", answer="Response"), [], "cot")


STEM = "A 58-year-old man wakes at night with a red, hot and swollen first toe after a feast. What is the diagnosis?"
QUESTION = Question(
    question_id(STEM, OPTIONS), "mine", "train", STEM, OPTIONS, "D", extra={"link": "https://x.org/case/7"}
)
LISTED = STEM + "\n" + "\n".join(f"{letter}. {text}" for letter, text in OPTIONS.items())
THOUGHT, REPLY = "Hmm, urate. Wait, is it pseudogout? No, the toe speaks for gout.", "The answer is D."
TEXT = f"{THOUGHT}\n\n{REPLY}\n\nFinal answer: D"
JAMA = "https://jamanetwork.com/journals/jama/fullarticle/2812345"

# rows as others publish them: name -> row
PUBLISHED: dict[str, dict[str, Any]] = {
    "medical-o1-reasoning-SFT": {"Question": STEM, "Complex_CoT": THOUGHT, "Response": REPLY},
    "m23k": {"prompt": LISTED, "reasoning": THOUGHT, "distilled_answer_string": REPLY, "answer_letter": "D", "answer_idx": 3,
             "answer_string": "Gout", "source": "x", "metadata": "{}"},
    "MedReason": {"dataset_name": "medqa", "id_in_dataset": 7, "question": STEM, "answer": f"{REPLY}", "reasoning": THOUGHT,
                  "options": "Answer Choices:\n" + "\n".join(f"{a}. {text}" for a, text in OPTIONS.items())},
    "s1K": {"question": STEM, "solution": "D", "thinking_trajectories": [THOUGHT], "attempt": REPLY, "cot_type": "math"},
    "s1K-1.1": {"question": STEM, "deepseek_thinking_trajectory": THOUGHT, "deepseek_attempt": REPLY, "solution": "D"},
    "OpenThoughts": {"system": "Think.", "conversations": [
        {"from": "user", "value": LISTED},
        {"from": "assistant", "value": f"<|begin_of_thought|>\n\n{THOUGHT}\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\n{REPLY}\n\n<|end_of_solution|>"}]},
    "R1 distillation": {"messages": [{"role": "system", "content": "Think."}, {"role": "user", "content": f"Answer this: {LISTED}"},
                                     {"role": "assistant", "content": f"<think>\n{THOUGHT}\n</think>\n\n{REPLY}"}]},
    "R1 in one field": {"question": STEM, "response": f"<think>{THOUGHT}</think>{REPLY}"},
    "HuatuoGPT-o1 output": {"question": STEM, "output": f"## Thinking\n\n{THOUGHT}\n\n## Final Response\n\n{REPLY}"},
    "the paper's own set": {"question": STEM, "longCOT": THOUGHT, "answer": REPLY},
    "by its link": {"question": "https://x.org/case/7/", "longCOT": THOUGHT, "answer": REPLY},
    "by its id": {"id": QUESTION.question_id, "reasoning": THOUGHT, "response": REPLY},
    "a question nearly in these words": {"question": STEM.replace("What is", "Which of these is"), "cot": THOUGHT, "response": REPLY},
    "a list field": {"question": STEM, "reasoning": [*THOUGHT.split(" Wait")[:1]], "response": REPLY},
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_chains_are_joined_to_their_questions_in_the_forms_of_others(name: str, kind: str, tmp_path: Path) -> None:
    import pandas as pd

    path = tmp_path / f"chains.{kind}"
    if kind == "parquet":
        pd.DataFrame([PUBLISHED[name]]).to_parquet(path)
    else:
        path.write_text(json.dumps(PUBLISHED[name] if kind == "jsonl" else [PUBLISHED[name]]))
    (chain,), rejected = imported_chains(path, ChainColumns(), [QUESTION], "longmonolog")
    assert chain["text"] == (TEXT if name != "a list field" else f"Hmm, urate.\n\n{REPLY}\n\nFinal answer: D")
    assert (chain["question_id"], rejected) == (QUESTION.question_id, [])


def test_jamas_rows_hold_a_link_in_place_of_a_question(tmp_path: Path) -> None:
    case = replace(QUESTION, extra={"link": JAMA.replace("fullarticle", "article-abstract") + "?x=1"})
    path = tmp_path / "chains.jsonl"
    path.write_text(json.dumps({"question": JAMA, "longCOT": THOUGHT, "answer": REPLY}))
    (chain,), _ = imported_chains(path, ChainColumns(), [case], "longmonolog")
    assert chain["question_id"] == case.question_id


SHUFFLED = STEM + "\nA. Gout\nB. Vitamin D\nC. Vitamin D deficiency\nD. Lupus (SLE)"
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown question": ({"question": "Which bone is the longest?", "cot": THOUGHT, "response": REPLY}, "none of the training questions"),
    "a thought that never ends": ({"question": STEM, "response": f"<think>{THOUGHT}"}, "its thinking never ends"),
    "a thought of another type": ({"question": STEM, "reasoning": {"a": 1}, "response": REPLY}, "field reasoning is dict, expected a text"),
    "a list of another type": ({"question": STEM, "reasoning": [{"a": 1}], "response": REPLY}, "field reasoning is a list of dict"),
    "a number": ({"question": STEM, "response": True}, "field response is bool"),
    "no answer": ({"question": STEM, "reasoning": THOUGHT}, "there is no answer"),
    "another format": ({"question": STEM, "cot": THOUGHT, "response": REPLY, "format": "longstep"}, "its format is longstep, not longmonolog"),
    "another shape": ({"question": STEM, "cot": "- one\n- two\n- three\n- four", "response": REPLY}, "it is no longmonolog chain"),
    "options in another order": ({"prompt": SHUFFLED, "reasoning": THOUGHT, "response": "A"}, "in another order than the question's"),
    "a sibling with other numbers": ({"question": STEM.replace("58", "59"), "cot": THOUGHT, "response": REPLY}, "none of the training questions"),
    "other options": ({"question": STEM, "options": ["Gout", "Flu"], "reasoning": THOUGHT, "response": "A"}, "its options are others"),
    "no question": ({"reasoning": THOUGHT, "response": REPLY}, "the row names no question"),
    "many turns": ({"messages": [{"role": "user", "content": STEM}, {"role": "assistant", "content": REPLY}] * 2}, "expected one question and one reply"),
    "no turns": ({"messages": "text"}, "no list of turns"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_chain_that_is_none_for_its_question_is_rejected_with_the_reason(name: str, tmp_path: Path) -> None:
    row, reason = REFUSED[name]
    path = tmp_path / "chains.jsonl"
    path.write_text(json.dumps(row))
    chains, rejected = imported_chains(path, ChainColumns(), [QUESTION], "longmonolog", written_as="longmonolog")
    assert chains == []
    assert any(bad["reason"].startswith("chains.jsonl:1: ") and reason in bad["reason"] for bad in rejected), rejected


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("This is called gout.", "D"),
        ('It is a "vitamin  D-deficiency".', "B"),  # the longer of two that stand in one another
        ("Lupus, SLE for short", "C"),
        ("Gout is unlikely here.", None),
        ("It might be gout.", None),
        ("Rather than gout, urate crystals were found in the lab, to everybody's surprise.", None),
        ("Gout or lupus (SLE)", None),
        ("The goutish one", None),
        ("", None),
    ],
)
def test_the_option_that_a_reply_in_prose_concludes_on_gives_the_last_line(reply: str, letter: str | None) -> None:
    asked = Question("0" * 16, "b", "train", "What is it?", OPTIONS, "D")
    text = chain_text(RowChain("", "", reply), asked)
    assert text == (f"{reply}\n\nFinal answer: {letter}" if letter else reply)
