"""What teachers are asked for: tables of chains, of rejected ones, of costs, against a real local endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from medo1 import tables
from medo1.chains.recipes import RECIPES
from medo1.chains.state import ChainState, TeachingError
from medo1.chains.task import ChainTask
from medo1.engines import Completion, EngineError
from medo1.engines.base import Adapter, Model, Pace
from medo1.engines.http.openai import OpenAI
from medo1.engines.wrappers.money import BudgetError
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from medo1.errors import UserError
from medo1.frames import Frame
from medo1.pipelines.synthesis.nodes import (
    add_up_estimates,
    check_teaching,
    choose_training_questions,
    estimate_teaching,
    summarise_teaching,
    write_chains,
    write_student_chains,
)
from medo1.pipelines.synthesis.params import FormatParams, SynthesisParams
from medo1.questions.question_table import question_rows
from medo1.study import Study, StudyError
from tests.chains.test_formats import MONOLOGUE, STEPS
from tests.chains.test_making import questions
from tests.engines.conftest import engine_for
from tests.engines.http.server import Server

PRICES = {"teacher": {"prompt_usd_per_million": 1000, "completion_usd_per_million": 1000}}
ROOT = Path(__file__).resolve().parents[3]


def says(body: dict[str, Any]) -> str:
    text = body["messages"][-1]["content"]
    if "inner monologue" in text:
        return "It is so.\nFinal answer: C" if "Case 3:" in text and "cannot be used" not in text else MONOLOGUE
    if "Case 4:" in text:
        return "No answer is stated here."
    return STEPS if "a short title" in text else "The ring decides.\nFinal answer: C"


def prompts(format: str) -> dict[str, str]:
    """The prompts for real models."""
    return {file.stem: file.read_text() for file in (ROOT / "conf/paper/prompts/teacher" / format).glob("*.md")}


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(answer=says) as running:
        yield running


@pytest.fixture
def asked() -> Frame:
    return tables.as_table(tables.QUESTIONS, question_rows(questions(6)))


def lesson(asked: Frame, server: Server, path: Path, name: str, node: Any = write_chains, **params: Any) -> Any:
    store = CompletionStore(path / "c.sqlite")
    recipe = "single" if name == "cot" else name
    with (
        Stored(engine_for(server, endpoint="here"), store) as teacher,
        Stored(engine_for(server, model="plain", endpoint="here"), store) as plain,
    ):
        return node(
            asked,
            prompts(name),
            SynthesisParams(**({"tries": 2, "prices": PRICES | {"plain": PRICES["teacher"]}} | params)),
            FormatParams(recipe=recipe),
            7,
            teacher,
            plain,
            format=name,
        )


def test_the_prompts_for_real_models_make_chains_of_every_format(asked: Frame, server: Server, tmp_path: Path) -> None:
    for name in ("cot", "longstep", "longmonolog"):
        chains, rejected, costs, estimate = lesson(asked, server, tmp_path, name)
        assert len(chains) + len(rejected) == 6
        assert set(costs["stage"]) == set(estimate["stages"])
        assert costs["cost_usd"].sum() > 0
    assert server.service.received


def test_rows_that_became_no_chain_keep_their_reason_and_text(asked: Frame, server: Server, tmp_path: Path) -> None:
    chains, rejected, costs, _ = lesson(asked, server, tmp_path, "cot")
    (row,) = rejected.to_dict("records")
    assert row["reason"].startswith("no_answer: it does not end with the line 'Final answer: X'")
    assert row["content"] == "No answer is stated here."
    assert len(chains) == 5
    assert costs["requests"].sum() == 7  # one was asked twice
    retried = lesson(asked, server, tmp_path, "longmonolog")[0]
    assert sorted(len(ids) for ids in retried["request_ids"]) == [2, 2, 2, 2, 2, 3]


def test_a_second_lesson_sends_nothing_and_gives_the_same_table(asked: Frame, server: Server, tmp_path: Path) -> None:
    first = lesson(asked, server, tmp_path, "longstep")
    sent = sum(server.service.received.values())
    second = lesson(asked, server, tmp_path, "longstep")
    assert sum(server.service.received.values()) == sent
    assert first[0].equals(second[0])
    assert second[2]["cost_usd"].sum() == 0
    assert second[2]["saved_usd"].sum() == pytest.approx(first[2]["cost_usd"].sum())
    assert second[3]["total"]["to_send"] == 0


def test_a_spent_budget_stops_the_lesson_and_the_next_goes_on(asked: Frame, server: Server, tmp_path: Path) -> None:
    with pytest.raises(BudgetError, match="raise budget_usd"):
        lesson(asked, server, tmp_path, "cot", budget_usd=0.5, max_new_tokens=100)
    sent = sum(server.service.received.values())
    assert 0 < sent < 6
    lesson(asked, server, tmp_path, "cot", max_new_tokens=100)
    assert sum(server.service.received.values()) == 7


def test_an_estimate_alone_sends_nothing(asked: Frame, server: Server, tmp_path: Path) -> None:
    estimate = lesson(asked, server, tmp_path, "longmonolog", estimate_teaching)
    assert estimate["total"]["to_send"] == 12
    assert estimate["total"]["cost_usd"] > 0
    assert not server.service.received


def test_the_estimate_tells_all_formats_their_sum_and_the_time(caplog: pytest.LogCaptureFixture) -> None:
    row = {"requests": 10, "kept": 0, "to_send": 10, "prompt_tokens": 1000, "completion_tokens": 2000,
           "completion_tokens_bound": 9000, "cost_usd": 1.5, "cost_bound_usd": 4.0}  # fmt: skip
    one = {"total": row, "stages": {}, "seconds": 120.0, "seconds_bound": 7200.0}
    caplog.set_level("INFO")
    add_up_estimates(SynthesisParams(budget_usd=2.0), one, one, formats=("cot", "longstep"))
    told = caplog.text
    assert "longstep: 10 requests" in told
    assert "all formats: 20 requests" in told
    assert "about $3.00, at most $8.00" in told
    assert "at least 4 min under the engines' limits, 4.0 h if answers use their whole length" in told
    assert "the budget of $2.00 is NOT enough" in told


def test_tokens_a_minute_make_hours_of_reserved_answers() -> None:
    pace = Pace(requests_per_minute=500, tokens_per_minute=100_000)
    assert pace.seconds(6, 6 * 16_384) == pytest.approx(59, abs=1)  # six requests a minute
    assert pace.seconds(500, 1000) == 60
    assert Pace().seconds(1000, 10**9) == 0


def test_all_chains_rejected_is_an_error_that_counts_the_reasons(asked: Frame, server: Server, tmp_path: Path) -> None:
    server.service.answer = lambda body: (
        "It is so.\nFinal answer: C" if "Case 1" in body["messages"][-1]["content"] else "Of course! Here is it."
    )
    told = r"longmonolog: all 6 of 6 chains rejected: 5 no_answer.*; 1 .*no_second_thought.*prompts of longmonolog"
    with pytest.raises(TeachingError, match=told):
        lesson(asked, server, tmp_path, "longmonolog", tries=1)


def test_one_budget_is_shared_by_all_formats_of_a_run(asked: Frame, server: Server, tmp_path: Path) -> None:
    params = SynthesisParams(prices=PRICES, budget_usd=0.5, max_new_tokens=100, tries=2)

    def costs_of(store: str, *names: str) -> list[float]:
        """What each format spent, asked one after the other of one teacher."""
        with Stored(engine_for(server), CompletionStore(tmp_path / store)) as teacher:
            return [
                write_chains(asked, prompts(name), params, FormatParams(writes="cot"), 7, teacher, format=name)[2][
                    "cost_usd"
                ].sum()
                for name in names
            ]

    def prompts(name: str) -> dict[str, str]:
        return {"request": f"{{{{question}}}} {name}", "again": "{{reason}}"}

    [alone] = costs_of("a.sqlite", "one")
    assert 0 < alone < 0.5  # and the next request could not be set aside within twice as much
    with pytest.raises(BudgetError, match="raise budget_usd"):
        costs_of("b.sqlite", "one", "two")


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ({"recipe": "nothing"}, "there is no recipe 'nothing'. There are single, longstep"),
        ({"writes": "novel"}, "there is no format 'novel'. There are cot"),
        ({"source": "import"}, "needs `imported`"),
    ],
)
def test_formats_and_recipes_are_those_of_the_registries(entry: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        FormatParams(**entry)
    for recipe in RECIPES:
        assert FormatParams(recipe=recipe).calls is RECIPES[recipe]


def test_a_name_that_is_no_format_must_say_what_it_writes(asked: Frame, server: Server, tmp_path: Path) -> None:
    with engine_for(server) as teacher, pytest.raises(UserError, match=r"formats\.terse: .*`writes`"):
        write_chains(asked, {}, SynthesisParams(), FormatParams(), 7, teacher, format="terse")


def test_what_is_wrong_is_found_before_anything_is_sent(server: Server) -> None:
    server.service.served = ("other", "another")
    params = SynthesisParams(prices=PRICES, tries=1)
    with engine_for(server) as teacher:
        with pytest.raises(UserError, match=r"prompts of cot: there is no prompt request\.md"):
            check_teaching({}, params, FormatParams(), 7, teacher, format="cot")
        with pytest.raises(UserError, match="asks plain_teacher, which the catalog does not have"):
            check_teaching(prompts("longstep"), params, FormatParams(recipe="longstep"), 7, teacher, format="longstep")
        with pytest.raises(EngineError, match="no price for 'teacher'"):
            unpriced = SynthesisParams(budget_usd=5, tries=1)
            check_teaching(prompts("cot"), unpriced, FormatParams(), 7, teacher, format="cot")
        with pytest.raises(EngineError, match=r"does not serve the model 'teacher' \(any more\); .*another, other"):
            check_teaching(prompts("cot"), params, FormatParams(), 7, teacher, format="cot")
        server.service.served = ("teacher",)
        check_teaching(prompts("cot"), params, FormatParams(), 7, teacher, format="cot")
    with (
        OpenAI("teacher", base_url="http://127.0.0.1:9/v1") as nobody,
        pytest.raises(EngineError, match=r"nothing answers at http://127\.0\.0\.1:9/v1"),
    ):
        check_teaching(prompts("cot"), params, FormatParams(), 7, nobody, format="cot")
    assert not server.service.received


def test_no_question_that_fits_is_an_error_that_names_what_there_is(asked: Frame) -> None:
    with pytest.raises(UserError, match=r"no training question of medqa, jama .* has 6 of made \(train\)"):
        choose_training_questions(asked, SynthesisParams(questions_of={"medqa": 350, "jama": 150}), 1)
    assert len(choose_training_questions(asked, SynthesisParams(questions_of={"made": 4, "jama": 1}), 1)) == 4


def test_lengths_and_costs_of_all_formats_stand_together(asked: Frame, server: Server, tmp_path: Path) -> None:
    lessons = {name: lesson(asked, server, tmp_path, name) for name in ("cot", "longstep")}
    table, figure, costs = summarise_teaching(
        *(one[0] for one in lessons.values()),
        *(one[2] for one in lessons.values()),
        formats=("cot", "longstep"),
        taught=("cot", "longstep"),
    )
    assert list(table["format"]) == ["cot", "longstep"]
    assert table.set_index("format").loc["longstep", "paper_mean"] == 729
    assert costs.iloc[-1]["format"] == "total"
    assert costs.iloc[-1]["cost_usd"] == pytest.approx(costs.iloc[:-1]["cost_usd"].sum())
    assert "mean in the paper" in figure.to_json()


@pytest.mark.parametrize("environment", ["paper", "paper_open"])
def test_the_prompts_ask_for_more_words_than_the_checks_want(environment: str) -> None:
    parameters = yaml.safe_load((ROOT / "conf" / environment / "parameters_synthesis.yml").read_text())
    SynthesisParams(**parameters["synthesis"])
    for name, stage in (("longstep", "steps"), ("longmonolog", "expand")):
        spec = FormatParams(**parameters["formats"][name])
        asked = [int(words) for words in re.findall(r"not fewer than (\d+)", prompts(name)[stage])]
        assert len(asked) == 1
        assert 0 < spec.min_words < asked[0]


def test_the_real_thought_reaches_the_writing_stage(asked: Frame, server: Server, tmp_path: Path) -> None:
    for name, stage in (("longstep", "strong"), ("longmonolog", "solve")):
        assert f"{{{{{stage}.thought}}}}" in prompts(name)["steps" if name == "longstep" else "expand"]
    state = ChainState(
        ChainTask("longmonolog", RECIPES["longmonolog"], {"solve": "S", "expand": "[{{solve.thought}}]", "again": "x"})
    )
    [(_, first)] = state.begin(questions(1)[0], 0)
    _, [(_, then)] = state.take(Completion(first.key, "It is C.", "stop", reasoning="Hmm, a ring."))
    assert "[Hmm, a ring.\n\nIt is C.]" in then.messages[-1].content


def test_engines_are_looked_at_when_there_is_something_to_send(asked: Frame, server: Server, tmp_path: Path) -> None:
    lesson(asked, server, tmp_path, "cot")
    sent = sum(server.service.received.values())
    server.service.served = ("other",)
    assert len(lesson(asked, server, tmp_path, "cot")[0]) == 5  # all is kept: nobody is needed
    with pytest.raises(EngineError, match="does not serve the model 'teacher'"):
        lesson(asked, server, tmp_path, "longmonolog")
    assert sum(server.service.received.values()) == sent


def student_lesson(asked: Frame, server: Server, path: Path, spec: dict[str, Any], **given: Any) -> Any:
    """Chains of a student, whom the server stands in for: it knows an adapter by its name."""
    params = SynthesisParams(**({"tries": 2} | given.pop("params", {})))
    with Stored(engine_for(server, endpoint="here"), CompletionStore(path / "s.sqlite")) as student:
        model = Model("base", path)
        node = write_student_chains
        return node(asked, prompts("cot"), params, FormatParams(**spec), 7, student, model, format="own", **given)


def test_a_student_writes_chains_as_whoever_taught_it(asked: Frame, server: Server, tmp_path: Path) -> None:
    spec = {"source": "student", "writes": "cot"}
    as_itself = student_lesson(asked, server, tmp_path, spec)
    taught = Adapter("longstep-0123", tmp_path, "0123")
    as_student = student_lesson(asked, server, tmp_path, spec | {"taught_by": "longstep"}, taught=taught)
    assert {body["model"] for body in server.service.bodies} == {"teacher", "longstep-0123"}
    assert len(as_itself[0]) == len(as_student[0]) == 5
    assert not set(as_itself[0]["request_ids"].map(tuple)) & set(as_student[0]["request_ids"].map(tuple))


def test_a_format_has_its_own_number_of_questions_samples_and_temperature(
    asked: Frame, server: Server, tmp_path: Path
) -> None:
    spec = {"source": "student", "writes": "cot", "questions": 2, "samples": 3, "temperature": 0.6}
    chains = student_lesson(asked, server, tmp_path, spec)[0]
    assert sorted(chains["sample"]) == [0, 0, 1, 1, 2, 2]
    assert set(chains["question_id"]) == set(asked["question_id"][:2])
    assert {body["temperature"] for body in server.service.bodies} == {0.6}


def test_a_student_that_may_cost_money_is_refused_under_a_budget(asked: Frame, server: Server, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds for teachers alone"):
        student_lesson(asked, server, tmp_path, {"source": "student", "writes": "cot"}, params={"budget_usd": 1.0})
    assert not server.service.received


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        ({"a": {"source": "student", "writes": "cot", "taught_by": "b"}}, "taught_by is 'b', which is no format"),
        (
            {
                "a": {"source": "student", "writes": "cot", "taught_by": "b"},
                "b": {"source": "student", "writes": "cot", "taught_by": "a"},
            },
            "a is taught by b is taught by a",
        ),
        ({"a": {"writes": "cot", "taught_by": "a"}}, "needs source: student"),
        ({"a": {"source": "student", "writes": "cot", "imported": {"file": "a.json"}}}, "needs source: import"),
        ({"a": {"source": "import", "imported": {"file": "a.json"}, "questions": 3}}, "questions is of chains that"),
        ({"a": {"source": "import", "imported": {"file": "a.json"}, "temperature": 0.5}}, "temperature is of chains"),
    ],
)
def test_a_student_is_taught_by_somebody_else(formats: dict[str, Any], message: str) -> None:
    parameters = {
        "seed": 11,
        "journey": ["synthesis", "filtering", "finetune", "inference"],
        "formats": formats,
        "finetune": {name: {} for name in formats},
        "arms": {"vanilla": {"prompt": "vanilla"}},
    }
    with pytest.raises(StudyError, match=message):
        Study.from_parameters(parameters)
