"""Tokens are picked as often as the model says, and each row from its own numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, kstest

from medo1.engines.local.sampling import Drawing, penalised, sample_tokens, uniforms

LOGITS = torch.tensor([2.0, 1.0, 0.5, -1.0, -2.0, float("-inf")])


def drawing(rows: int, temperature: float, top_p: float = 1.0, top_k: int = 0, min_p: float = 0.0) -> Drawing:
    return Drawing(np.full(rows, temperature), np.full(rows, top_p), np.full(rows, top_k), np.full(rows, min_p))


def drawn(temperature: float, top_p: float, count: int = 4000) -> np.ndarray:
    seeds = np.arange(count, dtype=np.uint64)
    numbers = uniforms(seeds, np.zeros(count, np.uint64))
    rows = LOGITS.expand(count, -1)
    return sample_tokens(rows, drawing(count, temperature, top_p), numbers).tokens.numpy()


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (0.5, 1.0), (2.0, 0.9), (1.0, 0.7)])
def test_tokens_come_as_often_as_the_model_says(temperature: float, top_p: float) -> None:
    shares = torch.softmax(LOGITS.double() / temperature, dim=-1).numpy()
    before = np.cumsum(shares) - shares  # the logits stand in falling order
    shares = np.where(before < top_p, shares, 0)
    shares /= shares.sum()
    seen = np.bincount(drawn(temperature, top_p), minlength=6)
    assert seen[shares == 0].sum() == 0
    possible = shares > 0
    assert chisquare(seen[possible], 4000 * shares[possible]).pvalue > 1e-3


def test_a_row_is_picked_as_if_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(12, 50, generator=generator)
    temperature = np.array([0.0, 0.7, 1.0, 0.7] * 3)
    top_p = np.array([1.0, 1.0, 0.8, 0.5] * 3)
    how = Drawing(temperature, top_p, np.array([0, 5, 0] * 4), np.array([0.0, 0.0, 0.0, 0.1] * 3))
    uniform = uniforms(np.arange(12, dtype=np.uint64), np.full(12, 3, np.uint64))
    together = sample_tokens(logits, how, uniform)
    for row in range(12):
        part = slice(row, row + 1)
        alone = sample_tokens(logits[part], Drawing(*(array[part] for array in how)), uniform[part])
        for values, value in zip(together, alone, strict=True):
            np.testing.assert_allclose(values[part], value, rtol=1e-6)


def test_numbers_of_one_seed_and_of_one_place_are_uniform_and_unrelated() -> None:
    """Neighbouring seeds and places must not give related draws: seeds are hashes, places are 0, 1, 2 ..."""
    seeds, places = np.meshgrid(np.arange(300, dtype=np.uint64), np.arange(300, dtype=np.uint64), indexing="ij")
    numbers = uniforms(seeds.ravel(), places.ravel()).reshape(300, 300)
    assert kstest(numbers.ravel(), "uniform").pvalue > 1e-3
    assert ((numbers >= 0) & (numbers < 1)).all()
    by_seed, by_place = np.corrcoef(numbers), np.corrcoef(numbers.T)
    for correlations in (by_seed, by_place):
        off = correlations[~np.eye(300, dtype=bool)]
        assert abs(off).max() < 0.35  # 90,000 pairs of 300 numbers: five standard errors are 0.29
        assert off.std() == pytest.approx(300**-0.5, rel=0.05)


def test_equal_seeds_and_places_give_equal_numbers_whatever_stands_beside_them() -> None:
    seeds = np.array([5, 2**63 - 1, 5], np.uint64)
    assert uniforms(seeds, np.array([1, 2, 1], np.uint64))[0] == uniforms(seeds[:1], np.array([1], np.uint64))[0]
    first, _, third = uniforms(seeds, np.array([1, 2, 1], np.uint64))
    assert first == third


def test_the_largest_random_number_still_picks_a_possible_token() -> None:
    top = np.array([np.nextafter(1.0, 0.0)])
    for top_p in (1.0, 0.9):
        assert sample_tokens(LOGITS[None], drawing(1, 1.0, top_p), top).tokens.item() < 5


def test_a_surer_model_has_the_larger_confidence() -> None:
    flat, sharp = torch.zeros(1, 40), torch.linspace(8, -8, 40)[None]
    given = (drawing(1, 1.0), np.array([0.5]))
    assert sample_tokens(flat, *given).certainty.item() == pytest.approx(0, abs=1e-6)
    assert sample_tokens(sharp, *given).certainty > sample_tokens(flat, *given).certainty
    assert sample_tokens(sharp, *given).confidence > sample_tokens(flat, *given).confidence


@pytest.mark.parametrize(
    "settings",
    [
        {"top_k": 3},
        {"min_p": 0.2},
        {"top_k": 20, "top_p": 0.6},
        {"top_k": 4, "top_p": 0.9, "min_p": 0.3},
        {"top_k": 999},
    ],
    ids=str,
)
@pytest.mark.parametrize("temperature", [0.6, 1.5])
def test_what_is_left_out_is_what_transformers_leaves_out(settings: dict[str, float], temperature: float) -> None:
    from transformers import MinPLogitsWarper, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    logits = torch.randn(1, 40, generator=torch.Generator().manual_seed(3)) * 2
    kinds = {"top_k": TopKLogitsWarper, "top_p": TopPLogitsWarper, "min_p": MinPLogitsWarper}
    left = TemperatureLogitsWarper(temperature)(None, logits)
    for name, kind in kinds.items():
        if name in settings:
            left = kind(settings[name])(None, left)
    expected = torch.softmax(left, dim=-1)[0].numpy()
    count = 20_000
    numbers = (np.arange(count) + 0.5) / count
    how = drawing(count, temperature, **settings)
    seen = np.bincount(sample_tokens(logits.expand(count, -1), how, numbers).tokens.numpy(), minlength=40) / count
    np.testing.assert_allclose(seen, expected, atol=2 / count)


def test_the_penalty_of_repetition_is_transformers_and_leaves_other_rows_alone() -> None:
    from transformers import RepetitionPenaltyLogitsProcessor

    logits = torch.randn(3, 30, generator=torch.Generator().manual_seed(4))
    before = logits.clone()
    changed = penalised(logits, {1: [4, 7, 7, 29]}, np.array([1.0, 1.7, 1.0]))
    expected = RepetitionPenaltyLogitsProcessor(1.7)(torch.tensor([[4, 7, 7, 29]]), logits[1:2])
    assert torch.equal(logits, before)
    torch.testing.assert_close(changed[1:2], expected)
    assert torch.equal(changed[[0, 2]], logits[[0, 2]])
