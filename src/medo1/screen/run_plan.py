"""The plan with which a run opens: its stages, what each has to do, how long it took last time, what is reused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from medo1.errors import UserError
from medo1.lineage.ledger_settings import BASE_ENVS
from medo1.study import PipelineName

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

    from medo1.lineage.ledger import Ledger
    from medo1.screen.work_to_come import WorkToCome

STAGES: tuple[str, ...] = get_args(PipelineName)
RUNS_LOOKED_AT = 3  # the longest that a node took in the latest of them: one of them may have found its answers kept
NAMES_SHOWN = 6


@dataclass(frozen=True, slots=True)
class StagePlan:
    """A stage of a run.

    Attributes:
        name: of the pipeline. nodes: their names, in order.
        work: what it has to do, in words. seconds: that it took last time; None where no node ran here.
        unknown: nodes that have not run on this machine.
    """

    name: str
    nodes: tuple[str, ...]
    work: str = ""
    seconds: float | None = None
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run is about to do.

    Attributes:
        env: the environment. stages: in order.
        reused: names of free inputs by the version that they are taken from.
        differences: how its parameters differ from the environment's files.
        money: what teachers will cost, a line each; only a dry run looks.
    """

    env: str
    stages: tuple[StagePlan, ...]
    reused: Mapping[str, Sequence[str]] = field(default_factory=dict)
    differences: Sequence[str] = ()
    money: Sequence[str] = ()

    def lines(self) -> list[str]:
        """The plan in words."""
        nodes = sum(len(stage.nodes) for stage in self.stages)
        head = f"Environment {self.env}: {nodes} node{'s' * (nodes != 1)} in {len(self.stages)} "
        lines = [head + f"stage{'s' * (len(self.stages) != 1)}{self._time()}"]
        lines += [f"  ! {line}" for line in self.differences]
        width = max((len(stage.name) for stage in self.stages), default=0)
        for stage in self.stages:
            took = "" if stage.seconds is None else f"{time_text(stage.seconds)} last time"
            told = f"{len(stage.nodes):>3} node{'s' if len(stage.nodes) != 1 else ' '}"
            lines.append(
                f"  {stage.name:<{width}} {told}  {', '.join(one for one in (stage.work, took) if one)}".rstrip()
            )
        for version, names in self.reused.items():
            more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
            lines.append(f"  reused from {version}: {', '.join(names[:NAMES_SHOWN])}{more}")
        return [*lines, *(f"  {line}" for line in self.money)]

    def _time(self) -> str:
        known = [stage.seconds for stage in self.stages if stage.seconds is not None]
        unknown = sum(stage.unknown for stage in self.stages)
        if not known:
            return "; how long it takes is not known: none has run on this machine"
        least = f"; {unknown} of them have not run on this machine" if unknown else ""
        return f", {'at least' if unknown else 'about'} {time_text(sum(known))} by the last runs on this machine{least}"


def stage_of(node: Node) -> str:
    """The pipeline that a node belongs to; `other` for one that no pipeline of medo1 made."""
    return next((name for name in STAGES if name in node.tags), "other")


def planned(
    pipeline: Pipeline,
    catalog: Any,
    ledger: Ledger | None,
    work: WorkToCome,
    env: str,
    differences: Sequence[str] = (),
    money: Sequence[str] = (),
) -> RunPlan:
    """The plan of a run whose inputs are pinned.

    Args:
        pipeline: what is about to run. catalog: of the run.
        ledger: knows how long nodes took; None where there is none yet.
        work: counts what the nodes have to do.
        env: the environment. differences, money: see `RunPlan`.
    """
    from medo1.screen.work_to_come import work_by_stage

    took = {} if ledger is None else durations(ledger, [node.name for node in pipeline.nodes])
    nodes: dict[str, list[Node]] = {}
    for node in pipeline.nodes:
        nodes.setdefault(stage_of(node), []).append(node)
    words = work_by_stage(
        {stage: [amount for node in own if (amount := work.of(node)) is not None] for stage, own in nodes.items()}
    )
    stages = []
    for stage in sorted(nodes, key=(*STAGES, "other").index):
        names = tuple(node.name for node in nodes[stage])
        known = [took[name] for name in names if name in took]
        stages.append(StagePlan(stage, names, words[stage], sum(known) if known else None, len(names) - len(known)))
    return RunPlan(env, tuple(stages), reused_versions(pipeline, catalog), differences, money)


