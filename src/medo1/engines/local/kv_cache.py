"""The KV cache of the active rows: a row each, written in place, and attention over it.

Each row's keys and values lie from column 0 on, whatever the others' lengths, so nothing is padded while decoding and
no column moves when rows come and go. Prompts are padded on the left in a prefill (every row's last token is then
the last column, and the model computes logits for that column alone) and copied into the cache without the padding.

The classes below fit into transformers' cache and attention interfaces
(transformers.cache_utils, transformers.AttentionInterface).
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.cache_utils import Cache, CacheLayerMixin, DynamicCache
from transformers.masking_utils import sdpa_mask

from medo1.engines.base import EngineError

ATTENTION = "medo1"
FULL, SLIDING = "full_attention", "sliding_attention"
# What a layer may hand to its attention and what needs nothing done about it here: it concerns training and outputs.
NEEDS_NOTHING = frozenset({
    "dropout", "is_causal", "position_ids", "cache_position", "use_cache", "output_attentions",
    "output_hidden_states", "output_router_logits", "return_dict", "past_key_values", "logits_to_keep",
})  # fmt: skip


def grouped_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **told: Any,
) -> tuple[torch.Tensor, None]:
    """Attention in which several query heads share a key head without the keys being copied for each of them.

    Transformers expands keys and values to the number of query heads where there is a mask, which for one new token per
    row means copying the whole cache at each step. The heads that share a key head are here the query positions of one
    head, which gives the same sums. Shapes: query (rows, heads, new, dim), key and value (rows, key heads, columns,
    dim).

    Raises:
        EngineError: the layer asks for more than this computes (attention sinks, soft caps, position biases, ...), or
            for another window than the mask has.
    """
    expected = getattr(module, "masked_window", None)
    if (window := told.pop("sliding_window", expected)) != expected:
        raise EngineError(
            f"{type(module).__name__} of layer {getattr(module, 'layer_idx', '?')} looks back over {window or 'all'} "
            f"tokens, and by the model's configuration over {expected or 'all'}"
        )
    if beyond := [name for name, value in told.items() if value is not None and name not in NEEDS_NOTHING]:
        raise EngineError(
            f"{type(module).__name__} hands {', '.join(sorted(beyond))} to its attention, which this engine does not "
            "compute"
        )
    rows, heads, new, size = query.shape
    shared = heads // key.shape[1]
    if new == 1 and shared > 1:
        grouped = query.reshape(rows, key.shape[1], shared, size)
        output = scaled_dot_product_attention(grouped, key, value, attn_mask=attention_mask, scale=scaling)
        return output.reshape(rows, 1, heads, value.shape[-1]), None
    if shared > 1:
        key, value = key.repeat_interleave(shared, dim=1), value.repeat_interleave(shared, dim=1)
    alone = attention_mask is None and new > 1  # transformers leaves the mask out where it is only the causal one
    output = scaled_dot_product_attention(query, key, value, attn_mask=attention_mask, scale=scaling, is_causal=alone)
    return output.transpose(1, 2), None


AttentionInterface.register(ATTENTION, grouped_attention)
AttentionMaskInterface.register(ATTENTION, sdpa_mask)


class _CacheLayer(CacheLayerMixin):
    """One layer's keys and values, (rows, key heads, columns, dim)."""

    def __init__(self, cache: BatchKVCache) -> None:
        super().__init__()
        self._cache = cache

    def allocate(self, like: torch.Tensor, rows: int, columns: int) -> None:
        shape = (rows, like.shape[1], columns, like.shape[3])
        # Zeros: a hidden column has weight 0, and 0 times whatever lay in the memory must not be NaN.
        self.keys = torch.zeros(shape, dtype=like.dtype, device=like.device)
        self.values = torch.zeros_like(self.keys)
        self.is_initialized = True

    def resize(self, rows: int, columns: int, used: int, width: int) -> None:
        """Another size, keeping the first `used` rows and `width` columns. One tensor at a time, to save memory."""
        for name in ("keys", "values"):
            old = getattr(self, name)
            new = torch.zeros((rows, old.shape[1], columns, old.shape[3]), dtype=old.dtype, device=old.device)
            new[:used, :, :width] = old[:used, :, :width]
            setattr(self, name, new)

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        raise AssertionError("rows are filled from a prompt before a token is added")

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        cache = self._cache
        assert self.keys is not None
        assert self.values is not None
        self.keys[cache.index, :, cache.columns_now] = key_states[:, :, 0]
        self.values[cache.index, :, cache.columns_now] = value_states[:, :, 0]
        used, width = cache.used, cache.width
        return self.keys[:used, :, :width], self.values[:used, :, :width]

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._cache.width, 0

    def get_seq_length(self) -> int:
        return max(0, self._cache.width - 1)

    def get_max_length(self) -> int:
        return -1


