"""`kedro run --dry-run`: the plan alone. Nothing is sent, saved or written into the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click


def show_plan(options: Mapping[str, Any]) -> None:
    """Print the plan of the run that these options of `kedro run` start.

    Raises:
        UserError, DatasetError: what the run would be refused for, after the plan.
    """
    from kedro.framework.project import pipelines, settings
    from kedro.pipeline import Pipeline

    from medo1.lineage.ledger import Ledger, NoLedgerError
    from medo1.lineage.ledger_settings import ledger_settings
    from medo1.lineage.run_ids import run_id_after
    from medo1.screen.run_plan import planned_run

    created = settings.SESSION_CLASS.create(
        env=options["env"], conf_source=options["conf_source"], runtime_params=options["params"]
    )
    with created as session:
        names = list(dict.fromkeys(options["pipelines"] or ["__default__"]))
        pipelines.set_requested(None if names == ["__default__"] else names)
        context = session.load_context()
        for name in names:
            if name not in pipelines:
                raise ValueError(f"Failed to find the pipeline named '{name}'")
        pipeline = sum((pipelines[name] for name in names), Pipeline([])).filter(
            tags=options["tags"],
            from_nodes=options["from_nodes"],
            to_nodes=options["to_nodes"],
            node_names=options["node_names"],
            from_inputs=options["from_inputs"],
            to_outputs=options["to_outputs"],
            node_namespaces=options["namespaces"],
        )
        catalog = context._get_catalog(save_version=run_id_after(None), load_versions=options["load_versions"])
        try:
            ledger = Ledger(ledger_settings(context.config_loader, Path(context.project_path)))
        except NoLedgerError:
            ledger = None
        try:
            refused = _refused(pipeline, catalog, ledger, options)
            plan = planned_run(pipeline, catalog, ledger, context.config_loader, dry=True)
        finally:
            if ledger is not None:
                ledger.close()
    for line in plan.lines():
        click.echo(line)
    click.echo("Nothing was sent or saved (--dry-run).")
    if refused is not None:
        raise refused


def _refused(pipeline: Any, catalog: Any, ledger: Any, options: Mapping[str, Any]) -> Exception | None:
    """Pin the run's inputs and look at what comes from outside; what the run would be refused for, None for nothing."""
    from kedro.io.core import DatasetError

    from medo1.lineage.pins import pinned_inputs
    from medo1.settings import load_outside

    try:
        if ledger is not None:
            pinned_inputs(ledger, pipeline, catalog, options["load_versions"] or {}, options["only_missing_outputs"])
        load_outside(pipeline.inputs(), catalog)
    except DatasetError as error:
        return error
    return None