def planned_run(pipeline: Pipeline, catalog: Any, ledger: Ledger | None, loader: Any, *, dry: bool = False) -> RunPlan:
    """The plan of a run, from all that is known before it.

    Args:
        pipeline: what is about to run. catalog: of the run, its inputs pinned. ledger: None where there is none yet.
        loader: reads the environment's files.
        dry: also make the tables of questions, in memory, and look what teachers would cost.
    """
    from kedro.io.core import DatasetError

    from medo1.screen.changed_parameters import changed_parameters
    from medo1.screen.work_to_come import WorkToCome, teaching_costs

    work = WorkToCome(
        pipeline,
        catalog.load,
        lambda name: catalog.get(name).manifest().rows,
        lambda name: last_rows(ledger, name),
        quick=dry,
    )
    given = loader.runtime_params or {}
    differences = changed_parameters(given, loader.file_parameters()) if given else []
    money: list[str] = []
    if dry:
        try:
            money = teaching_costs(pipeline, work, catalog.load)
        except (UserError, DatasetError) as error:
            money = [f"what teachers cost cannot be told: {error}"]
    env = str(loader.env or loader.default_run_env)
    env = "base" if env in BASE_ENVS else env
    return planned(pipeline, catalog, ledger, work, env, differences, money)


def durations(ledger: Ledger, nodes: Sequence[str]) -> dict[str, float]:
    """The longest that each node took in the latest finished runs of this host and environment, in seconds."""
    import platform

    if not nodes:
        return {}
    # the function and the saving of what it returned
    query = (
        "SELECT node_run.node, node_run.duration_s, node_run.run_id FROM node_run JOIN run ON run.id = node_run.run_id "
        "WHERE node_run.node IN (:nodes) AND node_run.duration_s IS NOT NULL AND run.host = :host "
        "AND run.env IN (:envs) AND node_run.outcome = 'finished' ORDER BY node_run.run_id DESC"
    )
    found: dict[str, list[float]] = {}
    envs = list(ledger.settings.names_of(ledger.settings.env))
    with ledger.reading() as reader:
        for row in reader.rows(query, nodes=list(nodes), host=platform.node(), envs=envs):
            own = found.setdefault(row["node"], [])
            if len(own) < RUNS_LOOKED_AT:
                own.append(row["duration_s"])
    return {node: max(own) for node, own in found.items()}


def last_rows(ledger: Ledger | None, dataset: str) -> int | None:
    """The rows of the latest version of a dataset in the environment; None where there is none."""
    if ledger is None:
        return None
    query = "SELECT rows FROM version WHERE dataset = :dataset AND env IN (:envs) ORDER BY version DESC LIMIT 1"
    with ledger.reading() as reader:
        found: int | None = reader.value(
            query, dataset=dataset, envs=list(ledger.settings.names_of(ledger.settings.env))
        )
    return found


def reused_versions(pipeline: Pipeline, catalog: Any) -> dict[str, list[str]]:
    """Names of a pipeline's pinned inputs by their version, the newest first."""
    found: dict[str, list[str]] = {}
    for name in sorted(pipeline.inputs()):
        dataset = catalog.get(name)
        if hasattr(dataset, "pin") and hasattr(dataset, "manifest") and dataset.exists():
            found.setdefault(dataset.manifest().version, []).append(name)
    return dict(sorted(found.items(), reverse=True))


def time_text(seconds: float) -> str:
    """Seconds as people read them: 9 s, 1 min 20 s, 2 h 5 min."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    if seconds < 3600:  # noqa: PLR2004
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min" + (f" {rest} s" if rest and minutes < 10 else "")  # noqa: PLR2004
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h" + (f" {minutes} min" if minutes else "")
