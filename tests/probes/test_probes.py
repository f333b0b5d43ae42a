"""Probes change one thing each, every arm is asked the same, and what they show is what was planted."""

from __future__ import annotations

import itertools
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from medo1 import tables
from medo1.engines import Completion, Request
from medo1.engines.base import Engine
from medo1.frames import Frame
from medo1.pipelines.inference import nodes, probe_nodes
from medo1.pipelines.inference.params import ArmParams, InferenceParams
from medo1.probes import PROBES, QUESTION_PROBES, ProbeSpec, probe_questions
from medo1.questions import Question, question_id, question_rows
from medo1.statistics.paired_means import paired_means

LETTERS = "ABCDE"


def question(number: int, options: int = 4, gold: str = "") -> Question:
    texts = {letter: f"disease {number} {letter.lower()}" for letter in LETTERS[:options]}
    stem = f"Case {number}. What is the diagnosis?"
    return Question(question_id(stem, texts), "exam", "test", stem, texts, gold or LETTERS[number % options])


def spec(*names: str, **more: Any) -> ProbeSpec:
    return ProbeSpec(names=names or QUESTION_PROBES, **more)


# Deriving


@given(number=st.integers(0, 10**6), options=st.integers(2, 5), seed=st.integers(0, 99), orders=st.integers(1, 8))
def test_each_probe_changes_what_it_says_and_nothing_else(number: int, options: int, seed: int, orders: int) -> None:
    origin = question(number, options)
    derived = probe_questions([origin], spec(orders=orders), seed)
    assert {one.origin for one in derived} == {origin.question_id}
    assert len({(one.probe, one.version) for one in derived}) == len(derived)
    assert derived == probe_questions([origin], spec(orders=orders), seed)
    for one in derived:
        asked = one.question
        assert (one.planted is not None) == bool(one.begun) == (one.probe == "wrong_start")
        assert (one.wording != "{request}") == (one.probe == "reworded")
        if one.probe == "none_of_the_others":
            assert asked.gold == origin.gold
            assert asked.gold_text == "None of the other answers"
            changed = [letter for letter in asked.options if asked.options[letter] != origin.options[letter]]
            assert changed == [origin.gold]
            assert asked.stem == origin.stem
            continue
        assert asked.gold_text == origin.gold_text
        assert sorted(asked.options.values()) == sorted(origin.options.values())
        if one.probe == "shuffled_options":
            assert list(asked.options.values()) != list(origin.options.values())
            assert asked.question_id != origin.question_id
        else:
            assert asked.options == origin.options
        assert (asked.stem == origin.stem) == (one.probe != "options_only")
        if one.planted:
            assert one.planted != origin.gold
            assert origin.options[one.planted] in one.begun
    kinds = [one for one in derived if one.probe == "shuffled_options"]
    assert len({tuple(one.question.options.values()) for one in kinds}) == len(kinds)
    assert len(kinds) == min(orders, {2: 1, 3: 5, 4: 23, 5: 119}[options])


def test_what_is_derived_depends_on_the_question_and_the_seed_alone() -> None:
    asked = [question(number) for number in range(20)]
    whole = {(one.origin, one.probe, one.version): one for one in probe_questions(asked, spec(), 7)}
    for some in (asked[::-1], asked[5:9]):
        for one in probe_questions(some, spec(), 7):
            assert whole[one.origin, one.probe, one.version] == one
    assert probe_questions(asked, spec(), 8) != probe_questions(asked, spec(), 7)


@pytest.mark.parametrize("text", ["None of the above", "All of these", "Both A and B", "none of the other options"])
def test_options_that_speak_of_others_are_neither_moved_nor_replaced(text: str) -> None:
    origin = question(3)
    odd = Question(origin.question_id, "exam", "test", origin.stem, {**origin.options, "B": text}, "D")
    derived = probe_questions([odd], spec(), 1)
    assert {one.probe for one in derived} == set(QUESTION_PROBES) - {"none_of_the_others", "shuffled_options"}


# Naming


