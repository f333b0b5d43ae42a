"""The next token of each row: greedy, or by the inverse of the cumulative distribution at the row's own random number.

A draw's random numbers come from its seed and the token's place alone, so what a question gets does not depend on the
rows beside it, on when it was taken in, or on whether it was preempted.

Sources: SplitMix64 (Steele, Lea and Flood 2014) as a counter-based generator; self-certainty (Kang et al. 2025,
arXiv 2502.18581); token confidence over the likeliest tokens (DeepConf, Fu et al. 2025, arXiv 2508.15260).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

TOP = 20  # tokens that confidence is taken over: DeepConf's choice, and the most that servers give
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class SampledTokens(NamedTuple):
    """Of each row, shape (rows,): the token, its log-probability in nats (at temperature 1), and how sure it was.

    `certainty` is the mean over the vocabulary of -log(V p), the divergence of the uniform distribution from p;
    `confidence` is the mean of -log p over the 20 likeliest tokens, NaN for greedy rows (there is no vote to weight,
    and finding 20 tokens costs as much as all the rest). Both are larger where the model is surer.
    """

    tokens: torch.Tensor
    logprobs: torch.Tensor
    certainty: torch.Tensor
    confidence: torch.Tensor


def uniforms(seeds: np.ndarray, places: np.ndarray) -> np.ndarray:
    """A number in [0, 1) for each pair of seed and place, both uint64: equal pairs, equal numbers; else independent."""
    with np.errstate(over="ignore"):
        mixed = _mixed(_mixed(seeds + GOLDEN) + (places + np.uint64(1)) * GOLDEN)
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mixed(state: np.ndarray) -> np.ndarray:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def sample_tokens(
    logits: torch.Tensor, temperature: np.ndarray, top_p: np.ndarray, uniform: np.ndarray
) -> SampledTokens:
    """Sample one token per row.

    Args:
        logits: (rows, vocabulary).
        temperature, top_p, uniform: (rows,); temperature 0 is greedy.
    """
    logits = logits.float()
    logprobs = torch.log_softmax(logits, dim=-1)
    tokens = logits.argmax(dim=-1)
    confidence = torch.full(tokens.shape, float("nan"), device=logits.device)
    for nucleus in (False, True):
        drawn = np.flatnonzero((temperature > 0) & ((top_p < 1) == nucleus))
        if len(drawn):
            rows = torch.from_numpy(drawn).to(logits.device)
            given = [torch.from_numpy(array[drawn]).to(logits.device) for array in (temperature, top_p, uniform)]
            tokens[rows] = _drawn(logits[rows], *given, nucleus=nucleus)
            top = logprobs[rows].topk(min(TOP, logprobs.shape[-1]), dim=-1, sorted=False).values
            confidence[rows] = -top.clamp_min(-1e4).mean(dim=-1)
    return SampledTokens(
        tokens,
        logprobs.gather(1, tokens[:, None])[:, 0],
        -logprobs.clamp_min(-1e4).mean(dim=-1) - float(np.log(logprobs.shape[-1])),
        confidence,
    )


def _drawn(
    logits: torch.Tensor, temperature: torch.Tensor, top_p: torch.Tensor, uniform: torch.Tensor, *, nucleus: bool
) -> torch.Tensor:
    """The token at which each row's cumulative probability passes its number; in double, so that sums of a large
    vocabulary do not decide. With `nucleus`, of the smallest set of likeliest tokens that holds `top_p`."""
    probabilities = torch.softmax(logits.double() / temperature[:, None], dim=-1)
    order = None
    if nucleus:
        probabilities, order = probabilities.sort(dim=-1, descending=True, stable=True)
        before = probabilities.cumsum(dim=-1) - probabilities
        probabilities = probabilities * (before < top_p[:, None])  # always the first
    cumulative = probabilities.cumsum(dim=-1)
    wanted = uniform * cumulative[:, -1]
    place = torch.searchsorted(cumulative, wanted[:, None], right=True).clamp(max=logits.shape[-1] - 1)
    # A number at the very end of the sum must not fall on a token behind it that has no probability.
    last = (cumulative < cumulative[:, -1:]).sum(dim=-1, keepdim=True)
    place = torch.minimum(place, last)
    return (place if order is None else order.gather(1, place))[:, 0]
