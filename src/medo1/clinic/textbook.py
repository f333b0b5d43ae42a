"""What the base model is trained on: the world's facts, and fragments of answering. Never a complete case reasoned out.

A document is a text with the parts that are learned marked; what is not marked is read but not predicted (which fact
comes next cannot be known, and trying costs capacity). Charts come from the training split alone: the complaints of
`dev` and `test` are spoken of in facts and in exercises about a complaint alone, never in a chart.

Each document has an author of its own. Of a disputed fact an author holds the second opinion as often as the world
says, and answers accordingly.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from pydantic import Field

from medo1.clinic import wording
from medo1.clinic.exam import (
    LETTERS,
    OPTIONS,
    Chart,
    charts,
    findings_text,
    options_of,
    stem_of,
)
from medo1.clinic.explanations import short_answer
from medo1.clinic.wording import Task
from medo1.clinic.world import Opinion, World
from medo1.from_scratch.tokenizers import TURN_END, chat_text
from medo1.lineage.digests import seed_from
from medo1.parameters import Parameters
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


OPENING_SHARE = 0.25  # of the facts: complaints are 160 facts of 448, and every case starts with one
FIRST_PART = {"fact": 5.0, "copy": 2.0, "update": 2.0, "aloud": 0.5, "map": 3.0, "pick": 1.0, "alone": 2.0}
SECOND_PART = {
    "fact": 2.0, "copy": 3.0, "update": 3.0, "change": 1.0, "aloud": 1.5, "map": 1.0, "pick": 0.7,
    "vanilla": 3.5, "short": 1.5, "opening": 2.0, "alone": 3.0,
}  # fmt: skip

# How often cases with 0, 1, 2 ... findings are answered directly in the textbook.
ANSWERED = (3.0, 4.0, 1.0, 1.0, 1.0, 1.0, 1.0)


class TextbookSpec(Parameters):
    """How many documents of which kind. A kind's share is its weight over the sum of its part's weights."""

    seed: int = Field(default=7, description="which documents")
    documents: int = Field(default=24_000, ge=1, description="how many, about each task")
    rarity: float = Field(
        default=0.5, ge=0, description="the r-th complaint is told in proportion to (r + 10) ** -rarity"
    )
    first_part: float = Field(
        default=0.3,
        ge=0,
        le=1,
        description="share of facts and letters, which are read first: cases teach little before they are known",
    )
    first: dict[str, float] = Field(default=FIRST_PART, description="weights of the first part's kinds of document")
    second: dict[str, float] = Field(default=SECOND_PART, description="weights of the second part's")


def textbook(world: World, spec: TextbookSpec, requests: dict[str, str] | None = None) -> list[Document]:
    """The documents of a spec, task after task, in an order that the training may shuffle within each part.

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
    documents = []
    ends = int(spec.documents * spec.first_part)
    for own in world.tasks:
        rng = random.Random(seed_from("textbook", spec.seed, *own.drawn_as))  # noqa: S311
        writer = _Writer(own, requests, rng, spec.rarity)
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

    Returns:
        Kind to its documents; those of a second task under `probe_name`.
    """
    seen = {document.text for document in documents}
    return {
        probe_name(own.task, kind): asked
        for own in world.tasks
        for kind, asked in _probes_of_task(own, spec, seen, count).items()
    }


def probe_name(task: Task, kind: str) -> str:
    """What a kind of probe is called: `pick` of the clinic, `workshop_pick` of the workshop."""
    return kind if task == "clinic" else f"{task}_{kind}"


def probed_kind(name: str) -> str:
    """The kind of a probe, whatever the task."""
    return name.rpartition("_")[2]


def _probes_of_task(world: World, spec: TextbookSpec, seen: set[str], count: int) -> dict[str, list[Document]]:
    rng = random.Random(seed_from("probes", spec.seed, *world.drawn_as))  # noqa: S311
    writer = _Writer(replace(world, complaint_opinions={}, finding_opinions={}), dict(wording.REQUESTS), rng, 0.0)
    disputed = disputed_facts(world)
    asked = {
        "fact": [_clozes([fact], 0) for fact in facts(world) if fact not in disputed],
        "disputed": [_clozes([fact], 0) for fact in facts(world) if fact in disputed],
    }
    doubtful = [*disputed, *(f" {complaint}" for complaint in world.complaint_opinions)]
    for kind in PROBED:
        drawn = (KINDS[kind](writer, 1) for _ in range(20 * count))
        fresh = (
            document
            for document in drawn
            if document.text not in seen and not any(said in document.text for said in doubtful)
        )
        asked[kind] = list(itertools.islice(fresh, count))
    return asked


def disputed_facts(world: World) -> set[str]:
    """The facts of one task, as `facts` has them, about which there is a second opinion."""
    words = world.wording
    slot_of = {value: slot for slot, values in world.slots.items() for value in values}
    openings = {words.suggestion(complaint, world.impressions[complaint]) for complaint in world.complaint_opinions}
    return openings | {
        words.update(f"{slot_of[value]} {value}", before, world.revised(value, before))
        for value, held in world.finding_opinions.items()
        for before in held
    }


def facts(world: World) -> list[str]:
    """Every fact of one task as a sentence without its full stop."""
    words = world.wording
    openings = [words.suggestion(complaint, first) for complaint, first in world.impressions.items()]
    updates = [
        words.update(f"{slot} {value}", before, after)
        for slot, values in world.slots.items()
        for value in values
        for before, after in world.revisions[value].items()
    ]
    return openings + updates


class _Writer:
    """Draws what documents about one task speak of, and what their authors believe."""

    def __init__(self, world: World, requests: dict[str, str], rng: random.Random, rarity: float) -> None:
        self.world, self.words, self.requests, self.rng = world, world.wording, requests, rng
        self.slot_of = {value: slot for slot, values in world.slots.items() for value in values}
        self._charts = [charts(world, "train", n, rng) for n in range(len(world.slots) + 1)]
        self._complaints = list(world.impressions)
        self._common = list(itertools.accumulate((rank + 10) ** -rarity for rank in range(len(self._complaints))))

    def complaint(self) -> str:
        """Any complaint of the world, the commoner ones more often."""
        return self.rng.choices(self._complaints, cum_weights=self._common)[0]

    def without_chart(self, complaint: str) -> str:
        """A patient of whom only the complaint is known, beside the findings of another one: no chart."""
        findings = findings_text(self.world, self.chart())
        return (self.words.alone if findings else self.words.only).format(complaint=complaint, findings=findings)

    def first(self, complaint: str) -> str:
        """The disease that the author thinks a complaint suggests."""
        return self._held(self.world.complaint_opinions.get(complaint), self.world.impressions[complaint])

    def after(self, value: str, before: str) -> str:
        """The impression that the author has after a finding."""
        opinion = self.world.finding_opinions.get(value, {}).get(before)
        return self._held(opinion, self.world.revised(value, before))

    def _held(self, opinion: Opinion | None, truth: str) -> str:
        return opinion.disease if opinion is not None and self.rng.random() < opinion.share else truth

    def conclusion(self, chart: Chart) -> tuple[str, str]:
        """The first impression and the diagnosis that the author comes to."""
        first = current = self.first(chart.complaint)
        for value in chart.values:
            current = self.after(value, current)
        return first, current

    def disease(self) -> str:
        return self.rng.choice(self.world.diseases)

    def before(self, value: str) -> str:
        """An impression for a finding to revise; every other one is one that it changes, though most it leaves."""
        changed = [disease for disease, after in self.world.revisions[value].items() if after != disease]
        return self.rng.choice(changed) if changed and self.rng.random() < 0.5 else self.disease()  # noqa: PLR2004

    def answered_chart(self) -> Chart:
        """A chart of the training split that is answered directly, most often a short one (`ANSWERED`)."""
        return next(self._charts[self.rng.choices(range(len(self._charts)), ANSWERED[: len(self._charts)])[0]])

    def chart(self, least: int = 0) -> Chart:
        """A chart of the training split. Long ones come more often, because only they hold the last findings."""
        numbers = range(least, len(self._charts))
        return next(self._charts[self.rng.choices(numbers, [number + 1 for number in numbers])[0]])

    def fact(self) -> str:
        if self.rng.random() < OPENING_SHARE:
            complaint = self.complaint()
            return self.words.suggestion(complaint, self.first(complaint))
        value = self.rng.choice(list(self.slot_of))
        before = self.before(value)
        return self.words.update(f"{self.slot_of[value]} {value}", before, self.after(value, before))

    def options(self, *among: str) -> dict[str, str]:
        """Four diseases in any order, these among them."""
        others = [disease for disease in self.world.diseases if disease not in among]
        named = [*among, *self.rng.sample(others, OPTIONS - len(among))]
        self.rng.shuffle(named)
        return dict(zip(LETTERS, named, strict=True))

    def prompt(self, stem: str, options: dict[str, str], request: str) -> str:
        """Through the same rendering as every question; the other fields do not show in a prompt."""
        return prompt_text(Question("", "", "", stem, options, "A"), request)

    def case(self, chart: Chart, request: str) -> str:
        return self.prompt(stem_of(self.world, chart), options_of(self.world, chart), request)

    def posed(self, chart: Chart, request: str) -> tuple[str, str, tuple[str, str]]:
        """A case as its author poses it, with their own diagnosis among the options.

        Returns:
            The prompt; the first impression; the diagnosis and its letter.
        """
        first, diagnosis = self.conclusion(chart)
        options = options_of(self.world, chart)
        if diagnosis not in options.values():
            options = self.options(diagnosis)
        letter = next(letter for letter, disease in options.items() if disease == diagnosis)
        return self.prompt(stem_of(self.world, chart), options, request), first, (diagnosis, letter)


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
    """A chart read back: plainly, in numbered lines, or aloud, the complaint first. Nothing is weighed."""
    chart, rng = writer.chart(), writer.rng
    findings = [f"{slot} {value}" for slot, value in zip(writer.world.slots, chart.values, strict=False)]
    said = [chart.complaint, *findings]
    manner = rng.choice(list(writer.words.readings))
    if manner == "plain":
        text = wording.sentence(", ".join(said))
    elif manner == "numbered":
        text = "\n".join(wording.numbered(number, one) for number, one in enumerate(said, start=1))
    else:
        looked = (f"{rng.choice(wording.LOOKS)} {one}." for one in said)
        text = " ".join([rng.choice(wording.STARTS), *looked, rng.choice(wording.CLOSES)])
    return _exchange("copy", part, writer.case(chart, writer.words.readings[manner]), text)


def _update(writer: _Writer, part: int) -> Document:
    """One look-up of a case, from an impression that is given and need not be right."""
    chart = writer.chart(least=1)
    place = writer.rng.randrange(chart.difficulty)
    slot, value = writer.world.slot_names[place], chart.values[place]
    before = writer.before(value)
    said = writer.words.update(f"{slot} {value}", before, writer.after(value, before))
    return _exchange(
        "update", part, writer.case(chart, wording.EXERCISES["update"].format(before=before, slot=slot)), f"{said}."
    )


def _change(writer: _Writer, part: int) -> Document:
    """The first finding of a case, from some slot on, that changes an impression which need not be right."""
    chart = writer.chart(least=1)
    place = writer.rng.randrange(chart.difficulty)
    before = writer.before(writer.rng.choice(chart.values[place:]))
    said = wording.EXERCISES["nothing"]
    for slot, value in list(zip(writer.world.slots, chart.values, strict=False))[place:]:
        after = writer.after(value, before)
        if after != before:
            said = wording.objection(writer.words.update(f"{slot} {value}", before, after))
            break
    slot = writer.world.slot_names[place]
    return _exchange(
        "change", part, writer.case(chart, wording.EXERCISES["change"].format(before=before, slot=slot)), said
    )


def _aloud(writer: _Writer, part: int) -> Document:
    """Phrases of a train of thought around two true facts, about no case."""
    rng, slots = writer.rng, writer.world.slot_names
    first = rng.randrange(max(1, len(slots) - 1))
    findings = [(slot, rng.choice(writer.world.slots[slot])) for slot in slots[first : first + 2]]
    current = writer.before(rng.choice(findings)[1])
    said = [rng.choice(wording.STARTS), wording.doubt(current)]
    for slot, value in findings:
        after = writer.after(value, current)
        phrases = wording.STAYS if after == current else wording.TURNS
        said.append(f"{rng.choice(wording.LOOKS)} {writer.words.update(f'{slot} {value}', current, after)}.")
        said.append(rng.choice(phrases).format(before=current, after=after))
        current = after
    said.append(rng.choice(wording.CLOSES))
    return _exchange("aloud", part, wording.EXERCISES["aloud"], " ".join(said))


def _map(writer: _Writer, part: int) -> Document:
    """Names to letters: each option named again, in another order, its letter behind it. The letters are learned."""
    options = writer.options()
    text = chat_text(writer.prompt(wording.EXERCISES["names"], options, wording.EXERCISES["map"]))
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
    user = writer.prompt(wording.EXERCISES["pick"].format(disease=options[letter]), options, writer.requests["vanilla"])
    return _exchange("pick", part, user, writer.words.ending(options[letter], letter))


def _vanilla(writer: _Writer, part: int) -> Document:
    """A case answered directly."""
    user, _, answer = writer.posed(writer.answered_chart(), writer.requests["vanilla"])
    return _exchange("vanilla", part, user, writer.words.ending(*answer))


def _short(writer: _Writer, part: int) -> Document:
    """A case answered after the first impression."""
    chart = writer.answered_chart()
    user, first, answer = writer.posed(chart, writer.requests["cot"])
    return _exchange("short", part, user, short_answer(writer.words, first, answer))


def _opening(writer: _Writer, part: int) -> Document:
    """The first look-up of a case, as each format begins with it. Only the fact is learned."""
    chart = writer.chart()
    return _first_lookup("opening", part, writer, writer.case(chart, wording.EXERCISES["opening"]), chart.complaint)


def _alone(writer: _Writer, part: int) -> Document:
    """A complaint of any split, without a chart: what it suggests, or the disease and its letter.

    So the base can answer about complaints of which it never saw a chart.
    """
    complaint, rng = writer.complaint(), writer.rng
    stem = writer.without_chart(complaint)
    if rng.random() < 0.5:  # noqa: PLR2004
        return _first_lookup(
            "alone", part, writer, writer.prompt(stem, writer.options(), wording.EXERCISES["opening"]), complaint
        )
    disease = writer.first(complaint)
    options = writer.options(disease)
    letter = next(letter for letter, name in options.items() if name == disease)
    return _exchange(
        "alone", part, writer.prompt(stem, options, writer.requests["vanilla"]), writer.words.ending(disease, letter)
    )


def _first_lookup(kind: str, part: int, writer: _Writer, user: str, complaint: str) -> Document:
    clause = writer.words.opening(writer.first(complaint))
    said = writer.rng.choice(
        [
            wording.sentence(clause),
            wording.numbered(1, clause),
            f"{writer.rng.choice(wording.STARTS)} {wording.sentence(clause)}",
        ]
    )
    text = f"{chat_text(user)}{said}"
    return Document(kind, part, f"{text}{TURN_END}", ((text.rindex(" "), len(text)),))


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
    "alone": _alone,
}

# The kinds whose answers the prompt determines to the last word, so that a share of exact ones means something.
PROBED = ("pick", "map", "update", "change", "opening", "alone")
