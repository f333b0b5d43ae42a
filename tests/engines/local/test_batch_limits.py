"""What the memory model says is what is allocated."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.cache_utils import DynamicCache

from medo1.engines.local.batch_limits import BatchLimits, ModelSizes, batch_limits, rounded
from medo1.engines.local.kv_cache import BatchKVCache

LARGE = ModelSizes(
    layers=64, key_heads=8, head_size=128, heads=40, hidden=5120, feed_forward=27_648, vocabulary=152_064,
    bytes_per_value=2,
)  # fmt: skip
GIB = 1 << 30


def test_a_column_takes_what_the_slots_allocate(tiny_model: Path) -> None:
    sizes = ModelSizes.of(AutoConfig.from_pretrained(tiny_model), 4)
    model = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    prompt = DynamicCache()
    with torch.inference_mode():
        model(torch.zeros(1, 4, dtype=torch.long), past_key_values=prompt, use_cache=True)
        slots = BatchKVCache(2, {"full_attention": None})
        slots.reserve(prompt, 6, 50)
    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in slots.layers)
    assert held == 6 * 50 * sizes.column_bytes


def test_a_known_model_takes_what_is_known_of_it() -> None:
    """Qwen2.5-32B keeps 256 KiB of keys and values per token in bf16: 2 x 64 layers x 8 heads x 128 x 2 bytes."""
    assert LARGE.column_bytes == 256 * 1024


def test_what_is_planned_fits_into_what_is_free() -> None:
    for free in (4 * GIB, 20 * GIB, 70 * GIB):
        made = batch_limits(LARGE, free, rows=128, prefill_tokens=8192, longest_prompt=700)
        held = (
            made.cells * LARGE.column_bytes
            + made.rows * LARGE.row_bytes
            + LARGE.prefill_bytes(made.prefill_tokens, 700)
        )
        assert held <= free
        assert held > 0.6 * free  # and does not leave it idle
        assert made.prefill_tokens >= 700


def test_longer_rows_mean_fewer_of_them_but_never_none() -> None:
    made = batch_limits(LARGE, 20 * GIB, rows=128, prefill_tokens=8192, longest_prompt=700)
    assert made.rows_for(100) == 128
    assert 1 < made.rows_for(2_000) < 40
    assert made.rows_for(10**9) == 1


def test_a_prompt_longer_than_the_reading_limit_is_still_read_whole() -> None:
    assert batch_limits(LARGE, GIB, rows=8, prefill_tokens=512, longest_prompt=6_000).prefill_tokens == 6_000


def test_half_of_one_row_is_one_row() -> None:
    assert BatchLimits(1, 10, 10).halved(1) == BatchLimits(1, 5, 5)


@pytest.mark.parametrize(("columns", "expected"), [(1, 64), (64, 64), (65, 128), (500, 500)])
def test_columns_are_reserved_in_steps_within_the_context(columns: int, expected: int) -> None:
    assert rounded(columns, limit=500) == expected
