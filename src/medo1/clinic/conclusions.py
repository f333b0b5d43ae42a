"""What the look-ups of a thought about a case conclude, and where each other conclusion would lead: the world knows."""

from __future__ import annotations

from collections.abc import Iterator

from medo1.clinic.expert import UnreadablePromptError, read_case
from medo1.clinic.world import World
from medo1.probes.changed_step import StatedConclusion
from medo1.questions import Question, question_text

SET_ASIDE = ". But not"  # what follows a look-up that a detour sets aside


def conclusions_in(world: World, question: Question, thought: str) -> Iterator[StatedConclusion]:
    """The conclusion of each look-up in a thought; none where the question is no case of this world.

    A changed conclusion leads to what the findings of the case that come after the look-up's own make of it.
    """
    try:
        case = read_case(world, question_text(question))
    except UnreadablePromptError:
        return
    letters = {disease: letter for letter, disease in case.options.items()}
    own = case.world
    for look_up in own.wording.look_up_pattern.finditer(thought):
        if thought.startswith(SET_ASIDE, look_up.end()):
            continue
        place, group = 0, "first"
        if look_up["findings"]:
            slot = look_up["findings"].split(", ")[-1].split()[-2:-1]
            if not slot or slot[0] not in own.slots:
                continue  # words of a student that are no look-up
            place, group = own.slot_names.index(slot[0]) + 1, "after"
        leads_to = {}
        for disease in own.diseases:
            end = disease
            for value in case.chart.values[place:]:
                end = own.revised(value, end)
            if disease != look_up[group] and end in letters:
                leads_to[disease] = letters[end]
        yield StatedConclusion(look_up.start(group), look_up.end(group), leads_to)
