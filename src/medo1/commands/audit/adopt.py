"""`kedro audit adopt`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medo1.commands.audit.common import Audit, UnansweredError, audit_command

if TYPE_CHECKING:
    from medo1.datasets.artifacts import VersionedArtifact


@audit_command()
@click.argument("dataset")
@click.argument("source", type=click.Path(exists=True, path_type=Path))
@click.option("--origin", required=True, help="Where it comes from: an address, a paper, a person, another study.")
def adopt(audit: Audit, dataset: str, source: Path, origin: str) -> None:
    """Bring the file or directory SOURCE in as a version of DATASET, byte for byte, with its origin.

    It is checked as the dataset's own are (it can be read, its table fits the schema, its weights are safetensors), and
    later runs take it as a free input as they take what runs made. Everywhere it is shown as made elsewhere.

    \b
    kedro audit adopt base_model ~/models/small --origin https://example.org/small
    kedro audit adopt questions data/03_primary/questions.parquet/<version>/questions.parquet --origin "saved by hand"
    """
    from kedro.io.core import DatasetError

    from medo1.datasets.artifacts import Adopted, made_outside_a_run
    from medo1.lineage.manifests import Provenance
    from medo1.lineage.recorder import put_made_outside_a_run
    from medo1.lineage.run_ids import run_id_after

    entry, validate = _entry(audit, dataset)
    ledger = audit.opened(create=True)
    version = run_id_after(max(filter(None, (entry.latest_version(), entry.newest_name())), default=None))
    entry.save_as(version)
    env = audit.env or audit.loader(audit.env).default_run_env
    maker = made_outside_a_run("adopted", origin=origin, source=source.name)
    entry.provenance = Provenance(dataset=dataset, run_record={"env": env}, maker=maker)
    try:
        validate(source)
        entry.save(Adopted(source.resolve()))
    except DatasetError as error:
        raise UnansweredError(f"{source} was not adopted: {error}") from error
    manifest = entry.manifest(version)
    put_made_outside_a_run(ledger, entry.location, manifest)
    if audit.as_json:
        audit.print_json({"dataset": dataset, "version": version, "digest": manifest.digest, "maker": maker})
    else:
        click.echo(f"{dataset}@{version} is {source}, made elsewhere: {origin}. Digest {manifest.digest}.")


def _entry(audit: Audit, name: str) -> tuple[VersionedArtifact, Any]:
    """The catalog's dataset, and what checks that a file fits its schema."""
    from kedro.io import DataCatalog
    from kedro.io.core import DatasetError

    from medo1.datasets.artifacts import VersionedArtifact

    loader = audit.loader(audit.env)
    catalog = DataCatalog.from_config(loader["catalog"], credentials=audit.credentials())
    dataset = catalog.get(name) if name in catalog else None
    if not isinstance(dataset, VersionedArtifact):
        raise UnansweredError(
            f"{name!r} is no dataset that versions are kept of; `kedro audit versions` shows those that there are."
        )
    spec = getattr(catalog, "validator_specs", {}).get(name)

    def validate(source: Path) -> None:
        schema = getattr(spec, "class_path", None)
        if isinstance(schema, str):
            from kedro.utils import load_obj

            try:
                load_obj(schema).validate(dataset.adopted_value(source), lazy=True)
            except Exception as error:
                raise DatasetError(f"it does not fit {schema}: {error}") from error

    return dataset, validate
