"""Questions that stand more than once: duplicates, the same question with another gold answer, and one in two splits.

Questions are the same when their ids are (`medo1.questions.question_id`). Gold answers are compared by text, since the
same options may stand in another order. Called by the ingest pipeline.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from medo1.questions.errors import Rejected
from medo1.questions.question import Question, normalised


@dataclass(frozen=True, slots=True)
class Group:
    """The places where one question stands.

    Attributes:
        question_id: the question.
        sources: file and row of each, in the order in which they were read.
        golds: the gold answers' texts, each once.
        splits: the splits, each once.
    """

    question_id: str
    sources: tuple[str, ...]
    golds: tuple[str, ...]
    splits: tuple[str, ...]

    @property
    def kind(self) -> str:
        """`conflict` (two gold answers), `leak` (in the training split and another) or `duplicate`."""
        if len(self.golds) > 1:
            return "conflict"
        return "leak" if "train" in self.splits and len(self.splits) > 1 else "duplicate"

    def as_row(self) -> dict[str, str | int]:
        """The row of an audit table."""
        return {
            "question_id": self.question_id,
            "kind": self.kind,
            "times": len(self.sources),
            "sources": " ".join(self.sources),
            "golds": " | ".join(self.golds),
            "splits": " ".join(self.splits),
        }


def audit_questions(questions: Iterable[Question]) -> list[Group]:
    """Every question that stands more than once, in the order in which it first stands."""
    places: dict[str, list[Question]] = {}
    for question in questions:
        places.setdefault(question.question_id, []).append(question)
    return [_group(same) for same in places.values() if len(same) > 1]


def _group(same: Sequence[Question]) -> Group:
    golds = {normalised(question.gold_text): question.gold_text for question in same}
    return Group(
        same[0].question_id,
        tuple(question.source for question in same),
        tuple(golds.values()),
        tuple(dict.fromkeys(question.split for question in same)),
    )


def without_duplicates(questions: Sequence[Question]) -> tuple[list[Question], list[Rejected]]:
    """Each question once, and the others as rejected rows.

    Of duplicates the first stays. Of questions with two gold answers none stays: nobody can say which is right. Of one
    that is in the training split and another, the training copies go, so that nothing that is tested was trained on.
    """
    groups = {group.question_id: group for group in audit_questions(questions)}
    kept: list[Question] = []
    rejected: list[Rejected] = []
    seen: set[str] = set()
    for question in questions:
        group = groups.get(question.question_id)
        reason = None if group is None else _why_not(question, group, seen)
        if reason is None:
            kept.append(question)
            seen.add(question.question_id)
        else:
            file, _, row = question.source.rpartition(":")
            rejected.append(Rejected(file, int(row) if row.isdigit() else 0, reason, question.stem[:80]))
    return kept, rejected


def _why_not(question: Question, group: Group, seen: set[str]) -> str | None:
    others = ", ".join(source for source in group.sources if source != question.source)
    if group.kind == "conflict":
        return f"the same question has other gold answers ({' | '.join(group.golds)}) in {others}"
    if group.kind == "leak" and question.split == "train":
        return f"the same question is in {' and '.join(split for split in group.splits if split != 'train')}: {others}"
    return f"the same question stands in {others}" if question.question_id in seen else None
