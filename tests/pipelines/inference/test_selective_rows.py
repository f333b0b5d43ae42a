"""The frontier of selective thought from the answers that two arms gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from medo1.engines import Engine, Request
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from medo1.errors import UserError
from medo1.frames import Frame
from medo1.gathered import gather
from medo1.pipelines.inference import nodes
from medo1.pipelines.inference.params import ArmParams, InferenceParams, SelectiveParams
from tests.pipelines.inference.tape import Tape
from tests.pipelines.inference.test_nodes import LETTERS, questions

PARAMS = InferenceParams(max_new_tokens=64, samples=4, selective={"first": "quick", "samples": 4})

ARMS: dict[str, Any] = {"quick": {"prompt": "cot"}, "slow": {"prompt": "cot"}, "elsewhere": None}


def number_of(request: Request) -> int:
    return int(request.messages[0].content.split(":")[0].removeprefix("Case "))


def quick(request: Request) -> str:
    """Even cases are known and said by all samples; of odd ones the greedy answer is wrong, and samples differ."""
    number = number_of(request)
    if number % 2 == 0:
        return f"Final answer: {LETTERS[number % 4]}"
    return f"Final answer: {LETTERS[(number + 1 + request.sample) % 4]}"


def slow(request: Request) -> str:
    return f"{'step ' * 20}\nFinal answer: {LETTERS[number_of(request) % 4]}"


def answered(tape: Tape, name: str) -> Frame:
    asked, arm = questions(8), ArmParams(prompt="cot")
    return nodes.read_answers(nodes.generate(asked, "Think.", tape, PARAMS, arm, 3, name=name)[0], asked, arm)


def test_agreement_tells_known_cases_from_guessed_ones() -> None:
    curve, _ = nodes.think_selectively(
        PARAMS,
        {**ARMS, "taken_away": None},
        gather(answered(Tape(quick), "quick"), answered(Tape(slow), "slow")),
    )
    assert set(curve["arm"]) == {"slow"}
    assert set(curve["score"]) == {"agreement", "probability", "confidence"}
    agreement = curve[curve["score"] == "agreement"].set_index("tau")
    assert agreement.loc[0.0, ["thought_share", "accuracy", "tokens"]].tolist() == [0.0, 0.5, 12.0]  # 4 samples of 3
    half = agreement.loc[1.0]
    assert half[["thought_share", "accuracy"]].tolist() == [0.5, 1.0]
    assert half["tokens"] == half["first_tokens"] + half["thought_tokens"] == 12 + 0.5 * 23
    assert agreement["thought_share"].iloc[-1] == 1.0


def test_a_first_answer_that_states_nothing_is_always_thought_about() -> None:
    mute = Tape(lambda request: "Who knows." if number_of(request) == 3 else quick(request))
    curve, _ = nodes.think_selectively(PARAMS, ARMS, gather(answered(mute, "quick"), answered(Tape(slow), "slow")))
    by_probability = curve[curve["score"] == "probability"].sort_values("tau")
    assert by_probability["thought_share"].iloc[1] == 1 / 8, "that one, at any threshold above 0"


def test_a_score_that_the_engine_does_not_give_is_left_out() -> None:
    class Blind(Tape):
        def _answer(self, request: Request) -> Any:
            from dataclasses import replace

            return replace(super()._answer(request), confidence=None)

    curve, _ = nodes.think_selectively(
        PARAMS, ARMS, gather(answered(Blind(quick), "quick"), answered(Tape(slow), "slow"))
    )
    assert set(curve["score"]) == {"agreement", "probability"}


def test_a_first_arm_that_is_none_is_named_before_anything_is_asked_and_none_is_needed() -> None:
    check = nodes.think_selectively.checked_first  # type: ignore[attr-defined]
    with pytest.raises(UserError, match=r"'quick', which is no arm of this study\. There is slow"):
        check(PARAMS, {"slow": {}, "quick": None})
    check(PARAMS, ARMS)
    without = PARAMS.model_copy(update={"selective": None})
    check(without, {"slow": {}})
    assert all(table.empty for table in nodes.think_selectively(without, ARMS, answered(Tape(slow), "slow")))


def test_the_choice_names_a_threshold_that_holds_or_says_how_many_questions_it_takes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tables = answered(Tape(quick), "quick"), answered(Tape(slow), "slow")
    loose = PARAMS.model_copy(update={"selective": SelectiveParams(first="quick", samples=4, margin=0.4)})
    _, found = nodes.think_selectively(loose, ARMS, gather(*tables))
    choice = found.set_index("score").loc["agreement"]
    assert (choice["tau"], choice["thought_share"], choice["accuracy"], choice["needed"]) == (1.0, 0.5, 1.0, 6)
    assert choice["tokens"] == 12 + 0.5 * 23
    assert choice["tokens_of_all"] == 23
    with caplog.at_level("INFO"):
        _, found = nodes.think_selectively(PARAMS, ARMS, gather(*tables))
    assert found["tau"].isna().all()
    assert (found["tokens"] == found["tokens_of_all"]).all(), "no first answer is asked where none is used"
    assert "on 8 questions; it takes at least 99, without a lost answer: think about every question" in caplog.text


# Live


def live(engine: Engine, score: str, tau: float, asked: Frame, **options: Any) -> Frame:
    """The generations of an arm that answers first as `quick` does."""
    params = InferenceParams(max_new_tokens=64, samples=4, **options)
    arm = ArmParams(prompt="slow", first={"arm": "quick", "score": score, "tau": tau, "samples": 4})
    given = {"params": params, "arm": arm, "first_arm": ArmParams(prompt="cot"), "seed": 3, "engine": engine}
    return nodes.think_when_unsure(asked, "Slowly.", "Quickly.", **given, name="both")[0]  # type: ignore[arg-type]


def both(request: Request) -> str:
    return quick(request) if "Quickly." in request.messages[0].content else slow(request)


@pytest.mark.parametrize("score", ["agreement", "probability", "confidence"])
def test_a_live_arm_does_what_its_point_of_the_curve_says(score: str) -> None:
    class Surer(Tape):
        """Even cases are answered with more probability, by their number; the third states nothing at once."""

        def _answer(self, request: Request) -> Any:
            from dataclasses import replace

            sure = -0.01 * (1 + number_of(request)) if number_of(request) % 2 == 0 else -2.0 - number_of(request)
            return replace(super()._answer(request), mean_logprob=sure, confidence=10 + sure)

    def said(request: Request) -> str:
        quickly = "Quickly." in request.messages[0].content
        return "Who knows." if quickly and number_of(request) == 3 else both(request)

    asked, arm = questions(8), ArmParams(prompt="cot")
    answers = []
    for name, prompt in (("quick", "Quickly."), ("slow", "Slowly.")):
        made = nodes.generate(asked, prompt, Surer(said), PARAMS, arm, 3, name=name)[0]
        answers.append(nodes.read_answers(made, asked, arm))
    curve, _ = nodes.think_selectively(PARAMS, ARMS, gather(*answers))
    for point in curve[curve["score"] == score].to_dict("records"):
        tape = Surer(said)
        generations = live(tape, score, point["tau"], asked)
        assert len(generations) == 8
        given = nodes.read_answers(generations, asked, arm)
        assert given["correct"].mean() == point["accuracy"]
        assert given["completion_tokens"].mean() == point["tokens"]
        first = (4 if score == "agreement" else 1) * 8
        assert len(tape.asked) == first + round(8 * point["thought_share"])


def test_what_an_earlier_arm_was_asked_is_not_paid_again(tmp_path: Path) -> None:
    asked, arm, tape = questions(8), ArmParams(prompt="cot"), Tape(both)
    with Stored(tape, CompletionStore(tmp_path / "c.sqlite")) as engine:
        for name, prompt in (("quick", "Quickly."), ("slow", "Slowly.")):
            nodes.generate(asked, prompt, engine, PARAMS, arm, 3, name=name)
        before = len(tape.asked)
        live(engine, "agreement", 1.0, asked)
    assert len(tape.asked) == before


def test_only_what_is_thought_about_is_swept() -> None:
    asked = questions(8)
    generations = live(Tape(both), "agreement", 1.0, asked, budgets=(5,))
    swept = generations[generations["draw"] == "swept"]
    assert len(swept) == 4
    answers = nodes.read_answers(generations, asked, ArmParams(prompt="cot"))
    curve = nodes.draw_curves(InferenceParams(max_new_tokens=64, budgets=(5,), samples=0),
                              {"both": {"prompt": "cot"}}, 3, answers)[2]  # fmt: skip
    assert curve["questions"].tolist() == [8, 8]


def test_a_first_arm_must_exist_and_answer_by_itself() -> None:
    from medo1.study import Study, StudyError

    def study(**arms: Any) -> Study:
        return Study.from_parameters({"seed": 1, "journey": ["inference"], "formats": {}, "arms": arms})

    plain, first = {"prompt": "cot"}, {"tau": 0.5, "arm": "quick"}
    assert study(quick=plain, both={**plain, "first": first}).arms["both"].first is not None
    for arms in ({"both": {**plain, "first": first}}, {"quick": {**plain, "first": {**first, "arm": "quick"}}}):
        with pytest.raises(StudyError, match="must be another arm of this study that answers by itself"):
            study(**arms)
    with pytest.raises(StudyError, match="must have the same engine"):
        study(quick={**plain, "engine": "other"}, both={**plain, "first": first})


def test_a_study_with_such_an_arm_is_wired() -> None:
    from medo1.pipelines.inference.pipeline import create_pipeline

    arms = {
        "quick": {"prompt": "vanilla"},
        "slow": {"prompt": "longstep", "adapter": "longstep", "first": {"arm": "quick", "tau": 0.5}},
    }
    made = create_pipeline({name: ArmParams(**arm).model_dump() for name, arm in arms.items()})
    [node] = [node for node in made.nodes if node.name == "slow.generate"]
    assert {"prompt_vanilla", "prompt_longstep", "longstep.adapter", "params:arms.quick"} <= set(node.inputs)
