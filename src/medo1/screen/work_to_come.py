"""How much a run has to do, in the unit of each stage: chains to write, training steps, generations; and what
teachers cost.

Counted from what exists before the run. A dry run also makes the tables of questions, in memory, which is quick; what
only the run itself can make is told as the last run had it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

# Nodes that a dry run may run: they read and choose, and send nothing.
QUICK = ("read_benchmark_files", "choose_training_questions", "choose_questions")
TEACHERS = ("teacher", "plain_teacher")  # the catalog's entries
Rows = Callable[[str], int | None]


@dataclass(frozen=True, slots=True)
class Amount:
    """Some work: how much, of what, and whether only an earlier run tells so."""

    count: int
    unit: str
    as_last_time: bool = False

    def __str__(self) -> str:
        return f"{self.count:,} {self.unit}{' as last time' if self.as_last_time else ''}"


class WorkToCome:
    """Counts the work of a pipeline's nodes.

    Args:
        pipeline: what is about to run.
        load: gives the data of a dataset that exists before the run.
        rows: gives the number of rows of one, without reading it; None where that is not known.
        last_rows: gives the rows that the latest version of a dataset has, whoever made it; None where there is none.
        quick: also run nodes that only read and choose, in memory.
    """

    def __init__(
        self, pipeline: Pipeline, load: Callable[[str], Any], rows: Rows, last_rows: Rows, *, quick: bool = False
    ) -> None:
        self._pipeline, self._load, self._rows, self._last_rows, self._quick = pipeline, load, rows, last_rows, quick
        self._free = pipeline.inputs()
        self._makers = {name: node for node in pipeline.nodes for name in node.outputs}
        self._made: dict[str, Any] = {}

    def of(self, node: Node) -> Amount | None:
        """A node's work; None where it has none worth telling, or that cannot be said."""
        count = {"write_chains": self._chains, "train_adapter": self._steps, "generate": self._generations}.get(
            getattr(node.func, "__name__", "")
        )
        return None if count is None else count(node)

    def teaching_estimate(self, node: Node) -> dict[str, Any] | None:
        """What a node that asks teachers would send, cost and take; None where its questions are not known."""
        from medo1.pipelines.synthesis.nodes import estimate_teaching

        questions = self._value("training_questions")
        if questions is None:
            return None
        loaded = [questions if name == "training_questions" else self._load(name) for name in node.inputs]
        return estimate_teaching(*loaded, **node.func.keywords)

    def _chains(self, node: Node) -> Amount | None:
        params = self._parameters(node, "synthesis")
        count, last = self._rows_of("training_questions")
        if count is None:
            return None
        return Amount(count * params.samples, "chains", last)

    def _steps(self, node: Node) -> Amount | None:
        params = self._parameters(node, "finetune")
        examples = next(name for name in node.inputs if name.endswith("training_examples"))
        kept = examples.replace("training_examples", "kept_chains")
        for name in (examples, kept):
            count, last = self._rows_of(name)
            if count is not None:
                return Amount(params.steps(count), "training steps", last)
        return None

    def _generations(self, node: Node) -> Amount | None:
        params, arm = self._parameters(node, "inference"), self._parameters(node, "arms.")
        count, last = self._rows_of(next(name for name in node.inputs if name.endswith("asked_questions")))
        if count is None:
            return None
        return Amount(count * (1 + arm.drawn_with(params).samples), "generations", last)

    def _parameters(self, node: Node, group: str) -> Any:
        return self._load(next(name for name in node.inputs if name.startswith(f"params:{group}")))

    def _rows_of(self, name: str) -> tuple[int | None, bool]:
        """How many rows a table has, and whether only an earlier run tells so."""
        if name in self._free:
            return self._rows(name), False
        value = self._value(name)
        return (self._last_rows(name), True) if value is None else (len(value), False)

    def _value(self, name: str) -> Any:
        """The data of a dataset; None where only the run can make it."""
        if name in self._free:
            return self._load(name)
        if name not in self._made:
            self._made[name] = None
            node = self._makers.get(name)
            if self._quick and node is not None and getattr(node.func, "__name__", "") in QUICK:
                inputs = {one: self._value(one) for one in node.inputs}
                if all(value is not None for value in inputs.values()):
                    outputs = node.func(*inputs.values())  # node.run would log it as run
                    self._made |= zip(node.outputs, outputs if len(node.outputs) > 1 else [outputs], strict=True)
        return self._made[name]


def teaching_costs(pipeline: Pipeline, work: WorkToCome, load: Callable[[str], Any]) -> list[str]:
    """What the teachers of a pipeline would be asked and paid, a line each format, and the sum. Sends nothing."""
    from medo1.pipelines.synthesis.asking_teachers import told_estimates

    asking = {
        (node.namespace or "").rpartition(".")[2]: node
        for node in pipeline.nodes
        if node.func.__name__ == "write_chains"
    }
    if not asking:
        return []
    unpaid = not any(engine.charges for node in asking.values() for engine in _engines(node, load))
    free_of_charge = ["teachers cost nothing: each answers on this machine"] if unpaid else []
    estimates = {name: work.teaching_estimate(node) for name, node in asking.items()}
    known = {name: estimate for name, estimate in estimates.items() if estimate is not None}
    if not known:
        return free_of_charge or [
            "what teachers will be asked, and what that costs, cannot be told before there are questions: run what "
            "comes before synthesis first (--pipelines)"
        ]
    return told_estimates(known, load("params:synthesis").budget_usd)[:-1] + free_of_charge


def _engines(node: Node, load: Callable[[str], Any]) -> list[Any]:
    """The teachers that a node asks."""
    return [load(name) for name in node.inputs if name.rpartition(".")[2] in TEACHERS]


def work_by_stage(amounts: Mapping[str, list[Amount]]) -> dict[str, str]:
    """The work of each stage in words; amounts of one unit are added."""
    told = {}
    for stage, found in amounts.items():
        sums: dict[tuple[str, bool], int] = {}
        for amount in found:
            sums[amount.unit, amount.as_last_time] = sums.get((amount.unit, amount.as_last_time), 0) + amount.count
        told[stage] = ", ".join(str(Amount(count, *key)) for key, count in sums.items())
    return told
