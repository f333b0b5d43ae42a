"""The report's tables: complete for two arms alone, muted where an arm guesses, each claim with its verdict."""

# ruff: noqa: E501  (tables of cases)
from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from medo1 import tables
from medo1.engines.base import Model
from medo1.errors import UserError
from medo1.gathered import gather
from medo1.pipelines.reporting.nodes import (
    calibrate,
    compare_arms,
    compare_pairs,
    describe_answers,
    judge_claims,
    size_models,
    summarise_votes,
    trace_frontier,
)
from medo1.pipelines.reporting.params import CLAIM_NAMES, ReportingParams
from tests.page.studies import generation, question

ARMS = {
    "vanilla": {"prompt": "vanilla", "adapter": None, "model": "base_model"},
    "vanilla_cot": {"prompt": "cot", "adapter": None, "model": "base_model"},
    "longmonolog_sft": {"prompt": "longmonolog", "adapter": "longmonolog", "model": "base_model"},
}
NO_CURVE = {
    name: tables.as_table(getattr(tables, name), []) for name in ("VOTE_CURVE", "BUDGET_CURVE", "SELECTIVE_CURVE", "ADAPTIVE")
}  # fmt: skip
Study = tuple[list[pd.DataFrame], list[pd.DataFrame]]


def study(
    shares: dict[str, float], benchmarks: tuple[str, ...] = ("exam",), size: int = 90, samples: int = 0, **changed: Any
) -> Study:
    """Answers and generations of arms that are right in these shares; `changed` replaces columns of the answers."""
    answers, generations = [], []
    for arm, share in shares.items():
        rng = random.Random(arm)
        said, read = [], []
        for benchmark in benchmarks:
            for number in range(size):
                asked = question(number, benchmark)
                others = [letter for letter in "ABCD" if letter != asked["gold"]]
                for draw, count in (("greedy", 1), ("sampled", samples)):
                    for sample in range(count):
                        letter = asked["gold"] if rng.random() < share else rng.choice(others)
                        one, other = generation(
                            arm, asked, letter, f"Final answer: {letter}", draw, sample, 20 + number
                        )
                        said.append(one)
                        read.append({**other, **changed})
        generations.append(tables.as_table(tables.GENERATIONS, said))
        answers.append(tables.as_table(tables.ANSWERS, read))
    return answers, generations


def questions(benchmarks: tuple[str, ...] = ("exam",), size: int = 90) -> pd.DataFrame:
    return tables.as_table(tables.QUESTIONS, [question(n, name) for name in benchmarks for n in range(size)])


def timing(arms: Any, model: str = "", tokens_per_s: float | None = 100.0) -> pd.DataFrame:
    counts = dict.fromkeys(("requests", "kept", "failed", "prompt_tokens", "completion_tokens"), 1)
    rows = [{"arm": arm, "model": model, **counts, "wall_s": 1.0, "tokens_per_s": tokens_per_s, "cost_usd": None, "energy_wh": None} for arm in arms]  # fmt: skip
    return tables.as_table(tables.TIMING, rows)


def claims_of(made: Study, params: ReportingParams, arms: dict[str, Any], benchmarks: tuple[str, ...] = ("exam",), model: str = "") -> tuple[pd.DataFrame, ...]:  # fmt: skip
    answers, generations = made
    results, comparisons, _ = compare_arms(params, gather(*answers))
    sizes = size_models(params, arms, timing(arms, model), names=())
    return judge_claims(
        params, arms, results, comparisons, sizes, questions(benchmarks), gather(*answers), gather(*generations)
    )


def test_two_arms_without_samples_or_chains_have_a_complete_report() -> None:
    arms = {"direct": {"prompt": "direct", "adapter": None, "model": None}, "cot": {"prompt": "cot", "adapter": None, "model": None}}  # fmt: skip
    answers, generations = study({"direct": 0.4, "cot": 0.8})
    params = ReportingParams(baseline="direct")
    pairs, lettered, no_worse = compare_pairs(params, NO_CURVE["ADAPTIVE"], gather(*answers))
    assert len(pairs) == 1
    assert sorted(lettered["group"]) == ["a", "b"]
    assert no_worse["no_worse"].tolist() == [True]
    assert [len(table) for table in summarise_votes(params, gather(*answers))] == [0, 0, 0]
    assert [len(table) for table in calibrate(params, gather(*answers))] == [0, 0, 0]
    sizes = size_models(params, arms, timing(arms), names=())
    frontier = trace_frontier(params, {}, NO_CURVE["VOTE_CURVE"], NO_CURVE["BUDGET_CURVE"], NO_CURVE["SELECTIVE_CURVE"], timing(arms), sizes, gather(*answers))  # fmt: skip
    assert frontier["strategy"].tolist() == ["single", "single"]
    claims, beside, signatures = claims_of((answers, generations), params, arms)
    assert claims["claim"].tolist() == list(CLAIM_NAMES)
    verdicts = dict(zip(claims["claim"], claims["verdict"], strict=True))
    assert verdicts["chains_hurt_small_models"] == "does not hold"
    assert {verdicts[name] for name in ("long_chains_pay", "votes_add_little", "free_form_is_a_differential")} == {"not measured"}  # fmt: skip
    assert (beside["arm"] != "").sum() == 2
    assert set(signatures["signature"]) == {"cot_below_vanilla", "wrong_longer_than_right", "loops", "unfinished"}


