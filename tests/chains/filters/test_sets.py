"""The filters that compare chains: with test questions, with each other, and the choice among them."""

from __future__ import annotations

import random

import numpy as np
import pytest

from medo1.chains.filters.candidate import Candidate, Verdict
from medo1.chains.filters.decontamination import TestQuestions
from medo1.chains.filters.duplicates import PERMUTATIONS, near_duplicates, signatures
from medo1.chains.filters.selection import selected, topic_of
from medo1.chains.filters.specs import DecontaminationSpec, SelectionSpec
from medo1.questions.grams import UnitReader
from tests.chains.filters.rows import RIGHT, candidate, question
from tests.questions.planted import PLANTERS, vignettes

STEMS = [stem for stem, _ in vignettes("en", 40, 1)]
INNOCENT = [stem for stem, _ in vignettes("en", 10, 2)]


def held_against(*candidates: Candidate, **spec: object) -> list[Verdict]:
    asked = [question(100 + n, "test", stem, benchmark="medqa") for n, stem in enumerate(STEMS)]
    return verdicts(TestQuestions(asked, DecontaminationSpec.model_validate(spec)), *candidates)


def verdicts(tests: TestQuestions, *candidates: Candidate) -> list[Verdict]:
    return tests.verdicts(candidates, UnitReader().units([one.text for one in candidates]))


def test_a_training_question_that_tells_a_test_question_is_dropped_with_both_passages() -> None:
    told = PLANTERS["numbers changed"](STEMS[3], {}, random.Random(0))
    [leak, innocent] = held_against(
        candidate(question=question(1, stem=told)), candidate(question=question(2, stem=INNOCENT[0]))
    )
    assert not leak.passed
    assert leak.reason.startswith("leak: ")
    assert f"medqa question {103:016x}" in leak.reason
    assert leak.match in told
    assert leak.other in STEMS[3]
    assert innocent.passed
    assert innocent.reason == ""


def test_a_test_question_told_within_the_chain_is_found_unless_only_questions_are_compared() -> None:
    one = candidate(f"{INNOCENT[1]} {STEMS[5]} {INNOCENT[2]} {RIGHT}", question=question(1, stem=INNOCENT[0]))
    assert [verdict.passed for verdict in held_against(one)] == [False]
    assert [verdict.passed for verdict in held_against(one, texts=["question"])] == [True]


def test_a_sibling_is_shown_and_dropped_only_where_that_is_asked_for() -> None:
    words = STEMS[7].split()
    told = " ".join(words[: round(0.3 * len(words))]) + " " + INNOCENT[3]
    one = candidate(question=question(1, stem=told))
    [shown] = held_against(one)
    assert shown.passed
    assert shown.reason.startswith("sibling: ")
    assert 0.2 <= (shown.value or 0) < 0.4
    assert shown.match
    [refused] = held_against(one, drop_siblings=True)
    assert not refused.passed


def test_of_a_sibling_and_a_leak_the_leak_counts() -> None:
    words = STEMS[7].split()
    told = " ".join(words[: round(0.3 * len(words))]) + " " + INNOCENT[3]
    for stem, text in ((told, f"{STEMS[5]} {RIGHT}"), (STEMS[5], f"{told} {RIGHT}")):
        [verdict] = held_against(candidate(text, question=question(1, stem=stem)))
        assert not verdict.passed
        assert f"{105:016x}" in verdict.reason


def test_the_same_question_is_contamination_whatever_its_length_and_however_texts_are_compared() -> None:
    asked = TestQuestions([question(1, "test", "Fever?")], DecontaminationSpec(near_copies=False))
    [same, other] = verdicts(asked, candidate(), candidate(question=question(2)))
    assert not same.passed
    assert f"is the b question {1:016x}" in same.reason
    assert other.passed


def word(number: int) -> str:
    """A word for a number: numbers themselves are all the same to the comparison."""
    return "".join(chr(97 + int(digit)) for digit in str(number))


def found(texts: list[str], similarity: float = 0.8, alive: list[bool] | None = None) -> list[int | None]:
    told = near_duplicates(signatures(UnitReader().units(texts)), similarity, alive)
    return [one.of if one else None for one in told]


def test_of_near_duplicates_the_first_stays() -> None:
    rng = random.Random(1)
    long = [" ".join(word(rng.randrange(5000)) for _ in range(300)) for _ in range(4)]
    words = long[1].split()
    changed = " ".join("other" if place % 60 == 7 else word for place, word in enumerate(words))
    assert found([long[0], long[1], changed, long[2], long[1].upper(), long[3]]) == [None, None, 1, None, 1, None]


