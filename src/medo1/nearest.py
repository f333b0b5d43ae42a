"""What a misspelt name was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """The known names that are like `name`, the likest first: by spelling, of the whole or of what
    follows a dot, or the ones that it is a part of."""
    from difflib import get_close_matches

    names = list(dict.fromkeys(known))
    lower = {one.lower(): one for one in names}
    close = [lower[one] for one in get_close_matches(name.lower(), list(lower), n=most)]
    parts = [one for one in names if name and name.lower() in one.lower().split(".")]
    ends: dict[str, list[str]] = {}  # what follows a dot: names are known by it in their group
    for one in names:
        pieces = one.lower().split(".")
        for first in range(1, len(pieces)):
            ends.setdefault(".".join(pieces[first:]), []).append(one)
    within = [one for end in get_close_matches(name.lower(), list(ends), n=most) for one in ends[end]]
    return list(dict.fromkeys([*close, *parts, *within]))[:most]


def did_you_mean(name: str, known: Iterable[str], shown: int = 10) -> str:
    """A sentence that names what was probably meant; without a likely name, what there is."""
    names = list(dict.fromkeys(known))
    close = nearest(name, names)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    if not names:
        return "There are none."
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"There {'is' if len(names) == 1 else 'are'} {', '.join(names[:shown])}{more}."
