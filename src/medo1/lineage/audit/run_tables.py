"""What a run saved, each version held against its digest before it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medo1.errors import UserError

if TYPE_CHECKING:
    from medo1.lineage.ledger_reader import LedgerReader
    from medo1.lineage.places import Places


@dataclass(frozen=True, slots=True)
class SavedValue:
    """A version's value, and the ledger's row of it."""

    value: Any
    row: dict[str, Any]


def saved_values(
    connection: LedgerReader, places: Places, run: str, wanted: Callable[[str], bool]
) -> dict[str, SavedValue]:
    """What a run read or wrote, by the catalog's name.

    Args:
        connection: the ledger's.
        places: where versions lie.
        run: the run's id.
        wanted: whether a dataset of this name is read.

    Raises:
        UserError: something of it is not what it was.
    """
    from medo1.lineage.audit.checked_data import checked_data
    from medo1.lineage.audit.known_runs import inputs_and_outputs
    from medo1.lineage.audit.recomputing import read_value

    found = {}
    versions, _ = inputs_and_outputs(connection, run)
    for dataset, (version, location) in versions.items():
        if not wanted(dataset):
            continue
        query = "SELECT * FROM version WHERE location = :location AND version = :version"
        row = connection.first(query, location=location, version=version)
        if row is None:
            continue
        path, problems = checked_data(places, row)
        if problems:
            raise UserError(f"{dataset} of run {run} is not what it was: {'; '.join(problems)}")
        found[dataset] = SavedValue(read_value(path, row["kind"]), row)
    return found
