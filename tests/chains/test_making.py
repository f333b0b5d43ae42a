"""Teachers at work: recipes, tries, prompts, and what stops them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from medo1.chains.lengths import length_figure, length_rows
from medo1.chains.making import make_chains
from medo1.chains.recipes import RECIPES, Recipe, Stage, next_stages
from medo1.chains.state import ChainState, MadeChain, RejectedChain, TeachingError
from medo1.chains.survey import survey_chains
from medo1.chains.task import ChainTask, TeachingSpec
from medo1.engines import Completion, Engine, EngineError, Request
from medo1.engines.wrappers.money import Budget, Budgeted, BudgetError, Price
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from medo1.errors import UserError
from medo1.questions import Question, question_id
from tests.chains.asked import chains_of
from tests.chains.test_formats import MONOLOGUE, STEPS, TREE
from tests.engines.conftest import engine_for
from tests.engines.http.server import Server

OPTIONS = {"A": "gout", "B": "sepsis", "C": "Lyme disease", "D": "lupus"}
FULL = {
    "longstep": {
        "strong": "{{question}} STRONG",
        "plain": "PLAIN",
        "steps": "{{question}} STEPS [{{strong}}] [{{plain}}]",
    },
    "longmonolog": {"solve": "SOLVE", "expand": "EXPAND [{{solve.thought}}]"},
    "journey": {"tree": "TREE", "smooth": "SMOOTH [{{tree.walk}}]"},
    "single": {"request": "REQUEST"},
}


def questions(count: int) -> list[Question]:
    made = []
    for place in range(count):
        stem = f"Case {place}: a ring and a knee."
        made.append(Question(question_id(stem, OPTIONS), "made", "train", stem, OPTIONS, "C"))
    return made


class Teacher(Engine):
    """Answers from a function of the last message."""

    def __init__(
        self, answer: Callable[[str], str | Completion], name: str = "teacher", *, streams: bool = True
    ) -> None:
        self.answer = answer
        self.name = name
        self.streams = streams
        self.asked: list[str] = []

    @property
    def identity(self) -> dict[str, Any]:
        return {"kind": "test", "model": self.name}

    def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
        for request in requests if self.streams else list(requests):
            text = request.messages[-1].content
            self.asked.append(text)
            answer = self.answer(text)
            if isinstance(answer, Completion):
                yield [answer]
                continue
            yield [Completion(request.key, answer, "stop", 10, 20, model=self.name, request_id=f"id{len(self.asked)}")]


def strong(text: str) -> str:
    if "STEPS" in text:
        return STEPS
    if "EXPAND" in text or "SMOOTH" in text:
        return MONOLOGUE
    if "TREE" in text:
        return json.dumps(TREE)
    return "Strong thought.\nFinal answer: C"


@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("name", ["longstep", "longmonolog", "journey", "single"])
def test_each_recipe_makes_chains_of_its_format(name: str, streams: bool) -> None:
    teacher = Teacher(strong, streams=streams)
    plain = Teacher(lambda _: "Plain.\nFinal answer: B", "plain", streams=streams)
    made = list(
        chains_of(
            questions(7),
            format="cot" if name == "single" else name,
            recipe=RECIPES[name],
            engines={"teacher": teacher, "plain_teacher": plain},
            prompts={**FULL[name], "again": "Again: {{reason}}"},
        )
    )
    assert len(made) == 7
    assert all(isinstance(chain, MadeChain) for chain in made)
    assert len({chain.question_id for chain in made}) == 7
    assert all(len(chain.request_ids) == len(RECIPES[name].stages) for chain in made)
    assert len(plain.asked) == (7 if name == "longstep" else 0)


def test_later_stages_are_given_what_earlier_ones_said() -> None:
    teacher = Teacher(strong)
    plain = Teacher(lambda _: "Plain {{gold}} thought.", "plain")  # a model's text is not searched for placeholders
    engines = {"teacher": teacher, "plain_teacher": plain}
    prompts = {**FULL["longstep"], "again": "x"}
    list(chains_of(questions(1), format="longstep", recipe=RECIPES["longstep"], engines=engines, prompts=prompts))
    (asked,) = [text for text in teacher.asked if "STEPS" in text]
    assert "[Strong thought.\nFinal answer: C]" in asked
    assert "[Plain {{gold}} thought.]" in asked
    assert "A. gout" in asked


def test_a_second_stage_does_not_wait_for_all_first_ones(server: Server) -> None:
    server.service.answer = lambda body: strong(body["messages"][-1]["content"])
    order: list[str] = []
    slow = questions(1)[0]
    prompts = {"solve": "SOLVE", "expand": "EXPAND [{{solve}}]", "again": "x"}
    first = Question(slow.question_id, "made", "train", slow.stem + " [faults: slow=1.5]", OPTIONS, "C")
    with engine_for(server, concurrency=2) as engine:
        for chain in chains_of(
            [first, *questions(6)[1:]],
            format="longmonolog",
            recipe=RECIPES["longmonolog"],
            engines={"teacher": engine},
            prompts=prompts,
        ):
            order.append(chain.question_id)  # noqa: PERF401
    assert order[-1] == slow.question_id
    assert len(order) == 6


def test_an_invalid_chain_is_asked_again_with_the_reason() -> None:
    teacher = Teacher(lambda text: MONOLOGUE if "again because" in text else "It is Lyme disease.\nFinal answer: C")
    (made,) = chains_of(
        questions(1),
        format="longmonolog",
        recipe=RECIPES["single"],
        engines={"teacher": teacher},
        prompts={"request": "REQUEST", "again": "again because {{reason}}"},
    )
    assert isinstance(made, MadeChain)
    assert made.tries == 2
    assert made.request_ids == ("id1", "id2")
    assert "again because it states an answer and no reason" in teacher.asked[1]
    assert "it only goes straight ahead" in teacher.asked[1]


def test_what_stays_invalid_is_kept_as_rejected_with_the_reason() -> None:
    teacher = Teacher(lambda _: "It is Lyme disease.")
    (rejected,) = chains_of(
        questions(1),
        format="longmonolog",
        recipe=RECIPES["single"],
        engines={"teacher": teacher},
        prompts={"request": "REQUEST", "again": "{{reason}}"},
        teaching=TeachingSpec(tries=3),
    )
    assert isinstance(rejected, RejectedChain)
    assert rejected.code == "no_answer,no_second_thought"
    assert "Final answer: X" in rejected.reason
    assert rejected.text == "It is Lyme disease."
    assert len(teacher.asked) == 3


def test_a_failed_stage_rejects_the_chain_and_names_the_stage() -> None:
    def fails(text: str) -> str:
        return "not a tree" if "TREE" in text else strong(text)

    (rejected,) = chains_of(
        questions(1),
        format="journey",
        recipe=RECIPES["journey"],
        engines={"teacher": Teacher(fails)},
        prompts=FULL["journey"],
        teaching=TeachingSpec(tries=1),
    )
    assert isinstance(rejected, RejectedChain)
    assert rejected.code == "tree:no_tree"
    assert rejected.reason.startswith("stage tree: it is not JSON")


@pytest.mark.parametrize("order", [("strong", "plain"), ("plain", "strong")])
@pytest.mark.parametrize("plain_too", [True, False])
def test_what_becomes_of_a_chain_does_not_depend_on_which_call_came_back_first(
    order: tuple[str, str], plain_too: bool
) -> None:
    prompts = {**FULL["longstep"], "again": "{{reason}}"}
    state = ChainState(ChainTask("longstep", RECIPES["longstep"], prompts, TeachingSpec(tries=2)))
    [question] = questions(1)
    ready = {request.key.split("/")[2]: request for _, request in state.begin(question, 0)}
    assert set(ready) == set(order)

    def answers(stage: str, request: Request) -> Iterator[RejectedChain | None]:
        """One stage's answers up to its end: the strong one is empty each time, the plain one as the test says."""
        while True:
            turn = request.key.split("/")[3]
            text = "" if stage == "strong" or plain_too else "It is gout."
            told, further = state.take(Completion(request.key, text, "stop", request_id=f"{stage}{turn}"))
            assert told is None or isinstance(told, RejectedChain)
            yield told
            if not further:
                return
            [(_, request)] = further

    outcomes = [outcome for stage in order for outcome in answers(stage, ready[stage])]
    [rejected] = [outcome for outcome in outcomes if outcome is not None]
    assert outcomes[-1] is rejected  # what was asked is waited for
    assert rejected.code == "strong:empty"
    plain = ("plain1", "plain2") if plain_too else ("plain1",)
    assert rejected.request_ids == ("strong1", "strong2", *plain)
    assert not state.works


