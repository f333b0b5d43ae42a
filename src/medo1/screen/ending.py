"""With what a run ends: what was made, where it lies, what to look at next; and an error where nothing was made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from medo1.counting import counted
from medo1.errors import UserError

# What each stage makes: the end of a dataset's name, and what its rows are. No word: it is counted as one.
MADE = {
    "clinic": {"base_model": "base model"},
    "ingest": {"questions": "questions", "questions_rejected": "rejected"},
    "synthesis": {"chains": "chains", "chains_rejected": "rejected"},
    "filtering": {"kept_chains": "chains kept", "dropped_chains": "dropped"},
    "finetune": {"adapter": "adapters", "training_rejected": "chains left out"},
    "inference": {"answers": "answers"},
    "reporting": {"report": "page"},
}
# Those words for one of it.
ONE = {
    "questions": "question", "chains": "chain", "chains kept": "chain kept", "adapters": "adapter",
    "chains left out": "chain left out", "answers": "answer",
}  # fmt: skip
# Tables that a stage exists to fill, and where what it could not use lies.
REFUSED = {
    "questions": "questions_rejected",
    "chains": "chains_rejected",
    "kept_chains": "dropped_chains",
    "training_examples": "training_rejected",
}
NEXT = {
    "ingest": ["kedro run --pipelines=synthesis    write chains for the training questions"],
    "synthesis": [
        "kedro completions show -n 3    what the teacher was asked and said",
        "kedro run --pipelines=filtering    keep the chains worth training on",
    ],
    "filtering": [
        "kedro chains why ID    which filter dropped a chain, by which words",
        "kedro run --pipelines=finetune    train on the kept ones",
    ],
    "finetune": [
        'kedro ask "a case"    ask the student',
        "kedro run --pipelines=inference,reporting    measure it",
    ],
    "inference": ["kedro run --pipelines=reporting    compare the arms"],
    "reporting": [
        "kedro audit lineage report    what the page was made from",
        'kedro ask "a case"    ask the student',
    ],
}
MAIN = tuple(next(iter(words)) for words in MADE.values())  # of each stage
MOST_SHOWN = 8


class NothingMadeError(UserError):
    """A run ended, and a table that it exists to fill has no row."""


@dataclass(frozen=True, slots=True)
class SavedDataset:
    """A version that a run saved: its dataset, where it lies, how many rows it has (None for what has none), and the
    stage that made it."""

    name: str
    path: str
    rows: int | None
    stage: str = ""

    @property
    def kind(self) -> str:
        """The name without the format or arm."""
        return self.name.rpartition(".")[2]


def made_by_stage(stage: str, saved: Iterable[SavedDataset]) -> dict[str, int]:
    """How much a stage has made, by what it is called; what could not be used only where there is some."""
    found: dict[str, int] = {}
    words = MADE.get(stage, {})
    for one in _counted_once(saved):
        if one.kind in words and one.stage == stage:
            word = words[one.kind]
            found[word] = found.get(word, 0) + (1 if one.rows is None else one.rows)
    main = next(iter(words.values()), None)
    return {word: count for word, count in found.items() if count or word == main}


def _counted_once(saved: Iterable[SavedDataset]) -> list[SavedDataset]:
    """Without tables of all formats, or arms, whose rows stand in tables of each."""
    saved = list(saved)
    of_each = {one.kind for one in saved if "." in one.name}
    return [one for one in saved if "." in one.name or one.kind not in of_each]


def ending_lines(
    run: str, seconds: str, saved: Sequence[SavedDataset], results: Iterable[str], stages: Sequence[str], log: str
) -> list[str]:
    """What a run's last lines say.

    Args:
        run: its id. seconds: how long it took, in words.
        saved: all that it saved. results: names of what nothing in the run reads.
        stages: those that ran, in order. log: its log file.
    """
    lines = [f"Run {run} took {seconds} and saved {counted(len(saved), 'dataset')}; its log is {log}"]
    groups: dict[tuple[str, str], list[SavedDataset]] = {}
    for one in _counted_once(saved):
        if one.kind in MAIN and one.kind in MADE.get(one.stage, ()):
            groups.setdefault((one.stage, one.kind), []).append(one)
    wanted = set(results)
    shown = list(groups.values()) or [[one] for one in saved if one.name in wanted][-MOST_SHOWN:]
    lines += [_group_line(group) for group in shown]
    following = NEXT.get(stages[-1], []) if stages else []
    return [*lines, *(["Next:"] if following else []), *(f"  {line}" for line in following)]


def _group_line(group: Sequence[SavedDataset]) -> str:
    """One line for what every format, or every arm, has of its own."""
    first, rows = group[0], [one.rows for one in group if one.rows is not None]
    name, path = first.name, first.path
    if len(group) > 1:
        name = f"{first.kind}, {len(group)} of them"
        path = path.replace(f"/{first.name.removesuffix(first.kind).rstrip('.')}/", "/*/")
    told = counted(sum(rows), "row")
    return f"  {name:<24} {path}{f'  ({told})' if rows else ''}"


def refuse_empty(saved: Iterable[SavedDataset]) -> None:
    """An error for a run that made nothing of something.

    Raises:
        NothingMadeError: naming the empty tables, and where what was refused lies with its reasons.
    """
    by_name: Mapping[str, SavedDataset] = {one.name: one for one in saved}
    told = []
    for one in by_name.values():
        if one.kind not in REFUSED or one.rows != 0:
            continue
        beside = by_name.get(f"{one.name.removesuffix(one.kind)}{REFUSED[one.kind]}")
        refused = f"; {beside.rows:,} were refused, with reasons in {beside.path}" if beside and beside.rows else ""
        told.append(f"{one.name} has no row{refused}")
    if told:
        raise NothingMadeError("The run ended without an error, and made nothing: " + ". ".join(told) + ".")
