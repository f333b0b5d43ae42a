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


QWEN = "Qwen/Qwen2.5-7B-Instruct"
CLINIC, SMALL = "medo1.pipelines.clinic.nodes:train_base_model", "medo1.pipelines.finetune.nodes:make_small_student"


@pytest.mark.parametrize(
    ("said", "outside", "maker"),
    [("clinic", None, CLINIC), ("small_student", None, SMALL), (QWEN, QWEN, ""), ("models/own", "./models/own", "")],
)
def test_a_parameter_that_names_the_catalogs_model_is_accepted(said: str, outside: str | None, maker: str) -> None:
    Study.from_parameters(parameters(base_model=said)).refuse_another_base_model(outside, maker, "mine")


@pytest.mark.parametrize(
    ("said", "outside", "maker", "told"),
    [
        (QWEN, None, CLINIC, "HubModel, name: Qwen/Qwen2.5-7B-Instruct"),
        (QWEN, None, SMALL, "base_model=small_student"),
        (QWEN, "Qwen/Qwen2.5-32B-Instruct", "", "base_model=Qwen/Qwen2.5-32B-Instruct"),
        (QWEN, None, "", "a model that no run of this study trained"),
        ("clinic", QWEN, "", "type: medo1.datasets.ModelDirectory"),
        ("clinic", None, SMALL, "'small_student'"),
        ("small_student", None, CLINIC, "'clinic'"),
        ("clinic", None, "", "a model that no run of this study trained"),
    ],
)
def test_a_parameter_that_names_another_model_than_the_catalog_is_refused_with_what_to_write_where(
    said: str, outside: str | None, maker: str, told: str
) -> None:
    study = Study.from_parameters(parameters(base_model=said))
    with pytest.raises(StudyError) as refusal:
        study.refuse_another_base_model(outside, maker, "mine")
    assert told in str(refusal.value)
    assert "conf/mine/catalog.yml" in str(refusal.value)


def test_arms_without_their_key_are_left_out_with_one_line_and_the_rest_is_the_study(
    caplog: pytest.LogCaptureFixture,
) -> None:
    arms = {
        "vanilla": {"prompt": "vanilla"},
        "gpt": {"prompt": "vanilla", "engine": "api", "model": None, "keys": ["api", "OPENAI_API_KEY"]},
        "gpt_cot": {"prompt": "cot", "engine": "api", "model": None, "keys": ["api", "OPENAI_API_KEY"]},
    }
    study = Study.from_parameters(parameters(arms=arms))
    assert list(study.without_keyless_arms(lambda name: name == "OPENAI_API_KEY").arms) == list(arms)
    assert not caplog.records
    assert list(study.without_keyless_arms(lambda name: False).arms) == ["vanilla"]
    [told] = [record.getMessage() for record in caplog.records]
    assert "no key `api` in conf/local/credentials.yml" in told
    assert told.endswith("the arms gpt, gpt_cot")
    del arms["vanilla"]
    with pytest.raises(StudyError, match=r"No arm is left: gpt, gpt_cot need keys\. Put api into"):
        Study.from_parameters(parameters(arms=arms)).without_keyless_arms(lambda name: False)
