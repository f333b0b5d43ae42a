"""The world is what its spec says, and survives being written down."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from pydantic import ValidationError

from medo1.clinic.world import World, WorldError, WorldSpec, world_from
from medo1.clinic.world_words import COMPLAINTS, DISEASES, FEELINGS, PLACES, SLOTS


def test_equal_specs_make_equal_worlds_and_seeds_make_different_ones() -> None:
    assert world_from(WorldSpec()).digest == world_from(WorldSpec()).digest
    assert world_from(WorldSpec(seed=8)).digest != world_from(WorldSpec()).digest


def test_no_two_impressions_become_one_and_most_findings_leave_most_impressions(world: World) -> None:
    for value, after in world.revisions.items():
        assert sorted(after.values()) == sorted(world.diseases), value
        assert sum(disease == revised for disease, revised in after.items()) == WorldSpec().kept


def test_every_disease_is_suggested_by_as_many_complaints(world: World) -> None:
    assert set(Counter(world.impressions.values()).values()) == {13, 14}


def test_second_opinions_are_as_many_as_the_spec_says_and_never_the_truth(world: World) -> None:
    spec = WorldSpec()
    assert len(world.complaint_opinions) == round(spec.disputed_complaints * len(world.impressions))
    about = [(world.impressions[complaint], held) for complaint, held in world.complaint_opinions.items()]
    about += [
        (world.revised(value, before), held)
        for value, opinions in world.finding_opinions.items()
        for before, held in opinions.items()
    ]
    assert len(about) == len(world.complaint_opinions) + round(spec.disputed_findings * 24 * 12)
    for truth, opinion in about:
        assert opinion.disease in set(world.diseases) - {truth}
        assert spec.dispute[0] <= opinion.share <= spec.dispute[1]


def test_a_world_read_back_from_its_json_is_the_same(world: World) -> None:
    again = World.from_json(world.to_json())
    assert again == world
    assert list(again.slots) == list(world.slots)
    assert list(again.impressions) == list(world.impressions), "the order says how common a complaint is"
    assert again.digest == world.digest


def test_no_word_stands_in_two_lists() -> None:
    words = [
        *DISEASES,
        *COMPLAINTS,
        *PLACES,
        *FEELINGS,
        *SLOTS,
        *(value for values in SLOTS.values() for value in values),
    ]
    assert len(words) == len(set(words))
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda value: value.pop("slots"), "expected the keys"),
        (
            lambda value: value["impressions"].update({value["complaint_order"][0]: "scurvy"}),
            r"impressions\.\w+ is 'scurvy'",
        ),
        (lambda value: value["complaint_order"].pop(), "complaint_order and impressions must hold the same names"),
        (
            lambda value: next(iter(value["complaint_opinions"].values())).update(share=1.5),
            r"complaint_opinions\.\w+ is .*expected another disease",
        ),
        (lambda value: value["revisions"]["fever"].pop("velpox"), "revisions.fever must map"),
        (lambda value: value["revisions"].pop("fever"), "revisions and slots differ in .'fever'."),
        (lambda value: value["slot_order"].pop(), "slot_order"),
    ],
)
def test_a_damaged_world_is_refused_with_the_key_that_is_wrong(world: World, damage, said: str) -> None:  # type: ignore[no-untyped-def]
    value = json.loads(world.to_json())
    damage(value)
    with pytest.raises(WorldError, match=said):
        World.from_json(json.dumps(value))


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(WorldError, match="not JSON"):
        World.from_json("{")


def test_an_unknown_key_and_an_impossible_number_are_refused() -> None:
    with pytest.raises(ValidationError, match="sticky"):
        WorldSpec(sticky=0.6)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="kept is 13"):
        WorldSpec(kept=13)
