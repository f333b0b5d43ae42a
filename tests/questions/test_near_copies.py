"""A near-copy is found however it was changed, an innocent text is not, and the evidence is shown."""

# ruff: noqa: RUF001  (full-width marks are meant)

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medo1.questions import read_questions
from medo1.questions.grams import UnitReader, grams_of, unit_spans, units_of
from medo1.questions.near_copies import LEAK, SIBLING, NearCopyIndex, near_copies_within
from tests.questions.planted import PLANTERS, inside, joined_with, vignettes

LANGUAGES = ("en", "zh", "ja")


@pytest.fixture(scope="module", params=LANGUAGES)
def exam(request: pytest.FixtureRequest) -> tuple[list[tuple[str, dict[str, str]]], NearCopyIndex, list[str]]:
    """300 vignettes, their index, and 300 innocent ones of the same making."""
    asked = vignettes(request.param, 300, 1)
    return asked, NearCopyIndex([stem for stem, _ in asked]), [stem for stem, _ in vignettes(request.param, 300, 2)]


def bands(index: NearCopyIndex, texts: list[str]) -> dict[int, dict[int, str]]:
    found: dict[int, dict[int, str]] = {}
    for one in index.found(texts):
        found.setdefault(one.text, {})[one.question] = one.band
    return found


@pytest.mark.parametrize("kind", [*PLANTERS, "joined", "inside a chain"])
def test_a_planted_leak_of_every_kind_is_found_in_every_language(exam, kind) -> None:  # type: ignore[no-untyped-def]
    asked, index, innocent = exam
    chains = [" ".join(innocent[start : start + 8]) for start in range(0, 80, 8)]
    special = {"joined": joined_with(innocent[:50]), "inside a chain": inside(chains)}
    planter = special.get(kind) or PLANTERS[kind]
    rng = random.Random(3)
    texts = [planter(stem, options, rng) for stem, options in asked[:100]]
    found = bands(index, texts)
    missed = [place for place in range(100) if found.get(place, {}).get(place) != "leak"]
    assert len(missed) <= 7, [texts[place] for place in missed[:2]]


def test_innocent_vignettes_of_the_same_making_are_no_leaks(exam) -> None:  # type: ignore[no-untyped-def]
    _, index, innocent = exam
    assert [one for one in index.found(innocent) if one.band == "leak"] == []


def test_real_benchmarks_planted_leaks_are_found_and_real_innocent_chains_are_not(benchmark_files: Path) -> None:
    asked, _ = read_questions(benchmark_files / "medqa_test.jsonl", "medqa", benchmark="medqa", split="test")
    chains, _ = read_questions(benchmark_files / "long_chains_sample.json", "huatuo", benchmark="c", split="train")
    index = NearCopyIndex([one.stem for one in asked])
    told = [f"{one.stem} {one.extra['complex_cot']} {one.extra['response']}" for one in chains]
    assert [one for one in index.found(told, excerpts=False) if one.band == "leak"] == []
    rng = random.Random(5)
    chosen = rng.sample(range(len(asked)), 60)
    planters = PLANTERS | {"inside a chain": inside(told), "joined": joined_with([one.stem for one in chains])}
    for kind, planter in planters.items():
        found = bands(index, [planter(asked[place].stem, asked[place].options, rng) for place in chosen])
        hits = sum(found.get(n, {}).get(place) == "leak" for n, place in enumerate(chosen))
        assert hits >= 56, (kind, hits)


