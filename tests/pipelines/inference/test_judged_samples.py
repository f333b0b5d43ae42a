"""A judge picks among candidates and scores them: what it says decides, what it does not say is nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from medo1.engines import Request
from medo1.frames import Frame
from medo1.pipelines.inference import nodes
from medo1.pipelines.inference.judged_samples import chosen, given_score
from medo1.pipelines.inference.params import ArmParams, InferenceParams
from medo1.pipelines.inference.pipeline import create_pipeline
from medo1.statistics.votes import Voter, vote
from tests.pipelines.inference.tape import Tape
from tests.pipelines.inference.test_nodes import LETTERS, questions

PARAMS = InferenceParams(max_new_tokens=64, samples=4, votes={"numbers": (1, 4), "methods": ("majority",)})
ARM = ArmParams(prompt="cot", judged={"candidates": (2, 4), "score": True})


def number_of(request: Request) -> int:
    return int(request.messages[0].content.split(":")[0].removeprefix("Case "))


def mostly_wrong(request: Request) -> str:
    """The last of four samples is right, and longer."""
    right = LETTERS[number_of(request) % 4]
    wrong = LETTERS[(number_of(request) + 1) % 4]
    return f"{'so ' * 9}\nFinal answer: {right}" if request.sample == 3 else f"Hm.\nFinal answer: {wrong}"


def likes_long(request: Request) -> str:
    """A judge that takes the longest candidate, says why, and of the first case says nothing."""
    shown = re.findall(r"Candidate \d+:\n(.*?)(?=\n\nCandidate|\n\nPick)", request.messages[0].content, re.DOTALL)
    if not shown:
        return f"It reads well.\nScore: {10 if 'so so' in request.messages[0].content else 2}"
    if number_of(request) == 0:
        return "Both are good."
    return f"Choice 1 is short. The best one thinks.\nChoice: {1 + max(range(len(shown)), key=lambda n: len(shown[n]))}"


def judged(judge: Tape) -> tuple[Frame, Frame, Frame]:
    asked = questions(4)
    generations, _ = nodes.generate(asked, "Think.", Tape(mostly_wrong), PARAMS, ARM, 3, name="arm")
    answers = nodes.read_answers(generations, asked, ARM)
    said = nodes.judge_samples(asked, generations, answers, "Pick one.", "Give a score.", judge, ARM)
    return asked, answers, said


def test_the_judges_pick_is_the_vote_and_its_tokens_count() -> None:
    judge = Tape(likes_long)
    _, answers, said = judged(judge)
    picks = said[said["kind"] == "selection"]
    assert len(picks) == 2 * 4
    assert picks["sample"].isna().sum() == 2, "the first case, at both numbers: nothing is picked by default"
    votes = nodes.vote(answers, PARAMS, said).set_index(["method", "k"])
    assert votes.loc[("selected", 4), "correct"].sum() == 3
    assert votes.loc[("selected", 2), "correct"].sum() == 0
    assert votes.loc[("majority", 4), "correct"].sum() == 0
    curve = nodes.draw_curves(PARAMS, {"arm": ARM}, 3, answers, said)[0].set_index(["method", "k"])
    assert curve.loc[("selected", 4), "accuracy"] == 0.75
    of_samples = answers.loc[answers["draw"] == "sampled", "completion_tokens"].sum() / 4
    of_judge = picks.loc[picks["k"] == 4, "completion_tokens"].sum() / 4
    assert curve.loc[("selected", 4), "mean_tokens"] == pytest.approx(of_samples + of_judge)


def test_scores_weigh_votes_and_cost_what_the_judge_said() -> None:
    _, answers, said = judged(Tape(likes_long))
    assert set(said.loc[said["kind"] == "score", "score"]) == {0.2, 1.0}
    votes = nodes.vote(answers, PARAMS, said).set_index(["method", "k"])
    assert votes.loc[("scored", 4), "correct"].all(), "one at 1.0 outweighs three at 0.2"
    curve = nodes.draw_curves(PARAMS, {"arm": ARM}, 3, answers, said)[0].set_index(["method", "k"])
    assert curve.loc[("scored", 4), "accuracy"] == 1.0
    assert curve.loc[("scored", 4), "mean_tokens"] > curve.loc[("majority", 4), "mean_tokens"]


def test_the_judge_sees_question_and_candidates_and_never_the_right_answer() -> None:
    judge = Tape(likes_long)
    asked, _, _ = judged(judge)
    for request in judge.asked:
        [message] = request.messages
        row = asked.iloc[number_of(request)]
        assert row["stem"] in message.content
        without = message.content
        for text in (row["stem"], "Final answer:"):
            without = without.replace(text, "")
        assert "gold" not in without.lower()
        assert "correct" not in without.lower()
        assert request.sampling.temperature == 0


@pytest.mark.parametrize(
    ("reply", "place"),
    [("Choice: 2", 1), ("Choice 1 errs.\n**Choice: 3**", 2), ("Choice: 9", None), ("The second.", None), ("", None),
     ("choice = 1", 0), ("Choice: 0", None)],
)  # fmt: skip
def test_a_pick_is_what_the_last_choice_names(reply: str, place: int | None) -> None:
    assert chosen(reply, 3) == place


@pytest.mark.parametrize(
    ("reply", "score"),
    [("Score: 7", 0.7), ("Score: 3\nScore: **9.5**", 0.95), ("Score: 11", None), ("good", None), ("Score: 0", 0.0)],
)
def test_a_score_is_from_0_to_10(reply: str, score: float | None) -> None:
    assert given_score(reply) == score


def test_scores_of_nothing_weigh_equally_and_a_missing_one_is_refused() -> None:
    assert vote([Voter("A", score=0.0), Voter("B", score=0.0), Voter("B", score=0.0)], "scored").letter == "B"
    with pytest.raises(ValueError, match="needs score"):
        vote([Voter("A", score=0.4), Voter("B")], "scored")


def test_an_arm_with_a_judge_is_wired_to_its_engine_and_prompts() -> None:
    arms: dict[str, Any] = {"arm": ARM.model_dump(), "other": ArmParams(prompt="cot").model_dump()}
    made = create_pipeline(arms)
    [node] = [node for node in made.nodes if node.name == "arm.judge_samples"]
    assert {"judge", "prompt_select", "prompt_score"} <= set(node.inputs)
    [curves] = [node for node in made.nodes if node.name == "draw_curves"]
    assert "arm.sample_judgements" in curves.inputs
    assert "other.sample_judgements" not in curves.inputs


def test_what_a_judge_is_asked_stands_on_the_screen(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        _, _, said = judged(Tape(likes_long))
    assert f"arm: judge of samples: {len(said)} of {len(said)} (" in caplog.text
