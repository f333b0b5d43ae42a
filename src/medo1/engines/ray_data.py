"""The `ray` engine: another engine on each worker of a Ray cluster, fed through Ray Data.

For when one machine is not enough. The requests are rows of a data
set; each worker is an actor that builds the wrapped engine once and answers one share of the rows after another; the
completions come back as they finish. The completion store stays with the caller: `store:` wraps this engine as it
wraps any other, and no worker writes to it.

An answer does not depend on the share or the worker that it was assigned to: a request carries its own seed. Hence the
identity is the wrapped engine's, and answers kept without Ray are found with it.

Models and adapters are passed on as paths, so they lie where all nodes see them. A request that a worker's engine
refuses comes back as an error, as from any engine; when a worker cannot go on at all, its reason is one `EngineError`.
"""

from __future__ import annotations

import json
import logging
import math
import os
import socket
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from typing import Any
from weakref import WeakSet

from medo1.engines.base import Adapter, Completion, Engine, EngineError, Message, Model, Request, Sampling
from medo1.engines.http.secrets import SecretMask, secrets_within
from medo1.engines.names import current_name, engine_of
from medo1.errors import UserError

logger = logging.getLogger(__name__)

HAND_OVER_S = 0.1  # for which a worker gathers completions


class RayData(Engine):
    """Spreads requests over the workers of a Ray cluster.

    Each call of `complete` is one execution of Ray Data, in which each worker builds its engine, so that calls should
    be large: a model that loads for a minute does so once a call, not once a request.

    Args:
        engine: dotted name of the wrapped engine's class, such as `medo1.engines.VLLM`.
        options: its keyword arguments.
        credentials: handed to the wrapped engine on each worker, shown nowhere. They travel within Ray's own messages,
            so the cluster is one that is trusted with them.
        workers: engines that are built, at most; never more than there are shares of the requests.
        num_cpus, num_gpus: what one worker takes of the cluster; for one engine on four GPUs, `num_gpus: 4`.
        share: requests handed to a worker at once, at most. Larger shares keep its batches full, smaller ones keep all
            workers busy to the end.
        lost_workers: how often a call continues with the unanswered requests after losing a worker's process.
        address: of a running cluster, such as `auto` or `ray://head:10001`; None takes RAY_ADDRESS, and where that is
            not set starts Ray on this machine. A Ray that this process is already connected to is used in any case.
        init: further arguments of `ray.init`.
    """

    answer_options = frozenset({"engine", "options"})
    other_options = frozenset(
        {"credentials", "workers", "num_cpus", "num_gpus", "share", "lost_workers", "address", "init"}
    )

    def __init__(
        self,
        *,
        engine: str,
        options: Mapping[str, Any] | None = None,
        credentials: Mapping[str, Any] | None = None,
        workers: int = 2,
        num_cpus: float = 1.0,
        num_gpus: float = 0.0,
        share: int = 256,
        lost_workers: int = 2,
        address: str | None = None,
        init: Mapping[str, Any] | None = None,
    ) -> None:
        for name, value, least in (("workers", workers, 1), ("share", share, 1), ("lost_workers", lost_workers, 0)):
            if value < least:
                raise EngineError(f"The ray engine's {name} is {value}; expected {least} or more.")
        self._build = _Build(engine, dict(options or {}), dict(credentials) if credentials is not None else None)
        self._engine = self._build.made()  # never answers here: says what the workers' engines are
        self._workers = workers
        self._needs = {"CPU": num_cpus, "GPU": num_gpus}
        self._share = share
        self._lost_workers = lost_workers
        self._address = address
        self._init = dict(init or {})

    @property
    def charges(self) -> bool:  # type: ignore[override]
        return self._engine.charges

    @property
    def price_factor(self) -> float:  # type: ignore[override]
        return self._engine.price_factor

    @property
    def tries(self) -> int:  # type: ignore[override]
        return self._engine.tries

    @property
    def sendings_unasked(self) -> int:  # type: ignore[override]
        """Workers cannot ask this process before they send again."""
        return max(self._engine.sendings_unasked, getattr(self._engine, "max_attempts", 1))

    @property
    def continues(self) -> bool | None:  # type: ignore[override]
        return self._engine.continues

    @property
    def identity(self) -> dict[str, Any]:
        """The wrapped engine's: where an answer is made does not change it."""
        return self._engine.identity

    def earlier_identity(self, *, continued: bool) -> dict[str, Any] | None:
        return self._engine.earlier_identity(continued=continued)

    def with_model(self, model: Model) -> RayData:
        self._engine = self._engine.with_model(model)
        there = replace(model, path=model.path.absolute()) if model.path is not None else model
        self._build = replace(self._build, model=there)
        return self

    def batches(self, requests: Iterable[Request], stop: Event | None = None) -> Iterator[list[Completion]]:
        """See `Engine.batches`: what one worker had ready together. All requests are taken before one is answered."""
        open_requests = dict(enumerate(requests))  # keys need not be unique; places are
        if not open_requests:
            return
        _RAY.use(self, self._address, self._init)
        self._refuse_too_little()
        lost = 0
        while open_requests and not (stop is not None and stop.is_set()):
            reason = "they ended without a word"
            try:
                for batch in self._execution(open_requests):
                    yield batch
                    if stop is not None and stop.is_set():
                        return
            except _WorkerLostError as error:
                reason = str(error)
            if not open_requests:
                return
            lost += 1
            unanswered = f"{len(open_requests)} requests are unanswered"
            if lost > self._lost_workers:
                raise EngineError(
                    f"Ray workers were lost {lost} times, and {unanswered}. The last time: {reason}. A worker that "
                    "needs more memory than its machine has is ended like this: give each fewer rows, or start fewer "
                    "on a machine."
                )
            logger.warning("a Ray worker was lost (%s); %s and are asked again", reason, unanswered)

    def close(self) -> None:
        """Shut down Ray where this engine started it and no other engine uses it."""
        self._engine.close()
        _RAY.leave(self)

    def _execution(self, open_requests: dict[int, Request]) -> Iterator[list[Completion]]:
        """Answer what is open in one execution of Ray Data; what is answered is taken out of it."""
        from ray.exceptions import RayError

        try:
            rows = self._rows(open_requests)
            for batch in rows.iter_batches(batch_size=None, prefetch_batches=0, batch_format="numpy"):
                for failure, text in zip(batch["failure"].tolist(), batch["completions"].tolist(), strict=True):
                    if failure:
                        raise EngineError(failure)
                    answers = [(open_requests.pop(int(row["key"]), None), row) for row in json.loads(text)]
                    yield [_completion(row, request.key) for request, row in answers if request is not None]
        except RayError as error:
            raise _WorkerLostError(self._build.mask().clean(_first_line(error))) from None

    def _rows(self, open_requests: Mapping[int, Request]) -> Any:
        """The data set whose rows are the answers; nothing runs before it is iterated."""
        import ray.data

        rows = [{"place": place, "text": _request_text(request)} for place, request in open_requests.items()]
        shares = max(math.ceil(len(rows) / self._share), min(self._workers, len(rows)))
        context = ray.data.DataContext.get_current().copy()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        context.execution_options.preserve_order = False
        # Each list of completions is one row, and a block of its own: it is handed over, and kept, when it is there.
        context.target_max_block_size = 1
        with ray.data.DataContext.current(context), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated")  # max_restarts has no other way yet
            return ray.data.from_items(rows, override_num_blocks=shares).map_batches(
                _Worker,
                fn_constructor_args=(self._build, self._engine.identity),
                batch_size=None,
                batch_format="numpy",
                compute=ray.data.ActorPoolStrategy(size=min(self._workers, shares), max_tasks_in_flight_per_actor=1),
                num_cpus=self._needs["CPU"],
                num_gpus=self._needs["GPU"],
                # Ray would send a lost worker's whole share again, and count answers by their order, which may differ.
                max_restarts=0,
            )

    def _refuse_too_little(self) -> None:
        """Ray waits for ever for what it does not have; a cluster may grow, a Ray on this machine does not."""
        if not _RAY.local:
            return
        import ray

        there = ray.cluster_resources()
        for what, each in self._needs.items():
            if each * self._workers > there.get(what, 0.0):
                raise EngineError(
                    f"The ray engine's {self._workers} workers need {each * self._workers:g} {what}s, and Ray on this "
                    f"machine has {there.get(what, 0.0):g}. Take fewer `workers`, or less "
                    f"`num_{what.lower()}s` for each."
                )


