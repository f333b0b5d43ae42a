"""Solutions of a case, written in a format.

A walk is the case solved step by step; a format decides how much of it is written out: `vanilla` nothing, `cot` only
what changes the impression, `longstep` one numbered look-up per line, `longmonolog` the same look-ups as a train of
thought with doubt, checks and backtracking.

The other formats differ from one of these in one thing each:

- of `longstep`: `shuffled` has its steps in a random order, `filler` dots in their place, as many as they have tokens,
  `by_two`, `by_three` and `by_all` look up so many findings in one step, `no_steps` is running prose, `wrong_steps`
  states wrong impressions in some steps and goes on as if they were right, `detours` looks every finding up from
  another impression first;
- of `longstep` and `cot`: `mix` writes one case in five as the former and the others as the latter;
- of `longmonolog`: `no_reflection` has the look-ups alone, `no_backtracking` never says what is given up.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, get_args

from medo1.clinic import wording
from medo1.clinic.walks import Walk, WeighedFinding
from medo1.clinic.wording import Wording
from medo1.clinic.world import World

Format = Literal[
    "vanilla",
    "cot",
    "longstep",
    "longmonolog",
    "shuffled",
    "filler",
    "by_two",
    "by_three",
    "by_all",
    "no_steps",
    "wrong_steps",
    "detours",
    "no_reflection",
    "no_backtracking",
    "mix",
]
FORMATS: tuple[Format, ...] = get_args(Format)
GROUPED: Mapping[str, int | None] = {"by_two": 2, "by_three": 3, "by_all": None}  # findings of a step; None: all
LONG_SHARE = 0.2  # of `mix`: Li et al. 2025, arXiv 2502.12143, mix long and short chains 1 to 4 for small students


def explanation(
    world: World, form: Format, solved: Walk, answer: tuple[str, str], rng: random.Random, wrong_steps: int = 1
) -> str:
    """A solution text.

    Args:
        world: how look-ups are worded; `detours` looks further things up in it.
        form: how much of the walk is said, and how.
        solved: the walk.
        answer: the disease and its letter that the ending states.
        rng: picks among equivalent phrases in monologues, the order in `shuffled`, what is wrong in `wrong_steps` and
            the impressions that `detours` sets aside; the other formats have one way to say a thing.
        wrong_steps: steps of `wrong_steps` that are wrong; fewer where the case has fewer findings.
    """
    words = world.wording
    writers: dict[str, Callable[[], str]] = {
        "vanilla": lambda: "",
        "cot": lambda: _cot(words, solved),
        "shuffled": lambda: _in_steps(rng.sample(_look_ups(words, solved), len(solved.steps) + 1)),
        "filler": lambda: _filler(words, solved),
        "no_steps": lambda: f"{wording.prose(_look_ups(words, solved))} ",
        "wrong_steps": lambda: _in_steps(_partly_wrong(world, solved, wrong_steps, rng)),
        "detours": lambda: _in_steps(_with_detours(world, solved, rng)),
        "mix": lambda: _in_steps(_look_ups(words, solved)) if rng.random() < LONG_SHARE else _cot(words, solved),
        "longmonolog": lambda: _said(_monologue(words, solved, rng)),
        "no_reflection": lambda: _said(part for part in _monologue(words, solved, rng) if part[0] == "look-up"),
        "no_backtracking": lambda: _said(_monologue(words, solved, rng), turned=wording.STAYS[0]),
    }
    said = writers[form]() if form in writers else _in_steps(look_ups_said(words, form, solved) or [])
    return f"{said}{words.ending(*answer)}"


def look_ups_said(words: Wording, form: str, solved: Walk) -> list[str] | None:
    """The look-ups that a chain of a format says, in this order and no others; None where no rule says them."""
    if form in ("longstep", "longmonolog", "no_steps", "no_reflection", "no_backtracking"):
        return _look_ups(words, solved)
    if form == "cot":
        return _look_ups(words, solved, [[step] for step in solved.steps if step.after != step.before])
    if form in GROUPED:
        size = GROUPED[form] or max(1, len(solved.steps))
        return _look_ups(
            words, solved, [solved.steps[place : place + size] for place in range(0, len(solved.steps), size)]
        )
    return None


def short_answer(words: Wording, first: str, answer: tuple[str, str]) -> str:
    """What an untrained student says when it is asked to think: the first impression, then the ending."""
    return f"{wording.sentence(words.opening(first))} {words.ending(*answer)}"


def _look_ups(words: Wording, solved: Walk, groups: Sequence[Sequence[WeighedFinding]] | None = None) -> list[str]:
    """The complaint's look-up, then one for each group of findings; for each finding where no groups are given."""
    said = [words.opening(solved.first)]
    for group in [[step] for step in solved.steps] if groups is None else groups:
        findings = ", ".join(f"{step.slot} {step.value}" for step in group)
        said.append(words.update(findings, group[0].before, group[-1].after))
    return said


