"""The world is what its spec says, and survives being written down."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from pydantic import ValidationError

from medo1.clinic.knowledge import World, WorldError, WorldSpec, world_from
from medo1.clinic.world_words import COMPLAINTS, DISEASES, SLOTS


def test_equal_specs_make_equal_worlds_and_seeds_make_different_ones() -> None:
    assert world_from(WorldSpec()).digest == world_from(WorldSpec()).digest
    assert world_from(WorldSpec(seed=8)).digest != world_from(WorldSpec()).digest


def test_no_two_impressions_become_one_and_most_findings_leave_most_impressions(world: World) -> None:
    for value, after in world.revisions.items():
        assert sorted(after.values()) == sorted(world.diseases), value
        assert sum(disease == revised for disease, revised in after.items()) == WorldSpec().kept


def test_every_disease_is_suggested_by_as_many_complaints(world: World) -> None:
    assert set(Counter(world.impressions.values()).values()) == {2}


def test_a_world_read_back_from_its_json_is_the_same(world: World) -> None:
    again = World.from_json(world.to_json())
    assert again == world
    assert list(again.slots) == list(world.slots)
    assert again.digest == world.digest


def test_no_word_stands_in_two_lists() -> None:
    words = [*DISEASES, *COMPLAINTS, *SLOTS, *(value for values in SLOTS.values() for value in values)]
    assert len(words) == len(set(words))
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda value: value.pop("slots"), "expected the keys"),
        (lambda value: value["impressions"].update(rash="scurvy"), "impressions.rash is 'scurvy'"),
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
    with pytest.raises(ValueError, match="kept is 9"):
        WorldSpec(kept=9)
