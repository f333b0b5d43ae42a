"""Whether a chain of the embedded world is right at each step, not in its answer alone.

The world is known, so a chain can be compared with the case solved by rule: every look-up that its format writes out
must be in it, in order, and no other. A gold answer proves less: two wrong look-ups can cancel out, and a guess among
the options can be right.
"""

from __future__ import annotations

from medo1.clinic.expert import UnreadablePromptError, read_case
from medo1.clinic.explanations import look_ups_said
from medo1.clinic.walks import walk
from medo1.clinic.world import World
from medo1.questions import Question, question_text


def is_sound(world: World, question: Question, form: str, text: str) -> bool | None:
    """Whether each look-up in the chain is true and none is missing; None where that is unknown.

    Args:
        world: what is true, of each task.
        question: the case that the chain solves.
        form: the format that it is written in; those without a rule for what they look up cannot be checked.
        text: the chain.
    """
    try:
        case = read_case(world, question_text(question))
    except UnreadablePromptError:
        return None
    words = case.world.wording
    said = look_ups_said(words, form, walk(case.world, case.chart))
    if said is None:
        return None
    told = text.lower()
    place = 0
    for one in said:
        place = told.find(one.lower(), place)
        if place < 0:
            return False
        place += len(one)
    return len(words.concluding.findall(told)) == len(said)
