"""Each format says what it promises, about the same walk."""

from __future__ import annotations

import random
import re
from typing import Literal, get_args

import pytest

from medo1.answers import read_answer
from medo1.clinic.exam import Chart, options_of
from medo1.clinic.explanations import FORMATS, Format, explanation, short_answer
from medo1.clinic.walks import Walk, walk
from medo1.clinic.world import World, WorldSpec, world_from

COMPLAINT = next(iter(world_from(WorldSpec()).impressions))


@pytest.fixture
def chart(world: World) -> Chart:
    return Chart(COMPLAINT, tuple(values[0] for values in world.slots.values()))


def told(world: World, form: Format, solved: Walk, seed: int = 0, wrong_steps: int = 1) -> str:
    return explanation(world, form, solved, ("velpox", "C"), random.Random(seed), wrong_steps)


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
def test_every_format_ends_with_the_answer_that_is_read(world: World, chart: Chart, form: Format) -> None:
    text = told(world, form, walk(world, chart))
    assert text.endswith("The diagnosis is velpox (C).\nFinal answer: C")
    assert read_answer(text, options_of(world, chart)).letter == "C"


def test_longstep_has_one_numbered_line_a_look_up(world: World, chart: Chart) -> None:
    text = told(world, "longstep", walk(world, chart))
    assert [int(number) for number in re.findall(r"^Step (\d+): ", text, re.MULTILINE)] == [1, 2, 3, 4, 5, 6, 7]


def test_longmonolog_says_the_same_look_ups_with_doubt_and_without_numbers(world: World, chart: Chart) -> None:
    solved = walk(world, chart)
    text = told(world, "longmonolog", solved)
    facts = [(step.value, step.before, step.after) for step in solved.steps]
    assert re.findall(r"(\w+) in (\w+) means (\w+)", text) == facts
    assert not re.search(r"Step|\d", text)
    assert f"So {solved.first}?" in text
    changes = sum(step.before != step.after for step in solved.steps)
    assert len(re.findall(r"not \w+, so", text)) == changes
    assert len({told(world, "longmonolog", solved, seed) for seed in range(9)}) > 1


def test_cot_says_only_what_changes_the_mind(world: World, chart: Chart) -> None:
    solved = walk(world, chart)
    said = re.findall(r"But \w+ (\w+) in", told(world, "cot", solved))
    assert said == [step.value for step in solved.steps if step.before != step.after]


def test_vanilla_says_nothing_and_the_short_answer_only_the_first_impression(world: World, chart: Chart) -> None:
    solved = walk(world, chart)
    assert told(world, "vanilla", solved).startswith("The diagnosis is")
    assert short_answer(world.wording, solved.first, ("velpox", "C")).startswith(
        f"The complaint suggests {solved.first}. The diagnosis is"
    )


@pytest.mark.parametrize("form", FORMATS)
def test_no_chain_names_the_complaint_so_none_states_a_fact_that_the_exam_asks(
    world: World, chart: Chart, form: Format
) -> None:
    text = told(world, form, walk(world, chart))
    assert COMPLAINT not in text


def test_chains_grow_with_the_findings(world: World, chart: Chart) -> None:
    forms: tuple[Format, ...] = ("longstep", "longmonolog")
    for form in forms:
        lengths = [
            len(
                explanation(
                    world, form, walk(world, Chart(COMPLAINT, chart.values[:n])), ("velpox", "C"), random.Random(0)
                )
            )
            for n in range(7)
        ]
        assert lengths == sorted(set(lengths))


@pytest.mark.parametrize(("form", "size"), [("by_two", 2), ("by_three", 3), ("by_all", 6)])
def test_steps_of_several_findings_say_only_the_impression_after_the_last_of_them(
    world: World, chart: Chart, form: Format, size: int
) -> None:
    for n in range(7):
        solved = walk(world, Chart(COMPLAINT, chart.values[:n]))
        first, *steps = told(world, form, solved).splitlines()[:-2]
        assert first == f"Step 1: the complaint suggests {solved.first}."
        assert len(steps) == -(-n // size)
        assert [value for step in steps for value in re.findall(r"\w+ (\w+)(?:,| in)", step)] == list(chart.values[:n])
        turns = [re.findall(r"in (\w+) means (\w+)\.$", step) for step in steps]
        assert turns == [
            [(solved.impressions[start], solved.impressions[min(n, start + size)])] for start in range(0, n, size)
        ]


def test_monologues_without_reflection_or_backtracking_say_the_same_look_ups_in_the_same_words(
    world: World, chart: Chart
) -> None:
    for seed in range(9):
        solved = walk(world, chart)
        whole, bare, ahead = (
            told(world, form, solved, seed)
            for form in get_args(Literal["longmonolog", "no_reflection", "no_backtracking"])
        )
        look_ups = re.findall(r"(?:Let me see,|Now) [\w ]+ means \w+\.", whole)
        assert bare == " ".join(
            [f"The complaint suggests {solved.first}.", *look_ups, "The diagnosis is velpox (C).\nFinal answer: C"]
        )
        assert ahead == re.sub(r"(?:Wait|Hmm, that changes it), not \w+, so (\w+)\.", r"OK, so \1.", whole)
        assert "not" in whole.split()
        assert "not" not in ahead.split()


def test_prose_says_longsteps_look_ups_without_numbers(world: World, chart: Chart) -> None:
    solved = walk(world, chart)
    look_ups = re.findall(r"Step \d: (.+)\.", told(world, "longstep", solved))
    said = told(world, "no_steps", solved)
    assert said.lower().startswith(", then ".join(look_ups) + ". the diagnosis is")
    assert not re.search(r"\d|Step", said)


@pytest.mark.parametrize("count", [0, 1, 3, 9])
def test_wrong_steps_are_as_many_as_told_and_what_follows_sets_out_from_the_truth(
    world: World, chart: Chart, count: int
) -> None:
    for n in range(7):
        solved = walk(world, Chart(COMPLAINT, chart.values[:n]))
        right, wrong = (
            told(world, form, solved, wrong_steps=count).splitlines()
            for form in get_args(Literal["longstep", "wrong_steps"])
        )
        changed = [(one, other) for one, other in zip(right, wrong, strict=True) if one != other]
        assert len(changed) == min(n, count)
        assert all(one.rsplit(" ", 1)[0] == other.rsplit(" ", 1)[0] for one, other in changed)
        assert right[0] == wrong[0]
        assert right[-2:] == wrong[-2:]


def test_detours_are_true_are_set_aside_and_cost_about_as_many_words_again(world: World, chart: Chart) -> None:
    solved = walk(world, chart)
    whole, said = (told(world, form, solved) for form in get_args(Literal["longstep", "detours"]))
    asides = re.findall(r"Step \d: \w+ (\w+) in (\w+) means (\w+)\. But not (\w+), so ", said)
    assert [value for value, *_ in asides] == list(chart.values)
    for (value, before, after, given_up), step in zip(asides, solved.steps, strict=True):
        assert world.revised(value, before) == after
        assert before == given_up != step.before
    assert re.sub(r": [\w ]+\. But not \w+, so ", ": ", said) == whole
    assert 1.7 < len(said.split()) / len(whole.split()) < 2.3


def test_one_case_in_five_of_a_mix_is_written_at_length(world: World, chart: Chart) -> None:
    solved = walk(world, chart)
    whole, short = (told(world, form, solved) for form in get_args(Literal["longstep", "cot"]))
    mixed = [told(world, "mix", solved, seed) for seed in range(1000)]
    assert set(mixed) == {whole, short}
    assert 150 < mixed.count(whole) < 250