def test_an_arm_that_answers_c_80_times_of_90_is_muted_and_named() -> None:
    """It reads nothing, and is right more often than the baseline because C often is."""
    golds = ["C"] * 45 + ["A", "B", "D"] * 15
    rows: dict[str, list[Any]] = {"vanilla": [], "always": []}
    for number, gold in enumerate(golds):
        asked = question(number, gold=gold)
        rows["vanilla"].append(generation("vanilla", asked, "ABCD"[number % 4], "")[1])
        rows["always"].append(generation("always", asked, "C" if number < 80 else "A", "")[1])
    answers = [tables.as_table(tables.ANSWERS, one) for one in rows.values()]
    letters, baselines, _ = describe_answers(ReportingParams(), gather(*answers))
    named = baselines.set_index("arm").loc["always"]
    assert named["muted"]
    assert named["commonest_letter"] == 0.5
    assert "states C in 80 of 90 answers" in named["why"]
    assert letters.groupby("arm")["answered"].sum().tolist() == pytest.approx([1, 1])
    [compared] = compare_arms(ReportingParams(), gather(*answers))[1].to_dict(orient="records")
    assert compared["difference"] > 0.18
    assert compared["p_adjusted"] < 0.05
    assert compared["muted"]
    assert "states C" in compared["why"]


def test_an_arm_that_mostly_cannot_be_read_is_muted_below_chance() -> None:
    """Where it answers it is right more often than its letters would be by chance; over all questions it is not."""
    rows: dict[str, list[Any]] = {"vanilla": [], "rarely": []}
    for number in range(90):
        asked = question(number)
        rows["vanilla"].append(generation("vanilla", asked, None, "")[1])
        letter = None if number % 2 else asked["gold"] if number % 5 < 2 else "ABCD"[(number + 1) % 4]
        rows["rarely"].append(generation("rarely", asked, letter, "")[1])
    answers = [tables.as_table(tables.ANSWERS, one) for one in rows.values()]
    named = describe_answers(ReportingParams(), gather(*answers))[1].set_index("arm").loc["rarely"]
    assert named["accuracy"] < named["chance"]
    assert named["muted"]
    [compared] = compare_arms(ReportingParams(), gather(*answers))[1].to_dict(orient="records")
    assert compared["p_adjusted"] < 0.05
    assert compared["muted"]


def test_an_arm_that_knows_is_not_muted_and_a_loss_to_it_neither() -> None:
    answers, _ = study({"vanilla": 0.8, "longmonolog_sft": 0.25})
    assert not compare_arms(ReportingParams(), gather(*answers))[1]["muted"].any()


def test_the_declared_family_is_corrected_by_itself() -> None:
    answers, _ = study({"vanilla": 0.4, "vanilla_cot": 0.45, "longmonolog_sft": 0.6, "other": 0.5})
    every = compare_arms(ReportingParams(), gather(*answers))[1].set_index("arm")
    declared = compare_arms(ReportingParams(family={"arms": ["longmonolog_sft"]}), gather(*answers))[1].set_index("arm")
    assert declared.loc["longmonolog_sft", "p_adjusted"] == declared.loc["longmonolog_sft", "p_value"]
    assert every.loc["longmonolog_sft", "p_adjusted"] > every.loc["longmonolog_sft", "p_value"]
    assert declared["family"].to_dict() == {"vanilla_cot": "other", "longmonolog_sft": "declared", "other": "other"}
    assert declared.loc["longmonolog_sft", "smallest_detectable"] < every.loc["longmonolog_sft", "smallest_detectable"]
    with pytest.raises(UserError, match=r"family\.arms is 'longer'"):
        compare_arms(ReportingParams(family={"arms": ["longer"]}), gather(*answers))


