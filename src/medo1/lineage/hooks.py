"""The hooks that make a run one thing: its inputs pinned when it starts, its outputs told where they come from.

Kedro resolves "the latest version" each time that a dataset is loaded, so two runs at once can mix their inputs, and
a pin on an unversioned dataset is ignored without a word. Here every free input is resolved once, before the first
node, and stays; a pin that cannot take effect is an error.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl
from kedro.io.core import DatasetError, VersionNotFoundError, is_parameter

from medo1.lineage.digests import digest_of_text
from medo1.lineage.manifests import Provenance

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

logger = logging.getLogger(__name__)


class LineageHooks:
    """Pins inputs, hands provenance to whatever is saved, and closes engines when the run ends."""

    def __init__(self) -> None:
        self._run = ""
        self._catalog: CatalogProtocol[Any, Any] | None = None
        self._made_from: dict[str, dict[str, dict[str, Any]]] = {}

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]
    ) -> None:
        _refuse_several_processes(run_params)
        self._run, self._catalog, self._made_from = run_params["run_id"], catalog, {}
        _refuse_idle_pins(run_params.get("load_versions") or {}, pipeline, catalog)
        _pin_free_inputs(pipeline, catalog)

    @hook_impl
    def before_node_run(self, node: Node, catalog: CatalogProtocol[Any, Any], inputs: dict[str, Any]) -> None:
        self._made_from[node.name] = {
            name: _identity(catalog, name, inputs.get(name)) for name in sorted(set(node.inputs))
        }

    @hook_impl
    def before_dataset_saved(self, dataset_name: str, node: Node) -> None:
        assert self._catalog is not None
        dataset = self._catalog.get(dataset_name)
        if hasattr(dataset, "provenance"):
            dataset.provenance = Provenance(
                dataset=dataset_name, run=self._run, node=node.name, made_from=self._made_from.get(node.name, {})
            )

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        _release_free_inputs(pipeline, catalog)

    @hook_impl
    def on_pipeline_error(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        _release_free_inputs(pipeline, catalog)


def _refuse_several_processes(run_params: dict[str, Any]) -> None:
    if "ParallelRunner" in str(run_params.get("runner")):
        raise DatasetError(
            "ParallelRunner runs hooks in child processes, where neither pins nor lineage reach. Use the default "
            "SequentialRunner (engines are concurrent by themselves) or ThreadRunner."
        )


def _refuse_idle_pins(pins: dict[str, str], pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
    """An error for each pin that would be ignored: Kedro takes them all without a word."""
    free = pipeline.inputs()
    for name, version in pins.items():
        if name not in free:
            where = "made by this run" if name in pipeline.datasets() else "not part of this run"
            raise DatasetError(
                f"--load-versions {name}:{version} cannot take effect: {name} is {where}. "
                f"Free inputs of this run: {', '.join(sorted(n for n in free if not is_parameter(n)))}."
            )
        if not hasattr(catalog.get(name), "pin"):
            raise DatasetError(
                f"--load-versions {name}:{version} cannot take effect: {name} has no versions. "
                "Only what a run of medo1 made has versions."
            )


def _pin_free_inputs(pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
    missing = []
    for name in sorted(pipeline.inputs()):
        dataset = catalog.get(name)
        if not hasattr(dataset, "pin"):
            continue
        try:
            version = dataset.resolve_load_version()
            dataset.manifest(version)
        except VersionNotFoundError:
            missing.append(name)
            continue
        dataset.pin(version)
        logger.info("%s is pinned to version %s", name, version)
    if missing:
        raise DatasetError(
            f"This run needs {', '.join(missing)}, and there is no complete version yet. Run the pipeline that makes "
            "it first (kedro registry describe lists each pipeline's nodes), or run everything: kedro run."
        )


def _identity(catalog: CatalogProtocol[Any, Any], name: str, value: Any) -> dict[str, Any]:
    """What a node's input is: version and digest, digest, or an engine's identity."""
    if is_parameter(name):
        return {"digest": digest_of_text(_parameter_text(value))}
    dataset = catalog.get(name)
    if hasattr(dataset, "manifest"):
        manifest = dataset.manifest()
        return {"version": manifest.version, "digest": manifest.digest}
    if hasattr(dataset, "digest"):
        return {"digest": dataset.digest()}
    if hasattr(dataset, "identity"):
        return {"identity": dataset.identity()}
    return {}


def _parameter_text(value: Any) -> str:
    if hasattr(value, "model_dump_json"):
        return str(value.model_dump_json())
    return repr(value)


def _release_free_inputs(pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
    """Kedro releases what a run made, not what it was given: engines are given."""
    for name in pipeline.inputs():
        if not is_parameter(name):
            catalog.release(name)
