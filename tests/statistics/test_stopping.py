"""Drawing stops when more samples can hardly change the winner, by an exact probability."""

from __future__ import annotations

import numpy as np
import pytest

from medo1.statistics.fitted_prior import fitted_prior
from medo1.statistics.fitted_stopping import calibrated
from medo1.statistics.rules import StoppingRule
from medo1.statistics.stopping import Stop, looks, probability_of_staying_ahead, stopping_point, stops, stops_at
from medo1.statistics.urns import stays_ahead
from medo1.statistics.votes import Voter, vote


def by_urn(letters: str, options: int, remaining: int, prior: float, draws: int = 20_000) -> float:
    """Polya's urn, played out: each draw adds a ball of its colour; silence is a colour too."""
    generator = np.random.default_rng(0)
    names = [*"ABCDE"[:options], "-"]
    start = np.array([prior + letters.count(name) for name in names])
    today = vote([Voter(None if letter == "-" else letter) for letter in letters]).letter
    stays = 0
    for shares in generator.dirichlet(start, draws):
        more = generator.choice(names, remaining, p=shares)
        final = vote([Voter(None if letter == "-" else letter) for letter in [*letters, *more]]).letter
        stays += final == today
    return stays / draws


@pytest.mark.parametrize(
    ("letters", "options", "remaining"),
    [("A", 4, 3), ("AAB", 4, 5), ("BAAB", 3, 4), ("AB-", 4, 6), ("AABBC", 5, 7), ("CAAB--", 3, 2)],
)
def test_the_probability_is_that_of_the_urn_ties_included(letters: str, options: int, remaining: int) -> None:
    rule = StoppingRule(prior=0.7)
    stated = [None if letter == "-" else letter for letter in letters]
    exact = probability_of_staying_ahead(stated, options, remaining, rule)
    assert exact == pytest.approx(by_urn(letters, options, remaining, 0.7, 6_000), abs=0.025)


def by_convolution(leader: int, rivals: list[tuple[int, bool]], silent: int, remaining: int, prior: float) -> float:
    """The sum as it is written: ways of each letter to gain so many, of rivals only as far as they stay behind."""

    def ways(weight: float, most: int) -> np.ndarray:
        steps = np.arange(most)
        return np.concatenate([[1.0], np.cumprod((weight + steps) / (steps + 1))])

    own, total = ways(leader + prior, remaining), 0.0
    for gained in range(remaining + 1):
        product = ways(silent + prior, remaining - gained)
        for votes, wins_ties in rivals:
            allowed = leader + gained - votes - wins_ties
            product = np.convolve(product, ways(votes + prior, allowed) if allowed >= 0 else [0.0])
        total += own[gained] * product[remaining - gained] if len(product) > remaining - gained else 0.0
    every = leader + silent + sum(votes for votes, _ in rivals) + (len(rivals) + 2) * prior
    return float(total / ways(every, remaining)[-1])


def test_the_probability_is_the_sum_over_all_ends() -> None:
    draw = np.random.default_rng(3)
    for turn in range(200):
        leader = int(draw.integers(1, 12))
        rivals = [(int(draw.integers(0, leader + 1)), False) for _ in range(int(draw.integers(1, 10)))]
        rivals = sorted((votes, bool(votes < leader and draw.random() < 0.3)) for votes, _ in rivals)
        silent, remaining = int(draw.integers(0, 4)), int(draw.integers(1, 40))
        prior = (0.01, 0.25, 1.0, 8.0)[turn % 4]
        exact = by_convolution(leader, rivals, silent, remaining, prior)
        assert stays_ahead(leader, tuple(rivals), silent, 1, remaining, prior) == pytest.approx(exact, abs=1e-9)


def test_thousands_of_samples_do_not_overflow() -> None:
    """Two alike after 60 of 3,000 samples: about even, and not certain."""
    for most in (600, 3000):
        close = probability_of_staying_ahead(list("AB" * 30), 3, most - 60)
        assert 0.3 < close < 0.7
    assert probability_of_staying_ahead(list("A" * 60), 4, 2940) > 0.99


