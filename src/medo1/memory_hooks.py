"""Engines give back what memory they hold before a node that needs it (`medo1.wiring.takes_the_memory`).

Arms without an adapter are asked before adapters are trained: what then holds a model on this machine, or a server with
most of a GPU, starts again when the next arm asks.
"""

from __future__ import annotations

from threading import current_thread, main_thread
from typing import Any

from kedro.framework.hooks import hook_impl


class MemoryHooks:
    """Closes a run's engines before each such node."""

    def __init__(self) -> None:
        self._engines: list[str] = []

    @hook_impl
    def before_pipeline_run(self, pipeline: Any, catalog: Any) -> None:
        from medo1.datasets import EngineDataset

        free = sorted(name for name in pipeline.inputs() if not name.startswith("params:"))
        self._engines = [name for name in free if isinstance(catalog.get(name), EngineDataset)]

    @hook_impl
    def before_node_run(self, node: Any, catalog: Any) -> None:
        # In another thread nodes run side by side, and one of them may be asking an engine now.
        if getattr(node.func, "takes_the_memory", False) and current_thread() is main_thread():
            for name in self._engines:
                catalog.release(name)
