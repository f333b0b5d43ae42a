"""What surrounds a stated letter, whatever it is, never turns it into another letter."""

from __future__ import annotations

import random
import string

from hypothesis import example, given, settings
from hypothesis import strategies as st

from medo1.answers import read_answer
from medo1.answers.thinking import may_think

PLAIN = (
    "The answer is {x}.",
    "The answer is ({x}).",
    "The correct answer is **{x}**.",
    "Therefore, the correct answer is:\n\n**({x})**",
    "Answer: {x}",
    "**Answer:** ({x})",
    "Final answer: {x}",
    "**Final Answer: {x}**",
    "\\boxed{{{x}}}",
    "$\\boxed{{\\text{{{x}}}}}$",
    "<answer>{x}</answer>",
    "### Answer\n{x}",
    '{{"answer": "{x}"}}',
    "I would choose option {x}.",
    "The best option is ({x}).",
    "答案是{x}。",
    "Правильный ответ: {x}",
)
WITH_TEXT = (
    "The answer is {x}. {text}",
    "The answer is ({x}) {text}.",
    "Answer: {x}. {text}",
    "**Answer: {x}) {text}**",
    "\\boxed{{{x}. {text}}}",
    "<answer>{x}. {text}</answer>",
    "Final answer: ({x}) {text}",
)
PROSE = (
    "A 45-year-old man presents with pain.",
    "Hepatitis B is unlikely here.",
    "I considered vitamin D deficiency and group A strep.",
    "I think I would start with the history.",
    "Type A dissection is a surgical emergency; type B is not.",
    "The patient's blood group is O, his mother's is AB.",
    "C. difficile and E. coli were not found.",
    "Factor V Leiden and protein C deficiency were excluded.",
    "An S3 and a T wave inversion are seen.",
    "Beta-blockers are contraindicated.",
    "Stage B lymphoma (not C) was described.",
    "The D-dimer is high and the A-a gradient is wide.",
    "No option mentions I-131.",
    "If the patient were stable, the answer would be {y}.",
    "Option {y} is incorrect.",
    "({y}) is not the best answer.",
    "The answer is not {y}.",
    "Could it be {y}?",
    "Is the answer {y}?",
    "A common wrong answer is {y}.",
    "It might be {y}.",
)
TEXTS = (
    "Aspirin", "Vitamin A", "Vitamin B", "Hepatitis C", "B cells", "C. difficile", "E. coli", "A", "B", "O", "AB", "5",
    "50%", "None of the above", "Both A and B", "Beta-blocker therapy", "A beta-blocker", "I and D", "The answer is B",
    "Answer C", "option A", "no", "yes", "Give an answer", "D-dimer", "Type A dissection", "a",
)  # fmt: skip


@st.composite
def options_and_letter(draw: st.DrawFn) -> tuple[dict[str, str], str, str]:
    """Options with texts that try to mislead, the stated letter, and another one."""
    count = draw(st.integers(2, 10))
    # a mark of thinking as an option's text would end the answer there, as it should
    printed = st.text(string.printable, max_size=24).filter(lambda text: not may_think(text.lower()))
    texts = draw(st.lists(st.one_of(st.sampled_from(TEXTS), printed), min_size=count, max_size=count))
    options = dict(zip(string.ascii_uppercase, texts, strict=False))
    stated = draw(st.sampled_from(sorted(options)))
    other = draw(st.sampled_from([letter for letter in options if letter != stated]))
    return options, stated, other


@settings(max_examples=150, deadline=None)
@given(
    options_and_letter(),
    st.sampled_from(PLAIN),
    st.lists(st.sampled_from(PROSE), max_size=5),
    st.sampled_from([" ", "\n", "\n\n"]),
)
def test_prose_before_a_stated_letter_never_changes_it(case, statement, prose, between):
    options, stated, other = case
    text = between.join([*(sentence.format(y=other) for sentence in prose), statement.format(x=stated)])
    assert read_answer(text, options).letter in (stated, None), text


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(string.ascii_uppercase[:10]),
    st.sampled_from(PLAIN),
    st.lists(st.sampled_from(PROSE[:13]), max_size=5),
    st.sampled_from(["\n", "\n\n"]),
)
def test_a_plainly_stated_letter_is_read(stated, statement, prose, between):
    options = {letter: f"treatment number {letter.lower()}{letter.lower()}" for letter in string.ascii_uppercase[:10]}
    text = between.join([*prose, statement.format(x=stated)])
    assert read_answer(text, options).letter == stated, text


@settings(max_examples=150, deadline=None)
@given(options_and_letter(), st.sampled_from(WITH_TEXT), st.lists(st.sampled_from(PROSE), max_size=3))
def test_the_option_text_beside_a_letter_never_changes_it(case, statement, prose):
    options, stated, other = case
    text = "\n".join(
        [*(sentence.format(y=other) for sentence in prose), statement.format(x=stated, text=options[stated])]
    )
    assert read_answer(text, options).letter in (stated, None), text


@settings(max_examples=150, deadline=None)
@given(options_and_letter(), st.sampled_from(PLAIN), st.text(max_size=200))
@example(({"A": "x", "B": "y"}, "A", "B"), "The answer is {x}.", "İİ ß ﬃ \u0301")
@example(({"A": "x", "B": "x", "C": "The answer is B"}, "B", "A"), "The answer is {x}.", "")
def test_any_text_before_a_stated_letter_never_changes_it(case, statement, noise):
    options, stated, _ = case
    assert read_answer(f"{noise}\n\n{statement.format(x=stated)}", options).letter in (stated, None)


@settings(max_examples=150, deadline=None)
@given(options_and_letter(), st.sampled_from(PLAIN[:13]), st.integers(0, 10_000))
def test_options_restated_in_any_order_never_change_the_letter(case, statement, seed):
    options, stated, _ = case
    listed = list(options.items())
    random.Random(seed).shuffle(listed)
    text = "\n".join(f"{letter}. {option}" for letter, option in listed)
    assert read_answer(f"Let me restate the options.\n{text}\n\n{statement.format(x=stated)}", options).letter in (
        stated,
        None,
    )


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=400), options_and_letter(), st.sampled_from([None, "stop", "length", "content_filter", "error"])
)
def test_any_text_is_read_without_an_error_and_within_itself(text, case, finish_reason):
    options, _, _ = case
    answer = read_answer(text, options, finish_reason)
    assert (answer.letter is None) == (answer.status != "answer")
    assert answer.letter is None or answer.letter in options
    if answer.span is not None:
        assert 0 <= answer.span[0] <= answer.span[1] <= len(text)
