"""When to stop sampling: more samples are not worth their tokens once they are unlikely to change the winner.

After each round of samples, the probability that today's leader also leads when all samples are drawn is computed from
a Dirichlet prior over the letters (and over samples that state no answer). Draws still to come then follow the
Dirichlet-multinomial distribution (Pólya's urn), and the probability is a finite sum, exact with the rule for ties: it
is 1 as soon as the leader cannot be caught. The rule `beta` instead gives the probability that the leader is likelier
than the runner-up, whatever number is drawn (adaptive consistency, Aggarwal et al. 2023, arXiv 2305.11860). Both hold
under their prior, on average over questions that are spread as it says, and say nothing about others. The rule `fitted`
takes its prior from questions whose samples were all drawn (`fitted_prior`), and holds on others like these.

The rule `distribution_free` needs no prior. The samples of a question are exchangeable: those drawn so far are a random
part of all that would be drawn. So for each rival, what was seen of it and the leader is held against the compositions
in which the rival wins in the end, by a likelihood ratio that is a martingale under each of them (Ville 1939; drawing
without replacement: Waudby-Smith and Ramdas 2020, arXiv 2006.04347; one leader against each rival: Jain et al. 2022,
arXiv 2109.08229). On every question, however its answers are spread and however often one looks, the vote that stopped
differs from the vote of all samples with a probability of at most 1 - `threshold`.

The same rule is replayed over samples that were all drawn, or controls sampling.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from medo1.statistics.fitted_prior import posterior
from medo1.statistics.rules import StoppingRule
from medo1.statistics.urns import ALMOST_SURE, Rivals, cannot_be_caught, stays_ahead

# Of a leader's votes and its rival's, where the leader has won: Beta(2, 1/2). It decides how soon the distribution-free
# rule stops, not whether it holds.
LEADER, RIVAL = 2.0, 0.5
OF_AN_URN = ("dirichlet", "fitted")  # rules that say 1 only where the leader cannot be caught
NEGLIGIBLE = 1e-6  # share of a mixture that is not worth a sum


@dataclass(frozen=True, slots=True)
class Stop:
    """Where drawing ended: after how many samples, how surely the leader would have stayed ahead, and which it was."""

    drawn: int
    probability: float
    leader: str | None = field(default=None, compare=False)

    def ends(self, threshold: float, most: int) -> bool:
        """Whether drawing ends here."""
        return self.drawn == most or self.probability >= threshold


def looks(rule: StoppingRule, most: int) -> list[int]:
    """After how many samples the rule is applied, the last time after all of them."""
    return [*range(min(rule.first, most), most, rule.step), most]


def stopping_point(letters: Sequence[str | None], options: int, rule: StoppingRule, most: int) -> Stop | None:
    """Where drawing ends on these samples, in their order; None when more must be drawn.

    Args:
        letters: what each sample stated, None for nothing.
        options: how many letters may be stated.
        rule: when to stop.
        most: samples that would be drawn at most.
    """
    return next((stop for stop in stops(letters, options, rule, most) if stop.ends(rule.threshold, most)), None)


def stops(letters: Sequence[str | None], options: int, rule: StoppingRule, most: int) -> Iterator[Stop]:
    """What the rule says at each look at these samples, whatever its threshold."""
    for standing in standings(letters, options, looks(rule, most)):
        yield Stop(standing.drawn, staying_ahead(standing, most - standing.drawn, rule), standing.leader)


def stops_at(
    letters: Sequence[str | None], options: int, rule: StoppingRule, thresholds: Sequence[float]
) -> list[Stop]:
    """Where drawing ends at each of these thresholds, on samples that were all drawn; one pass for all thresholds.

    No look is computed that decides nothing: none after the last threshold is passed, and none that can reach no other.
    """
    most = len(letters)
    rising = sorted(set(thresholds))
    found: dict[float, Stop] = {}
    for standing in standings(letters, options, looks(rule, most)):
        remaining = most - standing.drawn
        if at_most(standing, remaining, rule) < rising[len(found)]:
            continue
        stop = Stop(standing.drawn, staying_ahead(standing, remaining, rule), standing.leader)
        found |= {threshold: stop for threshold in rising[len(found) :] if stop.ends(threshold, most)}
        if len(found) == len(rising):
            break
    return [found[threshold] for threshold in thresholds]


class Standing(NamedTuple):
    """The votes of a question after some samples.

    Attributes:
        drawn: how many samples. leader: the letter that leads, the first stated of several; None where none is stated.
        votes: the leader's. rivals: of each other letter that may be stated, sorted: its votes, and whether it wins a
            tie. silent: samples that stated nothing.
    """

    drawn: int
    leader: str | None
    votes: int
    rivals: Rivals
    silent: int


def standings(letters: Sequence[str | None], options: int, at: Sequence[int]) -> Iterator[Standing]:
    """The votes after so many samples each time, as far as there are samples.

    Args:
        at: rising.
    """
    counts: dict[str, int] = {}  # in the order in which they were first stated
    silent = seen = 0
    for drawn in at:
        if drawn > len(letters):
            return
        for letter in letters[seen:drawn]:
            if letter is None:
                silent += 1
            else:
                counts[letter] = counts.get(letter, 0) + 1
        seen = drawn
        leader = max(counts, key=counts.__getitem__, default=None)  # of equals the first stated
        if leader is None:
            yield Standing(drawn, None, 0, (), silent)
            continue
        rivals, earlier = [], True
        for letter, votes in counts.items():
            if letter == leader:
                earlier = False
            else:
                rivals.append((votes, earlier))
        rivals += [(0, False)] * (options - len(counts))
        yield Standing(drawn, leader, counts[leader], tuple(sorted(rivals)), silent)


def probability_of_staying_ahead(
    letters: Sequence[str | None], options: int, remaining: int, rule: StoppingRule | None = None
) -> float:
    """The probability that the letter that leads among these samples leads after `remaining` more.

    0 where nothing was stated yet and something may still be.
    """
    [standing] = standings(letters, options, [len(letters)])
    return staying_ahead(standing, remaining, rule or StoppingRule())


def at_most(standing: Standing, remaining: int, rule: StoppingRule) -> float:
    """What `staying_ahead` is at most: the probability that the strongest rival alone does not pass the leader. It
    costs a fraction of that, and fewer votes differ in it."""
    if remaining == 0 or standing.leader is None or not standing.rivals or rule.rule not in OF_AN_URN:
        return 1.0
    strongest = standing.rivals[-1]
    others = standing.drawn - standing.votes - strongest[0]
    if cannot_be_caught(standing.votes, (strongest,), remaining):
        return 1.0
    return _of_an_urn(standing, (strongest,), others, len(standing.rivals), remaining, rule)


def staying_ahead(standing: Standing, remaining: int, rule: StoppingRule) -> float:
    """The same of votes that are counted."""
    if standing.leader is None:
        return float(remaining == 0)
    if remaining == 0 or (cannot_be_caught(standing.votes, standing.rivals, remaining) and rule.rule in OF_AN_URN):
        return 1.0
    if rule.rule == "beta":
        return _beta(standing.votes, max((votes for votes, _ in standing.rivals), default=0))
    if rule.rule == "distribution_free":
        worst = max((_doubt(standing.votes, *rival, remaining) for rival in set(standing.rivals)), default=0.0)
        return max(0.0, 1.0 - len(standing.rivals) * worst)
    return _of_an_urn(standing, standing.rivals, standing.silent, 1, remaining, rule)


@lru_cache(maxsize=100_000)
def _beta(leader: int, second: int) -> float:
    """The probability that the leader is likelier than the second, of the two alone, from a uniform prior."""
    from scipy.special import betainc

    return float(betainc(second + 1, leader + 1, 0.5))


@lru_cache(maxsize=100_000)
def _doubt(leader: int, rival: int, wins_ties: bool, remaining: int) -> float:
    """How well the votes of a leader and a rival fit an end in which the rival wins: the inverse of the likelihood
    ratio against the end that fits best, 0 where there is none.

    Args:
        leader, rival: votes so far. wins_ties: whether the rival wins a tie. remaining: samples to come.
    """
    from scipy.special import betaln, gammaln

    total = np.arange(leader + rival, leader + rival + remaining + 1)
    of_leader = (total - (not wins_ties)) // 2  # as many as it may have and lose
    of_rival = total - of_leader
    possible = (of_leader >= leader) & (of_rival >= rival)
    if not possible.any():
        return 0.0
    total, of_leader, of_rival = total[possible], of_leader[possible], of_rival[possible]

    def ordered(balls: np.ndarray, taken: int) -> np.ndarray:
        return gammaln(balls + 1) - gammaln(balls - taken + 1)

    lost = ordered(of_leader, leader) + ordered(of_rival, rival) - ordered(total, leader + rival)
    won = betaln(leader + LEADER, rival + RIVAL) - betaln(LEADER, RIVAL)
    return float(np.exp(lost.max() - won))


def _of_an_urn(
    standing: Standing, rivals: Rivals, others: int, kinds: int, remaining: int, rule: StoppingRule
) -> float:
    """Under the rule's prior; where that is a mixture, the mean over what all votes of the question leave of it."""
    asked = standing.votes, rivals, others, kinds, remaining
    if rule.rule == "dirichlet":
        return stays_ahead(*asked, rule.prior)
    shares = posterior(rule.mixture, (standing.votes, *(votes for votes, _ in standing.rivals), standing.silent))
    known = [(share, one) for share, (one, _) in zip(shares, rule.mixture, strict=True) if share > NEGLIGIBLE]
    found = sum(share * stays_ahead(*asked, pseudo_count) for share, pseudo_count in known)
    return min(ALMOST_SURE, found / sum(share for share, _ in known))