class _WorkerLostError(Exception):
    """A worker's process, or its machine, is gone."""


class _OurRay:
    """The Ray that medo1 started, if it did, and the engines that use it. There is one Ray in a process."""

    def __init__(self) -> None:
        self._users: WeakSet[RayData] = WeakSet()  # one that was forgotten keeps nothing alive
        self._lock = Lock()
        self._started = False
        self.local = False

    def use(self, engine: RayData, address: str | None, init: Mapping[str, Any]) -> None:
        """Connect to Ray, or start it, unless that was done."""
        try:
            import ray
            import ray.data
        except ImportError as error:
            raise EngineError(
                f"The ray engine needs Ray Data ({error}). Install it with pip install 'medo1[ray]'."
            ) from error
        with self._lock:
            if not ray.is_initialized():
                address = address or os.environ.get("RAY_ADDRESS") or "local"
                self.local = address == "local"
                if self.local:
                    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
                quiet = {"include_dashboard": False} if self.local else {}
                logging.getLogger("ray.data").setLevel(logging.WARNING)
                given = {"logging_level": logging.WARNING, "log_to_driver": False, **quiet, **init}
                try:
                    ray.init(address=address, **given)
                except (ConnectionError, OSError, RuntimeError, TypeError, ValueError) as error:
                    raise EngineError(
                        f"Ray at {address!r} cannot be reached or started: {_first_line(error)}. Name a running "
                        "cluster in `address`, or leave it out to start Ray on this machine."
                    ) from error
                self._started = True
                self._users.clear()
            if self._started:
                self._users.add(engine)

    def leave(self, engine: RayData) -> None:
        """Shut it down with its last user. A Ray that the caller had started is left alone."""
        with self._lock:
            if engine not in self._users:
                return
            self._users.discard(engine)
            if not self._users and self._started:
                import ray

                ray.shutdown()
                self._started = self.local = False


