"""Votes are over answers, by a stated rule."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medo1.statistics.rules import Weighing
from medo1.statistics.vote_curves import expected_accuracy
from medo1.statistics.votes import RankedDiagnosis, Vote, Voter, can_vote, ranked_vote, vote
from medo1.vocabulary import VOTE_METHODS, VoteMethod

LETTERS = st.lists(st.sampled_from(["A", "B", "C", None]), max_size=12)


def samples(letters: str, sure: dict[str, float] | None = None) -> list[Voter]:
    """A letter a sample, `-` for nothing stated; as sure as `sure` says of its letter."""
    sure = sure or {}
    return [Voter(None if letter == "-" else letter, *([sure.get(letter, 1.0)] * 4)) for letter in letters]


def test_the_letter_with_most_votes_wins() -> None:
    assert vote(samples("ABBAB")) == Vote("B", 3 / 5, 5)


def test_a_tie_goes_to_the_letter_that_was_stated_first() -> None:
    assert vote(samples("BAAB")).letter == "B"
    assert vote(samples("-CABBAC")).letter == "C"


def test_what_states_nothing_does_not_vote() -> None:
    assert vote(samples("---A---")) == Vote("A", 1.0, 1)
    assert vote(samples("----")) == Vote(None, 0.0, 0)
    assert vote([]) == Vote(None, 0.0, 0)


@pytest.mark.parametrize("method", VOTE_METHODS[1:])
def test_two_sure_votes_can_outweigh_three_unsure_ones(method: VoteMethod) -> None:
    sure = {"A": 3.0, "B": 0.2} if method != "logprob" else {"A": -0.1, "B": -2.0}
    outcome = vote(samples("BABAB", sure), method, Weighing(borda_power=2.0, keep_share=0.4))
    assert outcome.letter == "A"
    assert outcome.voters == 5


def test_by_log_probability_a_vote_weighs_the_mean_probability_of_its_tokens() -> None:
    import math

    outcome = vote([Voter("A", math.log(0.5)), Voter("B", math.log(0.9)), Voter("A", math.log(0.3))], "logprob")
    assert outcome.letter == "B"
    assert outcome.share == pytest.approx(0.9 / 1.7)


def test_by_self_certainty_the_rank_counts_and_not_the_distance() -> None:
    far = [Voter("A", self_certainty=100.0), Voter("B", self_certainty=2.0), Voter("B", self_certainty=1.0)]
    assert vote(far, "self_certainty", Weighing(borda_power=1.0)).letter == "A"  # 3 against 2 + 1, stated first
    assert vote(far, "self_certainty", Weighing(borda_power=0.5)).letter == "B"
    silent = [Voter(None, self_certainty=1000.0), *far]
    assert vote(silent, "self_certainty", Weighing(borda_power=1.0)) == vote(
        far, "self_certainty", Weighing(borda_power=1.0)
    )


def test_filtering_leaves_the_least_sure_stretches_out() -> None:
    shaky = [
        Voter("A", confidence=2.0, lowest_confidence=0.1),
        Voter("A", confidence=2.0, lowest_confidence=0.2),
        Voter("A", confidence=2.0, lowest_confidence=0.3),
        Voter("B", confidence=1.0, lowest_confidence=0.9),
    ]
    assert vote(shaky, "confidence").letter == "A"
    assert vote(shaky, "filtered", Weighing(keep_share=0.25)).letter == "B"
    assert vote(shaky, "filtered", Weighing(keep_share=0.01)).letter == "B"  # one always votes
    assert vote(shaky, "filtered", Weighing(keep_share=1.0)).letter == "A"


def test_a_method_whose_numbers_the_engine_does_not_give_says_so() -> None:
    plain = [Voter("A"), Voter(None)]
    assert can_vote(plain, "majority")
    assert not can_vote(plain, "self_certainty")
    with pytest.raises(ValueError, match="needs self_certainty"):
        vote(plain, "self_certainty")
    assert can_vote([Voter("A", self_certainty=1.0), Voter(None)], "self_certainty")  # the silent need none


@given(LETTERS)
def test_equally_sure_votes_by_weight_are_the_majority(letters: list[str | None]) -> None:
    given_samples = samples("".join(letter or "-" for letter in letters))
    for method in ("logprob", "confidence"):
        assert vote(given_samples, method).letter == vote(given_samples).letter


@pytest.mark.parametrize("method", VOTE_METHODS)
def test_votes_that_all_weigh_nothing_are_equal_votes(method: VoteMethod) -> None:
    sure = dict.fromkeys("AB", float("-inf") if method == "logprob" else 0.0)
    assert vote(samples("BBA", sure), method, Weighing(keep_share=1.0)).letter == "B"
    assert vote(samples("--", sure), method) == Vote(None, 0.0, 0)


@given(LETTERS, LETTERS)
def test_silence_never_changes_a_vote(letters: list[str | None], more: list[str | None]) -> None:
    text = "".join(letter or "-" for letter in letters)
    assert vote(samples(text + "-" * len(more))).letter == vote(samples(text)).letter


def test_a_differential_of_several_lists_puts_first_what_they_put_first() -> None:
    lists = [["flu", "cold", "covid"], ["covid", "flu"], ["flu", "angina"]]
    assert ranked_vote(lists) == [
        RankedDiagnosis("flu", pytest.approx(2.5), 3),  # type: ignore[arg-type]
        RankedDiagnosis("covid", pytest.approx(1 + 1 / 3), 2),  # type: ignore[arg-type]
        RankedDiagnosis("cold", 0.5, 1),
        RankedDiagnosis("angina", 0.5, 1),
    ]


def test_equal_scores_go_to_the_diagnosis_in_more_lists_then_to_the_first_named() -> None:
    lists = [["a", "b"], ["c", "b"]]  # a and c score 1, b scores 1/2 twice
    assert [ranked.name for ranked in ranked_vote(lists)] == ["b", "a", "c"]


def test_a_diagnosis_that_a_list_repeats_counts_once() -> None:
    assert ranked_vote([["a", "a", "b"]]) == [RankedDiagnosis("a", 1.0, 1), RankedDiagnosis("b", 0.5, 1)]
    assert ranked_vote([]) == []


ANY_NUMBER = st.one_of(
    st.floats(allow_nan=False),
    st.sampled_from([0.0, -0.0, float("inf"), -float("inf"), 1e-320, 1e308, -1e308, -700.0, -1e6, 1e-14, 3e-14]),
)
ANY_VOTERS = st.lists(
    st.builds(Voter, st.sampled_from(["A", "B", None]), *[ANY_NUMBER] * 5), min_size=1, max_size=6
)  # fmt: skip


@given(ANY_VOTERS, st.sampled_from([*VOTE_METHODS, "scored"]))
def test_a_vote_has_an_outcome_whatever_its_numbers_are(voters: list[Voter], method: VoteMethod) -> None:
    outcome = vote(voters, method)
    stated = {voter.letter for voter in voters if voter.letter is not None}
    assert outcome.letter in stated or not stated
    assert not stated or 0 < outcome.share <= 1 + 1e-9
    assert len(stated) != 1 or outcome.share == pytest.approx(1)
    expected = expected_accuracy(voters, "A", len(voters), method, Weighing(), 3)
    assert 0 <= expected <= 1
    if method != "filtered" and expected in (0.0, 1.0):  # filtered keeps the first of equally sure ones
        assert (outcome.letter == "A") == (expected == 1.0)


@pytest.mark.parametrize("scale", [1e-200, 1e-14, 1.0, 1e200])
@pytest.mark.parametrize("method", ["confidence", "filtered", "scored"])
def test_the_unit_of_the_weights_does_not_matter(method: VoteMethod, scale: float) -> None:
    weighed = [("A", 3.0), ("B", 2.0), ("B", 1.5), ("C", 3.4)]
    voters = [Voter(letter, None, None, number * scale, number * scale, number * scale) for letter, number in weighed]
    outcome = vote(voters, method, Weighing(keep_share=1.0))
    assert outcome.letter == "B"
    assert outcome.share == pytest.approx(3.5 / 9.9)


def test_very_unlikely_texts_are_told_apart() -> None:
    unlikely = [Voter("A", -900.0), Voter("B", -899.0), Voter("A", -905.0)]
    assert vote(unlikely, "logprob").letter == "B"


def test_a_weight_without_bounds_outweighs_all_others_and_two_of_them_are_equal() -> None:
    sure = [Voter("A", confidence=9.0), Voter("B", confidence=float("inf")), Voter("A", confidence=9.0)]
    assert vote(sure, "confidence") == Vote("B", 1.0, 3)
    assert vote([Voter("A", confidence=float("inf")), *sure], "confidence").share == pytest.approx(0.5)


def test_equally_sure_ones_share_their_places() -> None:
    """Otherwise who stands first would decide, and the curve over votes would depend on the order."""
    equal = [Voter("A", self_certainty=1.0), Voter("B", self_certainty=1.0), Voter("B", self_certainty=1.0)]
    assert vote(equal, "self_certainty").letter == "B"
    assert vote(equal, "self_certainty").share == pytest.approx(2 / 3)


def test_what_is_no_number_cannot_be_weighed() -> None:
    assert not can_vote([Voter("A", mean_logprob=float("nan"))], "logprob")
    assert can_vote([Voter(None, mean_logprob=float("nan")), Voter("A", -1.0)], "logprob")
