"""External inputs, which no run makes: benchmark files, prompt files, base models, caches.

None of it is versioned by medo1; each has a digest, so that lineage records which content was used.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from kedro.io.core import AbstractDataset, DatasetError
from kedro_datasets._typing import JSONPreview

from medo1.engines.base import Model
from medo1.lineage.digests import digest_of_file, digest_of_text
from medo1.lineage.known_digests import KNOWN
from medo1.lineage.outside_files import PROMPTS, prompt_folder_digest, prompt_text


class _External(AbstractDataset[Any, Any]):
    """A local path that is read, never written."""

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(filepath)
        self.metadata = metadata

    def save(self, data: Any) -> NoReturn:
        raise DatasetError(f"{self._path} comes from outside and is never written by a run")

    def digest(self) -> str:
        """SHA-256 of the content, for lineage. Large files are hashed again only when they changed."""
        return KNOWN.of_tree(self._path).digest

    @property
    def location(self) -> str:
        """Where it lies."""
        return str(self._path)

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}


class Prompt(_External):
    """One prompt file. Loads as its text, without the line end that editors add."""

    def load(self) -> str:
        if not self._path.is_file():
            raise DatasetError(f"There is no prompt file {self._path}. Write it, or name another in the catalog.")
        text = prompt_text(self._path)
        if not text:
            raise DatasetError(f"The prompt file {self._path} is empty.")
        return text

    def digest(self) -> str:
        return digest_of_text(self.load())

    def preview(self) -> JSONPreview:
        """The prompt's text for kedro-viz."""
        return JSONPreview(json.dumps({"digest": self.digest(), "text": self.load()}))


class PromptFolder(_External):
    """A folder of prompt files (`*.md`). Loads as a mapping from file name without suffix to text."""

    def digest(self) -> str:
        return prompt_folder_digest(self._path)

    def load(self) -> dict[str, str]:
        files = sorted(self._path.glob(PROMPTS))
        if not files:
            raise DatasetError(f"There is no prompt file (*.md) in {self._path}. Write one, or name another folder.")
        return {file.stem: Prompt(filepath=str(file)).load() for file in files}

    def preview(self) -> JSONPreview:
        """The prompts for kedro-viz."""
        return JSONPreview(json.dumps({"digest": self.digest(), "prompts": self.load()}))


class FileFolder(_External):
    """A folder of files in whatever form people have them. Loads as its path."""

    def load(self) -> Path:
        if not self._path.is_dir():
            raise DatasetError(
                f"There is no folder {self._path}. Put the files there, or name the folder that they are in: `--params "
                "benchmarks_dir=DIR` in medo1's own environments, `filepath` in a catalog entry of your own. "
                "docs/bring_real_data.md says which files and where people get them."
            )
        return self._path

    def preview(self) -> JSONPreview:
        """The files and their digests for kedro-viz."""
        files = {file.name: digest_of_file(file)[:12] for file in sorted(self._path.glob("*")) if file.is_file()}
        return JSONPreview(json.dumps({"folder": self._path.name, "files": files}))


class HubModel(AbstractDataset[Any, Model]):
    """A base model by its name on the Hugging Face hub, or by a local directory. Loads as an `engines.Model`.

    Nothing is downloaded here: the engine or the trainer that uses the model does that, from the hub's cache when
    there is no network.

    Args:
        name: hub id such as `Qwen/Qwen2.5-72B-Instruct`, or a path to a model directory.
        revision: commit of the hub's repository; pin it, so that the weights cannot change under a study.
    """

    def __init__(self, *, name: str, revision: str | None = None, metadata: dict[str, Any] | None = None) -> None:
        self._name = name
        self._revision = revision
        self.metadata = metadata

    @property
    def name(self) -> str:
        """Hub id, or path of a local directory."""
        return self._name

    def load(self) -> Model:
        path = Path(self._name)
        if path.is_dir():
            return Model(name=path.name, path=path, revision=KNOWN.of_tree(path).digest)
        if self._name.startswith((".", "/", "~")):
            raise DatasetError(
                f"There is no model directory {self._name}. Give the path of a directory with config.json and "
                "safetensors, or a hub id such as Qwen/Qwen2.5-7B-Instruct."
            )
        return Model(name=self._name, path=None, revision=self._revision)

    def save(self, data: Any) -> NoReturn:
        raise DatasetError(f"{self._name} comes from outside and is never written by a run")

    def digest(self) -> str:
        """Identity for lineage: the digest of a local directory, else name and revision."""
        model = self.load()
        return model.revision if model.path and model.revision else f"{self._name}@{self._revision or 'unpinned'}"

    @property
    def location(self) -> str:
        """The path, or the hub's name."""
        return self._name

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"name": self._name, "revision": self._revision}

    def preview(self) -> JSONPreview:
        """Name and revision for kedro-viz."""
        return JSONPreview(json.dumps(self._describe()))
