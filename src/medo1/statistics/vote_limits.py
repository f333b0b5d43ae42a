"""What votes can reach: their limit without end, the questions on which they can only hurt, and pass@k.

Sources: pass@k (Chen et al. 2021, arXiv 2107.03374, unbiased); the modal answer as what a majority tends to (Wang et
al. 2022, arXiv 2203.11171, and Condorcet before them).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

PRIOR = 0.25  # pseudo-count of each answer: most questions have one or two that lead
QUADRATURE = 400  # points of the integral


def pass_at(right: int, samples: int, k: int) -> float:
    """The chance that at least one of k of the samples is right: 1 - C(n - c, k) / C(n, k).

    Raises:
        ValueError: for more than there are.
    """
    if not 0 <= right <= samples or not 1 <= k <= samples:
        raise ValueError(
            f"{right} right of {samples} samples, k = {k}: expected 0 <= right <= samples, 1 <= k <= samples"
        )
    return 1.0 - prod(max(0, samples - right - place) / (samples - place) for place in range(k))


def modal_share(right: int, wrong: Sequence[int]) -> float:
    """Whether the commonest stated answer of these samples is the right one; of t that tie 1/t, 0 without any."""
    most = max([right, *wrong], default=0)
    if right < most or most == 0:
        return 0.0
    return 1 / (1 + sum(count == most for count in wrong))


def chance_of_leading(right: int, wrong: Sequence[int], options: int, prior: float = PRIOR) -> float:
    """The chance that the right answer is the commonest one of samples without end, as far as these tell.

    From a Dirichlet prior over the answers; as gamma variates the shares are independent, and one integral is left.

    Args:
        right: samples that state it. wrong: samples that state each other answer.
        options: how many answers may be stated.
        prior: pseudo-count of each.
    """
    from scipy.stats import gamma

    rivals = [*wrong, *[0] * max(0, options - 1 - len(wrong))]
    if not rivals:
        return 1.0
    # Midpoints of equal shares of probability of the right answer's variate.
    points = gamma.ppf((np.arange(QUADRATURE) + 0.5) / QUADRATURE, right + prior)
    chances = np.ones(QUADRATURE)
    for count in rivals:
        chances = chances * gamma.cdf(points, count + prior)
    return float(chances.mean())
