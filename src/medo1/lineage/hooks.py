"""The hooks that make a run one thing: inputs pinned when it starts, outputs told where they come from, all written
into the ledger as it happens, engines closed when it ends.
"""

from __future__ import annotations

import json
import logging
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from kedro.framework.hooks import hook_impl
from kedro.io.core import DatasetError, is_parameter

from medo1 import __version__
from medo1.lineage.completion_digests import UNKEPT, call_ids, digests_in
from medo1.lineage.digests import digest_of_text
from medo1.lineage.evidence import evidence_of
from medo1.lineage.manifests import Manifest, Provenance
from medo1.lineage.run_records import written_parameters

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.io import CatalogProtocol
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

    from medo1.lineage.completion_digests import PaidSince, ReadAnswers
    from medo1.lineage.environment import Environment
    from medo1.lineage.ledger import Ledger
    from medo1.lineage.ledger_settings import LedgerSettings
    from medo1.lineage.recorder import NodeInput, Recorder
    from medo1.lineage.redaction import LineageRedactor

    Catalog: TypeAlias = CatalogProtocol[Any, Any]

logger = logging.getLogger(__name__)

# When the project's code was loaded, roughly: this module is imported by its settings.
_LOADED_AT = time.time()
# What of a run's call is kept: which part of the graph ran, and how.
SELECTION = (
    *("tags", "from_nodes", "to_nodes", "node_names", "from_inputs", "to_outputs", "namespaces"),
    *("load_versions", "only_missing_outputs", "runner"),
)


class LaterVersionError(DatasetError):
    """A dataset has a version later than this run: the clock went backwards, or it was copied here."""

    def __init__(self, dataset: str, latest: str, run: str) -> None:
        super().__init__(
            f"{dataset} has version {latest}, which is later than this run ({run}): the clock went backwards, or the "
            "version was made on another machine. What this run saves would not be the latest. Run it as `kedro run`, "
            "which takes a later id."
        )
        self.found = (dataset, latest)


