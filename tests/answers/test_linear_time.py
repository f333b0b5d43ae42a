"""No text stalls the reader: its time grows with a text's length and no faster, whatever is repeated."""

from __future__ import annotations

import pytest

from tests.answers.test_answer_reading import benchmark

# bounds for a busy machine; `benchmarks/answers.py` measures with more texts
MOST_MS = 100
MOST_GROWTH = 8


def milliseconds(text: str) -> float:
    return min(benchmark().best_of(5, text, finish) for finish in ("stop", None)) * 1e3


@pytest.mark.parametrize("seed", range(2))
def test_time_grows_no_faster_than_the_text(seed: int):
    module = benchmark()
    texts = list(module.slow_texts(4_000, 100, seed))
    once = sorted(((module.best_of(1, text), unit, text) for unit, text in texts), reverse=True)
    for _, unit, text in once[:12]:
        short = milliseconds(text)
        assert milliseconds(text * 4) < MOST_GROWTH * max(short, 0.3), unit
        assert milliseconds((text * 7)[:25_000]) < MOST_MS, unit


@pytest.mark.parametrize(
    "text",
    [
        "It is not a good idea." + "\n" * 25_000,
        "The dose stays open." + "  \n" * 8_000,
        "#" * 25_000,
        "The answer is:" + " " * 25_000,
        "(" * 25_000 + "A",
        "A" * 25_000,
        "The answer is (A) or " * 1_200,
        "\\boxed{" * 3_500,
        "<" * 25_000,
        "\n- A) x" * 3_500,
        "no, " * 6_000,
    ],
    ids=lambda text: repr(text[:24]),
)
def test_a_long_run_of_one_mark_is_read_at_once(text: str):
    assert milliseconds(text) < MOST_MS
