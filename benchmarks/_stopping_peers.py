"""When public libraries stop sampling, written from their papers, to replay on the same samples.

Adaptive consistency (Aggarwal et al. 2023, arXiv 2305.11860; its library, AdaptiveConsistency 1.0.0, has six criteria
at these default thresholds) looks after each sample from the first on. With three answers or more the library's own
Dirichlet criterion fails under NumPy 2 and then never stops; here it does what the paper says. DeepConf (Fu et al.
2025, arXiv 2508.15260) draws 16 samples, keeps those whose least confident stretch is among the most confident tenth,
and goes on until these agree; that it also ends single thoughts early is not replayed, since stored samples are whole,
so its tokens here are more than its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

Answers = Sequence[str]
WARM_UP, TOP, CONSENSUS = 16, 0.1, 0.95


def beta(answers: Answers) -> bool:
    """The leader is likelier than the second, from a uniform prior."""
    from scipy.stats import beta as law

    first, second = _two(answers)
    return bool(law.sf(0.5, first + 1, second + 1) >= 0.95)


def dirichlet(answers: Answers) -> bool:
    """The leader is likelier than each of the five commonest others, from a uniform prior; of two answers as `beta`."""
    counts = sorted(Counter(answers).values(), reverse=True)[:5]
    if len(counts) < 3:
        return beta(answers)
    return _leads(tuple(counts)) >= 0.95


def entropy(answers: Answers) -> bool:
    """The answers' entropy is at most three quarters of what it could be."""
    counts = np.array(list(Counter(answers).values()), dtype=float)
    if len(answers) == 1:
        return False
    if len(counts) == 1:
        counts = np.append(counts, 1.0)  # the library's way of not dividing by nothing
    shares = counts / counts.sum()
    return bool(-(shares * np.log2(shares)).sum() / np.log2(len(shares)) <= 0.75)


def majority(answers: Answers) -> bool:
    """The leader has at least four fifths, of two answers or more."""
    return len(answers) > 1 and _two(answers)[0] / len(answers) >= 0.8


def random(answers: Answers) -> bool:
    """One time in ten, whatever the answers are; the same on each run."""
    return bool(np.random.default_rng([len(answers), *map(ord, "".join(answers)[:64])]).uniform() < 0.1)


def never(answers: Answers) -> bool:
    """All samples."""
    return False


CRITERIA: dict[str, Callable[[Answers], bool]] = {
    "beta": beta, "dirichlet": dirichlet, "entropy": entropy, "majority": majority, "random": random, "never": never,
}  # fmt: skip


def adaptive_consistency(letters: Sequence[str | None], stops: Callable[[Answers], bool]) -> int:
    """After how many samples it stops; one that states nothing is an answer of its own, as in the library."""
    stated = [letter or "-" for letter in letters]
    return next((count for count in range(1, len(stated)) if stops(stated[:count])), len(stated))


def deepconf(
    letters: Sequence[str | None], weights: Sequence[float], lowest: Sequence[float]
) -> tuple[int, str | None]:
    """After how many samples it stops, and what its vote says.

    Args:
        letters: of the samples. weights: their mean confidence. lowest: of each its least confident stretch.
    """
    needed = float(np.quantile(lowest[:WARM_UP], 1 - TOP))
    votes: Counter[str] = Counter()
    for count in range(WARM_UP, len(letters) + 1):
        votes.clear()
        for letter, weight, least in zip(letters[:count], weights, lowest, strict=False):
            if letter is not None and least >= needed:
                votes[letter] += weight
        if votes and votes.most_common(1)[0][1] >= CONSENSUS * votes.total():
            return count, votes.most_common(1)[0][0]
    return len(letters), votes.most_common(1)[0][0] if votes else None


def _two(answers: Answers) -> tuple[int, int]:
    counts = [count for _, count in Counter(answers).most_common(2)]
    return counts[0], counts[1] if len(counts) > 1 else 0


def _leads(counts: tuple[int, ...], draws: int = 20_000) -> float:
    shares = np.random.default_rng(1).gamma(np.array(counts) + 1.0, size=(draws, len(counts)))
    return float((shares[:, 0] > shares[:, 1:].max(axis=1)).mean())
