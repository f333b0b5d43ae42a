"""Questions from a data set on the Hugging Face hub, or one that `datasets` saved to disk.

The rows go through the same forms as a file's. `datasets` runs no code of a data set's repository (since its version 4
it cannot), and a revision can be pinned. Needs network for a hub id; a directory that was saved needs none.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medo1.questions.benchmark_reading import BenchmarkReading, log_reading, read_part
from medo1.questions.question_errors import QuestionsError
from medo1.questions.readers.form import FileHints
from medo1.questions.readers.mapping import ColumnMapping, as_mapping
from medo1.questions.record_files import FilePart, named_classes, rows_of


def read_hub(
    dataset: str,
    form: str | None = None,
    *,
    name: str | None = None,
    split: str | None = None,
    revision: str | None = None,
    benchmark: str | None = None,
    mapping: ColumnMapping | Mapping[str, Any] | None = None,
    hints: FileHints = FileHints(),  # noqa: B008  (frozen)
    ordered: bool = False,
) -> list[BenchmarkReading]:
    """The questions of a data set, one reading for each of its splits.

    Args:
        dataset: a hub id such as `GBaker/MedQA-USMLE-4-options`, or a directory that `save_to_disk` wrote.
        form: the name of its form; None to recognise it.
        name: the data set's configuration, where it has several.
        split: the split to read, under the data set's own name; None for all.
        revision: a commit or tag of the data set's repository; pin it where results are to be repeated.
        benchmark, mapping, hints, ordered: as in `medo1.questions.read_benchmark`.

    Raises:
        QuestionsError: when it cannot be loaded, has no such split, or its rows cannot be read.
    """
    splits = _loaded(dataset, name, revision)
    if split is not None:
        if split not in splits:
            raise QuestionsError(f"{dataset}: there is no split {split!r}; it has {', '.join(splits)}")
        splits = {split: splits[split]}
    readings = []
    for own, records in splits.items():
        part = FilePart(f"{dataset}/{own}", (Path(dataset).name, own), list(rows_of(records)))
        reading = read_part(
            part,
            form,
            benchmark=benchmark,
            split=_known(own),
            mapping=None if mapping is None else as_mapping(mapping),
            hints=hints,
            ordered=ordered,
        )
        log_reading(reading)
        readings.append(reading)
    return readings


def _known(split: str) -> str | None:
    """The data set's name of a split where it is one that medo1 knows."""
    lower = split.lower()
    return lower if lower in ("train", "training", "dev", "valid", "validation", "val", "test") else None


def _loaded(dataset: str, name: str | None, revision: str | None) -> dict[str, list[dict[str, Any]]]:
    """Split to records."""
    import datasets

    try:
        if Path(dataset).is_dir() and not any(Path(dataset).glob("*.parquet")):
            loaded = datasets.load_from_disk(dataset)
        else:
            loaded = datasets.load_dataset(dataset, name, revision=revision)
    except Exception as error:  # every library below has errors of its own
        where = "the directory" if Path(dataset).exists() else "the hub id (is there network?)"
        said = (str(error).splitlines() or [""])[0]
        raise QuestionsError(f"{dataset}: {where} cannot be loaded: {type(error).__name__}: {said}") from error
    if isinstance(loaded, datasets.Dataset):
        loaded = {str(loaded.split) if loaded.split is not None else "test": loaded}
    return {str(own): named_classes(part.to_list(), _classes(part)) for own, part in loaded.items()}


def _classes(part: Any) -> dict[str, list[str]]:
    """The names behind numbers that a data set keeps: column to names."""
    return {column: list(feature.names) for column, feature in part.features.items() if hasattr(feature, "names")}
