"""Packing changes the speed and nothing else."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any, Literal, get_args

import pytest

from medo1.from_scratch.scratch_training import (
    IGNORED,
    LoopSpec,
    ModelSpec,
    TokenText,
    deterministic,
    train,
)
from medo1.from_scratch.scratch_training import _hidden as hidden_states
from medo1.from_scratch.scratch_training import _packed as packed

SIZE = ModelSpec(hidden=16, layers=2, heads=2, feed_forward=16, positions=256)
LOOP = LoopSpec(steps=6, rows=4, width=32, learning_rate=1e-2, warmup_steps=1)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    from medo1.from_scratch.tokenizers import text_tokenizer

    return text_tokenizer(["a b c d e f g h"], 300)


def new(tokenizer: Any, seed: int = 0, family: Literal["qwen2", "llama"] = "qwen2") -> Any:
    from medo1.from_scratch.scratch_training import new_model

    with deterministic(seed, 1):
        return new_model(SIZE.model_copy(update={"family": family}), tokenizer)


def examples(count: int = 40, seed: int = 0) -> list[TokenText]:
    rng = random.Random(seed)
    sizes = [rng.randint(3, 20) for _ in range(count)]
    return [
        TokenText(tuple(rng.randrange(3, 200) for _ in range(size)), tuple(place >= 2 for place in range(size)))
        for size in sizes
    ]


@pytest.mark.parametrize("family", get_args(ModelSpec.model_fields["family"].annotation))
def test_a_packed_document_sees_what_it_sees_alone(tokenizer: Any, family: Literal["qwen2", "llama"]) -> None:
    import torch

    model = new(tokenizer, family=family).eval()
    given = examples(12)
    batch = packed(iter(given), [], 4, 64, 0, random.Random(0), 0)
    assert batch.documents == len(given)
    with torch.no_grad():
        together = hidden_states(model, batch)
        for number, example in enumerate(given):
            places = batch.numbers == number
            assert batch.ids[places].tolist() == list(example.ids)
            alone = model.model(input_ids=torch.tensor([example.ids])).last_hidden_state[0]
            assert torch.allclose(together[places], alone, atol=1e-5)


def test_labels_are_the_next_learned_tokens(tokenizer: Any) -> None:
    batch = packed(iter([TokenText((5, 6, 7, 8), (False, False, True, True))]), [], 1, 6, 0, random.Random(0), 0)
    assert batch.labels.tolist() == [[IGNORED, 7, 8, IGNORED, IGNORED, IGNORED]]
    assert batch.numbers.tolist() == [[0, 0, 0, 0, -1, -1]]


def test_every_document_is_packed_once_and_rows_are_full() -> None:
    given = examples(400)
    stream, waiting, seen, places, filled = iter(given), [], 0, 0, 0  # type: ignore[var-annotated]
    while (batch := packed(stream, waiting, 4, 64, 0, random.Random(0), 0)).documents:
        seen += batch.documents
        if seen != len(given):
            filled += int((batch.numbers >= 0).sum())
            places += batch.numbers.numel()
    assert seen == len(given)
    assert filled / places > 0.93


def test_positions_jump_before_what_is_learned_and_nowhere_else() -> None:
    example = TokenText(tuple(range(10, 20)), (False,) * 4 + (True,) * 6)
    jumps = set()
    for seed in range(200):
        positions = packed(iter([example]), [], 1, 10, 50, random.Random(seed), 0).positions[0].tolist()
        assert positions[:4] == [0, 1, 2, 3]
        assert [after - before for before, after in pairwise(positions[4:])] == [1] * 5
        jumps.add(positions[4] - 4)
    assert 0 in jumps
    assert 40 < max(jumps) <= 50


def test_equal_seeds_give_equal_weights_and_the_callers_randomness_is_left_alone(tokenizer: Any) -> None:
    import torch

    def weights(seed: int) -> Any:
        with deterministic(seed, 1):
            from medo1.from_scratch.scratch_training import new_model

            model = new_model(SIZE, tokenizer)
            train(model, [(examples(), 6)], LOOP, seed)
        return torch.cat([weight.flatten() for weight in model.state_dict().values()])

    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, same, other = weights(1), weights(1), weights(2)
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_the_log_has_every_twentieth_of_the_steps_and_the_last(tokenizer: Any) -> None:
    log = train(new(tokenizer), [(examples(), 2), (examples(seed=1), 4)], LOOP, 0)
    assert [step for step, _ in log] == [1, 2, 3, 4, 5, 6]
    assert all(loss > 0 for _, loss in log)


def test_a_document_that_fits_no_row_is_refused_and_never_cut(tokenizer: Any) -> None:
    with pytest.raises(ValueError, match="has 40 tokens and a row holds 32"):
        train(new(tokenizer), [([TokenText((5,) * 40, (True,) * 40)], 6)], LOOP, 0)
    with pytest.raises(ValueError, match="the parts ask for"):
        train(new(tokenizer), [(examples(), 5)], LOOP, 0)
