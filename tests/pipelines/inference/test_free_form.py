"""Free-form arms: ranked by text and by a judge that is paid once, beside the same cases with options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from medo1 import tables
from medo1.engines import Completion, Engine
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from medo1.frames import Frame
from medo1.pipelines.inference import free_form_nodes, nodes
from medo1.pipelines.inference.params import ArmParams, InferenceParams
from medo1.pipelines.inference.pipeline import create_pipeline
from medo1.questions import Question, question_id, question_rows
from tests.conftest import ROOT

TEMPLATE = (ROOT / "conf/base/prompts/judge/diagnosis.md").read_text()
REQUEST = (ROOT / "conf/base/prompts/student/differential.md").read_text()
GOLDS = ("Systemic lupus erythematosus", "Gout", "Cat scratch disease", "Measles")
SAID = (
    "Differential diagnosis:\n1. Lupus (SLE)\n2. Gout",
    "Differential diagnosis:\n1. Pseudogout\n2. Gout\n3. Lyme disease",
    "Differential diagnosis:\n1. Sarcoidosis\n2. Bartonella lymphadenitis",  # the same under another name
    "I cannot say.",
)


class Student(Engine):
    """Says its list for each case, or the right letter where options are shown."""

    @property
    def identity(self) -> dict[str, Any]:
        return {"kind": "student"}

    def batches(self, requests: Any, stop: Any = None) -> Any:
        for request in requests:
            prompt = request.messages[0].content
            number = int(prompt.split(".")[0].removeprefix("Case "))
            text = "Final answer: A" if "\nA. " in prompt else SAID[number]
            yield [Completion(request.key, text, "stop", completion_tokens=9, request_id=f"s{number}")]


class Judge(Engine):
    """Knows that the two are one disease."""

    def __init__(self, reply: str = "") -> None:
        self.reply = reply
        self.asked: list[str] = []

    @property
    def identity(self) -> dict[str, Any]:
        return {"kind": "judge"}

    def batches(self, requests: Any, stop: Any = None) -> Any:
        for request in requests:
            prompt = request.messages[0].content
            self.asked.append(prompt)
            reply = self.reply or ("Match: 2" if "Bartonella" in prompt else "Match: none")
            yield [Completion(request.key, reply, "stop", completion_tokens=3)]


def asked() -> Frame:
    made = []
    for number, gold in enumerate(GOLDS):
        options = {"A": gold, "B": "Influenza", "C": "Migraine", "D": "Asthma"}
        stem = f"Case {number}. Which of the following is the most likely diagnosis?"
        made.append(Question(question_id(stem, options), "exam", "test", stem, options, "A"))
    return tables.as_table(tables.QUESTIONS, question_rows(made))


def generated(arm: ArmParams, name: str) -> Frame:
    params = InferenceParams(samples=0, max_new_tokens=64, answer_tokens=0)
    return nodes.generate(asked(), REQUEST, Student(), params, arm, 1, name=name)[0]


FREE = ArmParams(prompt="differential", answers="differential", model=None)
CHOOSING = ArmParams(prompt="vanilla", model=None)


def test_a_judge_is_asked_only_where_no_name_is_the_right_ones_own_and_is_paid_once(tmp_path: Path) -> None:
    said, judge = generated(FREE, "free"), Judge()
    tables_made = []
    for _ in range(2):
        store = CompletionStore(tmp_path / "judge.sqlite")
        with Stored(judge, store) as stored:
            tables_made.append(free_form_nodes.judge_answers(said, asked(), stored, TEMPLATE))
    first, again = tables_made
    assert first.equals(again)
    assert len(judge.asked) == 1
    assert "1. Sarcoidosis\n2. Bartonella lymphadenitis" in judge.asked[0]
    assert "The right diagnosis is: Cat scratch disease" in judge.asked[0]
    golds = dict(zip(asked()["question_id"], asked()["stem"].str[5].astype(int), strict=True))
    found = {golds[row.question_id]: row for row in first.itertuples()}
    assert [(found[n].rank, found[n].by) for n in (0, 1, 2)] == [(1, "text"), (2, "text"), (2, "judge")]
    assert found[3].by == "nobody"
    assert found[2].request_id
    assert not found[0].request_id


def test_without_a_judge_or_with_one_that_cannot_be_read_nothing_is_matched() -> None:
    said = generated(FREE, "free")
    plain = free_form_nodes.judge_answers(said, asked())
    assert sorted(plain["by"]) == ["nobody", "nobody", "text", "text"]
    odd = free_form_nodes.judge_answers(said, asked(), Judge("Perhaps."), TEMPLATE)
    assert sorted(odd["by"]) == ["nobody", "text", "text", "unread"]


def test_free_form_stands_beside_the_same_cases_with_options() -> None:
    judgements = free_form_nodes.judge_answers(generated(FREE, "free"), asked(), Judge(), TEMPLATE)
    answers = nodes.read_answers(generated(CHOOSING, "choosing"), asked(), CHOOSING)
    [row] = free_form_nodes.compare_free_form(judgements, answers, pairs=(("free", "choosing"),)).to_dict("records")
    assert (row["arm"], row["against"], row["n"]) == ("free", "choosing", 4)
    assert (row["first"], row["named"], row["first_by_text"]) == (0.25, 0.75, 0.25)
    assert row["reciprocal_rank"] == pytest.approx((1 + 1 / 2 + 1 / 2 + 0) / 4)
    assert row["breadth"] == pytest.approx((2 + 3 + 2 + 0) / 4)
    assert (row["with_options"], row["difference"]) == (1, -0.75)
    assert row["low"] < -0.75 < row["high"]
    [alone] = free_form_nodes.compare_free_form(judgements, pairs=(("free", ""),)).to_dict("records")
    assert alone["against"] == ""
    assert alone["first"] == 0.25


def test_a_free_form_arm_is_judged_and_compared_in_the_graph() -> None:
    arms = {
        "vanilla": ArmParams(prompt="vanilla").model_dump(),
        "long": ArmParams(prompt="longmonolog", adapter="longmonolog").model_dump(),
        "free": ArmParams(prompt="differential", adapter="longmonolog", answers="differential").model_dump(),
    }
    pipeline = create_pipeline(arms, probes=("reworded",), judge="judge")
    by_name = {node.name: node for node in pipeline.nodes}
    assert by_name["compare_free_form"].inputs == ["free.free_form_judgements", "long.answers"]
    assert {"judge", "prompt_judge"} <= set(by_name["free.judge_answers"].inputs)
    assert by_name["compare_probes"].inputs == [
        "vanilla.answers", "long.answers", "vanilla.probe_answers", "long.probe_answers",
    ]  # fmt: skip
    without = create_pipeline({"vanilla": arms["vanilla"]})
    assert not {"probes", "free_form"} & without.all_outputs()


def test_the_page_is_made_of_probes_and_free_form_answers_where_the_study_has_them() -> None:
    from medo1.pipelines.reporting.pipeline import create_pipeline as reporting

    arms = {
        "vanilla": ArmParams(prompt="vanilla").model_dump(),
        "free": ArmParams(prompt="differential", answers="differential").model_dump(),
    }
    shown = {node.name: set(node.inputs) for node in reporting(arms, {}, probes=("reworded",)).nodes}["write_page"]
    assert {"probes", "free_form"} <= shown
    plain = {node.name: set(node.inputs) for node in reporting({"vanilla": arms["vanilla"]}, {}).nodes}["write_page"]
    assert not {"probes", "free_form"} & plain


def test_the_pages_section_says_who_named_the_right_one_first() -> None:
    from medo1.page.material import Material
    from medo1.page.sections.free_form import SECTION

    judgements = free_form_nodes.judge_answers(generated(FREE, "free"), asked(), Judge(), TEMPLATE)
    table = free_form_nodes.compare_free_form(judgements, pairs=(("free", ""),))
    material = Material(given={"free_form": table}, arms=("free",), formats=(), title="", notes=(), baseline="free")
    html = str(SECTION.body(material))
    assert "25.0" in html
    assert "none" in html
