"""What the base model is trained on: the world's facts, and fragments of answering. Never a complete case reasoned out.

A document is a text with the parts that are learned marked; what is not marked is read but not predicted (which fact
comes next cannot be known, and trying costs capacity). Charts come from the training split alone.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from medo1.clinic import wording
from medo1.clinic.cases import (
    LETTERS,
    OPTIONS,
    Chart,
    charts,
    impressions_of,
    options_of,
    stem_of,
)
from medo1.clinic.explanations import short_answer, walk
from medo1.clinic.knowledge import World
from medo1.from_scratch.tokenizers import TURN_END, chat_text
from medo1.lineage.digests import seed_from
from medo1.questions import Question, prompt_text


@dataclass(frozen=True, slots=True)
class Document:
    """A training text.

    Attributes:
        kind: what it teaches, see `KINDS`.
        part: 0 for the first part of the training, 1 for the second.
        text: the text as the model sees it, chat marks included.
        learned: the (start, end) places in `text` that are predicted; the rest is context.
    """

    kind: str
    part: int
    text: str
    learned: tuple[tuple[int, int], ...]

    def to_value(self) -> dict[str, Any]:
        """The document as JSON values: a row of a JSONL file."""
        return {
            "kind": self.kind,
            "part": self.part,
            "text": self.text,
            "learned": [list(span) for span in self.learned],
        }

    @classmethod
    def from_value(cls, value: dict[str, Any]) -> Self:
        return cls(value["kind"], value["part"], value["text"], tuple((start, end) for start, end in value["learned"]))


OPENING_SHARE = 0.15  # of the facts; complaints are 16 facts of 208, and every case starts with one
FIRST_PART = {"fact": 5.0, "copy": 2.0, "update": 2.0, "aloud": 0.5, "map": 3.0, "pick": 1.0}
SECOND_PART = {
    "fact": 2.0, "copy": 3.0, "update": 3.0, "change": 2.0, "aloud": 2.0, "map": 1.0, "pick": 0.7,
    "vanilla": 3.5, "short": 1.5, "opening": 0.5,
}  # fmt: skip


class TextbookSpec(BaseModel):
    """How many documents of which kind. A kind's share is its weight over the sum of its part's weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = 7
    documents: int = Field(default=24_000, ge=1)
    first_part: float = Field(
        default=0.3, ge=0, le=1
    )  # facts and letters first: cases teach little before they are known
    first: dict[str, float] = FIRST_PART
    second: dict[str, float] = SECOND_PART


def textbook(world: World, spec: TextbookSpec, requests: dict[str, str] | None = None) -> list[Document]:
    """The documents of a spec, in an order that the training may shuffle within each part.

    Args:
        world: what is true.
        spec: how much of what.
        requests: format to request text, as in the prompt files; the defaults of `wording.REQUESTS` without it.

    Raises:
        ValueError: for a weight on a kind that does not exist.
    """
    requests = {**wording.REQUESTS, **(requests or {})}
    for kind in {*spec.first, *spec.second}:
        if kind not in KINDS:
            raise ValueError(f"no kind of document is called {kind!r}: expected one of {sorted(KINDS)}")
    rng = random.Random(seed_from("textbook", spec.seed, world.seed))  # noqa: S311
    writer = _Writer(world, requests, rng)
    documents = []
    ends = int(spec.documents * spec.first_part)
    for part, (weights, count) in enumerate(((spec.first, ends), (spec.second, spec.documents - ends))):
        kinds = rng.choices(list(weights), list(weights.values()), k=count)
        documents += [KINDS[kind](writer, part) for kind in kinds]
    return documents


def probes(
    world: World, spec: TextbookSpec, documents: Sequence[Document], count: int = 200
) -> dict[str, list[Document]]:
    """Documents that measure what a model has learned: every fact, and of `PROBED` kinds such as no document holds.

    Args:
        world: what is true.
        spec: the textbook's, for the requests' seed.
        documents: the textbook, none of whose texts is asked again.
        count: documents of each kind but `fact`.
    """
    writer = _Writer(world, dict(wording.REQUESTS), random.Random(seed_from("probes", spec.seed, world.seed)))  # noqa: S311
    seen = {document.text for document in documents}
    asked = {"fact": [_clozes([fact], 0) for fact in facts(world)]}
    for kind in PROBED:
        drawn = (KINDS[kind](writer, 1) for _ in range(20 * count))
        fresh = (document for document in drawn if document.text not in seen)
        asked[kind] = list(itertools.islice(fresh, count))
    return asked