def test_the_right_answer_is_shown_only_when_that_is_said_and_then_marked() -> None:
    teacher = Teacher(strong)
    options: dict[str, Any] = {
        "format": "cot", "recipe": RECIPES["single"], "engines": {"teacher": teacher}, "where": "conf/x",
    }  # fmt: skip
    guided = {"request": "The answer is {{gold}}. REQUEST", "again": "x"}
    with pytest.raises(UserError, match=r"conf/x/request\.md shows the teacher the right answer.*answer_guided"):
        list(chains_of(questions(1), prompts=guided, **options))
    (made,) = chains_of(questions(1), prompts=guided, answer_guided=True, **options)
    assert isinstance(made, MadeChain)
    assert made.guided
    assert "C. Lyme disease. REQUEST" in teacher.asked[0]
    (plain,) = chains_of(questions(1), prompts={"request": "REQUEST", "again": "x"}, **options)
    assert isinstance(plain, MadeChain)
    assert not plain.guided


def test_prompts_are_checked_before_anything_is_sent() -> None:
    teacher = Teacher(strong)
    options: dict[str, Any] = {"format": "cot", "recipe": RECIPES["single"], "engines": {"teacher": teacher}}
    with pytest.raises(UserError, match=r"no prompt request\.md"):
        list(chains_of(questions(1), prompts={"other": ""}, **options))
    with pytest.raises(UserError, match=r"request\.md uses \{\{strong\}\}, which is not there"):
        list(chains_of(questions(1), prompts={"request": "{{strong}}", "again": ""}, **options))
    assert teacher.asked == []


