"""A walk through all options in which exactly one is called correct: `A) ... Incorrect. B) ... Correct. C) ...`.

It counts only where every option has its turn, once and in order, and each turn holds one verdict that stands as a
sentence, a label or a sign of its own (`Correct.`, `**Incorrect**:`, `❌`). So a walk that was cut states nothing, nor
does one that asks for the exception (several correct, one incorrect). Words such as `true` are no verdicts: they
are said of statements, and the question may ask for the false one.
"""
# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re

from medo1.answers.statements import Statement
from medo1.answers.text import BLANK, Text

_WALK = 6000  # characters from the end in which a walk may stand
_TURN = 1200  # characters of one turn
_TURNS = 64  # places that may begin a turn
_TURN_START = re.compile(
    r"(?:(?:\A|\n)[\s>#]{0,6}(?:[-•*+]\s{1,3}|\d{1,2}[.)]\s{1,3})?|(?<=[.!。✅❌✓✗✔✘)*]) {1,2}|(?<=[。；]))"
    r"[*_]{0,3}(?:(?:[Oo]ption|[Cc]hoice|选项)\s?)?[(\[]?(?P<letter>[A-Z])(?:[)\].:：]|[*_]{2}|\s[-–—:]\s|(?<=选项.))"
)
_RIGHT = (
    "correct|right|正确|正確|对|對|正しい|正解|맞음|정답|옳음|richtig|correct[ao]|corret[ao]|corrett[ao]|juste|верно"
)
_WRONG = (
    "incorrect|not correct|wrong|错误|錯誤|不正确|不正確|不对|不對|誤り|間違い|不正解|틀림|오답|falsch|incorrecta|"
    "incorrecto|incorreto|incorreta|errado|errada|sbagliato|sbagliata|scorretto|faux|fausse|неверно"
)
# what a text that begins with an option's label may go on with when it turns the option down
TURNED_DOWN = re.compile(rf"(?:{_WRONG}|false|no|not|never|contraindicated|unlikely)(?!\w)", re.IGNORECASE)
_VERDICT = re.compile(
    r"(?:(?<=[.:：;,!?。，；()\[\]*_—–\n✅❌✓✗✔✘→-])|(?<=[^.]\.\s)|"
    r"\b(?:this|it|that|which) (?:option |choice |answer )?is)"
    r"[ *_]{0,4}"
    rf"(?:(?P<wrong>{_WRONG})|(?P<right>{_RIGHT}))"
    r"(?=[ ]?[*_)\]]{0,4}(?:[.,:;!。，；：—–\n]|\s[-—–]|$|\s(?:because|as|since|for|due)\b))"
    r"|(?P<cross>[❌✗✘])|(?P<tick>[✅✓✔])"
)


def walked_verdict(text: Text) -> Statement | None:
    """The one option that a walk through all of them calls correct, all others being called incorrect."""
    letters = sorted(text.options)
    floor = max(0, len(text.body) - _WALK)
    turns: list[tuple[str, int]] = []
    for match in _TURN_START.finditer(text.body, floor):
        at = match.start("letter")
        if match["letter"] not in text.options or text.cues[at] == BLANK:
            continue
        turns.append((match["letter"], at))
        if len(turns) > _TURNS:
            return None
    turns = turns[-len(letters) :]
    if len(letters) < 2 or [letter for letter, _ in turns] != letters:  # noqa: PLR2004
        return None
    right: list[tuple[str, int]] = []
    end = 0
    for number, (letter, at) in enumerate(turns):
        end = turns[number + 1][1] if number + 1 < len(turns) else _last_turn_end(text, at)
        if end - at > _TURN:
            return None
        verdicts = list(_VERDICT.finditer(text.cues, at + 1, end))
        called = {bool(verdict["right"] or verdict["tick"]) for verdict in verdicts}
        if len(called) != 1:
            return None
        if True in called:
            right.append((letter, at))
    if len(right) != 1:
        return None
    letter, at = right[0]
    return Statement(letter, at, end, at, "conclusion", "verdict")


def _last_turn_end(text: Text, at: int) -> int:
    """Where the last turn ends: with its paragraph."""
    end = text.body.find("\n\n", at)
    return len(text.body) if end < 0 else end
