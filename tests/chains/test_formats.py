"""Formats are checked: what is a chain is read as one, what is not says why."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medo1.chains.formats import FORMATS, Checks, Journey, LongMonolog, LongStep, parsed, steps_of
from medo1.chains.leaks import leak
from medo1.chains.trees import read_tree, walk

OPTIONS = {"A": "gout", "B": "sepsis", "C": "Lyme disease", "D": "lupus"}
STEPS = """Step 1: Narrow the field
Goal: find what the rash points to.
Evidence: an expanding ring after a walk in the woods.
Conclusion: a tick-borne illness.

**Step 2: Weigh the joints**
Goal: explain the knee.
Evidence: one swollen knee, weeks later.
Conclusion: Lyme arthritis fits, gout does not.

Lyme disease explains both.
Final answer: C"""
MONOLOGUE = """Hmm, a ring that grows. My first thought is a tick bite. But wait, could it be lupus? The knee came weeks
later, and lupus would not leave a ring like that. Let me check gout: no, the uric acid is normal. So back to the tick.

Final answer: C"""


def codes(format: str, text: str, finish: str = "stop", **checks: object) -> list[str]:
    chain, problems = parsed(format, text, OPTIONS, finish, Checks(**checks))  # type: ignore[arg-type]
    assert (chain is None) == bool(problems)
    return [problem.code for problem in problems]


def test_a_longstep_chain_is_read_with_its_parts() -> None:
    chain, problems = parsed("longstep", STEPS, OPTIONS, checks=Checks(require_parts=True))
    assert problems == []
    assert isinstance(chain, LongStep)
    assert [step.number for step in chain.steps] == [1, 2]
    assert chain.steps[1].goal == "explain the knee."
    assert chain.steps[1].conclusion == "Lyme arthritis fits, gout does not."
    assert chain.answer == "C"


@pytest.mark.parametrize(
    "text",
    [
        "Step 1: the rash suggests gout.\nStep 2: fever in gout means sepsis.\nIt is C.\nFinal answer: C",
        "### Step 1 - Look\nx\n### Step 2 - Weigh\ny\n\nFinal answer: C",
        "1. Look at the rash.\n2. Look at the knee.\n\nFinal answer: C",
        "**Step 1** Look.\n**Step 2** Weigh.\n**Final answer: C**",
    ],
)
def test_the_usual_ways_to_number_steps_are_read(text: str) -> None:
    assert codes("longstep", text) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("It is a tick.\nFinal answer: C", "no_steps"),
        ("Step 1: x\nFinal answer: C", "too_few_steps"),
        ("Step 2: x\nStep 1: y\nFinal answer: C", "steps_out_of_order"),
        ("Step 1: x\nStep 3: y\nFinal answer: C", "steps_out_of_order"),
        ("Step 1:\nStep 2: y\nFinal answer: C", "empty_step"),
        ("Step 1: x\nStep 2: y", "no_answer"),
        ("Step 1: x\nStep 2: y\nFinal answer: C\nFinal answer: D", "conflicting_answers"),
        ("Step 1: x\nStep 2: the given answer is C\nFinal answer: C", "gold_leak"),
        ("Step 1: x\nStep 2: {{ strong }}\nFinal answer: C", "prompt_leak"),
        ("", "empty"),
        (f"Step 1: x\nStep 2: y\nFinal answer: C\n{'More and more. ' * 50}", "text_after_answer"),
    ],
)
def test_what_is_no_longstep_chain_says_why(text: str, code: str) -> None:
    assert code in codes("longstep", text)


def test_parts_are_asked_for_only_where_they_are_wanted() -> None:
    text = "Step 1: x\nStep 2: y\nFinal answer: C"
    assert codes("longstep", text) == []
    assert codes("longstep", text, require_parts=True) == ["step_without_parts"]


def test_a_monologue_is_connected_thought_that_turns() -> None:
    chain, problems = parsed("longmonolog", MONOLOGUE, OPTIONS)
    assert problems == []
    assert isinstance(chain, LongMonolog)
    assert chain.turns >= 3
    assert "is_a_list" in codes("longmonolog", STEPS.replace("\n\n", "\n") + "\n" + "- a\n- b\n- c\n- d\n- e\n- f\n- g")
    assert codes("longmonolog", "The rash suggests it. The knee confirms it.\nFinal answer: C") == ["no_second_thought"]


def test_the_embedded_worlds_chains_are_chains() -> None:
    wait = "Hmm, let me think. The rash suggests gout. Wait, not gout, so after exam lupus. OK, sure.\nFinal answer: D"
    assert codes("longmonolog", wait) == []
    assert codes("cot", "The rash suggests gout, then lupus.\nThe diagnosis is lupus (D).\nFinal answer: D") == []


def test_a_journey_tells_of_a_dead_end() -> None:
    chain, _ = parsed(
        "journey", "Gout? No, the uric acid rules it out. Going back: the ring.\nFinal answer: C", OPTIONS
    )
    assert isinstance(chain, Journey)
    assert codes("journey", "It is the tick.\nFinal answer: C") == ["no_dead_end"]


def test_cut_and_filtered_texts_are_no_chains() -> None:
    assert codes("cot", "The rash", "length") == ["cut"]
    assert codes("cot", "", "content_filter") == ["filtered"]
    assert codes("cot", "The ring decides.\nFinal answer: C.", "length") == []  # the answer was reached before the cut


@pytest.mark.parametrize(
    "text",
    ["The given answer is C.", "as the provided correct answer states", "according to the answer key",
     "the ground truth", "Since we already know the correct answer", "I was told that the correct diagnosis is lupus",
     "the correct answer is given as C"],
)  # fmt: skip
def test_words_about_a_given_answer_are_a_leak(text: str) -> None:
    assert leak(text)


@pytest.mark.parametrize(
    "text",
    ["Given the rash, the answer is C.", "The patient was given amoxicillin.", "The correct answer is C.",
     "The diagnosis was provided by biopsy.", "We know that the answer to fever is fluids."],
)  # fmt: skip
def test_ordinary_medicine_is_no_leak(text: str) -> None:
    assert leak(text) is None


@given(st.sampled_from(sorted(FORMATS)), st.text(max_size=400), st.sampled_from(["stop", "length"]))
def test_no_text_breaks_a_parser(format: str, text: str, finish: str) -> None:
    chain, problems = parsed(format, text, OPTIONS, finish)  # type: ignore[arg-type]
    assert (chain is None) == bool(problems)
    steps_of(text)


TREE = {
    "thought": "A ring and a knee.",
    "children": [
        {"thought": "Suppose Lyme disease.", "verdict": "answer"},
        {"thought": "Suppose gout.", "verdict": "dead_end", "reason": "the uric acid is normal"},
    ],
}


def test_a_tree_is_walked_through_its_failures_first() -> None:
    tree, wrong = read_tree(f"Here it is:\n```json\n{json.dumps(TREE)}\n```")
    assert wrong == ""
    assert tree is not None
    assert walk(tree).splitlines() == [
        "A ring and a knee.",
        "Suppose gout.",
        "Dead end: the uric acid is normal.",
        "Back to: A ring and a knee.",
        "Suppose Lyme disease.",
    ]


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        ("no tree", "not JSON"),
        ({"thought": "x", "verdict": "answer"}, "no branch"),
        ({"thought": "x", "children": [{"thought": "y", "verdict": "dead_end"}]}, "expected exactly one"),
        ({"thought": "x", "children": [{"thought": "y"}]}, "left open"),
        ({"thought": "", "verdict": "answer"}, "no text"),
        ({"thought": "x", "verdict": "maybe"}, "verdict 'maybe'"),
        ({"thought": "x", "verdict": "answer", "children": [TREE]}, "yet goes on"),
    ],
)
def test_a_tree_that_is_none_says_why(content: object, wrong: str) -> None:
    tree, told = read_tree(content if isinstance(content, str) else json.dumps(content))
    assert tree is None
    assert wrong in told