@pytest.mark.parametrize("name", ["dirichlet", "fitted", "beta", "distribution_free"])
def test_all_thresholds_at_once_stop_where_each_stops_alone(name: str) -> None:
    draw = np.random.default_rng(9)
    rule = StoppingRule.model_validate({"rule": name, "mixture": [[0.1, 0.6], [2.0, 0.4]], "first": 2, "step": 2})
    thresholds = (1.0, 0.5, 0.9, 0.999, 0.95)
    for _ in range(60):
        letters = sampled(draw, draw.dirichlet([0.4] * 5).tolist(), 20)
        looked = list(stops(letters, 4, rule, 20))
        for threshold, found in zip(thresholds, stops_at(letters, 4, rule, thresholds), strict=True):
            alone = next(stop for stop in looked if stop.ends(threshold, 20))
            assert (found, found.leader) == (alone, vote([Voter(one) for one in letters[: alone.drawn]]).letter)


def test_a_leader_that_cannot_be_caught_is_certain() -> None:
    assert probability_of_staying_ahead(list("AAAAA"), 4, 4) == pytest.approx(1.0)
    assert probability_of_staying_ahead(list("AAAAA"), 4, 5) == pytest.approx(1.0)  # a tie goes to A, stated first
    assert probability_of_staying_ahead(list("BAAAA"), 4, 3) < 1.0  # here a tie goes to B
    assert probability_of_staying_ahead(list("AB"), 4, 0) == 1.0


def test_more_of_one_letter_is_surer_and_more_to_come_is_less_sure() -> None:
    chances = [probability_of_staying_ahead(list("A" * count), 4, 16) for count in range(1, 8)]
    assert chances == sorted(chances)
    chances = [probability_of_staying_ahead(list("AAAB"), 4, remaining) for remaining in (1, 2, 4, 8, 16, 64)]
    assert chances == sorted(chances, reverse=True)


def test_nothing_stated_decides_nothing() -> None:
    assert probability_of_staying_ahead([None, None], 4, 6) == 0.0
    assert stopping_point([None] * 4, 4, StoppingRule(first=4), most=8) is None
    assert stopping_point([None] * 8, 4, StoppingRule(first=4), most=8) == Stop(8, 1.0)


def test_the_rule_beta_is_adaptive_consistencys() -> None:
    """Aggarwal et al.: the integral of the Beta density of leader and second above one half."""
    from scipy.integrate import quad
    from scipy.stats import beta

    expected, _ = quad(lambda share: beta.pdf(share, 5 + 1, 2 + 1), 0.5, 1)
    found = probability_of_staying_ahead(list("AAAAABBC"), 4, 100, StoppingRule(rule="beta"))
    assert found == pytest.approx(expected)


def test_drawing_stops_at_a_look_and_only_there() -> None:
    rule = StoppingRule(threshold=0.95, first=3, step=2)
    assert looks(rule, 8) == [3, 5, 7, 8]
    assert looks(rule, 2) == [2]
    assert stopping_point(list("AAAAAAAA"), 4, rule, most=8) is not None
    stop = stopping_point(list("AAAAAAAA"), 4, rule, most=8)
    assert stop is not None
    assert stop.drawn in (3, 5)
    assert stopping_point(list("AB"), 4, rule, most=8) is None
    assert stopping_point(list("ABAB"), 4, rule, most=8) is None


def test_all_samples_are_the_last_look_whatever_the_probability() -> None:
    stop = stopping_point(list("ABBAABBA"), 4, StoppingRule(threshold=1.0, first=3, step=2), most=8)
    assert stop is not None
    assert stop.drawn == 8


