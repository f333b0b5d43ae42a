"""What a free-form text does with its diagnoses, counted."""

from __future__ import annotations

import pytest

from medo1.differential.narrowing import narrowing

D = "Differential diagnosis:"
CASES = {
    # text: (different diagnoses, changes of the lead)
    "": (0, 0),
    "No idea.": (0, 0),
    "The most likely diagnosis is gout.": (1, 0),
    D + "\n1. Gout\n2. Pseudogout\n3. Septic arthritis": (3, 0),
    D + "\n1. Gout\n2. Pseudogout\n\nThe crystals are rhomboid.\n\nFinal diagnosis: Pseudogout": (2, 1),
    "<think>" + D + "\n1. Gout\n2. Lupus\n\nNo, wait.</think>\n" + D + "\n1. Lupus\n2. Gout": (2, 1),
    D + "\n1. SLE\n2. Gout\n\nThe most likely diagnosis is systemic lupus erythematosus.": (2, 0),
    "Initial differential:\n1. Gout\n2. Lupus\n\n"
    "Revised differential:\n1. Lupus\n\nFinal differential:\n1. Gout\n2. Sarcoidosis": (3, 2),
    "Supporting findings:\n1. Fever\n2. Rash\n\nFinal diagnosis: Measles": (1, 0),
}  # fmt: skip


@pytest.mark.parametrize("text", CASES)
def test_breadth_and_changes_of_the_lead(text: str) -> None:
    found = narrowing(text)
    assert (found.breadth, found.lead_changes) == CASES[text]