def test_intervals_and_tests_never_contradict() -> None:
    for seed in range(6):
        answers, _ = study({f"{name}{seed}" if name else "vanilla": 0.5 + 0.06 * place for place, name in enumerate(("", "a", "b", "c"))})  # fmt: skip
        for row in compare_arms(ReportingParams(), gather(*answers))[1].to_dict(orient="records"):
            for p, low, high in (("p_value", "difference_low", "difference_high"), ("p_adjusted", "simultaneous_low", "simultaneous_high")):  # fmt: skip
                if row[p] > 0.05:
                    assert row[low] <= 0 <= row[high]
                else:
                    assert row[low] >= 0 or row[high] <= 0


def test_the_mean_over_benchmarks_takes_the_sizes_that_are_declared() -> None:
    answers, _ = study({"vanilla": 0.5, "longmonolog_sft": 0.7}, ("jama", "medqa"))
    results = compare_arms(ReportingParams(weights={"jama": 646, "medqa": 1273}), gather(*answers))[0].set_index(
        ["arm", "benchmark"]
    )
    jama, medqa, mean = (results.loc[("vanilla", name), "accuracy"] for name in ("jama", "medqa", "all"))
    assert mean == pytest.approx((646 * jama + 1273 * medqa) / 1919)
    with pytest.raises(UserError, match="and not jama"):
        compare_arms(ReportingParams(weights={"medqa": 1}), gather(*answers))


@pytest.mark.parametrize(("share", "verdict"), [(0.95, "holds"), (0.5, "cannot be told"), (0.1, "does not hold")])
def test_a_claim_has_the_verdict_of_its_corrected_comparison(share: float, verdict: str) -> None:
    made = study({"vanilla": 0.5, "vanilla_cot": 0.5, "longmonolog_sft": share})
    claims, _, _ = claims_of(made, ReportingParams(), ARMS)
    row = claims.set_index("claim").loc["long_chains_pay"]
    assert row["verdict"] == verdict
    assert "vanilla" in row["measured"]
    assert row["low"] <= row["value"] <= row["high"]
    assert ("would be found" in row["why"]) == (verdict == "cannot be told")


def test_what_the_questions_were_made_to_show_never_holds() -> None:
    made = study({"vanilla": 0.4, "vanilla_cot": 0.5, "longmonolog_sft": 0.95})
    claims, _, signatures = claims_of(made, ReportingParams(built_in=("long_chains_pay", "cot_below_vanilla")), ARMS)
    row = claims.set_index("claim").loc["long_chains_pay"]
    assert row["verdict"] == "built in"
    assert "by the numbers alone: holds" in row["why"]
    assert signatures.set_index("signature")["built_in"].to_dict()["cot_below_vanilla"]
    with pytest.raises(ValidationError, match="long_chains_play"):
        ReportingParams(built_in=("long_chains_play",))


def test_votes_have_their_limit_pass_at_k_and_variances() -> None:
    answers, generations = study({"vanilla": 0.45, "longmonolog_sft": 0.7}, samples=8)
    limits, passes, parts = summarise_votes(ReportingParams(), gather(*answers))
    for row in limits.to_dict(orient="records"):
        assert row["low"] <= row["limit"] <= row["high"]
        assert row["majority"] >= row["single"]
        assert row["modal_wrong"] <= 1 - row["majority"] + 1e-9
        assert row["pass_at_all"] == passes[(passes["arm"] == row["arm"]) & (passes["k"] == 8)]["pass_at_k"].item()
    assert (parts["error_of_all"] < parts["error_of_one"]).all()
    claims, _, signatures = claims_of((answers, generations), ReportingParams(), {name: ARMS[name] for name in ("vanilla", "longmonolog_sft")})  # fmt: skip
    assert claims.set_index("claim").loc["votes_add_little", "verdict"] == "holds"
    assert set(signatures[signatures["signature"] == "votes_fall"]["seen"]) <= {"no", "cannot be told"}
    bins, summary, curve = calibrate(ReportingParams(), gather(*answers))
    assert set(bins["score"]) == {"vote_share"}
    assert (summary["aurc"] < summary["error"]).all()
    assert curve.groupby("arm")["coverage"].max().tolist() == [1, 1]


def test_samples_that_were_drawn_because_others_disagreed_are_left_out() -> None:
    [answers], _ = study({"vanilla": 0.6}, samples=8)
    decided = answers[(answers["sample"] < 3) | (answers["question_id"] < f"{30:016x}")]
    limits = summarise_votes(ReportingParams(), decided)[0]
    assert limits["samples"].tolist() == [3]
    pd.testing.assert_frame_equal(limits, summarise_votes(ReportingParams(), answers[answers["sample"] < 3])[0])


