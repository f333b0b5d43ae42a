"""A Latin letter that another language announces: `答案是C`, `正解はC`, `Ответ: C`, `La respuesta correcta es C`.

Only Latin letters are read: letters of other alphabets that look like one (the Cyrillic letter Ve looks like B) may as
well be the third letter of their own. Called by `medo1.answers.reading` where nothing is stated in English.
"""
# ruff: noqa: RUF001  (patterns hold the marks and letters that models write)

from __future__ import annotations

import re

from medo1.answers.labels import label_at
from medo1.answers.statements import Cue, Statement, begins_line, clause_start, cues, from_label
from medo1.answers.text import Text

_ASCII_CUES = (
    "respuesta", "reponse", "antwort", "risposta", "resposta", "jawaban", "cevap", "odpowied", "svar", "antwoord",
    "vastaus",
)  # fmt: skip
_CUES = (
    *_ASCII_CUES,
    "réponse", "đáp án", "lösung", "ответ", "відповідь", "απάντηση", "תשובה", "الإجابة", "الاجابة", "الجواب", "پاسخ",
    "उत्तर", "คำตอบ", "答案", "正确选项", "正確選項", "应选", "應選", "故选", "故選", "选择", "選擇", "所以选", "因此选",
    "本题选", "我选", "选项为",
    "诊断是", "诊断为", "诊断应为", "最可能是", "答え", "正解", "解答", "정답", "답은", "답:",
)  # fmt: skip
_LINK = re.compile(
    r"[\s*_`\"'”’)\]】」]{0,4}(?:[^\W\d_]{1,14}[ ]){0,4}?[\s*_]{0,3}"
    r"(?:[:：=]|是|为|為|应为|應為|应该是|は|が|는|은|هي|هو|है|คือ|είναι|היא|es|est|ist|è|é|là|adalah|ialah|to|är|er|is|"
    r"это|—|–|-)?[:：]?\s*(?:la|el|a|a letra|letra|die|der|das)?(?=[\s(*_\[\"'“（【\\A-ZＡ-Ｚ])"
)
_BAD = re.compile(r"(?:不|非|错误|錯誤|nicht|pas|\bno|non|não|не|لا|ليس|아닌|incorrect\w*|falsch\w*)\s*$")
# In UTF-8 a character's first byte tells its script. These are ASCII, all further bytes, and the first ones of U+0080
# to U+03FF, of U+2000 to U+2FFF (signs) and of U+10000 on (pictures): what a text holds beside them is another script.
_NO_OTHER_SCRIPT = bytes([*range(0xD0), 0xE2, *range(0xF0, 0xF8)])
_SPACELESS = 0x600  # scripts from here on stand against a letter without a space


def foreign_statements(text: Text) -> list[Statement]:
    """The statements that are announced in another language."""
    low = text.low
    if " the " in low and _is_latin(low):
        return []
    found = []
    for word in _ASCII_CUES if low.isascii() else _CUES:
        for at in cues(low, word):
            statement = _announced(text, at, word)
            if statement is not None:
                found.append(statement)
    return found


def _is_latin(low: str) -> bool:
    """Whether a text holds no letters of another script, Greek ones and mathematical signs apart."""
    if low.isascii():
        return True
    return not low.encode(errors="replace").translate(None, _NO_OTHER_SCRIPT)


def _announced(text: Text, at: int, word: str) -> Statement | None:
    """The letter that the word at `at` announces."""
    low = text.low
    end = at + len(word)
    link = _LINK.match(text.body, end)
    position = link.end() if link is not None else end
    denied = _BAD.search(low, max(0, at - 12), at) or _BAD.search(low, end, position)
    if denied or low[position : position + 1] in ("不", "非"):
        return None
    formal = ":" in low[at:position] or "：" in low[at:position] or ord(word[0]) >= _SPACELESS
    label = label_at(text, position, formal=formal)
    if label is None or not (formal or label.strong or label.letter not in "AI"):
        return None
    if formal and begins_line(low, at):
        return from_label(text, label, Cue(at, at, "answer_line", "formal"))
    return from_label(text, label, Cue(at, clause_start(low, at), "answer_sentence", "sentence"))
