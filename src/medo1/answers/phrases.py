"""What a text says of its own statements: that it doubts, wavers, takes back, corrects, affirms.

Called by `medo1.answers.holding`. Long thoughts are searched for these again and again, so the search leaps from one
mark, or one gap between words, to the next: a pattern that begins with a set of characters is five times as fast as one
that begins with a word's edge.
"""
# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re
from sys import maxsize

# what may stand before a word: all but letters, digits and `_`, spelled out so that the search can leap
GAP = r"[\x00-/:-@\[-^`{-\xa9\xab-\xb1\xb4\xb6-\xb8\xbb\xbf\u2000-\u206f\u2190-\u27bf、。「」『』【】！（），：；？]"
_MARKS = r"[.!?:;,\n—–-]"
_OPENING = r"(?:(?:but|so|and|okay|ok|well|oh|no|hmm+)[,.]?\s+){0,2}"


class Phrases:
    """Words that may stand anywhere, and words that count only where they open a clause.

    Args:
        words: alternatives that begin with a letter, matched from a word's edge on.
        clauses: alternatives that stand after a mark or at the text's beginning, perhaps after `but` and the like.
        scripts: words of scripts without spaces.
        hints: texts of which one stands in all that `words` finds; without them the search for `words` is left out.
    """

    def __init__(
        self, words: str, clauses: str = "", scripts: tuple[str, ...] = (), hints: tuple[str, ...] = ()
    ) -> None:
        opens = rf"{_OPENING}(?:{clauses})\b"
        self._clauses = re.compile(rf"{_MARKS}\s*+{opens}") if clauses else None
        self._later = re.compile(rf"{GAP}(?:{words})")
        self._words = re.compile(words)
        self._first = re.compile(rf"{opens}|{words}") if clauses else self._words
        self._script = re.compile("|".join(scripts)) if scripts else None
        self._hints = hints

    def stand(self, low: str, start: int = 0, end: int = maxsize) -> bool:
        """Whether one of them stands in a part of a lower-case text."""
        if self._at_start(low, start, end) is not None:
            return True
        return any(pattern.search(low, start, end) is not None for pattern in self._patterns(low, start, end))

    def ends(self, low: str, start: int = 0, end: int = maxsize) -> list[int]:
        """Where they end in a part of a lower-case text, in order."""
        first = self._at_start(low, start, end)
        found = [] if first is None else [first]
        for pattern in self._patterns(low, start, end):
            found += [match.end() for match in pattern.finditer(low, start, end)]
        found.sort()
        return found

    def _patterns(self, low: str, start: int, end: int) -> list[re.Pattern[str]]:
        """The patterns that may find something behind the part's beginning."""
        patterns = [] if self._clauses is None else [self._clauses]
        if not self._hints or any(map(low[start:end].__contains__, self._hints)):
            patterns.append(self._later)
        if self._script is not None and not low.isascii():
            patterns.append(self._script)
        return patterns

    def _at_start(self, low: str, start: int, end: int) -> int | None:
        """Where one ends that stands at the part's beginning, with no gap before it in the part."""
        if start == 0:
            match = self._first.match(low, 0, end)
        elif low[start - 1].isalnum() or low[start - 1] == "_":
            return None
        else:
            match = self._words.match(low, start, end)
        return None if match is None else match.end()


_HINTS = ("reconsider", "rethink", "re-think", "guess")
_RETHINKS = r"(?:reconsider(?:ing)?|re-?think\w*|second[- ]guess\w*)\b"

# it takes something back
REVISES = Phrases(
    r"(?:wait|actually|correction|correcting|corrected|sorry|oops|scratch that|i mean|i meant|"
    r"on second thoughts?|my mistake|i made an? (?:mistake|error)|i was wrong|i misread|"
    r"let me (?:correct|revise|reconsider|re-?evaluate|re-?think|re-?assess)|i (?:revise|reconsider|"
    r"retract|stand corrected)|reconsider(?:ing|ed)?|re-?evaluat\w+|re-?assess\w+|re-?examin\w+|"
    r"rethink\w*|revis(?:e|ed|ing)|"
    r"(?:up)?on (?:further |closer |careful )?(?:reflection|review|consideration|analysis|inspection)|"
    r"hold on|hang on|hmm+|change my (?:answer|mind|choice)|"
    r"that(?:['’]s| is) (?:wrong|incorrect|not (?:right|correct))|double[- ]check\w*)\b|no[,.!—–-]",
    scripts=("等等", "不对", "更正"),
)
# it weighs further: words that open a sentence of thinking aloud
DOUBTS = Phrases(
    _RETHINKS,
    r"wait|hmm+|hold on|hang on|alternatively|maybe|perhaps|actually|let me(?! know)|not sure|"
    r"i['’]?m not (?:sure|certain)|unsure|what if|could it be|on second thought|"
    r"i (?:need|have|want) to|i should|i wonder|i['’]ll (?:double|re)|double[- ]check|another (?:possibility|thought)",
    ("等等",),
    _HINTS,
)
# of these, what takes back an answer that a finished text gave: the others open a remark as often (`I should note ...`)
WAVERS = Phrases(
    _RETHINKS,
    r"wait|hmm+|hold on|hang on|not sure|i['’]?m not (?:sure|certain)|unsure|what if|could it be|on second thought|"
    r"i wonder|i['’]ll (?:double|re)|double[- ]check|let me (?:re|double|check|think|see|verify|go back|look|consider)|"
    r"i (?:need|have|want|should)(?: to)? (?:re(?!commend|mind)|double|think|check (?:again|whether|if)|look|consider|"
    r"go back|see)|(?:maybe|perhaps|actually|alternatively),? (?:no\b|wait|it|the (?:answer|correct|right)|i\b|we\b|"
    r"option|\(?[a-j]\b)",
    ("等等",),
    _HINTS,
)
CONTRASTS = Phrases(
    r"(?:but|however|on the other hand|though|although|yet|let['’]?s|also possible|looking at|"
    r"consider(?:ing)?|check|verify)\b",
    scripts=("不过", "但是"),
)
AFFIRMS = Phrases(
    r"(?:yes|indeed|confirm\w*|this (?:fits|matches|makes sense|supports)|that (?:fits|matches|"
    r"makes sense)|so it (?:is|stands)|stands|remains|i am confident|i'm confident|definitely|"
    r"consistent with)\b"
)
RETRACTS = Phrases(
    r"(?:(?:no, )?that(?:['’]s| is)? (?:wrong|incorrect|not (?:right|correct)|can(?:not|"
    r"['’]?t) be (?:right|correct|it))|i was wrong|i made an? (?:mistake|error)|scratch that|"
    r"(?:that|this|it) (?:can(?:not|['’]?t) be|isn['’]t|is not) (?:right|correct|the answer)|"
    r"disregard (?:that|this|my)|ignore (?:that|my)|i (?:retract|take (?:that|it) back))\b",
    hints=(
        "wrong",
        "correct",
        "right",
        "be it",
        "the answer",
        "mistake",
        "scratch",
        "regard",
        "ignore",
        "retract",
        "back",
    ),
)
# a correction may follow: what `holding` then looks at more closely
CORRECTS = Phrases(
    r"(?:wait|actually|correction|sorry|no[ ]?[,.;!—–-]|oops|scratch that|i mean|rather|on second thought|my mistake|"
    r"let me correct|chang)"
)