class BatchKVCache(Cache):
    """The keys and values of all active rows; rows 0 to `used` - 1 are in use.

    Args:
        layers: how many layers the model has.
        windows: the sliding window of each kind of layer that the model has, None for full attention.
    """

    def __init__(self, layers: int, windows: dict[str, int | None]) -> None:
        self._layers = [_CacheLayer(self) for _ in range(layers)]
        super().__init__(layers=list(self._layers))
        self._windows = windows
        self.rows = self.columns = self.used = self.width = 0

    # Size

    def reserve(self, prompt: DynamicCache, rows: int, columns: int) -> None:
        """Grow or shrink to this many rows and columns; what is in use stays.

        Raises:
            EngineError: the model keeps keys and values for some of its layers only, or for others than it names.
        """
        if len(prompt.layers) != len(self._layers):
            raise EngineError(
                f"it keeps keys and values for {len(prompt.layers)} of its {len(self._layers)} layers (others share "
                "them, or have none), which this engine does not compute"
            )
        if not self._layers[0].is_initialized:
            for layer, model_layer in zip(self._layers, prompt.layers, strict=True):
                layer.allocate(model_layer.keys, rows, columns)
            self.rows, self.columns = rows, columns
        elif rows > self.rows or columns > self.columns:
            self.resize(max(rows, self.rows), max(columns, self.columns))

    def resize(self, rows: int, columns: int) -> None:
        """Another size; the first `used` rows stay, up to `width` columns."""
        for layer in self._layers:
            layer.resize(rows, columns, self.used, min(self.width, columns))
        self.rows, self.columns = rows, columns

    def release(self) -> None:
        """Give the memory back."""
        for layer in self._layers:
            layer.keys = None  # type: ignore[assignment]
            layer.values = None  # type: ignore[assignment]
            layer.is_initialized = False
        self.rows = self.columns = self.used = self.width = 0

    # Rows

    def fill(self, first: int, prompt: DynamicCache, owners: torch.Tensor, lengths: torch.Tensor) -> None:
        """Put prompts into the rows from `first` on, without their padding: one prefill for all samples of a prompt.

        Args:
            first: the first row.
            prompt: keys and values of a prefill, padded on the left.
            owners: (rows,), which row of `prompt` each row gets.
            lengths: (rows of `prompt`,), tokens of each without padding.
        """
        width = prompt.layers[0].keys.shape[2]
        real = lengths[owners][:, None]
        places = torch.arange(width, device=owners.device)[None]
        columns = (places + width - real).clamp_max(width - 1)
        padding = (places >= real)[:, None, :, None]
        part = slice(first, first + len(owners))
        for layer, model_layer in zip(self._layers, prompt.layers, strict=True):
            for kept, read in ((layer.keys, model_layer.keys), (layer.values, model_layer.values)):
                assert kept is not None
                index = columns[:, None, :, None].expand(-1, read.shape[1], -1, read.shape[3])
                kept[part, :, :width] = read[owners].gather(2, index).masked_fill_(padding, 0)
                kept[part, :, width:] = 0  # what an earlier row left must not reach this one, were it NaN

    def move(self, source: int, target: int, length: int) -> None:
        """Copy a row to another place."""
        for layer in self._layers:
            for kept in (layer.keys, layer.values):
                assert kept is not None
                kept[target, :, :length] = kept[source, :, :length]
                kept[target, :, length:] = 0

    # One step

    def step(self, lengths: torch.Tensor, width: int, dtype: torch.dtype) -> torch.Tensor | dict[str, torch.Tensor]:
        """Get ready for one new token per row; returns the mask to hand to the model.

        Args:
            lengths: (used,), how many columns of each row are filled: where its new token goes.
            width: columns to look at, one more than the longest row has.
            dtype: of the model.
        """
        self.width = width
        self.columns_now = lengths
        self.index = torch.arange(self.used, device=lengths.device)
        columns = torch.arange(width, device=lengths.device)[None]
        masks = {}
        for kind, window in self._windows.items():
            hidden = columns > lengths[:, None]
            if window is not None:
                hidden |= columns <= lengths[:, None] - window
            additive = torch.zeros(hidden.shape, dtype=dtype, device=lengths.device)
            masks[kind] = additive.masked_fill_(hidden, float("-inf"))[:, None, None]
        return _as_the_model_takes_them(masks)


def prompt_mask(
    lengths: torch.Tensor, width: int, windows: dict[str, int | None]
) -> torch.Tensor | dict[str, torch.Tensor]:
    """The mask for a prefill of prompts that are padded on the left to `width`.

    Padding sees itself and nothing else, so that no softmax is over nothing (which would put NaN into the cache).
    """
    place = torch.arange(width, device=lengths.device)
    seen = place[None, :] <= place[:, None]
    real = place[None] >= width - lengths[:, None]
    masks = {}
    for kind, window in windows.items():
        near = seen if window is None else seen & (place[None, :] > place[:, None] - window)
        mask = near[None] & real[:, None, :] | torch.eye(width, dtype=torch.bool, device=lengths.device)[None]
        masks[kind] = mask[:, None]
    return _as_the_model_takes_them(masks)


def _as_the_model_takes_them(masks: dict[str, torch.Tensor]) -> torch.Tensor | dict[str, torch.Tensor]:
    """One mask where all layers are of one kind, else one for each kind."""
    return next(iter(masks.values())) if len(masks) == 1 else masks
