"""Artifacts that are a directory: models and adapters as safetensors, and folders of files."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, ClassVar

from kedro.io.core import DatasetError
from kedro_datasets._typing import JSONPreview

from medo1.datasets.artifacts import VersionedArtifact
from medo1.engines.base import SERVED_WITH, Adapter, Model

# What can run code when it is loaded. medo1 neither writes nor reads it.
UNSAFE_SUFFIXES = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib"}


class Directory(VersionedArtifact):
    """A directory of files. Saving a path takes the directory over (it is moved); loading gives the version's path."""

    def _write(self, data: Path | str, path: Path) -> None:
        source = Path(data)
        if not source.is_dir():
            raise DatasetError(f"{self._filepath} holds a directory; {source} is none")
        shutil.move(source, path)
        _open_to_the_group(path)

    def _read(self, path: Path) -> Any:
        return path

    def preview(self) -> JSONPreview:
        """Version, digest and files for kedro-viz."""
        manifest = self.manifest()
        root = Path(self._data_path(manifest.version))
        files = {
            file.relative_to(root).as_posix(): file.stat().st_size for file in sorted(root.rglob("*")) if file.is_file()
        }
        told = {"version": manifest.version, "run": manifest.run, "node": manifest.node, "digest": manifest.digest}
        return JSONPreview(json.dumps({**told, "files": files}))


class _Weights(Directory):
    """A directory of safetensors; anything that could run code is refused on the way in and out."""

    NEEDED: ClassVar[str]  # what lies beside the weights and says what they are

    def _write(self, data: Path | str, path: Path) -> None:
        _refuse_unsafe_files(Path(data))
        super()._write(data, path)

    def adopted_value(self, path: Path) -> Path:
        _refuse_unsafe_files(path)
        _refuse_unreadable_weights(path, self.NEEDED)
        return path


class ModelDirectory(_Weights):
    """A base model: `config.json`, safetensors and tokenizer. Loads as an `engines.Model`."""

    NEEDED = "config.json"

    def _read(self, path: Path) -> Model:
        _refuse_unsafe_files(path)
        digest = self.manifest().digest
        return Model(name=path.name, path=path, revision=digest)


class AdapterDirectory(_Weights):
    """A LoRA adapter as PEFT writes it. Loads as an `engines.Adapter`, named after its digest."""

    NEEDED = "adapter_config.json"

    def _read(self, path: Path) -> Adapter:
        _refuse_unsafe_files(path)
        manifest = self.manifest()
        name = manifest.dataset.partition(".")[0] or path.parent.parent.name
        return Adapter(f"{name}-{manifest.digest[:8]}", path, manifest.digest, _template_arguments(path))


def _template_arguments(path: Path) -> str:
    """The chat template's arguments that an adapter was trained with, from its own record; none without one."""
    file = path / SERVED_WITH
    told = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return json.dumps(told.get("chat_template_kwargs") or {}, sort_keys=True)


def _open_to_the_group(directory: Path) -> None:
    """Give what was made in a private temporary directory the rights that a new file has here (umask)."""
    mask = os.umask(0)
    os.umask(mask)
    directory.chmod(0o777 & ~mask)
    for path in directory.rglob("*"):
        if not path.is_symlink():
            path.chmod((0o777 if path.is_dir() else 0o666) & ~mask)


def _refuse_unreadable_weights(directory: Path, needed: str) -> None:
    """Refuse what does not load: the wrong directory, one without weights, a file that was cut."""
    from safetensors import SafetensorError, safe_open

    if not (directory / needed).is_file():
        deeper = sorted(file.parent for file in directory.rglob(needed))
        hint = f"; it lies in {deeper[0]}: name that directory" if deeper else ""
        raise DatasetError(f"{directory} holds no {needed}{hint}")
    files = sorted(directory.glob("*.safetensors"))
    if not files:
        raise DatasetError(f"{directory} holds no safetensors beside its {needed}")
    for file in files:
        try:
            with safe_open(file, framework="numpy") as weights:
                names = list(weights.keys())
        except (SafetensorError, OSError) as error:
            raise DatasetError(f"{file} cannot be read as safetensors ({error}): fetch it again") from error
        if not names:
            raise DatasetError(f"{file} holds no tensor")


def _refuse_unsafe_files(directory: Path) -> None:
    unsafe = sorted(file.name for file in directory.rglob("*") if file.suffix in UNSAFE_SUFFIXES)
    if unsafe:
        raise DatasetError(
            f"{directory} holds {', '.join(unsafe)}: pickled weights can run code and are refused. "
            "Convert them to safetensors first."
        )
