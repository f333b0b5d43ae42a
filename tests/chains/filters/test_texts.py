"""Each filter of a text drops what it is for, says what it saw, and lets the rest pass."""
# ruff: noqa: RUF001, E501  (texts in other scripts, each on one line)

from __future__ import annotations

import pytest

from medo1.chains.filters import texts
from medo1.chains.filters.languages import language_of
from medo1.chains.filters.specs import LanguageSpec, LengthSpec, RepetitionSpec
from medo1.chains.formats import USUAL_CHECKS
from tests.chains.filters.rows import OPTIONS, RIGHT, candidate, question

GERMAN = "Der Patient hat Fieber und einen Ausschlag, der hinter den Ohren begann. Es ist also nicht die Grippe, und die Masern sind es auch nicht."
ENGLISH = "The patient has a fever and a rash that began behind the ears, and it is not the flu, so we look for the spots in the mouth."
CHINESE = "患者发热并有皮疹，皮疹从耳后开始，逐渐向下蔓延到躯干，因此考虑是麻疹而不是流感，需要看口腔黏膜。"
JAPANESE = "患者は発熱があり、発疹は耳の後ろから始まって体幹に広がったので、インフルエンザではなく麻疹を考える。"


def test_an_unfinished_chain_is_dropped() -> None:
    assert texts.finished(candidate()).passed
    cut = texts.finished(candidate(finish="length"))
    assert (cut.passed, cut.reason) == (False, "finish reason is length")


def test_a_text_that_is_no_chain_of_its_format_is_dropped_and_answers_are_others_business() -> None:
    assert texts.of_format(candidate("I am not sure what it is."), USUAL_CHECKS).passed
    told = texts.of_format(candidate("The {{ strong }} rash is measles.\nFinal answer: B"), USUAL_CHECKS)
    assert not told.passed
    assert told.reason.startswith("prompt_leak:")


@pytest.mark.parametrize(
    ("text", "judged", "letter", "by"),
    [
        (RIGHT, None, "B", "letter"),
        (RIGHT, "A", "B", "letter"),
        ("The rash began behind the ears. Therefore the diagnosis is measles.", None, "B", "text"),
        ("It is the illness with Koplik spots.", "B", "B", "judge"),
        ("It is the illness with Koplik spots.", "Z", None, "nobody"),
        ("It is the illness with Koplik spots.", None, None, "nobody"),
    ],
)
def test_an_answer_is_read_by_letter_else_by_text_else_by_judge(text, judged, letter, by) -> None:  # type: ignore[no-untyped-def]
    stated = texts.stated_answer(candidate(text), judged)
    assert (stated.letter, stated.by) == (letter, by)
    assert texts.answered(candidate(text), stated).passed == (letter is not None)
    assert texts.correct(candidate(text), stated).passed == (letter == "B")


def test_a_wrong_chain_is_told_what_it_states_and_what_is_right() -> None:
    one = candidate("Final answer: A")
    told = texts.correct(one, texts.stated_answer(one))
    assert told.reason == "states A (influenza), read by letter; gold is B (measles)"
    assert told.match == "Final answer: A"


@pytest.mark.parametrize("finish", ["length", "content_filter", "error"])
def test_a_chain_that_did_not_end_is_not_read_in_prose(finish: str) -> None:
    assert texts.stated_answer(candidate("It is the illness with Koplik spots.", finish=finish), "B").letter is None


def test_a_leak_is_dropped_with_its_place() -> None:
    text = "The rash is red. The given answer is B, so measles.\nFinal answer: B"
    told = texts.no_leak(candidate(text))
    start, end = text.index("The given answer"), text.index(" is B,")
    assert not told.passed
    assert f"{text[start:end]!r} at {start} to {end}" in told.reason
    assert told.match in text
    assert texts.no_leak(candidate()).passed


@pytest.mark.parametrize(("tokens", "passed"), [(9, False), (10, True), (20, True), (21, False), (None, True)])
def test_the_window_of_lengths_holds_both_edges(tokens: int | None, passed: bool) -> None:
    spec = LengthSpec(min_tokens=10, max_tokens=20)
    assert texts.long_enough(candidate(tokens=tokens), spec).passed is passed


def test_a_loop_is_dropped_and_ordinary_repetition_is_not() -> None:
    spec = RepetitionSpec(max_share=0.3, max_in_a_row=3)
    loop = "Let me look at the rash again. "
    assert texts.not_repeating(candidate(loop * 3 + RIGHT), spec).passed
    told = texts.not_repeating(candidate(loop * 4 + RIGHT), spec)
    assert "4 times in a row" in told.reason
    assert told.match == loop.strip().lower()
    block = " ".join(f"word{n}" for n in range(60))
    assert not texts.not_repeating(candidate(f"{block} and {block} and {block}"), spec).passed
    assert texts.not_repeating(candidate(block), spec).value == 0
    assert texts.not_repeating(candidate(""), spec).passed


@pytest.mark.parametrize(
    ("text", "code"), [(GERMAN, "de"), (ENGLISH, "en"), (CHINESE, "zh"), (JAPANESE, "ja"), ("B.", None)]
)
def test_languages_are_told_apart(text: str, code: str | None) -> None:
    assert language_of(text) == code


def test_a_chain_in_another_language_than_its_question_is_dropped() -> None:
    asked = question(1, stem=ENGLISH)
    spec = LanguageSpec()
    assert texts.in_language(candidate(ENGLISH, question=asked), spec).passed
    assert "written in de, expected en" in texts.in_language(candidate(GERMAN, question=asked), spec).reason
    assert texts.in_language(candidate(CHINESE, question=question(1, stem=CHINESE)), spec).passed
    assert texts.in_language(candidate(GERMAN, question=asked), LanguageSpec(languages=("de", "en"))).passed
    mixed = texts.in_language(candidate(f"{ENGLISH} {CHINESE}", question=asked), spec)
    assert "of the script of en" in mixed.reason
    assert texts.in_language(candidate("B", question=asked), spec).passed


def test_options_are_those_of_the_question() -> None:
    assert OPTIONS["B"] == question(1).gold_text
