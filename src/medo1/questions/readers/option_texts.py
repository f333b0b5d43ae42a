"""The options of a question, from the many notations in files, each under a letter from A.

An option's own label (`A. Liver`, `2) Gout`, a key, a column's number) is read and removed from its text; a gold answer
that names it is understood. Labels that contradict the letters are an error.
"""

# ruff: noqa: RUF001  (labels in Chinese and Japanese files have marks of their own width)
from __future__ import annotations

import ast
import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from medo1.questions.question import LETTERS
from medo1.questions.question_errors import RowError

FEWEST_OPTIONS = 2
_LONGEST_LITERAL = 20_000  # characters of a cell that is read as a literal

_LABEL_KEYS = ("key", "label", "letter", "id", "aid", "option_id", "option_letter", "index", "idx", "no", "opt")
_TEXT_KEYS = ("value", "text", "content", "atext", "option_text", "answer", "option", "choice", "body", "description")
_LABEL_LISTS = ("label", "labels", "key", "keys", "letter", "letters", "id", "ids")
_TEXT_LISTS = ("text", "texts", "value", "values", "content", "contents", "choices", "options")
_RIGHT_KEYS = ("is_correct", "correct", "is_answer", "is_right", "right")

_PREFIX = re.compile(r"^(?:options?|opt|op|choices?|answers?|ans|ending|alternative)[\s_-]*(?=[a-z]$|\d{1,2}$)")
_ROMAN = {word: place for place, word in enumerate(("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"), 1)}
_MARK = r"[(\[（【]?\s*(?P<label>[A-Za-z]|\d{1,2}|[①-⑳]|[ivxIVX]{1,4})\s*"
_OWN_LABEL = re.compile(rf"^\s*{_MARK}(?:(?<=[①-⑳])|[、)\]）】]+|[.．:：](?!\d)|\s[-–—]\s)\s*(?P<rest>.*)$", re.DOTALL)
_LINE = re.compile(rf"^[ \t]*{_MARK}(?:[、)\]）】]+|[.．:：](?!\d)|\s[-–—]\s)\s*(?P<rest>.*)$")
_BARE_LINE = re.compile(r"^[ \t]*(?P<label>[A-Z])[ \t\u3000]+(?P<rest>\S.*)$")
_INLINE = re.compile(r"(?:^|(?<=[\s;,|。；]))[(\[（]?(?P<label>[A-Z])(?:[)\]）]|[.．:：、](?!\d))\s*")
_STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_PRINTED = re.compile(rf"^\[\s*(?:{_STRING})(?:\s+(?:{_STRING}))+\s*\]$")  # an array as numpy prints it, without commas
_ARRAY = re.compile(r"\barray\(|,\s*dtype=object\)")
_HEADING = re.compile(
    r"^\s*(?:answer choices|answer options|choices|options|选项|選択肢|보기)\s*[:：]?\s*", re.IGNORECASE
)


class LabelledOptions(NamedTuple):
    """Options and what the file calls them.

    Attributes:
        texts: letter to text, from A without gaps.
        labels: the file's own label of an option, folded, to its letter; empty where that is the letter.
        right: the letter of the option that is itself marked as right; None where none is.
    """

    texts: dict[str, str]
    labels: dict[str, str]
    right: str | None = None


def options_of(value: Any, where: str = "options") -> dict[str, str]:
    """Letter to text, see `labelled_options`."""
    return labelled_options(value, where).texts


def labelled_options(value: Any, where: str = "options") -> LabelledOptions:
    """Options out of one value: an object, a list, parallel lists, or each of these or lettered lines as a text.

    Raises:
        RowError: for anything else, fewer than two options, or an empty one between others.
    """
    if isinstance(value, str):
        value = _written(value, where)
    if isinstance(value, LabelledOptions):
        return value
    if isinstance(value, Mapping):
        parallel = _parallel(value, where)
        if parallel is not None:
            return parallel
        return by_labels({str(label): text for label, text in value.items()}, where)
    if isinstance(value, Sequence) or hasattr(value, "tolist"):
        items = value.tolist() if hasattr(value, "tolist") else list(value)
        if items and all(isinstance(item, Mapping) for item in items):
            return _records(items, where)
        if len(items) > len(LETTERS):
            raise RowError(f"{len(items)} {where}, at most {len(LETTERS)} can have a letter")
        return in_order(items, where)
    raise RowError(f"{where!r} is {type(value).__name__}, expected letters and texts")