def test_a_cut_stage_is_continued_as_the_settings_say(server: Server) -> None:
    words = "It is a tick. " * 8 + "\nFinal answer: C"
    server.service.answer = lambda body: (
        words[len(body["messages"][-1]["content"]) :] if body["messages"][-1]["role"] == "assistant" else words
    )
    with engine_for(server, continuation="native") as engine:
        (made,) = chains_of(
            questions(1),
            format="cot",
            recipe=RECIPES["single"],
            engines={"teacher": engine},
            prompts={"request": "REQUEST"},
            teaching=TeachingSpec(max_new_tokens=12, when_cut="continue", cut_rounds=8, tries=1),
        )
    assert isinstance(made, MadeChain)
    assert made.completion.text == words
    assert len(made.request_ids) > 2


def test_an_interrupted_study_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.service.answer = lambda body: strong(body["messages"][-1]["content"])
    server.service.latency_s = 0.01
    options: dict[str, Any] = {
        "format": "longstep", "recipe": RECIPES["longstep"], "prompts": {**FULL["longstep"], "again": "x"},
    }  # fmt: skip

    def engines() -> dict[str, Engine]:
        store = CompletionStore(tmp_path / "c.sqlite")
        return {
            "teacher": Stored(engine_for(server, endpoint="here"), store),
            "plain_teacher": Stored(engine_for(server, model="plain", endpoint="here"), store),
        }

    started = time.monotonic()
    for place, _ in enumerate(chains_of(questions(40), engines=engines(), **options)):
        if place == 5:
            break
    assert time.monotonic() - started < 20
    before = sum(server.service.received.values())
    assert before < 120
    assert len(list(chains_of(questions(40), engines=engines(), **options))) == 40
    assert sum(server.service.answered.values()) == 120
    assert len(list(chains_of(questions(41), engines=engines(), **options))) == 41
    assert sum(server.service.answered.values()) == 123


