"""`read_answer` on outputs written by hand, one trap each, and on recorded outputs of many models."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from types import ModuleType

import pytest

from medo1.answers import RULES, STATUSES, read_answer
from tests.answers.answer_cases import DRUGS, NOT_STATED, STATED, TEN, Case
from tests.answers.wild_cases import WILD, WILD_NOT_STATED

REPOSITORY = Path(__file__).parents[2]
RECORDED = REPOSITORY.parent / "shared" / "benchmarks" / "recorded_outputs_dev.jsonl"
recorded = pytest.mark.skipif(not RECORDED.is_file(), reason="needs recorded_outputs_dev.jsonl in ../shared/benchmarks")


@cache
def rows() -> list[dict]:
    return [json.loads(line) for line in RECORDED.read_text().splitlines()]


@cache
def benchmark() -> ModuleType:
    folder = REPOSITORY / "benchmarks"
    sys.path.append(str(folder))  # as where the script runs: it imports from its own folder
    spec = importlib.util.spec_from_file_location("benchmark_answers", folder / "answers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("case", STATED + WILD, ids=lambda case: repr(case[0][-60:]))
def test_a_stated_letter_is_read(case: Case):
    text, options, finish_reason, letter = case
    answer = read_answer(text, options, finish_reason)
    assert (answer.letter, answer.status) == (letter, "answer"), answer


@pytest.mark.parametrize("case", NOT_STATED + WILD_NOT_STATED, ids=lambda case: repr(case[0][-60:]))
def test_what_states_no_letter_is_given_none(case: Case):
    text, options, finish_reason, status = case
    answer = read_answer(text, options, finish_reason)
    assert (answer.letter, answer.status) == (None, status), answer


def test_every_rule_and_status_that_is_given_is_documented():
    given = {read_answer(text, options, finish) for text, options, finish, _ in STATED + NOT_STATED + WILD}
    assert {answer.rule for answer in given} <= RULES.keys()
    assert {answer.status for answer in given} == set(STATUSES)
    unseen = RULES.keys() - {answer.rule for answer in given}
    assert unseen <= {"another_question", "cut_in_statement", "conclusion_text"}, unseen


def test_the_span_shows_where_the_answer_stands():
    text = "<think>The answer is B.</think>\n\nIt is meningitis.\n\n**Answer: (C) Ceftriaxone**"
    start, end = read_answer(text, DRUGS).span
    assert text[start:end] == "Answer: (C) Ceftriaxone"


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("It is gout.\n**Final answer: C**\nB was close.", "Final answer: C"),
        ("It is gout.\nThe correct answer: (C)", "The correct answer: (C)"),
        ("It is gout.\nDiagnosis: C", "Diagnosis: C"),
        ("It is gout. So the answer is C.", "answer is C"),
    ],
)
def test_the_span_of_a_line_begins_with_its_first_word(text: str, stated: str):
    start, end = read_answer(text, DRUGS, "stop").span
    assert text[start:end].rstrip("*") == stated


def test_a_span_is_right_where_letters_grow_in_lower_case():
    text = "İİİ The answer is (C)."
    start, end = read_answer(text, DRUGS).span
    assert text[start:end] == "answer is (C)"


def test_a_few_shot_answer_to_an_invented_question_is_not_this_ones():
    text = (
        "The patient has fever and a stiff neck, which makes one think of an infection of the meninges.\n"
        "It is not possible to say more about him without his labs, which were not given in the case at all.\n\n"
        "Question: A 3-year-old boy coughs.\nOptions: A. croup B. asthma\nThe answer is (B)."
    )
    assert read_answer(text, DRUGS).rule == "another_question"


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS", "content_filter", "error"])
def test_every_spelling_of_a_cut_counts_as_one(reason):
    text = "The man is febrile and stiff. " * 14 + "So the answer is B. Looking at option C, it would cover"
    assert read_answer(text, DRUGS, reason).status == "truncated"


def test_a_known_end_is_no_cut_whatever_the_last_words_are():
    assert read_answer("I would say that this depends on the", DRUGS, "stop").status == "abstain"
    assert read_answer("I would say that this depends on the", DRUGS, None).status == "truncated"


@pytest.mark.parametrize("options", [{"a": "x"}, {"AB": "x"}, {"1": "x"}, {"": "x"}])
def test_options_that_are_not_keyed_by_capital_letters_are_refused(options):
    with pytest.raises(ValueError, match="one capital letter"):
        read_answer("The answer is A.", options)


def test_no_option_is_read_where_none_is_offered():
    assert read_answer("The answer is A.", {}).letter is None


def test_a_letter_beyond_the_options_is_no_answer():
    answer = read_answer("The answer is (J).", DRUGS)
    assert (answer.letter, answer.rule) == (None, "letter_not_offered")
    assert read_answer("The answer is (J).", TEN).letter == "J"


@recorded
@pytest.mark.parametrize("finish_reason", [None, "stop"])
def test_recorded_outputs_are_read_as_their_corrected_labels_say(finish_reason: str | None):
    right = benchmark().corrected(rows())
    wrong = {
        place: answer
        for place, row in enumerate(rows())
        if (answer := read_answer(row["raw"], row["options"], finish_reason)).letter != right[place]
    }
    # one output stops in the middle of the reason for its answer: only a known end gives it that answer
    assert len(wrong) <= (finish_reason is None), wrong


@recorded
def test_few_labels_are_corrected_each_with_its_reason():
    corrections = [json.loads(line) for line in benchmark().LABELS.open()]
    keys = [benchmark().key_of(row) for row in rows()]
    assert len(corrections) <= 0.02 * len(rows())
    for correction in corrections:
        assert keys.count(benchmark().key_of(correction)) == 1
        assert correction["why"]
        row = rows()[keys.index(benchmark().key_of(correction))]
        answer = read_answer(row["raw"], row["options"], "stop")
        assert (answer.letter or answer.status) == correction["right"] != row["peer_pred"]


@recorded
def test_no_output_that_is_cut_before_its_answer_is_given_a_letter():
    given = [
        text[-80:] for text, *rest in every_third(benchmark().cut_prefixes(rows())) if read_answer(text, *rest).letter
    ]
    assert given == []


@recorded
def test_no_chain_that_is_cut_is_given_a_letter_with_its_marks_or_without():
    given = [
        text[-80:] for text, *rest in every_third(benchmark().cut_chains(rows())) if read_answer(text, *rest).letter
    ]
    assert given == []


def every_third(prefixes: Iterator[tuple]) -> Iterator[tuple]:
    """Each third of them: the benchmark looks at all."""
    return islice(prefixes, 0, None, 3)
