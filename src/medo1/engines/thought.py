"""Normalising texts for storage: thought separated from the answer, every character storable. Common to all engines."""

from __future__ import annotations

import re
from dataclasses import replace

from medo1.answers.thinking import answer_part
from medo1.engines.base import Completion

MARK = r"(?:</?[a-z][\w:]{1,30}>|<\|[^<>|\n]{1,40}\|>(?:think|answer|analysis)?|\[/?think\]|◁/?think▷)"
EDGE_MARKS = re.compile(rf"\A(?:{MARK}\s*)+|(?:\s*{MARK})+\Z", re.IGNORECASE)


def storable(text: str) -> str:
    """The text with halves of surrogate pairs, which no file and no database takes, joined or replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def apart(completion: Completion) -> Completion:
    """The completion with a thought that stands in its text taken out of it, into `reasoning`; `written` is then the
    text as it was written."""
    text = completion.text
    if not text:
        return completion
    low = text.lower()
    if len(low) != len(text):  # a few letters grow; the marks are ASCII
        low = "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)
    part = answer_part(text, low)
    if part.thinking == "none":
        return completion
    thought = EDGE_MARKS.sub("", text[: part.start].strip()).strip()
    return replace(
        completion,
        text=text[part.start : part.end].strip(),
        reasoning="\n\n".join(piece for piece in (completion.reasoning, thought) if piece),
        written=completion.written or text,
    )
