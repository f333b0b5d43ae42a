"""What a model is, so that one model's answer is never taken for another's: a hub id and a commit, or the digest of a
directory's files. A model that cannot be identified is an error.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from medo1.engines.base import EngineError, Model
from medo1.lineage.digests import digest_of_text
from medo1.lineage.known_digests import KNOWN

DIGEST = re.compile(r"[0-9a-f]{64}")
COMMIT = re.compile(r"[0-9a-f]{40}")
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
HUB_WAIT_S = 10.0


def named_model(name: str | None, revision: str | None = None) -> Model | None:
    """The model that an engine's options name: a directory, or a hub id with its commit.

    Raises:
        EngineError: for a path where there is no directory, or a revision of a directory.
    """
    if name is None:
        if revision is not None:
            raise EngineError(f"`revision` is {revision!r} and no `model` is named: name the model that it belongs to")
        return None
    path = Path(name).expanduser()
    if path.is_dir():
        if revision is not None:
            raise EngineError(
                f"`revision` is {revision!r}, but the model {name} is a directory, which is known by the digest of its "
                "files: leave `revision` out"
            )
        return Model(name, path)
    if name.startswith((".", "/", "~")) or not HUB_ID.fullmatch(name):
        raise EngineError(
            f"There is no model directory {name}. Give the path of a directory with config.json and safetensors, or a "
            "hub id such as Qwen/Qwen2.5-7B-Instruct."
        )
    return Model(name, None, revision)


def pinned(model: Model) -> Model:
    """The model with a revision that identifies it: the digest of a directory's files, the commit of a hub id.

    A directory's files are hashed once and again only when they changed (see `lineage.known_digests`).

    Raises:
        EngineError: it cannot be identified.
    """
    if model.path is None:
        return model if model.revision and COMMIT.fullmatch(model.revision) else replace(model, revision=_commit(model))
    if model.revision is not None and DIGEST.fullmatch(model.revision):  # a dataset has checked it
        return model
    try:
        content = KNOWN.of_tree(model.path)
    except OSError as error:
        raise EngineError(f"The model {model.path} cannot be loaded: it cannot be identified ({error}).") from error
    if not model.path.is_dir() or content.size_bytes == 0:
        raise EngineError(
            f"The model {model.path} cannot be loaded: it cannot be identified, for it holds no files. Give a "
            "directory with config.json, safetensors and a tokenizer."
        )
    return replace(model, revision=content.digest)


def model_identity(model: Model | None) -> dict[str, Any]:
    """What an engine's identity says of its model: `model` and `revision`; both None before there is a model. A
    directory goes by its digest, wherever it lies.

    Raises:
        EngineError: it cannot be identified.
    """
    if model is None:
        return {"model": None, "revision": None}
    known = pinned(model)
    return {"model": known.revision if known.path is not None else known.name, "revision": known.revision}


def _commit(model: Model) -> str:
    """The commit that a hub id stands for now: by the hub, where it cannot be asked by the local cache; where neither
    knows, the revision as it is named."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.file_download import repo_folder_name

    try:
        commit = HfApi().model_info(model.name, revision=model.revision, timeout=HUB_WAIT_S).sha
    except Exception as error:  # no network, no such model, not allowed: the cache may still know it
        commit, reason = None, " ".join(str(error).split())[:200]
    else:
        reason = "the hub names no commit"
    if commit:
        return commit
    folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=model.name, repo_type="model")
    reference = folder / "refs" / (model.revision or "main")
    if reference.is_file():
        return reference.read_text(encoding="utf-8").strip()
    if model.revision:  # whoever serves it knows it by this name
        return model.revision
    raise EngineError(
        f"The model {model.name} cannot be identified: its commit is not known ({reason}). Name the commit as "
        "`revision` (40 hex digits, on the model's page at the hub), or give a directory with its files."
    )


def without_texts(value: Any) -> Any:
    """A JSON value with each text replaced by its digest: it tells values apart and holds no secret."""
    if isinstance(value, str):
        return f"sha256:{digest_of_text(value)}"
    if isinstance(value, dict):
        return {str(name): without_texts(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [without_texts(part) for part in value]
    return value