def test_a_stopped_vote_is_wrong_about_the_whole_as_seldom_as_it_says() -> None:
    """Letters from Dirichlet shares, as the rule believes: of stops at 0.9, at least nine in ten keep their leader."""
    generator = np.random.default_rng(5)
    rule = StoppingRule(threshold=0.9, first=3, step=1, prior=0.5)
    kept = stopped = saved = 0
    for _ in range(1500):
        shares = generator.dirichlet([0.5] * 5)
        drawn = generator.choice([*"ABCD", "-"], 16, p=shares)
        letters = [None if letter == "-" else str(letter) for letter in drawn]
        stop = stopping_point(letters, 4, rule, most=16)
        assert stop is not None
        if stop.drawn < 16:
            stopped += 1
            saved += 16 - stop.drawn
            part, whole = ([Voter(letter) for letter in letters[:size]] for size in (stop.drawn, 16))
            kept += vote(part).letter == vote(whole).letter
    assert stopped > 700
    assert saved > 16 * 1500 / 4
    assert kept / stopped > 0.9


def test_off_its_prior_the_rule_agrees_less_often_than_it_says_so_agreement_is_measured() -> None:
    """Answers spread at .40 .35 .15 .08 on every question: the prior believes in clearer ones. The promise is under the
    prior alone, which is why tables and page show agreement as measured."""
    generator = np.random.default_rng(6)
    rule, kept, said = StoppingRule(), [], []
    for _ in range(600):
        drawn = generator.choice([*"ABCD", "-"], 32, p=[0.40, 0.35, 0.15, 0.08, 0.02])
        letters = [None if letter == "-" else str(letter) for letter in drawn]
        stop = stopping_point(letters, 4, rule, most=32)
        assert stop is not None
        part, whole = ([Voter(letter) for letter in letters[:size]] for size in (stop.drawn, 32))
        kept.append(vote(part).letter == vote(whole).letter)
        said.append(stop.probability)
    assert np.mean(said) > 0.95
    assert np.mean(kept) < np.mean(said) - 0.02


# Whatever the answers are: the rule without a prior

MIXES = {
    "hard": [[0.40, 0.35, 0.15, 0.08, 0.02]],
    "even": [[0.24, 0.24, 0.24, 0.24, 0.04]],
    "two alike": [[0.49, 0.49, 0.01, 0.01, 0.0]],
    "half known, half hard": [[0.96, 0.02, 0.01, 0.01, 0.0], [0.40, 0.35, 0.15, 0.08, 0.02]],
    "mostly silent": [[0.15, 0.12, 0.02, 0.01, 0.70]],
    "easy": [[0.95, 0.03, 0.01, 0.01, 0.0]],
}


def replayed(mix: list[list[float]], rule: StoppingRule, most: int, times: int = 300) -> tuple[float, float]:
    """How often a vote that stopped agrees with that of all samples, and the share of samples that it drew."""
    generator = np.random.default_rng(8)
    agreed, drawn = 0, 0
    for turn in range(times):
        letters = sampled(generator, mix[turn % len(mix)], most)
        stop = stopping_point(letters, 4, rule, most)
        assert stop is not None
        part, whole = ([Voter(letter) for letter in letters[:size]] for size in (stop.drawn, most))
        agreed += vote(part).letter == vote(whole).letter
        drawn += stop.drawn
    return agreed / times, drawn / times / most


def sampled(generator: np.random.Generator, shares: list[float], most: int) -> list[str | None]:
    return [None if letter == "-" else str(letter) for letter in generator.choice([*"ABCD", "-"], most, p=shares)]


@pytest.mark.parametrize("mix", MIXES)
def test_fitted_on_other_questions_of_the_mix_the_promise_holds_on_every_mix(mix: str) -> None:
    generator = np.random.default_rng(4)
    most = 32 if mix == "hard" else 16
    dev = [(sampled(generator, MIXES[mix][turn % len(MIXES[mix])], most), 4) for turn in range(60)]
    looks_at = StoppingRule(first=1)
    promises = (0.9, 0.95, 0.98)
    for promise, found in zip(promises, calibrated(dev, looks_at, promises), strict=True):
        assert found.threshold is not None
        rule = StoppingRule(rule="fitted", first=1, threshold=found.threshold, mixture=fitted_prior(dev))
        agreed, share = replayed(MIXES[mix], rule, most)
        assert agreed >= promise - 2 * np.sqrt(promise * (1 - promise) / 300)
        if mix == "easy":
            assert share < 0.25