def test_a_spent_budget_ends_the_study_and_keeps_everything(server: Server, tmp_path: Path) -> None:
    server.service.answer = lambda body: strong(body["messages"][-1]["content"])
    price = {"teacher": Price(prompt_usd_per_million=1000, completion_usd_per_million=1000)}
    engine = Stored(Budgeted(engine_for(server), price, Budget(0.5)), CompletionStore(tmp_path / "c.sqlite"))
    with engine, pytest.raises(BudgetError, match="raise budget_usd"):
        list(
            chains_of(
                questions(200),
                format="longmonolog",
                recipe=RECIPES["longmonolog"],
                engines={"teacher": engine},
                prompts={**FULL["longmonolog"], "again": "x"},
                teaching=TeachingSpec(max_new_tokens=64),
            )
        )
    assert engine.store.count() == sum(server.service.answered.values()) > 0


def test_an_engines_end_is_raised_not_swallowed() -> None:
    def broken(_: str) -> str:
        raise EngineError("no server")

    with pytest.raises(EngineError, match="no server"):
        list(
            chains_of(
                questions(3),
                format="cot",
                recipe=RECIPES["single"],
                engines={"teacher": Teacher(broken)},
                prompts={"request": "REQUEST", "again": ""},
            )
        )


def test_the_estimate_follows_the_recipe_and_the_store(server: Server, tmp_path: Path) -> None:
    server.service.answer = lambda body: strong(body["messages"][-1]["content"])
    engines = {"teacher": Stored(engine_for(server), CompletionStore(tmp_path / "c.sqlite"))}
    prices = {"teacher": Price(prompt_usd_per_million=1, completion_usd_per_million=2)}
    prompts = {**FULL["longmonolog"], "again": "x"}
    task = ChainTask("longmonolog", RECIPES["longmonolog"], prompts, TeachingSpec(max_new_tokens=500), seed=3)
    before = survey_chains(questions(10), task, engines, prices)
    assert {name: one.to_send for name, one in before.stages.items()} == {"solve": 10, "expand": 10}
    assert sum(server.service.received.values()) == 0
    with engines["teacher"]:
        assert len(list(make_chains(survey_chains(questions(6), task, engines, prices), engines))) == 6
        after = survey_chains(questions(10), task, engines, prices)
        assert (after.whole.requests, after.whole.kept, after.whole.to_send) == (20, 12, 8)
        assert after.whole.cost_usd is not None
        assert before.whole.cost_usd > after.whole.cost_usd  # type: ignore[operator]


def test_a_run_goes_on_from_its_survey_and_asks_only_for_what_is_missing(server: Server, tmp_path: Path) -> None:
    server.service.answer = lambda body: strong(body["messages"][-1]["content"])
    engines = {"teacher": Stored(engine_for(server), CompletionStore(tmp_path / "c.sqlite"))}
    task = ChainTask("longmonolog", RECIPES["longmonolog"], {**FULL["longmonolog"], "again": "x"})
    with engines["teacher"]:
        for place, _ in enumerate(make_chains(survey_chains(questions(20), task, engines, {}), engines)):
            if place == 3:
                break
        seen: list[bool] = []
        survey = survey_chains(questions(20), task, engines, {}, watch=lambda one, *_: seen.append(one.cached))
        assert seen
        assert all(seen)
        assert len(survey.finished) + len({request.key.split("/")[0] for _, request in survey.calls}) + len(
            survey.unbegun
        ) == len(questions(20))
        made = list(make_chains(survey, engines, watch=lambda one, *_: seen.append(one.cached)))
    assert len({one.question_id for one in made}) == 20
    assert sum(server.service.answered.values()) == 40
    assert seen.count(False) + seen.count(True) == 40


def test_the_estimate_counts_no_later_stage_of_a_chain_that_was_given_up(server: Server, tmp_path: Path) -> None:
    server.service.answer = lambda body: ""
    strong_one = Stored(engine_for(server), CompletionStore(tmp_path / "c.sqlite"))
    plain_one = Stored(engine_for(server), CompletionStore(tmp_path / "empty.sqlite"))
    task = ChainTask("longstep", RECIPES["longstep"], FULL["longstep"], TeachingSpec(tries=1))
    with strong_one, plain_one:
        both = {"teacher": strong_one, "plain_teacher": strong_one}
        made = make_chains(survey_chains(questions(3), task, both, {}), both)
        assert all(isinstance(one, RejectedChain) for one in made)
        found = survey_chains(questions(3), task, {"teacher": strong_one, "plain_teacher": plain_one}, {}).stages
    assert {name: one.to_send for name, one in found.items()} == {"strong": 0, "plain": 3, "steps": 0}


