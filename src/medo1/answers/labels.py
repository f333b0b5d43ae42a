"""A letter as a label: does the letter at this place name an option, or is it the start of something else?

The hard part of reading answers. `B` in `Answer: B`, `(B)` or `**B.** Aspirin` names an option; in `Beta-blocker`, `B
cells`, `B12`, `hepatitis B` or `B. burgdorferi` it does not, and `A` and `I` are also words. A letter counts as a
label only when what stands around it leaves no other reading.
"""

# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re
from dataclasses import dataclass

from medo1.answers.text import SILENT, Text, own_text_follows, words


def _letters() -> dict[str, str]:
    """Letters as models write them: plain, full-width, circled, squared."""
    first = (ord("A"), ord("a"), 0xFF21, 0xFF41, 0x24B6, 0x24D0, 0x1F130, 0x1F170)
    return {chr(start + i): chr(ord("A") + i) for start in first for i in range(26)}


LETTER_OF = _letters()

_RUN = r"[\s*_`~\"'“”‘’«»「」『』【】（《〈\[({$|>#•✅☑✔👉➡→⇒∴➜:：=–—]"
_LATEX = (
    r"\\(?:(?:boxed|fbox|text(?:bf|rm|sf|it|tt)?|math(?:bf|rm|sf|it|bb)|bf|rm|bm|boldsymbol|underline|"
    r"[lL]arge)(?![a-z])\s*\{?|[(\[,;!: ])"
)
_TAG = r"</?(?![A-Z]>)[A-Za-z][^<>\n]{0,40}>|<{1,2}(?=[A-Z]>)"
_NOUN = (
    r"(?i:(?:the |our )?(?:answer |correct |final )?(?:option|choice|letter|alternative|opci[óo]n|"
    r"alternativa|opzione|op[çc][ãa]o|letra|lettre|buchstabe|вариант|выбор|pilihan|seçenek)(?![a-z]))"
    r"|选项|选择|选|選項|選擇|選択肢|選|보기|الخيار|विकल्प"
)
# spaces, brackets and marks that may stand before a label, then perhaps `option`, then brackets again
_OPENING = re.compile(
    rf"{_RUN}{{0,24}}(?:(?:{_LATEX}|{_TAG}|-(?![A-Za-z0-9])){_RUN}{{0,24}}){{0,8}}(?P<noun>(?:{_NOUN}){_RUN}{{0,8}}(?:(?:{_LATEX}|{_TAG}){_RUN}{{0,8}}){{0,3}})?"
)
# the same for what stands before most: marks, and then one capital letter
_PLAIN_OPENING = re.compile(r"[ \n*(]{0,6}(?=[A-Z](?![A-Za-z0-9]))")
_CLOSING = re.compile(r"(?:[*_`~\"'”’»」』】）》〉\])}$|>]|\\[)\]]){0,8}")
_CLOSES = frozenset("*_`~\"'”’»」』】）》〉])}$|>\\")
_STRONG_CLOSING = frozenset(")]}）】」』》〉$|>`")
_WORD = re.compile(r"[^\W\d_]+")

# words that may follow a bare letter when that letter is a label
_AFTER_LABEL = words(
    """because since as which due given based and or is was in for on from by per that this so therefore thus but not
    rather instead with here when while before after through over nor plus also only if unless"""
)
_AFTER_I = words("because since as which due given based and or is in for rather instead but not")

