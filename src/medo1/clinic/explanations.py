"""Solutions of a case, written in a format.

A walk is the case solved step by step; a format decides how much of it is written out: `vanilla` nothing, `cot` only
what changes the impression, `longstep` one numbered look-up per line, `longmonolog` the same look-ups as a train of
thought with doubt, checks and backtracking.

The formats of controls differ from `longstep` in one thing each: `shuffled` has its steps in a random order, `filler`
has dots in their place, as many as they have tokens, and `vanilla` has the name and the letter alone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from medo1.clinic import wording
from medo1.clinic.exam import Chart
from medo1.clinic.world import World

Format = Literal["vanilla", "cot", "longstep", "longmonolog", "shuffled", "filler"]
FORMATS: tuple[Format, ...] = get_args(Format)


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


def explanation(form: Format, solved: Walk, answer: tuple[str, str], rng: random.Random) -> str:
    """A solution text.

    Args:
        form: how much of the walk is said, and how.
        solved: the walk.
        answer: the disease and its letter that the ending states.
        rng: picks among equivalent phrases in `longmonolog` and the order in `shuffled`; the other formats have one
            way to say a thing.
    """
    writers = {
        "vanilla": _vanilla,
        "cot": _cot,
        "longstep": _longstep,
        "longmonolog": _longmonolog,
        "shuffled": _shuffled,
        "filler": _filler,
    }
    return f"{writers[form](solved, rng)}{wording.ending(*answer)}"


def short_answer(first: str, answer: tuple[str, str]) -> str:
    """What an untrained student says when it is asked to think: the first impression, then the ending."""
    return f"{wording.sentence(wording.opening(first))} {wording.ending(*answer)}"


def _vanilla(solved: Walk, rng: random.Random) -> str:
    return ""


def _cot(solved: Walk, rng: random.Random) -> str:
    said = [wording.sentence(wording.opening(solved.first))]
    changes = [step for step in solved.steps if step.after != step.before]
    said += [wording.objection(wording.update(step.slot, step.value, step.before, step.after)) for step in changes]
    return f"{' '.join(said)} "


def _longstep(solved: Walk, rng: random.Random) -> str:
    return _in_steps(_look_ups(solved))


def _shuffled(solved: Walk, rng: random.Random) -> str:
    return _in_steps(rng.sample(_look_ups(solved), len(solved.steps) + 1))


def _filler(solved: Walk, rng: random.Random) -> str:
    tokens = len(re.findall(r"\w+|[^\w ]", _longstep(solved, rng)))
    return f"{'.' * (tokens - 1)}\n"


def _look_ups(solved: Walk) -> list[str]:
    updates = [wording.update(step.slot, step.value, step.before, step.after) for step in solved.steps]
    return [wording.opening(solved.first), *updates]


def _in_steps(look_ups: list[str]) -> str:
    return "".join(f"{wording.numbered(number, one)}\n" for number, one in enumerate(look_ups, start=1))


def _longmonolog(solved: Walk, rng: random.Random) -> str:
    said = [
        rng.choice(wording.STARTS),
        wording.sentence(wording.opening(solved.first)),
        wording.doubt(solved.first),
    ]
    for step in solved.steps:
        said.append(f"{rng.choice(wording.LOOKS)} {wording.update(step.slot, step.value, step.before, step.after)}.")
        phrases = wording.STAYS if step.after == step.before else wording.TURNS
        said.append(rng.choice(phrases).format(before=step.before, after=step.after))
    said.append(rng.choice(wording.CLOSES))
    return f"{' '.join(said)} "
