"""Where the numbered steps of a chain conclude on an option: what a probe can change without knowing medicine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from medo1.chains.steps import steps_of
from medo1.probes.changed_step import StatedConclusion


def option_conclusions(thought: str, options: Mapping[str, str]) -> Iterator[StatedConclusion]:
    """Of each step that names an option, the last mention. Another option named there leads to that option.

    Args:
        thought: a chain up to its final answer.
        options: letter to text.
    """
    longest_first = sorted(options.values(), key=len, reverse=True)
    named = re.compile("|".join(rf"(?<!\w){re.escape(text)}(?!\w)" for text in longest_first), re.IGNORECASE)
    place = 0
    for step in steps_of(thought):
        start = thought.find(step.text, place)
        if start < 0:
            continue  # a step whose text was put together from several places
        place = start + len(step.text)
        mentions = list(named.finditer(thought, start, place))
        if mentions:
            last = mentions[-1]
            others = {text: letter for letter, text in options.items() if text.casefold() != last[0].casefold()}
            yield StatedConclusion(last.start(), last.end(), others)