@pytest.mark.parametrize(
    "given", [["options_only", "reworded"], "options_only,reworded", {"names": ["options_only", "reworded"]}]
)
def test_probes_are_named_in_a_list_in_a_text_or_among_their_parameters(given: Any) -> None:
    assert InferenceParams(probes=given).probes.names == ("options_only", "reworded")
    assert InferenceParams(probes=None).probes == ProbeSpec() == InferenceParams().probes
    assert ProbeSpec(names="all").names == PROBES


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["shufled_options"], "Did you mean shuffled_options"),
        ({"names": ["wrong start"]}, "Did you mean wrong_start"),
        ({"names": ["options_only"], "start": "Well."}, "must hold {option} once"),
        ({"names": ["reworded"], "wordings": ["Answer."]}, "must hold {request} once"),
        ({"names": ["shuffled_options"], "orders": 0}, "greater than 0"),
    ],
)
def test_a_probe_that_there_is_not_is_named_with_the_nearest(given: Any, expected: str) -> None:
    with pytest.raises(ValidationError, match=expected):
        InferenceParams(probes=given)


def test_a_study_names_the_parameter() -> None:
    from medo1.study import Study, StudyError

    parameters: dict[str, Any] = {
        "seed": 1, "journey": ["inference"], "formats": {}, "arms": {"direct": {"prompt": "direct"}},
    }  # fmt: skip
    assert Study.from_parameters({**parameters, "inference": {}}).for_pipelines()["probes"] == ()
    told = {**parameters, "inference": {"probes": {"names": ["reworded", "nota"]}}}
    with pytest.raises(StudyError, match=r"inference\.probes\.names: there is no probe 'nota'"):
        Study.from_parameters(told)


# From questions to the table


class Reasoner(Engine):
    """Answers by a rule of its own, of the prompt's text and of what it is made to begin with."""

    def __init__(self, rule: Any, continues: bool = True) -> None:
        self.rule = rule
        self.continues = continues
        self.asked: list[Request] = []

    @property
    def identity(self) -> dict[str, Any]:
        return {"kind": "reasoner"}

    def batches(self, requests: Any, stop: Any = None) -> Any:
        for request in requests:
            self.asked.append(request)
            begun = request.messages[1].content if len(request.messages) > 1 else ""
            if begun and not self.continues:
                yield [Completion(request.key, "", "error", error="the server continues no answer", request_id="e")]
                continue
            text = f" So it is.\nFinal answer: {self.rule(request.messages[0].content, begun)}"
            yield [Completion(request.key, text, "stop", completion_tokens=5, request_id=f"id {len(self.asked)}")]


def lettered(prompt: str) -> dict[str, str]:
    return {line[0]: line[3:] for line in prompt.splitlines() if line[1:3] == ". "}


def truth(prompt: str) -> str:
    """The right disease of a case, as `question` numbers them."""
    head = prompt.splitlines()[0]
    number = int(head.split(".")[0].removeprefix("Case ")) if head.startswith("Case ") else -1
    return f"disease {number} {LETTERS[number % 4].lower()}" if number >= 0 else ""


def sound(prompt: str, begun: str) -> str:
    """Reasons to the disease; where it is not there, none of the others is right."""
    options = lettered(prompt)
    right = next((letter for letter, text in options.items() if text == truth(prompt)), None)
    none = next((letter for letter, text in options.items() if text.startswith("None")), "A")
    return right or none


def recogniser(prompt: str, begun: str) -> str:
    """Knows the right texts and never says None."""
    options = lettered(prompt)
    return next((letter for letter, text in options.items() if text == truth(prompt)), "A")


def credulous(prompt: str, begun: str) -> str:
    options = lettered(prompt)
    return next((letter for letter, text in options.items() if text in begun), sound(prompt, begun))


def positional(prompt: str, begun: str) -> str:
    """Right by the place at which options usually stand: number modulo 4."""
    head = prompt.splitlines()[0]
    return LETTERS[int(head.split(".")[0].removeprefix("Case ")) % 4] if head.startswith("Case ") else "A"


