"""The embedded world: what is true in it, and what its textbooks dispute.

A complaint suggests a first disease. Each finding then revises the current impression: `revised(finding, disease)` is
the impression after it. A case with n findings therefore needs n + 1 look-ups, each depending on the one before, and
a network with few layers cannot do many of them in one pass. That serial work, not medicine, is what written-out steps
relieve (Li et al. 2024, arXiv 2402.12875, give the theory: composing maps is the standard example).

Some facts are *disputed*: a second opinion stands beside the truth, and a share of the textbook's authors holds it. So
a model that has read the textbook is uncertain, as models of medicine are, and its samples differ.

The world can hold a second task of the same kind that is not about medicine, with words, facts and phrases of its own:
a workshop, in which a noise points at a part and each reading revises that. The attributes keep the clinic's names.

Everything is a pure function of the spec, seed included.
"""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field

from medo1.clinic.wording import WORDINGS, Task, Wording
from medo1.clinic.world_words import COMPLAINTS, DISEASES, SLOTS, WORDS
from medo1.errors import UserError
from medo1.lineage.digests import canonical_json, digest_of_value, seed_from
from medo1.parameters import Parameters


class WorldSpec(Parameters):
    """How large the world is and how findings revise impressions."""

    seed: int = Field(default=7, description="which world; 7 is that of the published tables")
    diseases: int = Field(default=12, ge=4, le=len(DISEASES), description="how many diseases")
    complaints: int = Field(
        default=160, ge=4, le=len(COMPLAINTS), description="how many complaints, each suggesting one"
    )
    slots: int = Field(
        default=6,
        ge=1,
        le=len(SLOTS),
        description="findings of a chart at most: more serial look-ups than two layers can hide",
    )
    values_per_slot: int = Field(
        default=4, ge=2, le=6, description="what a slot can show: 24 findings, 288 facts about them"
    )
    kept: int = Field(
        default=10, ge=0, description="impressions that a finding leaves: who stops early is right at times"
    )
    disputed_complaints: float = Field(default=0.4, ge=0, le=1, description="share of complaints with a second opinion")
    disputed_findings: float = Field(default=0.08, ge=0, le=1, description="share of what findings mean, likewise")
    dispute: tuple[float, float] = Field(
        default=(0.25, 0.5), description="a second opinion's share of the authors is drawn between these"
    )
    second_task: Literal["workshop"] | None = Field(
        default=None, description="a task that is not about medicine, as large as the clinic; null: none"
    )

    def model_post_init(self, context: Any, /) -> None:
        if self.kept > self.diseases:
            raise ValueError(
                f"kept is {self.kept}: a finding cannot leave more impressions than the {self.diseases} diseases"
            )


