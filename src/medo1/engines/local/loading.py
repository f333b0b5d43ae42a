"""A model in memory: weights, tokenizer, and the adapters that it can answer as.

Adapters (`adapters.py`) never mix: the model answers as one of them at a time, and an adapter is
known by the digest of its files, not by its name, so that two with one name are two.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from medo1.engines.base import Adapter, EngineError, Model
from medo1.engines.generation_config import SettingsCompared
from medo1.engines.local.adapters import LoadedAdapters
from medo1.engines.local.kv_cache import ATTENTION, FULL, SLIDING
from medo1.engines.rendering import ChatPrompts
from medo1.progress_bars import silence_library_bars

GUIDE = (
    "Give a directory with config.json, safetensors and a tokenizer, or a hub id that is in the cache or can be "
    "downloaded."
)


class Loaded(ChatPrompts):
    """A causal language model ready to answer.

    Args:
        model: which one.
        dtype: name of a torch dtype.
        device: `cpu`, `cuda`, `cuda:1`; None takes a GPU where there is one.

    Raises:
        EngineError: when it cannot be loaded, or is none that rows can be decoded with.
    """

    def __init__(self, model: Model, dtype: str, device: str | None = None) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        silence_library_bars()
        self.name = model.name
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.dtype: torch.dtype = getattr(torch, dtype)
        source, revision = str(model.path or model.name), None if model.path else model.revision
        try:
            tokenizer = AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=False)
            self.model: Any = AutoModelForCausalLM.from_pretrained(
                source, revision=revision, trust_remote_code=False, use_safetensors=True, dtype=self.dtype
            )
        except (OSError, ValueError) as error:
            raise EngineError(f"The model {source} cannot be loaded: {error}. {GUIDE}") from error
        if not getattr(tokenizer, "chat_template", None):
            raise EngineError(
                f"The model {source} has no chat template, and requests are conversations. Put a chat_template.jinja "
                "into its directory, or take the model that was tuned for conversations (named -Instruct or -Chat)."
            )
        super().__init__(tokenizer)
        self.model.to(self.device).eval().requires_grad_(False)
        self.config: Any = self.model.config.get_text_config()
        self.windows = _windows(self.config, self.name)
        _tell_windows(self.model, self.config, self.windows)
        self.model.set_attn_implementation(ATTENTION)
        self.context = int(getattr(self.config, "max_position_embeddings", None) or 1 << 30)
        self.end_tokens = _end_tokens(self.model, self.tokenizer, self.name)
        self.pad_token = _first(self.tokenizer.pad_token_id, *sorted(self.end_tokens))
        ends = self.tokenizer.convert_ids_to_tokens(sorted(self.end_tokens))
        self.settings = SettingsCompared(model)
        self._adapters = LoadedAdapters(self.model, self.dtype, self.name, ends)

    @property
    def weights(self) -> int:
        """How many weights the model has."""
        return sum(int(parameter.numel()) for parameter in self.model.parameters())

    @contextmanager
    def own_attention(self) -> Iterator[None]:
        """While this lasts the model computes attention by its own code, all that belongs to it included."""
        self.model.set_attn_implementation("eager")
        try:
            yield
        finally:
            self.model.set_attn_implementation(ATTENTION)

    # Adapters

    @contextmanager
    def answering_as(self, adapter: Adapter | None) -> Iterator[None]:
        """While this lasts the model answers as `adapter`, or as its base.

        Raises:
            EngineError: when the adapter is not there, or does not belong to this model.
        """
        with self._adapters.active(adapter):
            yield


def _windows(config: Any, name: str) -> dict[str, int | None]:
    """Each kind of layer with its sliding window; None for full attention."""
    kinds = list(dict.fromkeys(getattr(config, "layer_types", None) or [FULL]))
    window = getattr(config, "sliding_window", None)
    if other := [kind for kind in kinds if kind not in (FULL, SLIDING)]:
        raise EngineError(
            f"The transformers engine decodes models with full or sliding attention; {name} has layers of kind "
            f"{', '.join(other)}. Serve it with the vllm engine."
        )
    if not getattr(config, "layer_types", None) and window is not None and getattr(config, "use_sliding_window", True):
        return {SLIDING: int(window)}
    return {kind: int(window) if kind == SLIDING and window is not None else None for kind in kinds}


def _tell_windows(model: Any, config: Any, windows: dict[str, int | None]) -> None:
    """Note at each layer's attention the window that the masks have for it, so that the two can be compared."""
    kinds = getattr(config, "layer_types", None)
    only = next(iter(windows.values()))
    for module in model.modules():
        layer = getattr(module, "layer_idx", None)
        if isinstance(layer, int):
            module.masked_window = windows[kinds[layer]] if kinds else only


def _end_tokens(model: Any, tokenizer: Any, name: str) -> frozenset[int]:
    """The tokens that end an answer: the tokenizer's, and those that the model's files name for generation."""
    named = getattr(model.generation_config, "eos_token_id", None)
    named = named if isinstance(named, list) else [named]
    found = frozenset(token for token in (tokenizer.eos_token_id, *named) if token is not None)
    if not found:
        raise EngineError(f"The model {name} names no token that ends an answer: set eos_token in its tokenizer files.")
    return found


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)
