"""A Latin letter that another language announces: `答案是C`, `正解はC`, `Ответ: C`, `La respuesta correcta es C`.

Only the letter is Latin: letters of other alphabets that look like it (Cyrillic `В`) are left unread, since they may as well
be the third letter of their own. Called by `medo1.answers.reading` where nothing is stated in English.
"""

from __future__ import annotations

import re

from medo1.answers.labels import label_at
from medo1.answers.statements import Statement, begins_line, clause_start, cues, from_label
from medo1.answers.text import Text

_ASCII_CUES = (
    "respuesta",
    "reponse",
    "antwort",
    "risposta",
    "resposta",
    "jawaban",
    "cevap",
    "odpowied",
    "svar",
    "antwoord",
    "vastaus",
)
_CUES = (
    *_ASCII_CUES,
    *"réponse đáp\xa0án lösung ответ відповідь απάντηση תשובה الإجابة الاجابة الجواب پاسخ उत्तर คำตอบ 答案 正确选项 正確選項 应选 應選 故选 故選 选择 選擇 所以选 因此选 本题选 我选 选项为 答え 正解 解答 정답 답은 답:".replace(
        "\xa0", " "
    )
    .replace("đáp án", "đáp\xa0án")
    .split(" "),
)
_LINK = re.compile(
    r"[\s*_`\"'”’)\]】」]{0,4}(?:[^\W\d_]{1,14}[ ]){0,4}?[\s*_]{0,3}(?:[:：=]|是|为|為|应为|應為|应该是|は|が|는|은|هي|هو|"
    r"है|คือ|είναι|היא|es|est|ist|è|é|là|adalah|ialah|to|är|er|is|это|—|–|-)?\s*(?:la|el|a|a letra|letra|"
    r"die|der|das)?(?=[\s(*_\[\"'“（【\\A-ZＡ-Ｚ])"
)
_BAD = re.compile(r"(?:不|非|错误|錯誤|nicht|pas|\bno|non|não|не|لا|ليس|아닌|incorrect\w*|falsch\w*)\s*$")


def _is_latin(low: str) -> bool:
    """Whether a text holds no letters of another script, mathematical signs and Greek ones apart."""
    try:
        low.encode("cp1252")
    except UnicodeEncodeError:
        return _OTHER_SCRIPT.search(low) is None
    return True


_OTHER_SCRIPT = re.compile("[\u0400-\u1fff\u2e80-\uffff]")


def foreign_statements(text: Text) -> list[Statement]:
    """The statements that are announced in another language."""
    low = text.low
    found: list[Statement] = []
    if " the " in low and (low.isascii() or _is_latin(low)):
        return found
    for cue in _ASCII_CUES if low.isascii() else _CUES:
        cue = cue.replace("\xa0", " ")
        if cue not in low:
            continue
        for at in cues(low, cue):
            link = _LINK.match(text.body, at + len(cue))
            position = link.end() if link is not None else at + len(cue)
            if (
                _BAD.search(low, max(0, at - 12), at)
                or _BAD.search(low, at + len(cue), position)
                or low[position : position + 1] in "不非"
            ):
                continue
            announced = low[at:position]
            formal = ":" in announced or "：" in announced or ord(cue[0]) >= 0x600  # noqa: PLR2004
            label = label_at(text, position, formal=formal)
            if label is None or not (label.strong or label.letter not in "AI" or formal):
                continue
            line = formal and begins_line(low, at)
            rule = "answer_line" if line else "answer_sentence"
            found.append(from_label(text, label, at, clause_start(low, at), rule, "formal" if line else "sentence"))
    return found
