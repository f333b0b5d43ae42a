"""How a free-form answer narrows its diagnoses down: how many it weighs, and how often another one takes the lead.

The hypothetico-deductive method (paper, section on free-form answers) as counts over a whole text, thought included.
"""

from __future__ import annotations

from dataclasses import dataclass

from medo1.differential.diagnoses import names_of, normalised_diagnosis
from medo1.differential.ranked import leads_in


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a text does with its diagnoses.

    Attributes:
        breadth: different diagnoses that its lists and statements name.
        lead_changes: how often the diagnosis in front is another one than before.
    """

    breadth: int
    lead_changes: int


def narrowing(text: str) -> Narrowing:
    """The counts of one text; names that mean the same are one."""
    seen: set[str] = set()
    breadth, changes = 0, 0
    leading: frozenset[str] | None = None
    for names in leads_in(text):
        forms = [_forms(name) for name in names]
        for form in forms:
            breadth += seen.isdisjoint(form)
            seen.update(form)
        if forms:
            changes += leading is not None and leading.isdisjoint(forms[0])
            leading = forms[0]
    return Narrowing(breadth, changes)


def _forms(name: str) -> frozenset[str]:
    return names_of(name) or frozenset({normalised_diagnosis(name)})
