"""What a model's `generation_config.json` says of drawing, beside what is asked for.

medo1 draws with its parameters alone, so that an arm's settings stand in one place. Where the model's own file says
otherwise, that is announced, once for each setting.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from medo1.engines.base import Model, Sampling

logger = logging.getLogger(__name__)

FILE = "generation_config.json"
OF_SAMPLES = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
OF_GREEDY = ("repetition_penalty",)  # the rest has no meaning without chance

# What a model's own `generate` would do besides, and medo1 never does: each with the values that mean nothing.
NEVER: dict[str, tuple[Any, ...]] = {
    "typical_p": (1.0,), "epsilon_cutoff": (0.0,), "eta_cutoff": (0.0,), "top_h": (), "min_length": (0,),
    "min_new_tokens": (0,), "encoder_repetition_penalty": (1.0,), "no_repeat_ngram_size": (0,),
    "encoder_no_repeat_ngram_size": (0,), "bad_words_ids": (), "sequence_bias": (), "suppress_tokens": (),
    "begin_suppress_tokens": (), "forced_bos_token_id": (), "forced_eos_token_id": (),
    "exponential_decay_length_penalty": (), "num_beams": (1,), "num_beam_groups": (1,), "penalty_alpha": (0.0,),
    "dola_layers": (), "guidance_scale": (1.0,), "stop_strings": (), "watermarking_config": (),
}  # fmt: skip


class SettingsCompared:
    """Announces where a model's own settings differ from those that are asked for.

    Args:
        model: whose file is read; a hub id's from the local cache. None: nothing is compared.
    """

    def __init__(self, model: Model | None) -> None:
        self._model = model
        self._own: dict[str, Any] | None = None  # read when a way of drawing is asked for
        self._told: set[Sampling] = set()

    def note(self, sampling: Sampling) -> None:
        """Log one warning for a way of drawing that differs, the first time that it is asked for."""
        known = replace(sampling, max_new_tokens=1, stop=())
        if known in self._told or self._model is None:
            return
        self._told.add(known)
        if self._own is None:
            self._own = own_settings(self._model)
            if never := [f"{name} {self._own[name]}"[:80] for name in NEVER if _means_something(self._own, name)]:
                logger.warning(
                    "%s: its %s says %s, which is not applied: answers are drawn as the parameters say",
                    *(self._model.name, FILE, ", ".join(never)),
                )
        if differing := differences(self._own, sampling):
            own = ", ".join(f"{name} {theirs:g}" for name, (theirs, _) in differing.items())
            asked = ", ".join(f"{name} {ours:g}" for name, (_, ours) in differing.items())
            logger.warning(
                "%s: its %s says %s; %s answers are drawn with %s, as the parameters say (`inference`, `arms`)",
                self._model.name, FILE, own, "sampled" if sampling.temperature > 0 else "greedy", asked,
            )  # fmt: skip


def own_settings(model: Model) -> dict[str, Any]:
    """What the model's file says; nothing where there is none."""
    path: Any = None
    if model.path is not None:
        path = Path(model.path) / FILE
    else:
        from huggingface_hub import try_to_load_from_cache

        path = try_to_load_from_cache(model.name, FILE, revision=model.revision)
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _means_something(own: dict[str, Any], name: str) -> bool:
    return own.get(name) not in (None, [], {}, *NEVER[name])


def differences(own: dict[str, Any], sampling: Sampling) -> dict[str, tuple[float, float]]:
    """Each setting of the file that is another one than asked for: what the file says, what is asked for."""
    found = {}
    for name in OF_SAMPLES if sampling.temperature > 0 else OF_GREEDY:
        theirs, ours = own.get(name), getattr(sampling, name)
        if isinstance(theirs, int | float) and theirs != ours:
            found[name] = (float(theirs), float(ours))
    return found
