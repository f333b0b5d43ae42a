"""Answers from completion stores, by request id, for lineage's digests and the audit."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medo1.engines.base import Completion

AT_ONCE = 500


def paid_answers(path: str, ids: Sequence[str]) -> Mapping[str, Completion]:
    """The answers that a store keeps under some ids; of a store that is not there, none.

    A store in a read-only place is read from a copy.

    Raises:
        EngineError: the file is no completion store.
    """
    file = Path(path)
    if not ids or not file.is_file():
        return {}
    import sqlite3

    try:
        return _read(file, ids)
    except sqlite3.OperationalError:
        pass
    except Exception as error:
        if not isinstance(error.__context__, sqlite3.OperationalError):
            raise
    with tempfile.TemporaryDirectory(prefix="medo1-store-") as folder:
        copy = Path(folder) / file.name
        for ending in ("", "-wal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{file}{ending}", f"{copy}{ending}")
        return _read(copy, ids)


def _read(file: Path, ids: Sequence[str]) -> dict[str, Completion]:
    from medo1.engines.wrappers.store import CompletionStore, kept_completion

    store = CompletionStore(file)
    try:
        found: dict[str, Completion] = {}
        for start in range(0, len(ids), AT_ONCE):
            rows = store.get_many(list(ids[start : start + AT_ONCE]))
            found |= {name: kept_completion(name, row, name) for name, row in rows.items()}
        return found
    finally:
        store.close()


def paid_since(path: str, since: float, prices: Mapping[str, Any]) -> dict[str, Any]:
    """What was paid into a store since a moment: answers, tokens, and dollars where the price table has the models.

    Args:
        path: the store's file; of one that is not there, nothing was paid.
        since: seconds since the epoch.
        prices: a price table as parameters have it.
    """
    from medo1.engines.wrappers.money import MILLION, Price
    from medo1.engines.wrappers.store import CompletionStore, Filter

    paid: dict[str, Any] = {"answers": 0, "prompt_tokens": 0, "completion_tokens": 0, "usd": None}
    if not Path(path).is_file():
        return paid
    store = CompletionStore(path)
    try:
        totals = store.totals(Filter(after=since))
    finally:
        store.close()
    for row in totals:
        tokens = [round(row[name] or 0) for name in ("prompt_tokens", "completion_tokens")]
        paid["answers"] += row["answers"]
        paid["prompt_tokens"] += tokens[0]
        paid["completion_tokens"] += tokens[1]
        told = prices.get(str(row["engine"].get("model")))
        if told is not None:
            price = Price.model_validate(told)
            usd = tokens[0] * price.prompt_usd_per_million + tokens[1] * price.completion_usd_per_million
            paid["usd"] = (paid["usd"] or 0.0) + usd / MILLION
    return paid
