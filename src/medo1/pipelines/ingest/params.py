"""Parameters of ingest."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from medo1.parameters import Parameters


class BenchmarkFile(Parameters):
    """One file of questions."""

    benchmark: str = Field(description="name of the benchmark in tables and on the page")
    file: str = Field(description="file name below the benchmark folder")
    split: Literal["train", "dev", "test"] = Field(description="what its questions are for")
    form: str | None = Field(default=None, description="form of the file; None recognises it from the content")


class IngestParams(Parameters):
    """What is read, from the folder that the catalog calls `benchmark_files`."""

    files: tuple[BenchmarkFile, ...] = Field(min_length=1)
