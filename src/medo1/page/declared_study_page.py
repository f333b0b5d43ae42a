"""The page of a declared study: its predictions first, then what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medo1.page.material import Material
from medo1.page.report_page import rendered
from medo1.page.sections.declared_study import DECLARED_STUDY_SECTIONS


def declared_study_page(
    given: Mapping[str, Any],
    *,
    title: str,
    lead: str,
    declared: Mapping[str, Any],
    facts: Mapping[str, str],
    confidence: float,
) -> str:
    """The page's HTML: equal values give equal bytes.

    Args:
        given: tables of the study, rows by name: `study_predictions`, `study_accuracies`, `study_comparisons`,
            `study_trends`, `study_best`, `study_abilities`, `study_failures`, `study_runs`.
        title, lead: of the page.
        declared: the declaration as JSON values.
        facts: what the study was, in words.
        confidence: level of the intervals.
    """
    arms = tuple(dict.fromkeys(str(row["arm"]) for row in given.get("study_accuracies", ())))
    material = Material(
        given={**given, "declared": declared}, arms=arms, title=title, lead=lead, facts=facts, confidence=confidence,
        traced=False,
    )  # fmt: skip
    subtitle = "Predicted before the first run, decided by every run of it."
    return rendered(material, sections=DECLARED_STUDY_SECTIONS, subtitle=subtitle)
