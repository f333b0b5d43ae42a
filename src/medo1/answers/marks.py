r"""Statements by marks: `\boxed{C}`, `#### C`, `[[C]]`, `{"choice": "C"}`, `<choice>C</choice>`.

Where a text is an object with a key for the answer, that key speaks and the object's other strings are its thinking.
Called by `medo1.answers.reading`.
"""

from __future__ import annotations

import re

from medo1.answers.labels import Label, label_at
from medo1.answers.statements import FIRST_CUES, Statement, cues, from_label
from medo1.answers.text import Text, option_at

_KEY_NAMES = re.compile(r"answer|choice|option|letter|predict|selection|selected|\bpred\b|^ans$")
_NOT_THE_ANSWER = re.compile(
    r"reason|explan|thinking|rational|wrong|incorrect|alternative|other|second|options|choices|confidence|"
    r"why|question"
)
_TAG = re.compile(
    r"<(?:final_?)?(?:choice|option|letter|response|prediction|selection|selected_option|conclusion|"
    r"output|result|solution|ans|final)>\s*",
    re.IGNORECASE,
)
_WINDOW = 6000  # characters from the end that are searched for keys and tags


def mark_statements(text: Text) -> list[Statement]:
    """The statements by marks, in no order; those by a key alone where there is one."""
    low = text.low
    found: list[Statement] = []
    if '"' in low or "{" in low:
        found = _keyed(text)
        if found:
            return found
    if "{" in low:
        if "boxed" in low:
            for at in cues(low, "boxed{"):
                found.extend(_named(text, at + 6, at, "boxed"))
            for at in cues(low, "boxed {"):
                found.extend(_named(text, at + 7, at, "boxed"))
    if "[" in low and "[[" in low:
        for at in cues(low, "[["):
            label = label_at(text, at, formal=True)
            if label is not None and low[label.end - 2 : label.end] == "]]":
                found.append(from_label(text, label, at, at, "tag", "formal"))
    if "#" in low and "####" in low:
        for at in cues(low, "####"):
            label = label_at(text, at + 4, formal=True)
            if (
                (at == 0 or low[at - 1] == "\n")
                and label is not None
                and not low[at + 4 : label.start].strip(" *_(#")
                and text.body[label.end : label.end + 1] in ("", "\n")
            ):
                found.append(from_label(text, label, at, at, "tag", "formal"))
    if "<" in low:
        for count, tag in enumerate(_TAG.finditer(text.body, max(0, len(low) - _WINDOW))):
            if count < FIRST_CUES:
                found.extend(_named(text, tag.end(), tag.start(), "tag"))
    return found


_THINKS_FIRST = re.compile(r"\s*(?:```\w*\s*)?\{\s*[\"'](?P<key>[^\"'\n]{1,60})[\"']\s*:")


def is_thinking_object(text: Text) -> bool:
    """Whether the text is an object whose first key holds thinking: without a key for the answer it has not answered."""
    first = _THINKS_FIRST.match(text.low) if "{" in text.low[:16] else None
    return first is not None and _NOT_THE_ANSWER.search(first["key"]) is not None


def _named(text: Text, position: int, at: int, rule: str) -> list[Statement]:
    """The label or the option's text that a mark holds."""
    label = label_at(text, position, formal=True)
    if label is not None:
        return [from_label(text, label, at, at, rule, "formal")] if _ends(text, label) else []
    named = option_at(text, position)
    return [Statement(named.letter, at, named.end, rule, "formal", at)] if named is not None else []


def _ends(text: Text, label: Label) -> bool:
    """Whether nothing but the option's text or a mark follows the label."""
    return label.strong or not text.body[label.end : label.end + 1].isalnum()


def _keyed(text: Text) -> list[Statement]:
    """Keys for the answer in an object: `"answer": "C"`."""
    low, body = text.low, text.body
    found: list[Statement] = []
    for mark in ('":', "':", '" :') if "{" in low else ('":',):
        for at in cues(low, mark):
            begin = low.rfind(mark[0], max(0, at - 40), at)
            begin = (
                begin
                if begin >= 0
                else max(
                    low.rfind("\n", max(0, at - 40), at),
                    low.rfind(" ", max(0, at - 40), at),
                    low.rfind("n", max(0, at - 40), at - 6),
                )
            )
            key = low[begin + 1 : at]
            if _KEY_NAMES.search(key) is None or _NOT_THE_ANSWER.search(key):
                continue
            value = at + len(mark)
            label = label_at(text, value, formal=True)
            if label is None:
                named = option_at(text, value)
                if named is not None:
                    found.append(Statement(named.letter, begin, named.end, "tag", "formal", begin))
                continue
            if body[value : label.start].lstrip()[:1] == "[":
                label.others = (*label.others, *_list_rest(text, label))
            found.append(from_label(text, label, begin, begin, "tag", "formal"))
    return found


_NEXT_ITEM = re.compile(r"[\s\"']*,\s*[\"']\(?(?P<letter>[A-Z])[\").:']")


def _list_rest(text: Text, label: Label) -> tuple[str, ...]:
    """The further letters of a list: `["A", "C"]`."""
    others = []
    position = label.end
    while (item := _NEXT_ITEM.match(text.body, position)) is not None:
        if item["letter"] != label.letter and item["letter"] in text.options and item["letter"] not in label.others:
            others.append(item["letter"])
        position = item.end()
    return tuple(others)
