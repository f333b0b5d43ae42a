"""Questions say nothing but the case, and their splits share no chart."""

from __future__ import annotations

import random
from collections import Counter
from itertools import islice

import pytest

from medo1.clinic.cases import (
    CasesSpec,
    Chart,
    charts,
    impressions_of,
    options_of,
    question_of,
    questions,
    split_of,
)
from medo1.clinic.expert import read_case
from medo1.clinic.knowledge import World, WorldSpec, world_from
from medo1.questions import Question, prompt_text, question_id


@pytest.fixture(scope="module")
def asked(world: World) -> list[Question]:
    return questions(world, CasesSpec())


def test_every_split_has_the_questions_that_were_asked_for(asked: list[Question]) -> None:
    counts = Counter((question.split, question.difficulty) for question in asked)
    assert sum(count for (split, _), count in counts.items() if split == "train") == 500
    for split in ("dev", "test"):
        assert {n: counts[split, n] for n in range(2, 7)} == dict.fromkeys(range(2, 7), 40)


def test_no_chart_of_dev_or_test_is_in_another_split(world: World, asked: list[Question]) -> None:
    by_split: dict[str, set[Chart]] = {"train": set(), "dev": set(), "test": set()}
    for question in asked:
        chart = read_case(world, prompt_text(question, "")).chart
        assert split_of(world, chart) == question.split
        assert chart not in by_split[question.split], "a chart asked twice"
        by_split[question.split].add(chart)
    assert not by_split["train"] & by_split["dev"]
    assert not by_split["train"] & by_split["test"]
    assert not by_split["dev"] & by_split["test"]


def test_ids_are_of_the_content_and_unique(asked: list[Question]) -> None:
    assert len({question.question_id for question in asked}) == len(asked)
    assert all(question.question_id == question_id(question.stem, question.options) for question in asked)


def test_gold_letters_are_even_in_every_split(asked: list[Question]) -> None:
    for split in ("train", "dev", "test"):
        letters = Counter(question.gold for question in asked if question.split == split)
        assert max(letters.values()) - min(letters.values()) <= 1, letters


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
        assert len(earlier & set(options.values())) == min(1, len(earlier)) or len(earlier) > 4


def test_stopping_early_pays_less_the_more_findings_there_are(asked: list[Question], world: World) -> None:
    """What difficulty means: who stops after two findings is right in all cases of two, and in few of six."""
    right: dict[int, list[bool]] = {}
    for question in asked:
        if question.split != "train":
            chart = read_case(world, prompt_text(question, "")).chart
            right.setdefault(chart.difficulty, []).append(impressions_of(world, chart)[2] == question.gold_text)
    share = {n: sum(hits) / len(hits) for n, hits in right.items()}
    assert share[2] == 1
    assert share[2] > share[3] > share[4] > share[6]


def test_the_order_of_drawing_changes_no_question(world: World) -> None:
    chart = Chart("rash", ("fever", "murmur"))
    assert question_of(world, chart) == question_of(world_from(WorldSpec()), chart)


def test_a_world_too_small_for_the_request_says_so(small_world: World) -> None:
    with pytest.raises(ValueError, match="too few charts"):
        questions(small_world, CasesSpec())
    with pytest.raises(ValueError, match="more findings than the world has slots"):
        next(charts(small_world, "train", 3, random.Random(0)))
