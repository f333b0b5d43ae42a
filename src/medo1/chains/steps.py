"""Reads a text's numbered steps and their parts, in whatever layout a model writes them.

Layout is punctuation: headings, bullets, bold, brackets, dashes of any kind, blank lines, a colon or none. Content is
words: `step`, its number (`3`, `three`, `III`), `goal`, `evidence`, `conclusion`, and what they hold. Layout is
ignored; content is taken literally, and `medo1.chains.formats` is strict about it.
"""

# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from medo1.chains.wordlists import NUMBERS, ORDINALS, PARTS, STEP_WORDS, SUMMING_UP

_DASHES = "\\-‐‑‒–—―−"
_STEP = "|".join(STEP_WORDS)
_WORDS = "|".join(sorted(NUMBERS, key=len, reverse=True))
_ORDINAL = "|".join(sorted(ORDINALS, key=len, reverse=True))
_SIGNS = re.compile(r"(?:[^\w\n]|_)*")  # what may stand before a line's first word
_HEAD = re.compile(
    r"(?:\d{1,2}[.)][ \t]+[*_]*)?(?:(?:reasoning|diagnostic|clinical|logical|solution|analysis)[ \t]+)?"
    rf"(?:(?:{_STEP})[ \t-]*(?:no\.?|nr\.?|number|nummer|numéro|número|n[°º]|\#)?[ \t]*[*_]*"
    rf"(?P<number>\d{{1,3}}|{_WORDS})(?![^\W_])"
    rf"|(?P<ordinal>{_ORDINAL})[ \t]+(?:{_STEP})\b"
    r"|(?:步[骤驟][ \t]*|第[ \t]*)(?P<chinese>\d{1,3}|[一二三四五六七八九十]{1,2})(?:[ \t]*步)?)"
    r"(?!\.\d)(?:[ \t]*(?:/|of|von|sur|de)[ \t]*\d{1,3}\b)?"
    rf"(?P<sign>[ \t*_`]*(?:[:：.．,，、)）\]】>|→~]+|[{_DASHES}]|(?=\()|$)|[*_`]+)?",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"(?P<indent>[ \t]*)(?P<signs>(?:[^\w\n]|_)*)(?:(?P<number>\d{1,3})(?:[ \t]*[.．、)）\]】:：](?!\d)|\ufe0f?\u20e3"
    r"|[ \t]+[–—-][ \t])"
    r"|(?P<chinese>[一二三四五六七八九十]{1,2})[、.．])[ \t]*"
)
_PART_NAMES = "|".join(f"(?P<{part}>{names})" for part, names in PARTS.items())
_PART = re.compile(
    r"(?:(?:\d{1,2}|[a-d])[.)][ \t]*[*_]*)?"
    rf"(?:(?:{_STEP})[ \t]*\d{{1,3}}[ \t]*[:{_DASHES}]?[ \t]*)?"
    r"(?P<qualified>(?:[^\W\d_][\w'’]*[ \t-]+){1,2}?)?"  # `key evidence`; then a colon must follow
    rf"(?:{_PART_NAMES})(?![^\W_])"
    rf"(?P<more>[ \t]*\([^)\n]{{0,50}}\)|[ \t]+(?:of|for|from|and|und|et|y|der|de)\b[^:：\n]{{0,30}}(?=[:：])"
    rf"|[ \t]*[&/][^:：\n]{{0,30}}(?=[:：]))?"
    rf"(?P<sign>[ \t*_`\])】>]*(?:[:：|→]+|[{_DASHES}](?=[ \t])|\.(?=\s|$)|$)|[*_`\])】>]+[ \t]*[:：]?)?[ \t*_`]*",
    re.IGNORECASE | re.MULTILINE,
)
_INSIDE = re.compile(r"(?<=[.;!?|。；)])[ \t*_]+(?=\w)|[ \t]+[–—•|][ \t*_]*(?=\w)|(?:\*\*|__)(?=\w)|(?<=[。；])(?=\w)")
# What marks up and says nothing: code fences, HTML, LaTeX.
_MARKUP = re.compile(
    r"^[ \t]*```.*$|</?(?:b|i|u|em|strong|h[1-6]|p|ul|ol|li|div|span|br|section)\b[^<>\n]{0,80}>"
    r"|\\(?:textbf|textit|emph|(?:sub)*section\*?|paragraph)(?=\{)",
    re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ChainStep:
    """One step of a LongStep chain: its number, all of its text, and its parts where they are marked."""

    number: int
    text: str
    goal: str = ""
    evidence: str = ""
    conclusion: str = ""

    @property
    def says_something(self) -> bool:
        """Whether it holds a word beside the names of its parts."""
        if self.goal or self.evidence or self.conclusion:
            return True
        for start, stop in _lines(self.text):
            label = _label_at(self.text, _first_word(self.text, start, stop), stop)
            if re.search(r"\w", self.text[label.end if label else start : stop]):
                return True
        return False


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where a step begins: its number, the line that it stands in, and where its words begin."""

    number: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Label:
    """The name of a part: which, where it begins (with the line's signs), and where what it says begins."""

    part: Literal["goal", "evidence", "conclusion"]
    start: int
    end: int


def steps_of(text: str) -> tuple[ChainStep, ...]:
    """The numbered steps of a text, in the order in which they stand; none where it numbers nothing.

    `Step 3`, `Schritt drei`, `Troisième étape` and `第三步` are looked for first; bare numbers (`3.`, `## 3)`) count
    only where a text has none of these, and then those of one style: in headings, else in bold, else at the least
    indent.
    """
    text = _MARKUP.sub("", text)
    marks = _before_a_summary(text, list(_named_marks(text)) or _numbered_marks(text))
    steps = []
    for mark, following in pairwise([*marks, None]):
        assert mark is not None
        body = text[mark.end : following.start] if following is not None else _last_body(text[mark.end :])
        steps.append(ChainStep(mark.number, body.strip(" \t\n*_"), **_parts(body)))
    return tuple(steps)


def _lines(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Start and end of each line between two places."""
    end = len(text) if end is None else end
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        yield start, stop
        start = stop + 1


def _first_word(text: str, start: int, stop: int) -> int:
    """Where a line's signs end and its words begin."""
    signs = _SIGNS.match(text, start, stop)
    return signs.end() if signs else start


def _summing_up(text: str, start: int, end: int | None = None) -> int:
    """Where the first line between two places begins that sums up or states the answer; the end where none does."""
    for begin, stop in _lines(text, start, end):
        if SUMMING_UP.match(text, _first_word(text, begin, stop), stop):
            return begin
    return len(text) if end is None else end


def _before_a_summary(text: str, marks: list[_Mark]) -> list[_Mark]:
    """The marks without those of a summary, which counts the steps once more under a heading of its own."""
    for place, (mark, following) in enumerate(pairwise(marks), start=1):
        if following.number <= mark.number and _summing_up(text, mark.end, following.start) < following.start:
            return marks[:place]
    return marks


def _number(match: re.Match[str]) -> int:
    groups = match.groupdict()
    if groups.get("ordinal"):
        return ORDINALS[groups["ordinal"].lower()]
    word = (groups.get("number") or groups.get("chinese") or "").lower()
    return int(word) if word.isdigit() else NUMBERS.get(word, 0)


def _named_marks(text: str) -> Iterator[_Mark]:
    """`Step 3`. Without a sign behind the number (`Step 3 weighs ...`) it is a step only where it is the next one:
    such a line may also speak of a step."""
    last = 0
    for start, stop in _lines(text):
        head = _HEAD.match(text, _first_word(text, start, stop), stop)
        if head is None:
            continue
        number = _number(head)
        if head["sign"] is None and number != last + 1:
            continue
        if number == last and _label_at(text, _first_word(text, head.end(), stop), stop):
            continue  # `Step 2 conclusion: ...` is a part of the step that has begun
        last = number
        yield _Mark(number, start, head.end())


def _numbered_marks(text: str) -> list[_Mark]:
    """Bare numbers of one style: the first of heading, bold and plain (at the least indent) that numbers two lines."""
    styles: dict[tuple[int, int], list[_Mark]] = {}
    for start, stop in _lines(text):
        if (found := _NUMBERED.match(text, start, stop)) is None:
            continue
        signs, indent = found["signs"], len(found["indent"].expandtabs(4))
        style = (0, 0) if "#" in signs else (1, 0) if "**" in signs or "__" in signs else (2, indent)
        styles.setdefault(style, []).append(_Mark(_number(found), start, found.end()))
    several = [style for style, marks in styles.items() if len(marks) > 1]
    return styles[min(several or styles)] if styles else []


def _last_body(body: str) -> str:
    """The last step up to where the summing up begins: a line that says so, or the first blank line after its words, or
    after its last part."""
    body = body[: _summing_up(body, body.find("\n") + 1 or len(body))]
    labels = list(_labels(body))
    past = labels[-1].end if labels else 0
    for gap in re.finditer(r"\n[ \t]*\n", body):
        if gap.start() < past or not re.search(r"\w", body[past : gap.start()]):
            continue
        if labels or not _is_title(body[: gap.start()]):
            return body[: gap.start()]
    return body


def _is_title(line: str) -> bool:
    """Whether a step's first paragraph only names it: what it says comes after the blank line."""
    return len(line.split()) <= 12 and line.strip()[-1:] not in {".", "!", "?", "。", ";"}  # noqa: PLR2004


def _labels(body: str) -> Iterator[_Label]:
    """The names of parts: at the beginning of a line, or within one behind a sentence's end or in bold."""
    taken = -1
    for start, stop in _lines(body):
        first = _first_word(body, start, stop)
        places = [(first, False), *((inside.end(), True) for inside in _INSIDE.finditer(body, first, stop))]
        for at, within in places:
            if at > taken and (label := _label_at(body, at, stop, within=within)) is not None:
                taken = label.end
                yield label if within else replace(label, start=start)


def _label_at(text: str, at: int, stop: int, *, within: bool = False) -> _Label | None:
    """The name of a part that stands at `at`, in a line that ends at `stop`."""
    found = _PART.match(text, at, stop)
    if found is None:
        return None
    part = next(part for part in PARTS if found[part])
    sign = found["sign"] or ""
    if not re.search(r"[:：|→]", sign):
        # `Goal Find out ...`: a sentence would not go on with a capital; `But` is also how an English one begins.
        bare = not sign.strip() and not text[found.end() : stop][:1].isupper()
        if within or found["qualified"] or found[part].lower() == "but" or (bare and found.end() < stop):
            return None
    return _Label(part, found.start(), found.end())  # type: ignore[arg-type]


def _parts(body: str) -> dict[str, str]:
    """What each marked part says; of a name that stands twice, the first that says something."""
    parts: dict[str, str] = {}
    for label, following in pairwise([*_labels(body), None]):
        assert label is not None
        said = body[label.end : following.start if following is not None else len(body)].strip(" \t\n*_|-–—•")
        if re.search(r"\w", said) and not parts.get(label.part):
            parts[label.part] = said
    return parts
