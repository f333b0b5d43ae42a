"""The expert reads prompts, not answers; errs as often as it is told; and never raises for one bad request."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from medo1.answers import read_answer
from medo1.clinic import wording
from medo1.clinic.exam import ExamSpec, charts, question_of, questions
from medo1.clinic.expert import DRAWN_AS, Expert
from medo1.clinic.explanations import FORMATS
from medo1.clinic.world import World, WorldSpec, world_from
from medo1.engines import EngineError, Message, Request, Sampling
from medo1.questions import Question, prompt_text

ASKS = {**wording.REQUESTS, **wording.CONTROL_REQUESTS}


@pytest.fixture(scope="module")
def asked(world: World) -> list[Question]:
    return questions(world, ExamSpec(train=dict.fromkeys(range(1, 7), 20), test={}))


def requests_for(asked: Sequence[Question], form: str = "longstep", sample: int = 0) -> list[Request]:
    return [
        Request(question.question_id, (Message("user", prompt_text(question, ASKS[form])),), sample=sample)
        for question in asked
    ]


def test_without_errors_every_format_reaches_every_gold_letter(world: World, asked: list[Question]) -> None:
    expert = Expert(world, error_rate=0)
    for form in FORMATS:
        completions = list(expert.complete(requests_for(asked, form)))
        assert [completion.finish_reason for completion in completions] == ["stop"] * len(asked)
        letters = [
            read_answer(completion.text, question.options).letter
            for completion, question in zip(completions, asked, strict=True)
        ]
        assert letters == [question.gold for question in asked]


def test_it_reads_the_prompt_and_not_the_gold_letter(world: World, asked: list[Question]) -> None:
    """Another gold letter on the question changes nothing; another order of the options changes the letter."""
    expert = Expert(world, error_rate=0)
    question = asked[0]
    turned = dict(zip("ABCD", [question.options[letter] for letter in "BCDA"], strict=True))
    lied = replace(question, gold=next(letter for letter in "ABCD" if letter != question.gold))
    first, same, other = expert.complete(requests_for([question, lied, replace(question, options=turned)]))
    assert first.text == same.text
    letter = read_answer(other.text, turned).letter
    assert letter is not None
    assert turned[letter] == question.gold_text


def test_it_errs_at_its_rate_and_the_gold_filter_finds_most_of_it(world: World) -> None:
    rng = random.Random(0)
    asked = [question_of(world, chart) for n in range(1, 7) for chart in islice(charts(world, "train", n, rng), 300)]
    expert = Expert(world, error_rate=0.5)
    completions = expert.complete(requests_for(asked))
    truth = list(Expert(world, error_rate=0).complete(requests_for(asked)))
    changed = wrong = 0
    for completion, right, question in zip(completions, truth, asked, strict=True):
        changed += completion.text != right.text
        wrong += read_answer(completion.text, question.options).letter != question.gold
    assert 0.46 < changed / len(asked) < 0.54
    assert 0.75 < wrong / changed < 0.97, "some wrong chains end on the right letter by luck: work for other filters"


def test_controls_are_made_of_the_same_chains_and_differ_in_one_thing(world: World, asked: list[Question]) -> None:
    """The same errors, so the same kept cases; the same look-ups in another order; the same number of tokens."""
    expert = Expert(world, error_rate=0.5)
    forms = ("longstep", "vanilla", "shuffled", "filler")
    said = {form: list(expert.complete(requests_for(asked, form))) for form in forms}
    for whole, bare, shuffled, filler in zip(*said.values(), strict=True):
        ends = {one.text[one.text.index("The diagnosis is") :] for one in (whole, bare, shuffled, filler)}
        assert ends == {bare.text}
        assert look_ups(whole.text) == sorted(look_ups(shuffled.text), key=look_ups(whole.text).index)
        lines = whole.text.count("\n") - filler.text.count("\n")  # the expert counts no line ends, a tokenizer does
        assert filler.completion_tokens == (whole.completion_tokens or 0) + lines
        assert set(filler.text[: -len(bare.text)]) == {".", "\n"}
    assert sum(a.text != b.text for a, b in zip(said["longstep"], said["shuffled"], strict=True)) > 0.6 * len(asked)


@pytest.mark.parametrize(("form", "of"), DRAWN_AS.items())
def test_a_variant_errs_in_the_same_cases_and_ends_as_what_it_is_held_against(
    world: World, asked: list[Question], form: str, of: str
) -> None:
    expert = Expert(world, error_rate=0.5)
    for one, other in zip(*(expert.complete(requests_for(asked, name)) for name in (form, of)), strict=True):
        assert one.text.splitlines()[-1] == other.text.splitlines()[-1]
        assert one.text[one.text.index("The diagnosis") :] == other.text[other.text.index("The diagnosis") :]


def look_ups(text: str) -> list[str]:
    return re.findall(r"Step \d: (.+)\.", text)


def test_equal_requests_get_equal_answers_and_other_samples_and_seeds_err_elsewhere(
    world: World, asked: list[Question]
) -> None:
    def said(expert: Expert, sample: int = 0) -> list[str]:
        return [completion.text for completion in expert.complete(requests_for(asked, sample=sample))]

    expert = Expert(world, error_rate=0.5)
    assert said(expert) == said(Expert(world, error_rate=0.5))
    assert said(expert) != said(expert, sample=1)
    assert said(expert) != said(Expert(world, error_rate=0.5, seed=1))


def test_the_case_may_stand_amid_a_longer_prompt_and_the_request_in_a_system_message(
    world: World, asked: list[Question]
) -> None:
    question = asked[0]
    user = f"Here is a case.\n\n{prompt_text(question, 'Take your time.')}\n"
    system = "You teach.\nReason in  numbered\nsteps, then answer. Be exact."
    (completion,) = Expert(world, 0).complete([Request("k", (Message("system", system), Message("user", user)))])
    assert completion.text.startswith("Step 1: ")
    assert read_answer(completion.text, question.options).letter == question.gold


def test_requests_of_a_users_own_prompt_files_are_known(world: World, asked: list[Question]) -> None:
    expert = Expert(world, 0, requests={"cot": "Explain briefly."})
    user = Message("user", prompt_text(asked[0], "Explain briefly."))
    (completion,) = expert.complete([Request("k", (user,))])
    assert completion.text.startswith("The ")
    with pytest.raises(EngineError, match="haiku"):
        Expert(world, requests={"haiku": "Write a haiku."})


COMPLAINT = next(iter(world_from(WorldSpec()).impressions))
CASE = f"A patient presents with {COMPLAINT}. Findings: vitals fever. What is the diagnosis?"
OPTIONS = "\nA. velpox\nB. okaritis\nC. drexis\nD. tamoria\n"


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        ("What is an itch?", "holds 0 cases"),
        (f"{CASE}{OPTIONS}{CASE}{OPTIONS}Answer directly.", "holds 2 cases"),
        (f"{CASE}\nAnswer directly.", "0 lettered options"),
        (f"{CASE.replace(COMPLAINT, 'scurvy')}{OPTIONS}Answer directly.", "'scurvy' is no complaint"),
        (
            f"{CASE.replace('vitals fever', 'vitals gout')}{OPTIONS}Answer directly.",
            "finding 'vitals gout' stands where vitals",
        ),
        (
            f"{CASE.replace('vitals fever', 'exam murmur')}{OPTIONS}Answer directly.",
            "finding 'exam murmur' stands where vitals",
        ),
        (f"{CASE}{OPTIONS}Sing.", "no format that the expert knows"),
        (f"{CASE}{OPTIONS}Answer directly. Think aloud, then answer.", "vanilla.*longmonolog"),
    ],
)
def test_an_unreadable_prompt_is_an_error_completion_with_the_reason(world: World, user: str, reason: str) -> None:
    good = Request("good", (Message("user", f"{CASE}{OPTIONS}Answer directly."),))
    bad, after = Expert(world, 0).complete([Request("bad", (Message("user", user),)), good])
    assert (bad.key, bad.finish_reason, bad.text) == ("bad", "error", "")
    assert bad.error is not None
    assert re.search(reason, bad.error), bad.error
    assert after.finish_reason == "stop"


def test_a_conversation_without_a_user_is_an_error_completion(world: World) -> None:
    (completion,) = Expert(world).complete([Request("k", (Message("system", "Hello."),))])
    assert completion.finish_reason == "error"


def test_limits_and_stops_and_begun_answers_are_kept(world: World, asked: list[Question]) -> None:
    expert = Expert(world, 0)
    (request,) = requests_for(asked[:1])
    (whole,) = expert.complete([request])
    assert whole.completion_tokens is not None
    (cut,) = expert.complete([replace(request, sampling=Sampling(max_new_tokens=5))])
    assert (cut.finish_reason, cut.completion_tokens) == ("length", 5)
    assert whole.text.startswith(cut.text)
    exact = Sampling(max_new_tokens=whole.completion_tokens)
    assert [done.finish_reason for done in expert.complete([replace(request, sampling=exact)])] == ["stop"]
    (stopped,) = expert.complete([replace(request, sampling=Sampling(stop=("Final answer",)))])
    assert stopped.finish_reason == "stop"
    assert "Final answer" not in stopped.text
    words = whole.text.split()
    for stops in (
        (words[6], words[2]),
        (words[2], words[6]),
    ):  # the first in the text, however they are named
        (first,) = expert.complete([replace(request, sampling=Sampling(stop=stops))])
        assert first.text == whole.text[: min(whole.text.index(stop) for stop in stops)]
    begun = Message("assistant", whole.text[:20])
    (rest,) = expert.complete([replace(request, messages=(*request.messages, begun))])
    assert whole.text[:20] + rest.text == whole.text


def test_identity_tells_apart_what_could_answer_differently(world: World, small_world: World) -> None:
    engines = [
        Expert(world),
        Expert(world, 0.1),
        Expert(world, wrong_steps=2),
        Expert(world, seed=1),
        Expert(small_world),
    ]
    assert len({str(engine.identity) for engine in engines}) == len(engines)
    assert Expert(world).identity == Expert().identity == Expert({"seed": 7}).identity


def test_a_world_file_serves_too_and_a_missing_one_is_named(world: World, tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text(world.to_json(), encoding="utf-8")
    assert Expert(path).world == world
    with pytest.raises(EngineError, match=r"missing\.json cannot be read"):
        Expert(tmp_path / "missing.json")
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(EngineError, match="expected the keys"):
        Expert(path)
    with pytest.raises(EngineError, match="sticky"):
        Expert({"sticky": 1})


def test_each_request_is_answered_once(world: World, asked: list[Question]) -> None:
    keys = Counter(completion.key for completion in Expert(world).complete(requests_for(asked)))
    assert keys == Counter(question.question_id for question in asked)
