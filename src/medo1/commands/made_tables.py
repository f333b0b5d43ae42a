"""Tables that a command makes of what several runs saved: versions like all others, with what they were made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medo1.datasets.files import Table
    from medo1.frames import Frame


def save_made_table(
    saved: Table, table: Frame, *, name: str, command: str, reads: Sequence[Mapping[str, Any]], env: str | None,
    **more: str,
) -> str:  # fmt: skip
    """Save a table that no run made, and tell the ledger what it was made from, so that it can be traced.

    Args:
        saved: its dataset. name: the dataset's name in the catalog.
        table: its rows, which fit the schema.
        command: who makes it, such as `kedro study`.
        reads: what it was made from: `dataset`, `version`, `digest`, and `run`, the one that saved it.
        env: the environment in which those runs saved.
        more: what else is told of the maker.

    Returns:
        where it was saved.
    """
    from medo1 import tables
    from medo1.configuration import project_loader
    from medo1.datasets.artifacts import made_outside_a_run
    from medo1.lineage.ledger import Ledger
    from medo1.lineage.ledger_settings import ledger_settings
    from medo1.lineage.manifests import Provenance
    from medo1.lineage.recorder import put_made_outside_a_run

    project = Path.cwd()
    read = [{key: str(one[key]) for key in ("dataset", "version", "digest")} for one in reads]
    unique = getattr(tables, name.upper()).unique
    saved.provenance = Provenance(
        name,
        node=command,
        made_from={
            f"{one['dataset']} (run {one['run']})": {"version": one["version"], "digest": one["digest"]}
            for one in reads
        },
        maker={**made_outside_a_run(command, **more), "reads": read},
        key=list(unique),
        rows_from=(saved.metadata or {}).get("rows_from") or {},
        run_record={"env": env} if env else {},
    )
    saved.save(table)
    ledger = Ledger(ledger_settings(project_loader(project, env), project), create=True)
    try:
        put_made_outside_a_run(ledger, saved.location, saved.manifest())
    finally:
        ledger.close()
    return str(Path(saved.location))
