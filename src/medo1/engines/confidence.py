"""How sure a model was while it wrote, in one number per completion, from numbers per token.

Token confidence is DeepConf's (Fu et al. 2025, arXiv 2508.15260): the mean of -log p over the 20 likeliest tokens,
larger where the model is more confident.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

GROUPS = 10  # a group is this fraction of a completion, and at least this many tokens:
FEWEST = 16
FEWEST_SHOWN = 5  # likeliest tokens that confidence is taken over, at least
MOST_SHOWN = 20  # as the embedded engine does
LEAST_LOGPROB = -1e4


def lowest_group(confidence: Sequence[float]) -> float | None:
    """The lowest mean confidence of any stretch of the completion; None for no tokens.

    DeepConf takes stretches of 2,048 tokens in thoughts of some ten thousands. Thoughts are shorter here and of all
    lengths, so a stretch is a tenth of the completion, and 16 tokens at least.

    Args:
        confidence: of each token, in order.
    """
    if not confidence:
        return None
    size = min(len(confidence), max(FEWEST, len(confidence) // GROUPS))
    total = sum(confidence[:size])
    lowest = total
    for place in range(size, len(confidence)):
        total += confidence[place] - confidence[place - size]
        lowest = min(lowest, total)
    return lowest / size


class Confidence(NamedTuple):
    """How sure a model was, from the log-probabilities that a server shows; None where it does not show enough.

    `self_certainty` is that over the tokens shown: the divergence of their distribution from the uniform one.
    """

    mean_logprob: float | None
    self_certainty: float | None
    confidence: float | None
    lowest: float | None


def token_confidence(tokens: Sequence[Mapping[str, Any]]) -> Confidence:
    """Confidence from the protocol's `logprobs.content`.

    Args:
        tokens: a mapping per token, with `logprob` in nats and, where asked for, `top_logprobs`, a list of such.
    """
    chosen = [value for token in tokens if (value := _number(token.get("logprob"))) is not None]
    mean = sum(chosen) / len(chosen) if chosen else None
    confidences, certainties = [], []
    for token in tokens:
        shown = token.get("top_logprobs")
        top = [value for one in shown if (value := _number(one)) is not None] if isinstance(shown, list) else []
        if len(top) < FEWEST_SHOWN:
            return Confidence(mean, None, None, None)
        top = sorted(top, reverse=True)[:MOST_SHOWN]
        confidences.append(-sum(top) / len(top))
        total = math.log(sum(map(math.exp, top)))
        certainties.append(-sum(value - total for value in top) / len(top) - math.log(len(top)))
    if not confidences:
        return Confidence(mean, None, None, None)
    count = len(confidences)
    return Confidence(mean, sum(certainties) / count, sum(confidences) / count, lowest_group(confidences))


def _number(value: Any) -> float | None:
    """A log-probability if it is one; vLLM's -9999 and infinities stand for none at all."""
    value = value.get("logprob") if isinstance(value, Mapping) else value
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return max(float(value), LEAST_LOGPROB)