def guesser(prompt: str, begun: str) -> str:
    return random.Random(prompt + begun).choice("ABCD")


def leaking(prompt: str, begun: str) -> str:
    """Reads the answer out of the options: the number modulo 4 stands in each."""
    options = lettered(prompt)
    number = next(int(text.split()[1]) for text in options.values() if text.startswith("disease"))
    right = f"disease {number} {LETTERS[number % 4].lower()}"
    return next((letter for letter, text in options.items() if text == right), "A")


ARM = ArmParams(prompt="cot", model=None)


def questions(count: int = 60) -> Frame:
    return tables.as_table(tables.QUESTIONS, question_rows(question(number) for number in range(count)))


def probed(engine: Engine, **more: Any) -> dict[str, dict[str, Any]]:
    params = InferenceParams(samples=0, max_new_tokens=64, answer_tokens=0, probes=spec(**more))
    asked = questions()
    generations, _ = nodes.generate(asked, "Think.", engine, params, ARM, 11, name="arm")
    answers = nodes.read_answers(generations, asked, ARM)
    derived = probe_nodes.derive_probes(asked, params, 11)
    said = probe_nodes.ask_probes(derived, "Think.", engine, params, ARM, name="arm")
    read = probe_nodes.read_probes(said, derived, asked)
    found = probe_nodes.compare_probes(answers, read)
    return {row["probe"]: row for row in found.to_dict("records")}


def test_who_reasons_keeps_its_score_under_every_probe_but_that_without_a_case() -> None:
    found = probed(Reasoner(sound))
    assert set(found) == set(QUESTION_PROBES)
    for name in set(QUESTION_PROBES) - {"options_only"}:
        assert (found[name]["plain"], found[name]["probed"], found[name]["difference"]) == (1, 1, 0)
        assert found[name]["n"] == 60
        assert found[name]["p_value"] == 1
        assert found[name]["low"] < 0 < found[name]["high"]
        assert "does not surely change" in found[name]["says"]
    assert found["wrong_start"]["took_planted"] == 0
    assert found["options_only"]["probed"] == pytest.approx(0.25)
    assert "nothing is left that is surely above guessing (25%)" in found["options_only"]["says"]


@pytest.mark.parametrize(
    ("rule", "falls"),
    [(recogniser, "none_of_the_others"), (credulous, "wrong_start"), (positional, "shuffled_options")],
    ids=["recogniser", "credulous", "positional"],
)
def test_each_probe_finds_its_own_fault(rule: Any, falls: str) -> None:
    found = probed(Reasoner(rule))
    for name, row in found.items():
        if name != "options_only":
            assert (row["high"] < 0) == (name == falls)
    row = found[falls]
    assert row["p_value"] < 1e-3
    assert "falls by" in row["says"]
    if rule is credulous:
        assert row["took_planted"] == 1
        assert "100% take the planted one" in row["says"]
    if rule is positional:
        assert row["kept"] < 0.5
        assert row["probed"] < 0.5


def test_options_that_give_their_answer_away_are_told() -> None:
    row = probed(Reasoner(leaking))["options_only"]
    assert row["probed"] == 1
    assert "they leak" in row["says"]


def test_of_who_guesses_the_probes_say_nothing() -> None:
    found = probed(Reasoner(guesser))
    for name in set(QUESTION_PROBES) - {"options_only"}:
        assert "cannot be told from guessing" in found[name]["says"]


def test_an_engine_that_cannot_continue_leaves_the_wrong_start_out_with_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = probed(Reasoner(sound, continues=False))
    assert set(found) == set(QUESTION_PROBES) - {"wrong_start"}
    told = [record.getMessage() for record in caplog.records if "wrong_start" in record.getMessage()]
    assert told == ["arm: the probe wrong_start is left out: the server continues no answer"]


