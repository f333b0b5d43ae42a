"""Questions that occur more than once, over all files: the kinds, and which copy is used.

Questions are the same when their ids are (`medo1.questions.question_id`), and when a stem of some length and the right
answer's text are, whatever the wrong options: the form with four options and the form with five ask the same. Gold
answers are compared by text, since the same options may be in another order. The same question in other words is a
near-copy (`near_copy_clusters`): it is reported and kept, and statistics count its cluster once.

| kind | what it is | what is used |
|---|---|---|
| conflict | copies with different gold answers | none of them: the right one is unknown |
| leak | in several splits | the copies in `test`, else those in `dev`: nothing that is tested is trained on |
| duplicate | twice in one benchmark, or twice for training | the first |
| shared | in several benchmarks, not for training | each benchmark's own, so that all stay whole |
| near_copy | in nearly the same words, within and across benchmarks and splits | all of them |
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from medo1.questions.question import Question, normalised
from medo1.questions.question_errors import RejectedRow
from medo1.questions.record_files import excerpt

Kind = Literal["conflict", "leak", "duplicate", "shared", "near_copy"]
_SHORTEST = 8  # words of a stem that is a question of its own: `True about gout is:` asks with its options
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


def audit_questions(questions: Iterable[Question], *, ordered: bool = False) -> list[RepeatGroup]:
    """Every question that stands more than once, in the order in which it first stands.

    Args:
        questions: over all files.
        ordered: the options' order is part of a question's identity: only the same id is the same question.
    """
    return [_group(same) for same in _copies(list(questions), ordered=ordered) if len(same) > 1]


def _copies(questions: Sequence[Question], *, ordered: bool = False) -> list[list[Question]]:
    """Questions that are the same, together."""
    first: dict[tuple[str, str], int] = {}
    groups: list[list[Question]] = []
    for question in questions:
        keys = [("id", question.question_id)]
        if not ordered and len(question.stem.split()) >= _SHORTEST:
            keys.append((normalised(question.stem), normalised(question.gold_text)))
        place = next((first[key] for key in keys if key in first), len(groups))
        if place == len(groups):
            groups.append([])
        groups[place].append(question)
        for key in keys:
            first.setdefault(key, place)
    return groups


def near_copy_clusters(questions: Sequence[Question]) -> list[list[int]]:
    """Places of questions whose stems say the same in nearly the same words; each cluster has two or more."""
    from medo1.questions.near_copies import near_copies_within

    stems: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        stems.setdefault(normalised(question.stem), []).append(place)
    distinct = [places[0] for places in stems.values()]
    root = list(range(len(questions)))

    def found(place: int) -> int:
        while root[place] != place:
            root[place] = root[root[place]]
            place = root[place]
        return place

    for places in stems.values():
        if len(questions[places[0]].stem.split()) >= _SHORTEST:
            for place in places[1:]:
                root[found(place)] = found(places[0])
    for pair in near_copies_within([questions[place].stem for place in distinct]):
        if pair.band == "leak":
            one, other = sorted((found(distinct[pair.text]), found(distinct[pair.question])))
            root[other] = one
    clusters: dict[int, list[int]] = {}
    for place in range(len(questions)):
        clusters.setdefault(found(place), []).append(place)
    return [places for places in clusters.values() if len(places) > 1]


def clustered(questions: Sequence[Question]) -> tuple[list[Question], list[RepeatGroup]]:
    """Questions that know their cluster, and the clusters that are more than copies of one question, for the audit."""
    named = list(questions)
    groups = []
    for places in near_copy_clusters(questions):
        members = [questions[place] for place in places]
        for place in places:
            named[place] = replace(questions[place], cluster=members[0].question_id)
        if len(_copies(members)) > 1:
            groups.append(replace(_group(members), kind="near_copy"))
    return named, groups


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


def without_duplicates(
    questions: Sequence[Question], *, ordered: bool = False
) -> tuple[list[Question], list[RejectedRow]]:
    """The copies that are used, and the others as rejected rows, both in the order of `questions`."""
    kept: list[Question] = []
    rejected: list[RejectedRow] = []
    groups: dict[int, RepeatGroup] = {}
    for same in _copies(questions, ordered=ordered):
        if len(same) > 1:
            group_of_same = _group(same)
            groups.update((id(question), group_of_same) for question in same)
    seen: dict[tuple[int, str], str] = {}
    for question in questions:
        group = groups.get(id(question))
        place = (id(group), "train" if question.split == "train" else question.benchmark)
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
    return None if first is None else f"duplicate: the same question as {first}"


def _listed(group: RepeatGroup, question: Question) -> str:
    others = [source for source in group.sources if source != question.source] or [question.source]
    return ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")  # noqa: PLR2004
