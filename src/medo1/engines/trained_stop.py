"""The token with which an adapter was taught to end its answers, beside those on which an engine stops."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from medo1.engines.base import SERVED_WITH, Adapter, EngineError


def trained_stop(adapter: Adapter) -> str | None:
    """The token as the tokenizer writes it; None where the adapter's record does not say.

    Raises:
        EngineError: the record is damaged.
    """
    path = Path(adapter.path) / SERVED_WITH
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EngineError(f"{path} is no JSON ({error}): the adapter {adapter.name} is damaged.") from error
    token = found.get("trained_stop_token") if isinstance(found, dict) else None
    return token if isinstance(token, str) else None


def refuse_endless(adapter: Adapter, ends: Collection[str], model: str) -> None:
    """An adapter that ends its answers with a token on which nothing stops would never end.

    Args:
        adapter: with the record of its training. ends: the tokens that end an answer. model: for the message.

    Raises:
        EngineError: naming the tokens.
    """
    trained = trained_stop(adapter)
    if trained is not None and trained not in ends:
        raise EngineError(
            f"The adapter {adapter.name} learned to end its answers with {trained!r}, and {model} stops on "
            f"{', '.join(map(repr, sorted(ends)))} alone: no answer would end. Add the token to eos_token_id in the "
            "model's generation_config.json, or train with one of these."
        )
