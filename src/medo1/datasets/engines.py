"""Engines as catalog datasets: the choice of teacher, student and judge is configuration, and part of lineage."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from kedro.io.core import AbstractDataset, DatasetError
from kedro_datasets._typing import JSONPreview

from medo1.engines.base import Engine, EngineError
from medo1.engines.http.secrets import without_secrets_within
from medo1.engines.names import current_name, engine_of


class EngineDataset(AbstractDataset[Any, Engine]):
    """An engine, made when it is first loaded and closed when the dataset is released.

    Args:
        engine: dotted name of the class, such as `medo1.engines.Transformers`.
        options: keyword arguments of the class.
        store: path of the completion store; None asks again each time.
        credentials: from `conf/local/credentials.yml`; handed to the engine, shown nowhere.
    """

    # An engine holds connections, a server or a model: it belongs to one process.
    _SINGLE_PROCESS = True

    def __init__(
        self,
        *,
        engine: str,
        options: dict[str, Any] | None = None,
        store: str | None = None,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._class = current_name(engine)
        self._options = options or {}
        self._store = store
        self._credentials = credentials
        self.metadata = metadata
        self._engine: Engine | None = None
        self._identity: dict[str, Any] = {}

    def load(self) -> Engine:
        if self._engine is None:
            self._engine = self._made()
            # Before a node gives it a model: that model is an input of its own, and lineage must not depend on which
            # node came first.
            self._identity = dict(self._engine.identity)
        return self._engine

    def save(self, data: Any) -> NoReturn:
        raise DatasetError(f"an engine ({self._class}) is configured in the catalog; no node saves to it")

    def identity(self) -> dict[str, Any]:
        """What the engine is, without secrets, for lineage: its class and how it describes itself."""
        self.load()
        return {"class": self._class, **self._identity}

    @property
    def configuration(self) -> dict[str, Any]:
        """What the catalog says of it, without credentials: class, options, completion store."""
        return self._describe()

    def _made(self) -> Engine:
        options = dict(self._options)
        if self._credentials is not None:
            options["credentials"] = self._credentials
        try:
            engine = engine_of(self._class, options)
        except EngineError as error:
            raise DatasetError(str(error)) from error
        if self._store is None:
            return engine
        from medo1.engines.wrappers.store import CompletionStore
        from medo1.engines.wrappers.stored import Stored

        return Stored(engine, CompletionStore(self._store))

    def _release(self) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"engine": self._class, "options": without_secrets_within(self._options), "store": self._store}

    def preview(self) -> JSONPreview:
        """The configuration for kedro-viz; no credentials."""
        return JSONPreview(json.dumps(self._describe(), default=str))
