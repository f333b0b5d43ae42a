"""A text being read and the options that it may name, and when words are an option's own text.

An option's text counts only where all of it stands, word for word, where an answer would stand: never a part of it and
never a likeness (after Unicode, case, white space, kinds of dash and quote, markup and a leading article are evened
out). What stands inside an option's own text is never a cue: `no`, `none of the above` or `is not a treatment option`
may be what is offered, so `Text.cues` has these places blanked.
"""

# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple


def words(text: str) -> frozenset[str]:
    """The words of a text, for lists of words that patterns look at."""
    return frozenset(text.split())


BLANK = "\x7f"  # stands in `Text.cues` for each character of an option's own text


class Offered(NamedTuple):
    """What is known of a question's options: it is read with each of its samples, so it is kept.

    Attributes:
        plain: letter to option text as `plain` gives it.
        tokens: letter to the words of its text, without articles.
        misleading: texts that hold words that are cues elsewhere, in lower case, and where they are blanked (None:
            everywhere).
        starts: the two characters that the plain texts begin with.
    """

    plain: dict[str, str]
    tokens: dict[str, tuple[str, ...]]
    misleading: tuple[tuple[str, re.Pattern[str] | None], ...]
    starts: frozenset[str]


class Text:
    """A text as written, the same in lower case position by position, and the options.

    Attributes:
        body: as written.
        low: in lower case.
        cues: in lower case, with options' own texts blanked where they hold words that are cues elsewhere.
        options: letter to text.
        offered: what is known of the options.
    """

    __slots__ = ("body", "cues", "low", "offered", "options")

    def __init__(self, body: str, low: str, options: Mapping[str, str]) -> None:
        self.body = body
        self.low = low
        self.options = options
        self.offered = _offered(tuple(options.items()))
        for own, pattern in self.offered.misleading:
            if own not in low:
                continue
            low = low.replace(own, BLANK * len(own)) if pattern is None else pattern.sub(_blank, low)
        self.cues = low

    def upto(self, end: int) -> Text:
        """The text's beginning."""
        return Text(self.body[:end], self.low[:end], self.options)


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
_ARTICLES = ("the ", "an ", "a ", "to ")
_SPACES = re.compile(r"\s+")
_ARTICLE = re.compile(r"(?:the|an|a) (?=\S)")
_TOKEN = re.compile(r"[^\W_]+")
_SKIPPED = frozenset(("the", "a", "an", "and"))
# words of an option's text that are cues elsewhere, and capital letters that look like labels
_MISLEADS = re.compile(
    r"(?i:\b(?:answers?|options?|choices?|cho(?:ose|sen|osing)|select(?:ed|ion|ing)?|picks?|no|not|none|never|neither|"
    r"wait|actually|sorry|correct(?:ion|ed)?|incorrect|wrong|rather|if|unless|but|however|maybe|perhaps|might|could|best|"
    r"diagnosis|question|let|reconsider\w*|re-?evaluat\w*|revis\w+|first|final)\b|n['’]t\b)"
    r"|(?<![A-Za-z0-9])[A-Z](?![A-Za-z0-9])"
)
_STATES = re.compile(r"(?i:answer(?: is|:)|^i )")  # a text that is a statement where no letter stands before it
_LONG = 3  # words of an option's text that is blanked wherever it stands; a shorter one only behind its own letter


def plain(text: str) -> str:
    """A text as option texts are compared: NFKC, lower case, one kind of dash and quote, no markup, single spaces, no
    leading article, no punctuation at either end."""
    return _evened(text).strip(" .;:,'\"")


@lru_cache(maxsize=4096)
def _offered(options: tuple[tuple[str, str], ...]) -> Offered:
    evened = {letter: plain(text) for letter, text in options}
    tokens = {letter: tokens_of(text) for letter, text in options}
    misleading = tuple(
        (text.lower().strip(" ."), _where(letter, text))
        for letter, text in options
        if len(text.strip(" .")) > 1 and _MISLEADS.search(text)
    )
    return Offered(evened, tokens, misleading, frozenset(text[:2] for text in evened.values()))


def tokens_of(text: str) -> tuple[str, ...]:
    """The words and numbers of a text in lower case, without articles and `and`, plurals as singulars."""
    return tuple(_singular(word) for word in _TOKEN.findall(text.lower()) if word not in _SKIPPED)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] == "s" else word  # noqa: PLR2004


def _where(letter: str, option: str) -> re.Pattern[str] | None:
    """Where an option's text is blanked: a long one everywhere, a short one only behind its own letter."""
    if option.count(" ") + 1 >= _LONG and not _STATES.search(option):
        return None
    own = re.escape(option.lower().strip(" ."))
    return re.compile(rf"((?<![^\W_]){letter.lower()}[ *_:.)\-–—(\"'\[\]\n]{{1,6}})(?<![^\W_])({own})(?![^\W_])")


