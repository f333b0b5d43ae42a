"""What Kedro-Viz shows: groups that fold, and of a node that is clicked what it does and its source."""

from __future__ import annotations

from pathlib import Path

import pytest

from medo1.configuration import project_loader
from medo1.pipeline_registry import PIPELINES, _built
from medo1.study import Study

ROOT = Path(__file__).parents[2]


def test_every_nodes_panel_says_what_it_does_and_shows_its_source() -> None:
    pytest.importorskip("kedro_viz")
    from kedro_viz.models.flowchart.node_metadata import TaskNodeMetadata
    from kedro_viz.models.flowchart.nodes import GraphNode

    study = Study.from_parameters(project_loader(ROOT, None)["parameters"])
    for stage in PIPELINES:
        for node in _built(stage, study).nodes:
            shown = GraphNode.create_task_node(node, "id", set())
            panel = TaskNodeMetadata(task_node=shown)
            assert panel.code and f"def {node.func.__name__}(" in panel.code, node.name
            said = panel.preview["content"] if panel.preview else ""
            assert said and said.splitlines()[0] in panel.code, node.name
            assert set(str(node.namespace).split(".")) <= node.tags


def test_kedro_viz_folds_the_journey_into_its_stages_and_reporting_reads_no_table_of_one_arm_or_format() -> None:
    study = Study.from_parameters(project_loader(ROOT, None)["parameters"])
    groups = {
        stage: {str(node.namespace).partition(".")[0] for node in _built(stage, study).nodes} for stage in PIPELINES
    }
    assert groups == {stage: {stage} for stage in PIPELINES}
    parts = study.for_pipelines()
    read = {name for node in _built("reporting", study).nodes for name in node.inputs}
    assert {name for name in read if name.partition(".")[0] in {*parts["arms"], *parts["formats"]}} == set()
    assert {"answers", "generations", "asked_questions", "votes", "kept_chains", "training_log"} <= read


@pytest.mark.parametrize("environment", [None, "recorded", "paper"])
def test_a_folded_stage_shows_of_each_format_or_arm_only_what_the_next_stage_takes(environment: str | None) -> None:
    pytest.importorskip("kedro_viz")
    from kedro_viz.data_access.repositories.modular_pipelines import ModularPipelinesRepository
    from kedro_viz.utils import _hash_input_output

    study = Study.from_parameters(project_loader(ROOT, environment)["parameters"])
    stages = [_built(stage, study) for stage in study.run_by_default]
    whole = sum(stages[1:], stages[0])
    tree = ModularPipelinesRepository()
    tree.populate_tree(whole)
    parts = study.for_pipelines()
    names = {_hash_input_output(name): name for name in whole.datasets()}
    shown = {names[child.id] for child in tree.tree["__root__"].children if child.id in names}
    kinds = {name.partition(".")[2] for name in shown if name.partition(".")[0] in {*parts["arms"], *parts["formats"]}}
    assert kinds <= {"teacher_prompts", "chains", "kept_chains", "adapter"}
