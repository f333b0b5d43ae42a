"""What a text says of its own statements: that it doubts, wavers, takes back, corrects, affirms.

Long thoughts are searched for these again and again, so the search leaps from one
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
_OPENING = r"(?:(?:but|so|and|okay|ok|well|oh|no|hmm{1,8})[,.]?\s{1,8}){0,2}"


class Phrases:
    """Words that may stand anywhere, and words that count only where they open a clause.

    Args:
        words: alternatives that begin with a letter, matched from a word's edge on.
        clauses: alternatives that stand after a mark or at the text's beginning, perhaps after `but` and the like.
        scripts: words of scripts without spaces.
    """

    def __init__(self, words: str, clauses: str = "", scripts: tuple[str, ...] = ()) -> None:
        opens = rf"{_OPENING}(?:{clauses})\b"
        self._first = re.compile(rf"{opens}|{words}") if clauses else re.compile(words)
        self._words = re.compile(words)
        self._later = [re.compile(rf"{GAP}(?:{words})")]
        if clauses:
            self._later.append(re.compile(rf"{_MARKS}\s{{0,8}}+{opens}"))
        self._script = re.compile("|".join(scripts)) if scripts else None

    def stand(self, low: str, start: int = 0, end: int = maxsize) -> bool:
        """Whether one of them stands in a part of a lower-case text."""
        return (
            self._at_start(low, start, end) is not None
            or any(pattern.search(low, start, end) is not None for pattern in self._later)
            or self.foreign(low, start, end)
        )

    def foreign(self, low: str, start: int = 0, end: int = maxsize) -> bool:
        """Whether one of another script stands in a part of a text."""
        return self._script is not None and not low.isascii() and self._script.search(low, start, end) is not None

    def ends(self, low: str, start: int = 0, end: int = maxsize) -> list[int]:
        """Where they end in a part of a lower-case text, in order."""
        first = self._at_start(low, start, end)
        found = [] if first is None else [first]
        patterns = self._later if self._script is None or low.isascii() else [*self._later, self._script]
        for pattern in patterns:
            found += [match.end() for match in pattern.finditer(low, start, end)]
        found.sort()
        return found

    def _at_start(self, low: str, start: int, end: int) -> int | None:
        """Where one ends that stands at the part's beginning, with no gap before it in the part."""
        if start == 0:
            match = self._first.match(low, 0, end)
        elif low[start - 1].isalnum() or low[start - 1] == "_":
            return None
        else:
            match = self._words.match(low, start, end)
        return None if match is None else match.end()


_RETHINKS = (
    r"(?:reconsider(?:ing)?|re-?think\w{0,4}|second[- ]guess\w{0,4}|"
    r"let me re-?(?:evaluat|check|assess|examin|read)\w{0,4})\b"
)

