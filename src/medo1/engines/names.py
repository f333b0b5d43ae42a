"""Engines by their dotted names, as catalogs give them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from medo1.engines.base import Engine, EngineError

# Names that catalogs had before engines had rooms; they keep working.
EARLIER_NAMES = {
    "medo1.engines.openai.OpenAI": "medo1.engines.OpenAI",
    "medo1.engines.transformers.Transformers": "medo1.engines.Transformers",
    "medo1.engines.vllm.VLLM": "medo1.engines.VLLM",
    "medo1.engines.ray_data.RayData": "medo1.engines.RayData",
}


def current_name(name: str) -> str:
    """The name that an engine goes by now."""
    return EARLIER_NAMES.get(name, name)


def engine_of(name: str, options: dict[str, Any]) -> Engine:
    """An engine, made of the class with this dotted name and its options.

    Raises:
        EngineError: there is no such engine, or the options do not fit.
    """
    module, _, class_name = current_name(name).rpartition(".")
    try:
        kind = getattr(import_module(module), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise EngineError(
            f"There is no engine {name!r} ({error}). Name a class by its dotted path, such as medo1.engines.OpenAI; an "
            "engine that is an extra is installed with pip install 'medo1[vllm]'."
        ) from error
    if not (isinstance(kind, type) and issubclass(kind, Engine)):
        raise EngineError(f"{name} is no engine: name a class by its dotted path, such as medo1.engines.OpenAI.")
    try:
        return kind(**options)
    except TypeError as error:
        raise EngineError(
            f"The options of engine {name} do not fit: {error}. Given: {', '.join(sorted(options)) or 'none'}."
        ) from None
