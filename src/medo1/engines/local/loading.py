"""A model in memory: weights, tokenizer, and the adapters that it can answer as.

Adapters (`adapters.py`) never mix: the model answers as one of them at a time, and an adapter is
known by the digest of its files, not by its name, so that two with one name are two.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from medo1.engines.base import Adapter, EngineError, Message, Model
from medo1.engines.generation_config import SettingsCompared
from medo1.engines.local.adapters import LoadedAdapters
from medo1.engines.local.kv_cache import ATTENTION, FULL, SLIDING
from medo1.engines.rendering import ChatPrompts
from medo1.progress_bars import silence_library_bars

logger = logging.getLogger(__name__)

GUIDE = (
    "Give a directory with config.json, safetensors and a tokenizer, whole and of one model, or a hub id that is in "
    "the cache or can be downloaded."
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
            self.model, told = AutoModelForCausalLM.from_pretrained(
                source, revision=revision, trust_remote_code=False, use_safetensors=True, dtype=self.dtype,
                output_loading_info=True,
            )  # fmt: skip
        except (MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:  # each of the libraries that read these files has errors of its own
            todo = "Install that, or serve it with the vllm engine." if isinstance(error, ImportError) else GUIDE
            reason = " ".join(str(error).split())[:400].rstrip(".")
            raise EngineError(
                f"The model {source} cannot be loaded: {type(error).__name__}: {reason}. {todo}"
            ) from error
        _refuse_random_weights(source, told)
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
        self.context = _context(self.config, self.name)
        self.embedded = int(self.model.get_input_embeddings().weight.shape[0])
        self.end_tokens = _end_tokens(self.model, self.tokenizer, self.name, self.embedded)
        self.pad_token = _first(
            *(
                token
                for token in (self.tokenizer.pad_token_id, *sorted(self.end_tokens))
                if token in range(self.embedded)
            )
        )
        self._refuse_an_unfit_tokenizer(source)
        ends = self.tokenizer.convert_ids_to_tokens(sorted(self.end_tokens))
        self.settings = SettingsCompared(model)
        self._adapters = LoadedAdapters(self.model, self.dtype, model, ends)

    @property
    def weights(self) -> int:
        """How many weights the model has."""
        return sum(int(parameter.numel()) for parameter in self.model.parameters())

    def beyond(self, prompt: Sequence[int]) -> str | None:
        """What is wrong with a prompt that has tokens which the model does not know; None for nothing."""
        unknown = next((token for token in prompt if token >= self.embedded), None)
        if unknown is None:
            return None
        name = self.tokenizer.convert_ids_to_tokens(unknown)
        return (
            f"the tokenizer makes {name!r} token {unknown}, and the model knows {self.embedded} tokens: take the "
            "tokenizer that it was trained with, or resize its embedding and train it"
        )

    def _refuse_an_unfit_tokenizer(self, source: str) -> None:
        """Render a conversation of one word.

        Raises:
            EngineError: it comes to no tokens, or to some that the model does not know.
        """
        from jinja2 import TemplateError

        try:
            [tokens] = self.token_ids([self.prompt_text((Message("user", "fever"),))[0]])
        except (TemplateError, ValueError):
            return  # a template that wants more than that says so for each conversation
        if not tokens:
            raise EngineError(
                f"The tokenizer of the model {source} makes no tokens of a text: its files are missing or empty. Put "
                "the model's tokenizer.json and tokenizer_config.json into the directory."
            )
        if (wrong := self.beyond(tokens)) is not None:
            raise EngineError(f"The tokenizer of the model {source} does not fit it: {wrong}.")

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


def _refuse_random_weights(source: str, told: Mapping[str, Any]) -> None:
    """What the model's files lack is drawn at random while it is loaded.

    Raises:
        EngineError: naming a tensor.
    """
    if missing := sorted(told.get("missing_keys") or ()):
        raise EngineError(
            f"The files of the model {source} lack {len(missing)} tensors that its config.json asks for, such as "
            f"{missing[0]}: these would be random. Copy all of its files again; a model that was saved in part, or "
            "under other names, cannot answer."
        )
    if surplus := sorted(told.get("unexpected_keys") or ()):
        logger.warning(
            "%s: %d tensors of its files have no place in the model that its config.json describes, such as %s; they "
            "are left out",
            *(source, len(surplus), surplus[0]),
        )


def _context(config: Any, name: str) -> int:
    """How many tokens prompt and answer may have together.

    With LongRoPE a sequence beyond the length of pretraining turns all of its positions otherwise, and transformers
    decides that for a whole batch by its longest row: answers would depend on their neighbours.
    """
    most = int(getattr(config, "max_position_embeddings", None) or 1 << 30)
    found = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    for one in (found, *(value for value in found.values() if isinstance(value, dict))):
        if one.get("rope_type", one.get("type")) in ("longrope", "su"):
            known = int(one.get("original_max_position_embeddings") or config.original_max_position_embeddings or most)
            if known < most:
                logger.warning(
                    "%s: prompt and answer may have %s tokens together here, and not %s: beyond that LongRoPE changes "
                    "with the longest row of a batch. Serve it with the vllm engine for more.",
                    *(name, f"{known:,}", f"{most:,}"),
                )
                return known
    return most


def _end_tokens(model: Any, tokenizer: Any, name: str, known: int) -> frozenset[int]:
    """The tokens that end an answer: the tokenizer's, and those that the model's files name for generation.

    Args:
        known: how many tokens the model knows; an end among others would never come.
    """
    named = getattr(model.generation_config, "eos_token_id", None)
    named = named if isinstance(named, list) else [named]
    found = frozenset(token for token in (tokenizer.eos_token_id, *named) if token is not None)
    if not found:
        raise EngineError(f"The model {name} names no token that ends an answer: set eos_token in its tokenizer files.")
    if min(found) >= known:
        raise EngineError(
            f"The model {name} ends answers with token {min(found)} "
            f"({tokenizer.convert_ids_to_tokens(min(found))!r}), and knows {known} tokens: no answer would end. Take "
            "the tokenizer that it was trained with."
        )
    return found


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)
