"""Charts of the embedded world, and the exam made of them; of a second task likewise.

A chart is a complaint and the findings of the first n slots; n, the number of findings to weigh, is the question's
difficulty: with none or one it is a matter of recall, with more it takes a chain of look-ups. A chart makes exactly one
question: its wrong options and their order follow from the world and the chart alone.

The split of a chart is that of its complaint, so no chart of `dev` or `test` is in a text of `train`, not even in part:
training texts that show a chart, or reason about one, speak of other complaints.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from pydantic import Field

from medo1.clinic.world import World
from medo1.lineage.digests import seed_from
from medo1.parameters import Parameters
from medo1.questions import Question, question_id
from medo1.vocabulary import Split

OPTIONS = 4
LETTERS = "ABCD"
OPINION_OFFERED = 0.5  # share of cases with a disputed complaint that offer what the second opinion leads to
PRACTICE = "clinic_practice"  # the benchmark of the clinic's training questions; a second task has its own
# Splits are dealt to the complaints in turn, from the commonest on, so that each has common and rare ones.
SPLIT_PATTERN: tuple[Split, ...] = ("train", "test", "dev", "train", "test")


class WorkshopSpec(Parameters):
    """How many questions of which difficulty the workshop asks, where it is the world's second task."""

    train: dict[int, int] = Field(
        default={0: 40, 1: 60, 2: 80, 3: 80, 4: 80, 5: 80, 6: 80}, description="cases by their findings"
    )
    test: dict[str, dict[int, int]] = Field(
        default={"workshop_basics": {0: 40, 1: 40}, "workshop_puzzles": {2: 20, 3: 24, 4: 28, 5: 32, 6: 32}},
        description="benchmark to its cases by their findings: recall, and what takes a chain",
    )


class ExamSpec(Parameters):
    """How many questions of which difficulty (number of findings) the world asks."""

    seed: int = Field(default=7, description="which charts are asked; the world, not this, decides what they say")
    train: dict[int, int] = Field(
        default={0: 40, 1: 60, 2: 80, 3: 80, 4: 80, 5: 80, 6: 80},
        description="cases by their findings: 500, as the paper trains on",
    )
    # Three benchmarks, in which 1, 3 and 6 of 10 cases take a chain of look-ups; the others are recall.
    test: dict[str, dict[int, int]] = Field(
        default={
            "clinic_basics": {0: 40, 1: 40, 2: 8},
            "clinic_cases": {0: 16, 1: 32, 2: 8, 3: 8, 4: 4},
            "clinic_puzzles": {0: 8, 1: 20, 3: 4, 4: 8, 5: 12, 6: 12},
        },
        description="benchmark to its cases by their findings",
    )
    workshop: WorkshopSpec = WorkshopSpec()
    dev_share: float = Field(default=0.5, ge=0, description="dev questions for each test question, of either task")


@dataclass(frozen=True, slots=True)
class Chart:
    """A patient's chart: the complaint, and one value for each of the first n slots, in the slots' order."""

    complaint: str
    values: tuple[str, ...]

    @property
    def difficulty(self) -> int:
        return len(self.values)


def split_of(world: World, chart: Chart) -> Split:
    """The split that a chart belongs to: its complaint's, 40 % train, 20 % dev, 40 % test."""
    return complaint_splits(world)[chart.complaint]


@cache
def _splits(complaints: tuple[str, ...]) -> dict[str, Split]:
    return {complaint: SPLIT_PATTERN[place % len(SPLIT_PATTERN)] for place, complaint in enumerate(complaints)}


def complaint_splits(world: World) -> dict[str, Split]:
    """The split of every complaint."""
    return _splits(tuple(world.impressions))


def impressions_of(world: World, chart: Chart) -> list[str]:
    """The first impression and the impression after each finding: n + 1 diseases, the last one is the diagnosis."""
    return _followed(world, world.impressions[chart.complaint], chart)


def _followed(world: World, first: str, chart: Chart) -> list[str]:
    path = [first]
    for value in chart.values:
        path.append(world.revised(value, path[-1]))
    return path


def findings_text(world: World, chart: Chart) -> str:
    """The findings as a chart writes them: `vitals fever, exam murmur`; empty for none."""
    return ", ".join(f"{slot} {value}" for slot, value in zip(world.slots, chart.values, strict=False))


def stem_of(world: World, chart: Chart) -> str:
    """The question's stem."""
    return world.wording.stem(chart.complaint, findings_text(world, chart))


