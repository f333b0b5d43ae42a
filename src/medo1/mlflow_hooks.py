"""Runs in MLflow too, for teams that keep one: parameters, curves of training, results, and digests of what was saved.

Off until `tracking_uri` is set in `mlflow.yml` of an environment or of conf/local; the package is the extra `mlflow`.
The ledger stays the record of a run: MLflow gets a copy, and a server that fails later never ends a run.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from typing import Any

from kedro.config import MissingConfigException
from kedro.framework.hooks import hook_impl
from pydantic import Field, ValidationError

from medo1.errors import UserError
from medo1.frames import records
from medo1.parameters import Parameters

logger = logging.getLogger(__name__)

LONGEST = 500  # characters of a parameter's value, which every MLflow server takes
AT_ONCE = 100  # parameters that one call takes
CURVES = ("loss", "learning_rate", "grad_norm", "eval_loss", "eval_accuracy", "eval_unfinished", "tokens_per_s")
OF_TRAINING = ("training_log", "training_timing")


class MlflowSettings(Parameters):
    """`mlflow.yml`."""

    tracking_uri: str | None = Field(default=None, description="a server, or a file: or sqlite: URI; null: off")
    experiment: str = Field(default="medo1", description="its runs are listed under this name")


class MlflowHooks:
    """One instance serves one run after another."""

    def __init__(self) -> None:
        self._settings = MlflowSettings()
        self._parameters: Mapping[str, Any] = {}
        self._env = ""
        self._client: Any = None
        self._run = ""
        self._saved: list[str] = []

    @hook_impl
    def after_context_created(self, context: Any) -> None:
        try:
            given = context.config_loader["mlflow"]
        except MissingConfigException:
            given = {}
        try:
            self._settings = MlflowSettings.model_validate(given or {})
        except ValidationError as error:
            raise UserError(f"mlflow.yml: {error.errors()[0]['loc']}: {error.errors()[0]['msg']}.") from error
        self._env = str(context.env or "")

    @hook_impl
    def after_catalog_created(self, parameters: dict[str, Any]) -> None:
        self._parameters = parameters.get("parameters") or {}

    @hook_impl(trylast=True)  # when the run is known to be sound
    def before_pipeline_run(self, run_params: dict[str, Any]) -> None:
        self._client, self._saved = None, []
        if self._settings.tracking_uri is None:
            return
        client = _client(self._settings.tracking_uri)
        found = client.get_experiment_by_name(self._settings.experiment)
        experiment = found.experiment_id if found else client.create_experiment(self._settings.experiment)
        name = str(run_params.get("run_id") or run_params.get("session_id") or "")
        tags = {"medo1.run": name, "medo1.env": self._env}
        self._run = client.create_run(experiment, tags=tags, run_name=name or None).info.run_id
        self._client = client
        self._sent(self._send_parameters)

    @hook_impl
    def after_node_run(self, outputs: dict[str, Any]) -> None:
        if self._client is None:
            return
        self._saved += [name for name in outputs if not name.startswith("params:")]
        for name, table in outputs.items():
            group, _, kind = name.rpartition(".")
            if group and kind in OF_TRAINING:
                self._sent(self._send_metrics, _curves(group, records(table)))
            elif name == "results":
                self._sent(self._send_metrics, _accuracies(records(table)))

    @hook_impl
    def after_pipeline_run(self, catalog: Any) -> None:
        if self._client is not None:
            self._sent(self._send_versions, catalog)
            self._sent(self._client.set_terminated, self._run, "FINISHED")

    @hook_impl
    def on_pipeline_error(self, catalog: Any) -> None:
        if self._client is not None:
            self._sent(self._send_versions, catalog)
            self._sent(self._client.set_terminated, self._run, "FAILED")

    # What is sent

    def _sent(self, send: Any, *given: Any) -> None:
        from mlflow.exceptions import MlflowException

        try:
            send(*given)
        except (MlflowException, OSError) as error:
            logger.warning("MLflow did not take it, and the run goes on: %s", " ".join(str(error).split())[:300])

    def _send_parameters(self) -> None:
        from mlflow.entities import Param

        told = [Param(name, value[:LONGEST]) for name, value in _flat(self._parameters)]
        for start in range(0, len(told), AT_ONCE):
            self._client.log_batch(self._run, params=told[start : start + AT_ONCE])

    def _send_metrics(self, points: list[tuple[str, float, int]]) -> None:
        import time

        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        told = [Metric(name, value, now, step) for name, value, step in points]
        for start in range(0, len(told), 10 * AT_ONCE):
            self._client.log_batch(self._run, metrics=told[start : start + 10 * AT_ONCE])

    def _send_versions(self, catalog: Any) -> None:
        told = {}
        for name in sorted(set(self._saved)):
            dataset = catalog.get(name)
            if hasattr(dataset, "manifest"):
                manifest = dataset.manifest()
                told[name] = {"version": manifest.version, "sha256": manifest.digest}
        self._client.log_dict(self._run, told, "medo1_versions.json")


def _client(uri: str) -> Any:
    """A client of the tracking server or store.

    Raises:
        UserError: MLflow is not installed, or there is nothing at the URI.
    """
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ImportError as error:
        raise UserError(
            "mlflow.yml names a tracking_uri, and the package mlflow is not here: pip install 'medo1[mlflow]', or set "
            "tracking_uri: null."
        ) from error
    try:
        client = MlflowClient(uri)
        client.search_experiments(max_results=1)
    except (MlflowException, OSError) as error:
        raise UserError(
            f"There is no MLflow at {uri} (mlflow.yml, tracking_uri): {' '.join(str(error).split())[:300]}. Start it, "
            "correct the URI, or set it to null."
        ) from error
    return client


def _flat(given: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Parameters by dotted names; lists as they are."""
    if isinstance(given, Mapping) and given:
        for key, value in given.items():
            if not str(key).startswith("_"):
                yield from _flat(value, f"{name}.{key}" if name else str(key))
    elif name:
        yield name, str(given)


def _curves(group: str, rows: list[dict[str, Any]]) -> list[tuple[str, float, int]]:
    return [
        (f"{group}.{column}", float(row[column]), int(row["step"]))
        for row in rows
        for column in CURVES
        if _known(row.get(column))
    ]


def _accuracies(rows: list[dict[str, Any]]) -> list[tuple[str, float, int]]:
    return [
        (f"{row['arm']}.{row['benchmark']}.{column}", float(row[column]), 0)
        for row in rows
        for column in ("accuracy", "accuracy_low", "accuracy_high")
        if _known(row.get(column))
    ]


def _known(value: Any) -> bool:
    return value is not None and math.isfinite(value)
