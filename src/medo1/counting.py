"""How many of what: `1 run`, `2 runs`, `12,000 rows`."""

from __future__ import annotations


def counted(count: int, one: str, many: str | None = None) -> str:
    """A number and its noun, which is singular after 1.

    Args:
        one: the noun in the singular, with what stands before it ("new version").
        many: its plural, where that is not `one` with an s.
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
