"""What is adopted as weights loads as weights: a wrong folder, an empty one and a cut file are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from kedro.io.core import DatasetError
from safetensors.numpy import save_file

from medo1.datasets import AdapterDirectory


def nested(folder: Path) -> None:
    inner = folder / "adapter"
    inner.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (folder / name).rename(inner / name)


def cut(folder: Path) -> None:
    file = folder / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-8])


def no_weights(folder: Path) -> None:
    (folder / "adapter_model.safetensors").unlink()


def empty(folder: Path) -> None:
    save_file({}, folder / "adapter_model.safetensors")


def pickled(folder: Path) -> None:
    (folder / "adapter_model.bin").write_bytes(b"\x80")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "made"
    place.mkdir()
    (place / "adapter_config.json").write_text("{}", encoding="utf-8")
    save_file({"lora_A": np.ones((2, 2), dtype=np.float32)}, place / "adapter_model.safetensors")
    return place


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (nested, r"holds no adapter_config\.json; it lies in .*made/adapter: name that directory"),
        (cut, "cannot be read as safetensors"),
        (no_weights, "holds no safetensors"),
        (empty, "holds no tensor"),
        (pickled, "pickled weights can run code"),
    ],
)
def test_weights_that_would_not_load_are_refused(folder: Path, spoil: Callable[[Path], None], told: str) -> None:
    dataset = AdapterDirectory(filepath=str(folder.parent / "kept"))
    assert dataset.adopted_value(folder) == folder
    spoil(folder)
    with pytest.raises(DatasetError, match=told):
        dataset.adopted_value(folder)
