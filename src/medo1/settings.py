"""Kedro's settings of this project. https://docs.kedro.org/en/stable/kedro_project_setup/settings.html"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from kedro.framework.hooks import hook_impl

from medo1 import configuration
from medo1.configuration import StudyConfigLoader
from medo1.datasets.paid_answers import paid_answers, paid_since
from medo1.lineage.hooks import LineageHooks
from medo1.lineage.session import LineageSession
from medo1.memory_hooks import MemoryHooks
from medo1.mlflow_hooks import MlflowHooks
from medo1.screen.hooks import ScreenHooks

# Datasets of a namespace are named with a dot; wiring one namespace to another is what the dots are for.
warnings.filterwarnings("ignore", message="One or more dataset names contain '.' characters")
# Where a student teaches, synthesis goes on after finetune. Kedro's warning is about deploying a stage as one unit.
warnings.filterwarnings("ignore", message="Namespace '(synthesis|filtering|finetune)' is interrupted")


class BaseModelHooks:
    """Refuses a run whose parameter `base_model` names another model than its catalog."""

    @hook_impl(trylast=True)  # when inputs are pinned
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Any, catalog: Any) -> None:
        loader = StudyConfigLoader.latest
        if loader is None or "base_model" not in pipeline.datasets():
            return
        from medo1.datasets import HubModel
        from medo1.lineage.code import function_name
        from medo1.study import Study

        entry = catalog.get("base_model")
        makers = [node for node in pipeline.nodes if "base_model" in node.outputs]
        if isinstance(entry, HubModel):
            outside, maker = entry.name, ""
        elif makers:
            outside, maker = None, function_name(makers[0].func) or ""
        else:
            manifest = entry.manifest()
            outside, maker = manifest.maker.get("origin"), str(manifest.made_by.get("function") or "")
        env = run_params.get("env") or loader.default_run_env
        Study.from_parameters(loader["parameters"]).refuse_another_base_model(outside, maker, env)


class CheckHooks:
    """Looks at all that can be known to be wrong before the first node runs: prompts of every format and arm, folders
    of benchmark files, models from outside, engines, and what nodes are checked by (`medo1.wiring.checked_first`).
    Adapters and all else that has versions is looked for when inputs are pinned."""

    @hook_impl(trylast=True)  # when inputs are pinned
    def before_pipeline_run(self, pipeline: Any, catalog: Any) -> None:
        from medo1.wiring import check_first

        free = pipeline.inputs()
        load_outside(free, catalog)
        for node in pipeline.nodes:
            check_first(node.func, node.inputs, free, catalog.load)


def load_outside(free: Iterable[str], catalog: Any) -> None:
    """Load what comes from outside among these inputs of a run, so that what is missing or misconfigured ends it before
    it begins: a prompt, a folder, a model's directory, an engine's class and options. Each is quick: an engine loads no
    model and starts no server before it is asked."""
    from medo1.datasets import EngineDataset, FileFolder, HubModel, Prompt, PromptFolder

    for name in sorted(free):
        if isinstance(catalog.get(name), Prompt | PromptFolder | FileFolder | HubModel | EngineDataset):
            catalog.load(name)


# What these three say is in medo1.configuration: commands read the configuration by it, without this file.
CONF_SOURCE = configuration.CONF_SOURCE
CONFIG_LOADER_CLASS = StudyConfigLoader
CONFIG_LOADER_ARGS = configuration.LOADER_ARGS
SESSION_CLASS = LineageSession
HOOKS = (
    LineageHooks(paid_answers, paid_since),
    BaseModelHooks(),
    CheckHooks(),
    MemoryHooks(),
    MlflowHooks(),
    ScreenHooks(),
)