def test_every_row_leads_to_the_question_that_it_was_derived_from_and_to_its_call() -> None:
    params = InferenceParams(samples=0, answer_tokens=0, max_new_tokens=64, probes=spec(questions=7))
    asked = questions()
    derived = probe_nodes.derive_probes(asked, params, 11)
    engine = Reasoner(sound)
    said = probe_nodes.ask_probes(derived, "Think.", engine, params, ARM, name="arm")
    read = probe_nodes.read_probes(said, derived, asked)
    assert derived["question_id"].nunique() == 7
    assert set(derived["question_id"]) <= set(asked["question_id"])
    assert (said["request_id"].str.len() > 0).all()
    assert len(read) == len(said) == len(derived) == len(engine.asked) == 7 * (1 + 3 + 1 + 1 + 3)
    shuffles = read[read["probe"] == "shuffled_options"]
    assert (shuffles["original"] != shuffles["letter"]).any()
    golds = dict(zip(asked["question_id"], asked["gold"], strict=True))
    assert all(row.original == golds[row.question_id] for row in shuffles.itertuples())
    again = probe_nodes.ask_probes(derived, "Think.", Reasoner(sound), params, ARM, name="arm")
    assert again.drop(columns=["request_id", "parts"]).equals(said.drop(columns=["request_id", "parts"]))


def test_a_begun_thought_is_continued_within_its_budget_and_its_answer_forced_after_it() -> None:
    from tests.pipelines.inference.tape import Tape

    start = "At first glance, disease 0 b seems possible."
    tape = Tape(lambda request: f"{start} But no, it cannot be, since it fits not.\nFinal answer: A")
    params = InferenceParams(samples=0, max_new_tokens=4, answer_tokens=4, probes=spec("wrong_start"))
    derived = probe_nodes.derive_probes(questions(1), params, 3)
    start = derived["begun"].iloc[0]
    said = probe_nodes.ask_probes(derived, "Think.", tape, params, ARM, name="arm")
    assert [message.role for message in tape.asked[-1].messages] == ["user", "assistant"]
    assert tape.asked[0].messages[-1].content == start
    assert tape.asked[1].messages[-1].content == f"{start} But no, it cannot\nFinal answer:"
    assert said["text"].iloc[0].startswith(f"{start} But no, it cannot\nFinal answer: A")
    assert said["status"].iloc[0] == "forced"


# Statistics


def test_with_one_answer_each_means_are_pairs() -> None:
    from medo1.statistics.paired import paired

    first, second = [1.0, 0.0, 1.0, 0.0] * 5, [1.0, 1.0, 1.0, 1.0] * 5
    exact = paired([bool(one) for one in first], [bool(one) for one in second])
    found = paired_means(first, second)
    assert (found.difference, found.p_value) == (exact.difference, exact.p_value)


def test_equal_differences_prove_little_where_there_are_few() -> None:
    found = paired_means([1 / 3] * 4, [1.0] * 4)
    assert found.difference.low < -2 / 3 < found.difference.high
    assert found.p_value > 0.05


@pytest.mark.parametrize("size", [25, 60])
def test_the_interval_holds_the_truth_and_the_test_its_level(size: int) -> None:
    """150 studies of so many questions, three versions each; a true fall of 15 points, and none."""
    rng = np.random.default_rng(4)
    held, false = 0, 0
    for _ in range(150):
        skill = rng.beta(2, 1.2, size)
        plain = (rng.random(size) < skill).astype(float)
        worse = (rng.random((size, 3)) < np.clip(skill - 0.15, 0, 1)[:, None]).mean(axis=1)
        same = (rng.random((size, 3)) < skill[:, None]).mean(axis=1)
        true = float(np.mean(np.clip(skill - 0.15, 0, 1) - skill))
        difference = paired_means(worse.tolist(), plain.tolist()).difference
        held += difference.low <= true <= difference.high
        false += paired_means(same.tolist(), plain.tolist()).p_value < 0.05
    assert 0.9 <= held / 150 <= 1
    assert false / 150 <= 0.1


def test_all_orders_of_few_options_come_once() -> None:
    derived = probe_questions([question(1, 3)], spec("shuffled_options", orders=50), 2)
    orders = {tuple(one.question.options.values()) for one in derived}
    own = tuple(question(1, 3).options.values())
    assert orders == set(itertools.permutations(own)) - {own}
