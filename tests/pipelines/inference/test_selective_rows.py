"""The frontier of selective thought from the answers that two arms gave."""

from __future__ import annotations

from typing import Any

import pytest

from medo1.engines import Request
from medo1.errors import UserError
from medo1.frames import Frame
from medo1.pipelines.inference import nodes
from medo1.pipelines.inference.params import ArmParams, InferenceParams
from tests.pipelines.inference.tape import Tape
from tests.pipelines.inference.test_nodes import LETTERS, questions

PARAMS = InferenceParams(max_new_tokens=64, samples=4, selective={"first": "quick", "samples": 4})


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
    curve = nodes.think_selectively(PARAMS, answered(Tape(quick), "quick"), answered(Tape(slow), "slow"))
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
    curve = nodes.think_selectively(PARAMS, answered(mute, "quick"), answered(Tape(slow), "slow"))
    by_probability = curve[curve["score"] == "probability"].sort_values("tau")
    assert by_probability["thought_share"].iloc[1] == 1 / 8, "that one, at any threshold above 0"


def test_a_score_that_the_engine_does_not_give_is_left_out() -> None:
    class Blind(Tape):
        def _answer(self, request: Request) -> Any:
            from dataclasses import replace

            return replace(super()._answer(request), confidence=None)

    curve = nodes.think_selectively(PARAMS, answered(Blind(quick), "quick"), answered(Tape(slow), "slow"))
    assert set(curve["score"]) == {"agreement", "probability"}


def test_a_first_arm_that_is_none_is_named_and_none_is_needed() -> None:
    with pytest.raises(UserError, match="'quick', which is no arm of this study: slow"):
        nodes.think_selectively(PARAMS, answered(Tape(slow), "slow"))
    without = PARAMS.model_copy(update={"selective": None})
    assert nodes.think_selectively(without, answered(Tape(slow), "slow")).empty
