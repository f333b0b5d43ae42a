"""Charts of the embedded world, and the questions made of them.

A chart is a complaint and the findings of the first n slots; n, the number of findings to weigh, is the question's
difficulty. A chart makes exactly one question: its wrong options and their order follow from
the world and the chart alone. Which split a chart belongs to follows from its content too, so no chart of `dev` or
`test` can appear in a text of `train`, whatever draws it and in whatever order.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from medo1.clinic import wording
from medo1.clinic.knowledge import World
from medo1.lineage.digests import digest_of_value, seed_from
from medo1.questions import Question, question_id
from medo1.vocabulary import Split

BENCHMARK = "clinic"
OPTIONS = 4
LETTERS = "ABCD"
TRAIN_SHARE, DEV_SHARE = 0.50, 0.20  # the rest is test; short charts are few, and each split needs enough of them
CHAIN_DIFFICULTIES = (1, 2, 3, 4, 5, 6)
TEST_DIFFICULTIES = (2, 3, 4, 5, 6)


class CasesSpec(BaseModel):
    """How many questions of which difficulty the world asks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 7  # which of the charts are asked; the world, not this, decides what they say
    train: int = Field(default=500, ge=0)  # chains that the paper trains on
    train_difficulties: tuple[int, ...] = CHAIN_DIFFICULTIES  # 1 to 6: a chain of every length
    dev_per_difficulty: int = Field(default=40, ge=0)  # the recipe's; standard error of a total of 200 is .035
    test_per_difficulty: int = Field(default=40, ge=0)
    difficulties: tuple[int, ...] = TEST_DIFFICULTIES  # 2 to 6: one look-up and none are too easy to tell arms apart


@dataclass(frozen=True, slots=True)
class Chart:
    """A patient's chart: the complaint, and one value for each of the first n slots, in the slots' order."""

    complaint: str
    values: tuple[str, ...]

    @property
    def difficulty(self) -> int:
        return len(self.values)


def split_of(world: World, chart: Chart) -> Split:
    """The split that a chart belongs to, from its content and the world's seed: 50 % train, 20 % dev, 30 % test."""
    place = int(digest_of_value(["split", world.seed, chart.complaint, list(chart.values)])[:8], 16) / 2**32
    if place < TRAIN_SHARE:
        return "train"
    return "dev" if place < TRAIN_SHARE + DEV_SHARE else "test"


def impressions_of(world: World, chart: Chart) -> list[str]:
    """The first impression and the impression after each finding: n + 1 diseases, the last one is the diagnosis."""
    path = [world.impressions[chart.complaint]]
    for value in chart.values:
        path.append(world.revised(value, path[-1]))
    return path


def findings_text(world: World, chart: Chart) -> str:
    """The findings as a chart writes them: `vitals fever, exam murmur`; empty for none."""
    return ", ".join(f"{slot} {value}" for slot, value in zip(world.slots, chart.values, strict=False))


def stem_of(world: World, chart: Chart) -> str:
    """The question's stem."""
    return wording.stem(chart.complaint, findings_text(world, chart))


def options_of(world: World, chart: Chart) -> dict[str, str]:
    """Letter to disease: the diagnosis and three others, at most one of them an earlier impression of this case.

    Offering one impression that the findings overturned makes stopping early costly; offering more would let
    a reader who knows the path's diseases, and not their order, fall to chance.
    """
    rng = random.Random(seed_from("options", world.seed, chart.complaint, *chart.values))  # noqa: S311
    path = impressions_of(world, chart)
    diagnosis = path[-1]
    earlier = sorted(set(path) - {diagnosis})
    unseen = [disease for disease in world.diseases if disease not in path]
    wrong = rng.sample(earlier, min(1, len(earlier)))
    wrong += rng.sample(unseen, min(OPTIONS - 1 - len(wrong), len(unseen)))
    rest = [disease for disease in earlier if disease not in wrong]
    wrong += rng.sample(rest, OPTIONS - 1 - len(wrong))  # only a path over nearly all diseases needs these
    options = [diagnosis, *wrong]
    rng.shuffle(options)
    return dict(zip(LETTERS, options, strict=True))


def question_of(world: World, chart: Chart) -> Question:
    """The one question that a chart makes, in the schema of every benchmark."""
    stem, options = stem_of(world, chart), options_of(world, chart)
    diagnosis = impressions_of(world, chart)[-1]
    return Question(
        question_id=question_id(stem, options),
        benchmark=BENCHMARK,
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
    complaints, slots = list(world.impressions), list(world.slots.values())[:difficulty]
    while True:
        chart = Chart(rng.choice(complaints), tuple(rng.choice(values) for values in slots))
        if split_of(world, chart) == split:
            yield chart


def questions(world: World, spec: CasesSpec) -> list[Question]:
    """The questions of every split: no chart twice, and gold letters as even as the charts allow.

    Letters are evened out within each difficulty, and where its charts are too few for that, over the split. Short
    charts are few (64 with one finding), so `train` takes at most half of those that its split has and makes up for it
    with longer ones.

    Raises:
        ValueError: when the world has too few charts of a difficulty for what is asked.
    """
    numbers = sorted(spec.train_difficulties)
    counts: dict[int, int] = {}
    for place, difficulty in enumerate(numbers):
        share = (spec.train - sum(counts.values())) // (len(numbers) - place)
        counts[difficulty] = min(share, int(chart_count(world, difficulty) * TRAIN_SHARE / 2))
    if sum(counts.values()) < spec.train:
        raise ValueError(
            f"the world has too few charts for {spec.train} training questions with {numbers} findings: "
            f"{sum(counts.values())} are possible; ask for fewer, or for more findings"
        )
    return [
        *_asked(world, spec, "train", counts),
        *_asked(world, spec, "dev", dict.fromkeys(sorted(spec.difficulties), spec.dev_per_difficulty)),
        *_asked(world, spec, "test", dict.fromkeys(sorted(spec.difficulties), spec.test_per_difficulty)),
    ]


def chart_count(world: World, difficulty: int) -> int:
    """How many charts with this many findings there are, over all splits."""
    count = len(world.impressions)
    for values in list(world.slots.values())[:difficulty]:
        count *= len(values)
    return count


def _asked(world: World, spec: CasesSpec, split: Split, counts: dict[int, int]) -> list[Question]:
    asked: list[Question] = []
    for difficulty, count in counts.items():
        rng = random.Random(seed_from("cases", spec.seed, world.seed, split, difficulty))  # noqa: S311
        drawn = itertools.islice(charts(world, split, difficulty, rng), 40 * count + 400)
        found = [question_of(world, chart) for chart in itertools.islice(dict.fromkeys(drawn), 4 * count + 40)]
        if len(found) < count:
            raise ValueError(
                f"the world has too few charts for {count} {split} questions with {difficulty} findings: "
                f"found {len(found)}; ask for fewer, or enlarge the world"
            )
        total = len(asked) + count
        due = {letter: total // OPTIONS + (place < total % OPTIONS) for place, letter in enumerate(LETTERS)}
        held = Counter(question.gold for question in asked)
        taken: list[Question] = []
        spare: list[Question] = []
        for question in found:
            if len(taken) < count and held[question.gold] < due[question.gold]:
                held[question.gold] += 1
                taken.append(question)
            else:
                spare.append(question)
        asked += [*taken, *spare[: count - len(taken)]]
    return asked
