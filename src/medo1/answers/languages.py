"""A Latin letter that another language announces: `答案是C`, `정답은 C입니다`, `La respuesta correcta es C`.

Only Latin letters are read: letters of other alphabets that look like one (the Cyrillic letter Ve looks like B) may as
well be the third letter of their own. The words are rows of `medo1.answers.rules.CUES`.
"""
# ruff: noqa: RUF001  (patterns hold the marks and letters that models write)

from __future__ import annotations

import re
from itertools import islice

from medo1.answers.candidates import LETTER_OF, Mention, label_at, named_at
from medo1.answers.rules import Cue, rows
from medo1.answers.statements import LAST_CUES, Announced, Statement, begins_line, clause_start, cues, statement_of
from medo1.answers.text import BLANK, Text

_ROWS = rows("language")

# between the word and the letter: some words, a verb or a colon, an article
_LINK = re.compile(
    r"[\s*_`\"'”’)\]】」]{0,4}(?:[^\W\d_]{1,14}(?:['’][^\W\d_]{1,8})?[ ]){0,5}?(?:[^\W\d_]{1,14}(?=[:：]))?[\s*_]{0,3}"
    r"(?:[:：=]|[应應][当當该該]?[是为為选選]|(?:[很最]?可能)?[并並]?不?[应應]?[该該]?[是为為选選]|选择|"
    r"是[选選]|[并並]?非|は|が|"
    r"는|은|هي|هو|है|คือ|ไม่ใช่|είναι|היא|es|est|ist|sería|serait|wäre|lautet|è|é|là|adalah|ialah|to|är|er|is|это|"
    r"—|–|-)?"
    r"[:：]?\s{0,3}(?:[选選][项項]|選択肢|보기|la opción|l['’]option|die option|l['’]opzione|a opção|"
    r"a letra|letra|opción|"
    r"la|el|a|die|der|das)?(?:\s(?:donc|also|somit|daher|folglich|por (?:lo )?tanto|entonces|portanto|quindi|"
    r"dunque)\b)?"
    r"(?=[\s(*_\[\"'“（【「\\A-ZＡ-Ｚ])"
)
_NEGATED = re.compile(
    r"(?:^|[\s'’])(?:no|non|não|nao|nicht|pas|keine?[rsn]?|inte|ikke|niet|nie|bukan(?:lah)?|ei|не|δεν|לא|ليست|"
    r"ليس|لا|không|"
    r"incorrect\w{0,3}|falsch\w{0,3}|errad[ao]|sbagliat[ao]|fausse)(?=[\s*_(]|$)|不|非|ไม่ใช่|错误|錯誤|아닌"
)
_DENIAL = re.compile(
    r"\s{1,3}(?:no|non|não|nicht|pas|keine?[rsn]?|inte|ikke|niet|nie|bukan|ei|не|δεν|לא|ليست|ليس|لا|"
    r"không(?: phải)?(?: là)?)"
    r"(?=[\s*_(])"
)
_WRONG_BEFORE = re.compile(
    r"(?:[错錯][误誤]的?|不正[确確]的?|不[选選]?|非|排除|falsche[nrs]?|incorrect[ao]?|mauvaise|fausse|errad[ao]|"
    r"sbagliata|неправильный|неверный|間違った|誤った|틀린|잘못된|if|wenn|falls|오)\s?$"
)
_SUPPOSED = re.compile(r"如果|假如|若|もし|만약|만일|\b(?:wenn|falls|si|se|als|jika|если)\s")
_ASKS = re.compile(
    r"[\s*_)）」]{0,3}(?:[이일]?라고 (?:생각할|볼) 수|と(?:も)?言えなくも)|"
    r"[\s*_)）」]{0,3}(?:吗|嗎|呢|か[。？?]|ですか|でしょうか|인가|일까|입니까|[?？])"
)
_MIGHT = re.compile(r"\b(?:podría|podria|puede|könnte|kann|pourrait|peut|potrebbe|poderia|может|могла|мог)\b")
# what a letter is followed by where the sentence says that it is not this one
_DENIES = re.compile(
    r"[\s*_)\]】）」\"']{0,4}(?:[가이은는]\s?아[니닙닌]|[은는이가]\s?(?:틀|오답|잘못)|で?はなく|では?な[いく]|"
    r"ではありません|じゃな|は間違|は誤|"
    r"[是为為]?[错錯]|不[对對正是]|değil|नहीं)"
)
# and what then leads to the one that it is
_BUT = re.compile(
    r"[^\n.。]{0,30}?(?:아니라|아니고|なく|而[应應]?[该該]?是|[应應][该該]?是|\bsondern|\bsino(?: que es)?|"
    r"\bmais(?: bien)?|"
    r"\bbensì|\bma\b|\bmas(?: sim)?|\bmaar|\bа|\butan|\bale|\bmelainkan)[\s*_(（【\"'，,、]{0,4}"
    r"(?:die |la |el |a |[选選][项項]|選択肢)?"
)
_ONE_OF = re.compile(r"[\s*_)\]】）\"']{0,4}(?:중에|중\s|가운데|のいずれか|のどちらか|之一|之[间間]|之中)")
_NAME_THEN_LABEL = re.compile(
    r"[\s*_]{0,3}[^\s.。,，;；:：?？!！()（）\[\]\n][^.。;；:：?？!！()（）\[\]\n]{0,60}?(?=[(（][A-Z][)）])"
)
# the option stands before what is said of it
_CALLED_RIGHT = re.compile(
    r"(?:[选選][项項]|答案|選択肢|보기)?\s{0,2}[(（【「]?(?P<letter>[A-ZＡ-Ｚ])[)）】」]?(?:[选選][项項])?\s{0,2}"
    r"(?:是|[为為]|が|は|만|이|가|는|은)?\s{0,2}(?:唯一|最为?|最為|가장\s)?(?:的)?(?:正[确確]|[对對]的|正しい|正解|"
    r"最も適切|最適|[适適]合|合[适適]|맞|옳|정답|"
    r"적절|올바|を選[びぶ択])(?!지\s?않|くな|ではな|じゃな|이\s?아|은\s?아)"
)
_LATIN_RIGHT = re.compile(
    r"(?i:\b(?P<noun>opci[oó]n|option|antwort|alternativa|réponse|respuesta|opzione|opção|letra|lettre)\s)?"
    r"(?<![A-Za-z0-9])[(*]{0,3}(?P<letter>[A-Z])[)*]{0,3}(?(noun)|(?=\s(?:ist|es|est|è|é|är|er|die|la|le)\b))"
    r"(?:\s(?:ist|es|est|è|é|är|er)\b)?(?:\s(?:die|la|le|a|o|den|det)\b)?\s(?:einzige? |única |seule )?"
    r"(?:richtig|korrekt|correct|bonne|juste|corrett|giust|certa|corret|rätt|riktig|juist)"
)
# In UTF-8 a character's first byte tells its script. These are ASCII, all further bytes, and the first ones of U+0080
# to U+03FF, of U+2000 to U+2FFF (signs) and of U+10000 on (pictures): what a text holds beside them is another script.
_NO_OTHER_SCRIPT = bytes([*range(0xD0), 0xE2, *range(0xF0, 0xF8)])
_TAIL = 3000  # characters from the end in which an option may be called right
_SPACELESS = 0x600  # scripts from here on stand against a letter without a space
_LATIN_AND_GREEK = 0x400  # scripts below it are looked for in every text


