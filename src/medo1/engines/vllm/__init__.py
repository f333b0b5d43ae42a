"""vLLM: the `openai` engine plus a local server that medo1 starts, watches and stops."""

from medo1.engines.vllm.engine import VLLM

__all__ = ["VLLM"]