def test_the_similarity_is_the_one_that_is_asked_for() -> None:
    rng = random.Random(3)
    base = [word(rng.randrange(10**6)) for _ in range(400)]
    half = base[:300] + [word(rng.randrange(10**6)) for _ in range(100)]  # 296 of 496 runs in common
    assert found([" ".join(base), " ".join(half)], 0.8) == [None, None]
    assert found([" ".join(base), " ".join(half)], 0.45) == [None, 0]


def test_a_chain_that_is_dropped_for_another_reason_drops_no_duplicate() -> None:
    text = " ".join(word(n * n) for n in range(200))
    assert found([text, text, text]) == [None, 0, 0]
    assert found([text, text, text], alive=[False, True, True]) == [None, None, 1]


def test_estimated_similarity_is_near_the_true_one() -> None:
    rng = random.Random(2)
    base = [word(rng.randrange(10**6)) for _ in range(600)]
    rows = signatures(UnitReader().units([" ".join(base), " ".join(base[:450])]))
    assert rows.shape == (2, PERMUTATIONS)
    assert abs(float((rows[0] == rows[1]).mean()) - 446 / 596) < 0.12
    assert np.array_equal(rows[:1], signatures(UnitReader().units([" ".join(base)])))


def test_no_text_has_no_duplicates() -> None:
    assert found([]) == []
    assert found(["", "a b c"]) == [None, None]


def pool(counts: dict[str, int], tokens: int = 100) -> list:  # type: ignore[type-arg]
    names = [source for source, count in counts.items() for _ in range(count)]
    return [candidate(n=n, question=question(n, benchmark=source), tokens=tokens) for n, source in enumerate(names)]


def kept(candidates: list, spec: SelectionSpec, seed: int = 1, **more: object) -> list[int]:  # type: ignore[type-arg]
    verdicts = selected(candidates, [True] * len(candidates), spec, seed, **more)  # type: ignore[arg-type]
    return [place for place, verdict in enumerate(verdicts) if verdict.passed]


def test_sources_fill_their_quotas_and_no_others() -> None:
    spec = SelectionSpec(target_size=50, sources={"medqa": 35, "jama": 15})
    candidates = pool({"medqa": 60, "jama": 30, "else": 20})
    chosen = kept(candidates, spec)
    of = [candidates[place].question.benchmark for place in chosen]
    assert (of.count("medqa"), of.count("jama"), of.count("else")) == (35, 15, 0)
    assert len(kept(pool({"medqa": 60, "jama": 5}), spec)) == 40  # a shortfall is left to no other


def test_the_choice_depends_on_the_seed_and_not_on_the_order_of_the_table() -> None:
    spec = SelectionSpec(target_size=10)
    candidates = pool({"medqa": 40})
    ids = {candidates[place].key for place in kept(candidates, spec)}
    backwards = candidates[::-1]
    assert {backwards[place].key for place in kept(backwards, spec)} == ids
    assert {candidates[place].key for place in kept(candidates, spec, seed=2)} != ids


def test_topics_take_turns() -> None:
    spec = SelectionSpec(target_size=9, topics={"heart": ("cardiac",), "lung": ("cough",)})
    stems = ["a cardiac case"] * 20 + ["a coughing one"] * 4 + ["another"] * 20
    candidates = [candidate(n=n, question=question(n, stem=f"{stem} {n}")) for n, stem in enumerate(stems)]
    topics = [topic_of(candidates[place], spec.topics) for place in kept(candidates, spec)]
    assert sorted(topics) == ["heart"] * 3 + ["lung"] * 3 + ["other"] * 3


def test_long_and_short_chains_are_mixed_in_their_share() -> None:
    spec = SelectionSpec(target_size=20, long_tokens=500, long_share=0.2)
    candidates = pool({"b": 40}, tokens=600) + [
        candidate(n=n, question=question(n), tokens=100) for n in range(100, 140)
    ]
    lengths = [candidates[place].tokens for place in kept(candidates, spec)]
    assert (lengths.count(600), lengths.count(100)) == (4, 16)


def test_the_hardest_questions_come_first_where_that_is_asked_for() -> None:
    candidates = pool({"b": 10})
    failures = {one.key[0]: n / 10 for n, one in enumerate(candidates)}
    assert kept(candidates, SelectionSpec(target_size=3, hard_first=True), failures=failures) == [7, 8, 9]


def test_dropped_chains_take_nobodys_place() -> None:
    candidates = pool({"b": 10})
    alive = [place >= 6 for place in range(10)]
    verdicts = selected(candidates, alive, SelectionSpec(target_size=4), 1)
    assert [verdict.passed for verdict in verdicts] == [True] * 10


@pytest.mark.parametrize("spec", [SelectionSpec(target_size=None), SelectionSpec(target_size=10)])
def test_all_are_kept_where_there_is_room(spec: SelectionSpec) -> None:
    assert kept(pool({"b": 10}), spec) == list(range(10))
