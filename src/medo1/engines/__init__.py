"""One way to ask any model. The contract is `base`; engines are found by name here, whichever subpackage they are in:

    OpenAI          any OpenAI-compatible endpoint, or a fleet of them        http/
    VLLM            a vLLM server that medo1 starts, watches and stops        vllm/
    Transformers    a model in this process, on CPU or GPU                    local/
    RayData         any of these on each worker of a Ray cluster              ray_data.py

Wrappers around an engine (the completion store, budgets, continuing truncated answers) are in `wrappers/`.
"""

from importlib import import_module
from typing import Any

from medo1.engines.base import (
    Adapter,
    Completion,
    Engine,
    EngineError,
    FinishReason,
    Message,
    Model,
    Request,
    Sampling,
)

# Imported when named: each brings packages that others do without.
ENGINES = {
    "OpenAI": "medo1.engines.http.openai",
    "VLLM": "medo1.engines.vllm.engine",
    "Transformers": "medo1.engines.local.transformers",
    "RayData": "medo1.engines.ray_data",
}

__all__ = [
    "Adapter",
    "Completion",
    "Engine",
    "EngineError",
    "FinishReason",
    "Message",
    "Model",
    "Request",
    "Sampling",
]


def __getattr__(name: str) -> Any:
    if name in ENGINES:
        return getattr(import_module(ENGINES[name]), name)
    raise AttributeError(f"medo1.engines has no {name}")