def test_costs_are_of_what_was_asked() -> None:
    answers, _ = study({"vanilla": 0.4, "longmonolog_sft": 0.9})
    arms = {name: {**ARMS[name], "model": None} for name in ("vanilla", "longmonolog_sft")}
    took = timing(arms, "Qwen2.5-72B-Instruct")
    sizes = size_models(ReportingParams(sizes={"vanilla": 7e9}), arms, took, names=())
    assert sizes["weights"].tolist() == [7e9, 72e9]
    assert sizes["source"].tolist() == ["parameters", "name"]
    prices = {"prices": {"Qwen2.5-72B-Instruct": {"prompt_usd_per_million": 1, "completion_usd_per_million": 2}}}
    frontier = trace_frontier(ReportingParams(), prices, NO_CURVE["VOTE_CURVE"], NO_CURVE["BUDGET_CURVE"], NO_CURVE["SELECTIVE_CURVE"], took, sizes, gather(*answers))  # fmt: skip
    row = frontier.set_index("arm").loc["longmonolog_sft"]
    assert row["tokens"] == pytest.approx(64.5)
    assert row["seconds"] == pytest.approx(0.645)
    assert row["dollars"] == pytest.approx((9 * 1 + 64.5 * 2) / 1e6)
    assert row["flops"] == pytest.approx(2 * 72e9 * (9 + 64.5))


@pytest.mark.parametrize(
    ("name", "billions"),
    [("Qwen/Qwen2.5-72B-Instruct", 72), ("meta/Llama-3.1-8b", 8), ("qwen2.5:0.5B", 0.5), ("gpt-4o", None), ("o1", None), ("bert", None)],
)  # fmt: skip
def test_a_size_is_read_from_a_name_that_states_one(name: str, billions: float | None) -> None:
    arms = {"vanilla": {"model": "base_model"}}
    [row] = size_models(ReportingParams(), arms, timing(arms), Model(name), names=("base_model",)).to_dict(
        orient="records"
    )
    assert row["weights"] == (pytest.approx(billions * 1e9) if billions else pytest.approx(float("nan"), nan_ok=True))


