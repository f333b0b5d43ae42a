"""Artifacts that are one file: tables, JSON values, pages and figures.

The formats themselves are kedro-datasets'; what is added is that their versions are atomic and have manifests.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kedro.io.core import AbstractDataset, DatasetError
from kedro_datasets._typing import JSONPreview, PlotlyPreview, TablePreview

from medo1.datasets.versions import VersionedArtifact
from medo1.lineage.manifests import Manifest

PREVIEW_CHARACTERS = 300


class Table(VersionedArtifact):
    """A pandas table as Parquet or JSON Lines, by the suffix of `filepath`."""

    def _format(self, path: Path) -> AbstractDataset[Any, Any]:
        from kedro_datasets.pandas import JSONDataset, ParquetDataset

        match self._filepath.suffix:
            case ".parquet":
                return ParquetDataset(filepath=str(path), save_args={"index": False})
            case ".jsonl":
                lines = {"orient": "records", "lines": True}
                return JSONDataset(
                    filepath=str(path),
                    save_args={**lines, "force_ascii": False},
                    load_args={**lines, "dtype": False, "convert_dates": False},
                )
            case suffix:
                raise DatasetError(f"{self._filepath}: a Table is .parquet or .jsonl, not {suffix!r}")

    def _write(self, data: Any, path: Path) -> None:
        import pandas as pd

        if not isinstance(data, pd.DataFrame):
            raise DatasetError(f"{self._filepath} is a table; a {type(data).__name__} cannot be saved to it")
        if self._filepath.suffix == ".jsonl" and data.empty:
            raise DatasetError(f"{self._filepath}: JSON Lines cannot keep the columns of an empty table; use .parquet")
        self._format(path).save(data)

    def _read(self, path: Path) -> Any:
        return self._format(path).load()

    def _rows(self, data: Any) -> int:
        return len(data)

    def preview(self, nrows: int = 5) -> TablePreview:
        """The first rows for kedro-viz, long texts shortened, headed by version and digest."""
        rows = self.load().head(nrows)
        shown = rows.map(lambda value: _shortened(str(value)))
        shown.insert(0, "version", [_identity(self.manifest())] * len(shown))
        return TablePreview(shown.to_dict(orient="split"))


class Json(VersionedArtifact):
    """A JSON value: objects, lists, numbers, texts."""

    def _write(self, data: Any, path: Path) -> None:
        text = json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True, allow_nan=False)
        path.write_text(text + "\n", encoding="utf-8")

    def _read(self, path: Path) -> Any:
        return json.loads(path.read_text(encoding="utf-8"))

    def preview(self) -> JSONPreview:
        """The value for kedro-viz, with its version."""
        return JSONPreview(json.dumps({"version": _identity(self.manifest()), "value": self.load()}))


class Page(VersionedArtifact):
    """A text, such as an HTML page."""

    def _write(self, data: str, path: Path) -> None:
        path.write_text(data, encoding="utf-8")

    def _read(self, path: Path) -> str:
        return path.read_text(encoding="utf-8")

    @property
    def current_path(self) -> str:
        """Where the page that `load` would read lies: what a person opens."""
        version = self.resolve_load_version()
        assert version is not None
        return self._data_path(version)

    def preview(self) -> JSONPreview:
        """Version and place of the page for kedro-viz."""
        return JSONPreview(
            json.dumps({"version": _identity(self.manifest()), "size_bytes": self.manifest().size_bytes})
        )


class Figure(VersionedArtifact):
    """A Plotly figure as JSON, which kedro-viz draws."""

    def _write(self, data: Any, path: Path) -> None:
        # Plotly's own writer keeps the order in which keys were set: the same figure gives the same bytes.
        path.write_text(data.to_json(), encoding="utf-8")

    def _read(self, path: Path) -> Any:
        import plotly.io as pio

        return pio.from_json(path.read_text(encoding="utf-8"))

    def preview(self) -> PlotlyPreview:
        """The figure for kedro-viz."""
        return PlotlyPreview(json.loads(self.load().to_json()))


def _identity(manifest: Manifest) -> str:
    return f"{manifest.version} · sha256 {manifest.digest[:12]}"


def _shortened(text: str) -> str:
    return text if len(text) <= PREVIEW_CHARACTERS else text[: PREVIEW_CHARACTERS - 1] + "…"