def _blank(found: re.Match[str]) -> str:
    return found[1] + BLANK * len(found[2])


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
    r"rm))\s{0,4}\{?){0,3}[*_\"'“(]{0,4}(?:(?:the|an|a|to)\s{1,4})?[*_\"'“(]{0,4}",
    re.IGNORECASE,
)
_CLEAN_END = re.compile(
    r"[ ]?[)\]}\"'|]{0,4}(?:$|[.!;:?](?![\w%])|[)\]}\"'|<]| ?[(\[]| -{1,2} |, (?:which|as|because|since|"
    r"due|given|so|a|an|the|i\.?e\.?,? (?:the )?(?:option|choice|letter|answer)|but|it|this|making|"
    r"based|not|and (?:the|this|thus|therefore|it)|followed)\b"
    r"| (?:because|since|as|which|due to|given|based on|is|was|are|for this|for the|in this|making|would|"
    r"at this|rather than|not|therefore)\b)"
)
_ALIKE = 0.88  # likeness of an option's text as written and as offered that is a matter of spelling
_ALIKE_WORD = 0.7  # of its last word
_ROOM = 60  # characters that an option's text may be written longer than it is


def option_at(text: Text, position: int) -> Named | None:
    """The option whose whole text stands at `position`.

    Where one option's text begins with another's, the longer one that stands there counts. A text that two options
    share names neither.
    """
    lead = _LEAD.match(text.body, position)
    start = lead.end() if lead else position
    if not _may_name(text, start):
        return None
    options = text.offered.plain
    limit = start + max(map(len, options.values()), default=0) + _ROOM
    line_end = text.body.find("\n", start, limit)
    chunk = text.body[start : line_end if line_end >= 0 else limit]
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


def _may_name(text: Text, start: int) -> bool:
    """Whether an option's text may stand at `start`: a quick look at two characters, wrong on the safe side."""
    two = text.low[start : start + 2]
    starts = text.offered.starts
    return (
        two in starts
        or not (two.isascii() and two.isalnum())
        or two[0] in starts
        or text.low.startswith(_ARTICLES, start)
    )


def _written_length(chunk: str, option: str) -> int:
    """How many characters of `chunk` the option's text takes as it is written there."""
    if chunk.lower().startswith(option):
        return len(option)
    for length in range(min(len(option), len(chunk)), min(len(option) + 24, len(chunk)) + 1):
        if _evened(chunk[:length]).rstrip(" .") == option:
            return length
    return min(len(option), len(chunk))


_BETWEEN = re.compile(r"[\s*_`\"'“(\[:：.,)\]\-–—=]{0,8}")


def own_text(text: Text, letter: str, position: int) -> tuple[int, bool]:
    """Where the option's own text ends that begins at `position`, and whether all of it stands there.

    `(0, False)` where it does not begin there. Its first word suffices, models shorten what they repeat after a letter;
    articles, `and`, plurals and marks may differ. What ends is the last word that agrees.
    """
    own = text.options.get(letter)
    if not own:
        return 0, False
    between = _BETWEEN.match(text.low, position)
    start = between.end() if between else position
    low = own.lower().strip(" *_\"'(.")
    if text.low.startswith(low, start) and not text.low[start + len(low) : start + len(low) + 1].isalnum():
        return start + len(low), True
    end, whole = _agreeing(text.low, start, text.offered.tokens[letter], start + len(own) + _ROOM)
    if end and not whole:
        line_end = text.body.find("\n", start, start + 2 * len(own) + _ROOM)
        written = text.body[start : line_end if line_end >= 0 else start + 2 * len(own) + _ROOM]
        written = written.rstrip(" .*_)\"'`\r")
        if abs(len(written) - len(own)) <= max(4, len(own) // 8) and restates(written, own):
            return start + len(written), True
    return end, whole


def _agreeing(low: str, start: int, wanted: tuple[str, ...], limit: int) -> tuple[int, bool]:
    """Where the words from `start` on stop to be the `wanted` ones, and whether all of these stand there."""
    end = count = 0
    for word in _TOKEN.finditer(low, start, limit):
        if low.find("\n", end or start, word.start()) >= 0:
            break
        if count < len(wanted) and _singular(word[0]) == wanted[count]:
            count, end = count + 1, word.end()
        elif word[0] not in _SKIPPED:
            break
    if not count or (count == 1 < len(wanted) and len(wanted[0]) <= 2):  # noqa: PLR2004
        return 0, False
    return end, count == len(wanted)


def restates(written: str, option: str) -> bool:
    """Whether `written` is an option's text to its last word, spelling and marks aside."""
    wrote, wanted = tokens_of(written), tokens_of(option)
    if not wrote or not wanted:
        return False
    last, whole = _TOKEN.findall(written.lower())[-1], _TOKEN.findall(option.lower())[-1]
    if last != whole and whole.startswith(last):
        return False  # its last word has only begun
    if wrote == wanted:
        return option.rstrip(" .")[-1:].isalnum() or written.rstrip(" .")[-1:] == option.rstrip(" .")[-1:]
    if abs(len(wrote) - len(wanted)) > 1:
        return False
    if wrote[-1] != wanted[-1] and SequenceMatcher(None, wrote[-1], wanted[-1]).ratio() < _ALIKE_WORD:
        return False
    same = SequenceMatcher(None, " ".join(wrote), " ".join(wanted), autojunk=False)
    return same.quick_ratio() >= _ALIKE and same.ratio() >= _ALIKE


def own_text_follows(text: Text, letter: str, position: int) -> int:
    """Where the option's own text ends that begins at `position`; 0 where it does not begin there."""
    return own_text(text, letter, position)[0]
