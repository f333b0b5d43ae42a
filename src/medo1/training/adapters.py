"""An adapter's directory: what it must contain and records about its base. Equal trainings write equal bytes."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from medo1.engines.base import SERVED_WITH, Model
from medo1.errors import UserError

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
HEADS = ("lm_head", "embed_out")  # output layers, by the last part of their names
_LORA = re.compile(r"^base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight$")


class AdapterError(UserError):
    """What was trained is not an adapter that can be used; the text says which tensor and what to do."""


def finish_adapter(directory: Path, model: Model, served_with: Mapping[str, Any]) -> None:
    """Make the directory that PEFT wrote reproducible, and say how the adapter is asked.

    PEFT writes modules in the order of a set, and the base's path on this machine: sort the one, name the other.
    """
    path = directory / CONFIG
    config = json.loads(path.read_text(encoding="utf-8"))
    config = {key: sorted(value) if isinstance(value, list) else value for key, value in config.items()}
    config["base_model_name_or_path"] = model.name
    config["revision"] = model.revision
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    told = json.dumps(dict(served_with), indent=2, sort_keys=True, ensure_ascii=False)
    (directory / SERVED_WITH).write_text(told + "\n", encoding="utf-8")
    for leftover in list(directory.iterdir()):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        elif leftover.name not in {CONFIG, WEIGHTS, SERVED_WITH}:
            leftover.unlink()


def check_adapter(directory: Path, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Every tensor of an adapter is there, finite, of its shape, and not all of them are zero.

    Args:
        directory: of the adapter.
        shapes: of the base model's weights, by module, as `(out, in)`; see `linear_shapes`.

    Raises:
        AdapterError: otherwise. ZeRO-3 saves empty tensors where weights are not gathered first.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    config = json.loads((directory / CONFIG).read_text(encoding="utf-8"))
    rank = int(config["r"])
    try:
        tensors = load_file(directory / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise AdapterError(f"{directory / WEIGHTS} cannot be read: {error}. Train it again.") from error
    sides: dict[str, dict[str, Any]] = {}
    for name, tensor in tensors.items():
        match = _LORA.match(name)
        if match is None:
            raise AdapterError(f"The adapter holds {name}, which is no LoRA weight: engines would refuse it.")
        sides.setdefault(match["module"], {})[match["side"]] = tensor
        if not bool(torch.isfinite(tensor).all()):
            raise AdapterError(
                f"The adapter's {name} holds values that are not finite: the training diverged. Lower "
                "learning_rate, or train in fp32."
            )
    if not sides:
        raise AdapterError("The adapter holds no tensor: nothing was trained. Which modules does target_modules name?")
    for module, pair in sorted(sides.items()):
        out_in = shapes.get(module)
        expected = None if out_in is None else {"A": (rank, out_in[1]), "B": (out_in[0], rank)}
        found = {side: tuple(tensor.shape) for side, tensor in sorted(pair.items())}
        if expected is None or found != expected:
            raise AdapterError(
                f"The adapter's weights of {module} have the shapes {found}; expected {expected}. Under ZeRO-3 and "
                "FSDP they must be gathered before they are saved."
            )
    if not any(bool(pair["B"].any()) for pair in sides.values()):
        raise AdapterError(
            "All of the adapter's B matrices are zero: it answers as its base does. Nothing was learnt: look at "
            "the loss in training_log, and at learning_rate."
        )


def linear_shapes(model: Model) -> dict[str, tuple[int, ...]]:
    """Shapes of a model's linear weights, `(out, in)` by module, from its configuration alone."""
    from torch import nn

    shapes: dict[str, tuple[int, ...]] = {}
    for name, module in empty_model(model).named_modules():
        weight = getattr(module, "weight", None)
        if isinstance(module, nn.Linear):
            shapes[name] = (module.out_features, module.in_features)
        elif type(module).__name__ == "Conv1D" and weight is not None:  # GPT-2 keeps its weights the other way round
            shapes[name] = (weight.shape[1], weight.shape[0])
    return shapes


def refuse_missing_targets(model: Model, targets: str | Sequence[str]) -> None:
    """Raise a `UserError` where `target_modules` names something that the model does not have.

    PEFT trains the names that it finds and says nothing of the others.
    """
    if targets == "all-linear":
        return
    names = list(linear_shapes(model))
    head = [one for one in names if one.rpartition(".")[2] in HEADS]
    if isinstance(targets, str) and any(re.fullmatch(targets, name) for name in head):
        raise UserError(
            f"target_modules {targets!r} also names {', '.join(head)}, the output layer: an adapter there is not "
            "trained by TRL's fused head, is lost where the layer shares its weights with the embedding, and is not "
            "served by vLLM. Set all-linear, or a pattern that leaves it out."
        )
    if isinstance(targets, str):
        missing = [] if any(re.fullmatch(targets, name) for name in names) else [targets]
    else:
        missing = [one for one in targets if not any(name == one or name.endswith(f".{one}") for name in names)]
    if missing:
        there = sorted({name.rpartition(".")[2] for name in names})
        raise UserError(
            f"target_modules names {', '.join(map(repr, missing))}, and {model.name} has no such linear layer; it has "
            f"{', '.join(there)}. Set all-linear, or some of these."
        )


def empty_model(model: Model) -> Any:
    """The model without weights, on torch's meta device: its modules and shapes."""
    import torch
    from transformers import AutoModelForCausalLM

    from medo1.training.templates import config_of

    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config_of(model), trust_remote_code=False)
