"""A text being read and the options that it may name, and the clean match of an option's text.

An option's text counts only where all of it stands, word for word, where an answer would stand: never a part of it
and never a likeness (after Unicode, case, white space, kinds of dash and quote, markup and a leading article are
evened out). Called by every other module of this package.
"""

# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple


def words(text: str) -> frozenset[str]:
    """The words of a text, for lists of words that patterns look at."""
    return frozenset(text.split())


class Offered(NamedTuple):
    """What is known of a question's options: it is read with each of its samples, so it is kept.

    Attributes:
        plain: letter to option text as `plain` gives it.
        starts: the two characters that these texts begin with.
        openings: how the texts begin as they are written, in lower case, without a leading `the`.
    """

    plain: dict[str, str]
    starts: frozenset[str]
    openings: tuple[str, ...]


class Text:
    """A text as written, the same in lower case position by position, and the options."""

    __slots__ = ("_offered", "body", "low", "options", "read")

    def __init__(self, body: str, low: str, options: Mapping[str, str]) -> None:
        self.body = body
        self.low = low
        self.options = options
        self.read: dict[int, Any] | None = None  # statements around the word `answer` by its place: see `nouns`
        self._offered: Offered | None = None

    @property
    def offered(self) -> Offered:
        """What is known of the options; looked up when first needed."""
        if self._offered is None:
            self._offered = _offered(tuple(self.options.items()))
        return self._offered

    @property
    def plain(self) -> dict[str, str]:
        """Letter to option text as `plain` gives it."""
        return self.offered.plain

    def may_name(self, start: int) -> bool:
        """Whether an option's text may stand at `start`: a quick look at two characters, wrong on the safe side."""
        two = self.low[start : start + 2]
        starts = self.offered.starts
        return (
            two in starts
            or not (two.isascii() and two.isalnum())
            or two[0] in starts
            or self.low.startswith(_ARTICLES, start)
        )


class Named(NamedTuple):
    """An option named by its whole text, and where."""

    letter: str
    start: int
    end: int


_EVEN = (
    dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
    | dict.fromkeys(map(ord, "“”«»"), '"')
    | dict.fromkeys(map(ord, "‘’´`"), "'")
    | dict.fromkeys(map(ord, "*_~$\\"), None)
)
_EVEN_ASCII = {code: even for code, even in _EVEN.items() if code < 0x80}  # noqa: PLR2004
SILENT = " .*_)\n"  # these may stand after a statement and say nothing
_ARTICLES = ("the ", "an ", "a ")
_SPACES = re.compile(r"\s+")
_ARTICLE = re.compile(r"(?:the|an|a) (?=\S)")


def plain(text: str) -> str:
    """A text as option texts are compared: NFKC, lower case, one kind of dash and quote, no markup, single spaces, no
    leading article, no punctuation at either end."""
    return _evened(text).strip(" .;:,'\"")


@lru_cache(maxsize=4096)
def _offered(options: tuple[tuple[str, str], ...]) -> Offered:
    evened = {letter: plain(text) for letter, text in options}
    starts = frozenset(text[:2] for text in evened.values())
    return Offered(evened, starts, tuple(text[:16].lower().removeprefix("the ") for _, text in options))


def _evened(text: str) -> str:
    if text.isascii():  # NFKC leaves it as it is
        evened = text.translate(_EVEN_ASCII).lower()
    else:
        evened = unicodedata.normalize("NFKC", text).translate(_EVEN).lower()
    evened = _SPACES.sub(" ", evened).lstrip(" '\"")
    article = _ARTICLE.match(evened)
    return evened[article.end() :] if article else evened


# what may open an option's text, and what must follow it for the match to be clean
_LEAD = re.compile(
    r"[\s*_`~\"'“”‘’«»「」『』【】\[({$|>:：=–—✅→]{0,24}(?:\\(?:boxed|text(?:bf|rm|it)?|math(?:bf|"
    r"rm))\s*\{?){0,3}[*_\"'“(]{0,4}(?:(?:the|an|a|to)\s+)?[*_\"'“(]{0,4}",
    re.IGNORECASE,
)
_CLEAN_END = re.compile(
    r"[ ]?[)\]}\"'|]{0,4}(?:$|[.!;:?](?![\w%])|[)\]}\"'|<]| ?[(\[]| -{1,2} |, (?:which|as|because|since|"
    r"due|given|so|a|an|the|i\.?e\.?,? (?:the )?(?:option|choice|letter|answer)|but|it|this|making|"
    r"based|not|and (?:the|this|thus|therefore|it)|followed)\b"
    r"| (?:because|since|as|which|due to|given|based on|is|was|are|for this|for the|in this|making|would|"
    r"at this|rather than|not|therefore)\b)"
)


def option_at(text: Text, position: int) -> Named | None:
    """The option whose whole text stands at `position`.

    Where one option's text begins with another's, the longer one that stands there counts. A text that two options
    share names neither.
    """
    lead = _LEAD.match(text.body, position)
    start = lead.end() if lead else position
    if not text.may_name(start):
        return None
    options = text.plain
    longest = max(map(len, options.values()), default=0)
    line_end = text.body.find("\n", start, start + longest + 60)
    chunk = text.body[start : line_end if line_end >= 0 else start + longest + 60]
    stands = _evened(chunk)
    found = [(len(option), letter) for letter, option in options.items() if option and stands.startswith(option)]
    found = [(size, letter) for size, letter in found if _CLEAN_END.match(stands, size)]
    if not found:
        return None
    size = max(found)[0]
    best = [letter for length, letter in found if length == size]
    if len(best) > 1:
        return None
    return Named(best[0], start, start + _written_length(chunk, options[best[0]]))


def _written_length(chunk: str, option: str) -> int:
    """How many characters of `chunk` the option's text takes as it is written there."""
    if chunk.lower().startswith(option):
        return len(option)
    for length in range(min(len(option), len(chunk)), min(len(option) + 24, len(chunk)) + 1):
        if _evened(chunk[:length]).rstrip(" .") == option:
            return length
    return min(len(option), len(chunk))


_BETWEEN = re.compile(r"[\s*_`\"'“(\[:：.,)\]\-–—=]{0,8}")
_WORD = re.compile(r"[^\W\d_]+")


def own_text_follows(text: Text, letter: str, position: int) -> int:
    """Where the option's own text that begins at `position` ends; 0 where it does not begin there.

    Its first word suffices (models shorten what they repeat after a letter), but then only that word's end is returned.
    """
    own = text.options.get(letter)
    if not own:
        return 0
    own = own.lower().strip(" *_\"'(")
    between = _BETWEEN.match(text.low, position)
    start = between.end() if between else position
    if text.low.startswith(own, start):
        return start + len(own)
    word = _WORD.match(own)
    if word is None or len(word[0]) <= 2 or not text.low.startswith(word[0], start):  # noqa: PLR2004
        return 0
    end = start + len(word[0])
    return 0 if text.low[end : end + 1].isalnum() else end
