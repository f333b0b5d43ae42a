"""Limits per minute, back-off, and what `Retry-After` says."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medo1.engines.http.limits import Bucket, Throttle, backoff_s, retry_after_s

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Mon, 23 Nov 2026 12:00:07 GMT"}, 7.0),
        ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "99999999"}, 3600.0),
        ({}, None),
    ],
)
def test_both_forms_of_retry_after_are_read(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers, NOON) == seconds


def test_a_bucket_keeps_the_rate_of_a_minute() -> None:
    bucket, now, taken = Bucket(600, 0.0), 0.0, 0
    while now < 60:
        wait = bucket.wait_s(1, now)
        if wait:
            now += wait
            continue
        bucket.take(1)
        taken += 1
    assert 600 <= taken <= 611


def test_a_cost_above_the_bucket_is_let_through_and_paid_off() -> None:
    bucket = Bucket(60, 0.0)  # one a second
    assert bucket.wait_s(10, 0.0) == 0
    bucket.take(10)
    assert bucket.wait_s(1, 0.0) == pytest.approx(10)


def test_back_off_never_comes_back_before_the_server_said() -> None:
    chance = random.Random(1)
    assert all(backoff_s(n, 2.5, chance) >= 2.5 for n in range(1, 10))
    assert all(backoff_s(n, None, chance) <= 60 for n in range(1, 40))


@given(st.lists(st.tuples(st.booleans(), st.one_of(st.none(), st.floats(0, 5))), max_size=200))
def test_the_throttle_always_lets_something_through_and_never_too_much(
    outcomes: list[tuple[bool, float | None]],
) -> None:
    throttle, now = Throttle(32), 0.0
    for refused, wait in outcomes:
        now += 0.01
        if refused:
            throttle.refused(throttle.epoch, now, wait)
        else:
            throttle.answered()
        assert 1 <= throttle.allowed <= 32


def test_a_few_refusals_slow_nobody_and_many_slow_everybody() -> None:
    few = Throttle(100)
    for place in range(1000):
        few.refused(few.epoch, 0.0, 5.0) if place % 10 == 0 else few.answered()
    assert few.allowed == 100
    assert few.paused_until == 0
    some = Throttle(100)
    for place in range(300):  # a third: the speed shrinks gently, and nothing pauses
        some.refused(some.epoch, 0.0, 5.0) if place % 3 == 0 else some.answered()
    shrunk = Throttle(100)
    shrunk._recent = 0.4
    shrunk.refused(shrunk.epoch, 0.0, 5.0)
    assert 90 < shrunk.allowed < 100
    assert (shrunk.paused_until, shrunk.epoch) == (0, 0)
    assert some.paused_until == 0
    many = Throttle(100)
    for _ in range(100):
        many.refused(many.epoch, 1.0, 5.0)
    assert many.allowed <= 50
    assert many.paused_until == 6.0
