"""The next token of each row: greedy, or by the inverse of the cumulative distribution at the row's own random number.

A draw's random numbers come from its seed and the token's place alone, so what a question gets does not depend on the
rows beside it, on when it was taken in, or on whether it was preempted.

Sources: SplitMix64 (Steele, Lea and Flood 2014) as a counter-based generator; self-certainty (Kang et al. 2025,
arXiv 2502.18581); token confidence over the likeliest tokens (DeepConf, Fu et al. 2025, arXiv 2508.15260).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


class Drawing(NamedTuple):
    """How each row's token is drawn, arrays of shape (rows,); see `engines.base.Sampling`. Temperature 0 is greedy."""

    temperature: np.ndarray
    top_p: np.ndarray
    top_k: np.ndarray
    min_p: np.ndarray


def penalised(logits: torch.Tensor, seen: Mapping[int, Sequence[int]], penalty: np.ndarray) -> torch.Tensor:
    """Logits with the tokens that were there before made less likely.

    Args:
        logits: (rows, vocabulary); left as they are.
        seen: of each row with a penalty, the tokens of its prompt and answer.
        penalty: (rows,), 1 for none.
    """
    logits = logits.clone()
    for row, tokens in seen.items():
        places = torch.tensor(sorted(set(tokens)), device=logits.device)
        there, factor = logits[row, places], float(penalty[row])
        logits[row, places] = torch.where(there > 0, there / factor, there * factor)
    return logits


def sample_tokens(
    logits: torch.Tensor, drawing: Drawing, uniform: np.ndarray, told: torch.Tensor | None = None
) -> SampledTokens:
    """Sample one token per row.

    Args:
        logits: (rows, vocabulary), from which tokens are drawn.
        drawing: how. uniform: (rows,), each row's random number in [0, 1).
        told: logits whose probabilities are reported, where those drawn from were changed.
    """
    logits = logits.float()
    logprobs = torch.log_softmax(logits if told is None else told.float(), dim=-1)
    tokens = logits.argmax(dim=-1)
    confidence = torch.full(tokens.shape, float("nan"), device=logits.device)
    restricted = (drawing.top_p < 1) | (drawing.top_k > 0) | (drawing.min_p > 0)
    for some in (False, True):
        drawn = np.flatnonzero((drawing.temperature > 0) & (restricted == some))
        if len(drawn):
            rows = torch.from_numpy(drawn).to(logits.device)
            given = Drawing(*(array[drawn] for array in drawing)) if some else None
            temperature, numbers = (
                torch.from_numpy(array[drawn]).to(logits.device) for array in (drawing.temperature, uniform)
            )
            tokens[rows] = _drawn(logits[rows], temperature, numbers, given)
            top = logprobs[rows].topk(min(TOP, logprobs.shape[-1]), dim=-1, sorted=False).values
            confidence[rows] = -top.clamp_min(-1e4).mean(dim=-1)
    return SampledTokens(
        tokens,
        logprobs.gather(1, tokens[:, None])[:, 0],
        -logprobs.clamp_min(-1e4).mean(dim=-1) - float(np.log(logprobs.shape[-1])),
        confidence,
    )


def _drawn(
    logits: torch.Tensor, temperature: torch.Tensor, uniform: torch.Tensor, drawing: Drawing | None
) -> torch.Tensor:
    """The token at which each row's cumulative probability passes its number; in double, so that sums of a large
    vocabulary do not decide. With `drawing`, of the tokens that it leaves."""
    probabilities = torch.softmax(logits.double() / temperature[:, None], dim=-1)
    order = None
    if drawing is not None:
        probabilities, order = probabilities.sort(dim=-1, descending=True, stable=True)
        probabilities = _restricted(probabilities, drawing)
    cumulative = probabilities.cumsum(dim=-1)
    wanted = uniform * cumulative[:, -1]
    place = torch.searchsorted(cumulative, wanted[:, None], right=True).clamp(max=logits.shape[-1] - 1)
    # A number at the very end of the sum must not fall on a token behind it that has no probability.
    last = (cumulative < cumulative[:, -1:]).sum(dim=-1, keepdim=True)
    place = torch.minimum(place, last)
    return (place if order is None else order.gather(1, place))[:, 0]


def _restricted(probabilities: torch.Tensor, drawing: Drawing) -> torch.Tensor:
    """Sorted probabilities, largest first, with those set to 0 that top-k, top-p (of what top-k leaves) and min-p leave
    out, in this order, which is that of transformers. The likeliest token always stays."""
    top_p, top_k, min_p = (
        torch.from_numpy(array).to(probabilities.device)[:, None]
        for array in (drawing.top_p, drawing.top_k, drawing.min_p)
    )
    place = torch.arange(probabilities.shape[-1], device=probabilities.device)[None]
    kept = torch.where((top_k > 0) & (place >= top_k), 0.0, probabilities)
    cumulative = kept.cumsum(dim=-1)
    kept = torch.where((cumulative - kept < top_p * cumulative[:, -1:]) | (top_p >= 1), kept, 0.0)
    return torch.where(kept >= min_p * kept[:, :1], kept, 0.0)
