"""The reader of the stated final line, `Final answer: X`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Status = Literal["answer", "abstain", "conflict", "truncated"]

FINAL_LINE = re.compile(r"^\W*final answer\W{1,6}([A-Z])\b", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was read out of a text.

    Attributes:
        letter: the stated option, None unless `status` is `answer`.
        status: `answer`, `abstain` (none stated), `conflict` (two different final statements), `truncated` (cut before one).
        rule: the name of the rule that decided.
        span: where in the text the statement stands (start, end), None where there is none.
    """

    letter: str | None
    status: Status
    rule: str
    span: tuple[int, int] | None = None


def read_answer(text: str, options: Mapping[str, str], finish_reason: str | None = None) -> Answer:
    """The answer that a text states.

    Args:
        text: a model's whole output.
        options: letter to text of the options that were offered.
        finish_reason: why the output ended; `length` makes an unstated answer `truncated`.
    """
    found = [match for match in FINAL_LINE.finditer(text) if match[1].upper() in options]
    letters = {match[1].upper() for match in found}
    if len(letters) > 1:
        return Answer(None, "conflict", "final_line", found[-1].span())
    if letters:
        return Answer(letters.pop(), "answer", "final_line", found[-1].span())
    if finish_reason == "length":
        return Answer(None, "truncated", "cut_before_final_line")
    return Answer(None, "abstain", "no_final_line")