_ROMAN = re.compile(r"\s?(?:,|&|and|or)\s?(?:and |or )?[IVX]{2,}\b")  # `I and III`
_ALSO = re.compile(
    r"[\s*_)\]\"'”]{0,4}[(\[]?[\s*_]{0,3}(?:[,;，、/&+]|\band/or\b|\band\b|\bor\b|\bas well as\b|\bplus\b|"
    r"或者|或|和|及|\by\b|\bund\b|\boder\b|\bet\b|\bou\b)"
    r"[\s*_]{0,3}(?:(?:and/or|and|or|also|possibly|maybe|perhaps|even|either)\s){0,2}"
    r"(?:(?:the )?(?:option|choice|answer)s?\s)?[\s*_(\[\"'“]{0,6}(?P<letter>[A-Z])(?P<close>[*_)\]\"'”]{0,5})",
    re.IGNORECASE,
)
_ALSO_END = re.compile(
    r"\s*(?:$|[.,;:)\]}<|/&+\n?]|\band\b|\bor\b|\bare\b|\bboth\b|\btogether\b|\((?!not)|[–—-]\s)", re.IGNORECASE
)
_SENTENCE_STARTS = re.compile(
    r"(?:The|This|That|It|So|Therefore|Thus|Because|Explanation|Answer|Question|However|In|For|Based|Given|Final)\b"
)
_NEXT_LISTED = re.compile(r"[ ,;]{1,3}[(\[]?(?P<letter>[A-Z])[)\].]")
_ALSO_STARTS = frozenset(",;，、/&+([和或及")
_ALSO_WORDS = ("and", "or", "as well", "plus", "y", "und", "oder", "et", "ou")
_NEXT_STARTS = frozenset(" ,;")
_DENIED_STARTS = frozenset("iwascdm(:,-")
_NOTHING = frozenset(("", ".", ".\n", "\n", "\n\n"))  # after a label
_DOUBT = re.compile(r"[\s*_)\]\"'”.]{0,4}(?:\?|,?\s?\bif\b(?! any)|,?\s?\bunless\b)", re.IGNORECASE)
_DENIED = re.compile(
    r"[\s*_)\]\"'”:,-]{0,4}(?:\(?\s?(?:is|was|are|would be|seems|"
    r"appears)\s+(?:\w+ly\s+)?(?:also\s+)?(?:not|in(?:correct|accurate|appropriate)|wrong|false|unlikely|"
    r"less likely)\b"
    r"|(?:is|was|does)n['’]t\b|(?:can|could)(?:not|n['’]t) be\b"
    r"|(?:should|must|would|may|might|could) not\b|(?:should|would)n['’]t\b)",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Label:
    """A letter read as an option's name.

    Attributes:
        letter: upper case; it may be none of the options'.
        start, end: of the letter and what closes it.
        strong: brackets, bold, a noun (`option C`) or the option's own text stand with it.
        own_end: where the option's own text ends that follows it; 0 where none does.
        others: other letters named in the same breath (`B or C`).
        doubt: a question mark or a condition follows.
        denied: `is wrong`, `is not` and the like follow.
        clash: the option whose text follows although it is not this letter's.
    """

    letter: str
    start: int
    end: int
    strong: bool = False
    own_end: int = 0
    others: tuple[str, ...] = ()
    doubt: bool = False
    denied: bool = False
    clash: str | None = None


def label_at(text: Text, position: int, *, formal: bool = False) -> Label | None:  # noqa: PLR0911
    """The label that stands at `position`, after whatever opens it (spaces, brackets, bold, LaTeX, `option`).

    Args:
        text: the text and its options.
        position: where the label may begin.
        formal: something that announces an answer (`Answer:`) stands before it, so that a bare letter suffices.
    """
    body = text.body
    noun = False
    plain = _PLAIN_OPENING.match(body, position)
    if plain is not None:
        at = plain.end()
        written = letter = body[at]
    else:
        opening = _OPENING.match(body, position)
        at = opening.end() if opening else position
        written = body[at : at + 1]
        if (letter := LETTER_OF.get(written, "")) == "":
            return None
        noun = opening is not None and opening["noun"] is not None
        if noun and body[at - 1 : at].isalpha() and body[at - 1 : at].isascii():
            return None
    end = at + 1
    then = body[end : end + 1]
    if continues_word(then):
        return None
    before = body[at - 1 : at] if at > position else ""
    closed = bold = brackets = False
    if then in _CLOSES and (closing := _CLOSING.match(body, end)) is not None and closing.end() > end:
        end = closing.end()
        if continues_word(body[end : end + 1]):
            return None
        closed = True
        bold = before == "*" and then == "*"
        brackets = then in _STRONG_CLOSING or not _STRONG_CLOSING.isdisjoint(closing[0])
    strong = noun or bold or brackets or ord(written) > 0x7F  # noqa: PLR2004
    if written.islower() and not _lower_case_label(body, letter, end, strong=strong, closed=closed, formal=formal):
        return None
    if not (bold or brackets or noun) and not _stands_alone(text, letter, at, end, before):
        return None
    if noun and not closed and body[end : end + 1] == "-" and body[end + 1 : end + 2].isalnum():
        return None
    if letter in "IVX" and not strong and _ROMAN.match(body, end):
        return None
    label = Label(letter, at, end, strong)
    _look_behind(text, label)
    return label


def continues_word(character: str) -> bool:
    """Whether this character makes the letter before it part of a word or a number: Latin, Greek and Cyrillic letters
    and digits do; Chinese, Japanese and Korean stand against a letter without a space.
    """
    if character.isascii():
        return character.isalnum()
    code = ord(character)
    return (code < 0x600 and (character.isalpha() or code >= 0x300)) or 0x2080 <= code < 0x208A  # noqa: PLR2004


def _lower_case_label(body: str, letter: str, end: int, *, strong: bool, closed: bool, formal: bool) -> bool:
    """Whether a lower-case letter may be a label: `a` is an article far more often."""
    if strong:
        return True
    if closed:
        return formal
    after = body[end : end + 1]
    ends = after in ("", "\n") or (after in ".:," and body[end + 1 : end + 2] in ("", "\n", " "))
    return ends and (formal or (letter not in "AI" and after != ""))


def _stands_alone(text: Text, letter: str, at: int, end: int, before: str) -> bool:  # noqa: PLR0911
    """Whether a letter without brackets of its own, from `at` to `end`, can only be a label."""
    body = text.body
    after = body[end : end + 1]
    if after in ("", "\n"):
        return before == "" or before not in "([{（【" or end > at + 1
    if after in ".。．":
        return _label_before_stop(text, letter, at, end)
    if after in ",，;；:：、!！?？*|–—−→":
        return True
    if after in "-‐‑":
        return not body[end + 1 : end + 2].isalnum() or own_text_follows(text, letter, end + 1) > 0
    if after in "/&+":
        return _ALSO.match(body, end) is not None
    if after.isspace():
        return _label_before_word(text, letter, end)
    return after in "<\\" or body.startswith("[/", end) or ord(after) >= 0x600  # noqa: PLR2004


def _label_before_stop(text: Text, letter: str, at: int, end: int) -> bool:
    """`C.` as a label, rather than the `C.` of `C. difficile`."""
    body = text.body
    then = body[end + 1 : end + 2]
    if not then.isspace():
        starts = _SENTENCE_STARTS.match(body, end + 1)  # `The answer is C.The answer is C.`
        if starts is not None or not then.isalnum() or ord(then) >= 0x2E80:  # noqa: PLR2004
            return True
        return own_text_follows(text, letter, end + 1) > 0  # `C.Ceftriaxone`
    word = _WORD.match(body, end + 2)
    if word is None:
        return True
    lower = word[0].lower()
    abbreviation = f"{letter.lower()}. {lower}"
    for key, option in text.options.items():
        if option[1:3] == ". " and key != letter and option.lower().startswith(abbreviation):
            return False
    if word[0][0].isupper() or end > at + 1 or lower in _AFTER_LABEL or ord(lower[0]) >= 0x600:  # noqa: PLR2004
        return True
    own = text.options.get(letter, "").lower()
    return own.startswith((lower, abbreviation))


def _label_before_word(text: Text, letter: str, end: int) -> bool:
    """`C because`, `C (ceftriaxone)` or `C Ceftriaxone`, rather than `C peptide`."""
    body = text.body
    there = end
    while there < end + 12 and body[there : there + 1] in (" ", "\t", "\xa0", "\u202f"):
        there += 1
    then = body[there : there + 1]
    if not then.isalnum() or ord(then) >= 0x600:  # noqa: PLR2004
        return then != "="
    word = _WORD.match(body, there)
    if word is not None and word[0].lower() in (_AFTER_I if letter == "I" else _AFTER_LABEL):
        return True
    return own_text_follows(text, letter, end) > 0


def _look_behind(text: Text, label: Label) -> None:
    """Fills in what follows a label: its own text or another's, further letters, doubt, denial."""
    body = text.body
    end = label.end
    then = body[end : end + 2]
    if then in _NOTHING:
        return
    own_end = own_text_follows(text, label.letter, end)
    there = own_end or end
    window = body[there : there + 24]
    if own_end:
        label.own_end, label.strong = own_end, True
        if not window.strip(SILENT):
            return
        if window[:1] in _NEXT_STARTS and (listed := _next_listed(text, label.letter, own_end)):
            label.others = listed
            return
    elif label.letter in text.options:
        label.clash = _clash(text, label)
    follows = window.lstrip(" *_)]\"'”").lower()
    lead = follows[:1]
    if lead in _ALSO_STARTS or follows.startswith(_ALSO_WORDS):
        label.others, listed_end = _further_letters(text, label.letter, there)
        if label.others:
            label.denied = _DENIED.match(body, listed_end) is not None  # `A, C and D are incorrect`
            label.doubt = body[listed_end : listed_end + 1] == "?"
            return
    if "?" in window[:6] or " if " in window[:12] or " unless" in window[:12] or ", if" in window[:8]:
        label.doubt = _DOUBT.match(body, there) is not None
    if lead in _DENIED_STARTS:
        label.denied = _DENIED.match(body, there) is not None


def _next_listed(text: Text, letter: str, position: int) -> tuple[str, ...]:
    """The further options of a list on one line: `(A) Lupus (B) Gout`, each with its own text."""
    others: list[str] = []
    while (item := _NEXT_LISTED.match(text.body, position)) is not None:
        other = item["letter"]
        own_end = own_text_follows(text, other, item.end()) if other in text.options else 0
        if not own_end or other == letter or other in others:
            break
        others.append(other)
        position = own_end
    return tuple(others)


def _clash(text: Text, label: Label) -> str | None:
    """The other option whose whole text follows the label: `(C) Metformin` where C is ceftriaxone."""
    low = text.low
    start = label.end
    while start < label.end + 6 and low[start : start + 1] in " *_:.)-–—(\"'":
        start += 1
    if start == label.end or not low[start : start + 1].isalnum():
        return None
    own = text.options[label.letter].lower()
    first = f"{low[start]} ."
    for key, option in text.options.items():
        if key == label.letter or len(option) < 4 or option[0].lower() not in first:  # noqa: PLR2004
            continue
        other = option.lower().strip(" .")
        end = start + len(other)
        if (
            low.startswith(other, start)
            and not own.startswith(other)
            and low[end : end + 1] in ("", ".", "\n", "*", ")", ";", '"', "<", "}")
        ):
            return key
    return None


def _further_letters(text: Text, letter: str, position: int) -> tuple[tuple[str, ...], int]:
    """Letters that stand beside a label (`, C`, `or (C)`, `and option C`), and where the last one ends."""
    body = text.body
    others: list[str] = []
    for _ in range(len(text.options)):
        also = _ALSO.match(body, position)
        if also is None:
            break
        other = also["letter"].upper()
        wrapped = also["close"][:1] in (")", "]", "*", '"', "'")
        if other not in text.options or continues_word(body[also.end() : also.end() + 1]):
            break
        if also["letter"].islower() and not wrapped:
            break
        if not _ALSO_END.match(body, also.end()) and not own_text_follows(text, other, also.end()):
            break
        then = body[also.end() : also.end() + 3]
        if then[:2] == ". " and then[2:].islower() and not wrapped:
            break
        if other == "I" and not wrapped and then.lstrip()[:1] not in ("", ".", ",", ";", ")", "\n"):
            break
        if other != letter:
            others.append(other)
        position = also.end()
    return tuple(others), position
