"""What a strict reader would give: the last line `Final answer: X`, and nothing else.

Anyone can predict a score by this rule, so it stands beside `medo1.answers.read_answer` wherever accuracies are told:
the difference is what reading adds.
"""

from __future__ import annotations

from collections.abc import Container

_CUE = "final answer:"
_SILENT = " \t*_`"
_LONGEST = 200  # characters of such a line


def strict_letter(text: str, options: Container[str]) -> str | None:
    """The letter of the last line that reads `Final answer: X`, with or without bold marks, brackets and a full stop.

    Args:
        text: a model's whole output; lines within its thinking count as any other.
        options: the letters that were offered.

    Returns:
        None where there is no such line, or where its letter was not offered.
    """
    low = text.lower()
    at = low.rfind(_CUE)
    while at >= 0:
        start = low.rfind("\n", 0, at) + 1
        end = low.find("\n", at)
        end = len(text) if end < 0 else end
        if not text[start:at].strip(_SILENT + "#>") and end - at <= _LONGEST:
            stated = text[at + len(_CUE) : end].strip(_SILENT + "().\r")
            if len(stated) == 1:
                return stated if stated in options else None
        at = low.rfind(_CUE, 0, start)
    return None