def _in_steps(look_ups: Sequence[str]) -> str:
    return "".join(f"{wording.numbered(number, one)}\n" for number, one in enumerate(look_ups, start=1))


def _cot(words: Wording, solved: Walk) -> str:
    first, *changes = look_ups_said(words, "cot", solved) or []
    return f"{' '.join([wording.sentence(first), *map(wording.objection, changes)])} "


def _filler(words: Wording, solved: Walk) -> str:
    tokens = len(re.findall(r"\w+|[^\w ]", _in_steps(_look_ups(words, solved))))
    return f"{'.' * (tokens - 1)}\n"


def _partly_wrong(world: World, solved: Walk, count: int, rng: random.Random) -> list[str]:
    """LongStep's look-ups, so many of the findings' with a wrong conclusion; each sets out from the true impression."""
    steps = list(solved.steps)
    for place in rng.sample(range(len(steps)), min(count, len(steps))):
        wrong = rng.choice([disease for disease in world.diseases if disease != steps[place].after])
        steps[place] = replace(steps[place], after=wrong)
    return _look_ups(world.wording, solved, [[step] for step in steps])


def _with_detours(world: World, solved: Walk, rng: random.Random) -> list[str]:
    """LongStep's look-ups, before each finding's the true one from another impression, which is then set aside."""
    first, *rest = _look_ups(world.wording, solved)
    said = [first]
    for step, one in zip(solved.steps, rest, strict=True):
        other = rng.choice([disease for disease in world.diseases if disease != step.before])
        aside = world.wording.update(f"{step.slot} {step.value}", other, world.revised(step.value, other))
        said.append(f"{aside}. {wording.set_aside(other, one)}")
    return said


_Part = tuple[Literal["frame", "look-up", "stays", "turns"], str, WeighedFinding | None]


def _monologue(words: Wording, solved: Walk, rng: random.Random) -> Iterator[_Part]:
    """The parts of a train of thought: what each is, its text, the finding that it is about."""
    yield "frame", rng.choice(wording.STARTS), None
    first, *rest = _look_ups(words, solved)
    yield "look-up", wording.sentence(first), None
    yield "frame", wording.doubt(solved.first), None
    for step, one in zip(solved.steps, rest, strict=True):
        yield "look-up", f"{rng.choice(wording.LOOKS)} {one}.", step
        if step.after == step.before:
            yield "stays", rng.choice(wording.STAYS), step
        else:
            yield "turns", rng.choice(wording.TURNS), step
    yield "frame", rng.choice(wording.CLOSES), None


def _said(parts: Iterable[_Part], turned: str | None = None) -> str:
    """A train of thought as text; `turned` says what stands in the place of each turn."""
    texts = []
    for kind, text, step in parts:
        phrase = turned if kind == "turns" and turned is not None else text
        texts.append(phrase.format(before=step.before, after=step.after) if step and kind != "look-up" else phrase)
    return f"{' '.join(texts)} "
