"""Nodes of the free-form arms: ranks by text and by the judge, and the same cases with options beside them."""

from __future__ import annotations

from typing import Any

from medo1.engines.base import Engine
from medo1.frames import Frame
from medo1.questions import questions_from


def judge_answers(generated: Frame, questions: Frame, judge: Engine | None = None, prompt: str = "") -> Frame:
    """Where the right diagnosis stands in each greedy list; without a judge, by text alone. Returns
    `tables.FREE_FORM_JUDGEMENTS`."""
    from medo1 import tables
    from medo1.pipelines.inference.free_form import judgement_rows

    return tables.as_table(
        tables.FREE_FORM_JUDGEMENTS, judgement_rows(generated, questions_from(questions), judge, prompt)
    )


def compare_free_form(*judgements_and_answers: Frame, pairs: tuple[tuple[str, str], ...]) -> Frame:
    """Each free-form arm beside the arm that answered with options, `tables.FREE_FORM`.

    Args:
        judgements_and_answers: of each pair the judgements, and the other arm's answers where there is one.
        pairs: a free-form arm and the arm beside it, empty where there is none.
    """
    from medo1 import tables
    from medo1.pipelines.inference.free_form import free_form_rows

    given = iter(judgements_and_answers)
    rows: list[dict[str, Any]] = []
    for arm, against in pairs:
        judgements = next(given)
        rows += free_form_rows(arm, judgements, against, next(given) if against else None)
    return tables.as_table(tables.FREE_FORM, rows)
