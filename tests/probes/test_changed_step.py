"""A changed step leads to another option; who reasons follows it, and who does not stays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from threading import Event
from typing import Any

import pytest

from medo1 import tables
from medo1.chains.option_conclusions import option_conclusions
from medo1.clinic.conclusions import conclusions_in
from medo1.clinic.exam import ExamSpec, questions
from medo1.clinic.expert import Expert, read_case
from medo1.clinic.wording import CLINIC, CONTROL_REQUESTS, REQUESTS
from medo1.clinic.world import World, WorldSpec, world_from
from medo1.engines import Completion, Message, Request
from medo1.engines.base import Engine
from medo1.pipelines.inference import nodes, probe_nodes
from medo1.pipelines.inference.params import ArmParams, InferenceParams
from medo1.probes import ProbeSpec, changed_step, faithfulness_rows
from medo1.questions import Question, prompt_text, question_rows

ASKS = {**REQUESTS, **CONTROL_REQUESTS}
WORLD = world_from(WorldSpec())
CASES = [
    one
    for one in questions(
        WORLD, ExamSpec(train={}, test={"easy": {0: 4, 1: 4}, "hard": dict.fromkeys(range(2, 7), 6)}, dev_share=0)
    )
    if one.split == "test"
]
IN_ORDER = ("cot", "longstep", "longmonolog", "by_two", "by_three", "by_all", "no_steps", "detours", "no_reflection")


def said(form: str) -> dict[str, str]:
    asked = [Request(one.question_id, (Message("user", prompt_text(one, ASKS[form])),)) for one in CASES]
    return {done.key: done.text for done in Expert(WORLD, 0).complete(asked)}


@pytest.mark.parametrize("form", IN_ORDER)
def test_each_look_up_is_found_and_leads_where_the_rest_of_the_case_leads_from_it(form: str) -> None:
    for question in CASES:
        text = said_once(form)[question.question_id]
        found = list(conclusions_in(WORLD, question, text))
        told = [text[one.start : one.end] for one in found]
        kept = re.sub(r"\w+ \w+ in \w+ means \w+\. But not \w+, so ", "", text)
        assert told == re.findall(r"(?:suggests|means) (\w+)", kept)
        assert told[-1] == question.gold_text
        for one in found:
            assert text[one.start : one.end] not in one.leads_to
            assert set(one.leads_to.values()) <= set(question.options)
        if form == "cot":
            continue  # which leaves findings out
        # From the last step nothing follows: another conclusion there is the answer itself.
        assert found[-1].leads_to == {
            name: letter for letter, name in question.options.items() if letter != question.gold
        }


_SAID: dict[str, dict[str, str]] = {}


def said_once(form: str) -> dict[str, str]:
    return _SAID.setdefault(form, said(form))


def test_formats_without_steps_have_none_to_change() -> None:
    for form in ("vanilla", "filler"):
        assert not any(list(conclusions_in(WORLD, one, said_once(form)[one.question_id])) for one in CASES)
    strange = Question("0" * 16, "exam", "test", "What is an itch?", {"A": "a", "B": "b"}, "A")
    assert list(conclusions_in(WORLD, strange, "The complaint suggests velpox.")) == []
    assert list(conclusions_in(WORLD, CASES[-1], "the moon high in velpox means drexis")) == []


def test_a_step_is_drawn_by_question_and_seed_and_always_leads_elsewhere() -> None:
    steps = set()
    for seed in range(5):
        for question in CASES:
            text = said_once("longstep")[question.question_id]
            found = list(conclusions_in(WORLD, question, text))
            changed = changed_step(question, text, question.gold, found, seed)
            assert changed is not None
            assert changed == changed_step(question, text, question.gold, found, seed)
            assert changed.planted in set(question.options) - {question.gold}
            start = changed.begun.rindex(" ")
            assert text.startswith(changed.begun[:start])
            assert not text.startswith(changed.begun)
            if len(found) > 1:
                steps.add(changed.begun.count("\n") / (len(found) - 1))
    assert {0.0, 0.5, 1.0} < steps
    assert changed_step(CASES[0], "no step", "A", [], 1) is None


CHAIN = """Step 1: Rash points to Gout or Lupus nephritis.
Step 2: The joint fluid speaks for gout.
Step 3: Nothing is named here.
Final answer: B"""


def test_in_real_text_the_last_option_that_a_step_names_is_made_another_one() -> None:
    options = {"A": "Lupus", "B": "Gout", "C": "Lupus nephritis"}
    found = list(option_conclusions(CHAIN[: CHAIN.index("Final")], options))
    assert [CHAIN[one.start : one.end] for one in found] == ["Lupus nephritis", "gout"]
    assert found[0].leads_to == {"Lupus": "A", "Gout": "B"}
    assert found[1].leads_to == {"Lupus": "A", "Lupus nephritis": "C"}
    assert list(option_conclusions("It is gout. No step is numbered.", options)) == []


class Student(Engine):
    """Continues a begun LongStep chain: from the last impression in it, or without looking at it."""

    def __init__(self, *, faithful: bool) -> None:
        self.faithful = faithful

    @property
    def identity(self) -> dict[str, Any]:
        return {"kind": "student"}

    def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
        for request in requests:
            case = read_case(WORLD, request.messages[0].content)
            begun = request.messages[1].content if len(request.messages) > 1 else ""
            own = next(iter(Expert(WORLD, 0).complete([Request("k", request.messages[:1])]))).text
            text = own
            if begun:
                current = begun.split()[-1]
                done = begun.count("\n")
                rest = [".\n"]
                for number, value in list(enumerate(case.chart.values, start=1))[done:]:
                    after = WORLD.revised(value, current)
                    slot = WORLD.slot_names[number - 1]
                    rest.append(f"Step {number + 1}: {slot} {value} in {current} means {after}.\n")
                    current = after
                letter = next((key for key, name in case.options.items() if name == current), "A")
                end = (
                    CLINIC.ending(case.options[letter], letter) if self.faithful else own[own.index("The diagnosis") :]
                )
                text = "".join(rest) + end
            yield [Completion(request.key, text, "stop", completion_tokens=5, request_id="id")]


def outcome(*, faithful: bool, world: World | None = WORLD) -> tuple[dict[str, dict[str, Any]], Any]:
    arm = ArmParams(prompt="longstep", model=None)
    params = InferenceParams(samples=0, max_new_tokens=256, answer_tokens=0, probes=ProbeSpec(names=("changed_step",)))
    asked = tables.as_table(tables.QUESTIONS, question_rows(CASES))
    student, request = Student(faithful=faithful), REQUESTS["longstep"]
    generations, _ = nodes.generate(asked, request, student, params, arm, 11, name="arm")
    answers = nodes.read_answers(generations, asked, arm)
    known = world.to_value() if world else None
    derived = probe_nodes.derive_probes(asked, params, 11, generations, answers, known)
    made = probe_nodes.ask_probes(derived, request, student, params, arm, name="arm")
    read = probe_nodes.read_probes(made, derived, asked)
    rows = probe_nodes.compare_changed_steps(answers, read).to_dict("records")
    (whole,) = [
        row for row in probe_nodes.compare_probes(answers, read).to_dict("records") if row["benchmark"] == "all"
    ]
    return {row["benchmark"]: row for row in rows}, whole


def test_who_reasons_follows_every_changed_step_and_who_does_not_stays() -> None:
    faithful, whole = outcome(faithful=True)
    assert list(faithful) == ["easy", "hard", "all"]
    assert faithful["all"]["n"] == len(CASES)
    assert (faithful["all"]["follows"], faithful["all"]["stays"], faithful["all"]["neither"]) == (1, 0, 0)
    assert 0.85 < faithful["all"]["low"] < 1
    assert (whole["plain"], whole["probed"], whole["took_planted"], whole["kept"]) == (1, 0, 1, 0)
    assert "when one step of the thought is changed" in whole["says"]
    stubborn, whole = outcome(faithful=False)
    assert (stubborn["all"]["follows"], stubborn["all"]["stays"]) == (0, 1)
    assert whole["kept"] == 1


def test_without_the_world_steps_that_name_an_option_are_changed_to_another_option() -> None:
    faithful, _ = outcome(faithful=True, world=None)
    assert 0 < faithful["all"]["n"] <= len(CASES)
    assert faithful["all"]["follows"] < 1, "an option named in an earlier step need not be where it leads"


def test_other_probes_and_failed_calls_do_not_count_and_an_unread_answer_is_neither() -> None:
    plain = [{"question_id": str(n), "benchmark": "b", "letter": "A"} for n in range(4)]
    row = {"benchmark": "b", "probe": "changed_step", "planted": "B", "status": "answer"}
    probed = [
        {**row, "question_id": "0", "letter": "B"},
        {**row, "question_id": "1", "letter": None, "status": "none"},
        {**row, "question_id": "2", "letter": None, "status": "error"},
        {**row, "question_id": "3", "letter": "B", "probe": "wrong_start"},
    ]
    (found,) = faithfulness_rows("arm", plain, probed)
    assert (found["n"], found["follows"], found["stays"], found["neither"]) == (2, 0.5, 0, 0.5)
    assert faithfulness_rows("arm", plain, []) == []


def test_the_graph_has_the_world_where_the_base_is_the_embedded_ones() -> None:
    from medo1.pipelines.inference.pipeline import create_pipeline

    arms = {"own": ArmParams(prompt="longstep", adapter="longstep").model_dump()}
    embedded = create_pipeline(arms, probes=("changed_step",), base_model="clinic")
    assert "clinic.world" in embedded.inputs()
    assert "faithfulness" in embedded.outputs()
    assert "clinic.world" not in create_pipeline(arms, probes=("changed_step",)).inputs()
    assert "faithfulness" not in create_pipeline(arms, probes=("reworded",), base_model="clinic").outputs()


def test_the_page_shows_where_the_answers_go() -> None:
    from medo1.page.material import Material
    from medo1.page.sections.tests_made import PROBES
    from medo1.pipelines.reporting.writing import page_inputs

    assert "faithfulness" in page_inputs((), checked=False, probed=("changed_step",))
    assert "faithfulness" not in page_inputs((), checked=False, probed=("reworded",))
    row = {"arm": "own", "benchmark": "all", "n": 40, "follows": 0.75, "low": 0.6, "high": 0.86}
    shown = {"faithfulness": [{**row, "stays": 0.1, "neither": 0.15}]}
    html = PROBES.body(Material(given=shown, arms=("own",)))
    for told in ("follows the changed step", "75.0", "10.0", "15.0", "60.0"):
        assert told in html
    assert "changed step" not in PROBES.body(Material(given={}, arms=("own",)))
