"""Whether a chain of the embedded world is right at each step, not in its answer alone.

The world is known, so a chain can be compared with the case solved by rule: every look-up that its format writes out
must be in it, in order, and no other. A gold answer proves less: two wrong look-ups can cancel out, and a guess among
the options can be right.
"""

from __future__ import annotations

import re

from medo1.clinic import wording
from medo1.clinic.expert import UnreadablePromptError, read_case
from medo1.clinic.explanations import walk
from medo1.clinic.world import World
from medo1.questions import Question, question_text

REASONED = ("cot", "longstep", "longmonolog")  # the formats whose chains say their look-ups in order


def is_sound(world: World, question: Question, form: str, text: str) -> bool | None:
    """Whether each look-up in the chain is true and none is missing; None where that is unknown.

    Args:
        world: what is true.
        question: the case that the chain solves.
        form: the format that it is written in; others than `REASONED` cannot be checked.
        text: the chain.
    """
    if form not in REASONED:
        return None
    try:
        solved = walk(world, read_case(world, question_text(question)).chart)
    except UnreadablePromptError:
        return None
    steps = [step for step in solved.steps if form != "cot" or step.after != step.before]
    said = [wording.opening(solved.first)]
    said += [wording.update(step.slot, step.value, step.before, step.after) for step in steps]
    told = text.lower()
    place = 0
    for one in said:
        place = told.find(one.lower(), place)
        if place < 0:
            return False
        place += len(one)
    return len(_LOOKUP.findall(told)) == len(said)


_LOOKUP = re.compile(r" (?:suggests|means) ")
