"""The screen of a run: on a terminal one live line, and a line that stays for each stage that is done.

Where there is no terminal, the line of each stage that is done, and what medo1's modules log.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from medo1.counting import counted
from medo1.progress_bars import clock
from medo1.screen.ending import ONE
from medo1.screen.run_plan import STAGES, RunPlan, time_text

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

DRAWN_PER_S = 4


class RunScreen:
    """Shows how far a run is.

    Args:
        plan: what it does.
        live: draw the live line; None: if standard error is a terminal.
    """

    def __init__(self, plan: RunPlan, *, live: bool | None = None) -> None:
        from rich.console import Console

        self.console = Console(stderr=True, highlight=False, emoji=False)
        self.plan = plan
        self._left = {stage.name: set(stage.nodes) for stage in plan.stages}
        self._sizes = {stage.name: len(stage.nodes) for stage in plan.stages}
        self._stage_of = {node: stage.name for stage in plan.stages for node in stage.nodes}
        self.took: dict[str, float] = dict.fromkeys(self._left, 0.0)
        self._node, self._node_began = "", 0.0
        self._work: list[Callable[[], str]] = []
        self._began = time.monotonic()
        self._live: Live | None = None
        self.is_live = self.console.is_terminal if live is None else live

    def open(self) -> None:
        """Begin to draw."""
        if self.is_live:
            from rich.live import Live

            self._live = Live(
                get_renderable=self._renderable, console=self.console, refresh_per_second=DRAWN_PER_S, transient=True
            )
            self._live.start()

    def close(self) -> None:
        """Draw no more."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def show(self, line: Callable[[], str]) -> None:
        self._work.append(line)

    def hide(self, line: Callable[[], str]) -> None:
        if line in self._work:
            self._work.remove(line)

    def node_begins(self, node: str) -> None:
        """A node runs from now on."""
        self._node, self._node_began = node, time.monotonic()

    def node_ends(self, node: str, made: Mapping[str, int]) -> None:
        """A node is over, its outputs saved.

        Args:
            node: its name.
            made: what its stage has made so far, in words, and how much.
        """
        stage = self._stage_of.get(node)
        if stage is None:
            return
        self.took[stage] += time.monotonic() - self._node_began
        self._left[stage].discard(node)
        if not self._left[stage]:
            told = ", ".join(counted(count, ONE.get(what, what), what) for what, count in made.items())
            width = max(map(len, STAGES))
            self.tell(f"{stage:<{width}}  {time_text(self.took[stage]):>12}   {told}".rstrip())

    def tell(self, line: str) -> None:
        """A line that stays."""
        if self.is_live:
            self.console.print(line, markup=False, soft_wrap=True)
        else:
            print(line, file=sys.stderr, flush=True)  # noqa: T201  (what is redirected is asked for each time)

    def beside(self) -> Any:
        """A stream whose lines stand above what is drawn."""
        from rich.file_proxy import FileProxy

        return FileProxy(self.console, sys.stderr)

    def live_line(self) -> str:
        """What the live line says now."""
        if not self._node:
            return "starting"
        stage = self._stage_of.get(self._node, "")
        done = self._sizes.get(stage, 0) - len(self._left.get(stage, ()))
        work = self._work[-1]() if self._work else self._node
        return f"{stage} {done + 1}/{self._sizes.get(stage, 0)} | {work} | {clock(time.monotonic() - self._began)}"

    def _renderable(self) -> RenderableType:
        from rich.spinner import Spinner
        from rich.text import Text

        if not hasattr(self, "_spinner"):
            self._spinner: Any = Spinner("line")
        self._spinner.update(text=Text(self.live_line(), overflow="ellipsis", no_wrap=True))
        return self._spinner
