"""The option that a reply in prose concludes on is read by its text, and nothing is read from words in passing."""
# ruff: noqa: RUF001, E501  (quotation marks as models write them; a case is a line)

from __future__ import annotations

import pytest

from medo1.chains.prose import END_CHARACTERS, concluded_option

OPTIONS = {
    "A": "Renal vein thrombosis",
    "B": "Wilms tumor",
    "C": "The hemolytic-uremic syndrome",
    "D": "MRI (of the spine)",
}
ASKED = "A child has hematuria and a flank mass. Which of the following is the most likely diagnosis?"


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("The most likely diagnosis is renal vein thrombosis.", "A"),
        ("Wilms tumor was considered first. Therefore, the diagnosis is renal vein thrombosis.", "A"),
        ('This is called "renal vein thrombosis." It is common in dehydration.', "A"),
        ("All of this points to Wilms tumors.", "B"),
        ("Thus hemolytic uremic syndrome fits best.", "C"),
        ("So the best next test is MRI.", "D"),
        ("Hmm, a mass and blood. I'm leaning towards Wilms’ tumor... no wait. OK.\n\nThe most likely cause is Wilms tumor.", "B"),
        # in passing, denied, hedged, or two at once
        ("Wilms tumor is not the most likely diagnosis.", None),
        ("It isn't likely Wilms tumor.", None),
        ("It could be that Wilms tumor is the most likely diagnosis.", None),
        ("The most likely diagnosis is either Wilms tumor or renal vein thrombosis.", None),
        ("Therefore Wilms tumor. Therefore renal vein thrombosis.", None),
        ("Wilms tumor grows quickly.", None),
        ("The most likely diagnosis is a neuroblastoma.", None),
        ("Rather than Wilms tumor, this is most likely a neuroblastoma.", None),
        ("A stone is more likely than Wilms tumor.", None),
        ("It hurts more than usual, which is considered to be typical: the diagnosis is Wilms tumor.", "B"),
        ("", None),
    ],
)  # fmt: skip
def test_a_claimed_option_is_read_and_nothing_else(text: str, letter: str | None) -> None:
    found = concluded_option(text, ASKED, OPTIONS)
    assert (found.letter if found else None) == letter
    if found:
        assert found.sentence in text


def test_a_question_for_the_exception_is_answered_by_a_denial() -> None:
    asked = "All of the following cause flank masses EXCEPT"
    assert concluded_option("Wilms tumor is correct here, it is a mass.", asked, OPTIONS) is None
    found = concluded_option("The least likely of these is renal vein thrombosis.", asked, OPTIONS)
    assert found is not None
    assert found.letter == "A"


def test_a_sentence_that_says_again_what_was_asked_claims() -> None:
    asked = "Bolognini's symptom, crepitation felt in the abdomen upon gradual pressure, is seen in"
    text = "Bolognini's symptom, crepitation felt in the abdomen on pressure, is seen with measles."
    found = concluded_option(text, asked, {"A": "Typhoid", "B": "Measles"})
    assert found is not None
    assert found.letter == "B"


@pytest.mark.parametrize(
    "options",
    [
        {"A": "20%", "B": "40%"},
        {"A": "ad", "B": "bc"},
        {"A": "100", "B": "200"},
        {"A": "All of the above", "B": "None"},
        {"A": "40 minutes", "B": "90 minutes"},  # within a range
        {"A": "measles", "B": "Measles."},
    ],
)
def test_options_that_say_nothing_by_themselves_are_not_read(options: dict[str, str]) -> None:
    text = "Therefore the most likely is 20 to 40 minutes, 40%, 100, ad, all of the above, measles."
    assert concluded_option(text, ASKED, options) is None


def test_of_a_long_chain_the_end_counts() -> None:
    thought = "Therefore Wilms tumor is the best. " + "The kidney is swollen and the urine is red today. " * 60
    found = concluded_option(thought + "In conclusion it is renal vein thrombosis.", ASKED, OPTIONS)
    assert found is not None
    assert found.letter == "A"


def test_a_sentence_that_the_window_cuts_is_not_read() -> None:
    end = "the most likely diagnosis is Wilms tumor. "
    filler = "The kidney is swollen and red. " * 200
    text = "It is not true that " + end + filler[: END_CHARACTERS - len(end)]
    assert concluded_option(text, ASKED, OPTIONS) is None
