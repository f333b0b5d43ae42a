"""Accuracy against what it costs: which points no other beats, and what a point of accuracy costs."""

from __future__ import annotations

from collections.abc import Sequence


def on_frontier(costs: Sequence[float | None], values: Sequence[float]) -> list[bool]:
    """Whether no other point has at least the value at no more cost, and is better in one of them.

    Args:
        costs: of each point; None where not known, which is on no frontier.
        values: accuracies.
    """
    points = [(cost, value) for cost, value in zip(costs, values, strict=True) if cost is not None]

    def beaten(cost: float, value: float) -> bool:
        return any(c <= cost and v >= value and (c < cost or v > value) for c, v in points)

    return [cost is not None and not beaten(cost, value) for cost, value in zip(costs, values, strict=True)]


def price_of_a_point(cost: float | None, value: float, base_cost: float | None, base_value: float) -> float | None:
    """Extra cost for each point (1/100) of accuracy above a base; None where nothing is gained or a cost not known."""
    if cost is None or base_cost is None or value <= base_value:
        return None
    return (cost - base_cost) / (100 * (value - base_value))
