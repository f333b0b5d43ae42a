"""Kedro's settings of this project. https://docs.kedro.org/en/stable/kedro_project_setup/settings.html"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from kedro.framework.hooks import hook_impl

from medo1 import configuration
from medo1.configuration import StudyConfigLoader
from medo1.lineage.hooks import LineageHooks
from medo1.lineage.session import LineageSession

# Datasets of a namespace are named with a dot; wiring one namespace to another is what the dots are for.
warnings.filterwarnings("ignore", message="One or more dataset names contain '.' characters")


class ResultHooks:
    """Ends a run that made a report by saying what came out and where it lies."""

    @hook_impl
    def after_pipeline_run(self, pipeline: Any, catalog: Any) -> None:
        if "report" not in pipeline.outputs():
            return
        from medo1.terminal import print_results

        print_results(catalog.load("results"), catalog.load("comparisons"), Path(catalog["report"].current_path))


# What these three say is in medo1.configuration: `medo1 audit` reads the configuration by it, without this file.
CONF_SOURCE = configuration.CONF_SOURCE
CONFIG_LOADER_CLASS = StudyConfigLoader
CONFIG_LOADER_ARGS = configuration.LOADER_ARGS
SESSION_CLASS = LineageSession
HOOKS = (LineageHooks(), ResultHooks())
