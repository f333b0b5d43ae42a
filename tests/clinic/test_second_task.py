"""A second task stands beside the clinic, shares no fact and no word of one with it, and changes nothing of it."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import pytest

from medo1 import tables
from medo1.answers import read_answer
from medo1.clinic.base import BaseSpec, GateError, train_base
from medo1.clinic.conclusions import conclusions_in
from medo1.clinic.exam import ExamSpec, charts, complaint_splits, impressions_of, question_of, questions
from medo1.clinic.expert import Expert, read_case
from medo1.clinic.explanations import FORMATS, Format, explanation
from medo1.clinic.lexicon import lexicon
from medo1.clinic.soundness import is_sound
from medo1.clinic.textbook import PROBED, Document, TextbookSpec, facts, probed_kind, probes, textbook
from medo1.clinic.walks import walk
from medo1.clinic.wording import CONTROL_REQUESTS, REQUESTS, WORDINGS
from medo1.clinic.world import World, WorldError, WorldSpec, world_from
from medo1.engines import Completion, Message, Request
from medo1.from_scratch.scratch_training import LoopSpec, ModelSpec
from medo1.from_scratch.tokenizers import world_tokenizer
from medo1.lineage.digests import digest_of_value
from medo1.pipelines.synthesis.nodes import choose_training_questions
from medo1.pipelines.synthesis.params import SynthesisParams
from medo1.questions import Question, prompt_text, question_rows

ASKS = {**REQUESTS, **CONTROL_REQUESTS}
# Formats that write every look-up out as it is, so that soundness is known.
CHECKED: tuple[Format, ...] = (
    *("cot", "longstep", "longmonolog", "by_two", "by_three", "by_all", "no_steps", "no_reflection"),
    "no_backtracking",
)


@pytest.fixture(scope="module")
def workshop(two_tasks: World) -> World:
    assert two_tasks.second is not None
    return two_tasks.second


@pytest.fixture(scope="module")
def asked(two_tasks: World) -> list[Question]:
    return questions(two_tasks, ExamSpec())


@pytest.fixture(scope="module")
def documents(two_tasks: World) -> list[Document]:
    return textbook(two_tasks, TextbookSpec(documents=4000))


def words(texts: Iterable[str]) -> set[str]:
    return {word.lower() for text in texts for word in re.findall(r"[A-Za-z]+", text)}


def names(world: World) -> set[str]:
    return {*world.diseases, *world.impressions, *world.slots, *world.revisions}


def written(world: World, asked: Iterable[Question], form: str = "longstep", error_rate: float = 0) -> list[Completion]:
    expert = Expert(world, error_rate)
    prompts = [(one.question_id, prompt_text(one, ASKS[form])) for one in asked]
    return list(expert.complete([Request(key, (Message("user", prompt),)) for key, prompt in prompts]))


def of_task(asked: Iterable[Question], task: str) -> list[Question]:
    return [one for one in asked if one.benchmark.startswith(f"{task}_")]


@pytest.mark.parametrize("seed", [7, 8, 12])
def test_the_facts_of_two_tasks_share_no_word(seed: int) -> None:
    clinic, workshop = world_from(WorldSpec(seed=seed, second_task="workshop")).tasks
    assert len(facts(clinic)) == len(facts(workshop))
    assert not words(facts(clinic)) & words(facts(workshop))


def test_stems_and_endings_of_two_tasks_share_no_word_but_the_line_that_is_read() -> None:
    told = [
        words([one.presents, one.reports, one.asks, one.fact, one.opens, one.revises, one.concludes])
        - {"complaint", "findings", "first", "before", "after", "disease", "letter"}
        for one in WORDINGS.values()
    ]
    assert not told[0] & told[1]


def test_the_second_task_says_nothing_of_medicine(
    two_tasks: World, workshop: World, documents: list[Document], asked: list[Question]
) -> None:
    own = len(documents) // 2
    texts = [one.text for one in documents[own:]]
    texts += [prompt_text(one, ASKS["longstep"]) for one in of_task(asked, "workshop")]
    texts += [one.text for form in FORMATS for one in written(two_tasks, of_task(asked, "workshop")[::25], form)]
    medicine = {"patient", "diagnosis", "complaint", "chart", "disease", "symptom", "finding", "findings", "presents"}
    assert not words(texts) & (names(two_tasks) | medicine)
    assert names(workshop) <= words(texts)


def test_each_text_speaks_of_one_task(two_tasks: World, documents: list[Document], asked: list[Question]) -> None:
    """So no training text and no chain shows a case of one task to who learns the other."""
    both = [names(one) for one in two_tasks.tasks]
    chains = [one.text for one in written(two_tasks, [one for one in asked if one.split == "train"])]
    for text in [*(one.text for one in documents), *chains, *(prompt_text(one, "") for one in asked)]:
        assert sum(bool(words([text]) & one) for one in both) <= 1, text
    kinds = Counter(one.kind for one in documents[: len(documents) // 2])
    assert set(kinds) == {one.kind for one in documents[len(documents) // 2 :]}


def test_with_a_second_task_the_clinic_stays_as_it_was(world: World, two_tasks: World) -> None:
    spec = TextbookSpec(documents=500)
    assert textbook(two_tasks, spec)[:500] == textbook(world, spec)
    known, told = (set(world_tokenizer(lexicon(one)).get_vocab()) for one in (world, two_tasks))
    assert known < told
    before = [question.question_id for question in questions(world, ExamSpec())]
    now = of_task(questions(two_tasks, ExamSpec()), "clinic")
    assert [question.question_id for question in now] == before
    chains = [[done.text for done in written(own, now, error_rate=0.5)] for own in (world, two_tasks)]
    assert chains[0] == chains[1]
    one, both = probes(world, spec, [], 20), probes(two_tasks, spec, [], 20)
    assert {name: both[name] for name in one} == one
    assert set(both) - set(one) == {f"workshop_{kind}" for kind in ("fact", "disputed", *PROBED)}
    assert set(map(probed_kind, both)) == set(one)


def test_a_world_with_one_task_is_that_of_the_published_runs(world: World) -> None:
    """Every digest as before there was a second task."""
    assert world.digest.startswith("ce93598e6db3a692")
    asked = questions(world, ExamSpec())
    rows = [
        [one.question_id, one.benchmark, one.split, one.stem, one.options, one.gold, one.difficulty, one.source]
        for one in asked
    ]
    assert digest_of_value(rows).startswith("6a6aa302b2e953cb")
    expert = Expert(world)
    assert digest_of_value(expert.identity).startswith("248ff7187a8e69b2")
    chains = {
        form: [
            one.text
            for one in expert.complete(
                [Request(one.question_id, (Message("user", prompt_text(one, ASKS[form])),)) for one in asked[:500]]
            )
        ]
        for form in FORMATS
    }
    assert digest_of_value(chains).startswith("cae6c4328dc1b49b")


def test_worlds_of_both_tasks_differ_in_what_is_true_and_are_as_large(two_tasks: World, workshop: World) -> None:
    assert workshop.task == "workshop"
    assert len(names(workshop)) == len(names(two_tasks))
    places = [
        [
            [list(one.diseases).index(after[disease]) for disease in one.diseases]
            for values in one.slots.values()
            for after in (one.revisions[value] for value in values)
        ]
        for one in two_tasks.tasks
    ]
    assert len(places[0]) == len(places[1])
    assert sum(a == b for a, b in zip(*places, strict=True)) < 3, "the same swaps under other names would be one task"


@pytest.mark.parametrize("form", FORMATS)
def test_each_tasks_cases_are_solved_by_rule_in_every_format(
    two_tasks: World, asked: list[Question], form: str
) -> None:
    some = asked[::9]
    assert {one.benchmark.partition("_")[0] for one in some} == {"clinic", "workshop"}
    for question, done in zip(some, written(two_tasks, some, form), strict=True):
        assert done.finish_reason == "stop", done.error
        assert read_answer(done.text, question.options).letter == question.gold
        own = read_case(two_tasks, prompt_text(question, "")).world
        assert own.task == question.benchmark.partition("_")[0]
        assert question.gold_text == impressions_of(own, read_case(two_tasks, prompt_text(question, "")).chart)[-1]


def test_soundness_is_known_of_both_tasks_and_a_wrong_look_up_is_found(
    world: World, two_tasks: World, workshop: World, asked: list[Question]
) -> None:
    some = [one for one in of_task(asked, "workshop") if one.difficulty][::9]
    for form in CHECKED:
        for question, done in zip(some, written(two_tasks, some, form), strict=True):
            assert is_sound(two_tasks, question, form, done.text) is True
    rng = random.Random(0)
    for question in some:
        chart = read_case(two_tasks, prompt_text(question, "")).chart
        place = rng.randrange(chart.difficulty + 1)
        truth = walk(workshop, chart)
        wrong = rng.choice([one for one in workshop.diseases if one != truth.impressions[place]])
        slipped = walk(workshop, chart, {place: wrong})
        text = explanation(workshop, "longstep", slipped, (question.gold_text, question.gold), rng)
        assert is_sound(two_tasks, question, "longstep", text) is False
        assert is_sound(world, question, "longstep", text) is None, "whose world knows no such case"


def test_in_chains_of_both_tasks_each_look_up_is_found_with_what_follows_from_another(
    two_tasks: World, asked: list[Question]
) -> None:
    for form in ("longstep", "longmonolog", "detours", "by_two"):
        some = of_task(asked, "workshop")[::40]
        for question, done in zip(some, written(two_tasks, some, form), strict=True):
            found = list(conclusions_in(two_tasks, question, done.text))
            assert done.text[found[-1].start : found[-1].end] == question.gold_text
            others = {name: letter for letter, name in question.options.items() if letter != question.gold}
            assert found[-1].leads_to == others


def test_the_second_tasks_exam_is_split_by_complaint_and_counted_as_asked(
    two_tasks: World, workshop: World, asked: list[Question]
) -> None:
    spec = ExamSpec().workshop
    counts = Counter((one.split, one.benchmark, one.difficulty) for one in of_task(asked, "workshop"))
    assert {n: counts["train", "workshop_practice", n] for n in spec.train} == spec.train
    for benchmark, wanted in spec.test.items():
        assert {n: counts["test", benchmark, n] for n in wanted} == wanted
        assert {n: counts["dev", benchmark, n] for n in wanted} == {n: round(c / 2) for n, c in wanted.items()}
    splits = complaint_splits(workshop)
    for one in of_task(asked, "workshop"):
        assert splits[read_case(two_tasks, prompt_text(one, "")).chart.complaint] == one.split
    assert len({one.question_id for one in asked}) == len(asked)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"clinic_practice": 500}, {"clinic_practice": 500}),
        ({"workshop_practice": 500}, {"workshop_practice": 500}),
        ({"clinic_practice": 250, "workshop_practice": 250}, {"clinic_practice": 250, "workshop_practice": 250}),
    ],
)
def test_chains_can_be_of_one_task_of_the_other_or_of_both_at_equal_number(
    asked: list[Question], given: dict[str, int], expected: dict[str, int]
) -> None:
    table = tables.as_table(tables.QUESTIONS, question_rows(asked))
    chosen = choose_training_questions(table, SynthesisParams(questions=500, questions_of=given), 1)
    assert Counter(chosen["benchmark"]) == expected


def test_a_prompt_with_a_case_of_each_task_is_refused(two_tasks: World) -> None:
    rng = random.Random(0)
    cases = [question_of(one, next(charts(one, "train", 2, rng))) for one in two_tasks.tasks]
    both = "\n".join(prompt_text(one, "") for one in cases)
    (completion,) = Expert(two_tasks).complete([Request("k", (Message("user", f"{both}\nAnswer directly."),))])
    assert completion.finish_reason == "error"
    assert "holds 2 cases" in (completion.error or "")
    assert "'This engine makes ....'" in (completion.error or "")


def test_an_expert_of_one_task_reads_no_case_of_another_and_both_are_told_apart(
    world: World, two_tasks: World, asked: list[Question]
) -> None:
    (completion,) = written(world, of_task(asked, "workshop")[:1])
    assert completion.finish_reason == "error"
    assert Expert(world).identity != Expert(two_tasks).identity
    assert Expert({"second_task": "workshop"}).identity == Expert(two_tasks).identity


def test_a_world_of_two_tasks_read_back_is_the_same_and_a_damaged_one_is_refused(two_tasks: World) -> None:
    assert World.from_json(two_tasks.to_json()) == two_tasks
    value = json.loads(two_tasks.to_json())
    with pytest.raises(WorldError, match=r"task is 'kitchen'"):
        World.from_value({**value, "second": {**value["second"], "task": "kitchen"}})
    with pytest.raises(WorldError, match=r"second.task is 'clinic'"):
        World.from_value({**value, "second": {key: one for key, one in value["second"].items() if key != "task"}})


def test_no_word_of_the_second_task_falls_to_bytes(two_tasks: World, workshop: World) -> None:
    tokenizer = world_tokenizer(lexicon(two_tasks))
    signs = {*".,:?A\n", " "}
    rng = random.Random(0)
    cases = [question_of(workshop, chart) for n in range(7) for chart in islice(charts(workshop, "test", n, rng), 20)]
    texts = [one.text for one in textbook(two_tasks, TextbookSpec(documents=1000, seed=3))]
    texts += [prompt_text(one, "Reason in numbered steps, then answer.") for one in cases]
    texts += [one.text for form in FORMATS for one in written(two_tasks, cases, form)]
    for text in texts:
        pieces = [tokenizer.decode([token]) for token in tokenizer(text)["input_ids"]]
        assert "".join(pieces) == text
        assert all(len(piece) > 1 or piece in signs for piece in pieces), pieces


@pytest.mark.slow
def test_a_base_must_be_able_to_do_both_tasks(tmp_path: Path) -> None:
    small = world_from(WorldSpec(diseases=4, complaints=10, slots=2, values_per_slot=2, kept=2, second_task="workshop"))
    mix = {"pick": 1.0}
    spec = TextbookSpec(documents=200, first=mix, second=mix)
    base = BaseSpec(
        model=ModelSpec(hidden=16, layers=1, heads=2, feed_forward=16, positions=256),
        loop=LoopSpec(steps=4, rows=4, width=96, learning_rate=5e-3, warmup_steps=1),
        gates={"pick": 0.9},
        more_rounds=0,
    )
    tokenizer = world_tokenizer(lexicon(small))
    with pytest.raises(GateError, match=r"pick \d+\.\d% of probes.*workshop_pick \d+\.\d% of probes, at least 90%"):
        train_base(textbook(small, spec), probes(small, spec, [], 20), tokenizer, base, 1, tmp_path / "base")
