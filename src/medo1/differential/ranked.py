"""Reading a ranked list of diagnoses out of a free-form answer, and where the gold diagnosis stands in it.

The free-form arms answer without options, by the hypothetico-deductive method (paper, section on free-form answers): a
list of differential diagnoses that the evidence narrows. The list read is the last one that the text gives outside its
thinking, preceded by the final or most likely diagnosis, if one is stated. A list that names that diagnosis
itself, or that is announced as the final one, is the ranked answer and stays as it is.
"""
# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from medo1.answers.thinking import answer_part
from medo1.differential.diagnoses import names_of, normalised_diagnosis, same_diagnosis
from medo1.differential.synonyms import SYNONYMS

Status = Literal["answer", "abstain", "truncated"]

_CUT = frozenset(
    {"length", "max_tokens", "max_output_tokens", "model_length", "token_limit", "content_filter", "error"}
)
_LONGEST_NAME = 120  # characters; what is longer is a sentence, not a name
_MOST_WORDS = 12
_FOLD = "**", "__"

_ITEM = re.compile(
    r"(?P<indent>[ \t]*)(?:[*_]{0,2}(?P<number>\d{1,2})[*_]{0,2}[.)][*_]{0,2}|"
    r"(?P<bullet>[-•*+–]))[ \t]+(?P<item>\S[^\n]*)"
)
_HEADER = re.compile(
    r"differential|diagnos[ei]s|ranked|ranking|most likely|top \d|likely causes|final answer|final list|possibilities",
    re.IGNORECASE,
)
_NOT_A_LIST_OF_DIAGNOSES = re.compile(
    r"\b(?:findings?|evidence|reason(?:s|ing)?|steps?|tests?|work-?up|management|treatment|next|"
    r"support(?:s|ing)?|against|history|features|"
    r"symptoms|signs|key points|explanation|investigations|"
    # diagnoses, but those that the text argues away
    r"ruled out|exclud\w+|rejected|eliminated|not supported)\b",
    re.IGNORECASE,
)
# diagnoses that stand behind those of the list before them
_LESS_LIKELY = re.compile(r"\b(?:(?:less|least) likely|unlikely|lower on)\b(?! to\b)", re.IGNORECASE)
_CALLED = r"(?:final|most likely|leading|primary|working|single best|definitive|top)"
_FINAL = re.compile(
    r"(?:(?:^|\n)[ \t#>*_•+-]*(?:\d{1,2}[.)][ \t*_]*)?(?:the\s+)?"
    rf"(?:{_CALLED}?[ \t]*(?:diagnosis|answer)|most likely)"
    r"(?:\s+is)?[ \t]*[*_]{0,2}[:：][ \t*_]*(?P<line>[^\s*_][^\n]{1,200})"
    # as a heading, with the diagnosis on the next line
    r"|(?:^|\n)[ \t#>*_]*(?:\d{1,2}[.)][ \t*_]*)?(?:the\s+)?"
    rf"{_CALLED}[ \t]+diagnosis[ \t*_:：]*\n[\s*_]*(?P<below>[^\s*_#][^\n]{{1,200}})"
    r"|\b(?:most likely|final|leading|definitive|best|correct|probable) (?:diagnosis|answer|"
    r"explanation)(?: (?:here|in this (?:case|patient)|for this "
    r"patient|overall))? (?:is|would be|remains)[ \t]*:?[ \t*_\n]*(?P<sentence>[^\n]{2,200}))",
    re.IGNORECASE,
)
# said plainly, which counts where nothing is called final or most likely
_PLAIN = re.compile(
    r"\b(?:the|his|her|their|this|my|our|patient['’]s) (?:overall |underlying )?diagnosis (?:is|must be|would be)"
    r"(?: (?:therefore|thus|most likely|likely|most probably|probably|clearly|indeed|now)\b,?)*[ \t]*:?[ \t*_]*"
    r"(?=(?P<sentence>[^\n]{2,200}))",
    re.IGNORECASE,
)
# what else a diagnosis may be: `the diagnosis is confirmed by biopsy`
_NOT_NAMED = re.compile(
    r"(?:\w+(?:ed|ing)|made|based|clear|likely|possible|probable|consistent|difficult|challenging|clinical|usually|"
    r"often|also|still|important|known|open|in|on|to|of|more|less|very|quite|an? (?:clinical|matter|question))\b(?!-)",
    re.IGNORECASE,
)
# `lupus (A)`, `(A) lupus`: an option's letter is no part of the name
_LETTER = re.compile(r"^[(\[]?[A-J][)\]]\s+|\s*[(\[][A-J][)\]]$")
# `1. Most likely diagnosis: Gout`: the item's label, not its name
_LABEL = re.compile(
    rf"[*_]{{0,2}}(?:{_CALLED}[ \t]+diagnosis|most likely)[ \t]*[*_]{{0,2}}[:：][*_]{{0,2}}[ \t]*(?=\S)", re.IGNORECASE
)
# what follows `the most likely diagnosis is` without being one
_NO_NAME = re.compile(
    r"(?:the (?:one|first|following|top|same)|not|no|one of|among|listed|given|shown|ranked|marked|written|in bold|"
    r"below|above|as follows|at the top|see|that|therefore|unclear|uncertain|unknown|undetermined)\b(?!-)",
    re.IGNORECASE,
)
_STATED_KEY = re.compile(rf"{_CALLED.replace(' ', '[ _]')}[ _]diagnosis$", re.IGNORECASE)
_FINAL_LIST = re.compile(r"\b(?:final|revised|updated|refined|narrowed|reordered|re-?ranked|after)\b", re.IGNORECASE)
_INLINE = re.compile(
    r"differential(?: diagnos[ei]s)?(?: includes?| is| are)?\s*[:：]?\s*(?P<list>[^\n]{4,400})", re.IGNORECASE
)
_NUMBERED_INLINE = re.compile(r"(?:^|[\s;,])\(?\d{1,2}[.)]\s+")
_SEPARATOR = re.compile(r"\s*(?:;|,(?!\d)|>)\s*(?:and |or |then )?|\s+(?:and|or|versus|vs\.?)\s+")
_END_OF_NAME = re.compile(
    r"\s+[-–—]+\s+|[:：;]\s|\.\s|\.$|,? (?:because|since|given|as (?:the|this|it|he|she|there)|due to the|"
    r"at (?:first|present|this)|so far|for now|"
    r"which|supported by|based on|with (?:a )?(?:high|"
    r"moderate|low) (?:probability|likelihood)|is (?:the|most|less|also|supported|consistent|likely|"
    r"unlikely)|would|should|can|could|may|"
    r"explains?|fits|presents)\b|\s+\(?\d{1,3}\s?%",
)
_PROBABILITY = re.compile(
    r"\s*[(\[]\s*(?:~|≈|approx\w*)?\s*\d{1,3}\s?%[^)\]]*[)\]]|\s*[(\[](?:most likely|likely|less likely|"
    r"unlikely|high|low|moderate)[^)\]]*[)\]]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One diagnosis of a list: its name as written and where it stands in the text."""

    name: str
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _List:
    """A list as it stands in the text: what it names, what announces it, the rule that found it."""

    diagnoses: list[Diagnosis]
    header: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Differential:
    """What was read out of a free-form answer.

    Attributes:
        diagnoses: the most likely one first; each named once.
        status: `answer`, `abstain` (none named) or `truncated` (cut before one).
        rule: `list`, `inline_list`, `object`, `final_diagnosis`, or why there is none: `nothing_stated`,
        `cut_in_thinking`,
            `cut_before_statement`, `only_thinking`, `empty`.
    """

    diagnoses: tuple[Diagnosis, ...]
    status: Status
    rule: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names, the most likely one first."""
        return tuple(diagnosis.name for diagnosis in self.diagnoses)

    def rank_of(self, gold: str, synonyms: Mapping[str, str] = SYNONYMS) -> int | None:
        """The gold diagnosis' rank, from 1, by equal normal names; None where it is not in the list."""
        return next((rank for rank, name in enumerate(self.names, 1) if same_diagnosis(name, gold, synonyms)), None)


def read_differential(text: str, finish_reason: str | None = None, *, limit: int = 20) -> Differential:
    """The ranked diagnoses that a text states.

    Args:
        text: a model's whole output.
        finish_reason: why the output ended; `length` means that it was cut, so that its last words may be half a name.
        limit: maximum number of diagnoses.
    """
    cut = (finish_reason or "").lower() in _CUT
    if not text or text.isspace():
        return Differential((), "truncated" if cut else "abstain", "cut_before_statement" if cut else "empty")
    low = text.lower()
    part = answer_part(text, low if len(low) == len(text) else text)
    if part.thinking == "open" or part.start >= part.end:
        unfinished = cut or part.thinking == "open"
        return Differential(
            (), "truncated" if unfinished else "abstain", "cut_in_thinking" if unfinished else "only_thinking"
        )
    body = text[: part.end]
    cut = cut and part.end == len(text)
    found = _listed(body, part.start, cut=cut)
    listed, rule = found.diagnoses, found.rule
    stated = _final(body, part.start, cut=cut)
    if stated is None and not listed:
        stated = _plain(body, part.start, cut=cut)
    if stated is not None and not _is_the_answer(found, stated):
        listed, rule = [stated, *listed], rule if listed else "final_diagnosis"
    diagnoses = _once(listed)[:limit]
    if diagnoses:
        return Differential(tuple(diagnoses), "answer", rule)
    return Differential((), "truncated" if cut else "abstain", "cut_before_statement" if cut else "nothing_stated")


def leads_in(text: str) -> list[list[str]]:
    """The diagnoses of each list and of each statement in a text, its thought included, in the order of the text; the
    first of each leads."""
    found: list[tuple[int, list[str]]] = []
    for header, items in _blocks(text, 0):
        named = [diagnosis for diagnosis in (_name(text, *item) for item in items) if diagnosis is not None]
        fits = _HEADER.search(header) is not None and not _NOT_A_LIST_OF_DIAGNOSES.search(header)
        if named and fits and not (_LESS_LIKELY.search(header) and "most likely" not in header.lower()):
            found.append((items[0][0], [diagnosis.name for diagnosis in named]))
    for match in _FINAL.finditer(text):
        group = next(name for name in ("line", "below", "sentence") if match[name])
        if _ITEM.match(text, match.start(group)) or _NO_NAME.match(match[group].lstrip(" *_")):
            continue
        if (stated := _name(text, match.start(group), match.end(group))) is not None:
            found.append((match.start(group), [stated.name]))
    for match in _PLAIN.finditer(text):
        if _NO_NAME.match(match["sentence"]) or _NOT_NAMED.match(match["sentence"]):
            continue
        if (stated := _name(text, match.start("sentence"), match.end("sentence"))) is not None:
            found.append((match.start("sentence"), [stated.name]))
    return [names for _, names in sorted(found, key=lambda one: one[0])]


def _is_the_answer(listed: _List, stated: Diagnosis) -> bool:
    """Whether a list is itself the ranked answer, rather than the alternatives to the diagnosis `stated` before it."""
    if not listed.diagnoses or listed.diagnoses[0].span[0] <= stated.span[0]:
        return False
    # Without its last line's own words: `Final diagnosis: Gout`, right above a list, announces no final list.
    if stated.name not in listed.header and _FINAL_LIST.search(listed.header):
        return True
    names = _names(stated)
    return any(not names.isdisjoint(_names(diagnosis)) for diagnosis in listed.diagnoses)


def _names(diagnosis: Diagnosis) -> set[str]:
    """The normal names of a diagnosis."""
    return set(names_of(diagnosis.name)) or {normalised_diagnosis(diagnosis.name)}


def _once(listed: list[Diagnosis]) -> list[Diagnosis]:
    """Each diagnosis where it stands first."""
    seen: set[str] = set()
    kept = []
    for diagnosis in listed:
        names = _names(diagnosis)
        if seen.isdisjoint(names):
            kept.append(diagnosis)
        seen.update(names)
    return kept


def _listed(body: str, start: int, *, cut: bool) -> _List:
    """The last list of diagnoses: an object's, a numbered or bulleted one, or one within a line."""
    listed = _from_object(body, start)
    if listed.diagnoses:
        return listed
    best = _List([])
    for header, items in _blocks(body, start):
        named = [diagnosis for diagnosis in (_name(body, *item) for item in items) if diagnosis is not None]
        every = len(named) == len(items)
        if cut and named and named[-1].span[1] >= len(body.rstrip()):
            named.pop()  # the last name may be half a name
        wanted = _HEADER.search(header) is not None and not _NOT_A_LIST_OF_DIAGNOSES.search(header)
        if named and best.diagnoses and _LESS_LIKELY.search(header) and "most likely" not in header.lower():
            best = _List([*best.diagnoses, *named], best.header, best.rule)
        elif named and (wanted or (not best.diagnoses and every and not _NOT_A_LIST_OF_DIAGNOSES.search(header))):
            best = _List(named, header, "list")
    if best.diagnoses:
        return best
    inline = None
    for inline in _INLINE.finditer(body, start):  # noqa: B007
        pass
    if inline is None:
        return _List([])
    within = _within_line(body, inline.start("list"), inline.end("list"), cut=cut)
    return _List(within, body[body.rfind("\n", 0, inline.start()) + 1 : inline.start("list")], "inline_list")


def _blocks(body: str, start: int) -> list[tuple[str, list[tuple[int, int]]]]:
    """Each list's header line and the spans of its items of the outermost level."""
    blocks: list[tuple[str, list[tuple[int, int]]]] = []
    items: list[tuple[int, int]] = []
    header, indent, numbered, blanks = "", 0, False, 0
    position = start
    for line in body[start:].splitlines(keepends=True):
        item = _ITEM.match(line)
        if not line.strip():
            blanks += 1
        elif item is not None:
            deeper = bool(items) and (len(item["indent"].expandtabs(4)) > indent or (numbered and not item["number"]))
            if not deeper:
                if items and (bool(item["number"]) != numbered or (item["number"] and int(item["number"]) <= 1)):
                    blocks.append((header, items))
                    items = []
                if not items:
                    indent, numbered = len(item["indent"].expandtabs(4)), bool(item["number"])
                items.append((position + item.start("item"), position + item.end("item")))
            blanks = 0
        else:
            continues = bool(items) and (line[:1] in " \t" or (not blanks and not numbered))
            if not continues:
                if items and not (numbered and not _is_header(line)):
                    blocks.append((header, items))
                    items = []
                if not items:
                    header = line
            blanks = 0
        position += len(line)
    if items:
        blocks.append((header, items))
    return blocks


def _is_header(line: str) -> bool:
    """Whether a line announces what follows rather than explaining the item above it."""
    stripped = line.strip()
    return (
        stripped.endswith((":", ":**", "："))
        or stripped.startswith("#")
        or (stripped.startswith("**") and stripped.endswith("**"))
    )


def _name(body: str, start: int, end: int) -> Diagnosis | None:
    """The diagnosis that an item from `start` to `end` names, its explanation left out; None where it names none."""
    label = _LABEL.match(body, start, end)
    start = label.end() if label else start
    written = body[start:end]
    lead = len(written) - len(written.lstrip(" *_\"'“#"))
    for mark in _FOLD:
        if written.startswith(mark) and (close := written.find(mark, 2)) > 0:
            name = written[2:close]
            break
    else:
        stop = _END_OF_NAME.search(written, lead + 1)
        name = written[lead : stop.start() if stop else len(written)]
    name = _PROBABILITY.sub("", name).strip(" *_\"'“”.:;,-–—")
    stop = _END_OF_NAME.search(name)
    name = name[: stop.start()].strip(" *_.:;,") if stop else name
    name = _LETTER.sub("", name)
    if len(name) == 1:
        return None  # an option's letter
    if not name or len(name) > _LONGEST_NAME or len(name.split()) > _MOST_WORDS or not any(ch.isalpha() for ch in name):
        return None
    place = body.find(name, start, end)
    return Diagnosis(name, (place, place + len(name)) if place >= 0 else (start, end))


def _within_line(body: str, start: int, end: int, *, cut: bool) -> list[Diagnosis]:
    """`Differential: A, B and C`, or `1) A 2) B`: the names within one line."""
    text = body[start:end]
    if len(_NUMBERED_INLINE.findall(text)) > 1:
        cuts = [match.end() for match in _NUMBERED_INLINE.finditer(text)]
        ends = [*(match.start() for match in list(_NUMBERED_INLINE.finditer(text))[1:]), len(text)]
        spans = list(zip(cuts, ends, strict=True))
    else:
        stop = re.search(r"\.(?:\s|$)", text)
        limit = stop.start() if stop else len(text)
        spans, position = [], 0
        for separator in _SEPARATOR.finditer(text, 0, limit):
            spans.append((position, separator.start()))
            position = separator.end()
        spans.append((position, limit))
    found = [_name(body, start + first, start + last) for first, last in spans if text[first:last].strip()]
    named = [diagnosis for diagnosis in found if diagnosis is not None]
    if cut and named and end >= len(body.rstrip()):
        named.pop()
    return named


def _final(body: str, start: int, *, cut: bool) -> Diagnosis | None:
    """The diagnosis that the text calls final or most likely: the last one called so."""
    found = None
    for match in _FINAL.finditer(body, start):
        group = next(name for name in ("line", "below", "sentence") if match[name])
        if _ITEM.match(body, match.start(group)) or _NO_NAME.match(match[group].lstrip(" *_")):
            continue
        named = _name(body, match.start(group), match.end(group))
        if named is not None and not (cut and named.span[1] >= len(body.rstrip())):
            found = named
    return found


def _plain(body: str, start: int, *, cut: bool) -> Diagnosis | None:
    """The diagnosis that a text states in a plain sentence: the last one, `The diagnosis is gout.`"""
    found = None
    for match in _PLAIN.finditer(body, start):
        if _NO_NAME.match(match["sentence"]) or _NOT_NAMED.match(match["sentence"]):
            continue
        named = _name(body, match.start("sentence"), match.end("sentence"))
        if named is not None and not (cut and named.span[1] >= len(body.rstrip())):
            found = named
    return found


def _from_object(body: str, start: int) -> _List:
    """`{"differential": ["A", "B"]}`: the first list of names in an object that the text is, or holds in a fence, with
    the object's own `most_likely_diagnosis` in front where the list lacks it."""
    opened, closed = body.find("{", start), body.rfind("}")
    if opened < 0 or closed < opened:
        return _List([])
    try:
        value = json.loads(body[opened : closed + 1])
    except ValueError:
        return _List([])
    if not isinstance(value, dict):
        return _List([])

    def placed(name: str) -> Diagnosis:
        place = body.find(name, opened)
        return Diagnosis(name, (place, place + len(name)) if place >= 0 else (opened, closed + 1))

    for key, names in value.items():
        if isinstance(names, list) and names and _HEADER.search(str(key)):
            found = [placed(name) for item in names if (name := _object_name(item))]
            stated = [
                placed(name) for key, item in value.items() if _STATED_KEY.match(key) and (name := _object_name(item))
            ]
            if found and stated and all(_names(stated[0]).isdisjoint(_names(one)) for one in found):
                found.insert(0, stated[0])
            return _List(found, str(key).replace("_", " "), "object")
    return _List([])


def _object_name(item: object) -> str:
    """A name in a list: a text, or an object with a key for it."""
    if isinstance(item, dict):
        item = next((item[key] for key in ("diagnosis", "name", "condition", "disease") if key in item), "")
    return item.strip() if isinstance(item, str) else ""
