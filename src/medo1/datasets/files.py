"""Artifacts that are one file: tables, JSON values, pages and figures.

They are hashed while they are written. The formats are pandas' and Plotly's own.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from pathlib import Path
from typing import Any

from kedro.io.core import DatasetError
from kedro_datasets._typing import JSONPreview, PlotlyPreview, TablePreview

from medo1.datasets.artifacts import VersionedArtifact
from medo1.lineage.digests import Content, HashingFile
from medo1.lineage.evidence import EVIDENCE_MARK, NO_RUN
from medo1.lineage.manifests import Manifest
from medo1.lineage.page_marks import filled

PREVIEW_CHARACTERS = 120
PREVIEW_COLUMNS = 8
LINES_AT_ONCE = 10_000


class _File(VersionedArtifact):
    """An artifact that is one file, written from front to back."""

    @abstractmethod
    def _put(self, data: Any, file: HashingFile) -> None:
        """Write `data` to an open file."""

    def _write(self, data: Any, path: Path) -> Content:
        with HashingFile(path) as file:
            self._put(data, file)
            return file.content


class Table(_File):
    """A pandas table as Parquet or JSON Lines, by the suffix of `filepath`."""

    def _put(self, data: Any, file: HashingFile) -> None:
        import pandas as pd

        if not isinstance(data, pd.DataFrame):
            raise DatasetError(f"{self._filepath} is a table; a {type(data).__name__} cannot be saved to it")
        if self._is_parquet:
            data.to_parquet(file, index=False)
            return
        if data.empty:
            raise DatasetError(f"{self._filepath}: JSON Lines cannot keep the columns of an empty table; use .parquet")
        for start in range(0, len(data), LINES_AT_ONCE):
            rows = data.iloc[start : start + LINES_AT_ONCE]
            file.write(rows.to_json(orient="records", lines=True, force_ascii=False).encode())

    def _read(self, path: Path) -> Any:
        import pandas as pd

        if self._is_parquet:
            return pd.read_parquet(path)
        return pd.read_json(path, orient="records", lines=True, dtype=False, convert_dates=False)

    @property
    def _is_parquet(self) -> bool:
        if self._filepath.suffix not in (".parquet", ".jsonl"):
            raise DatasetError(f"{self._filepath}: a Table is .parquet or .jsonl, not {self._filepath.suffix!r}")
        return self._filepath.suffix == ".parquet"

    def _rows(self, data: Any) -> int:
        return len(data)

    def preview(self, nrows: int = 5) -> TablePreview:
        """The first rows and columns for kedro-viz, long texts shortened; version and digest stand once."""
        rows = self.load().head(nrows)
        shown = rows[list(rows.columns[:PREVIEW_COLUMNS])].map(lambda value: _shortened(str(value)))
        more = len(rows.columns) - PREVIEW_COLUMNS
        if more > 0:
            shown[f"and {more} more columns"] = ""
        shown.insert(0, "version", [_identity(self.manifest()), *[""] * (len(shown) - 1)][: len(shown)])
        return TablePreview(shown.to_dict(orient="split"))


class Json(_File):
    """A JSON value: objects, lists, numbers, texts."""

    def _put(self, data: Any, file: HashingFile) -> None:
        text = json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True, allow_nan=False)
        file.write(f"{text}\n".encode())

    def _read(self, path: Path) -> Any:
        return json.loads(path.read_text(encoding="utf-8"))

    def preview(self) -> JSONPreview:
        """The value for kedro-viz, with its version."""
        return JSONPreview(json.dumps({"version": _identity(self.manifest()), "value": self.load()}))


class Page(_File):
    """A text, such as an HTML page.

    Where it has `EVIDENCE_MARK`, the digest of all that it was made from is put when it is saved; other marks are
    filled with
    what its run says of itself.
    """

    def _put(self, data: str, file: HashingFile) -> None:
        text = data.replace(EVIDENCE_MARK, self.provenance.evidence or NO_RUN)
        file.write(filled(text, self.provenance.told).encode())

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


class Figure(_File):
    """A Plotly figure as JSON, which kedro-viz draws."""

    def _put(self, data: Any, file: HashingFile) -> None:
        # Plotly's own writer keeps the order in which keys were set: the same figure gives the same bytes.
        file.write(data.to_json().encode())

    def _read(self, path: Path) -> Any:
        import plotly.io as pio

        return pio.from_json(path.read_text(encoding="utf-8"))

    def preview(self) -> PlotlyPreview:
        """The figure for kedro-viz, with its version below."""
        shown = json.loads(self.load().to_json())
        note = {"text": _identity(self.manifest()), "showarrow": False, "font": {"size": 10, "color": "#888"}}
        place = {"xref": "paper", "yref": "paper", "x": 0, "y": -0.18, "xanchor": "left"}
        layout = shown.setdefault("layout", {})
        layout["annotations"] = [*(layout.get("annotations") or []), note | place]
        return PlotlyPreview(shown)


def _identity(manifest: Manifest) -> str:
    run = manifest.run or f"none: made {manifest.maker.get('by', 'by hand')}"
    return f"{manifest.version} · run {run} · sha256 {manifest.digest[:12]}"


def _shortened(text: str) -> str:
    return text if len(text) <= PREVIEW_CHARACTERS else text[: PREVIEW_CHARACTERS - 1] + "…"