def rare(prefix: str, count: int) -> list[str]:
    """So many words that stand nowhere else."""
    return [f"{prefix}{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(count)]


def test_the_bands_hold_their_lower_edges() -> None:
    """A question of 100 n-grams of one weight: so many of them shared give these scores exactly."""
    words = rare("q", 102)
    index = NearCopyIndex([" ".join(words), *(" ".join(rare(f"other{letter}", 40)) for letter in "abcdefghij")])
    for shared, band in ((40, "leak"), (39, "sibling"), (20, "sibling"), (19, None)):
        text = " ".join([*words[: shared + 2], *rare("elsewhere", 300)])
        found = [(one.band, round(one.score, 3)) for one in index.found([text])]
        assert found == ([(band, shared / 100)] if band else []), shared
    assert (LEAK, SIBLING) == (0.40, 0.20)


def test_few_shared_ngrams_tell_only_where_each_text_covers_the_other() -> None:
    words = rare("q", 22)  # 20 n-grams
    index = NearCopyIndex([" ".join(words), *(" ".join(rare(f"other{letter}", 40)) for letter in "abcdefghij")])
    for shared, beside, found in ((8, 90, 1), (7, 90, 0), (7, 10, 1)):
        text = " ".join([*words[: shared + 2], *rare("elsewhere", beside)])
        assert len(list(index.found([text]))) == found, (shared, beside)


def test_short_texts_are_compared_whole() -> None:
    index = NearCopyIndex(["Fever?", "Fever and rash", *(stem for stem, _ in vignettes("en", 20, 4))])
    assert [(one.text, one.question) for one in index.found(["FEVER", "fever and rash!", "fever and chills"])] == [
        (0, 0),
        (1, 1),
    ]


def test_what_is_said_again_counts_once_on_both_sides() -> None:
    """A question of 58 different n-grams, ten of them in a phrase that it says five times."""
    phrase, rest = rare("p", 12), rare("q", 42)
    index = NearCopyIndex([" ".join(phrase * 5 + rest), *(" ".join(rare(f"other{letter}", 40)) for letter in "abcdef")])
    [once] = index.found([" ".join(phrase * 9 + rare("elsewhere", 200))])
    assert (once.band, round(once.of_question, 2)) == ("sibling", round(12 / 54, 2))  # ten, and two where it turns


def test_boilerplate_begins_above_its_share_of_the_questions() -> None:
    """Of 200 questions, 4 are 2 %: an n-gram in four still tells, in five it is boilerplate."""

    def words(prefix: str, count: int) -> str:
        return " ".join(rare(prefix, count))

    phrase = words("shared", 20)
    for holders, told in ((4, True), (5, False)):
        questions = [
            f"{words(f'own{chr(97 + n % 26)}{chr(97 + n // 26)}', 12)} {phrase if n < holders else ''}"
            for n in range(200)
        ]
        index = NearCopyIndex(questions)
        found = {one.question for one in index.found([f"{words('elsewhere', 30)} {phrase}"])}
        assert bool(found) is told


def test_with_few_questions_not_everything_is_boilerplate() -> None:
    stem = vignettes("en", 1, 9)[0][0]
    assert [one.band for one in NearCopyIndex([stem]).found([stem.upper()])] == ["leak"]


def test_common_turns_of_speech_are_no_evidence_against_a_short_question() -> None:
    index = NearCopyIndex(["What is the mechanism of action of metformin?", *(s for s, _ in vignettes("en", 60, 4))])
    chain = vignettes("en", 1, 5)[0][0] + " So what is the mechanism of action of metformin here, one may ask."
    assert [one for one in index.found([chain], excerpts=False) if one.question == 0] == []
    assert [one.question for one in index.found(["what is the mechanism of action of Metformin"])] == [0]


def test_the_passages_stand_side_by_side_where_they_say_they_do() -> None:
    asked = vignettes("en", 50, 1)
    index = NearCopyIndex([stem for stem, _ in asked])
    text = f"Let me think of another patient first. {PLANTERS['numbers changed'](asked[7][0], {}, random.Random(0))}"
    passages = index.passages(text, 7)
    assert text[slice(*passages.text_span)] == passages.text
    assert asked[7][0][slice(*passages.question_span)] == passages.question
    assert "Let me think" not in passages.text
    assert len(passages.text) > 100
    assert [a for a in passages.text.split() if not any(c.isdigit() for c in a)][:8] == [
        b for b in passages.question.split() if not any(c.isdigit() for c in b)
    ][:8]


def test_pairs_within_a_benchmark_are_given_once_and_no_question_is_its_own_copy() -> None:
    stems = [stem for stem, _ in vignettes("en", 80, 6)]
    copies = [*stems, stems[3].lower(), PLANTERS["reordered"](stems[5], {}, random.Random(1))]
    assert [(one.text, one.question) for one in near_copies_within(copies) if one.band == "leak"] == [(3, 80), (5, 81)]


def test_texts_are_found_the_same_whether_streamed_or_at_once() -> None:
    asked = [stem for stem, _ in vignettes("en", 60, 1)]
    texts = [*asked[:5], *(stem for stem, _ in vignettes("en", 40, 2)), "", *asked[5:9]]
    whole = list(NearCopyIndex(asked).found(texts))
    reader, alone = UnitReader(), NearCopyIndex(asked)
    single = [one for n, text in enumerate(texts) for one in alone.found_in(reader.units([text]), first=n)]
    assert whole == single


def test_no_questions_and_no_texts_find_nothing() -> None:
    assert list(NearCopyIndex([]).found(["some text"])) == []
    assert list(NearCopyIndex(["a question of some length here"]).found([])) == []
    assert list(NearCopyIndex(["", "?!", "%"]).found(["", "%", "what"])) == []


def test_bands_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match=r"sibling 0.5 and leak 0.4"):
        NearCopyIndex(["x"], leak=0.4, sibling=0.5)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a 23-year-old man", "A twenty-three-year-old man"),
        ("pressure 120/80 mm Hg, then", "pressure 16.0/10.7 kPa, then"),
        ("fever of 38.5°C (101.3°F) today", "fever of one hundred degrees today"),
        ("３５歳の男性", "三十五歳の男性"),
        ("体重70公斤，发热3天", "体重140斤，发热三日"),
        ("dose ٣ mg daily", "dose 3 g daily"),
        ("glucose 126 mg/dL was", "glucose 7 mmol/L was"),
    ],
)  # fmt: skip
def test_numbers_are_the_same_unit_however_they_are_written(one: str, other: str) -> None:
    reader = UnitReader()
    assert reader.units([one]).hashes.tolist() == reader.units([other]).hashes.tolist()


def test_a_measure_is_a_word_where_no_number_stands_before_it() -> None:
    reader = UnitReader()
    assert len(reader.units(["pain in a patient"]).hashes) == 4
    assert len(reader.units(["seen in 12 patients"]).hashes) == 4


TEXTS = st.text(st.sampled_from("ab cd 1 2 mg 岁胸闷日 %°C.３½ﬁ-/İ\n"), max_size=60)


@given(st.lists(TEXTS, max_size=6))
def test_the_fast_reading_and_the_spans_agree_unit_for_unit(texts: list[str]) -> None:
    units = UnitReader().units(texts)
    assert [len(unit_spans(text)) for text in texts] == np.diff(units.offsets).tolist()
    for text in texts:
        for start, end in unit_spans(text):
            assert 0 <= start < end <= len(text)


@given(st.lists(TEXTS, max_size=6))
def test_a_text_has_the_same_grams_alone_and_beside_others(texts: list[str]) -> None:
    together = grams_of(UnitReader().units(texts))
    for place, text in enumerate(texts):
        alone = grams_of(UnitReader().units([text]))
        assert together.hashes[together.text == place].tolist() == alone.hashes.tolist()


def test_hashes_are_the_same_in_every_process() -> None:
    assert units_of("fever")[0].hash == 11024901700203319014
