"""How this project reads `conf/`: Kedro's config loader with two things more, and what it is made with.

Apart from `medo1.settings`, which says it to Kedro, so that what only reads the configuration (`medo1 audit`) need not
import the half of Kedro that runs pipelines.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, ClassVar

from kedro.config import MissingConfigException, OmegaConfigLoader

CONF_SOURCE = "conf"
LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {"lineage": ["lineage*", "lineage*/**"]},
    # An environment's parameters change single values of the base's; its catalog entries replace whole ones.
    "merge_strategy": {"parameters": "soft", "globals": "soft"},
}


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
    if "kedro.framework.project" not in sys.modules:
        return  # who has not imported Kedro's registry has built nothing, and need not import it for this
    from kedro.framework.project import pipelines

    requested = pipelines._requested_pipelines
    pipelines.configure("medo1.pipeline_registry")
    pipelines.set_requested(requested)


def project_loader(project: Path, env: str | None) -> StudyConfigLoader:
    """The config loader that Kedro would make for this environment of the project, without Kedro's settings."""
    return StudyConfigLoader(str(project / CONF_SOURCE), env=env, **LOADER_ARGS)
