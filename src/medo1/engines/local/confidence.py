"""How sure a model was while it wrote, in one number per completion, from numbers per token.

Token confidence is DeepConf's (Fu et al. 2025, arXiv 2508.15260): the mean of -log p over the 20 likeliest tokens,
larger where the model is surer.
"""

from __future__ import annotations

from collections.abc import Sequence

GROUPS = 10  # a group is this part of a completion, and at least so many tokens:
FEWEST = 16


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
