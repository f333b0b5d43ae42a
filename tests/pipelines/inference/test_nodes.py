"""From questions to votes: what an arm draws, what the tables say of it, and that equal runs give equal tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from medo1 import tables
from medo1.engines import Engine, Model, Request
from medo1.engines.local.transformers import Transformers
from medo1.engines.wrappers.store import CompletionStore
from medo1.engines.wrappers.stored import Stored
from medo1.errors import UserError
from medo1.frames import Frame
from medo1.lineage.digests import seed_from
from medo1.pipelines.inference import nodes
from medo1.pipelines.inference.params import AdaptiveParams, ArmParams, InferenceParams
from medo1.pipelines.inference.pipeline import create_pipeline
from medo1.questions import Question, question_id, question_rows
from medo1.vocabulary import VOTE_METHODS
from tests.pipelines.inference.tape import Tape

LETTERS = "ABCD"
ARM = ArmParams(prompt="cot")


def questions(count: int = 4, benchmark: str = "clinic") -> Frame:
    made = []
    for number in range(count):
        options = {letter: f"disease {letter} of {number}" for letter in LETTERS}
        stem = f"Case {number}: a patient. What is it?"
        made.append(Question(question_id(stem, options), benchmark, "test", stem, options, LETTERS[number % 4], number))
    return tables.as_table(tables.QUESTIONS, question_rows(made))


def wavering(request: Request) -> str:
    """The first cases are easy, the last are guesses: what a sample says depends on its question and number."""
    number = int(request.messages[0].content.split(":")[0].removeprefix("Case "))
    right = LETTERS[number % 4]
    if request.sampling.temperature == 0:
        return f"Well, it is clear to me.\nFinal answer: {right}"
    draw = seed_from("tape", number, request.sample) % 10
    letter = right if draw >= 2 * number else LETTERS[draw % 4]
    return f"Hmm {'so ' * (1 + draw)}\nFinal answer: {letter}" if draw != 9 else "I cannot say."


def generated(
    engine: Engine, params: InferenceParams, asked: Frame | None = None, arm: ArmParams = ARM, *models: Any
) -> tuple[Frame, Frame]:
    asked = questions() if asked is None else asked
    return nodes.generate(asked, "Think.", engine, params, arm, 11, *models, name="arm")


def counted(
    engine: Engine, params: InferenceParams, asked: Frame | None = None, arm: ArmParams = ARM
) -> dict[str, Frame]:
    asked = questions() if asked is None else asked
    generations, timing = generated(engine, params, asked, arm)
    answers = nodes.read_answers(generations, asked, arm)
    curve, adaptive, budgets = nodes.draw_curves(params, {"arm": arm}, 11, answers)
    tokens, outcomes, _ = nodes.account(answers, timing)
    return {
        "generations": generations, "timing": timing, "answers": answers,
        "votes": nodes.vote(answers, params), "curve": curve, "adaptive": adaptive, "tokens": tokens,
        "outcomes": outcomes, "budgets": budgets,
    }  # fmt: skip


PARAMS = InferenceParams(max_new_tokens=64, samples=8, votes={"numbers": (1, 4, 8)})


def test_a_rule_that_was_learned_on_dev_questions_is_read_from_the_tables_of_that_run() -> None:
    dev = InferenceParams(max_new_tokens=64, samples=12, adaptive={"first": 2})
    drawn = counted(Tape(wavering), dev, questions(40))
    _, prior, calibration = nodes.compare_stopping(dev, {"arm": ARM}, drawn["answers"])
    learned = {"draw": True, "first": 2, "rule": "fitted", "agreement": 0.9}
    live = dev.model_copy(update={"adaptive": AdaptiveParams(**learned)})
    asked, tape = questions(8, "other"), Tape(wavering)
    generations, _ = nodes.generate_until_sure(
        asked, "Think.", tape, live, ARM, 11, prior, calibration, name="arm"
    )  # fmt: skip
    answers = nodes.read_answers(generations, asked, ARM)
    _, adaptive, _ = nodes.draw_curves_as_fitted(live, {"arm": ARM}, 11, answers, prior, calibration)
    row = calibration[(calibration["arm"] == "arm") & (calibration["promised"] == 0.9)].iloc[0]
    shares = prior[prior["arm"] == "arm"]
    by_hand = AdaptiveParams(
        draw=True, first=2, rule="fitted", threshold=row["threshold"],
        mixture=tuple(zip(shares["pseudo_count"], shares["share"], strict=True)),
    )  # fmt: skip
    same = counted(Tape(wavering), dev.model_copy(update={"adaptive": by_hand}), asked)
    pd.testing.assert_frame_equal(generations, same["generations"])
    pd.testing.assert_frame_equal(adaptive, same["adaptive"])
    assert 8 < len(tape.asked) < 8 * 13
    # Another arm takes what all arms together show; what was not learned is told with what to do.
    other, _ = nodes.generate_until_sure(asked, "Think.", Tape(wavering), live, ARM, 11, prior, calibration, name="new")
    assert len(other) == len(generations)
    for changed, told in (
        (
            {"samples": 6},
            r"nothing for it and 6 samples of arm; it has 0\.9 with 12 samples.*Learn it first: kedro run",
        ),
        ({"adaptive": AdaptiveParams(**{**learned, "agreement": 0.99})}, "takes at least 99 dev questions"),
    ):
        with pytest.raises(UserError, match=told):
            nodes.generate_until_sure(
                asked, "Think.", tape, live.model_copy(update=changed), ARM, 11, prior, calibration, name="arm"
            )


def test_a_learned_rule_is_an_input_of_the_graph_and_nothing_of_it_is_written_over() -> None:
    arms = {"vanilla": ArmParams(prompt="vanilla").model_dump(), "long": ArmParams(prompt="longmonolog").model_dump()}
    learned, drawn = create_pipeline(arms, fitted_stopping=True), create_pipeline(arms)
    tables = {"stopping_prior", "stopping_calibration"}
    assert tables <= learned.inputs()
    assert not tables & learned.all_outputs()
    assert "stopping_rules" in learned.all_outputs(), "the page would show those of the run that it learned from"
    assert tables <= drawn.all_outputs()


@pytest.mark.parametrize(
    "wrong",
    [{"rule": "fitted"}, {"rule": "fitted", "agreement": 0.9}, {"draw": True, "agreement": 0.9},
     {"draw": True, "rule": "fitted", "agreement": 0.9, "mixture": [[0.1, 1.0]]}],
)  # fmt: skip
def test_a_learned_rule_without_what_it_needs_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"fitted|draw: true"):
        AdaptiveParams(**wrong)


def test_each_question_gets_one_greedy_generation_and_its_samples() -> None:
    made = counted(Tape(wavering), PARAMS)
    assert made["generations"].groupby(["question_id", "draw"]).size().unstack().to_dict("list") == {
        "greedy": [1] * 4,
        "sampled": [8] * 4,
    }
    assert made["answers"]["correct"].iloc[0]
    assert set(made["votes"]["method"]) == set(VOTE_METHODS)


def test_equal_runs_give_equal_tables_whatever_the_order_of_questions() -> None:
    first, again = counted(Tape(wavering), PARAMS), counted(Tape(wavering), PARAMS, questions()[::-1])
    for name in first:
        if name != "timing":
            pd.testing.assert_frame_equal(first[name], again[name])


def test_equal_runs_of_a_real_model_give_equal_bytes(tiny_model: Path, tmp_path: Path) -> None:
    params = InferenceParams(max_new_tokens=24, samples=3, answer_tokens=4, budgets=(8,), votes={"numbers": (1, 3)})
    model = Model("tiny", tiny_model, "r")
    written = []
    for name in ("first", "again"):
        generations, _ = generated(Transformers(rows=5), params, None, ARM, model)
        generations.to_parquet(tmp_path / name)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


def test_more_samples_pay_only_for_the_new_ones(tmp_path: Path) -> None:
    tape = Tape(wavering)
    with Stored(tape, CompletionStore(tmp_path / "c.sqlite")) as engine:
        few = generated(engine, PARAMS.model_copy(update={"samples": 8}))[0]
        sent = len(tape.asked)
        many, timing = generated(engine, PARAMS.model_copy(update={"samples": 32}))
    assert sent == 4 * 9
    assert len(tape.asked) - sent == 4 * 24
    assert timing["kept"].item() == 4 * 9
    assert timing["requests"].item() == 4 * 33
    both = many[(many["draw"] == "greedy") | (many["sample"] < 8)].reset_index(drop=True)
    pd.testing.assert_frame_equal(both, few)


def test_drawing_in_rounds_takes_the_samples_that_a_replay_stops_at() -> None:
    adaptive = {"threshold": 0.9, "first": 3, "step": 1}
    full = counted(Tape(wavering), InferenceParams(max_new_tokens=64, samples=12, adaptive=adaptive), questions(8))
    tape = Tape(wavering)
    live = counted(
        tape, InferenceParams(max_new_tokens=64, samples=12, adaptive={**adaptive, "draw": True}), questions(8)
    )
    stopped, drawn = full["adaptive"], live["adaptive"]
    same = ["question_id", "drawn", "letter", "correct", "tokens"]
    pd.testing.assert_frame_equal(stopped[same], drawn[same])
    assert stopped["probability"].tolist() == pytest.approx(drawn["probability"].tolist())
    assert len(tape.asked) == 8 + drawn["drawn"].sum()
    assert drawn["drawn"].sum() < 8 * 12 / 2
    assert drawn.loc[drawn["drawn"] < 12, "letter_of_all"].isna().all()
    assert stopped["letter_of_all"].notna().all()


def test_the_curves_last_point_is_the_vote_of_all_samples() -> None:
    made = counted(Tape(wavering), PARAMS, questions(8))
    votes, curve = made["votes"], made["curve"]
    for method in VOTE_METHODS:
        last = curve[(curve["method"] == method) & (curve["k"] == 8)]
        whole = votes[(votes["method"] == method) & (votes["k"] == 8)]
        assert last["accuracy"].item() == pytest.approx(whole["correct"].mean(), abs=0.13)  # ties are split
    first = curve[(curve["method"] == "majority") & (curve["k"] == 1)]
    sampled = made["answers"][made["answers"]["draw"] == "sampled"]
    assert first["accuracy"].item() == pytest.approx(sampled["correct"].mean())
    assert first["mean_tokens"].item() == pytest.approx(sampled["completion_tokens"].mean())
    adaptive = curve[curve["method"] == "adaptive"]
    assert adaptive["mean_tokens"].item() == pytest.approx(made["adaptive"]["tokens"].mean())


def test_a_curve_does_not_lean_where_drawing_stopped_by_itself() -> None:
    """Simulated: a sample is right with .6. Questions that disagree get more samples; the curve must not see that."""
    rng, count, most = np.random.default_rng(7), 600, 16
    asked = tables.as_table(tables.QUESTIONS, question_rows(_coins(count)))
    drawn = {one.question_id: rng.random(most) < 0.6 for one in _coins(count)}

    def answer(request: Request) -> str:
        stem = request.messages[0].content.split("\n")[0]
        right = drawn[ids[stem]][request.sample]
        return f"So.\nFinal answer: {'A' if right else 'B'}"

    ids = {one.stem: one.question_id for one in _coins(count)}
    params = InferenceParams(
        max_new_tokens=64, samples=most, votes={"numbers": (1, 3, 8), "methods": ("majority",)}, adaptive={"draw": True}
    )
    made = counted(Tape(answer), params, asked)
    curve = made["curve"].set_index(["method", "k"])["accuracy"]
    assert curve["majority", 1] == pytest.approx(0.6, abs=0.04)
    assert curve["majority", 3] == pytest.approx(0.648, abs=0.05)
    assert ("majority", 8) not in curve, "not every question has eight"
    sampled = made["answers"][made["answers"]["draw"] == "sampled"]
    leaning = sampled.groupby("question_id")["correct"].mean().mean()
    assert abs(leaning - 0.6) > abs(curve["majority", 1] - 0.6), "what reading all samples would have said"


def _coins(count: int) -> list[Question]:
    options = {"A": "heads", "B": "tails"}
    stems = [f"Case {number}: which?" for number in range(count)]
    return [Question(question_id(stem, options), "coins", "test", stem, options, "A") for stem in stems]


def test_agreement_with_the_vote_of_all_samples_is_measured() -> None:
    made = counted(Tape(wavering), PARAMS, questions(8))
    adaptive = made["curve"].set_index("method").loc["adaptive"]
    assert adaptive["agreement"] == pytest.approx(
        (made["adaptive"]["letter"] == made["adaptive"]["letter_of_all"]).mean()
    )
    assert made["curve"].loc[made["curve"]["method"] != "adaptive", "agreement"].isna().all()
    live = InferenceParams(max_new_tokens=64, samples=12, adaptive={"draw": True})
    stopped = counted(Tape(wavering), live, questions(8))["curve"].set_index("method").loc["adaptive"]
    assert pd.isna(stopped["agreement"]), "the rest was not drawn, so nobody knows"


def test_votes_that_the_engine_cannot_weigh_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    class Blind(Tape):
        def _answer(self, request: Request) -> Any:
            from dataclasses import replace

            return replace(super()._answer(request), self_certainty=None, confidence=None)

    with caplog.at_level("INFO"):
        made = counted(Blind(wavering), PARAMS)
    assert set(made["votes"]["method"]) == {"majority", "logprob"}
    assert "self_certainty, confidence, filtered weigh; they are left out" in caplog.text


def test_the_budget_curve_counts_every_question_at_every_budget() -> None:
    def thought(request: Request) -> str:
        number = int(request.messages[0].content.split(":")[0].removeprefix("Case "))
        return f"{'step ' * (4 * number)}\nFinal answer: {LETTERS[number % 4]}"

    params = InferenceParams(max_new_tokens=100, samples=0, budgets=(5, 10))
    made = counted(Tape(thought), params)
    curve = made["budgets"]
    assert curve["budget"].tolist() == [5, 10, 100]
    assert curve["questions"].tolist() == [4, 4, 4]
    assert curve["forced"].tolist() == [0.75, 0.5, 0.0]  # 3, 7, 11 and 15 tokens
    assert curve["mean_tokens"].is_monotonic_increasing
    assert made["generations"][["draw", "budget"]].value_counts().to_dict() == {
        ("swept", 5): 3, ("swept", 10): 2, ("greedy", 100): 2, ("greedy", 10): 1, ("greedy", 5): 1,
    }  # fmt: skip


def test_forced_answers_that_are_unread_or_alike_are_announced(caplog: pytest.LogCaptureFixture) -> None:
    said = "one two three four five six\nFinal answer: D"
    params = InferenceParams(max_new_tokens=100, samples=0, budgets=(3,), answer_tokens=4)
    with caplog.at_level("WARNING"):
        curve = counted(Tape(lambda _: said), params, questions(24))["budgets"].set_index("budget")
    assert curve.loc[3, ["forced", "unread", "commonest", "commonest_share"]].tolist() == [1.0, 0.0, "D", 1.0]
    assert curve.loc[100, ["forced", "unread"]].isna().tolist() == [False, True]
    assert "arm at 3 tokens: of 24 answers that were asked for, 0 % cannot be read and 100 % say D" in caplog.text

    caplog.clear()
    mute = "one two three four five six\nFinal answer: who can say"
    with caplog.at_level("WARNING"):
        curve = counted(Tape(lambda _: mute), params, questions(24))["budgets"].set_index("budget")
    assert curve.loc[3, "unread"] == 1.0
    assert "100 % cannot be read" in caplog.text


def test_a_thought_that_states_its_answer_when_it_is_cut_keeps_it() -> None:
    said = "well then\nFinal answer: B\nand some more words"

    def wavers(request: Request) -> str:
        last = request.messages[-1]
        return f"{last.content} D" if last.role == "assistant" and last.content.endswith("answer:") else said

    params = InferenceParams(max_new_tokens=5, samples=0, answer_tokens=4)
    tape = Tape(wavers)
    made = counted(tape, params, questions(2))
    assert made["answers"]["letter"].tolist() == ["B", "B"], "not two statements"
    assert made["generations"]["status"].tolist() == ["forced", "forced"]
    assert len(tape.asked) == 2, "nothing is asked again"


def test_a_sentence_that_is_cut_after_its_first_word_has_stated_no_letter() -> None:
    """`A 45-year-old man ...` after one token: asked for its answer, and never read as A."""
    params = InferenceParams(max_new_tokens=1, samples=0, answer_tokens=4)
    tape = Tape(lambda request: "A 45-year-old man presents with a cough.\nFinal answer: C")
    made = counted(tape, params, questions(2))
    assert len(tape.asked) == 4, "each is asked for its answer"
    assert "A" not in made["answers"]["letter"].tolist()


def test_tokens_are_told_apart_as_thought_and_answer() -> None:
    made = counted(Tape(wavering), InferenceParams(max_new_tokens=64, samples=0))
    tokens = made["tokens"].set_index("part")
    assert tokens.loc["completion", "mean"] == 9
    starts = made["answers"].loc[made["answers"]["draw"] == "greedy", "span_start"]
    lengths = made["generations"].loc[made["generations"]["draw"] == "greedy", "text"].str.len()
    expected = (9 * (lengths - starts.to_numpy()) / lengths).round().mean()  # by the share of its characters
    assert 0 < tokens.loc["answer", "mean"] == pytest.approx(expected)
    assert tokens.loc["thinking", "total"] + tokens.loc["answer", "total"] == tokens.loc["completion", "total"]
    forced = counted(Tape(wavering), InferenceParams(max_new_tokens=3, samples=0, answer_tokens=2))
    assert forced["tokens"].set_index("part").loc["answer", "mean"] == 1
    assert forced["tokens"].set_index("part").loc["thinking", "mean"] == 3


def test_accuracy_is_given_over_all_and_over_finished_ones() -> None:
    def thought(request: Request) -> str:
        number = int(request.messages[0].content.split(":")[0].removeprefix("Case "))
        return f"{'long ' * (40 if number == 0 else 1)}\nFinal answer: {LETTERS[number % 4]}"

    made = counted(Tape(thought), InferenceParams(max_new_tokens=20, samples=0, answer_tokens=0))
    [outcome] = made["outcomes"].to_dict("records")
    assert (outcome["finished"], outcome["cut"], outcome["generations"]) == (3, 1, 4)
    assert (outcome["accuracy"], outcome["accuracy_finished"]) == (0.75, 1.0)


def test_what_a_strict_reader_would_give_stands_beside_the_accuracy() -> None:
    def said(request: Request) -> str:
        number = int(request.messages[0].content.split(":")[0].removeprefix("Case "))
        letter = LETTERS[number % 4]
        return f"So.\nFinal answer: {letter}" if number % 2 else f"So.\nThe correct answer is {letter}."

    made = counted(Tape(said), InferenceParams(max_new_tokens=20, samples=0))
    [outcome] = made["outcomes"].to_dict("records")
    assert (outcome["accuracy"], outcome["accuracy_strict"]) == (1.0, 0.5)


def test_prices_and_power_are_accounted_where_configured() -> None:
    class Priced(Tape):
        @property
        def identity(self) -> dict[str, Any]:
            return {"kind": "tape", "model": "gpt-4o"}

    price = {"prompt_usd_per_million": 2.5, "completion_usd_per_million": 10.0}
    params = InferenceParams(max_new_tokens=64, samples=0, prices={"gpt-4o": price}, power_w=350.0)
    timing = counted(Priced(wavering), params)["timing"].to_dict("records")[0]
    assert timing["cost_usd"] == pytest.approx((timing["prompt_tokens"] * 2.5 + timing["completion_tokens"] * 10) / 1e6)
    assert timing["energy_wh"] == pytest.approx(350 * timing["wall_s"] / 3600)
    unpriced = counted(Tape(wavering), InferenceParams(max_new_tokens=64, samples=0))["timing"]
    assert unpriced[["cost_usd", "energy_wh"]].isna().all(axis=None)


def test_an_arm_may_draw_otherwise_than_the_others() -> None:
    arm = ArmParams(prompt="cot", draws={"samples": 2, "max_new_tokens": 4, "answer_tokens": 3})
    made = counted(Tape(wavering), PARAMS, arm=arm)
    assert made["generations"]["sample"].max() == 1
    assert (made["generations"]["status"] == "forced").any()


@pytest.mark.parametrize(
    ("draws", "message"),
    [
        ({"sample": 3}, "draws has no sample"),
        ({"budgets": [8, 4]}, "budgets must rise"),
        ({"budgets": [64]}, "smaller than max_new_tokens"),
        ({"budgets": [8], "answer_tokens": 0}, "budgets need answer_tokens"),
        ({"min_thinking_tokens": 64}, "min_thinking_tokens"),
    ],
)
def test_draws_that_cannot_be_are_refused_with_the_key(draws: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ArmParams(prompt="cot", draws=draws).drawn_with(PARAMS)


def test_an_adapter_without_a_base_is_refused() -> None:
    with pytest.raises(ValidationError, match="adapter answers with its base model"):
        ArmParams(prompt="cot", adapter="cot", model=None)


def test_questions_are_chosen_by_content_within_each_benchmark() -> None:
    asked = pd.concat([questions(20), questions(9, "ledger")], ignore_index=True)
    params = InferenceParams(questions_per_benchmark=5)
    chosen = nodes.choose_questions(asked, params, ARM, 3)
    assert chosen["benchmark"].value_counts().to_dict() == {"clinic": 5, "ledger": 5}
    pd.testing.assert_frame_equal(nodes.choose_questions(asked.sample(frac=1, random_state=0), params, ARM, 3), chosen)


# Free-form arms

FREE = ArmParams(prompt="cot", answers="differential")
# Recorded differentials, as models write them; {right} and {wrong} are diagnoses.
RECORDED = (
    "It is fever.\n\n**Differential diagnosis:**\n1. **{right}** - explains the rash\n2. {wrong}\n3. Sarcoidosis",
    "Ranked differential:\n1. {wrong}\n2. {right}\n3. Sarcoidosis",
    "Differential diagnosis:\n- {wrong}\n- Sarcoidosis\n\nFinal diagnosis: {right}",
    "1. Sarcoidosis (40%)\n2. {right} (35%)\n3. {wrong} (25%)",
    "I cannot say.",
)


def recorded(request: Request) -> str:
    number = int(request.messages[0].content.split(":")[0].removeprefix("Case "))
    right, wrong = (f"disease {LETTERS[place % 4]} of {number}" for place in (number, number + 1))
    return RECORDED[request.sample % 5].format(right=right, wrong=wrong)


def test_a_free_form_arm_shows_no_options_and_its_lists_are_read_and_voted_on() -> None:
    tape = Tape(recorded)
    params = InferenceParams(max_new_tokens=64, answer_tokens=0, samples=5, votes={"numbers": (1, 5)})
    made = counted(tape, params, arm=FREE)
    assert not any("A." in request.messages[0].content for request in tape.asked)
    first = made["answers"]["question_id"] == questions(1)["question_id"].item()
    answers = made["answers"][first & (made["answers"]["draw"] == "sampled")]
    assert answers["rank"].tolist()[:4] == [1, 2, 1, 2]
    assert answers["correct"].tolist() == [True, False, True, False, False]
    assert answers["letter"].tolist()[:3] == ["A", "B", "A"]
    assert pd.isna(answers["letter"].iloc[3]), "a diagnosis that no option names"
    assert answers["differential"].iloc[3][0] == "Sarcoidosis"
    assert answers["status"].tolist() == ["answer"] * 4 + ["abstain"]
    votes = made["votes"].set_index(["method", "k"]).sort_index()
    assert votes.loc[("ranked", 5), "correct"].all()
    assert set(votes.loc[("ranked", 5), "voters"]) == {4}
    assert votes.loc[("majority", 5), "correct"].all()
    curve = made["curve"].set_index(["method", "k"])["accuracy"]
    assert curve["ranked", 1] == pytest.approx(2 / 5)
    assert curve["ranked", 5] == 1.0
    assert set(made["adaptive"]["drawn"]) <= {3, 4, 5}


def test_questions_that_need_their_options_are_not_asked_freely() -> None:
    asked = questions(4)
    asked.loc[0, "stem"] = "Case 0: which of the following statements is true?"
    assert len(nodes.choose_questions(asked, InferenceParams(), ARM, 3)) == 4
    assert len(nodes.choose_questions(asked, InferenceParams(), FREE, 3)) == 3


def test_every_stopping_rule_is_replayed_and_its_agreement_measured() -> None:
    params = InferenceParams(max_new_tokens=64, samples=12, adaptive={"threshold": 0.85})
    asked = questions(8)
    answers = nodes.read_answers(generated(Tape(wavering), params, asked)[0], asked, ARM)
    rules, prior, calibration = nodes.compare_stopping(params, {"arm": ARM}, answers)
    assert set(rules["rule"]) == {"dirichlet", "fitted", "beta", "distribution_free"}
    assert prior.groupby("arm")["share"].sum().to_dict() == pytest.approx({"arm": 1.0, "all": 1.0}, abs=1e-4)
    assert calibration[calibration["promised"] > 0.9]["threshold"].isna().all(), "of eight questions nobody knows"
    assert set(rules["threshold"]) >= {0.85, 0.9, 0.95}
    _, adaptive, _ = nodes.draw_curves(params, {"arm": ARM}, 11, answers)
    own = rules.set_index(["rule", "threshold"]).loc[("dirichlet", 0.85)]
    assert own["agreement"] == adaptive["agrees"].mean()
    assert own["accuracy"] == adaptive["correct"].mean()
    assert own["tokens"] == adaptive["tokens"].mean()
    assert own["promised"] == pytest.approx(adaptive["probability"].mean())
    for _, of_rule in rules.groupby("rule"):
        assert of_rule.sort_values("threshold")["drawn"].is_monotonic_increasing
    free = rules[rules["rule"] == "distribution_free"]
    assert (free["agreement"] >= free["threshold"] - 0.13).all()
    live = params.model_copy(update={"adaptive": params.adaptive.model_copy(update={"draw": True})})
    assert all(table.empty for table in nodes.compare_stopping(live, {"arm": ARM}, answers)), (
        "the rest was not drawn, so nobody knows"
    )