@pytest.mark.parametrize("tries", [1, 3])
def test_a_run_stops_when_most_of_the_first_replies_are_refused_alike(
    server: Server, tmp_path: Path, tries: int
) -> None:
    server.service.answer = lambda body: "The ring decides, so it is Lyme disease. Final answer: C"
    teaching = TeachingSpec(tries=tries, stop_after=10)
    task = ChainTask("longstep", RECIPES["single"], {"request": "R", "again": "x"}, teaching, where="conf/x")
    with Stored(engine_for(server, concurrency=4), CompletionStore(tmp_path / "c.sqlite")) as teacher:
        engines = {"teacher": teacher}
        with pytest.raises(TeachingError, match=r"10 of the first 10 replies at the stage 'request'.*no_steps.*conf/x"):
            list(make_chains(survey_chains(questions(200), task, engines, {}), engines))
        assert 10 <= sum(server.service.received.values()) <= 2 * 10 * tries
        sent = sum(server.service.received.values())
        with pytest.raises(TeachingError, match="no_steps"):  # and again, without another request
            list(make_chains(survey_chains(questions(200), task, engines, {}), engines))
        assert sum(server.service.received.values()) == sent
        server.service.answer = lambda body: STEPS
        patient = ChainTask(
            "longstep", task.recipe, task.prompts, teaching.model_copy(update={"stop_after": None}), where="conf/x"
        )
        assert len(list(make_chains(survey_chains(questions(30), patient, engines, {}), engines))) == 30


def test_replies_that_differ_in_their_faults_do_not_stop_a_run(server: Server) -> None:
    texts = ["It is C.", "Sure! Here is it.\n" + STEPS, STEPS]
    server.service.answer = lambda body: texts[len(server.service.received) % 3]
    with engine_for(server) as teacher:
        outcomes = list(
            chains_of(
                questions(60),
                format="longstep",
                recipe=RECIPES["single"],
                engines={"teacher": teacher},
                prompts={"request": "R"},
                teaching=TeachingSpec(tries=1, stop_after=10),
            )
        )
    assert len(outcomes) == 60


def test_a_chains_length_is_without_hidden_thought() -> None:
    def made(**counts: int) -> MadeChain:
        return MadeChain("q", 0, Completion("k", "text", "stop", **counts), (), 1, False)

    assert made(completion_tokens=900, reasoning_tokens=700).tokens == 200
    assert made(completion_tokens=900).tokens == 900
    assert made(completion_tokens=5, reasoning_tokens=7).tokens == 0
    assert made().tokens is None


def test_a_recipe_names_what_it_needs_in_order() -> None:
    with pytest.raises(ValueError, match="needs"):
        Recipe((Stage("a", needs=("b",)), Stage("b")))
    longstep = RECIPES["longstep"]
    assert [stage.name for stage in next_stages(longstep, set(), set())] == ["strong", "plain"]
    assert next_stages(longstep, {"strong"}, {"strong", "plain"}) == []
    assert [stage.name for stage in next_stages(longstep, {"strong", "plain"}, {"strong", "plain"})] == ["steps"]


def test_lengths_stand_beside_the_papers() -> None:
    lengths = {"longstep": [700, 750], "longmonolog": [1000, 1400], "cot": []}
    rows = {row["format"]: row for row in length_rows(lengths, {"cot": 2})}
    assert rows["longstep"]["mean"] == 725
    assert rows["longstep"]["paper_mean"] == 729
    assert rows["longmonolog"]["q50"] == 1200
    assert (rows["cot"]["chains"], rows["cot"]["counted"]) == (2, 0)
    assert "mean in the paper" in length_figure(lengths).to_json()
