"""Which pipelines there are, built from the study's parameters: its formats and arms become namespaces.

Only what is asked for is imported, so that `kedro run --pipelines=reporting` does not wait for the other six.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.project import pipelines as project_pipelines

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline

    from medo1.configuration import StudyConfigLoader

PIPELINES = ("clinic", "ingest", "synthesis", "filtering", "finetune", "inference", "reporting")


def register_pipelines() -> dict[str, Pipeline]:
    """The pipelines by name; `__default__` is the journey that the parameters name."""
    study = _study()
    wanted = project_pipelines._requested_pipelines
    everything = wanted is None or "__default__" in wanted
    names = PIPELINES if everything else tuple(name for name in PIPELINES if name in wanted)
    built = {name: _built(name, study) for name in names}
    if everything:
        journey = [built[name] for name in study.run_by_default]
        built["__default__"] = sum(journey[1:], journey[0])
    return built


def _built(name: str, study: Any) -> Pipeline:
    """A pipeline in a group of its name, its nodes tagged with it and with their format or arm.

    `kedro run --tags=longstep` and `kedro run --namespaces=inference.longstep_sft` choose by these; Kedro-Viz folds
    each group into a box. Datasets keep the names that the pipeline gave them.
    """
    from kedro.pipeline import Pipeline

    from medo1.wiring import described

    nodes = import_module(f"medo1.pipelines.{name}.pipeline").create_pipeline(**study.for_pipelines()).nodes
    tagged = [described(node).tag([name, *([node.namespace] if node.namespace else [])]) for node in nodes]
    if all(node.namespace == name for node in tagged):
        return Pipeline(tagged)
    return Pipeline(tagged, namespace=name, prefix_datasets_with_namespace=False)


def _study() -> Any:
    from medo1.study import Study

    loader = _loader()
    return Study.from_parameters(loader["parameters"]).without_keyless_arms(loader.has_key)


def _loader() -> StudyConfigLoader:
    """The configuration of the environment that this process works in."""
    from medo1.configuration import StudyConfigLoader, project_loader

    loader = StudyConfigLoader.latest
    if loader is None:  # `kedro registry`, which makes no session
        root = Path(os.environ.get("KEDRO_PROJECT_PATH", Path.cwd()))
        loader = project_loader(root, os.environ.get("KEDRO_ENV"))
    return loader
