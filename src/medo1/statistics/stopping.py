"""When to stop sampling: more samples are not worth their tokens once they are unlikely to change the winner.

After each round of samples, the probability that today's leader also leads when all samples are drawn is computed from
a Dirichlet prior over the letters (and over samples that state no answer). Draws still to come then follow the
Dirichlet-multinomial distribution (Pólya's urn), and the probability is a finite sum, exact with the rule for ties: it
is 1 as soon as the leader cannot be caught. The rule `beta` instead gives the probability that the leader is likelier
than the runner-up, whatever number is drawn (adaptive consistency, Aggarwal et al. 2023, arXiv 2305.11860).

The same rule is replayed over samples that were all drawn, or controls sampling.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medo1.statistics.rules import StoppingRule


@dataclass(frozen=True, slots=True)
class Stop:
    """Where drawing ended: after how many samples, and how surely the leader would have stayed ahead."""

    drawn: int
    probability: float


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
    for drawn in looks(rule, most):
        if drawn > len(letters):
            return None
        probability = probability_of_staying_ahead(letters[:drawn], options, most - drawn, rule)
        if drawn == most or probability >= rule.threshold:
            return Stop(drawn, probability)
    raise AssertionError("the last look is at all samples")


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
    return _dirichlet(counts[leader], rivals, silent, remaining, rule.prior)


def _beta(leader: int, second: int) -> float:
    """The probability that the leader is likelier than the second, of the two alone, from a uniform prior."""
    from scipy.stats import beta

    return float(beta.sf(0.5, leader + 1, second + 1))


def _dirichlet(leader: int, rivals: Sequence[tuple[int, bool]], silent: int, remaining: int, prior: float) -> float:
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


def _ways(weight: float, most: int) -> np.ndarray:
    """weight (weight + 1) ... (weight + j - 1) / j! for j = 0 ... most: the ways to give one colour j more balls."""
    steps = np.arange(most)
    return np.concatenate([[1.0], np.cumprod((weight + steps) / (steps + 1))])
