"""One way to ask any model."""

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
