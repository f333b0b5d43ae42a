"""Questions as a table and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from medo1.frames import Frame, records
from medo1.questions.question import LETTERS, Question


def question_rows(questions: Iterable[Question]) -> list[dict[str, Any]]:
    """One mapping a question, as `medo1.tables.QUESTIONS` has its columns. Options are texts in letter order."""
    return [
        {
            "question_id": question.question_id,
            "benchmark": question.benchmark,
            "split": question.split,
            "stem": question.stem,
            "options": [question.options[letter] for letter in sorted(question.options)],
            "gold": question.gold,
            "difficulty": question.difficulty,
            "source": question.source,
        }
        for question in questions
    ]


def questions_from(table: Frame) -> list[Question]:
    """The questions of a table, in its order."""
    import pandas as pd

    return [
        Question(
            question_id=row["question_id"],
            benchmark=row["benchmark"],
            split=row["split"],
            stem=row["stem"],
            options=dict(zip(LETTERS, row["options"], strict=False)),
            gold=row["gold"],
            difficulty=None if pd.isna(row["difficulty"]) else int(row["difficulty"]),
            source=row["source"],
        )
        for row in records(table)
    ]
