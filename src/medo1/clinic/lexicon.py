"""Every word of a world's tasks in every form in which it is used: what the tokenizer takes its vocabulary from.

Laid out systematically rather than sampled, so that no word is missing because no drawn text held it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from medo1.clinic import wording
from medo1.clinic.exam import LETTERS
from medo1.clinic.world import World
from medo1.from_scratch.tokenizers import chat_text


def lexicon(world: World, requests: Mapping[str, str] | None = None) -> Iterator[str]:
    """Texts that between them hold every piece of every prompt, chain and textbook page of the world.

    Args:
        world: the world.
        requests: format to request text where they differ from `wording.REQUESTS`; their words become tokens too.
    """
    asked = {**wording.REQUESTS, **(requests or {})}.values()
    for text in (*asked, *wording.EXERCISES.values()):
        yield chat_text(f"\n{text}", "")
    for own in world.tasks:
        yield from _of_task(own)
    for phrase in (*wording.STARTS, *wording.LOOKS, *wording.STAYS, *wording.TURNS, *wording.CLOSES):
        said = phrase.format(before="?", after="?")
        yield said
        yield f"? {said}"
    yield f"{wording.doubt('?')} {wording.doubt('?')}"
    yield f"{wording.objection('?')}? {wording.objection('?')}"
    for number in range(1, 10):
        yield wording.numbered(number, "?")


def _of_task(world: World) -> Iterator[str]:
    """The same of what one task says in words of its own."""
    words = world.wording
    for text in (words.alone, words.only, *words.readings.values()):
        yield chat_text(f"\n{text}", "")
    yield chat_text(words.stem("", ""))
    yield chat_text(words.stem("", "?"))
    for complaint in world.impressions:
        yield words.stem(complaint, "")
        yield words.suggestion(complaint, "?")
        yield f"{wording.sentence(complaint)} {complaint}, {complaint}."
    opening = words.opening("?")
    yield f"{wording.sentence(opening)} {wording.sentence(opening)} {opening}"
    for slot, values in world.slots.items():
        yield f"{wording.sentence(slot)} {slot}, {slot}."
        for value in values:
            yield f"{words.update(f'{slot} {value}', '?', '?')}. {value}."
    for disease in world.diseases:
        yield f" {disease}."
        for letter in LETTERS:
            ending = words.ending(disease, letter)
            yield f"{wording.option_line(letter, disease)}\n{ending} {ending}"
