"""The bootstrap, against SciPy's and against simulated truths."""

from __future__ import annotations

import numpy as np
import pytest

from medo1.statistics.resampling import bootstrap_mean


def test_it_is_scipys_bca() -> None:
    from scipy.stats import bootstrap

    values = np.random.default_rng(1).exponential(1.0, 60)
    own = bootstrap_mean(values.tolist(), draws=20_000)
    theirs = bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=3).confidence_interval
    assert (own.low, own.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


@pytest.mark.parametrize("clustered", [False, True])
def test_it_holds_the_truth_as_often_as_it_says(clustered: bool) -> None:
    """Gains of votes: mostly none, some in eighths, some lost; doubled in clusters, which must not narrow it."""
    rng = np.random.default_rng(4)
    values, chances = [0.0, 0.375, 0.125, -0.375], [0.6, 0.2, 0.1, 0.1]
    truth, runs, held = float(np.dot(values, chances)), 500, 0
    for _ in range(runs):
        drawn = rng.choice(values, 90, p=chances).tolist()
        if clustered:
            found = bootstrap_mean([*drawn, *drawn], clusters=[*range(90), *range(90)], draws=1000)
        else:
            found = bootstrap_mean(drawn, draws=1000)
        held += found.low <= truth <= found.high
    assert 0.925 <= held / runs <= 0.975


def test_equal_values_and_seeds_give_equal_bounds() -> None:
    assert bootstrap_mean([0.5] * 9) == bootstrap_mean([0.5] * 9)
    assert bootstrap_mean([0.5] * 9).low == 0.5
    assert bootstrap_mean([0.1, 0.7, 0.3], seed=2) == bootstrap_mean([0.1, 0.7, 0.3], seed=2)


def test_no_values_are_refused() -> None:
    with pytest.raises(ValueError, match="expected one cluster for each"):
        bootstrap_mean([])