# it takes something back
REVISES = Phrases(
    r"(?:wait|actually|correction|correcting|corrected|sorry|oops|scratch that|i mean|i meant|"
    r"on second thoughts?|my mistake|i made an? (?:mistake|error)|i was wrong|i misread|"
    r"let me (?:correct|revise|reconsider|re-?evaluate|re-?think|re-?assess)|i (?:revise|reconsider|"
    r"retract|stand corrected)|reconsider(?:ing|ed)?|re-?evaluat\w+|re-?assess\w+|re-?examin\w+|"
    r"rethink\w*|revis(?:e|ed|ing)|"
    r"(?:up)?on (?:further |closer |careful )?(?:reflection|review|consideration|analysis|inspection)|"
    r"hold on|hang on|hmm+|change my (?:answer|mind|choice)|"
    r"that(?:['’]s| is| was) (?:wrong|incorrect|not (?:right|correct)|an? (?:mistake|error|slip))|(?:my|a|"
    r"the) (?:mistake|error|slip)\b|"
    r"double[- ]check\w{0,4})\b|no[,.!—–-]",
    scripts=("等等", "不对", "更正"),
)
# it weighs further: words that open a sentence of thinking aloud
DOUBTS = Phrases(
    _RETHINKS,
    r"wait|hmm+|hold on|hang on|alternatively|maybe|perhaps|actually|let me(?! know)|not sure|"
    r"i['’]?m not (?:sure|certain)|unsure|what if|could it be|on second thought|"
    r"i (?:need|have|want) to|i should|i wonder|i['’]ll (?:double|re)|double[- ]check|another (?:possibility|"
    r"thought)",
    ("等等", "再想", "重新考虑", "다시 생각", "잠깐", "待って", "いや、"),
)
# of these, what takes back an answer that a finished text gave: the others open a remark as often (`I should note ...`)
WAVERS = Phrases(
    _RETHINKS,
    r"wait|hmm+|hold on|hang on|not sure|i['’]?m not (?:sure|certain)|unsure|what if|could it be|on second thought|"
    r"i wonder|i['’]ll (?:double|re)|double[- ]check|let me (?:re|double|check|think|see|verify|go back|look|"
    r"consider)|"
    r"i (?:need|have|want|should)(?: to)? (?:re(?!commend|mind)|double|think|check (?:again|whether|if)|look|"
    r"consider|"
    r"go back|see)|(?:maybe|perhaps|actually|alternatively),? (?:no\b|wait|it|the (?:answer|correct|right)|i\b|we\b|"
    r"option|\(?[a-j]\b)",
    ("等等", "再想", "重新考虑", "다시 생각", "잠깐", "待って", "いや、"),
)
CONTRASTS = Phrases(
    r"(?:but|however|on the other hand|though|although|yet|let['’]?s|also possible|looking at|"
    r"consider(?:ing)?|check|verify)\b",
    scripts=(
        "不过",
        "但是",
        "，但",
        "。但",
        "然而",
        "하지만",
        "지만,",
        "그러나",
        "그런데",
        "다만",
        "しかし",
        "ただし",
        "ですが",
    ),
)
AFFIRMS = Phrases(
    r"(?:yes|indeed|(?<!me )(?<!to )(?<!should )confirm\w{0,4}|this (?:fits|matches|makes sense|supports)|"
    r"that (?:fits|matches|"
    r"makes sense)|so it (?:is|stands)|stands|remains|i am confident|i'm confident|definitely|"
    r"consistent with)\b"
)
RETRACTS = Phrases(
    r"(?:(?:no, )?that(?:['’]s| is)? (?:wrong|incorrect|not (?:right|correct)|can(?:not|"
    r"['’]?t) be (?:right|correct|it))|i was wrong|i made an? (?:mistake|error)|scratch that|"
    r"(?:that|this|it) (?:can(?:not|['’]?t) be|isn['’]t|is not) (?:right|correct|the answer)|"
    r"disregard (?:that|this|my)|ignore (?:that|my)|i (?:retract|take (?:that|it) back))\b",
)
# a correction may follow: what `holding` then looks at more closely
CORRECTS = Phrases(
    r"(?:wait|actually|correction|sorry|no[ ]?[,.;!—–-]|oops|scratch that|i mean|rather|on second thought|my mistake|"
    r"let me correct|chang)"
)

# a statement that is likely, supposed or another's rather than so
TENTATIVE = re.compile(
    r"\b(?:perhaps|maybe|probably|possibly|likely|seems?|appears?|leaning|lean|guess|suspect|think|thinking|"
    r"thought|might|"
    r"could|suppose|tentative\w{0,3}|so far|for now|initial\w{0,3}|currently|at first|first try|first attempt)\b"
    # said of others: `many would say that the answer is B`
    r"|\b(?:many|some|others|people|students|one|you|textbooks?|experts?|doctors?|clinicians?|colleagues?|"
    r"reviewers?)\b"
    r"[^.\n]{0,24}\b(?:says?|thinks?|argues?|claims?|believes?|chooses?|picks?|considers?)\b"
)