def in_order(items: Sequence[Any], where: str = "options") -> LabelledOptions:
    """Options that have no letters but their places, and perhaps labels of their own."""
    texts = checked_options(dict(zip(LETTERS, items, strict=False)), where)
    own = _own_labels(list(texts.values()))
    if own is None:
        return LabelledOptions(texts, {})
    places, rests, labels = own
    found = {LETTERS[place]: rest for place, rest in zip(places, rests, strict=True)}
    return LabelledOptions(
        checked_options(found, where),
        {label: LETTERS[place] for label, place in zip(labels, places, strict=True)},
    )


def by_labels(pairs: Mapping[str, Any], where: str = "options") -> LabelledOptions:
    """Options under labels: letters, numbers, or either after a word such as `option`."""
    places = _places(list(pairs), where)
    found = {LETTERS[places[label]]: text for label, text in pairs.items()}
    texts = checked_options(found, where)
    labels = {} if all(len(one) == 1 and one.isalpha() for one in map(_folded, pairs)) else {
        _folded(label): LETTERS[place] for label, place in places.items() if LETTERS[place] in texts
    }  # fmt: skip
    labels |= {_PREFIX.sub("", label): letter for label, letter in labels.items()}
    own = _own_labels(list(texts.values()))
    if own is None:
        return LabelledOptions(texts, labels)
    own_places, rests, _ = own
    if own_places != list(range(len(texts))):
        told = ", ".join(f"{letter}: {text[:12]!r}" for letter, text in list(texts.items())[:3])
        raise RowError(f"the options are keyed in one order and lettered in another ({told}): correct one of them")
    return LabelledOptions(checked_options(dict(zip(texts, rests, strict=True)), where), labels)


def _records(items: Sequence[Mapping[str, Any]], where: str) -> LabelledOptions:
    """Options that are an object each: a label and a text, a text alone, or one key that is the label."""
    names = {str(name).lower(): name for name in items[0]}
    text_key = next((names[name] for name in _TEXT_KEYS if name in names), None)
    label_key = next((names[name] for name in _LABEL_KEYS if name in names and names[name] != text_key), None)
    if text_key is None and all(len(item) == 1 for item in items):
        return by_labels({str(label): text for item in items for label, text in item.items()}, where)
    if text_key is None:
        raise RowError(f"{where!r} are objects of {', '.join(map(str, items[0]))}: which is the option's text?")
    texts = [item.get(text_key) for item in items]
    if label_key is None:
        found = in_order(texts, where)
    else:
        labels = [str(item.get(label_key, "")) for item in items]
        if len(set(map(_folded, labels))) != len(labels):
            raise RowError(f"two {where} are labelled alike: {', '.join(labels[:6])}")
        found = by_labels(dict(zip(labels, texts, strict=True)), where)
    right_key = next((names[name] for name in _RIGHT_KEYS if name in names), None)
    if right_key is None:
        return found
    right = [
        _letter_at(found, items, place, label_key) for place, item in enumerate(items) if item.get(right_key) is True
    ]
    if len(right) > 1:
        raise RowError(f"several options are right ({', '.join(right)}): one right answer is expected")
    return found._replace(right=right[0] if right else None)


def _letter_at(found: LabelledOptions, items: Sequence[Mapping[str, Any]], place: int, label_key: str | None) -> str:
    if label_key is None:
        return LETTERS[place]
    label = _folded(str(items[place].get(label_key, "")))
    return found.labels.get(label, label.upper())


