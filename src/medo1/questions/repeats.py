"""Questions that stand more than once, over all files: what they are, and which copy is used.

Questions are the same when their ids are (`medo1.questions.question_id`). Gold answers are compared by text, since the
same options may stand in another order.

| kind | what it is | what is used |
|---|---|---|
| conflict | copies with different gold answers | none of them: nobody can say which is right |
| leak | in several splits | the copies in `test`, else those in `dev`: nothing that is tested is learnt from |
| duplicate | twice in one benchmark, or twice for training | the first |
| shared | in several benchmarks, not for training | each benchmark's own, so that all stay whole |
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from medo1.questions.question import Question, normalised
from medo1.questions.question_errors import RejectedRow
from medo1.questions.record_files import excerpt

Kind = Literal["conflict", "leak", "duplicate", "shared"]
_BY_WEIGHT = ("test", "dev", "train")  # the split that a question which stands in several is kept for


@dataclass(frozen=True, slots=True)
class RepeatGroup:
    """The places where one question stands.

    Attributes:
        question_id: the question.
        kind: see the module's table; of several the first.
        sources: file and row of each, in the order in which they were read.
        benchmarks, splits: each once.
        golds: the gold answers' texts, each once.
    """

    question_id: str
    kind: Kind
    sources: tuple[str, ...]
    benchmarks: tuple[str, ...]
    splits: tuple[str, ...]
    golds: tuple[str, ...]

    def as_row(self) -> dict[str, Any]:
        """The row of a `questions_audit` table."""
        return {
            "question_id": self.question_id,
            "kind": self.kind,
            "times": len(self.sources),
            "sources": list(self.sources),
            "benchmarks": list(self.benchmarks),
            "splits": list(self.splits),
            "golds": list(self.golds),
        }


def audit_questions(questions: Iterable[Question]) -> list[RepeatGroup]:
    """Every question that stands more than once, in the order in which it first stands."""
    places: dict[str, list[Question]] = {}
    for question in questions:
        places.setdefault(question.question_id, []).append(question)
    return [_group(same) for same in places.values() if len(same) > 1]


def _group(same: Sequence[Question]) -> RepeatGroup:
    golds = {normalised(question.gold_text): question.gold_text for question in same}
    splits = tuple(dict.fromkeys(question.split for question in same))
    benchmarks = tuple(dict.fromkeys(question.benchmark for question in same))
    kind: Kind = "duplicate"
    if len(golds) > 1:
        kind = "conflict"
    elif len(splits) > 1:
        kind = "leak"
    elif len(benchmarks) == len(same) and splits != ("train",):
        kind = "shared"
    return RepeatGroup(
        same[0].question_id,
        kind,
        tuple(question.source for question in same),
        benchmarks,
        splits,
        tuple(golds.values()),
    )


def without_duplicates(questions: Sequence[Question]) -> tuple[list[Question], list[RejectedRow]]:
    """The copies that are used, and the others as rejected rows, both in the order of `questions`."""
    groups = {group.question_id: group for group in audit_questions(questions)}
    kept: list[Question] = []
    rejected: list[RejectedRow] = []
    seen: dict[tuple[str, str], str] = {}
    for question in questions:
        group = groups.get(question.question_id)
        place = (question.question_id, "train" if question.split == "train" else question.benchmark)
        reason = None if group is None else _why_not(question, group, seen.get(place))
        if reason is None:
            kept.append(question)
            seen[place] = question.source
        else:
            rejected.append(rejected_question(question, reason))
    return kept, rejected


def rejected_question(question: Question, reason: str) -> RejectedRow:
    """The rejected row of a question that was read and is not used."""
    file, _, row = question.source.rpartition(":")
    return RejectedRow(file or question.source, int(row) if row.isdigit() else 0, reason, excerpt(question.stem))


def _why_not(question: Question, group: RepeatGroup, first: str | None) -> str | None:
    if group.kind == "conflict":
        return f"conflict: copies of this question have different gold answers ({_listed(group, question)})"
    kept_for = min(group.splits, key=_BY_WEIGHT.index)
    if question.split != kept_for:
        return f"leak: the same question is for {kept_for} ({_listed(group, question)})"
    return None if first is None else f"duplicate: the same stem and options as {first}"


def _listed(group: RepeatGroup, question: Question) -> str:
    others = [source for source in group.sources if source != question.source] or [question.source]
    return ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")  # noqa: PLR2004
