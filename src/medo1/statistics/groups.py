"""Arms that cannot be told apart, as a compact letter display.

Arms that share a letter do not differ significantly; arms that share none do. Source: the insert-and-absorb algorithm
(Piepho 2004, J. Comput. Graph. Stat. 13:456).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from string import ascii_lowercase


def letter_groups(names: Sequence[str], different: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The letters of each name: two names share one exactly where they are not said to be different.

    Args:
        names: in the order in which letters shall be given: the best first gets `a`.
        different: pairs that differ significantly.
    """
    groups: list[frozenset[str]] = [frozenset(names)] if names else []
    for one, other in different:
        split: list[frozenset[str]] = []
        for group in groups:
            split += [group - {one}, group - {other}] if {one, other} <= group else [group]
        groups = _absorbed(split)
    order = {name: place for place, name in enumerate(names)}
    groups.sort(key=lambda group: sorted(order[name] for name in group))
    letters = dict(zip(groups, _letters(), strict=False))
    return {name: "".join(letter for group, letter in letters.items() if name in group) for name in names}


def _absorbed(groups: Sequence[frozenset[str]]) -> list[frozenset[str]]:
    """The groups that lie in no other."""
    kept: list[frozenset[str]] = []
    for group in sorted(set(groups), key=lambda group: (-len(group), sorted(group))):
        if not any(group <= other for other in kept):
            kept.append(group)
    return kept


def _letters() -> Iterable[str]:
    for cycle in count():
        for letter in ascii_lowercase:
            yield letter + (str(cycle) if cycle else "")
