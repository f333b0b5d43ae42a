"""A case solved by rule: the impressions that it goes through, one look-up after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from medo1.clinic.exam import Chart
from medo1.clinic.world import World


@dataclass(frozen=True, slots=True)
class WeighedFinding:
    """One finding weighed: the impression before it and after it."""

    slot: str
    value: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Walk:
    """A case solved: the complaint, the impression that it suggests, and one step for each finding."""

    complaint: str
    first: str
    steps: tuple[WeighedFinding, ...]

    @property
    def conclusion(self) -> str:
        return self.steps[-1].after if self.steps else self.first

    @property
    def impressions(self) -> list[str]:
        """The first impression and the one after each step."""
        return [self.first, *(step.after for step in self.steps)]


def walk(world: World, chart: Chart, slips: Mapping[int, str] | None = None) -> Walk:
    """The chart solved by rule.

    Args:
        world: what is true.
        chart: the case.
        slips: look-up (0 is the complaint's, 1 the first finding's) to the disease that is wrongly read there; what
            follows reasons on from it.
    """
    slips = slips or {}
    first = current = slips.get(0, world.impressions[chart.complaint])
    steps = []
    for place, (slot, value) in enumerate(zip(world.slots, chart.values, strict=False), start=1):
        after = slips.get(place, world.revised(value, current))
        steps.append(WeighedFinding(slot, value, current, after))
        current = after
    return Walk(chart.complaint, first, tuple(steps))
