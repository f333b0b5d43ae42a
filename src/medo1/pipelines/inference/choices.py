"""What can be chosen about votes and their end, apart from what is done with it: parameters load without numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Method = Literal["majority", "logprob", "self_certainty", "confidence", "filtered"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True, slots=True)
class Weighing:
    """How votes are weighted.

    Attributes:
        borda_power: a sample of rank r among n votes with (n - r + 1) ** borda_power, in `self_certainty`. Kang et al.
            find small powers best for few samples.
        keep_share: the share of samples, surest first, that vote in `filtered`. DeepConf keeps 0.1 or 0.9 of hundreds.
    """

    borda_power: float = 0.5
    keep_share: float = 0.5


@dataclass(frozen=True, slots=True)
class Rule:
    """When a question is decided.

    Attributes:
        threshold: of the probability that the leader stays ahead.
        first: samples before the first look. step: samples between two looks.
        kind: `dirichlet` or `beta`, see above.
        prior: pseudo-count of each letter and of silence, in `dirichlet`. 1 believes nothing beforehand; less believes
            that one letter will have most of the votes.
    """

    threshold: float = 0.95
    first: int = 4
    step: int = 2
    kind: Literal["dirichlet", "beta"] = "dirichlet"
    prior: float = 0.5