def facts(world: World) -> list[str]:
    """Every fact of the world as a sentence without its full stop."""
    openings = [wording.opening(complaint, first) for complaint, first in world.impressions.items()]
    updates = [
        wording.update(slot, value, before, after)
        for slot, values in world.slots.items()
        for value in values
        for before, after in world.revisions[value].items()
    ]
    return openings + updates


class _Writer:
    """Draws what documents speak of."""

    def __init__(self, world: World, requests: dict[str, str], rng: random.Random) -> None:
        self.world, self.requests, self.rng = world, requests, rng
        self.slot_of = {value: slot for slot, values in world.slots.items() for value in values}
        self._charts = [charts(world, "train", n, rng) for n in range(len(world.slots) + 1)]

    def disease(self) -> str:
        return self.rng.choice(self.world.diseases)

    def before(self, value: str) -> str:
        """An impression for a finding to revise; every other one is one that it changes, though most it leaves."""
        changed = [disease for disease, after in self.world.revisions[value].items() if after != disease]
        return self.rng.choice(changed) if changed and self.rng.random() < 0.5 else self.disease()  # noqa: PLR2004

    def any_chart(self) -> Chart:
        """A chart of the training split, of every length alike."""
        return next(self.rng.choice(self._charts))

    def chart(self, least: int = 0) -> Chart:
        """A chart of the training split. Long ones come more often, because only they hold the last findings."""
        numbers = range(least, len(self._charts))
        return next(self._charts[self.rng.choices(numbers, [number + 1 for number in numbers])[0]])

    def fact(self) -> str:
        if self.rng.random() < OPENING_SHARE:
            complaint = self.rng.choice(list(self.world.impressions))
            return wording.opening(complaint, self.world.impressions[complaint])
        value = self.rng.choice(list(self.slot_of))
        before = self.before(value)
        return wording.update(self.slot_of[value], value, before, self.world.revised(value, before))

    def options(self) -> dict[str, str]:
        return dict(zip(LETTERS, self.rng.sample(self.world.diseases, OPTIONS), strict=True))

    def prompt(self, stem: str, options: dict[str, str], request: str) -> str:
        """Through the same rendering as every question; the other fields do not show in a prompt."""
        return prompt_text(Question("", "", "", stem, options, "A"), request)

    def case(self, chart: Chart, request: str) -> str:
        return self.prompt(stem_of(self.world, chart), options_of(self.world, chart), request)

    def answer(self, chart: Chart) -> tuple[str, str]:
        diagnosis = impressions_of(self.world, chart)[-1]
        options = options_of(self.world, chart)
        return diagnosis, next(letter for letter, disease in options.items() if disease == diagnosis)


def _exchange(kind: str, part: int, user: str, assistant: str) -> Document:
    start = len(chat_text(user))
    text = chat_text(user, assistant)
    return Document(kind, part, text, ((start, len(text)),))


def _fact(writer: _Writer, part: int) -> Document:
    """A page of six facts."""
    return _clozes([writer.fact() for _ in range(6)], part)


def _clozes(facts: Sequence[str], part: int) -> Document:
    """Facts in a row; of each, the last word is learned, which is what the rest of it determines."""
    text, learned = "", []
    for fact in facts:
        text += f"{' ' if text else ''}{fact}"
        learned.append((text.rindex(" "), len(text)))
        text += "."
    return Document("fact", part, text, tuple(learned))


def _copy(writer: _Writer, part: int) -> Document:
    """The findings read back: plainly, in numbered lines, or aloud. A chart read in every manner, nothing weighed."""
    chart, rng = writer.chart(least=1), writer.rng
    findings = [f"{slot} {value}" for slot, value in zip(writer.world.slots, chart.values, strict=False)]
    manner = rng.choice(list(wording.READINGS))
    if manner == "plain":
        said = wording.sentence(", ".join(findings))
    elif manner == "numbered":
        said = "\n".join(wording.numbered(number, finding) for number, finding in enumerate(findings, start=1))
    else:
        said = " ".join(
            [
                rng.choice(wording.STARTS),
                *(f"{rng.choice(wording.LOOKS)} {finding}." for finding in findings),
                rng.choice(wording.CLOSES),
            ]
        )
    return _exchange("copy", part, writer.case(chart, wording.READINGS[manner]), said)


