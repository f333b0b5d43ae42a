r"""Statements by marks: `\boxed{C}`, `#### C`, `[[C]]`, `{"choice": "C"}`, `<choice>C</choice>`.

Where a text is an object with a key for the answer, that key speaks and the object's other strings are its thinking.
Called by `medo1.answers.reading`.
"""

from __future__ import annotations

import re
from itertools import islice

from medo1.answers.labels import Label, label_at
from medo1.answers.statements import FIRST_CUES, Cue, Statement, cues, from_label
from medo1.answers.text import Text, option_at
from medo1.answers.thinking import TAG_LIKE

_HASHED = re.compile(r"####[ *_(#]*\S[^\w\n]*(?:\n|$)")  # one letter on a line of its own
_KEY = re.compile(r"answer|choice|option|letter|predict|selection|selected|\bpred\b|^ans$")
_OTHER_KEY = re.compile(
    r"reason|explan|thinking|rational|wrong|incorrect|alternative|other|second|options|choices|confidence|why|question"
)
_TAG = re.compile(
    r"<(?:final_?)?(?:choice|option|letter|response|prediction|selection|selected_option|conclusion|output|result|"
    r"solution|ans|final)>\s*",
    re.IGNORECASE,
)
_THINKS_FIRST = re.compile(r"\s*(?:```\w*\s*)?\{\s*[\"'](?P<key>[^\"'\n]{1,60})[\"']\s*:")
_NEXT_ITEM = re.compile(r"[\s\"']*,\s*[\"']\(?(?P<letter>[A-Z])[\").:']")
_TAGS_FROM = 6000  # characters from the end that are searched for tags
_KEY_LENGTH = 40  # characters that a key may have


def may_hold_marks(low: str) -> bool:
    """Whether `mark_statements` may find anything: a quick look, wrong on the safe side."""
    return (
        ('"' in low and '":' in low)
        or ("<" in low and TAG_LIKE.search(low) is not None)
        or ("[" in low and "[[" in low)
        or ("#" in low and "####" in low and _HASHED.search(low) is not None)
        or ("{" in low and ("boxed" in low or "':" in low or '" :' in low or "{" in low[:16]))
    )


def mark_statements(text: Text) -> list[Statement]:
    """The statements by marks, in no order; those by a key alone where there is one."""
    low = text.low
    if not may_hold_marks(low):
        return []
    if '":' in low or "{" in low:
        found = _keyed(text)
        if found:
            return found
    found = []
    if "{" in low and "boxed" in low:
        for mark in ("boxed{", "boxed {"):
            for at in cues(low, mark):
                found.extend(_held(text, at + len(mark) - 1, Cue(at, at, "boxed", "formal", formal=True)))
    if "[" in low and "[[" in low:
        found.extend(_enclosed(text))
    if "#" in low and "####" in low:
        found.extend(_after_hashes(text))
    if "<" in low:
        for tag in islice(_TAG.finditer(text.body, max(0, len(low) - _TAGS_FROM)), FIRST_CUES):
            found.extend(_held(text, tag.end(), Cue(tag.start(), tag.start(), "tag", "formal", formal=True)))
    return found


def is_thinking_object(text: Text) -> bool:
    """Whether the text is an object whose first key holds thinking: without an answer's key it has not answered."""
    first = _THINKS_FIRST.match(text.low) if "{" in text.low[:16] else None
    return first is not None and _OTHER_KEY.search(first["key"]) is not None


def _held(text: Text, position: int, cue: Cue) -> list[Statement]:
    """The label or the option's text that a mark holds."""
    label = label_at(text, position, formal=True)
    if label is not None:
        alone = label.strong or not text.body[label.end : label.end + 1].isalnum()
        return [from_label(text, label, cue)] if alone else []
    named = option_at(text, position)
    return [] if named is None else [cue.names(named.letter, named.end)]


def _enclosed(text: Text) -> list[Statement]:
    """`[[C]]`, the form that judges are asked for."""
    found = []
    for at in cues(text.low, "[["):
        label = label_at(text, at, formal=True)
        if label is not None and text.low[label.end - 2 : label.end] == "]]":
            found.append(from_label(text, label, Cue(at, at, "tag", "formal")))
    return found


def _after_hashes(text: Text) -> list[Statement]:
    """`#### C` on a line of its own, GSM8K's form."""
    low = text.low
    found = []
    for at in cues(low, "####"):
        label = label_at(text, at + 4, formal=True)
        if label is None or low[at + 4 : label.start].strip(" *_(#") or low[at - 1 : at] not in ("", "\n"):
            continue
        if text.body[label.end : label.end + 1] in ("", "\n"):
            found.append(from_label(text, label, Cue(at, at, "tag", "formal")))
    return found


def _keyed(text: Text) -> list[Statement]:
    """Keys for the answer in an object, also in one that is not quite JSON: `"answer_choice": "C"`."""
    low = text.low
    found: list[Statement] = []
    for mark in ('":', "':", '" :') if "{" in low else ('":',):
        for at in cues(low, mark):
            begin = _key_start(low, at, mark[0])
            key = low[begin:at]
            if _KEY.search(key) is None or _OTHER_KEY.search(key):
                continue
            cue = Cue(begin, begin, "tag", "formal", formal=True)
            value = at + len(mark)
            label = label_at(text, value, formal=True)
            if label is None:
                named = option_at(text, value)
                if named is not None:
                    found.append(cue.names(named.letter, named.end))
                continue
            if text.body[value : label.start].lstrip()[:1] == "[":
                label.others = (*label.others, *_list_rest(text, label))
            found.append(from_label(text, label, cue))
    return found


def _key_start(low: str, at: int, quote: str) -> int:
    """Where a key that ends at `at` begins: after its quote, or, where that is missing, after a space or a line."""
    floor = max(0, at - _KEY_LENGTH)
    begin = low.rfind(quote, floor, at)
    if begin < 0:
        begin = max(low.rfind("\n", floor, at), low.rfind(" ", floor, at), low.rfind("\\n", floor, at) + 1)
    return begin + 1


def _list_rest(text: Text, label: Label) -> tuple[str, ...]:
    """The further letters of a list: `["A", "C"]`."""
    others: list[str] = []
    position = label.end
    while (item := _NEXT_ITEM.match(text.body, position)) is not None:
        if item["letter"] != label.letter and item["letter"] in text.options and item["letter"] not in label.others:
            others.append(item["letter"])
        position = item.end()
    return tuple(others)
