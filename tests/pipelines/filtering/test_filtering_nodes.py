"""Every chain has a verdict of every filter, the counts add up, and an empty result stops the run there."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import ValidationError

from medo1 import tables
from medo1.chains.filters.funnel import funnel_figure, funnel_rows
from medo1.chains.filters.running import ChainFilters
from medo1.chains.filters.specs import FilterSpecs
from medo1.errors import UserError
from medo1.pipelines.filtering.nodes import (
    ask_judges,
    attempt_questions,
    check_filters,
    filter_chains,
    keep_chains,
    refine_chains,
    summarise_filters,
)
from medo1.pipelines.filtering.params import FilteringParams
from medo1.pipelines.filtering.pipeline import create_pipeline
from medo1.questions import Question, question_rows
from tests.chains.filters.rows import RIGHT, Told, chain, question
from tests.conftest import ROOT
from tests.questions.planted import PLANTERS, vignettes

STEMS = [stem for stem, _ in vignettes("en", 12, 3)]
ORDER = ("finished", "format", "answer", "correct", "leak", "length", "repetition", "decontamination", "duplicates")
PARAMS = FilteringParams.model_validate({"order": ORDER, "length": {"tokens_of": "teacher", "min_tokens": 2}})
TEST = question(99, "test", STEMS[0])
SPEC: dict[str, Any] = {"writes": None}


def filtered(
    chains: list[dict[str, Any]],
    questions: list[Question],
    params: FilteringParams = PARAMS,
    *more: Any,
    given: tuple[str, ...] = (),
) -> tuple[Any, Any, Any, Any]:
    table, asked = tables.as_table(tables.CHAINS, chains), tables.as_table(tables.QUESTIONS, question_rows(questions))
    verdicts = filter_chains(table, asked, params, SPEC, 1, *more, format="cot", given=given)
    return (verdicts, *keep_chains(table, verdicts, params, format="cot"))


def unlike(n: int) -> str:
    """A right chain that is like no other."""
    words = " ".join(f"{chr(97 + n)}{chr(97 + place % 26)}{chr(97 + place // 26)}" for place in range(60))
    return f"{words}\n{RIGHT}"


CHAINS = [
    chain(1, unlike(1)),
    chain(2, unlike(2), finish="length"),
    chain(3, "The rash spreads. I am not sure."),
    chain(4, "It is the flu.\nFinal answer: A"),
    chain(5, f"The given answer is B.\n{unlike(5)}"),
    chain(6, unlike(6)),
    chain(7, unlike(1)),
    chain(8, "  "),
    chain(9, unlike(9)),
    chain(10, unlike(10), completion_tokens=1),
    chain(11, "Let me look again at it.\n" * 5 + unlike(11)),
    chain(12, unlike(12), sample=1),
]
QUESTIONS = [
    *(question(n, stem=f"{STEMS[n]}") for n in (1, 2, 3, 4, 5, 7, 8, 10, 11)),
    question(6, stem=PLANTERS["reordered"](STEMS[0], {}, random.Random(1))),
    question(12),
    TEST,
]  # there is no question 9
EXPECTED = {2: "finished", 3: "answer", 4: "correct", 5: "leak", 6: "decontamination", 7: "duplicates", 8: "usable",
            9: "usable", 10: "length", 11: "repetition"}  # fmt: skip


def test_each_chain_is_kept_or_dropped_by_the_first_filter_that_refuses_it_with_its_reason() -> None:
    verdicts, kept, dropped, summary = filtered(CHAINS, QUESTIONS)
    assert [int(one, 16) for one in kept["question_id"]] == [1, 12]
    assert {int(row.question_id, 16): row.filter for row in dropped.itertuples()} == EXPECTED
    assert (dropped["reason"].str.len() > 0).all()
    assert summary["chains"] == 12 == summary["kept"] + sum(summary["dropped"].values())
    assert summary["right_answers_read_by"] == {"letter": 7}
    assert len(verdicts) == len(CHAINS) * (1 + len(ORDER))
    assert list(verdicts["filter"].unique()) == ["usable", *ORDER]


def test_bad_input_is_named_and_the_other_filters_say_that_they_did_not_look() -> None:
    verdicts, *_ = filtered(CHAINS, QUESTIONS)
    told = verdicts[verdicts["question_id"] == f"{9:016x}"].set_index("filter")["reason"]
    assert told["usable"] == f"no question has the id '{9:016x}'"
    assert told["leak"] == told["duplicates"] == f"not looked at: no question has the id '{9:016x}'"
    assert verdicts[verdicts["question_id"] == f"{8:016x}"]["reason"].iloc[0] == "the chain holds no text"


def test_each_chain_leads_to_its_completion() -> None:
    verdicts, kept, dropped, _ = filtered(CHAINS, QUESTIONS)
    for table in (verdicts, kept, dropped):
        assert all(row.request_id == f"r{int(row.question_id, 16)}" for row in table.itertuples())
    assert list(dropped["request_ids"].iloc[0]) == ["r2"]


def test_the_same_chains_give_the_same_verdicts_in_partitions_of_any_size() -> None:
    whole, *_ = filtered(CHAINS, QUESTIONS)
    for rows in (1, 5):
        parted, *_ = filtered(CHAINS, QUESTIONS, PARAMS.model_copy(update={"partition_rows": rows}))
        assert parted.equals(whole)


@pytest.mark.slow
def test_ray_gives_the_same_rows() -> None:
    pytest.importorskip("ray")
    here, *_ = filtered(CHAINS, QUESTIONS)
    update = {"run_on": "ray", "partition_rows": 4, "workers": 2}
    there, *_ = filtered(CHAINS, QUESTIONS, PARAMS.model_copy(update=update))
    assert there.equals(here)
    import ray

    assert not ray.is_initialized(), "Ray was started for the filters, and ends with them"


def test_nothing_kept_stops_the_run_there_with_the_funnel() -> None:
    with pytest.raises(UserError, match=r"cot: none of 1 chains is kept") as told:
        filtered([chain(4, "It is the flu, with its fever.\nFinal answer: A")], QUESTIONS)
    assert re.search(r"correct +1 +1 +0\n", str(told.value))
    assert "kedro chains why" in str(told.value)
    with pytest.raises(UserError, match="none of 0 chains is kept"):
        filtered([], QUESTIONS)


def test_decontamination_without_test_questions_is_refused_and_can_be_left_out() -> None:
    with pytest.raises(UserError, match="there is no test question to hold chains against"):
        filtered([chain(1)], [question(1)])
    order = [name for name in ORDER if name != "decontamination"]
    _, kept, *_ = filtered([chain(1)], [question(1)], PARAMS.model_copy(update={"order": tuple(order)}))
    assert len(kept) == 1


def test_of_a_question_in_several_splits_a_chain_belongs_to_the_one_for_training() -> None:
    twice = [question(1, benchmark="learnt"), question(1, "test", benchmark="tested")]
    for asked in (twice, twice[::-1]):
        [one] = ChainFilters(FilterSpecs(order=("leak",)), asked, "cot").candidates([chain(1)], [None])
        assert one.question is not None
        assert one.question.benchmark == "learnt"


def test_a_wrong_chain_is_kept_where_correctness_is_not_in_the_order() -> None:
    params = PARAMS.model_copy(update={"order": ("finished",)})
    _, kept, *_ = filtered([chain(4, "Final answer: A")], QUESTIONS, params)
    assert len(kept) == 1


def test_a_question_in_train_and_test_is_contamination() -> None:
    _, _, dropped, _ = filtered([chain(1, unlike(1)), chain(2, unlike(2))], [*QUESTIONS, question(1, "test")])
    assert list(dropped["filter"]) == ["decontamination"]


ROWS = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from([RIGHT, "Final answer: A", "no idea", "", "the answer key says B"]),
              st.sampled_from(["stop", "length"])),
    min_size=1, max_size=12, unique_by=lambda row: row[0],
)  # fmt: skip


@given(ROWS)
@examples(max_examples=20, deadline=None)
def test_the_funnel_adds_up_whatever_comes(rows: list[tuple[int, str, str]]) -> None:
    chains = [chain(n, text, finish) for n, text, finish in rows]
    table = tables.as_table(tables.CHAINS, chains)
    asked = tables.as_table(tables.QUESTIONS, question_rows([*(question(n) for n in range(5)), TEST]))
    verdicts = filter_chains(table, asked, PARAMS, SPEC, 1, format="cot")
    funnel, figure = summarise_filters(verdicts, formats=("cot",))
    assert funnel["entered"].iloc[0] == len(chains)
    assert (funnel["entered"] - funnel["dropped"] == funnel["left"]).all()
    assert (funnel["left"].iloc[:-1].to_numpy() == funnel["entered"].iloc[1:].to_numpy()).all()
    assert (funnel["refused"] >= funnel["dropped"]).all()
    assert (funnel["alone"] <= funnel["dropped"]).all()
    passed = verdicts.groupby(["question_id", "sample"])["passed"].all().sum()
    assert funnel["left"].iloc[-1] == passed
    assert len(figure.data) == 2


def test_no_format_gives_a_figure_without_bars() -> None:
    assert funnel_rows("cot", [], ["usable"])[0]["left"] == 0
    assert len(funnel_figure([]).data) == 0


def test_judges_read_prose_and_score_and_their_agreement_is_told() -> None:
    params = FilteringParams.model_validate(
        {"order": ["answer", "correct", "judge"], "judge": {"engines": ["one", "two"], "min_score": 3}}
    )
    chains = [chain(1, unlike(1)), chain(2, "It is the illness with Koplik spots."), chain(3, unlike(3))]
    table = tables.as_table(tables.CHAINS, chains)
    asked = tables.as_table(tables.QUESTIONS, question_rows(QUESTIONS))
    prompts = {"answer": "{{question}}{{chain}} letter", "quality": "{{question}}{{chain}} rubric"}
    poor = f"{3:016x}/0"
    engines = [Told(lambda r: f"facts: {1 if r.key == poor else 4}\nAnswer: B", name=name) for name in ("one", "two")]
    said = ask_judges(table, asked, params, SPEC, prompts, *engines, format="cot", names=("one", "two"))
    assert [len(engine.asked) for engine in engines] == [4, 4]
    verdicts = filter_chains(table, asked, params, SPEC, 1, said, format="cot", given=("judgements",))
    kept, dropped, summary = keep_chains(table, verdicts, params, said, format="cot")
    assert [int(one, 16) for one in kept["question_id"]] == [1, 2]
    assert list(dropped["filter"]) == ["judge"]
    assert summary["right_answers_read_by"] == {"judge": 1, "letter": 2}
    assert summary["judges"] == {
        "judges": ["one", "two"], "chains": 3, "same_verdict": 1.0, "kappa": 1.0, "mean_difference": 0.0,
    }  # fmt: skip


def test_what_a_plain_solver_always_solves_is_dropped_as_easy() -> None:
    params = FilteringParams.model_validate(
        {"order": ["difficulty"], "difficulty": {"solver": "student", "attempts": 2}}
    )
    asked = tables.as_table(tables.QUESTIONS, question_rows([question(1), question(2)]))
    easy = f"{1:016x}"
    solver = Told(lambda request: f"Final answer: {'B' if request.key.startswith(easy) else 'A'}")
    attempts = attempt_questions(asked, "Answer.", params, 1, solver)
    _, kept, dropped, _ = filtered(
        [chain(1), chain(2)], [question(1), question(2)], params, attempts, given=("attempts",)
    )
    assert [int(one, 16) for one in kept["question_id"]] == [2]
    assert "0% of student's attempts fail" in dropped["reason"].iloc[0]


def test_a_refined_chain_takes_the_place_of_the_wrong_one() -> None:
    params = FilteringParams.model_validate({"order": ["correct"], "refine": {"reasons": ["correct"]}})
    table = tables.as_table(tables.CHAINS, [chain(1), chain(4, "Final answer: A")])
    asked = tables.as_table(tables.QUESTIONS, question_rows(QUESTIONS))
    prompts = {"refine": "{{question}} {{chain}} {{reason}} {{request}}"}
    teacher = Told(lambda _: RIGHT)
    again = refine_chains(table, asked, params, SPEC, prompts, {"request": "Think."}, 1, teacher, format="cot")
    assert list(again["text"]) == [RIGHT, RIGHT]
    assert list(again["request_ids"].map(len)) == [1, 2]
    assert teacher.asked[0].messages[0].content.endswith("Think.")


def test_the_students_own_tokens_are_counted(tiny_model: Path) -> None:
    from medo1.engines.base import Model

    params = FilteringParams.model_validate({"order": ["length"], "length": {"min_tokens": 20, "max_tokens": 40}})
    model = Model("tiny", path=tiny_model)
    chains = [chain(1, "x" * 19), chain(2, "x" * 20), chain(3, "x" * 40), chain(4, "x" * 41)]  # a byte is a token
    verdicts, kept, *_ = filtered(chains, QUESTIONS, params, model, given=("base_model",))
    assert [int(one, 16) for one in kept["question_id"]] == [2, 3]
    assert list(verdicts[verdicts["filter"] == "length"]["value"]) == [19, 20, 40, 41]


def test_parameters_that_contradict_each_other_are_refused() -> None:
    for wrong, told in (
        ({"order": ["leak", "leak"]}, "names a filter twice"),
        ({"order": ["selection", "leak"]}, "come last"),
        ({"decontamination": {"sibling": 0.5, "leak": 0.4}}, "more than leak"),
        ({"length": {"min_tokens": 5, "max_tokens": 4}}, "more than max_tokens"),
        ({"require_correct": True}, "require_correct"),
    ):
        with pytest.raises(ValidationError, match=told):
            FilterSpecs.model_validate(wrong)


@pytest.mark.parametrize("env", ["recorded", "paper"])
def test_the_environments_filters_are_valid(env: str) -> None:
    import yaml

    base = yaml.safe_load((ROOT / "conf/base/parameters_filtering.yml").read_text())["filtering"]
    own = yaml.safe_load((ROOT / f"conf/{env}/parameters.yml").read_text())["filtering"]
    assert "decontamination" in FilteringParams.model_validate(base | own).order


def names(**filtering: Any) -> set[str]:
    formats = {name: {"source": "teacher"} for name in ("cot", "longstep")}
    pipeline = create_pipeline(formats, FilteringParams.model_validate(filtering).asks(), base_model="x")
    return {node.name for node in pipeline.nodes} | set(pipeline.inputs())


def test_the_graph_holds_what_the_filters_ask_for_and_no_more() -> None:
    plain = names(order=["correct"])
    assert plain >= {"cot.filter_chains", "cot.keep_chains", "longstep.keep_chains", "summarise_filters", "questions"}
    assert plain.isdisjoint({"base_model", "teacher", "filter_prompts", "attempt_questions", "cot.ask_judges"})
    assert "base_model" in names(order=["length"])
    assert {"judge", "cot.ask_judges", "filter_prompts"} <= names(order=["correct"], judge={"engines": ["judge"]})
    assert {"student", "base_model", "attempt_questions", "training_questions", "prompt_vanilla"} <= names(
        order=["difficulty"], difficulty={"solver": "student"}
    )
    assert {"teacher", "cot.refine_chains"} <= names(order=["correct"], refine={"reasons": ["correct"]})


def test_what_slips_through_the_filter_of_right_answers_is_counted_in_the_embedded_world() -> None:
    """An expert that always errs: the filter keeps some wrong chains, and the table knows how many."""
    from medo1.clinic.exam import questions as cases
    from medo1.clinic.expert import Expert
    from medo1.clinic.soundness import is_sound
    from medo1.clinic.wording import REQUESTS
    from medo1.clinic.world import WorldSpec, world_from
    from medo1.engines.base import Message, Request
    from medo1.pipelines.clinic.params import ClinicParams
    from medo1.questions import prompt_text

    world = world_from(WorldSpec(seed=7))
    asked = [one for one in cases(world, ClinicParams().exam) if one.split == "train"][::4][:120]
    for form in ("cot", "longstep", "longmonolog"):
        rows = []
        for rate in (0.0, 1.0):
            expert = Expert(world, error_rate=rate)
            requests = [Request(one.question_id, (Message("user", prompt_text(one, REQUESTS[form])),)) for one in asked]
            told = {reply.key: reply.text for reply in expert.complete(requests)}
            sound = [is_sound(world, one, form, told[one.question_id]) for one in asked]
            if rate == 0:
                assert set(sound) == {True}
                continue
            # one look-up of every chain is wrong: none is sound, though some end on the right answer
            assert set(sound) == {False}
            rows = [chain(0, told[one.question_id], question_id=one.question_id, format=form) for one in asked]
        table = tables.as_table(tables.CHAINS, rows)
        questions = tables.as_table(tables.QUESTIONS, question_rows(asked))
        params = FilteringParams.model_validate({"order": ["answer", "correct"]})
        verdicts = filter_chains(table, questions, params, SPEC, 1, format=form)
        found = check_filters(world.to_value(), questions, table, verdicts, formats=(form,)).set_index("filter")
        assert found.loc["correct", "chains"] == 120
        assert found.loc["correct", "sound"] == 0
        assert found.loc["correct", "unsound_kept"] == found.loc["correct", "kept"] < 60
