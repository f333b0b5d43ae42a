"""Every environment of conf/ loads, its parameters are of their types, its graph resolves: without network or data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kedro.framework.startup import bootstrap_project

from tests.conftest import ENVIRONMENTS, ROOT

# Numbered as the folders of data/, so that Kedro-Viz has them in this order also where nothing ties two of them.
CONTROLS = {"answer_only", "shuffled", "filler"}  # of the embedded world
LAYERS = (
    "01_raw",
    "02_intermediate",
    "03_primary",
    "04_feature",
    "05_model_input",
    "06_models",
    "07_model_output",
    "08_reporting",
)


@pytest.fixture(params=ENVIRONMENTS)
def loaded(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Any, Any]:
    """Name, catalog and journey of an environment."""
    from kedro.framework.project import pipelines

    from medo1.lineage.session import LineageSession

    monkeypatch.delenv("KEDRO_ENV", raising=False)
    bootstrap_project(ROOT)
    credentials = {"teacher": {"api_key": "none"}, "api": {"api_key": "none"}}
    monkeypatch.setattr("medo1.settings.StudyConfigLoader.__getitem__", _with(credentials))
    with LineageSession.create(ROOT, env=request.param) as session:
        catalog = session.load_context().catalog
        return request.param, catalog, pipelines["__default__"]


# With a key for the API's models; without one their arms are left out (docs/run_the_paper.md).
API = {"api_gpt_4o", "api_o1_mini", "api_o1_preview", "judge"}
PAPER = {"benchmark_files", "base_model", "teacher", "plain_teacher", "student"} | API


def _with(credentials: dict[str, Any]) -> Any:
    from medo1.configuration import StudyConfigLoader

    own = StudyConfigLoader.__getitem__

    def get(self: Any, key: str) -> Any:
        return credentials if key == "credentials" else own(self, key)

    return get


def test_every_dataset_of_the_journey_is_in_the_catalog_with_a_layer(loaded: tuple[str, Any, Any]) -> None:
    _, catalog, journey = loaded
    for name in sorted(journey.datasets()):
        if name.startswith("params:"):
            continue
        assert name in catalog, f"{name} has no entry"
        dataset = catalog.get(name)
        assert (dataset.metadata or {}).get("kedro-viz", {}).get("layer") in LAYERS, f"{name} has no layer"


def test_every_node_is_tagged_with_its_stage_and_its_format_or_arm(loaded: tuple[str, Any, Any]) -> None:
    from medo1.pipeline_registry import PIPELINES

    _, _, journey = loaded
    for node in journey.nodes:
        assert len(node.tags & set(PIPELINES)) == 1, node.name
        assert set((node.namespace or "").split(".")) - {""} <= node.tags, node.name


def test_everything_that_a_run_makes_is_versioned(loaded: tuple[str, Any, Any]) -> None:
    from medo1.datasets.artifacts import VersionedArtifact

    _, catalog, journey = loaded
    for name in sorted(journey.all_outputs()):
        assert isinstance(catalog.get(name), VersionedArtifact), f"{name} is not versioned"


def test_parameters_are_of_their_types(loaded: tuple[str, Any, Any]) -> None:
    from medo1.study import GROUPS, Study

    environment, catalog, journey = loaded
    for name in sorted(journey.inputs()):
        if name.startswith("params:"):
            assert catalog.load(name) is not None, f"{environment}: {name}"
    assert {name.removeprefix("params:").partition(".")[0] for name in journey.inputs() if name[:7] == "params:"} <= {
        *GROUPS,
        *Study.model_fields,
    }


def test_what_outside_files_start_a_study_is_what_its_page_says(loaded: tuple[str, Any, Any]) -> None:
    environment, _, journey = loaded
    given = {name for name in journey.inputs() if not name.startswith(("params:", "prompt_"))}
    given = {name for name in given if not name.endswith(".teacher_prompts")} - {"training_checkpoints"}
    assert (
        given
        == {
            "local": {"teacher", "student", "clinic.model_cache"},
            "served": {"teacher", "student", "clinic.model_cache"},
            "studies": {"teacher", "student", "clinic.model_cache"},
            "recorded": {"benchmark_files", "small_student_cache", "student"},
            "recorded_open": {"benchmark_files", "base_model", "student"},
            "evaluate": {"benchmark_files", "student"},
            "paper": PAPER,
            "paper_open": PAPER,
        }[environment]
    )


def test_the_papers_published_values_stand_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    from medo1.settings import CONFIG_LOADER_ARGS, StudyConfigLoader

    parameters = StudyConfigLoader(str(ROOT / "conf"), env="paper", **CONFIG_LOADER_ARGS)["parameters"]
    for name in ("cot", "longstep", "longmonolog"):
        lora = parameters["finetune"][name]
        assert (lora["learning_rate"], lora["batch_size"], lora["epochs"]) == (1e-4, 8, 3)
    assert parameters["synthesis"]["questions_of"] == {"medqa": 350, "jama": 150}
    assert parameters["inference"]["samples"] == 32
    assert parameters["inference"]["votes"]["numbers"] == [1, 4, 8, 16, 32]
    tested = [entry["benchmark"] for entry in parameters["ingest"]["files"] if entry.get("split") != "train"]
    assert tested == ["medqa", "medbullets_op4", "jama"]


@pytest.mark.parametrize("environment", [name for name in ENVIRONMENTS if name not in {"local", "served", "studies"}])
def test_the_embedded_worlds_teacher_controls_and_cues_stay_in_it(environment: str) -> None:
    """Base is the embedded world; an environment without it takes away what only its cases can be asked."""
    from medo1.configuration import project_loader
    from medo1.study import Study

    loader = project_loader(ROOT, environment)
    study = Study.from_parameters(loader["parameters"])
    assert "clinic" not in study.journey
    taught = [name for name, spec in study.formats.items() if spec.source == "teacher"]
    if loader["catalog"]["teacher"]["engine"] == project_loader(ROOT, None)["catalog"]["teacher"]["engine"]:
        assert taught == []
    assert [name for name in (*study.formats, *study.arms) if name in CONTROLS or name.startswith("control_")] == []
    assert {name: arm.draws for name, arm in study.arms.items() if "answer_cue" in arm.draws} == {}
