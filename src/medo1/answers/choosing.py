"""Statements of choosing: `I would choose C`, `I'll go with option C`, `the best option is (C)`.

They decide where no statement with the word `answer` does, and stand against one that comes before them. Called by
`medo1.answers.reading`.
"""
# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re

from medo1.answers.labels import label_at
from medo1.answers.nouns import LENGTH, previous_word, statement_around
from medo1.answers.statements import Cue, Statement, begins_line, clause_start, conditional, cues, from_label
from medo1.answers.text import Text, words

_GOOD = words(
    """best correct right final chosen selected preferred optimal ideal accurate suitable appropriate likely fitting
    reasonable valid true proper my only strongest closest recommended answer treatment diagnostic management
    therapeutic"""
)
_NOT_GOOD = words("least incorrect not inaccurate inappropriate wrong false second next n't isn't")
_NOUNS = ("choice", "option")
_SHORT = 400  # characters in which one look for any cue is faster than one for each
_ANY_CUE = re.compile(r"cho[ios]|option|select|pick|(?:go|going) with|opt(?:ing)? for")
# how a cue begins, and the verbs that begin so
_VERBS = {"cho": ("choos", "chose"), "opt": ("opt for", "opting for"), "select": ("select",), "pick": ("pick",),
          "go": ("go with", "going with")}  # fmt: skip
_CHOOSER = re.compile(
    r"(?:\b(?:i|we|let['’]?s|let me|let us|therefore|thus|so|hence|finally|my)(?:['’](?:ll|d|m|ve|re))?,?\s+"
    r"(?:(?:\w+ly|will|would|have|am|are|was|can|should|must|shall|had|need|decided|going|inclined|choose|prefer|want|to|"
    r"now|then|still|also|best|opt|the)\s+){0,4}|^[\s*_>#-]*)$"
)
_TAIL = re.compile(r"(?:e|s|ing|ed|en)?(?:\s+(?:for|with|on|the|answer|is|as|my|final|to|that))*(?=[\s:*_])[\s:*_]*")
_MERE = re.compile(r"\b(?:might|may|could|why)\b")
_NEGATIONS = ("not", "n't", "n’t", "never")


def choice_statements(text: Text, start: int = 0) -> list[Statement]:
    """Statements of choosing, from `start` on."""
    low = text.low
    if len(low) - start < _SHORT and _ANY_CUE.search(low, start) is None:
        return []
    found = []
    for cue, verbs in _VERBS.items():
        for at in cues(low, cue, start):
            statement = None
            if low.startswith(_NOUNS, at):
                if low[at + LENGTH : at + LENGTH + 1].isalpha():
                    continue  # `options`
                if _is_good(low, at) or (cue == "cho" and begins_line(low, at)):
                    statement = statement_around(text, at, "choice")
            else:
                verb = next((verb for verb in verbs if low.startswith(verb, at)), None)
                if verb is not None:
                    statement = _chosen(text, at, at + len(verb))
            if statement is not None:
                found.append(statement)
    return found


def _is_good(low: str, at: int) -> bool:
    """Whether the noun at `at` is called best, correct and the like; `choosing the best option` is a heading."""
    before = low[max(0, at - 40) : at]
    return previous_word(low, 0, at) in _GOOD and "ing the " not in before and _NOT_GOOD.isdisjoint(before.split()[-3:])


def _chosen(text: Text, at: int, end: int) -> Statement | None:
    """What the verb from `at` to `end` chooses, where the model is its subject."""
    low = text.low
    if at and low[at - 1].isalnum():
        return None
    tail = _TAIL.match(low, end)
    label = label_at(text, tail.end()) if tail is not None else None
    if label is None:
        return None
    clause = clause_start(low, at)
    left = low[clause:at]
    if _CHOOSER.search(left) is None:
        return None
    cue = Cue(at, clause, "choice_sentence", "choice")
    if any(negation in left for negation in _NEGATIONS):
        return cue.denies(label.end, label.letter)
    statement = from_label(text, label, cue)
    if statement.weak is None and (conditional(low, clause, at) or _MERE.search(left)):
        statement.weak = "doubt"
    return statement