def test_the_weights_of_a_directory_are_counted(tmp_path: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    save_file({"a": np.zeros((3, 4), np.float32), "b": np.zeros(5, np.float32)}, tmp_path / "model.safetensors")
    arms = {"vanilla": {"model": "base_model"}}
    sizes = size_models(ReportingParams(), arms, timing(arms), Model("base", tmp_path), names=("base_model",))
    assert sizes["weights"].tolist() == [17]


def test_loops_and_unfinished_thoughts_are_seen_with_their_interval() -> None:
    answers, generations = study({"vanilla": 0.5, "longmonolog_sft": 0.5}, outcome="cut")
    said = generations[1].copy()
    said["text"] = "Wait, let me think about this again. " * 30
    _, _, signatures = claims_of((answers, [generations[0], said]), ReportingParams(), {name: ARMS[name] for name in ("vanilla", "longmonolog_sft")})  # fmt: skip
    seen = signatures.set_index(["signature", "arm"])["seen"]
    assert seen["loops", "longmonolog_sft"] == "yes"
    assert seen["loops", "vanilla"] == "no"
    assert seen["unfinished", "vanilla"] == "yes"


def test_a_gain_that_is_gone_away_from_the_trained_cases_is_seen() -> None:
    trained = study({"vanilla": 0.4, "longmonolog_sft": 0.95}, ("medqa",))
    away = study({"vanilla": 0.5, "longmonolog_sft": 0.5}, ("other",))
    answers = [pd.concat(pair, ignore_index=True) for pair in zip(trained[0], away[0], strict=True)]
    generations = [pd.concat(pair, ignore_index=True) for pair in zip(trained[1], away[1], strict=True)]
    arms = {name: ARMS[name] for name in ("vanilla", "longmonolog_sft")}
    params = ReportingParams()
    asked = tables.as_table(tables.QUESTIONS, [question(1, "medqa", split="train"), question(1, "other")])
    compared = compare_arms(params, gather(*answers))
    sizes = size_models(params, arms, timing(arms), names=())
    signatures = judge_claims(params, arms, *compared[:2], sizes, asked, gather(*answers), gather(*generations))[2]
    [row] = signatures[signatures["signature"] == "gain_vanishes"].to_dict(orient="records")
    assert row["seen"] == "yes"
    assert row["low"] > 0


def test_table_1_stands_whole_with_ours_where_model_method_and_benchmark_are_the_same() -> None:
    benchmarks = ("jama", "medbullets_op4", "medqa")
    made = study({"vanilla": 0.6, "longmonolog_sft": 0.8}, benchmarks, size=40)
    arms = {name: {**ARMS[name], "model": None} for name in ("vanilla", "longmonolog_sft")}
    beside = claims_of(made, ReportingParams(), arms, benchmarks, "Qwen/Qwen2.5-72B-Instruct")[1]
    assert len(beside) == 26 * 4
    ours = beside[beside["arm"] != ""]
    assert set(ours["model"]) == {"Qwen2.5-72B-Instruct"}
    assert set(ours["benchmark"]) == {"mean", "jama", "medbullets", "medqa"}
    assert ours.set_index(["method", "benchmark"]).loc[("longmonolog_sft", "mean"), "paper"] == pytest.approx(0.7718)
    printed = beside.pivot_table(index=["model", "method"], columns="benchmark", values="paper")
    weighted = (646 * printed["jama"] + 308 * printed["medbullets"] + 1273 * printed["medqa"]) / 2227
    off = printed.index[(weighted - printed["mean"]).abs() > 0.00011]
    assert sorted(off) == [("InternLM2.5-7B", "vanilla_cot"), ("Llama3.1-70B-Instruct", "vanilla_cot")]


def test_a_model_that_the_paper_has_not_stands_below_its_table() -> None:
    beside = claims_of(study({"vanilla": 0.6, "longmonolog_sft": 0.8}), ReportingParams(), {name: ARMS[name] for name in ("vanilla", "longmonolog_sft")})[1]  # fmt: skip
    ours = beside[beside["arm"] != ""]
    assert set(ours["model"]) == {"this study"}
    assert ours["paper"].isna().all()


def test_equal_inputs_give_equal_tables() -> None:
    made = study({"vanilla": 0.5, "vanilla_cot": 0.6, "longmonolog_sft": 0.8}, samples=4)
    one, other = (claims_of(made, ReportingParams(), ARMS) for _ in range(2))
    for first, second in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_questions_without_difficulty_have_lengths_too() -> None:
    answers, _ = study({"vanilla": 0.5, "longmonolog_sft": 0.8}, difficulty=None)
    lengths = describe_answers(ReportingParams(), gather(*answers))[2]
    assert lengths["difficulty"].isna().all()
    assert lengths["n"].sum() == 180


def test_an_arm_whose_parameters_name_no_model_is_of_the_base_model_as_in_inference(tmp_path: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    from medo1.pipelines.inference.params import ArmParams
    from medo1.pipelines.reporting.roles import MODEL

    assert ArmParams(prompt="vanilla").model == MODEL
    save_file({"a": np.zeros(7, np.float32)}, tmp_path / "model.safetensors")
    arms = {"vanilla": {"prompt": "vanilla"}}  # as YAML has it
    sizes = size_models(ReportingParams(), arms, timing(arms, "digest"), Model("base", tmp_path), names=("base_model",))
    assert sizes["weights"].tolist() == [7]
    plain = {name: {"prompt": arm["prompt"], "adapter": arm["adapter"]} for name, arm in ARMS.items()}
    beside = claims_of(study({"vanilla": 0.6, "longmonolog_sft": 0.8}), ReportingParams(), {name: plain[name] for name in ("vanilla", "longmonolog_sft")}, model="digest")[1]  # fmt: skip
    assert set(beside[beside["arm"] != ""]["model"]) == {"this study"}


def test_votes_of_an_arm_that_guesses_prove_nothing() -> None:
    made = study({"vanilla": 0.9, "longmonolog_sft": 0.6}, samples=8)
    claims = claims_of(made, ReportingParams(), ARMS)[0].set_index("claim")
    assert claims.loc["votes_add_little", "verdict"] == "holds"
    answers, generations = made
    guessed = answers[1].copy()
    greedy = guessed["draw"] == "greedy"
    guessed.loc[greedy, "letter"] = "C"
    guessed["correct"] = guessed["letter"] == guessed["gold"]
    claims = claims_of(([answers[0], guessed], generations), ReportingParams(), ARMS)[0].set_index("claim")
    assert claims.loc["votes_add_little", "verdict"] == "cannot be told"
    assert "cannot be told from guessing" in claims.loc["votes_add_little", "why"]
