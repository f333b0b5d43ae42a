"""Questions from a file of the MedQA form (interim: the readers of the other forms follow)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from medo1.questions.question import Question, question_id


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that cannot be used."""

    file: str
    row: int
    reason: str
    content: str


def read_questions(
    path: Path, form: str | None = None, *, benchmark: str, split: str
) -> tuple[list[Question], list[Rejected]]:
    """The questions of a jsonl file with question, options and answer_idx."""
    questions, rejected = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        row = json.loads(line)
        if row["answer_idx"] not in row["options"]:
            rejected.append(Rejected(path.name, number, "gold: answer_idx is no option", line[:200]))
            continue
        questions.append(
            Question(
                question_id(row["question"], row["options"]),
                benchmark,
                split,
                row["question"],
                row["options"],
                row["answer_idx"],
                row.get("difficulty"),
                f"{path.name}:{number}",
            )
        )
    return questions, rejected