def options_of(world: World, chart: Chart) -> dict[str, str]:
    """Letter to disease: the diagnosis and three others, at most one of them an earlier impression of this case.

    Offering one impression that the findings overturned makes stopping early costly; offering more would let
    a reader who knows the path's diseases, and not their order, fall to chance. In half of the cases with a disputed
    complaint, what follows from the second opinion is offered: if it never were, the options would settle the dispute.
    """
    rng = random.Random(seed_from("options", *world.drawn_as, chart.complaint, *chart.values))  # noqa: S311
    path = impressions_of(world, chart)
    diagnosis = path[-1]
    earlier = sorted(set(path) - {diagnosis})
    wrong = rng.sample(earlier, min(1, len(earlier)))
    opinion = world.complaint_opinions.get(chart.complaint)
    if opinion is not None and rng.random() < OPINION_OFFERED:
        wrong += {_followed(world, opinion.disease, chart)[-1]} - {*path}
    unseen = [disease for disease in world.diseases if disease not in {*path, *wrong}]
    wrong += rng.sample(unseen, min(OPTIONS - 1 - len(wrong), len(unseen)))
    rest = [disease for disease in earlier if disease not in wrong]
    wrong += rng.sample(rest, OPTIONS - 1 - len(wrong))  # only a path over nearly all diseases needs these
    options = [diagnosis, *wrong]
    rng.shuffle(options)
    return dict(zip(LETTERS, options, strict=True))


def practice(world: World) -> str:
    """The benchmark of a task's training questions."""
    return f"{world.task}_practice"


def question_of(world: World, chart: Chart, benchmark: str | None = None) -> Question:
    """The one question that a chart makes, in the schema of every benchmark; of the practice where none is named."""
    stem, options = stem_of(world, chart), options_of(world, chart)
    diagnosis = impressions_of(world, chart)[-1]
    return Question(
        question_id=question_id(stem, options),
        benchmark=benchmark or practice(world),
        split=split_of(world, chart),
        stem=stem,
        options=options,
        gold=next(letter for letter, disease in options.items() if disease == diagnosis),
        difficulty=chart.difficulty,
        source=f"world {world.digest[:12]}",
    )


def charts(world: World, split: Split, difficulty: int, rng: random.Random) -> Iterator[Chart]:
    """Charts of one split and difficulty, drawn at random, for ever; a chart may come again."""
    if difficulty > len(world.slots):
        raise ValueError(
            f"difficulty {difficulty} asks for more findings than the world has slots ({len(world.slots)})"
        )
    complaints = [complaint for complaint, own in complaint_splits(world).items() if own == split]
    slots = list(world.slots.values())[:difficulty]
    while True:
        yield Chart(rng.choice(complaints), tuple(rng.choice(values) for values in slots))


def questions(world: World, spec: ExamSpec) -> list[Question]:
    """The questions of every split and task: no chart twice, and gold letters as even as the charts allow.

    Raises:
        ValueError: when the world has too few charts of a difficulty for what is asked.
    """
    asked: list[Question] = []
    for of_task in world.tasks:
        counts: ExamSpec | WorkshopSpec = spec.workshop if of_task.task == "workshop" else spec
        dev = {
            benchmark: {difficulty: round(count * spec.dev_share) for difficulty, count in cases.items()}
            for benchmark, cases in counts.test.items()
        }
        asked += [
            *_asked(of_task, spec.seed, "train", {practice(of_task): counts.train}),
            *_asked(of_task, spec.seed, "dev", dev),
            *_asked(of_task, spec.seed, "test", counts.test),
        ]
    return asked


def _asked(world: World, seed: int, split: Split, wanted: Mapping[str, Mapping[int, int]]) -> list[Question]:
    """The questions of a split. A difficulty's charts are drawn once and shared out, so that none is asked twice."""
    totals: Counter[int] = Counter()
    for counts in wanted.values():
        totals.update(counts)
    pools = {difficulty: _pool(world, seed, split, difficulty, count) for difficulty, count in sorted(totals.items())}
    asked: list[Question] = []
    for benchmark, counts in wanted.items():
        held: Counter[str] = Counter()
        for difficulty, count in sorted(counts.items()):
            for _ in range(count):
                pool = pools[difficulty]
                letters = [question.gold for question in pool]
                question = pool.pop(letters.index(min(letters, key=lambda letter: held[letter])))
                held[question.gold] += 1
                asked.append(replace(question, benchmark=benchmark))
    return asked


def _pool(world: World, seed: int, split: Split, difficulty: int, count: int) -> list[Question]:
    """Different questions to choose from: more than `count` where there are more, to even out the gold letters.

    Raises:
        ValueError: when there are fewer than `count`.
    """
    rng = random.Random(seed_from("cases", seed, *world.drawn_as, split, difficulty))  # noqa: S311
    drawn = dict.fromkeys(itertools.islice(charts(world, split, difficulty, rng), 40 * count + 400)) if count else {}
    pool = [question_of(world, chart) for chart in itertools.islice(drawn, 2 * count + 8)]
    if len(pool) < count:
        raise ValueError(
            f"the world has too few charts for {count} {split} questions with {difficulty} findings: "
            f"found {len(pool)}; ask for fewer, or enlarge the world"
        )
    return pool
