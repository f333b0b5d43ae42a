"""Runs as OpenLineage events, for catalogs that speak it (Marquez, DataHub, OpenMetadata ...).

Built with the classes of openlineage-python, which check what they are given. A run of medo1 becomes a run of the job
`<project>.<pipelines>`, each of its nodes a run of a job of its own under it. https://openlineage.io/docs/spec
"""

from __future__ import annotations

import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medo1.errors import UserError
from medo1.lineage.ledger import Ledger

if TYPE_CHECKING:
    from medo1.lineage.ledger_reader import LedgerReader

Row = dict[str, Any]

PRODUCER = "https://arxiv.org/abs/2501.06458"  # a URI is asked for; it names what medo1 is
# Any fixed one: the same run has the same id in every export.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, PRODUCER)


def events_of(connection: LedgerReader, ledger: Ledger, run: Row) -> Iterator[str]:
    """The events of a run, START before its end, as JSON texts.

    Raises:
        UserError: when openlineage-python is not installed.
    """
    try:
        from openlineage.client import event_v2 as ol
        from openlineage.client import set_producer
        from openlineage.client.serde import Serde
    except ModuleNotFoundError as error:
        raise UserError(
            "Events of OpenLineage are written with its Python client: pip install 'medo1[openlineage]'."
        ) from error
    set_producer(PRODUCER)
    maker = _Maker(connection, ledger, run, ol)
    for event in maker.events():
        yield Serde.to_json(event)


