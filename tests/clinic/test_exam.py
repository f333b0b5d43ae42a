"""Questions say nothing but the case, and what the exam asks stands in no training text."""

from __future__ import annotations

import random
from collections import Counter
from itertools import islice

import pytest

from medo1.clinic.exam import (
    PRACTICE,
    ExamSpec,
    charts,
    complaint_splits,
    impressions_of,
    options_of,
    question_of,
    questions,
    split_of,
)
from medo1.clinic.expert import read_case
from medo1.clinic.world import World, WorldSpec, world_from
from medo1.questions import Question, prompt_text, question_id


@pytest.fixture(scope="module")
def asked(world: World) -> list[Question]:
    return questions(world, ExamSpec())


def test_every_split_and_benchmark_has_the_questions_that_were_asked_for(asked: list[Question]) -> None:
    spec = ExamSpec()
    counts = Counter((question.split, question.benchmark, question.difficulty) for question in asked)
    assert {n: counts["train", PRACTICE, n] for n in spec.train} == spec.train
    for benchmark, wanted in spec.test.items():
        assert {n: counts["test", benchmark, n] for n in wanted} == wanted
        assert {n: counts["dev", benchmark, n] for n in wanted} == {n: round(c / 2) for n, c in wanted.items()}


def test_the_benchmarks_rise_in_difficulty(asked: list[Question]) -> None:
    means = []
    for benchmark in ExamSpec().test:
        numbers = [question.difficulty or 0 for question in asked if question.benchmark == benchmark]
        means.append(sum(numbers) / len(numbers))
    assert means == sorted(means)
    assert means[0] + 2 < means[-1]


@pytest.mark.parametrize("seed", [7, 8])
def test_no_chart_of_dev_or_test_begins_like_one_of_another_split(seed: int) -> None:
    """Read from the texts: the complaint decides, so not even the shortest chart is the beginning of another's."""
    world = world_from(WorldSpec(seed=seed))
    complaints: dict[str, set[str]] = {"train": set(), "dev": set(), "test": set()}
    charts_asked = set()
    for question in questions(world, ExamSpec()):
        chart = read_case(world, prompt_text(question, "")).chart
        assert split_of(world, chart) == question.split
        assert chart not in charts_asked, "a chart asked twice"
        charts_asked.add(chart)
        complaints[str(question.split)].add(chart.complaint)
    assert not complaints["train"] & complaints["dev"]
    assert not complaints["train"] & complaints["test"]
    assert not complaints["dev"] & complaints["test"]


def test_every_split_has_common_and_rare_complaints_and_disputed_ones(world: World) -> None:
    ranks: dict[str, list[int]] = {}
    for rank, (complaint, split) in enumerate(complaint_splits(world).items()):
        ranks.setdefault(split, []).append(rank)
        assert complaint in world.impressions
    assert {split: len(held) for split, held in ranks.items()} == {"train": 64, "test": 64, "dev": 32}
    assert all(abs(sum(held) / len(held) - 79.5) < 2 for held in ranks.values())
    disputed = Counter(complaint_splits(world)[complaint] for complaint in world.complaint_opinions)
    assert min(disputed.values()) >= 6


def test_ids_are_of_the_content_and_unique(asked: list[Question]) -> None:
    assert len({question.question_id for question in asked}) == len(asked)
    assert all(question.question_id == question_id(question.stem, question.options) for question in asked)


def test_gold_letters_are_even_in_every_benchmark(asked: list[Question]) -> None:
    letters: dict[tuple[str, str], Counter[str]] = {}
    for question in asked:
        letters.setdefault((str(question.split), question.benchmark), Counter())[question.gold] += 1
    for name, counts in letters.items():
        assert max(counts.values()) - min(counts[letter] for letter in "ABCD") <= 2, (name, counts)


def test_the_letter_is_not_told_by_the_complaint_or_by_the_last_finding(world: World) -> None:
    rng = random.Random(0)
    letters: dict[str, Counter[str]] = {}
    for chart in islice(charts(world, "train", 6, rng), 3000):
        question = question_of(world, chart)
        for clue in (chart.complaint, chart.values[-1]):
            letters.setdefault(clue, Counter())[question.gold] += 1
    for clue, counts in letters.items():
        total = sum(counts.values())
        assert max(counts.values()) / total < 0.25 + 5 * (0.25 * 0.75 / total) ** 0.5, clue


def test_the_gold_option_is_where_the_rules_lead_and_one_wrong_option_is_where_they_led_earlier(world: World) -> None:
    for chart in islice(charts(world, "test", 5, random.Random(1)), 300):
        path, options = impressions_of(world, chart), options_of(world, chart)
        question = question_of(world, chart)
        assert question.gold_text == path[-1]
        assert len(set(options.values())) == 4
        earlier = set(path) - {path[-1]}
        assert len(earlier & set(options.values())) == min(1, len(earlier)) or len(earlier) > 8


def test_what_a_second_opinion_leads_to_is_offered_about_every_other_time(world: World) -> None:
    """Else the options would settle the dispute."""
    offered = disputed = 0
    for chart in islice(charts(world, "test", 3, random.Random(1)), 3000):
        if opinion := world.complaint_opinions.get(chart.complaint):
            other = opinion.disease
            for value in chart.values:
                other = world.revised(value, other)
            if other not in impressions_of(world, chart):
                disputed += 1
                offered += other in options_of(world, chart).values()
    assert disputed > 500
    assert 0.5 < offered / disputed < 0.75  # in half by rule, and by chance as any disease is


def test_stopping_early_pays_less_the_more_findings_there_are(asked: list[Question], world: World) -> None:
    """What difficulty means: who stops after two findings is right in all cases of two, and in fewer of six."""
    right: dict[int, list[bool]] = {}
    for question in asked:
        chart = read_case(world, prompt_text(question, "")).chart
        if chart.difficulty >= 2:
            right.setdefault(chart.difficulty, []).append(impressions_of(world, chart)[2] == question.gold_text)
    share = {n: sum(hits) / len(hits) for n, hits in right.items()}
    assert share[2] == 1
    assert share[2] > share[3] > share[4] > share[6]


def test_the_order_of_drawing_changes_no_question(world: World) -> None:
    chart = next(charts(world, "test", 2, random.Random(3)))
    assert question_of(world, chart) == question_of(world_from(WorldSpec()), chart)


def test_a_world_too_small_for_the_request_says_so(small_world: World) -> None:
    with pytest.raises(ValueError, match="too few charts"):
        questions(small_world, ExamSpec(train={0: 40}, test={}))
    with pytest.raises(ValueError, match="more findings than the world has slots"):
        next(charts(small_world, "train", 3, random.Random(0)))
