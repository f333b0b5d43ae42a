"""The textbook is true but for second opinions, shows no test chart, and solves no case in writing."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from pydantic import ValidationError

from medo1.clinic import wording
from medo1.clinic.base import BaseSpec
from medo1.clinic.exam import Chart, complaint_splits, options_of, split_of
from medo1.clinic.expert import OPTION, UnreadablePromptError, read_case
from medo1.clinic.lexicon import lexicon
from medo1.clinic.textbook import Document, TextbookSpec, facts, probes, textbook
from medo1.clinic.world import World, WorldSpec, world_from
from medo1.from_scratch.tokenizers import world_tokenizer
from medo1.lineage.digests import digest_of_value


@pytest.fixture(scope="module")
def documents(world: World) -> list[Document]:
    return textbook(world, TextbookSpec(documents=6000))


def chart_in(world: World, text: str) -> Chart | None:
    return read_case(world, text).chart if world.wording.stem_pattern.search(text) else None


def test_no_chart_of_dev_or_test_stands_in_a_training_text_not_even_in_part(
    world: World, documents: list[Document]
) -> None:
    found = [chart for document in documents if (chart := chart_in(world, document.text))]
    assert len(found) > 2000
    assert {split_of(world, chart) for chart in found} == {"train"}
    shown = {
        complaint
        for document in documents
        for complaint in re.findall(r"with (\w+)\. (?:Findings|What)", document.text)
    }
    assert {complaint_splits(world)[complaint] for complaint in shown} == {"train"}


def test_every_complaint_is_spoken_of_in_facts_and_alone(world: World, documents: list[Document]) -> None:
    for kind, said in (("fact", r"the (\w+) suggests"), ("alone", r"presents with (\w+)\.")):
        told = {name for one in documents if one.kind == kind for name in re.findall(said, one.text)}
        assert len(set(world.impressions) - told) < 8, kind


def test_every_fact_that_is_told_is_true_or_a_second_opinion_at_its_rate(
    world: World, documents: list[Document]
) -> None:
    told: Counter[tuple[str, str]] = Counter()
    told_complaints: Counter[str] = Counter()
    other: Counter[str] = Counter()
    for document in documents:
        for slot, value, before, after in re.findall(r"(\w+) (\w+) in (\w+) means (\w+)", document.text):
            assert value in world.slots[slot]
            opinion = world.finding_opinions.get(value, {}).get(before)
            assert after in {world.revised(value, before), opinion.disease if opinion else None}
            told[value, before] += 1
        for complaint, first in re.findall(r"the (\w+) suggests (\w+)", document.text):
            if complaint == "complaint":  # a case's opening, which names none
                continue
            told_complaints[complaint] += 1
            held = world.complaint_opinions.get(complaint)
            assert first in {world.impressions[complaint], held.disease if held else None}
            other[complaint] += first != world.impressions[complaint]
    assert len(told) == 24 * 12, "every fact is told"
    expected = sum(told_complaints[name] * opinion.share for name, opinion in world.complaint_opinions.items())
    assert abs(sum(other.values()) - expected) < 5 * expected**0.5
    ranked = list(world.impressions)
    assert sum(told_complaints[name] for name in ranked[:40]) > 1.5 * sum(
        told_complaints[name] for name in ranked[-40:]
    )


def test_no_document_reasons_a_whole_case_out(world: World, documents: list[Document]) -> None:
    """At most one look-up of a case is ever followed by its answer, and only as the first impression."""
    for document in documents:
        chart = chart_in(world, document.text)
        if chart and "Final answer" in document.text:
            assert " means " not in document.text
            assert document.kind in {"vanilla", "short"}
        if chart and document.kind in {"update", "change"}:
            assert document.text.count(" means ") <= 1


def test_the_answers_that_are_told_follow_from_what_their_authors_hold(world: World, documents: list[Document]) -> None:
    checked = options_of_their_own = 0
    for document in documents:
        if document.kind in {"vanilla", "short"}:
            chart = chart_in(world, document.text)
            assert chart is not None
            options = dict(OPTION.findall(document.text))
            letter = document.text.removesuffix("<|im_end|>")[-1]
            assert options[letter] in endings(world, chart)
            options_of_their_own += options != options_of(world, chart)
            checked += 1
    assert checked > 900
    assert 0 < options_of_their_own < 0.2 * checked


def endings(world: World, chart: Chart) -> set[str]:
    """Every diagnosis that an author can come to, whatever second opinions they hold."""
    held = world.complaint_opinions.get(chart.complaint)
    current = {world.impressions[chart.complaint]} | ({held.disease} if held else set())
    for value in chart.values:
        opinions = world.finding_opinions.get(value, {})
        current = {world.revised(value, name) for name in current} | {
            opinions[name].disease for name in current if name in opinions
        }
    return current


def test_every_kind_comes_in_the_part_and_share_that_the_spec_says(documents: list[Document]) -> None:
    spec = TextbookSpec()
    second = Counter(document.kind for document in documents if document.part == 1)
    total = sum(spec.second.values())
    for kind, weight in spec.second.items():
        expected = weight / total * second.total()
        assert abs(second[kind] - expected) < 5 * expected**0.5, kind
    assert {document.kind for document in documents if document.part == 0} == set(spec.first)


def test_what_is_learned_lies_within_the_text(documents: list[Document]) -> None:
    for document in documents:
        assert document.learned
        for start, end in document.learned:
            assert 0 <= start < end <= len(document.text)
    fact = next(document for document in documents if document.kind == "fact")
    assert all(re.fullmatch(r" \w+", fact.text[start:end]) for start, end in fact.learned)


def test_equal_specs_write_equal_textbooks_and_rows_read_back_unchanged(world: World) -> None:
    spec = TextbookSpec(documents=200)
    assert textbook(world, spec) == textbook(world, spec)
    for document in textbook(world, spec):
        assert Document.from_value(document.to_value()) == document


def test_probes_ask_every_fact_and_nothing_that_was_told(world: World, documents: list[Document]) -> None:
    asked = probes(world, TextbookSpec(), documents, 50)
    assert len(facts(world)) == 24 * 12 + 160
    assert len(asked["fact"]) + len(asked["disputed"]) == len(facts(world))
    assert len(asked["disputed"]) == 64 + 23
    told = {document.text for document in documents}
    for kind, fresh in asked.items():
        if kind not in {"fact", "disputed"}:
            assert len(fresh) == 50
            assert not told & {document.text for document in fresh}


def test_requests_of_a_users_own_prompt_files_are_what_the_base_learns(world: World) -> None:
    spec = TextbookSpec(documents=300)
    documents = textbook(world, spec, {"vanilla": "Say it at once."})
    assert any("Say it at once." in document.text for document in documents)
    assert not any(wording.REQUESTS["vanilla"] in document.text for document in documents)


def test_a_weight_on_an_unknown_kind_and_an_unknown_key_are_refused(world: World) -> None:
    with pytest.raises(ValueError, match="'poem'"):
        textbook(world, TextbookSpec(documents=10, second={"poem": 1.0}))
    with pytest.raises(ValidationError, match="pages"):
        TextbookSpec(pages=3)  # type: ignore[call-arg]


def test_a_case_that_only_looks_like_one_is_no_chart(world: World) -> None:
    with pytest.raises(UnreadablePromptError):
        chart_in(world, "A patient presents with gout. What is the diagnosis?\nA. x\nB. y")


def test_the_textbook_and_its_words_are_those_of_the_published_runs() -> None:
    """Another text or another token makes another base, and the figures of docs/embedded_world.md another study's."""
    world = world_from(WorldSpec())
    tokens = sorted(world_tokenizer(lexicon(world)).get_vocab().items())
    assert digest_of_value(tokens).startswith("0b32b8f8111b963f")
    documents = [document.to_value() for document in textbook(world, TextbookSpec())]
    assert digest_of_value(documents).startswith("fe86927b1ea1138e")
    base = BaseSpec().model_dump(mode="json")
    assert base["model"].pop("family") == "qwen2", "which those runs could not choose"
    assert digest_of_value(base).startswith("b9c236db6033eec4")
