"""What Kedro-Viz shows of a node when it is clicked: what it does, and its source; bound to a format or arm or not."""

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
            assert {stage, node.namespace or stage} <= node.tags
