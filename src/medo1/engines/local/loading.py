"""A model in memory: weights, tokenizer, and the adapters that it can answer as.

Adapters never mix: the model answers as one of them at a time, and an adapter is
known by the digest of its files, not by its name, so that two with one name are two.

In fp32 an adapter is added to the weights that it changes, in tensors of their own; going back to the base puts the
untouched tensors back, bit for bit. In lower precision the sum would be rounded, and adapters that are more than a sum
of matrices (DoRA, trained embeddings) cannot be added at all: these are computed beside the weights by PEFT.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from medo1.engines.base import Adapter, EngineError, Message, Model
from medo1.engines.local.kv_cache import ATTENTION, FULL, SLIDING
from medo1.progress_bars import silence_library_bars

GUIDE = (
    "Give a directory with config.json, safetensors and a tokenizer, or a hub id that is in the cache or can be "
    "downloaded."
)


class Loaded:
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
            self.tokenizer: Any = AutoTokenizer.from_pretrained(source, revision=revision, trust_remote_code=False)
            self.model: Any = AutoModelForCausalLM.from_pretrained(
                source, revision=revision, trust_remote_code=False, use_safetensors=True, dtype=self.dtype
            )
        except (OSError, ValueError) as error:
            raise EngineError(f"The model {source} cannot be loaded: {error}. {GUIDE}") from error
        if not getattr(self.tokenizer, "chat_template", None):
            raise EngineError(
                f"The model {source} has no chat template, and requests are conversations. Put a chat_template.jinja "
                "into its directory, or take the model that was tuned for conversations (named -Instruct or -Chat)."
            )
        self.model.to(self.device).eval().requires_grad_(False)
        self.config: Any = self.model.config.get_text_config()
        self.windows = _windows(self.config, self.name)
        self.model.set_attn_implementation(ATTENTION)
        self.context = int(getattr(self.config, "max_position_embeddings", None) or 1 << 30)
        self.end_tokens = _end_tokens(self.model, self.tokenizer, self.name)
        self.pad_token = _first(self.tokenizer.pad_token_id, *sorted(self.end_tokens))
        self._adapters = _Adapters(self.model, self.dtype, self.name)

    @property
    def weights(self) -> int:
        """How many weights the model has."""
        return sum(int(parameter.numel()) for parameter in self.model.parameters())

    # Prompts and texts

    def prompt_text(
        self, messages: Sequence[Message], template_arguments: Mapping[str, Any] | None = None
    ) -> tuple[str, str]:
        """A conversation as the chat template renders it up to the answer, and what of the answer is given.

        A last turn by the assistant is continued: its text follows what the template puts before an answer. (Templates
        may trim or rewrite an assistant's turn; a continued one must stay as it is.)
        """
        given = messages[-1].role == "assistant"
        turns = [{"role": message.role, "content": message.content} for message in messages]
        text = self.tokenizer.apply_chat_template(
            turns[:-1] if given else turns, tokenize=False, add_generation_prompt=True, **(template_arguments or {})
        )
        return str(text), messages[-1].content if given else ""

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of texts, without any that the tokenizer would add."""
        return [list(ids) for ids in self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]]

    def text(self, tokens: Sequence[int]) -> str:
        """Tokens as text, special ones left out."""
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def texts(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """Several rows of tokens as texts."""
        return list(self.tokenizer.batch_decode(rows, skip_special_tokens=True, clean_up_tokenization_spaces=False))

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


class _Adapters:
    """What a model can answer as, and what it answers as now."""

    def __init__(self, model: Any, dtype: torch.dtype, name: str) -> None:
        self._model = model
        self._name = name
        self._exact = dtype == torch.float32
        self._added: tuple[str, dict[nn.Module, tuple[nn.Parameter, nn.Parameter]]] | None = None
        self._beside: Any = None  # the PEFT model, from the first adapter that is computed beside the weights
        self._loaded: set[str] = set()

    @contextmanager
    def active(self, adapter: Adapter | None) -> Iterator[None]:
        if adapter is None:
            if self._beside is None:
                yield
                return
            with self._beside.disable_adapter():
                yield
            return
        _check(adapter)
        if self._exact and self._beside is None and (added := self._weights(adapter)) is not None:
            for module, (_, changed) in added.items():
                module.weight = changed
            try:
                yield
            finally:
                for module, (base, _) in added.items():
                    module.weight = base
            return
        self._load_beside(adapter)
        self._beside.set_adapter(adapter.digest)
        yield

    def _weights(self, adapter: Adapter) -> dict[nn.Module, tuple[nn.Parameter, nn.Parameter]] | None:
        """Each module that the adapter changes, with its weight before and after; None where it is more than a sum.

        Parameters are replaced, not written to: an output layer that shares its weight with the embedding would
        otherwise change both.
        """
        from peft.tuners.lora import LoraLayer

        if self._added is not None and self._added[0] == adapter.digest:
            return self._added[1]
        self._added = None
        peft_model = self._from_files(adapter)
        try:
            layers = [module for module in peft_model.modules() if isinstance(module, LoraLayer)]
            tuned = peft_model.base_model
            plain = all(
                isinstance(layer.get_base_layer(), nn.Linear)
                and adapter.digest not in getattr(layer, "lora_variant", {})
                and not layer.lora_bias.get(adapter.digest, False)
                for layer in layers
            )
            config = peft_model.peft_config[adapter.digest]
            if not plain or config.modules_to_save or config.bias != "none":
                return None
            added = {}
            with torch.inference_mode(mode=False), torch.no_grad():
                for layer in layers:
                    base = layer.get_base_layer()
                    changed = base.weight + layer.get_delta_weight(adapter.digest).to(base.weight.dtype)
                    added[base] = (base.weight, nn.Parameter(changed, requires_grad=False))
        finally:
            tuned.unload()
        self._added = (adapter.digest, added)
        return added

    def _load_beside(self, adapter: Adapter) -> None:
        if adapter.digest in self._loaded:
            return
        if self._beside is None:
            self._beside = self._from_files(adapter)
        else:
            self._beside.load_adapter(str(adapter.path), adapter_name=adapter.digest)
            if odd := _without_counterpart(self._beside, adapter):
                self._beside.delete_adapter(adapter.digest)
                raise EngineError(_misfit(adapter, self._name, _told_of(odd)))
        self._beside.eval()
        self._loaded.add(adapter.digest)

    def _from_files(self, adapter: Adapter) -> Any:
        from peft import PeftModel

        try:
            made = PeftModel.from_pretrained(self._model, str(adapter.path), adapter_name=adapter.digest).eval()
            reason = ""
        except (RuntimeError, ValueError, KeyError) as error:
            reason = _head(error)
        else:
            if odd := _without_counterpart(made, adapter):
                made.base_model.unload()
                reason = _told_of(odd)
        if reason:
            raise EngineError(_misfit(adapter, self._name, reason))
        return made


def _misfit(adapter: Adapter, model: str, reason: str) -> str:
    return (
        f"The adapter {adapter.name} ({adapter.path}) does not fit the model {model}: {reason}. An adapter answers "
        "with the base model that it was trained on."
    )


def _told_of(odd: list[str]) -> str:
    return f"{len(odd)} tensors of one have no counterpart in the other, such as {odd[0]}"


def _without_counterpart(made: Any, adapter: Adapter) -> list[str]:
    """Tensors of the adapter's file that the model has no place for, and the other way round. PEFT passes over both."""
    from peft.utils import get_peft_model_state_dict
    from safetensors import safe_open

    file = Path(adapter.path) / "adapter_model.safetensors"
    if not file.is_file():
        return []
    there = set(get_peft_model_state_dict(made, adapter_name=adapter.digest))
    with safe_open(file, framework="pt") as tensors:
        given = set(tensors.keys())
    return sorted((given - there) | {name for name in there - given if "lora_" in name})


def _check(adapter: Adapter) -> None:
    path = Path(adapter.path) / "adapter_config.json"
    if not path.is_file():
        raise EngineError(f"The adapter {adapter.name} has no {path}. Train it first (kedro run --pipelines=finetune).")
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EngineError(f"{path} is no JSON ({error}): the adapter {adapter.name} is damaged.") from error


def _head(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
