"""Places in a page that are filled when it is saved, with what only the run that saves it knows.

A node is a pure function: it cannot know its run, its commit or how long other nodes took. So a page has marks, and the
filled text stands between a mark and its end. `without_told` takes it out again, so that a page can be held against
the one that
its node makes anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# Model text is escaped wherever it stands in a page, so it cannot hold a mark.
MARK = re.compile(r"<!--medo1:told ([a-z]+)(?: ([\w.]+))?-->")
FILLED = re.compile(r"(<!--medo1:told [^>]*-->).*?<!--/medo1:told-->", re.DOTALL)
END = "<!--/medo1:told-->"
MEASURED = ("<!--medo1:measured-->", "<!--/medo1:measured-->")
_MEASURED = re.compile(f"({MEASURED[0]}).*?{MEASURED[1]}", re.DOTALL)


def mark(kind: str, name: str = "") -> str:
    """The mark that asks for a fact of this kind, of a dataset where the kind needs one."""
    return f"<!--medo1:told {kind}{f' {name}' if name else ''}-->"


def filled(text: str, told: Callable[[str, str], str] | None) -> str:
    """The text with every mark followed by the HTML that `told(kind, name)` gives for it, and an end; unchanged for
    None.
    """
    if told is None:
        return text
    return MARK.sub(lambda found: f"{found[0]}{told(found[1], found[2] or '')}{END}", text)


def measured(text: str) -> str:
    """Text that measures the run itself (time, cost), and comes out otherwise in each."""
    return f"{MEASURED[0]}{text}{MEASURED[1]}"


def without_told(text: str) -> str:
    """The text as its node makes it each time: without what only one run knows, and without what measures it."""
    return _MEASURED.sub(r"\1", FILLED.sub(r"\1", text))