class LineageHooks:
    """One instance serves one run after another.

    Args:
        read_answers: reads answers out of a completion store, so that the digests of those that a version was made from
            are kept with it.
        paid_since: says what was paid into a completion store since a moment, at some prices.
    """

    def __init__(self, read_answers: ReadAnswers | None = None, paid_since: PaidSince | None = None) -> None:
        self._read_answers, self._paid_since = read_answers, paid_since
        self._began = 0.0
        self._context: KedroContext | None = None
        self._effective: Mapping[str, Any] = {}
        self._redactor: LineageRedactor | None = None
        self._recorder: Recorder | None = None
        self._forget()

    def _forget(self) -> None:
        self._run = ""
        self._settings: LedgerSettings | None = None
        self._catalog: Catalog | None = None
        self._pipeline: Pipeline | None = None
        self._record: dict[str, Any] = {}
        self._functions: dict[str, tuple[str | None, dict[str, str], str | None]] = {}
        self._reads: dict[str, NodeInput] = {}
        self._files: dict[str, str | None] = {}
        self._made_from: dict[str, dict[str, dict[str, Any]]] = {}
        self._inputs: dict[str, dict[str, NodeInput]] = {}
        self._makers: dict[str, str] = {}
        self._unsaved: dict[str, set[str]] = {}
        self._started: dict[str, float] = {}
        self._keys: dict[str, list[str]] = {}
        self._took: dict[str, float] = {}
        self._stages: dict[str, str] = {}
        self._ledger: Ledger | None = None

    # What is known before a run

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        self._context = context

    @hook_impl
    def after_catalog_created(self, catalog: Catalog, conf_creds: dict[str, Any], parameters: dict[str, Any]) -> None:
        from medo1.lineage.redaction import LineageRedactor

        if self._context is not None:
            loader = self._context.config_loader
            _name_datasets(catalog, str(self._context.env or getattr(loader, "default_run_env", "") or ""))
        self._redactor = LineageRedactor(conf_creds)
        self._effective = parameters.get("parameters") or {}

    # A run

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: Catalog) -> None:
        from medo1.lineage.ledger import Ledger
        from medo1.lineage.ledger_settings import ledger_settings
        from medo1.lineage.pins import pinned_inputs

        _refuse_several_processes(run_params, catalog)
        self._abandon("interrupted", "another run began in the same process")
        self._forget()
        assert self._context is not None
        self._run, self._catalog, self._pipeline = run_params["run_id"], catalog, pipeline
        self._settings = ledger_settings(self._context.config_loader, Path(self._context.project_path))
        ledger = self._ledger = Ledger(self._settings, create=True)
        given, only_missing = run_params.get("load_versions") or {}, bool(run_params.get("only_missing_outputs"))
        pins, source = pinned_inputs(ledger, pipeline, catalog, given, only_missing)
        self._refuse_later_versions(pipeline, catalog)
        self._files = {pin.name: pin.digest for pin in pins if pin.kind == "file"}
        self._makers = {name: node.name for node in pipeline.nodes for name in node.outputs}
        self._unsaved = {node.name: set(node.outputs) for node in pipeline.nodes}
        self._stages = {node.name: _stage(node) for node in pipeline.nodes}
        self._functions = _code_of(pipeline, catalog)
        self._start(ledger, run_params, pins, source)

    def _start(self, ledger: Any, run_params: dict[str, Any], pins: list[Any], source: str | None) -> None:
        from medo1.lineage.environment import current_environment, why_no_commit
        from medo1.lineage.places import Places
        from medo1.lineage.recorder import Recorder, RunStart, now_text

        assert self._context is not None
        assert self._redactor is not None
        hide = self._redactor
        environment = current_environment(Path(self._context.project_path))
        diff = environment.code.diff
        if diff and hide.finds(diff):
            logger.warning("The uncommitted changes hold what looks like a key: their digest is kept, they are not.")
            diff = None
        command, at = hide.text(_command()), now_text()
        start = RunStart(
            id=self._run,
            command=command,
            env=str(run_params.get("env") or getattr(self._context.config_loader, "default_run_env", None) or ""),
            pipelines=list(run_params.get("pipeline_names") or ["__default__"]),
            selection=hide.value(_selection(run_params)),
            runtime_params=hide.value(plain(run_params.get("runtime_params") or {})),
            from_run=source,
            parameters=hide.value(plain(written_parameters(self._context.config_loader))),
            effective_parameters=hide.value(plain(self._effective)),
            environment=environment,
            diff=diff,
            medo1=__version__,
            kedro=str(run_params.get("kedro_version") or ""),
            pins=pins,
            started_at=at,
        )
        self._record = _short_record(start, environment)
        self._began = time.time()
        if environment.code.commit is None:
            logger.warning(
                "No git commit is known: %s. The run cannot be reproduced, and its code is known by digest only.",
                why_no_commit(Path(self._context.project_path)),
            )
        self._recorder = Recorder(ledger, start, Places(ledger.settings))

    def _refuse_later_versions(self, pipeline: Pipeline, catalog: Catalog) -> None:
        for name in sorted(pipeline.all_outputs()):
            dataset = catalog.get(name)
            if not hasattr(dataset, "newest_name"):
                continue
            newest = dataset.newest_name()
            if newest is not None and newest >= self._run:
                raise LaterVersionError(name, newest, self._run)

    @hook_impl
    def before_node_run(self, node: Node, catalog: Catalog, inputs: dict[str, Any]) -> None:
        if self._recorder is None:
            return
        reads = {name: self._read_of(catalog, name, inputs.get(name)) for name in sorted(set(node.inputs))}
        self._inputs[node.name] = reads
        self._made_from[node.name] = {name: self._told(name, read) for name, read in reads.items()}
        function, code, _ = self._functions.get(node.name, (None, {}, None))
        self._recorder.node_started(node.name, function, code, reads)
        self._started[node.name] = time.perf_counter()

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        if self._recorder is not None and node.name in self._started:
            took = time.perf_counter() - self._started.pop(node.name)
            self._took[node.name] = took
            self._recorder.node_ran(node.name, took, ended=not self._unsaved.get(node.name))

    @hook_impl
    def before_dataset_saved(self, dataset_name: str, data: Any, node: Node) -> None:
        assert self._catalog is not None
        dataset = self._catalog.get(dataset_name)
        if not hasattr(dataset, "provenance"):
            return
        function, _, code = self._functions.get(node.name, (None, {}, None))
        stores, answers = self._answers_of(node, data)
        dataset.provenance = Provenance(
            dataset=dataset_name,
            run=self._run,
            node=node.name,
            made_from=self._made_from.get(node.name, {}),
            made_by={"function": function, "code": code} if function else {},
            run_record=self._record,
            key=self._key_of(dataset_name),
            rows_from=(dataset.metadata or {}).get("rows_from") or {},
            measures=bool((dataset.metadata or {}).get("measures_run")),
            stores=stores,
            answers=answers,
            evidence=self._evidence_of(node),
            told=self._told_of(dataset_name, node) if isinstance(data, str) else None,
        )

    def _told_of(self, dataset_name: str, node: Node) -> Callable[[str, str], str] | None:
        """What fills the marks of a page."""
        from medo1.lineage.run_told import RunTold

        if self._ledger is None:
            return None
        reads = self._inputs.get(node.name, {})
        return RunTold(self._run, dataset_name, self._record, reads, self._took, self._stages, self._ledger)

    def _answers_of(self, node: Node, data: Any) -> tuple[list[str], dict[str, str]]:
        """The stores of the engines that a node asked, and digests of the answers that rows of its output name."""
        assert self._settings is not None
        engines = [read for name in node.inputs if (read := self._reads.get(name)) and read.kind == "engine"]
        stores = list(dict.fromkeys(store for read in engines if (store := read.detail["configuration"].get("store"))))
        ids = call_ids(data) if stores and self._read_answers is not None else []
        if not ids or self._read_answers is None:
            return [], {}
        paths = [self._settings.path_of(store) for store in stores]
        return stores, dict.fromkeys(ids, UNKEPT) | digests_in(self._read_answers, paths, ids)

    def _cost(self) -> dict[str, Any] | None:
        """What the run paid into the stores of its engines; None where it asked none, or that cannot be said."""
        engines = [read for read in self._reads.values() if read.kind == "engine"]
        stores = {store for read in engines if (store := read.detail["configuration"].get("store"))}
        if not stores or self._paid_since is None or self._settings is None:
            return None
        prices = _found(self._effective, "prices")
        cost: dict[str, Any] = {}
        try:
            for store in sorted(stores):
                for name, value in self._paid_since(self._settings.path_of(store), self._began, prices).items():
                    cost[name] = value if cost.get(name) is None else cost[name] + (value or 0)
        except Exception as error:  # a run is not lost for want of its price
            logger.warning("What the run paid cannot be said: %s", error)
            return None
        return cost

    def _evidence_of(self, node: Node) -> str:
        reads = {
            name: {of: None if read.manifest and read.manifest.measures else read.digest for of, read in inputs.items()}
            for name, inputs in self._inputs.items()
        }
        return evidence_of(node.name, reads, self._makers)

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        if self._recorder is None:
            return
        assert self._catalog is not None
        assert self._settings is not None
        unsaved = self._unsaved.get(node.name, set())
        unsaved.discard(dataset_name)
        dataset = self._catalog.get(dataset_name)
        if not hasattr(dataset, "manifest"):
            if not unsaved:
                self._recorder.node_ended(node.name)
            return
        manifest: Manifest = dataset.manifest()
        location = self._settings.location_of(dataset.location)
        self._reads.pop(dataset_name, None)
        self._recorder.saved(node.name, location, manifest, manifest.text_digest, ended=not unsaved)

    @hook_impl(tryfirst=True)
    def after_pipeline_run(self) -> None:
        self._end("finished", None)

    @hook_impl(tryfirst=True)
    def on_pipeline_error(self, error: Exception) -> None:
        self._end("failed", error)

    def abandoned(self, error: BaseException) -> None:
        """A run ended in a way that Kedro has no hook for: Ctrl-C, an error in a hook."""
        self._end("interrupted" if isinstance(error, KeyboardInterrupt | SystemExit) else "failed", error)

    def _end(self, outcome: Any, error: BaseException | None) -> None:
        text = None
        if error is not None:
            text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            text = self._redactor.text(text) if self._redactor else None
        self._abandon(outcome, text)
        if self._pipeline is not None and self._catalog is not None:
            _release_free_inputs(self._pipeline, self._catalog, failed=error is not None)
        self._pipeline = None

    def _abandon(self, outcome: Any, error: str | None) -> None:
        if self._recorder is not None:
            recorder, self._recorder = self._recorder, None
            root = recorder.ended(outcome, error, self._cost())
            if root is not None and outcome == "finished":
                logger.info("Root digest of run %s: %s (kedro audit verify --root)", self._run, root)

    # What a node reads

    def _read_of(self, catalog: Catalog, name: str, value: Any) -> NodeInput:
        """What a node's input is; kept for the run, in which pinned and saved versions stay what they are."""
        if name not in self._reads:
            self._reads[name] = self._looked_up(catalog, name, value)
        elif self._reads[name].kind == "file":
            self._refuse_changed_file(name, catalog.get(name).digest())
        return self._reads[name]

    def _looked_up(self, catalog: Catalog, name: str, value: Any) -> NodeInput:
        from medo1.lineage.recorder import NodeInput

        assert self._settings is not None
        assert self._redactor is not None
        if is_parameter(name):
            shown = self._redactor.value(plain(value))
            return NodeInput("parameters", digest_of_text(_text_of(plain(value))), shown)
        dataset = catalog.get(name)
        if hasattr(dataset, "manifest"):
            manifest = dataset.manifest()
            location = self._settings.location_of(dataset.read_location)
            return NodeInput("version", manifest.digest, None, location, manifest, manifest.text_digest)
        if hasattr(dataset, "digest"):
            digest = dataset.digest()
            self._refuse_changed_file(name, digest)
            location = self._settings.location_of(str(getattr(dataset, "location", name)))
            return NodeInput("file", digest, {"location": location})
        if hasattr(dataset, "identity"):
            identity = self._redactor.value(plain(dataset.identity()))
            configuration = self._redactor.value(plain(self._placed(dataset.configuration)))
            _, _, code = self._functions.get(f"engine {name}", (None, {}, None))
            detail = {"identity": identity, "configuration": configuration, "code": code}
            return NodeInput("engine", digest_of_text(_text_of([identity, code])), detail)
        return NodeInput("memory", None, {"node": self._makers.get(name, "")})

    def _placed(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """An engine's configuration, its store's path written as the ledger writes places."""
        assert self._settings is not None
        store = configuration.get("store")
        return {**configuration, "store": self._settings.location_of(store) if store else None}

    def _refuse_changed_file(self, name: str, digest: str) -> None:
        before = self._files.get(name)
        if before is not None and before != digest:
            raise DatasetError(
                f"{name} was changed while the run was going on (digest {before[:12]} when it started, {digest[:12]} "
                "now): nodes before and after would have read different things. Run again."
            )

    def _told(self, name: str, read: NodeInput) -> dict[str, Any]:
        """An input as a manifest tells it."""
        match read.kind:
            case "version":
                assert read.manifest is not None
                return {"version": read.manifest.version, "digest": read.digest}
            case "file":
                return {"file": read.detail["location"], "digest": read.digest}
            case "parameters":
                return {"digest": read.digest, "value": read.detail}
            case "engine":
                return {"engine": read.detail["identity"], "digest": read.digest}
            case _:
                maker = read.detail["node"]
                return {"memory": maker, "made_from": self._made_from.get(maker, {})}

    def _key_of(self, name: str) -> list[str]:
        """The columns that the table's schema calls unique."""
        if name not in self._keys:
            spec = getattr(self._catalog, "validator_specs", {}).get(name)
            schema = _loaded(spec.class_path) if spec is not None and isinstance(spec.class_path, str) else None
            unique = getattr(schema, "unique", None) or []
            self._keys[name] = [unique] if isinstance(unique, str) else list(unique)
        return self._keys[name]


def _found(value: Any, name: str) -> dict[str, Any]:
    """All entries of the mappings that stand under a name anywhere in some parameters."""
    value = plain(value)
    found: dict[str, Any] = {}
    for key, item in value.items() if isinstance(value, dict) else ():
        found |= (item or {}) if key == name and isinstance(item, dict | None) else _found(item, name)
    return found


def _name_datasets(catalog: Any, env: str) -> None:
    """Have a catalog's datasets know what they are called, so that what is saved outside a run says so.

    Datasets are made when they are first asked for, so it is the catalog's `get` that names them.
    """
    get = catalog.get

    def named(key: str, *arguments: Any, **options: Any) -> Any:
        dataset = get(key, *arguments, **options)
        if isinstance(getattr(dataset, "provenance", None), Provenance) and not dataset.provenance.dataset:
            dataset.provenance = Provenance(dataset=key, run_record={"env": env} if env else {})
        return dataset

    catalog.get = named


def plain(value: Any) -> Any:  # noqa: PLR0911  (a case a kind of value)
    """A parameter as JSON values: models and dataclasses become mappings, with their defaults."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [plain(item) for item in value]
        return sorted(items, key=repr) if isinstance(value, set | frozenset) else items
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)  # noqa: PLR0124
    return str(value)


def _text_of(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _refuse_several_processes(run_params: dict[str, Any], catalog: Catalog) -> None:
    from kedro.io import SharedMemoryDataCatalog

    if isinstance(catalog, SharedMemoryDataCatalog) or "ParallelRunner" in str(run_params.get("runner")):
        raise DatasetError(
            "ParallelRunner runs hooks in child processes, where neither pins nor lineage reach. Use the default "
            "SequentialRunner (engines are concurrent by themselves) or --runner=ThreadRunner."
        )


def _stage(node: Node) -> str:
    """The outermost group that a node is in, else its tag."""
    return node.namespace.partition(".")[0] if node.namespace else min(node.tags, default=node.name)


def _code_of(pipeline: Pipeline, catalog: Catalog) -> dict[str, tuple[str | None, dict[str, str], str | None]]:
    """Function, reached code and its digest of each node, and of each engine's class as `engine <name>`."""
    from medo1.lineage.code import CodeReader, function_name

    functions = {node.name: function_name(node.func) for node in pipeline.nodes}
    for name in pipeline.inputs():
        configuration = getattr(catalog.get(name), "configuration", None)
        if isinstance(configuration, dict) and "engine" in configuration:
            module, _, class_name = configuration["engine"].rpartition(".")
            functions[f"engine {name}"] = f"{module}:{class_name}"
    packages = {"medo1"} | {function.partition(":")[0].partition(".")[0] for function in functions.values() if function}
    reader = CodeReader(sorted(packages))
    found: dict[str, tuple[str | None, dict[str, str], str | None]] = {}
    for name, function in functions.items():
        reached = reader.reached_from(function) if function else None
        found[name] = (function, reached.parts if reached else {}, reached.digest if reached else None)
    reader.close()
    _point_out_edited_code({part.partition(":")[0] for _, parts, _ in found.values() for part in parts})
    return found


def _point_out_edited_code(modules: set[str]) -> None:
    """A warning in a notebook or another long-lived process whose code was edited after it was loaded.

    What the ledger keeps is the code on disk; what runs is what was imported.
    """
    edited = []
    for name in sorted(modules):
        file = getattr(sys.modules.get(name), "__file__", None)
        if file and Path(file).is_file() and Path(file).stat().st_mtime > _LOADED_AT:
            edited.append(name)
    if edited:
        logger.warning(
            "%s was edited after this process had started: what runs may be the older code, while the ledger keeps the "
            "newer. Start a new process (or restart the kernel) for runs that count.",
            ", ".join(edited[:5]),
        )


def _selection(run_params: dict[str, Any]) -> dict[str, Any]:
    """What was given of the call: which part of the graph."""
    given = {name: plain(run_params.get(name)) for name in SELECTION if run_params.get(name)}
    runner = str(given.pop("runner", ""))  # an object's text, with its address
    if "Runner" in runner:
        given["runner"] = runner.strip("<>").partition(" ")[0].rpartition(".")[2]
    return given


def _command() -> str:
    name = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    name = "kedro" if name == "__main__.py" else name
    return shlex.join([name, *sys.argv[1:]])


def _short_record(start: Any, environment: Environment) -> dict[str, Any]:
    """What a manifest says of the run, so that the data tells its story without the ledger."""
    code = environment.code
    return {
        "command": start.command,
        "env": start.env,
        "pipelines": start.pipelines,
        "runtime_params": start.runtime_params,
        "from_run": start.from_run,
        "started_at": start.started_at,
        "git_commit": code.commit,
        "git_dirty": code.dirty,
        "diff_digest": code.diff_digest,
        "python": environment.python,
        "medo1": start.medo1,
        "kedro": start.kedro,
        "user": environment.user,
        "host": environment.process.host,
    }


def _loaded(path: str) -> Any:
    from kedro.utils import load_obj

    try:
        return load_obj(path)
    except (ImportError, AttributeError, ValueError):
        return None  # Kedro says so itself when it validates


def _release_free_inputs(pipeline: Pipeline, catalog: Catalog, *, failed: bool) -> None:
    """Kedro releases what a run made, not what it was given: engines are given.

    A run that failed tells why it did, and not that something could not be closed which may never have opened.
    """
    for name in pipeline.inputs():
        if is_parameter(name):
            continue
        try:
            catalog.release(name)
        except Exception as error:
            if not failed:
                raise
            logger.debug("%s was not released: %s", name, error)
