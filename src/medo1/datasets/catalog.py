"""The study's catalog: Kedro's, whose datasets know what they are called and who saves to them by hand."""

from __future__ import annotations

from typing import Any

from kedro.io import DataCatalog

from medo1.lineage.manifests import Provenance


class StudyCatalog(DataCatalog):
    """Kedro's catalog. What is saved through it outside a run says so in its manifest, with its name."""

    env = ""  # the environment that it was made for

    def get(self, key: str, *args: Any, **options: Any) -> Any:
        """The dataset of a name, as Kedro's catalog gives it."""
        dataset = super().get(key, *args, **options)
        if isinstance(getattr(dataset, "provenance", None), Provenance) and not dataset.provenance.dataset:
            dataset.provenance = Provenance(dataset=key, run_record={"env": self.env} if self.env else {})
        return dataset
