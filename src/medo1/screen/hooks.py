"""Kedro's hooks of a run's screen: the plan before it, one live line while it goes on, the ending; and its log file.

Drawn for `kedro run` alone. A run that is started otherwise (a notebook, kedro-viz) logs as it did.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

    from medo1.screen.ending import SavedDataset
    from medo1.screen.run_log import RunLog
    from medo1.screen.run_plan import RunPlan
    from medo1.screen.run_screen import RunScreen

logger = logging.getLogger(__name__)


class ScreenHooks:
    """One instance serves one run after another."""

    _wanted: ContextVar[bool] = ContextVar("medo1_screen", default=False)

    def __init__(self) -> None:
        self._context: KedroContext | None = None
        self._credentials: dict[str, Any] = {}
        self._screen: RunScreen | None = None
        self._log: RunLog | None = None
        self._forget()

    def _forget(self) -> None:
        self._run, self._began = "", 0.0
        self._catalog: Any = None
        self._unsaved: dict[str, set[str]] = {}
        self._saved: dict[str, SavedDataset] = {}

    @classmethod
    @contextmanager
    def drawn(cls) -> Iterator[None]:
        """Within this, runs are shown; whatever ends one, the screen is left as it was."""
        from medo1.progress_bars import current_screen, use_screen

        token = cls._wanted.set(True)
        try:
            yield
        finally:
            cls._wanted.reset(token)
            screen = current_screen()
            use_screen(None)
            if screen is not None:
                screen.close()

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        self._context = context

    @hook_impl
    def after_catalog_created(self, conf_creds: dict[str, Any]) -> None:
        self._credentials = conf_creds

    @hook_impl(trylast=True)  # when inputs are pinned and checked
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Any) -> None:
        self._leave()
        self._forget()
        self._run, self._began, self._catalog = run_params["run_id"], time.monotonic(), catalog
        self._unsaved = {node.name: set(node.outputs) for node in pipeline.nodes}
        if not self._wanted.get() or self._context is None:
            return
        from medo1.progress_bars import use_screen
        from medo1.screen.run_log import RunLog
        from medo1.screen.run_screen import RunScreen

        plan = self._plan(pipeline, catalog)
        self._screen = RunScreen(plan)
        disk = str(self._context.config_loader["globals"]["disk"])
        path = Path(self._context.project_path) / disk / "logs" / f"{self._run}.log"
        self._log = RunLog(path, self._hide, live=self._screen.is_live)
        use_screen(self._screen)
        self._log.open(self._screen.beside() if self._screen.is_live else None)
        for line in plan.lines():
            self._tell(line)
        self._screen.open()

    def _plan(self, pipeline: Pipeline, catalog: Any) -> RunPlan:
        from medo1.lineage.ledger import Ledger
        from medo1.lineage.ledger_settings import ledger_settings
        from medo1.screen.run_plan import RunPlan, planned_run

        assert self._context is not None
        loader = self._context.config_loader
        ledger = Ledger(ledger_settings(loader, Path(self._context.project_path)))
        try:
            return planned_run(pipeline, catalog, ledger, loader)
        except Exception as error:  # a run is not lost for want of its plan
            logger.warning("The plan of this run cannot be told: %s: %s", type(error).__name__, error)
            return RunPlan("", ())
        finally:
            ledger.close()

    def _hide(self, text: str) -> str:
        from medo1.lineage.redaction import LineageRedactor

        return LineageRedactor(self._credentials).text(text)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        if self._screen is not None:
            self._screen.node_begins(node.name)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        from medo1.screen.ending import SavedDataset, made_by_stage
        from medo1.screen.run_plan import stage_of

        if self._catalog is None:
            return
        dataset = self._catalog.get(dataset_name)
        if hasattr(dataset, "manifest"):
            manifest = dataset.manifest()
            place = getattr(dataset, "current_path", f"{dataset.location}/{manifest.version}")
            path = place if "://" in dataset.location else os.path.relpath(place)
            self._saved[dataset_name] = SavedDataset(dataset_name, path, manifest.rows, stage_of(node))
        unsaved = self._unsaved.get(node.name, set())
        unsaved.discard(dataset_name)
        if not unsaved and self._screen is not None:
            self._screen.node_ends(node.name, made_by_stage(stage_of(node), self._saved.values()))

    @hook_impl
    def on_node_error(self, error: Exception, node: Node) -> None:
        error.add_note(f"{node.name} failed.")

    @hook_impl
    def on_pipeline_error(self) -> None:
        self._leave()

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: Any) -> None:
        from medo1.screen.ending import ending_lines, refuse_empty
        from medo1.screen.run_plan import time_text

        screen, log, saved = self._screen, self._log, list(self._saved.values())
        took = time_text(time.monotonic() - self._began)
        if screen is not None:
            screen.close()
        _print_results(pipeline, catalog)
        if screen is not None and log is not None:
            path = os.path.relpath(log.path)
            for line in ending_lines(self._run, took, saved, pipeline.outputs(), list(screen.took), path):
                self._tell(line)
        self._leave()
        refuse_empty(saved)

    def _tell(self, line: str) -> None:
        """A line that stays, on the screen and in the log."""
        if self._screen is not None:
            self._screen.tell(line)
            logger.info("%s", line)

    def _leave(self) -> None:
        """Draw no more, and leave the log's handlers as they were."""
        from medo1.progress_bars import use_screen

        screen, log, self._screen, self._log = self._screen, self._log, None, None
        if log is not None:
            log.close()
        if screen is not None:
            use_screen(None)
            screen.close()


def _print_results(pipeline: Pipeline, catalog: Any) -> None:
    """Of a run that made a report: what came out."""
    if "report" not in pipeline.outputs():
        return
    from medo1.pipelines.reporting.params import ReportingParams
    from medo1.terminal import print_results

    confidence = ReportingParams.model_validate(catalog.load("params:reporting")).confidence
    page = Path(catalog["report"].current_path)
    print_results(catalog.load("results"), catalog.load("comparisons"), page, confidence)