def _update(writer: _Writer, part: int) -> Document:
    """One look-up of a case, from an impression that is given and need not be right."""
    chart = writer.chart(least=1)
    place = writer.rng.randrange(chart.difficulty)
    slot, value = writer.world.slot_names[place], chart.values[place]
    before = writer.before(value)
    said = wording.update(slot, value, before, writer.world.revised(value, before))
    return _exchange(
        "update", part, writer.case(chart, wording.TASKS["update"].format(before=before, slot=slot)), f"{said}."
    )


def _change(writer: _Writer, part: int) -> Document:
    """The first finding of a case, from some slot on, that changes an impression which need not be right."""
    chart = writer.chart(least=1)
    place = writer.rng.randrange(chart.difficulty)
    before = writer.before(writer.rng.choice(chart.values[place:]))
    said = wording.TASKS["nothing"]
    for slot, value in list(zip(writer.world.slots, chart.values, strict=False))[place:]:
        after = writer.world.revised(value, before)
        if after != before:
            said = wording.objection(wording.update(slot, value, before, after))
            break
    slot = writer.world.slot_names[place]
    return _exchange("change", part, writer.case(chart, wording.TASKS["change"].format(before=before, slot=slot)), said)


def _aloud(writer: _Writer, part: int) -> Document:
    """Phrases of a train of thought around two true facts, about no case."""
    rng, slots = writer.rng, writer.world.slot_names
    first = rng.randrange(max(1, len(slots) - 1))
    findings = [(slot, rng.choice(writer.world.slots[slot])) for slot in slots[first : first + 2]]
    current = writer.before(rng.choice(findings)[1])
    said = [rng.choice(wording.STARTS), wording.doubt(current)]
    for slot, value in findings:
        after = writer.world.revised(value, current)
        phrases = wording.STAYS if after == current else wording.TURNS
        said.append(f"{rng.choice(wording.LOOKS)} {wording.update(slot, value, current, after)}.")
        said.append(rng.choice(phrases).format(before=current, after=after))
        current = after
    said.append(rng.choice(wording.CLOSES))
    return _exchange("aloud", part, wording.TASKS["aloud"], " ".join(said))


def _map(writer: _Writer, part: int) -> Document:
    """Names to letters: each option named again, in another order, its letter behind it. The letters are learned."""
    options = writer.options()
    text = chat_text(writer.prompt(wording.TASKS["names"], options, wording.TASKS["map"]))
    learned: list[tuple[int, int]] = []
    for letter in writer.rng.sample(LETTERS, OPTIONS):
        text += f"{',' if learned else 'So'} {options[letter]}"
        learned.append((len(text), len(text) + len(f" ({letter})")))
        text += f" ({letter})"
    return Document("map", part, f"{text}.{TURN_END}", tuple(learned))


def _pick(writer: _Writer, part: int) -> Document:
    """The ending for a disease that is given."""
    options = writer.options()
    letter = writer.rng.choice(LETTERS)
    user = writer.prompt(wording.TASKS["pick"].format(disease=options[letter]), options, writer.requests["vanilla"])
    return _exchange("pick", part, user, wording.ending(options[letter], letter))


def _vanilla(writer: _Writer, part: int) -> Document:
    chart = writer.any_chart()
    return _exchange(
        "vanilla", part, writer.case(chart, writer.requests["vanilla"]), wording.ending(*writer.answer(chart))
    )


def _short(writer: _Writer, part: int) -> Document:
    chart = writer.any_chart()
    said = short_answer(walk(writer.world, chart), writer.answer(chart))
    return _exchange("short", part, writer.case(chart, writer.requests["cot"]), said)


def _opening(writer: _Writer, part: int) -> Document:
    chart = writer.chart()
    said = wording.opening(chart.complaint, writer.world.impressions[chart.complaint])
    return _exchange("opening", part, writer.case(chart, wording.TASKS["opening"]), wording.sentence(said))


KINDS: dict[str, Callable[[_Writer, int], Document]] = {
    "fact": _fact,
    "copy": _copy,
    "update": _update,
    "change": _change,
    "aloud": _aloud,
    "map": _map,
    "pick": _pick,
    "vanilla": _vanilla,
    "short": _short,
    "opening": _opening,
}

# The kinds whose answers the prompt determines to the last word, so that a share of exact ones means something.
PROBED = ("pick", "map", "update", "change", "opening")