def foreign_statements(text: Text) -> list[Statement]:
    """The statements that are announced in another language."""
    low = text.cues
    latin = low.isascii() or not low.encode(errors="replace").translate(None, _NO_OTHER_SCRIPT)
    if latin and " the " in low:
        return []
    found = []
    for row in _ROWS:
        if latin and ord(max(row.words[0])) >= _LATIN_AND_GREEK:
            continue
        for word in row.words:
            for at in cues(low, word):
                statement = _announced(text, at, word, row)
                if statement is not None:
                    found.append(statement)
    if not any(statement.counts for statement in found):
        found += _set_against(text)
    if not any(statement.counts for statement in found):
        found += _called_right(text, _LATIN_RIGHT if latin else _CALLED_RIGHT)
    return found


def _announced(text: Text, at: int, word: str, row: Cue) -> Statement | None:
    """What the word at `at` announces."""
    low = text.cues
    end = at + len(word)
    link = _LINK.match(text.body, end)
    position = link.end() if link is not None else end
    between = low[end:position]
    colon = ":" in word or ":" in between or "：" in between
    formal = colon or ord(word[0]) >= _SPACELESS
    clause = clause_start(low, at)
    if colon and begins_line(low, at):
        cue = Announced(at, at, "answer_line", "formal")
    else:
        cue = Announced(at, clause, row.rule, row.tier)
    denial = _DENIAL.match(low, position)
    if denial is not None:
        between, position = low[end : denial.end()], denial.end()
    mention = _mention(text, position, formal=formal, named=colon or link is not None)
    negated = _NEGATED.search(between) or _WRONG_BEFORE.search(low, max(0, at - 14), at)
    if negated or mention is None:
        but = _after_but(text, mention.last if mention else position, cue) if negated else None
        return but or (cue.denies(mention.last, mention.letter) if negated and mention else None)
    if _DENIES.match(low, mention.last):
        return _after_but(text, mention.last, cue) or cue.denies(mention.last, mention.letter)
    statement = statement_of(text, mention, cue)
    if statement.weak is None and (
        _ASKS.match(low, mention.last)
        or _MIGHT.search(between)
        or _SUPPOSED.search(low, clause, at)
        or (not mention.others and _ONE_OF.match(low, mention.last))
    ):
        statement.weak = "doubt"
    return statement


