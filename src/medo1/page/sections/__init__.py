"""The sections of the page, in their order. A section that lacks a table is left out."""

from __future__ import annotations

from medo1.page.sections import (
    answer,
    cases,
    claims,
    curves,
    free_form,
    learnt,
    made,
    results,
    runs,
    spent,
    tests_made,
    trust,
)
from medo1.page.sections.section import Section

SECTIONS: tuple[Section, ...] = (
    answer.SECTION,
    runs.SECTION,
    results.SECTION,
    claims.CLAIMS,
    claims.PAPER_TABLE,
    claims.SIGNATURES,
    curves.DIFFICULTY,
    curves.VOTES,
    curves.BUDGETS,
    curves.SELECTIVE,
    curves.FRONTIER,
    trust.CALIBRATION,
    trust.COVERAGE,
    trust.LETTERS,
    trust.LENGTHS,
    tests_made.TESTS,
    tests_made.CLUSTERED,
    tests_made.PROBES,
    free_form.SECTION,
    learnt.FUNNEL,
    learnt.SOUNDNESS,
    learnt.LENGTHS,
    learnt.TRAINING,
    spent.TOKENS,
    spent.TIME,
    cases.SECTION,
    made.INPUTS,
    made.LIMITS,
    made.MADE,
)