class WorldError(UserError):
    """A world's text cannot be read: the message says which key, what was found and what was expected."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """A second opinion about a fact: the disease that it names instead, and the share of authors who hold it."""

    disease: str
    share: float


@dataclass(frozen=True)
class World:
    """A world with a known truth.

    Attributes:
        seed: the seed that it was made from; part of the split, so that another seed splits otherwise.
        diseases: their names.
        impressions: complaint to the disease that it suggests; the commoner complaints first.
        slots: slot to its values, in the order in which a chart reports them. A value belongs to one slot only.
        revisions: value to (current impression to revised impression), complete over `diseases`.
        complaint_opinions: complaint to the second opinion about it, for the disputed ones.
        finding_opinions: value to (current impression to the second opinion about the revised one), likewise.
        task: whose world it is.
        second: the world of a second task, where there is one. It shares no fact with this one and no name.
    """

    seed: int
    diseases: tuple[str, ...]
    impressions: dict[str, str]
    slots: dict[str, tuple[str, ...]]
    revisions: dict[str, dict[str, str]]
    complaint_opinions: dict[str, Opinion]
    finding_opinions: dict[str, dict[str, Opinion]]
    task: Task = "clinic"
    second: World | None = None

    @property
    def tasks(self) -> tuple[World, ...]:
        """The world of each task: this one, and the second one's."""
        return (self,) if self.second is None else (self, self.second)

    @property
    def wording(self) -> Wording:
        """How it speaks of its cases."""
        return WORDINGS[self.task]

    @property
    def drawn_as(self) -> tuple[int | str, ...]:
        """What tells its draws from those of other worlds."""
        return (self.seed,) if self.task == "clinic" else (self.seed, self.task)

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
        """The world as JSON values. Those of a clinic alone are what they were before there was another task."""
        other: dict[str, Any] = {} if self.task == "clinic" else {"task": self.task}
        if self.second is not None:
            other["second"] = self.second.to_value()
        return {
            **other,
            "seed": self.seed,
            "diseases": list(self.diseases),
            "impressions": self.impressions,
            "slots": {slot: list(values) for slot, values in self.slots.items()},
            "slot_order": list(self.slots),
            "revisions": self.revisions,
            "complaint_opinions": {name: asdict(opinion) for name, opinion in self.complaint_opinions.items()},
            "finding_opinions": {
                value: {name: asdict(opinion) for name, opinion in held.items()}
                for value, held in self.finding_opinions.items()
            },
            "complaint_order": list(self.impressions),
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
        expected = {
            *("seed", "diseases", "impressions", "complaint_order", "slots", "slot_order", "revisions"),
            *("complaint_opinions", "finding_opinions"),
        }
        if not isinstance(value, dict) or set(value) - {"task", "second"} != expected:
            found = sorted(value) if isinstance(value, dict) else type(value).__name__
            raise WorldError(f"the world has {found}, expected the keys {sorted(expected)}: was it written by medo1?")
        for order, named in (("slot_order", "slots"), ("complaint_order", "impressions")):
            if sorted(value[order]) != sorted(value[named]):
                odd = sorted(set(value[order]) ^ set(value[named]))
                raise WorldError(f"{order} and {named} must hold the same names; they differ in {odd or 'repetitions'}")
        world = cls(
            seed=value["seed"],
            diseases=tuple(value["diseases"]),
            impressions={name: value["impressions"][name] for name in value["complaint_order"]},
            slots={slot: tuple(value["slots"][slot]) for slot in value["slot_order"]},
            revisions={finding: dict(after) for finding, after in value["revisions"].items()},
            complaint_opinions={name: Opinion(**held) for name, held in value["complaint_opinions"].items()},
            finding_opinions={
                finding: {name: Opinion(**held) for name, held in opinions.items()}
                for finding, opinions in value["finding_opinions"].items()
            },
            task=value.get("task", "clinic"),
            second=cls.from_value(value["second"]) if "second" in value else None,
        )
        world.check()
        return world

    def check(self) -> None:
        """Raises WorldError where the world's parts do not fit together."""
        if self.task not in WORDINGS:
            raise WorldError(f"task is {self.task!r}, expected one of {', '.join(WORDINGS)}")
        if self.second is not None and self.second.task == self.task:
            raise WorldError(f"second.task is {self.task!r} like the first one's: expected another task")
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
        about = [
            (f"complaint_opinions.{name}", self.impressions.get(name), held)
            for name, held in self.complaint_opinions.items()
        ]
        for value, opinions in self.finding_opinions.items():
            revised = self.revisions.get(value, {})
            about += [(f"finding_opinions.{value}.{name}", revised.get(name), held) for name, held in opinions.items()]
        for where, truth, opinion in about:
            if truth is None or opinion.disease not in known - {truth} or not 0 < opinion.share < 1:
                raise WorldError(
                    f"{where} is {opinion}: expected another disease than the true one ({truth}), held by a share of "
                    "authors between 0 and 1"
                )


def world_from(spec: WorldSpec) -> World:
    """The world of a spec. Complaints are dealt evenly over the diseases; a finding keeps `kept` impressions."""
    first = _world_of_task(spec, "clinic", seed_from("world", spec.seed))
    if spec.second_task is None:
        return first
    return replace(
        first, second=_world_of_task(spec, spec.second_task, seed_from("world", spec.seed, spec.second_task))
    )


def _world_of_task(spec: WorldSpec, task: Task, seed: int) -> World:
    rng = random.Random(seed)  # noqa: S311  (a reproducible draw, nothing secret)
    words = WORDS[task]
    diseases = words.diseases[: spec.diseases]
    complaints = rng.sample(words.complaints, spec.complaints)
    dealt = [diseases[place % len(diseases)] for place in range(len(complaints))]
    rng.shuffle(dealt)
    impressions = dict(zip(complaints, dealt, strict=True))
    slots = {slot: words.slots[slot][: spec.values_per_slot] for slot in list(words.slots)[: spec.slots]}
    revisions = {value: _revision(diseases, spec.kept, rng) for values in slots.values() for value in values}
    facts = [(value, before) for value, after in revisions.items() for before in after]
    finding_opinions: dict[str, dict[str, Opinion]] = {}
    for value, before in rng.sample(facts, round(spec.disputed_findings * len(facts))):
        finding_opinions.setdefault(value, {})[before] = _opinion(diseases, revisions[value][before], spec, rng)
    return World(
        seed=spec.seed,
        diseases=diseases,
        impressions=impressions,
        slots=slots,
        revisions=revisions,
        complaint_opinions={
            complaint: _opinion(diseases, impressions[complaint], spec, rng)
            for complaint in rng.sample(complaints, round(spec.disputed_complaints * len(complaints)))
        },
        finding_opinions=finding_opinions,
        task=task,
    )


def _opinion(diseases: tuple[str, ...], truth: str, spec: WorldSpec, rng: random.Random) -> Opinion:
    """A second opinion: any other disease, held by some share of the authors."""
    return Opinion(rng.choice([name for name in diseases if name != truth]), round(rng.uniform(*spec.dispute), 3))


def _revision(diseases: tuple[str, ...], kept: int, rng: random.Random) -> dict[str, str]:
    """A finding's map: most diseases stay, the others change places in a ring. So no two impressions become one."""
    moved = rng.sample(diseases, len(diseases) - kept)
    revised = {disease: disease for disease in diseases}
    for place, disease in enumerate(moved):
        revised[disease] = moved[(place + 1) % len(moved)]
    return revised
