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

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from medo1.statistics.fitted_prior import posterior
from medo1.statistics.rules import Mixture, StoppingRule

# Of a leader's votes and its rival's, where the leader has won: Beta(2, 1/2). It decides how soon the distribution-free
# rule stops, not whether it holds.
LEADER, RIVAL = 2.0, 0.5
NEGLIGIBLE = 1e-9  # share of a mixture that is not worth a sum


@dataclass(frozen=True, slots=True)
class Stop:
    """Where drawing ended: after how many samples, and how surely the leader would have stayed ahead."""

    drawn: int
    probability: float

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
    for drawn in looks(rule, most):
        if drawn > len(letters):
            return
        yield Stop(drawn, probability_of_staying_ahead(letters[:drawn], options, most - drawn, rule))


def probability_of_staying_ahead(
    letters: Sequence[str | None], options: int, remaining: int, rule: StoppingRule | None = None
) -> float:
    """The probability that the letter that leads among these samples leads after `remaining` more.

    0 where nothing was stated yet and something may still be.
    """
    rule = rule or StoppingRule()
    counts = Counter(letter for letter in letters if letter is not None)
    silent = len(letters) - counts.total()
    if not counts:
        return 1.0 if remaining == 0 else 0.0
    order = list(counts)  # as first stated
    leader = max(order, key=lambda letter: (counts[letter], -order.index(letter)))
    if remaining == 0:
        return 1.0
    if rule.rule == "beta":
        return _beta(counts[leader], max((count for letter, count in counts.items() if letter != leader), default=0))
    earlier = set(order[: order.index(leader)])
    rivals = [(counts[letter], letter in earlier) for letter in order if letter != leader]
    rivals += [(0, False)] * max(0, options - len(order))
    if rule.rule == "distribution_free":
        worst = max((_doubt(counts[leader], *rival, remaining) for rival in set(rivals)), default=0.0)
        return max(0.0, 1.0 - len(rivals) * worst)
    if rule.rule == "fitted":
        return _mixed(counts[leader], tuple(sorted(rivals)), silent, remaining, rule.mixture)
    return _dirichlet(counts[leader], tuple(sorted(rivals)), silent, remaining, rule.prior)


def _beta(leader: int, second: int) -> float:
    """The probability that the leader is likelier than the second, of the two alone, from a uniform prior."""
    from scipy.stats import beta

    return float(beta.sf(0.5, leader + 1, second + 1))


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


@lru_cache(maxsize=100_000)
def _dirichlet(leader: int, rivals: tuple[tuple[int, bool], ...], silent: int, remaining: int, prior: float) -> float:
    """The probability, under the Dirichlet-multinomial law, that no rival passes the leader.

    Args:
        leader: its votes. rivals: votes of each other letter, and whether it wins a tie against the leader.
        silent: samples that stated nothing. remaining: samples to come.
        prior: pseudo-count of each letter and of silence.
    """
    ways = {count: _ways(count + prior, remaining) for count in {leader, silent, *(count for count, _ in rivals)}}
    total = _ways((len(rivals) + 2) * prior + leader + silent + sum(count for count, _ in rivals), remaining)
    stays = 0.0
    for gained in range(remaining + 1):
        product = ways[silent][: remaining - gained + 1]
        for count, wins_ties in rivals:
            allowed = leader + gained - count - wins_ties  # what this rival may gain at most
            if allowed < 0:
                product = np.zeros(1)
                break
            product = np.convolve(product, ways[count][: allowed + 1])[: remaining - gained + 1]
        if len(product) > remaining - gained:
            stays += ways[leader][gained] * product[remaining - gained]
    return float(min(1.0, stays / total[remaining]))


@lru_cache(maxsize=100_000)
def _mixed(leader: int, rivals: tuple[tuple[int, bool], ...], silent: int, remaining: int, prior: Mixture) -> float:
    """The same where the pseudo-count itself is unknown: the mean over what the votes leave of a mixture."""
    shares = posterior(prior, (leader, *(count for count, _ in rivals), silent))
    return sum(
        share * _dirichlet(leader, rivals, silent, remaining, pseudo_count)
        for share, (pseudo_count, _) in zip(shares, prior, strict=True)
        if share > NEGLIGIBLE
    )


def _ways(weight: float, most: int) -> np.ndarray:
    """weight (weight + 1) ... (weight + j - 1) / j! for j = 0 ... most: the ways to give one colour j more balls."""
    steps = np.arange(most)
    return np.concatenate([[1.0], np.cumprod((weight + steps) / (steps + 1))])