def _parallel(value: Mapping[str, Any], where: str) -> LabelledOptions | None:
    """Options as two lists: `{"text": [...], "label": [...]}`; None where the object is no such thing."""
    names = {str(name).lower(): held for name, held in value.items()}
    lists = {name: list(held) for name, held in names.items() if not isinstance(held, str) and hasattr(held, "__len__")
             and not isinstance(held, Mapping)}  # fmt: skip
    texts = next((lists[name] for name in _TEXT_LISTS if name in lists), None)
    if texts is None:
        return None
    labels = next((lists[name] for name in _LABEL_LISTS if name in lists), None)
    if labels is None:
        return in_order(texts, where)
    if len(labels) != len(texts):
        raise RowError(f"{where!r} has {len(texts)} texts and {len(labels)} labels")
    if len(texts) > FEWEST_OPTIONS and set(labels) <= {0, 1} and sum(map(int, labels)) == 1:
        return in_order(texts, where)._replace(right=LETTERS[labels.index(1)])
    if len(set(map(str, labels))) != len(labels):
        raise RowError(f"two {where} are labelled alike: {', '.join(map(str, labels[:6]))}")
    return by_labels(dict(zip(map(str, labels), texts, strict=True)), where)


def checked_options(pairs: Mapping[str, Any], where: str = "options") -> dict[str, str]:
    """Letters from A without gaps, each with a text; empty ones at the end are left out.

    Raises:
        RowError: where that cannot be had.
    """
    unknown = [letter for letter in pairs if letter not in LETTERS or len(letter) != 1]
    if unknown:
        raise RowError(f"an option is keyed {unknown[0]!r}, expected a letter")
    nested = next((text for text in pairs.values() if isinstance(text, Mapping | list | tuple)), None)
    if nested is not None:
        raise RowError(f"an option is {type(nested).__name__}, expected a text")
    texts = {letter: "" if is_option_missing(pairs[letter]) else str(pairs[letter]).strip() for letter in sorted(pairs)}
    while texts and not texts[max(texts)]:
        del texts[max(texts)]
    for letter, expected in zip(texts, LETTERS, strict=False):
        if letter != expected:
            raise RowError(f"there is no option {expected} although there is an option {letter}")
        if not texts[letter]:
            raise RowError(f"option {letter} is empty")
    if len(texts) < FEWEST_OPTIONS:
        raise RowError(f"{len(texts)} {where}, expected at least {FEWEST_OPTIONS}")
    return texts


def is_option_missing(value: object) -> bool:
    """Whether an option holds nothing; `None` and `nan` as texts may well be options."""
    return (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or (isinstance(value, str) and not value.strip())
    )


def trailing_options(stem: str) -> tuple[str, LabelledOptions] | None:
    """A stem and the lettered lines at its end; None where it does not end with such."""
    lines = stem.splitlines()
    first = next((place for place in range(1, len(lines)) if _starts(lines[place])), None)
    if first is None:
        return None
    try:
        options = lettered_text("\n".join(lines[first:]), "options")
    except RowError:
        return None
    if options is None:
        return None
    before = _HEADING_AT_END.sub("", "\n".join(lines[:first])).strip()
    return (before, options) if before else None


_HEADING_AT_END = re.compile(r"\s*(?:answer choices|answer options|choices|options|选项)\s*[:：]?\s*$", re.IGNORECASE)


def _starts(line: str) -> bool:
    mark = _LINE.match(line)
    return mark is not None and mark["label"] in ("A", "a", "1", "①")


def lettered_text(text: str, where: str) -> LabelledOptions | None:
    """Options out of one text in which each follows its label; None where no labels stand in it.

    Raises:
        RowError: where a label occurs twice, so that the option is ambiguous.
    """
    body = _HEADING.sub("", text).strip()
    for pattern in (_LINE, _BARE_LINE):
        found = _by_lines(body, pattern)
        if found is not None:
            return by_labels(found, where)
    marks = list(_INLINE.finditer(body))
    wanted = [mark for mark in marks if mark["label"] in LETTERS[: len(marks)]]
    if len(wanted) < FEWEST_OPTIONS or wanted[0].start() != 0:
        return None
    labels = [mark["label"] for mark in wanted]
    if labels != list(LETTERS[: len(labels)]):
        doubled = next((label for label in labels if labels.count(label) > 1), None)
        if doubled is None:
            return None
        raise RowError(f"{where!r} names the label {doubled} twice on one line: put each option on a line of its own")
    ends = [*(mark.start() for mark in wanted[1:]), len(body)]
    cut = {mark["label"]: body[mark.end() : end].strip(" \t\n;,|；") for mark, end in zip(wanted, ends, strict=True)}
    return by_labels(cut, where)


