"""Each format says what it promises, about the same walk."""

from __future__ import annotations

import random
import re

import pytest

from medo1.answers import read_answer
from medo1.clinic.exam import Chart, options_of
from medo1.clinic.explanations import FORMATS, explanation, short_answer, walk
from medo1.clinic.world import World, WorldSpec, world_from

COMPLAINT = next(iter(world_from(WorldSpec()).impressions))


@pytest.fixture
def chart(world: World) -> Chart:
    return Chart(COMPLAINT, tuple(values[0] for values in world.slots.values()))


def test_a_walk_follows_the_rules_and_a_slip_is_reasoned_on_from(world: World, chart: Chart) -> None:
    solved = walk(world, chart)
    assert solved.impressions[0] == world.impressions[COMPLAINT]
    for step in solved.steps:
        assert step.after == world.revised(step.value, step.before)
    wrong = next(name for name in world.diseases if name != solved.impressions[2])
    slipped = walk(world, chart, {2: wrong})
    assert slipped.impressions[:2] == solved.impressions[:2]
    assert slipped.steps[1].after == wrong
    assert slipped.steps[2].before == wrong
    assert slipped.conclusion != solved.conclusion, "maps without mergers cannot heal one slip"


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_ends_with_the_answer_that_is_read(world: World, chart: Chart, form: str) -> None:
    text = explanation(form, walk(world, chart), ("velpox", "C"), random.Random(0))  # type: ignore[arg-type]
    assert text.endswith("The diagnosis is velpox (C).\nFinal answer: C")
    assert read_answer(text, options_of(world, chart)).letter == "C"


def test_longstep_has_one_numbered_line_a_look_up(world: World, chart: Chart) -> None:
    text = explanation("longstep", walk(world, chart), ("velpox", "C"), random.Random(0))
    assert [int(number) for number in re.findall(r"^Step (\d+): ", text, re.MULTILINE)] == [1, 2, 3, 4, 5, 6, 7]


def test_longmonolog_says_the_same_look_ups_with_doubt_and_without_numbers(world: World, chart: Chart) -> None:
    solved = walk(world, chart)
    text = explanation("longmonolog", solved, ("velpox", "C"), random.Random(0))
    facts = [(step.value, step.before, step.after) for step in solved.steps]
    assert re.findall(r"(\w+) in (\w+) means (\w+)", text) == facts
    assert not re.search(r"Step|\d", text)
    assert f"So {solved.first}?" in text
    changes = sum(step.before != step.after for step in solved.steps)
    assert len(re.findall(r"not \w+, so", text)) == changes
    assert len({explanation("longmonolog", solved, ("velpox", "C"), random.Random(seed)) for seed in range(9)}) > 1


def test_cot_says_only_what_changes_the_mind(world: World, chart: Chart) -> None:
    solved = walk(world, chart)
    said = re.findall(r"But \w+ (\w+) in", explanation("cot", solved, ("velpox", "C"), random.Random(0)))
    assert said == [step.value for step in solved.steps if step.before != step.after]


def test_vanilla_says_nothing_and_the_short_answer_only_the_first_impression(world: World, chart: Chart) -> None:
    solved = walk(world, chart)
    assert explanation("vanilla", solved, ("velpox", "C"), random.Random(0)).startswith("The diagnosis is")
    assert short_answer(solved.first, ("velpox", "C")).startswith(
        f"The complaint suggests {solved.first}. The diagnosis is"
    )


@pytest.mark.parametrize("form", FORMATS)
def test_no_chain_names_the_complaint_so_none_states_a_fact_that_the_exam_asks(
    world: World, chart: Chart, form: str
) -> None:
    text = explanation(form, walk(world, chart), ("velpox", "C"), random.Random(0))  # type: ignore[arg-type]
    assert COMPLAINT not in text


def test_chains_grow_with_the_findings(world: World, chart: Chart) -> None:
    for form in ("longstep", "longmonolog"):
        lengths = [
            len(explanation(form, walk(world, Chart(COMPLAINT, chart.values[:n])), ("velpox", "C"), random.Random(0)))  # type: ignore[arg-type]
            for n in range(7)
        ]
        assert lengths == sorted(set(lengths))
