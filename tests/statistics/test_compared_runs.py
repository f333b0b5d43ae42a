"""Runs are compared arm by arm, on the same questions, and all differences hold at once."""

from __future__ import annotations

import random

import pytest

from medo1.statistics.compared_runs import accuracy_rows, difference_rows
from medo1.statistics.paired import paired
from medo1.statistics.strata import weighted_interval


def answered(seed: int, share: float, questions: int = 200) -> dict[tuple[str, str], bool]:
    rng = random.Random(seed)
    return {(("medqa", "jama")[n % 2], str(n)): rng.random() < share for n in range(questions)}


def test_an_arm_is_paired_with_its_counterpart_on_each_benchmark_and_on_all() -> None:
    right = {"cot": answered(1, 0.5), "cot (B)": answered(2, 0.9)}
    rows = difference_rows(right, {"cot (B)": "cot"})
    assert [row["benchmark"] for row in rows] == ["jama", "medqa", "all"]
    whole = rows[-1]
    keys = list(right["cot"])
    alone = paired([right["cot (B)"][key] for key in keys], [right["cot"][key] for key in keys])
    assert (whole["gained"], whole["lost"], whole["p_value"]) == (alone.gained, alone.lost, alone.p_value)
    assert whole["simultaneous_low"] <= whole["difference_low"] < whole["difference"]
    assert whole["p_adjusted"] >= whole["p_value"]
    assert sum(row["questions"] for row in rows[:2]) == whole["questions"] == 200


def test_a_run_compared_with_itself_differs_in_nothing() -> None:
    right = {"cot": answered(1, 0.5), "cot (B)": answered(1, 0.5)}
    for row in difference_rows(right, {"cot (B)": "cot"}):
        assert (row["difference"], row["p_adjusted"]) == (0, 1)
        assert row["simultaneous_low"] <= 0 <= row["simultaneous_high"]


def test_the_order_of_the_questions_does_not_matter_and_a_missing_one_is_an_error() -> None:
    first, second = answered(1, 0.5), answered(2, 0.9)
    backwards = dict(reversed(second.items()))
    assert difference_rows({"a": first, "b": second}, {"b": "a"}) == difference_rows(
        {"a": first, "b": backwards}, {"b": "a"}
    )
    del first["medqa", "0"]
    with pytest.raises(KeyError):
        difference_rows({"a": first, "b": second}, {"b": "a"})


def test_accuracies_count_every_question_once() -> None:
    rows = {(row["arm"], row["benchmark"]): row for row in accuracy_rows({"a": answered(1, 0.5)})}
    assert rows["a", "all"]["correct"] == rows["a", "jama"]["correct"] + rows["a", "medqa"]["correct"]
    parts = [(rows["a", name]["correct"], rows["a", name]["questions"]) for name in ("jama", "medqa")]
    whole = weighted_interval(parts)  # what a study's own results say of all benchmarks
    told = [rows["a", "all"][name] for name in ("accuracy", "accuracy_low", "accuracy_high")]
    assert told == [whole.value, whole.low, whole.high]
