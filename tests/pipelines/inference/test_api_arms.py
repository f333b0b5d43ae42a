"""The arms of models behind an API: asked once for each question, hidden thoughts counted and paid."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from medo1 import tables
from medo1.configuration import project_loader
from medo1.pipelines.inference import nodes
from medo1.pipelines.inference.params import ArmParams, InferenceParams
from medo1.questions import Question, question_id, question_rows
from medo1.study import Study
from tests.conftest import ROOT
from tests.engines.conftest import engine_for
from tests.engines.http.server import Server

ARMS = ("gpt_4o", "gpt_4o_cot", "o1_mini", "o1_preview")


def asked(count: int = 3) -> Any:
    made = []
    for number in range(count):
        options = {letter: f"{letter.lower()} of {number}" for letter in "ABCD"}
        stem = f"Case {number}. What is it?"
        made.append(Question(question_id(stem, options), "medqa", "test", stem, options, "A"))
    return tables.as_table(tables.QUESTIONS, question_rows(made))


@pytest.fixture(scope="module")
def paper() -> dict[str, Any]:
    found: dict[str, Any] = project_loader(ROOT, "paper")["parameters"]
    return found


@pytest.mark.parametrize("env", ["paper", "paper_open"])
def test_every_api_arm_has_an_engine_that_can_be_pointed_elsewhere_and_holds_no_key(env: str) -> None:
    loader = project_loader(ROOT, env)
    catalog, names = loader["catalog"], loader["globals"]["api"]
    study = Study.from_parameters(loader["parameters"])
    for arm in ARMS:
        entry = catalog[study.arms[arm].engine]
        assert entry["options"]["base_url"] == names["url"]
        assert entry["options"]["model"] in names.values()
        assert entry["credentials"] == "api" == study.arms[arm].keys[0]
        assert "api_key" not in yaml.safe_dump(entry)


@pytest.mark.parametrize("name", ARMS)
def test_an_api_arm_asks_each_question_once(paper: dict[str, Any], name: str) -> None:
    arm, params = ArmParams.model_validate(paper["arms"][name]), InferenceParams.model_validate(paper["inference"])
    with Server() as server, engine_for(server, model="gpt-4o") as engine:
        rows, timing = nodes.generate(asked(), "Answer.", engine, params, arm, 1, name=name)
        bodies = list(server.service.bodies)
    assert len(bodies) == len(rows) == 3
    assert {body.get("max_tokens", body.get("max_completion_tokens")) for body in bodies} == {
        16384 if name.startswith("o1") else 8192
    }
    assert timing["cost_usd"].iloc[0] > 0
    assert set(rows["status"]) == {"finished"}


def test_a_hidden_thought_is_counted_as_thought_and_paid(paper: dict[str, Any]) -> None:
    arm, params = (
        ArmParams.model_validate(paper["arms"]["o1_preview"]),
        InferenceParams.model_validate(paper["inference"]),
    )
    with Server() as server, engine_for(server, model="o1-preview") as engine:
        rows, timing = nodes.generate(asked(), "Answer.", engine, params, arm, 1, name="o1_preview")
    assert set(rows["reasoning_tokens"]) == {7}
    answers = nodes.read_answers(rows, asked(), arm)
    assert (answers["thinking_tokens"] == 7).all()
    assert (answers["completion_tokens"] > 7).all()
    paid = (rows["prompt_tokens"].sum() * 15 + rows["completion_tokens"].sum() * 60) / 1e6
    assert timing["cost_usd"].iloc[0] == pytest.approx(paid)
