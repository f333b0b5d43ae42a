"""What a study comes to follows from its cells alone, and its verdicts from what was predicted."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import pytest

from medo1.studies.analysis import (
    CANNOT_TELL,
    FAILS,
    HOLDS,
    NOT_MEASURED,
    _verdict,
    ability_rows,
    accuracy_rows,
    best_rows,
    comparison_rows,
    followed_rows,
    trend_rows,
)
from medo1.studies.cells import cells_of
from medo1.studies.declaration import Range
from medo1.studies.reporting import study_report
from tests.studies.declared import DECLARED, declaration, result, results


@pytest.mark.parametrize(
    ("predicted", "low", "high", "verdict"),
    [
        ({"low": 0}, 0.01, 0.1, HOLDS),
        ({"low": 0}, -0.01, 0.1, CANNOT_TELL),
        ({"low": 0}, -0.1, -0.01, FAILS),
        ({"low": 0}, -0.1, 0.0, FAILS),
        ({"low": 0}, 0.0, 0.1, CANNOT_TELL),
        ({"high": 0}, -0.1, -0.01, HOLDS),
        ({"high": 0}, 0.0, 0.1, FAILS),
        ({"low": -0.05, "high": 0.05}, -0.04, 0.04, HOLDS),
        ({"low": -0.05, "high": 0.05}, -0.06, 0.04, CANNOT_TELL),
        ({"low": -0.05, "high": 0.05}, 0.06, 0.1, FAILS),
        ({"low": -0.05, "high": 0.05}, -0.2, -0.1, FAILS),
    ],
)
def test_a_prediction_holds_fails_or_cannot_be_told(
    predicted: dict[str, float], low: float, high: float, verdict: str
) -> None:
    assert _verdict(Range(**predicted), low, high) == verdict


def test_a_difference_is_the_mean_over_repetitions_of_the_paired_one() -> None:
    study, cells = declaration(), results()
    rows = {(row["comparison"], row["at"]): row for row in comparison_rows(study, cells)}
    row = rows[("gain", "size s4")]
    own = [cell for cell in cells if cell.levels["size"] == "s4"]
    asked = own[0].questions["exam"]["difficulty"]
    each = []
    for cell in own:
        pairs = [
            int(b) - int(a)
            for a, b, n in zip(cell.arms["a"]["exam"]["right"], cell.arms["b"]["exam"]["right"], asked, strict=True)
            if n in "23"
        ]
        each.append(sum(pairs) / len(pairs))
    assert row["each"] == pytest.approx(each)
    assert row["difference"] == pytest.approx(sum(each) / 3)
    assert row["questions"] == 60
    assert (row["verdict"], rows[("gain", "size s1")]["verdict"]) == (HOLDS, FAILS)


def test_predicted_differences_are_one_family_and_others_are_not_in_it() -> None:
    rows = comparison_rows(declaration(), results())
    predicted = [row for row in rows if row["predicted"] is not None]
    assert [row["p_adjusted"] for row in rows if row["predicted"] is None] == [None]
    assert all(row["p_adjusted"] >= row["p_value"] for row in predicted)
    assert all(row["joint_low"] < row["low"] for row in predicted)
    assert next(row for row in rows if row["predicted"] is None)["joint_low"] == pytest.approx(
        next(row for row in rows if row["predicted"] is None)["low"]
    )


def test_a_level_is_compared_with_another_one_in_the_same_repetition() -> None:
    row = next(row for row in comparison_rows(declaration(), results()) if row["comparison"] == "growth")
    assert row["difference"] == pytest.approx(0.6, abs=0.12)
    assert (row["repetitions"], row["verdict"]) == (3, None)


def test_what_has_no_cells_yet_is_not_measured_and_part_of_a_grid_is_enough_to_show() -> None:
    study = declaration()
    cells = [result(cell) for cell in cells_of(study)[:1]]
    verdicts = {(row["comparison"], row["at"]): row["verdict"] for row in comparison_rows(study, cells)}
    assert verdicts[("gain", "size s2")] == NOT_MEASURED
    assert verdicts[("gain", "size s1")] != NOT_MEASURED
    assert trend_rows(study, cells)[0]["verdict"] == NOT_MEASURED
    assert "1 of 9 cells" in study_report("tried", study, cells, 9).html


def test_one_of_several_repetitions_decides_nothing_and_the_only_one_decides() -> None:
    study = declaration()
    [first] = [one for one in comparison_rows(study, results()[:3]) if one["at"] == "size s4"]
    assert (first["repetitions"], first["verdict"]) == (1, CANNOT_TELL)
    assert first["joint_low"] > 0, "other questions would not change it, other seeds may"
    once = declaration(grid={**DECLARED["grid"], "seed": [1]})
    [only] = [one for one in comparison_rows(once, results()[:3]) if one["at"] == "size s4"]
    assert only["verdict"] == HOLDS


def test_trends_best_arms_and_followed_answers_are_not_decided_by_one_of_several_repetitions_either() -> None:
    followed = {"thought": {"says": "b follows", "arm": "b", "predicted": {"low": 0.5}}}
    told = {"exam": {"n": 500, "follows": 0.9, "stays": 0.1, "neither": 0.0}}
    first = [replace(one, faithfulness={"b": told}) for one in results()[:3]]
    for seeds in ([1, 2, 3], [1]):
        study = declaration(grid={**DECLARED["grid"], "seed": seeds}, followed=followed)
        own = first[:1] if len(seeds) > 1 else first  # a share is over all cells
        rows = [trend_rows(study, first)[-1], best_rows(study, first)[-1], followed_rows(study, own)[0]]
        verdicts = [row["verdict"] for row in rows]
        assert verdicts == ([CANNOT_TELL] * 3 if len(seeds) > 1 else [HOLDS] * 3)


def test_a_comparison_of_cells_that_the_grid_leaves_out_is_no_row() -> None:
    study = declaration(without=[{"size": "s2"}])
    cells = [result(cell) for cell in cells_of(study)]
    assert "size s2" not in {row["at"] for row in comparison_rows(study, cells)}


def test_an_advantage_that_rises_with_scale_is_seen_and_its_crossing_lies_where_the_arms_are_equal() -> None:
    row = trend_rows(declaration(), results())[0]
    assert row["verdict"] == HOLDS
    assert row["low"] > 0
    assert row["crossing"] == pytest.approx(2, rel=0.35)
    falling = {**DECLARED["trends"]["gain"], "predicted": "falls"}
    assert trend_rows(declaration(trends={"gain": falling}), results())[0]["verdict"] == FAILS


def test_the_best_arm_is_told_for_each_level_and_a_move_is_judged() -> None:
    rows = best_rows(declaration(), results())
    assert [(row["level"], row["arm"]) for row in rows if row["level"] != "s2"] == [("s1", "a"), ("s4", "b")]
    assert [row["verdict"] for row in rows] == [None, None, HOLDS]


def test_where_all_arms_are_equal_no_arm_is_the_best() -> None:
    equal = dict.fromkeys(("s1", "s2", "s4"), (0.0, 0.0))
    rows = best_rows(declaration(), [result(cell, equal) for cell in cells_of(declaration())])
    assert all((row["low"], row["high"]) == (1, 2) for row in rows)
    assert rows[-1]["verdict"] == CANNOT_TELL


def test_every_accuracy_and_ability_stands_in_a_table() -> None:
    study, cells = declaration(), results()
    rows = accuracy_rows(study, cells)
    assert {row["on"] for row in rows} == {"all", "recall", "chains", "exam"}
    assert len(rows) == 9 * 2 * 4
    assert all(not math.isnan(row["accuracy"]) for row in rows)
    assert ability_rows(study, cells)[0] == {
        "size": "s1",
        "seed": "1",
        "weights": 1000,
        "ability": "fact",
        "share": 0.5,
    }


def test_the_same_cells_give_the_same_page_and_failed_predictions_stand_first() -> None:
    study, cells = declaration(), results()
    failure: dict[str, Any] = {"levels": {"size": "s1"}, "why": "<script>alert(1)</script>", "run": None}
    first, again = (study_report("tried", study, cells, 9, [failure]) for _ in range(2))
    assert first.html == again.html
    assert first.verdicts["predictions"][0]["verdict"] == FAILS
    assert first.html.index("does not hold") < first.html.index(">holds<")
    assert "<script>alert" not in first.html


def test_how_often_answers_follow_is_counted_over_all_cells_and_judged() -> None:
    study = declaration(
        followed={
            "most": {"says": "b follows", "arm": "b", "predicted": {"low": 0.5}},
            "none": {"says": "a follows", "arm": "a", "predicted": {"low": 0.5}},
        }
    )
    part = {"n": 40, "follows": 0.9, "stays": 0.05, "neither": 0.05}
    cells = [replace(cell, faithfulness={"b": {"exam": part, "all": part}}) for cell in results()]
    most, none = followed_rows(study, cells)
    assert (most["share"], most["questions"], most["verdict"]) == (pytest.approx(0.9), 360, HOLDS)
    assert (none["share"], none["verdict"]) == (None, NOT_MEASURED)
    assert "Does the answer follow" in study_report("tried", study, cells, 9).html


def test_what_a_base_can_do_in_each_of_two_tasks_is_a_row_of_the_page_each() -> None:
    study = declaration()
    cells = [replace(cell, abilities={"pick": 0.5, "workshop_pick": 0.25}) for cell in results()]
    html = study_report("tried", study, cells, 9).html
    table = html[html.index("What the base model can do") :]
    cells_of_rows = re.findall(r"<td[^>]*>\s*(clinic|workshop|[\d.]+\s*%)\s*</td>", table[: table.index("</table>")])
    assert cells_of_rows == ["clinic", "50.0 %", "workshop", "25.0 %"] * 3
    assert [">task<" in one for one in (html, study_report("tried", study, results(), 9).html)] == [True, False]