_RAY = _OurRay()


@dataclass(frozen=True, slots=True)
class _Build:
    """How the wrapped engine is built, here and on each worker."""

    engine: str
    options: dict[str, Any]
    credentials: dict[str, Any] | None = field(repr=False)
    model: Model | None = None

    def made(self) -> Engine:
        """The engine, with nothing loaded yet."""
        given = self.options if self.credentials is None else {**self.options, "credentials": self.credentials}
        if current_name(self.engine) == "medo1.engines.RayData":
            raise EngineError(f"{self.engine} is no engine that the ray engine can wrap.")
        engine = engine_of(self.engine, dict(given))
        return engine if self.model is None else engine.with_model(self.model)

    def mask(self) -> SecretMask:
        """What takes the credentials out of a text."""
        return SecretMask(secrets_within(self.credentials or {}))


class _Worker:
    """What Ray Data runs on a worker: the engine, built with the first share."""

    def __init__(self, build: _Build, identity: dict[str, Any]) -> None:
        self._build = build
        self._identity = identity
        self._engine: Engine | None = None

    def __call__(self, rows: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Answer one share. What goes wrong is a row too: raised, it would come with Ray's account of its processes."""
        try:
            engine = self._ready()
            requests = [
                replace(_request(text), key=str(place))
                for place, text in zip(rows["place"].tolist(), rows["text"].tolist(), strict=True)
            ]
            for adapter in {request.adapter for request in requests if request.adapter is not None}:
                _refuse_unseen(adapter.path, f"adapter {adapter.name!r}")
            for batch in _gathered(engine.batches(requests)):
                yield _as_row(completions=json.dumps([asdict(one) for one in batch]))
        except Exception as error:
            said = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {_first_line(error)}"
            where = f"{self._build.engine} on a Ray worker ({socket.gethostname()}, process {os.getpid()})"
            yield _as_row(failure=self._build.mask().clean(f"{where}: {said}"))

    def _ready(self) -> Engine:
        if self._engine is None:
            if self._build.model is not None and self._build.model.path is not None:
                _refuse_unseen(self._build.model.path, f"model {self._build.model.name!r}")
            engine = self._build.made()
            if engine.identity != self._identity:
                raise EngineError(
                    f"the engine is {engine.identity} here and {self._identity} where it was configured. Name in its "
                    "options what it otherwise takes from the machine, such as `dtype`, and a model by a path that all "
                    "nodes see"
                )
            self._engine = engine
        return self._engine

    def __del__(self) -> None:
        # Ray Data lets go of the worker when the data set has been read: a server that the engine started ends here.
        if self._engine is not None:
            self._engine.close()


def _gathered(batches: Iterator[list[Completion]]) -> Iterator[list[Completion]]:
    """What came within `HAND_OVER_S` as one list: Ray Data takes some milliseconds of the caller for each block."""
    came: SimpleQueue[list[Completion] | Exception | None] = SimpleQueue()

    def pump() -> None:
        try:
            for batch in batches:
                came.put(batch)
        except Exception as error:
            came.put(error)
        else:
            came.put(None)

    Thread(target=pump, name="medo1-ray", daemon=True).start()
    while True:
        end, gathered, until = came.get(), [], time.monotonic() + HAND_OVER_S
        while isinstance(end, list):
            gathered += end
            try:
                end = came.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                break
        if gathered:
            yield gathered
        if isinstance(end, Exception):
            raise end
        if end is None:
            return


def _refuse_unseen(path: Path, what: str) -> None:
    if not Path(path).exists():
        raise EngineError(f"{what} is not at {path} on this node. Put it on a file system that all nodes share")


def _as_row(completions: str = "", failure: str = "") -> dict[str, Any]:
    """What a worker says: completions that became ready together, or why it cannot go on."""
    import numpy as np

    return {"completions": np.array([completions], dtype=object), "failure": np.array([failure], dtype=object)}


def _request_text(request: Request) -> str:
    request = replace(request, may_retry=None)  # it belongs to this process
    return json.dumps(asdict(request), default=lambda path: str(path.absolute()))  # workers have folders of their own


def _request(text: str) -> Request:
    row = json.loads(text)
    sampling, adapter = row["sampling"], row["adapter"]
    return Request(
        key=row["key"],
        messages=tuple(Message(**message) for message in row["messages"]),
        sampling=Sampling(**{**sampling, "stop": tuple(sampling["stop"])}),
        sample=row["sample"],
        seed=row["seed"],
        adapter=Adapter(**{**adapter, "path": Path(adapter["path"])}) if adapter else None,
    )


def _completion(row: Mapping[str, Any], key: str) -> Completion:
    return Completion(**{**row, "key": key, "parts": tuple(row["parts"])})


def _first_line(error: BaseException) -> str:
    """An error's first line: Ray's messages continue with the state of its processes."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
