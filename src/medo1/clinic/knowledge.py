"""The embedded world: what is true in it.

A complaint suggests a first disease. Each finding then revises the current impression: `revised(finding, disease)` is
the impression after it. A case with n findings therefore needs n + 1 look-ups, each depending on the one before, and
a network with few layers cannot do many of them in one pass. That serial work, not medicine, is what written-out steps
relieve (Li et al. 2024, arXiv 2402.12875, give the theory: composing maps is the standard example).

Everything is a pure function of the spec, seed included.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from medo1.clinic.world_words import COMPLAINTS, DISEASES, SLOTS
from medo1.errors import UserError
from medo1.lineage.digests import canonical_json, digest_of_value, seed_from


class WorldSpec(BaseModel):
    """How large the world is and how findings revise impressions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 7  # the world of the published tables
    diseases: int = Field(default=8, ge=4, le=len(DISEASES))  # 8: few enough that a tiny base learns every fact
    complaints: int = Field(default=16, ge=4, le=len(COMPLAINTS))  # two for each disease
    slots: int = Field(default=6, ge=1, le=len(SLOTS))  # 6 findings: more serial look-ups than two layers can hide
    values_per_slot: int = Field(default=4, ge=2, le=6)  # 24 findings, 192 facts about them
    kept: int = Field(default=6, ge=0)  # impressions of 8 that a finding leaves: who stops early is right at times

    def model_post_init(self, context: Any, /) -> None:
        if self.kept > self.diseases:
            raise ValueError(
                f"kept is {self.kept}: a finding cannot leave more impressions than the {self.diseases} diseases"
            )


class WorldError(UserError):
    """A world's text cannot be read: the message says which key, what was found and what was expected."""


@dataclass(frozen=True)
class World:
    """A world with a known truth.

    Attributes:
        seed: the seed that it was made from; part of the split, so that another seed splits otherwise.
        diseases: their names.
        impressions: complaint to the disease that it suggests.
        slots: slot to its values, in the order in which a chart reports them. A value belongs to one slot only.
        revisions: value to (current impression to revised impression), complete over `diseases`.
    """

    seed: int
    diseases: tuple[str, ...]
    impressions: dict[str, str]
    slots: dict[str, tuple[str, ...]]
    revisions: dict[str, dict[str, str]]

    def revised(self, value: str, impression: str) -> str:
        """The impression after a finding, given the one before it."""
        return self.revisions[value][impression]

    @cached_property
    def slot_names(self) -> tuple[str, ...]:
        return tuple(self.slots)

    @cached_property
    def digest(self) -> str:
        """Identity of what is true here: SHA-256 of the canonical JSON, 64 hex digits."""
        return digest_of_value(self.to_value())

    def to_value(self) -> dict[str, Any]:
        """The world as JSON values."""
        return {
            "seed": self.seed,
            "diseases": list(self.diseases),
            "impressions": self.impressions,
            "slots": {slot: list(values) for slot, values in self.slots.items()},
            "slot_order": list(self.slots),
            "revisions": self.revisions,
        }

    def to_json(self) -> str:
        """The world as one JSON text; `from_json` gives it back unchanged."""
        return canonical_json(self.to_value())

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The world that `to_json` wrote.

        Raises:
            WorldError: naming the key that is missing, unknown to the rest, or incomplete.
        """
        try:
            return cls.from_value(json.loads(text))
        except json.JSONDecodeError as error:
            raise WorldError(f"the world is not JSON: {error}") from error

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """The world that `to_value` gave; the errors of `from_json`."""
        expected = {"seed", "diseases", "impressions", "slots", "slot_order", "revisions"}
        if not isinstance(value, dict) or set(value) != expected:
            found = sorted(value) if isinstance(value, dict) else type(value).__name__
            raise WorldError(f"the world has {found}, expected the keys {sorted(expected)}: was it written by medo1?")
        if sorted(value["slot_order"]) != sorted(value["slots"]):
            raise WorldError(
                f"slot_order has {value['slot_order']}, slots has {sorted(value['slots'])}: they must agree"
            )
        world = cls(
            seed=value["seed"],
            diseases=tuple(value["diseases"]),
            impressions=dict(value["impressions"]),
            slots={slot: tuple(value["slots"][slot]) for slot in value["slot_order"]},
            revisions={finding: dict(after) for finding, after in value["revisions"].items()},
        )
        world.check()
        return world

    def check(self) -> None:
        """Raises WorldError where the world's parts do not fit together."""
        known = set(self.diseases)
        for complaint, disease in self.impressions.items():
            if disease not in known:
                raise WorldError(f"impressions.{complaint} is {disease!r}, expected one of {sorted(known)}")
        values = [value for group in self.slots.values() for value in group]
        if len(set(values)) < len(values):
            raise WorldError("slots: a value stands in two slots, so a finding would not say where it was seen")
        if set(values) != set(self.revisions):
            raise WorldError(f"revisions and slots differ in {sorted(set(values) ^ set(self.revisions))}")
        for value, after in self.revisions.items():
            if set(after) != known or not set(after.values()) <= known:
                raise WorldError(f"revisions.{value} must map each of {sorted(known)} to one of them, found {after}")


def world_from(spec: WorldSpec) -> World:
    """The world of a spec. Complaints are dealt evenly over the diseases; a finding keeps `kept` impressions."""
    rng = random.Random(seed_from("world", spec.seed))  # noqa: S311  (a reproducible draw, nothing secret)
    diseases = DISEASES[: spec.diseases]
    complaints = COMPLAINTS[: spec.complaints]
    dealt = [diseases[place % len(diseases)] for place in range(len(complaints))]
    rng.shuffle(dealt)
    slots = {slot: SLOTS[slot][: spec.values_per_slot] for slot in list(SLOTS)[: spec.slots]}
    revisions = {value: _revision(diseases, spec.kept, rng) for values in slots.values() for value in values}
    return World(spec.seed, diseases, dict(zip(complaints, dealt, strict=True)), slots, revisions)


def _revision(diseases: tuple[str, ...], kept: int, rng: random.Random) -> dict[str, str]:
    """A finding's map: most diseases stay, the others change places in a ring. So no two impressions become one."""
    moved = rng.sample(diseases, len(diseases) - kept)
    revised = {disease: disease for disease in diseases}
    for place, disease in enumerate(moved):
        revised[disease] = moved[(place + 1) % len(moved)]
    return revised
