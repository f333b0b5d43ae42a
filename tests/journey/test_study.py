"""The shape of a study, from its parameters."""

from __future__ import annotations

from typing import Any

import pytest

from medo1.study import Study, StudyError


def parameters(**changes: Any) -> dict[str, Any]:
    return {
        "seed": 1,
        "journey": ["ingest"],
        "formats": {"cot": {}},
        "arms": {"vanilla": {"prompt": "vanilla"}, "cot_sft": {"prompt": "cot", "adapter": "cot"}},
        "finetune": {"cot": {}},
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"inferense": {}}, "Unknown parameter inferense"),
        ({"journey": ["cooking"]}, "journey"),
        ({"seed": -1}, "seed"),
        ({"formats": {"cot": {"sauce": "teacher"}}}, "formats.cot.sauce"),
        ({"formats": {"co t": {}}}, "'co t'"),
        ({"arms": {"cot_sft": {"prompt": "cot", "adapter": "cto"}}}, "arms.cot_sft.adapter is 'cto'"),
        ({"arms": {"cot": {"prompt": "cot"}}}, "cannot share a name: cot"),
        ({"arms": {"a": {"prompt": "cot", "draws": {"sampels": 1}}}}, "sampels"),
        ({"finetune": {}}, "formats.cot has no finetune.cot"),
    ],
)
def test_what_is_no_study_is_refused_with_the_key_that_is_wrong(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(StudyError, match=told.replace(".", r"\.")):
        Study.from_parameters(parameters(**changes))


def test_an_environment_takes_a_format_and_its_arm_away_with_null() -> None:
    study = Study.from_parameters(
        parameters(formats={"cot": {}, "longstep": None}, arms={"vanilla": {"prompt": "vanilla"}, "cot_sft": None})
    )
    assert (list(study.formats), list(study.arms)) == (["cot"], ["vanilla"])


def test_a_group_with_an_underscore_holds_what_others_share() -> None:
    assert Study.from_parameters(parameters(_lora={"rank": 16})).seed == 1
