"""Engines by dotted name, as given in catalogs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from medo1.engines.base import Engine, EngineError

logger = logging.getLogger(__name__)

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


def current_options(kind: type[Engine], options: Mapping[str, Any]) -> dict[str, Any]:
    """An engine's options under the names that they have now; what was renamed or dropped is said in the log.

    Raises:
        EngineError: an option is given under both names.
    """
    current = dict(options)
    for earlier, now in kind.earlier_options.items():
        if earlier not in current:
            continue
        value = current.pop(earlier)
        if now is None:
            logger.warning("%s: the option `%s` is no longer needed; leave it out", kind.__name__, earlier)
        elif now in current:
            raise EngineError(f"{kind.__name__}: `{earlier}` is now called `{now}`, and both are given: leave one out")
        else:
            logger.warning("%s: the option `%s` is now called `%s`", kind.__name__, earlier, now)
            current[now] = value
    return current


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
        raise EngineError(f"{name} is no engine. Name one by its class' dotted path, such as medo1.engines.OpenAI.")
    try:
        return kind(**current_options(kind, options))
    except TypeError as error:
        raise EngineError(
            f"The options of engine {name} do not fit: {error}. Given: {', '.join(sorted(options)) or 'none'}."
        ) from None
