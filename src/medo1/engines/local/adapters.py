"""The adapters that a model in memory can answer as.

In fp32 an adapter is added to the weights that it changes, in tensors of their own; going back to the base puts the
untouched tensors back, bit for bit. In lower precision the sum would be rounded, and adapters that are more than a sum
of matrices (DoRA, trained modules) cannot be added at all: these are computed beside the weights by PEFT.

PEFT passes over tensors that it has no place for, leaves modules without tensors as they began, and writes weights of
the base where a file holds them. Here each of these is an error, found before the model is changed or put right after.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import nn

from medo1.engines.base import Adapter, EngineError, Model
from medo1.engines.base_mark import refuse_other_base
from medo1.engines.trained_stop import refuse_endless

CONFIG, WEIGHTS, PICKLED = "adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"
# What of an adapter's configuration is computed here as PEFT computes it; whatever else is set there is refused.
COMPUTED = frozenset({
    "r", "lora_alpha", "lora_dropout", "use_rslora", "rank_pattern", "alpha_pattern", "use_dora", "lora_bias", "bias",
    "target_modules", "exclude_modules", "target_parameters", "layers_to_transform", "layers_pattern",
    "fan_in_fan_out", "modules_to_save", "trainable_token_indices", "ensure_weight_tying", "init_lora_weights",
})  # fmt: skip
# What says where it comes from and how it was trained.
OF_TRAINING = frozenset({
    "peft_type", "peft_version", "task_type", "auto_mapping", "base_model_name_or_path", "revision", "inference_mode",
    "runtime_config", "eva_config", "corda_config", "loftq_config", "lora_ga_config", "megatron_core",
    "qalora_group_size",
})  # fmt: skip
# Where training begins, as far as that leaves the base alone. PEFT begins again when it loads an adapter.
BEGINNINGS = ("gaussian", "eva", "orthogonal", "mica", "lora_ga")
MERGE = "Merge it into a model of its own (PEFT: merge_and_unload), and name that one as the arm's model."
OF_BASE = "base_model.model."  # before the names of modules in an adapter's file


class LoadedAdapters:
    """What a model can answer as, and what it answers as now.

    Args:
        model: the base model. dtype: of its weights. base: what it was loaded from.
        ends: the tokens that end an answer, as the tokenizer writes them.
    """

    def __init__(self, model: Any, dtype: torch.dtype, base: Model, ends: Collection[str]) -> None:
        self._model = model
        self._base = base
        self._of_this_base: set[str] = set()  # digests of adapters that were held against it
        self._name = base.name
        self._ends = ends
        self._own = dict(model.named_parameters(remove_duplicate=False))
        self._exact = dtype == torch.float32
        self._added: tuple[str, dict[nn.Module, tuple[nn.Parameter, nn.Parameter]]] | None = None
        self._beside: dict[str, _Parts] = {}  # by digest, for adapters that are computed beside the weights

    @contextmanager
    def active(self, adapter: Adapter | None) -> Iterator[None]:
        """While this lasts the model answers as `adapter`, or as its base.

        Raises:
            EngineError: when the adapter is not there, or does not belong to this model.
        """
        if adapter is None:
            yield
            return
        config = self._checked(adapter)
        if self._exact and (added := self._weights(adapter, config)) is not None:
            for module, (_, changed) in added.items():
                module.weight = changed
            try:
                yield
            finally:
                for module, (base, _) in added.items():
                    module.weight = base
            return
        with _put_back(self._model):
            if (parts := self._beside.get(adapter.digest)) is None:
                self._from_files(adapter)
                self._beside[adapter.digest] = _parts_of(self._model)
            else:
                _put_together(parts)
            yield

    # What is on disk

    def _checked(self, adapter: Adapter) -> dict[str, Any]:
        """The adapter's configuration; its files are looked at before PEFT sees them.

        Raises:
            EngineError: saying what is wrong with which file or module.
        """
        folder = Path(adapter.path)
        config = _json_of(folder / CONFIG, adapter)
        if (kind := config.get("peft_type", "LORA")) != "LORA":
            raise EngineError(f"The adapter {adapter.name} ({folder}) is of kind {kind}; expected LORA.")
        if config.get("bias", "none") != "none":
            raise EngineError(
                f"The adapter {adapter.name} ({folder}) has bias {config['bias']!r}: it writes over the base, which "
                "other arms answer with. Train it with bias `none`."
            )
        begun = config.get("init_lora_weights", True)
        if isinstance(begun, str) and begun.lower() not in BEGINNINGS:
            raise EngineError(
                f"The adapter {adapter.name} ({folder}) has init_lora_weights {begun!r}: loading it changes the "
                "weights of the base, which other arms answer with. Save it as a plain adapter (PEFT: "
                "save_pretrained with path_initial_model_for_weight_conversion)."
            )
        if beyond := sorted(name for name, value in config.items() if value and name not in COMPUTED | OF_TRAINING):
            raise EngineError(
                f"The adapter {adapter.name} ({folder}) is more than the transformers engine computes: its {CONFIG} "
                f"sets {', '.join(beyond)}. {MERGE}"
            )
        self._refuse_weights_of_the_base(adapter, config)
        refuse_endless(adapter, self._ends, self._name)
        if adapter.digest not in self._of_this_base:
            refuse_other_base(adapter, self._base)
            self._of_this_base.add(adapter.digest)
        return config

    def _refuse_weights_of_the_base(self, adapter: Adapter, config: Mapping[str, Any]) -> None:
        """PEFT writes weights of the base that a file holds into the base. Copies of what is there do nothing.

        Raises:
            EngineError: naming a weight that is another one than the base's.
        """
        trained = tuple(config.get("modules_to_save") or ())
        with self._opened(adapter) as file:
            for key in file.keys():  # noqa: SIM118  (no mapping)
                name = _name_in_base(key)
                if name not in self._own or _is_within(name, trained):
                    continue
                own = self._own[name]
                copy = file.get_tensor(key)
                if copy.shape != own.shape or not torch.equal(copy.to(own.dtype), own.cpu()):
                    raise EngineError(
                        f"The adapter {adapter.name} ({Path(adapter.path) / WEIGHTS}) holds {name}, a weight of the "
                        "base itself that other arms answer with, and another one than the base has. Save it without "
                        "the base's weights (PEFT: save_embedding_layers=False)."
                    )

    def _tensors(self, adapter: Adapter) -> set[str]:
        """Names of the tensors in its file."""
        with self._opened(adapter) as file:
            return set(file.keys())

    def _opened(self, adapter: Adapter) -> Any:
        """The adapter's file of tensors.

        Raises:
            EngineError: it is not there, cut, or no such file.
        """
        from safetensors import safe_open

        file = Path(adapter.path) / WEIGHTS
        if not file.is_file():
            pickled = (file.parent / PICKLED).is_file()
            reason = f"only {PICKLED}, which can run code" if pickled else "no weights"
            raise EngineError(f"The adapter {adapter.name} has no {file}: {reason}. Save it as safetensors.")
        try:
            return safe_open(file, framework="pt")
        except Exception as error:  # safetensors has an error of its own, and an OSError for an empty file
            raise EngineError(
                f"The adapter {adapter.name} is cut or damaged: {file} ({file.stat().st_size:,} bytes) cannot be read "
                f"({_head(error)}). Copy it again, or train it again."
            ) from error

    # Added to the weights

    def _weights(
        self, adapter: Adapter, config: Mapping[str, Any]
    ) -> dict[nn.Module, tuple[nn.Parameter, nn.Parameter]] | None:
        """Each module that the adapter changes, with its weight before and after; None where it is more than a sum.

        Parameters are replaced, not written to: an output layer that shares its weight with the embedding would
        otherwise change both.
        """
        from peft.tuners.lora import LoraLayer

        if self._added is not None and self._added[0] == adapter.digest:
            return self._added[1]
        self._added = None
        if any(config.get(name) for name in ("modules_to_save", "use_dora", "trainable_token_indices")):
            return None
        with _put_back(self._model):
            peft_model = self._from_files(adapter)
            layers = [module for module in peft_model.modules() if isinstance(module, LoraLayer)]
            plain = all(
                type(layer.get_base_layer()) is nn.Linear  # quantised ones derive from it, and hold codes
                and adapter.digest not in getattr(layer, "lora_variant", {})
                and not layer.lora_bias.get(adapter.digest, False)
                for layer in layers
            )
            if not plain:
                return None
            added = {}
            with torch.inference_mode(mode=False), torch.no_grad():
                for layer in layers:
                    base = layer.get_base_layer()
                    changed = base.weight + layer.get_delta_weight(adapter.digest).to(base.weight.dtype)
                    added[base] = (base.weight, nn.Parameter(changed, requires_grad=False))
        self._added = (adapter.digest, added)
        return added

    def _from_files(self, adapter: Adapter) -> Any:
        from peft import PeftModel

        try:
            made = PeftModel.from_pretrained(self._model, str(adapter.path), adapter_name=adapter.digest).eval()
        except (RuntimeError, ValueError, KeyError) as error:
            raise self._misfit(adapter, _head(error)) from error
        self._refuse_misfit(made, adapter)
        return made

    def _refuse_misfit(self, made: Any, adapter: Adapter) -> None:
        """Compare the tensors of the adapter's file with the places that the model has for them.

        Raises:
            EngineError: naming a module.
        """
        from peft.utils import get_peft_model_state_dict

        given = self._tensors(adapter)
        places = set(get_peft_model_state_dict(made, adapter_name=adapter.digest, save_embedding_layers=False))
        if lacking := sorted(places - given):
            raise self._misfit(adapter, f"its file lacks {len(lacking)} tensors, such as {lacking[0]}")
        if surplus := sorted(key for key in given - places if _name_in_base(key) not in self._own):
            raise self._misfit(adapter, f"the model has no place for {len(surplus)} tensors, such as {surplus[0]}")

    def _misfit(self, adapter: Adapter, reason: str) -> EngineError:
        return EngineError(
            f"The adapter {adapter.name} ({adapter.path}) does not fit the model {self._name}: {reason}. An adapter "
            "answers with the base model that it was trained on."
        )


_Parts: TypeAlias = list[tuple[nn.Module, dict[str, nn.Module | None], dict[str, nn.Parameter | None]]]


def _parts_of(model: nn.Module) -> _Parts:
    """Each module with what it consists of."""
    return [(module, dict(module._modules), dict(module._parameters)) for module in model.modules()]


def _put_together(parts: _Parts) -> None:
    for module, children, parameters in parts:
        module._modules.clear()
        module._modules.update(children)
        module._parameters.clear()
        module._parameters.update(parameters)


@contextmanager
def _put_back(model: nn.Module) -> Iterator[None]:
    """Whatever takes the place of a module or a parameter of `model` meanwhile is taken out again."""
    before = _parts_of(model)
    try:
        yield
    finally:
        _put_together(before)
        vars(model).pop("peft_config", None)


def _is_within(name: str, modules: tuple[str, ...]) -> bool:
    """Whether a weight belongs to one of these modules, which PEFT finds by how their paths end."""
    parts = name.split(".")
    return any(".".join(parts[:size]).endswith(modules) for size in range(1, len(parts)))


def _name_in_base(key: str) -> str:
    """The name that a tensor of an adapter's file would have in the base."""
    return key.removeprefix(OF_BASE).replace(".base_layer.", ".")


def _json_of(path: Path, adapter: Adapter) -> dict[str, Any]:
    if not path.is_file():
        raise EngineError(f"The adapter {adapter.name} has no {path}. Train it first (kedro run --pipelines=finetune).")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EngineError(f"{path} is no JSON ({error}): the adapter {adapter.name} is damaged.") from error
    if not isinstance(found, dict):
        raise EngineError(f"{path} is no JSON object: the adapter {adapter.name} is damaged.")
    return found


def _head(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
