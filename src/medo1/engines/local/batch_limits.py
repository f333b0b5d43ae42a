"""How many rows are decoded at once: a model of what they take in memory.

Three things take memory beside the weights: keys and values (for each row and column), the activations of a prefill
(for each of its tokens), and logits with what sampling needs (for each row). All three are products of sizes in the
model's configuration, so the model of memory is arithmetic; where it is wrong, running out of memory
halves the rows and the run continues.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

MIB = 1 << 20
HEADROOM = 0.9  # of what is free; the rest is for the allocator's fragments and the libraries' workspaces
SAMPLING_COPIES = 6  # float copies of the logits while tokens are sampled: log-probabilities, softmax in double, sums
COLUMNS_STEP = 64  # columns are reserved in steps of this many, so that the cache is not remade at every token


@dataclass(frozen=True, slots=True)
class ModelSizes:
    """What of a model decides how much memory its rows take. `bytes_per_value` is that of its dtype."""

    layers: int
    key_heads: int
    head_size: int
    heads: int
    hidden: int
    feed_forward: int
    vocabulary: int
    bytes_per_value: int

    @classmethod
    def of(cls, config: Any, bytes_per_value: int) -> ModelSizes:
        """The sizes that a transformers configuration states."""
        config = config.get_text_config()
        heads = int(config.num_attention_heads)
        hidden = int(config.hidden_size)
        return cls(
            layers=int(config.num_hidden_layers),
            key_heads=int(getattr(config, "num_key_value_heads", None) or heads),
            head_size=int(getattr(config, "head_dim", None) or hidden // heads),
            heads=heads,
            hidden=hidden,
            feed_forward=int(getattr(config, "intermediate_size", None) or 4 * hidden),
            vocabulary=int(config.vocab_size),
            bytes_per_value=bytes_per_value,
        )

    @property
    def column_bytes(self) -> int:
        """Keys and values of one token."""
        return 2 * self.layers * self.key_heads * self.head_size * self.bytes_per_value

    @property
    def row_bytes(self) -> int:
        """Logits of one row and what sampling makes of them."""
        return self.vocabulary * (self.bytes_per_value + 4 * SAMPLING_COPIES)

    def prefill_bytes(self, tokens: int, width: int) -> int:
        """Activations of a prefill of `tokens` tokens in rows of `width`: of one layer at a time, and keys of all."""
        per_token = 4 * self.hidden + 3 * self.feed_forward + 4 * self.heads * self.head_size
        mask = tokens * width  # one byte each as a truth value, then as a number of the model's dtype
        return tokens * (per_token * self.bytes_per_value + self.column_bytes) + mask * (1 + self.bytes_per_value)


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What may be active at once.

    Attributes:
        rows: maximum number of rows.
        cells: rows times columns at most, of keys and values.
        prefill_tokens: prompt tokens of one prefill at most, padding included; a single prompt may be longer.
    """

    rows: int
    cells: int
    prefill_tokens: int

    def rows_for(self, columns: int) -> int:
        """How many rows of this many columns; at least one, which is always worth trying."""
        return max(1, min(self.rows, self.cells // max(1, columns)))

    def halved(self, rows: int) -> BatchLimits:
        """What to try after memory ran out with `rows` active."""
        return BatchLimits(max(1, rows // 2), max(1, self.cells // 2), max(1, self.prefill_tokens // 2))


def batch_limits(
    sizes: ModelSizes, free_bytes: int, *, rows: int, prefill_tokens: int, longest_prompt: int
) -> BatchLimits:
    """What fits into the memory that is free once the weights are loaded.

    Args:
        sizes: of the model.
        free_bytes: memory that nothing holds yet.
        rows, prefill_tokens: upper limits, from the engine's options.
        longest_prompt: tokens; its prefill cannot be split.
    """
    usable = free_bytes * HEADROOM
    prefill_tokens = max(prefill_tokens, longest_prompt)
    while prefill_tokens > longest_prompt and sizes.prefill_bytes(prefill_tokens, longest_prompt) > usable / 4:
        prefill_tokens = max(longest_prompt, prefill_tokens // 2)
    left = usable - sizes.prefill_bytes(prefill_tokens, longest_prompt)
    cells = int(max(0.0, left - rows * sizes.row_bytes) // sizes.column_bytes)
    return BatchLimits(rows=rows, cells=max(1, cells), prefill_tokens=prefill_tokens)


def rounded(columns: int, limit: int) -> int:
    """Columns to reserve for so many: the next step, within the model's context."""
    return min(limit, math.ceil(columns / COLUMNS_STEP) * COLUMNS_STEP)