def _mention(text: Text, position: int, *, formal: bool, named: bool) -> Mention | None:
    """The option at `position`: its label, its whole text, or a name with its label in brackets."""
    label = label_at(text, position, formal=formal)
    if label is not None:
        then = text.body[label.end : label.end + 1]
        sure = formal or label.strong or label.letter not in "AI" or then in ("", ".", "!", "\n", ",", ";")
        return label if sure else None
    whole = named_at(text, position) if named else None
    if whole is not None:
        return whole
    name = _NAME_THEN_LABEL.match(text.body, position)
    return None if name is None else label_at(text, name.end(), formal=True)


def _after_but(text: Text, position: int, cue: Announced) -> Statement | None:
    """`... not B but D`."""
    but = _BUT.match(text.cues, position)
    mention = label_at(text, but.end(), formal=True) if but is not None else None
    if mention is None or mention.letter not in text.options or _DENIES.match(text.cues, mention.last):
        return None
    return statement_of(text, mention, cue)


# a contrast that no word announces: `不是A而是B`, `A가 아니라 B입니다`, `nicht A, sondern B`
_NOT_THIS = re.compile(
    r"(?:\A|[.。!！?？\n])[\s*_]{0,4}(?:(?:所以|因此|故|综上|따라서|그러므로|즉|よって|したがって|daher|also|"
    r"por (?:lo )?tanto|donc|quindi|dunque|portanto)[,，、]?\s?)?"
    r"(?P<before>(?:(?:应该|應該|应|應)?(?:并|並)?(?:不是|非|不选|不選)(?:选项|選項)?|"
    r"(?:es ist |het is |det (?:är|er) )?(?:nicht|niet|inte|ikke)|(?:la respuesta |la opción )?no(?: es)?(?: la)?|"
    r"(?:ce n['’]est )?pas(?: la)?|non(?: è)?(?: la)?|não(?: é)?(?: a)?|не|bukan)\s?)?(?:选项|選項|보기|選択肢)?\s?"
    r"(?P<letter>[*_(（「]{0,3}[a-zａ-ｚ][*_)）」]{0,3})(?![a-zà-ÿ0-9])"
)
_ENDS = re.compile(
    r"[\s*_)\]）」\"']{0,4}(?:입니다|이다|임|です|だ|である|になります|选项|選項|项)?[\s*_]{0,3}(?:[.。!！]|\n|$)"
)


def _set_against(text: Text) -> list[Statement]:
    """Sentences that are no more than one option denied and another put in its place; none where several are put."""
    found = []
    for match in islice(_NOT_THIS.finditer(text.cues, max(0, len(text.body) - _TAIL)), LAST_CUES):
        end = match.end()
        if match["before"] is None and _DENIES.match(text.cues, end) is None:
            continue
        cue = Announced(match.start("letter"), match.start("letter"), "answer_sentence", "sentence")
        statement = _after_but(text, end, cue)
        if statement is not None and statement.counts and _ENDS.match(text.body, statement.end):
            found.append(statement)
    return found if len({statement.letter for statement in found}) == 1 else []


def _called_right(text: Text, pattern: re.Pattern[str]) -> list[Statement]:
    """`只有选项C是对的`: the one option that a text calls right; none where several are."""
    found = {}
    for match in islice(pattern.finditer(text.body, max(0, len(text.body) - _TAIL)), LAST_CUES):
        letter = LETTER_OF[match["letter"]]
        before = text.body[max(0, match.start("letter") - 2) : match.start("letter")]
        if (
            letter not in text.options
            or text.cues[match.start("letter")] == BLANK
            or (before[-1:] in "、,，" and before[:1].isascii())
        ):
            continue
        span = (match.start(), match.end(), match.start())
        found[letter] = Statement(letter, *span, "answer_sentence", "sentence")
    return list(found.values()) if len(found) == 1 else []