def _by_lines(body: str, pattern: re.Pattern[str]) -> dict[str, str] | None:
    """Label to text of lines that begin with labels in order; further lines continue the option before."""
    found: dict[str, str] = {}
    sequence: Sequence[str] = ()
    for line in body.splitlines():
        mark = pattern.match(line)
        label = unicodedata.normalize("NFKC", mark["label"]) if mark is not None else ""
        if not found:
            if mark is None:
                return None
            sequence = _sequence_from(label)
            if not sequence:
                return None
        if mark is not None and len(found) < len(sequence) and label == sequence[len(found)]:
            found[label] = mark["rest"].strip()
        elif line.strip():
            last = sequence[len(found) - 1]
            found[last] = f"{found[last]} {line.strip()}".strip()
    return found if len(found) >= FEWEST_OPTIONS else None


def _sequence_from(label: str) -> Sequence[str]:
    for sequence in (LETTERS, LETTERS.lower(), [str(n) for n in range(1, 27)], [str(n) for n in range(26)]):
        if label == sequence[0]:
            return sequence
    return ()


def _own_labels(texts: Sequence[str]) -> tuple[list[int], list[str], list[str]] | None:
    """Place, rest and label of each text, where every one begins with a label of its own and these are in a row."""
    marks = [_OWN_LABEL.match(text) for text in texts]
    if not all(marks):
        return None
    labels = [_folded(mark["label"]) for mark in marks if mark is not None]
    try:
        places = _places(labels, "options")
    except RowError:
        return None
    order = [places[label] for label in labels]
    if sorted(order) != list(range(len(texts))):
        return None
    return order, [mark["rest"].strip() for mark in marks if mark is not None], labels


def _places(labels: Sequence[str], where: str) -> dict[str, int]:
    """Label to place from 0.

    Raises:
        RowError: for labels that are neither letters nor numbers in a row.
    """
    if not labels:
        return {}
    folded = [_PREFIX.sub("", _folded(label)) for label in labels]
    if len(set(folded)) != len(folded):
        raise RowError(f"two {where} are labelled alike: {', '.join(labels[:6])}")
    lettered = folded and all(len(label) == 1 and label.isascii() and label.isalpha() for label in folded)
    if lettered and not (set(folded) <= _ROMAN.keys() and "a" not in folded and "i" in folded):
        return {label: ord(one) - ord("a") for label, one in zip(labels, folded, strict=True)}
    if folded and all(label.isdigit() for label in folded):
        numbers = sorted(map(int, folded))
        if numbers[0] in (0, 1) and numbers[-1] < len(LETTERS) + numbers[0]:
            return {label: int(one) - numbers[0] for label, one in zip(labels, folded, strict=True)}
    if folded and all(label in _ROMAN for label in folded):
        return {label: _ROMAN[one] - 1 for label, one in zip(labels, folded, strict=True)}
    odd = next((label for label, one in zip(labels, folded, strict=True) if not (len(one) == 1 and one.isalpha())), "")
    raise RowError(f"an option is keyed {odd!r}, expected a letter")


def _folded(label: str) -> str:
    return unicodedata.normalize("NFKC", str(label)).strip().strip("().:[]（）【】").strip().lower()


def folded_label(label: str) -> str:
    """A label as `LabelledOptions.labels` has it."""
    return _folded(label)


def _written(text: str, where: str) -> Any:
    """Options that stand as text in a cell: JSON, as Python prints them, or lettered lines."""
    stripped = text.strip()
    if stripped.startswith(("{", "[", "array(")):
        stripped = _ARRAY.sub("", stripped)
    if _PRINTED.match(stripped):
        return [ast.literal_eval(one) for one in re.findall(_STRING, stripped)]
    if stripped.startswith(("{", "[")) and len(stripped) <= _LONGEST_LITERAL:
        try:
            return json.loads(stripped)
        except (ValueError, RecursionError):
            pass
        try:
            return ast.literal_eval(stripped)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            pass
    found = lettered_text(stripped, where) if stripped else None
    if found is None:
        if stripped.startswith(("{", "[")):
            raise RowError(f"{where!r} is a text that is neither JSON nor a literal")
        raise RowError(
            f"{where!r} is a text, expected letters and texts, such as 'A. Gout' and each on a line of its own"
        )
    return found
