"""A few numbers of a model's embedding, by which an adapter knows the base that it was trained on.

An adapter of another base with modules of the same shapes loads without a word and answers nonsense. A digest of all
files would not do: a copy in another type, a quantised one, or one with another chat template is the same base. The
embedding is in each of them, and is hardly ever quantised.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from medo1.engines.base import SERVED_WITH, Adapter, EngineError, Model

KEY = "base"  # of the adapter's record
EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight", "tok_embeddings.weight")
ROWS, EVERY, COLUMNS = 256, 8, 4  # of the first 256 rows every eighth, and of that the first four numbers
ALIKE = 0.9  # cosine of two marks of which one was converted


def mark_of(model: Model) -> dict[str, Any] | None:
    """The mark of a model's files: `dtype`, and `numbers` in one text; None where no such tensor is here."""
    folder = _folder(model)
    return None if folder is None else _mark(folder)


def refuse_other_base(adapter: Adapter, model: Model | None) -> None:
    """An adapter answers only with the base that it was trained on.

    Where one of the two has no mark (an adapter made elsewhere, a model whose files are not here), nothing is said.

    Raises:
        EngineError: the marks differ; where both are of one type in any number, otherwise by their direction.
    """
    trained = _recorded(adapter)
    if trained is None or model is None or (here := mark_of(model)) is None or _same(trained, here):
        return
    raise EngineError(
        f"The adapter {adapter.name} was trained on another base model than {model.name}: their weights differ. Name "
        "the model that it was trained on (--load-versions), or train it anew (kedro run --pipelines=finetune). If "
        f"they are meant to differ, take `{KEY}` out of {SERVED_WITH} in a copy of the adapter."
    )


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    if one["dtype"] == other["dtype"]:
        return bool(one["numbers"] == other["numbers"])
    a, b = ([float(word) for word in each["numbers"].split()] for each in (one, other))
    if len(a) != len(b):
        return False
    dot, squares = sum(x * y for x, y in zip(a, b, strict=True)), sum(x * x for x in a) * sum(y * y for y in b)
    return squares == 0 or dot / squares**0.5 >= ALIKE


def _recorded(adapter: Adapter) -> dict[str, Any] | None:
    file = Path(adapter.path) / SERVED_WITH
    try:
        found = json.loads(file.read_text(encoding="utf-8")).get(KEY)
    except (OSError, ValueError, AttributeError):
        return None  # whoever reads the record for what it needs says that it is damaged
    fits = isinstance(found, dict) and isinstance(found.get("numbers"), str) and isinstance(found.get("dtype"), str)
    return found if fits else None


def _folder(model: Model) -> Path | None:
    if model.path is not None:
        return model.path
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model.name, revision=model.revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError):
        return None


def _mark(folder: Path) -> dict[str, Any] | None:
    from safetensors import SafetensorError, safe_open

    for file in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(file, framework="pt") as tensors:
                named = [name for name in tensors.keys() if name.endswith(EMBEDDINGS)]  # noqa: SIM118 (no mapping)
                if not named:
                    continue
                part = tensors.get_slice(min(named, key=len))
                rows = min(ROWS, part.get_shape()[0])
                numbers = part[:rows, :COLUMNS][::EVERY].float().flatten().tolist()
                return {"dtype": str(part.get_dtype()), "numbers": " ".join(f"{one:.9g}" for one in numbers)}
        except (OSError, SafetensorError):
            continue  # the engine that loads the file says what is wrong with it
    return None