def test_a_promise_that_so_few_questions_cannot_show_has_no_threshold_and_says_how_many_it_takes() -> None:
    same: list[tuple[list[str | None], int]] = [(list("A" * 16), 4)] * 20
    low, high = calibrated(same, StoppingRule(), (0.95, 0.99))
    assert low.threshold is not None
    assert (high.threshold, high.needed) == (None, 99)


def test_the_fitted_prior_finds_the_kinds_of_questions_and_holds_none_impossible() -> None:
    generator = np.random.default_rng(2)
    easy = [(sampled(generator, generator.dirichlet([0.1] * 5), 32), 4) for _ in range(120)]
    even = [(sampled(generator, generator.dirichlet([4.0] * 5), 32), 4) for _ in range(60)]
    found = dict(fitted_prior([*easy, *even]))
    assert sum(found.values()) == pytest.approx(1, abs=1e-4)
    assert sum(share for count, share in found.items() if count < 0.5) == pytest.approx(2 / 3, abs=0.06)
    assert min(found.values()) > 0
    assert dict(fitted_prior([])) == pytest.approx(dict.fromkeys(found, 1 / 9))


def test_a_mixture_of_one_pseudo_count_is_that_prior() -> None:
    letters = list("AABACA")
    plain = probability_of_staying_ahead(letters, 4, 10, StoppingRule(prior=0.5))
    assert probability_of_staying_ahead(
        letters, 4, 10, StoppingRule(rule="fitted", mixture=((0.5, 1.0),))
    ) == pytest.approx(plain)


def test_a_fitted_rule_without_its_prior_says_where_to_take_it() -> None:
    with pytest.raises(ValueError, match="tables `stopping_prior`"):
        StoppingRule(rule="fitted")
    with pytest.raises(ValueError, match="pairs of a pseudo-count above 0"):
        StoppingRule(mixture=((0.0, 1.0),))


@pytest.mark.parametrize("mix", MIXES)
def test_without_a_prior_the_promise_holds_on_every_mix(mix: str) -> None:
    for most, first in ((32, 1), (8, 3)):
        agreed, share = replayed(MIXES[mix], StoppingRule(rule="distribution_free", first=first), most)
        assert agreed >= 0.95, f"{most} samples"
        if mix == "easy":
            assert share < 0.35 if most == 32 else share < 0.65


@pytest.mark.parametrize("counts", [(3, 3, 0), (4, 3, 0), (3, 2, 2), (2, 2, 2), (4, 2, 1), (3, 4, 0), (5, 2, 0)])
def test_without_a_prior_the_promise_holds_exactly_over_all_orders(counts: tuple[int, ...]) -> None:
    """Whatever the votes of all samples are: of their orders, at most 1 - threshold stop on another winner."""
    from itertools import permutations

    letters = [letter for letter, count in zip("ABC", counts, strict=True) for _ in range(count)]
    orders = set(permutations(letters))
    early = False
    for threshold in (0.5, 0.7, 0.8):
        rule = StoppingRule(rule="distribution_free", threshold=threshold, first=1)
        wrong = 0
        for order in orders:
            stop = stopping_point(order, 3, rule, len(order))
            assert stop is not None
            early |= stop.drawn < len(order)
            part = vote([Voter(letter) for letter in order[: stop.drawn]]).letter
            wrong += part != vote([Voter(letter) for letter in order]).letter
        assert wrong / len(orders) <= 1 - threshold + 1e-12
    assert early or counts == (2, 2, 2), "or nothing was tested"