class _Maker:
    def __init__(self, connection: LedgerReader, ledger: Ledger, run: Row, ol: Any) -> None:
        from medo1.lineage.audit.known_runs import whole_run

        self._connection, self._ledger, self._ol = connection, ledger, ol
        self._run = whole_run(connection, ledger, run)
        name = _project_name(ledger.settings.project)
        self._space = f"medo1://{name}"  # the same in every copy of the project
        self._job = f"{name}.{'+'.join(run['pipelines'])}"
        self._id = str(uuid.uuid5(NAMESPACE, run["id"]))

    def events(self) -> Iterator[Any]:
        from openlineage.client.event_v2 import RunState

        run = self._run
        job = self._ol.Job(self._space, self._job, facets=self._job_facets())
        outputs = [self._output(row) for row in run["outputs"]]
        facets = self._run_facets()
        yield self._event(RunState.START, run["started_at"], self._ol.Run(self._id, facets), job)
        for node in run["nodes"]:
            yield from self._node_events(node)
        end = _END.get(run["state"])
        if end:
            at = run["ended_at"] or run["started_at"]
            facets = facets | self._error_facets()
            yield self._event(RunState[end], at, self._ol.Run(self._id, facets), job, [], outputs)

    def _node_events(self, node: Row) -> Iterator[Any]:
        from openlineage.client.event_v2 import RunState
        from openlineage.client.facet_v2 import parent_run

        parent = parent_run.ParentRunFacet(
            run=parent_run.Run(runId=self._id), job=parent_run.Job(namespace=self._space, name=self._job)
        )
        number = str(uuid.uuid5(NAMESPACE, f"{self._run['id']}/{node['node']}"))
        own = self._ol.Run(number, {"parent": parent})
        job = self._ol.Job(self._space, f"{self._job}.{node['node']}", facets=_job_type("NODE"))
        yield self._event(RunState.START, node["started_at"], own, job, self._inputs(node), [])
        outcome = {"finished": "COMPLETE", "failed": "FAIL"}.get(node["outcome"] or "")
        if outcome or self._run["state"] in _END:
            outputs = [self._output(row) for row in self._run["outputs"] if row["node_run_id"] == node["id"]]
            at = node["ended_at"] or self._run["ended_at"] or node["started_at"]
            yield self._event(RunState[outcome or "ABORT"], at, own, job, self._inputs(node), outputs)

    def _event(
        self, kind: Any, at: str, run: Any, job: Any, inputs: list[Any] | None = None, outputs: list[Any] | None = None
    ) -> Any:
        return self._ol.RunEvent(
            eventTime=at,
            run=run,
            job=job,
            eventType=kind,
            producer=PRODUCER,
            inputs=inputs or [],
            outputs=outputs or [],
        )

    def _inputs(self, node: Row) -> list[Any]:
        from sqlalchemy import select

        from medo1.lineage.schema import input as input_
        from medo1.lineage.schema import version

        query = select(input_, version.c.location, version.c.version).join(
            version, version.c.id == input_.c.version_id, isouter=True
        )
        found = []
        for read in self._connection.execute(query.where(input_.c.node_run_id == node["id"]).order_by(input_.c.name)):
            if read.kind not in ("version", "file"):
                continue
            place = read.location or (read.detail or {}).get("location", read.name)
            facets = self._dataset(read.version or read.digest, read.digest)
            found.append(self._ol.InputDataset(*self._named(place), facets=facets))
        return found

    def _output(self, row: Row) -> Any:
        from openlineage.client.facet_v2 import output_statistics_output_dataset

        statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
            rowCount=row["rows"], size=row["size_bytes"]
        )
        return self._ol.OutputDataset(
            *self._named(row["location"]),
            facets=self._dataset(row["version"], row["digest"]),
            outputFacets={"outputStatistics": statistics},
        )

    def _named(self, place: str) -> tuple[str, str]:
        """Namespace and name of a dataset: of a URL its bucket and path, as the standard names those."""
        scheme, mark, rest = place.partition("://")
        if not mark:
            return self._space, place
        bucket, _, path = rest.partition("/")
        return f"{scheme}://{bucket}", path

    def _dataset(self, version: str | None, digest: str | None) -> dict[str, Any]:
        from openlineage.client.facet_v2 import dataset_version_dataset

        facets: dict[str, Any] = {}
        if version:
            facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=version)
        if digest:
            facets["medo1_sha256"] = _own_facet("DatasetFacet", "Sha256DatasetFacet", sha256=digest)
        return facets

    def _run_facets(self) -> dict[str, Any]:
        from openlineage.client.facet_v2 import nominal_time_run, processing_engine_run

        return {
            "nominalTime": nominal_time_run.NominalTimeRunFacet(nominalStartTime=self._run["started_at"]),
            "processing_engine": processing_engine_run.ProcessingEngineRunFacet(
                version=self._run["kedro"] or "unknown", name="kedro", openlineageAdapterVersion=self._run["medo1"]
            ),
            **self._parameters_facet(),
        }

    def _parameters_facet(self) -> dict[str, Any]:
        parameters = self._run["parameters"]
        if parameters is None:
            return {}
        return {"medo1_parameters": _own_facet("RunFacet", "ParametersRunFacet", parameters=parameters)}

    def _error_facets(self) -> dict[str, Any]:
        from openlineage.client.facet_v2 import error_message_run

        if not self._run["error"]:
            return {}
        error = error_message_run.ErrorMessageRunFacet(message=self._run["error"], programmingLanguage="python")
        return {"errorMessage": error}

    def _job_facets(self) -> dict[str, Any]:
        from openlineage.client.facet_v2 import source_code_location_job

        facets = _job_type("PIPELINE")
        if self._run["git_commit"]:
            facets["sourceCodeLocation"] = source_code_location_job.SourceCodeLocationJobFacet(
                type="git",
                url=self._ledger.settings.project.as_uri(),
                version=self._run["git_commit"],
                branch=self._run["git_branch"],
            )
        return facets


_END = {"finished": "COMPLETE", "failed": "FAIL", "interrupted": "ABORT", "unknown": "OTHER"}


def _project_name(project: Path) -> str:
    """The project's name as pyproject.toml says it; its folder's where that says nothing."""
    try:
        described = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return project.name
    kedro = described.get("tool", {}).get("kedro", {})
    return str(kedro.get("project_name") or kedro.get("package_name") or project.name)


def _own_facet(base: str, name: str, **values: Any) -> Any:
    """A facet of medo1's own, of one of the standard's kinds: a schema that allows more fields."""
    import attr
    from openlineage.client.generated import base as kinds

    fields = {field: attr.ib(type=type(value)) for field, value in values.items()}
    kind = attr.make_class(name, fields, bases=(getattr(kinds, base),), kw_only=True)
    return kind(**values)


def _job_type(kind: str) -> dict[str, Any]:
    from openlineage.client.facet_v2 import job_type_job

    facet = job_type_job.JobTypeJobFacet(processingType="BATCH", integration="MEDO1", jobType=kind)
    return {"jobType": facet}
