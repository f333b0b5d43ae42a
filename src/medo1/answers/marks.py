r"""Statements by marks: `\boxed{C}`, `#### C`, `[[C]]`, `{"choice": "C"}`, `<choice>C</choice>`.

Where a text is an object with a key for the answer, that key speaks and the object's other strings are its thinking.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice

from medo1.answers.candidates import Mention, mention_at, run_together
from medo1.answers.rules import CUES
from medo1.answers.statements import FIRST_CUES, Announced, Statement, cues, statement_of
from medo1.answers.text import Text

_KEY = re.compile(r"answer|choice|option|letter|predict|selection|selected|\bpred\b|^ans$")
_OTHER_KEY = re.compile(
    r"reason|explan|thinking|rational|wrong|incorrect|alternative|other|second|options|choices|confidence|why|"
    r"question"
)
_TAG = re.compile(
    r"<(?:final_?)?(?:choice|option|letter|response|prediction|selection|selected_option|conclusion|output|result|"
    r"solution|ans|final)>\s{0,4}",
    re.IGNORECASE,
)
_THINKS_FIRST = re.compile(r"\s{0,6}(?:```\w{0,12}\s{0,6})?\{\s{0,6}[\"'](?P<key>[^\"'\n]{1,60})[\"']\s{0,6}:")
_NEXT_ITEM = re.compile(r"[\s\"']{0,6},\s{0,6}[\"']\(?(?P<letter>[A-Z])[\").:']")
_TAGS_FROM = 6000  # characters from the end that are searched for tags
_LIST_LENGTH = 400  # characters of a list of letters
_KEY_LENGTH = 40  # characters that a key may have


def mark_statements(text: Text) -> list[Statement]:
    """The statements by marks, in no order; those by a key alone where there is one."""
    low = text.low
    found = _keyed(text) if '":' in low or "{" in low else []
    if found:
        return found
    for row in CUES:
        if row.form == "mark" and row.words[0] in _HOLDERS:
            for word in row.words:
                for at in cues(low, word):
                    found.extend(_HOLDERS[row.words[0]](text, at, word))
    if "<" in low:
        for tag in islice(_TAG.finditer(text.body, max(0, len(low) - _TAGS_FROM)), FIRST_CUES):
            found.extend(_held(text, tag.end(), Announced(tag.start(), tag.start(), "tag", "formal", formal=True)))
    return found


def is_thinking_object(text: Text) -> bool:
    """Whether the text is an object whose first key holds thinking: without an answer's key it has not answered."""
    first = _THINKS_FIRST.match(text.low) if "{" in text.low[:16] else None
    return first is not None and _OTHER_KEY.search(first["key"]) is not None


def _boxed(text: Text, at: int, word: str) -> list[Statement]:
    r"""`\\boxed{C}`."""
    return _held(text, at + len(word) - 1, Announced(at, at, "boxed", "formal", formal=True))


def _held(text: Text, position: int, cue: Announced) -> list[Statement]:
    """The label or the option's text that a mark holds."""
    mention = mention_at(text, position, formal=True) or run_together(text, position)
    if mention is None:
        return []
    _rest_of_box(text, mention, cue)
    alone = mention.strong or mention.others or not text.body[mention.end : mention.end + 1].isalnum()
    return [statement_of(text, mention, cue)] if alone else []


_BOX_REST = re.compile(
    r"(?:[\s,;&/+|{}$~]|\\(?:text|mathrm|textbf|quad|,|;|&)|and|or|"
    r"[A-Z](?![A-Za-z0-9])){1,60}(?=\}{1,2}[\s$.\\)*]|\}{1,2}\Z)"
)


def _rest_of_box(text: Text, mention: Mention, cue: Announced) -> None:
    r"""Adds the further letters of a box that holds nothing but letters: `\boxed{A \text{ and } C}`."""
    rest = _BOX_REST.match(text.body, mention.end) if cue.rule == "boxed" and not mention.others else None
    if rest is not None:
        named = dict.fromkeys(character for character in rest[0] if character in text.options)
        mention.others = tuple(letter for letter in named if letter != mention.letter)


def _enclosed(text: Text, at: int, word: str) -> list[Statement]:
    """`[[C]]`, the form that judges are asked for."""
    label = mention_at(text, at, formal=True)
    if label is None or text.low[label.end - len(word) : label.end] != "]]":
        return []
    return [statement_of(text, label, Announced(at, at, "tag", "formal"))]


def _after_hashes(text: Text, at: int, word: str) -> list[Statement]:
    """`#### C` on a line of its own, GSM8K's form."""
    low = text.low
    start = at + len(word)
    label = mention_at(text, start, formal=True)
    if label is None or low[start : label.start].strip(" *_(#") or low[at - 1 : at] not in ("", "\n"):
        return []
    if text.body[label.end : label.end + 1] not in ("", "\n"):
        return []
    return [statement_of(text, label, Announced(at, at, "tag", "formal"))]


_HOLDERS: dict[str, Callable[[Text, int, str], list[Statement]]] = {
    "boxed{": _boxed,
    "[[": _enclosed,
    "####": _after_hashes,
}


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
            cue = Announced(begin, begin, "tag", "formal", formal=True)
            value = at + len(mark)
            label = mention_at(text, value, formal=True)
            if label is None:
                continue
            if text.body[value : label.start].lstrip()[:1] == "[":
                label.others = (*label.others, *_list_rest(text, label))
            found.append(statement_of(text, label, cue))
    return found


def _key_start(low: str, at: int, quote: str) -> int:
    """Where a key that ends at `at` begins: after its quote, or, where that is missing, after a space or a line."""
    floor = max(0, at - _KEY_LENGTH)
    begin = low.rfind(quote, floor, at)
    if begin < 0:
        begin = max(low.rfind("\n", floor, at), low.rfind(" ", floor, at), low.rfind("\\n", floor, at) + 1)
    return begin + 1


def _list_rest(text: Text, label: Mention) -> tuple[str, ...]:
    """The further letters of a list: `["A", "C"]`."""
    others: list[str] = []
    position = label.end
    while (item := _NEXT_ITEM.match(text.body, position)) is not None and position < label.end + _LIST_LENGTH:
        if item["letter"] != label.letter and item["letter"] in text.options and item["letter"] not in label.others:
            others.append(item["letter"])
        position = item.end()
    return tuple(others)
