"""A run's copy in MLflow: off by default; parameters, curves, accuracies and digests where it is on."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from kedro.config import MissingConfigException
from kedro.io import DataCatalog

from medo1.datasets import Json
from medo1.errors import UserError
from medo1.mlflow_hooks import MlflowHooks

LOG = pd.DataFrame({"step": [1, 2], "loss": [2.0, 1.5], "eval_loss": [float("nan"), 1.4]})
RESULTS = pd.DataFrame({"arm": ["cot_sft"], "benchmark": ["medqa"], "accuracy": [0.5], "accuracy_low": [0.4]})


class Loader(dict[str, Any]):
    def __missing__(self, name: str) -> Any:
        raise MissingConfigException(name)


def hooks_with(**settings: Any) -> MlflowHooks:
    hooks = MlflowHooks()
    loader = Loader({"mlflow": settings}) if settings else Loader()
    hooks.after_context_created(SimpleNamespace(config_loader=loader, env="mine"))
    hooks.after_catalog_created({"parameters": {"seed": 11, "finetune": {"cot": {"rank": 16}}, "_lora": {"rank": 1}}})
    return hooks


def test_off_it_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    hooks = hooks_with()
    hooks.before_pipeline_run({})
    hooks.after_node_run({"cot.training_log": LOG})
    hooks.after_pipeline_run(DataCatalog())


def test_without_the_package_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(UserError, match=r"medo1\[mlflow\]"):
        hooks_with(tracking_uri="http://127.0.0.1:5000").before_pipeline_run({})


def test_an_unknown_key_is_named() -> None:
    with pytest.raises(UserError, match="tracking_url"):
        hooks_with(tracking_url="x")


@pytest.mark.parametrize("fails", [False, True])
def test_a_run_is_found_in_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    from mlflow import MlflowClient
    from mlflow.artifacts import load_dict

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri = (tmp_path / "runs").as_uri()
    saved = Json(filepath=str(tmp_path / "estimate.json"))
    catalog = DataCatalog({"cot.training_estimate": saved})
    hooks = hooks_with(tracking_uri=uri, experiment="study")
    hooks.before_pipeline_run({"run_id": "2026-11-29T00.00.00.000Z"})
    saved.save({"steps": 2})
    hooks.after_node_run({"cot.training_log": LOG, "results": RESULTS, "cot.training_estimate": {"steps": 2}})
    (hooks.on_pipeline_error if fails else hooks.after_pipeline_run)(catalog)

    client = MlflowClient(uri)
    found = client.get_experiment_by_name("study")
    assert found is not None
    [run] = client.search_runs([found.experiment_id])
    assert run.info.status == ("FAILED" if fails else "FINISHED")
    assert run.data.tags["medo1.run"] == "2026-11-29T00.00.00.000Z"
    assert run.data.params == {"seed": "11", "finetune.cot.rank": "16"}
    assert [(one.step, one.value) for one in client.get_metric_history(run.info.run_id, "cot.loss")] == [
        (1, 2),
        (2, 1.5),
    ]
    assert run.data.metrics["cot.eval_loss"] == 1.4
    assert run.data.metrics["cot_sft.medqa.accuracy"] == 0.5
    told = load_dict(f"{run.info.artifact_uri}/medo1_versions.json")
    assert told == {"cot.training_estimate": {"version": saved.manifest().version, "sha256": saved.manifest().digest}}
    assert json.dumps(told)


def test_a_server_that_fails_later_ends_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.exceptions import MlflowException

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    hooks = hooks_with(tracking_uri=(tmp_path / "runs").as_uri())
    hooks.before_pipeline_run({})

    def gone(*_: Any, **__: Any) -> None:
        raise MlflowException("connection refused")

    monkeypatch.setattr(hooks._client, "log_batch", gone)
    hooks.after_node_run({"cot.training_log": LOG})
