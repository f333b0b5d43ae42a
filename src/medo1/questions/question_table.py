"""Questions as a table and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from medo1.frames import Frame, records
from medo1.questions.question import LETTERS, Question
from medo1.questions.rendering import Shuffled


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
            "flags": ",".join(question.flags),
            "link": question.extra.get("link", ""),
            "shareable": question.shareable,
            "cluster": question.cluster or question.question_id,
        }
        for question in questions
    ]


def order_rows(asked: Iterable[Shuffled]) -> list[dict[str, Any]]:
    """One mapping a question, as `medo1.tables.QUESTIONS_ORDER` has its columns."""
    return [
        {
            "question_id": one.question.question_id,
            "benchmark": one.question.benchmark,
            "split": one.question.split,
            "original": "".join(one.original[letter] for letter in sorted(one.original)),
        }
        for one in asked
    ]


def letter_as_read(original: str, letter: str | None) -> str | None:
    """The letter that an option had in its file: `original` is the question's in `QUESTIONS_ORDER`.

    Raises:
        ValueError: for a letter that the question does not have.
    """
    if letter is None:
        return None
    place = LETTERS.find(letter)
    if not 0 <= place < len(original):
        raise ValueError(f"there is no option {letter!r} among {len(original)}")
    return original[place]


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
            extra={"link": row["link"]} if row.get("link") else {},
            flags=tuple(flag for flag in (row.get("flags") or "").split(",") if flag),
            shareable=bool(row.get("shareable", True)),
            cluster=row.get("cluster") or "",
        )
        for row in records(table)
    ]
