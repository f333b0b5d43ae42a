"""Kedro's settings of this project. https://docs.kedro.org/en/stable/kedro_project_setup/settings.html"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, ClassVar

from kedro.config import MissingConfigException, OmegaConfigLoader
from kedro.framework.hooks import hook_impl

from medo1.lineage.hooks import LineageHooks
from medo1.lineage.session import LineageSession

# Datasets of a namespace are named with a dot; wiring one namespace to another is what the dots are for.
warnings.filterwarnings("ignore", message="One or more dataset names contain '.' characters")


class Keys(dict[str, Any]):
    """Credentials by name. One that is absent is empty: whoever needs a key looks into the environment, then says so.

    A pipeline that asks no teacher so runs without the teacher's key.
    """

    def __missing__(self, name: str) -> dict[str, Any]:
        return {}

    def __bool__(self) -> bool:  # Kedro puts a plain dictionary in the place of a false one
        return True


class StudyConfigLoader(OmegaConfigLoader):
    """Kedro's loader, with two things more.

    It remembers the latest one made, from which the registry reads the study's formats and arms: the graph depends on
    the parameters, and Kedro builds pipelines without handing over the environment. Every way into Kedro (run, viz,
    notebook) makes a config loader first, so this is the one place that always knows.

    And it reads credentials from `conf/local` in every environment: keys have one home.
    """

    latest: ClassVar[StudyConfigLoader | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        StudyConfigLoader.latest = self
        _forget_pipelines()

    def __getitem__(self, key: str) -> dict[str, Any]:
        if key != "credentials":
            return super().__getitem__(key)
        local = OmegaConfigLoader(self.conf_source, env="local", base_env="base", default_run_env="local")
        try:
            return Keys(local["credentials"])
        except MissingConfigException:
            return Keys()
        finally:  # the resolvers belong to all loaders: the local one's would not know this environment's globals
            self._register_globals_resolver()
            self._register_runtime_params_resolver()


def _forget_pipelines() -> None:
    """Have the pipelines built again for this loader's environment and parameters, keeping which were asked for."""
    from kedro.framework.project import pipelines

    requested = pipelines._requested_pipelines
    pipelines.configure("medo1.pipeline_registry")
    pipelines.set_requested(requested)


class ResultHooks:
    """Ends a run that made a report by saying what came out and where it lies."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Any, catalog: Any) -> None:
        if "report" not in pipeline.outputs():
            return
        from medo1.terminal import print_results

        print_results(catalog.load("results"), catalog.load("comparisons"), Path(catalog["report"].current_path))


SESSION_CLASS = LineageSession
CONFIG_LOADER_CLASS = StudyConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {"lineage": ["lineage*", "lineage*/**"]},
    # An environment's parameters change single values of the base's; its catalog entries replace whole ones.
    "merge_strategy": {"parameters": "soft", "globals": "soft"},
}
HOOKS = (LineageHooks(), ResultHooks())
