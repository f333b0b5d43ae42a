"""What the look-ups of a thought about a case conclude, and where each other conclusion would lead: the world knows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from medo1.clinic.expert import UnreadablePromptError, read_case
from medo1.clinic.world import World
from medo1.probes.changed_step import StatedConclusion
from medo1.questions import Question, question_text

# A look-up as every format writes it, `wording.opening` or `wording.update`; not one that a detour sets aside.
_LOOK_UP = re.compile(
    r"\b(?:[Tt]he complaint suggests|(?P<findings>[\w, ]+?) in \w+ means) (?P<after>\w+)(?!\w|\. But not)"
)


def conclusions_in(world: World, question: Question, thought: str) -> Iterator[StatedConclusion]:
    """The conclusion of each look-up in a thought; none where the question is no case of this world.

    A changed conclusion leads to what the findings of the case that come after the look-up's own make of it.
    """
    try:
        case = read_case(world, question_text(question))
    except UnreadablePromptError:
        return
    letters = {disease: letter for letter, disease in case.options.items()}
    for look_up in _LOOK_UP.finditer(thought):
        place = 0
        if look_up["findings"]:
            slot = look_up["findings"].split(", ")[-1].split()[-2:-1]
            if not slot or slot[0] not in world.slots:
                continue  # words of a student that are no look-up
            place = world.slot_names.index(slot[0]) + 1
        leads_to = {}
        for disease in world.diseases:
            end = disease
            for value in case.chart.values[place:]:
                end = world.revised(value, end)
            if disease != look_up["after"] and end in letters:
                leads_to[disease] = letters[end]
        yield StatedConclusion(look_up.start("after"), look_up.end("after"), leads_to)
