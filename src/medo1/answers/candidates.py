"""A mention of an option, and its context: what the label or the text at a place names, and what is said of it there.

Whether a letter names an option or is the start of something else is the hard part of reading answers.
`B` in `Answer: B`, `(B)` or `**B.** Aspirin` names an option; in `Beta-blocker`, `B
cells`, `B12`, `hepatitis B` or `B. burgdorferi` it does not, and `A` and `I` are also words. A letter counts as a
label only when what stands around it leaves no other reading. An option's text counts only where all of it stands.

Context is attached here, once, for labels and texts alike: what else is named in the same breath (`B or C`, `amiodarone
(A) and digoxin (D)`, `A to D`, a list over several lines), a denial, a question or a condition, and whether letter and
text are of different options. Nothing else in this package looks for any of these beside a mention.
"""

# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re
from dataclasses import dataclass

from medo1.answers.text import BLANK, SILENT, Text, option_at, own_text, own_text_follows, tokens_of, words


def _letters() -> dict[str, str]:
    """Letters as models write them: plain, full-width, circled, squared."""
    first = (ord("A"), ord("a"), 0xFF21, 0xFF41, 0x24B6, 0x24D0, 0x1F130, 0x1F170)
    return {chr(start + i): chr(ord("A") + i) for start in first for i in range(26)}


LETTER_OF = _letters()

_RUN = r"[\s*_`~\"'“”‘’«»「」『』【】（《〈\[({$|>#•✅☑✔👉➡→⇒∴➜:：=–—\ufe0f]"
_LATEX = (
    r"\\(?:(?:boxed|fbox|text(?:bf|rm|sf|it|tt)?|math(?:bf|rm|sf|it|bb)|bf|rm|bm|boldsymbol|underline|"
    r"[lL]arge)(?![a-z])\s{0,6}\{?|[(\[,;!: ])"
)
_TAG = r"</?(?![A-Z]>)[A-Za-z][^<>\n]{0,40}>|<{1,2}(?=[A-Z]>)"
_NOUN = (
    r"(?i:(?:the |our )?(?:answer |correct |final )?(?:option|choice|letter|alternative|opci[óo]n|"
    r"alternativa|opzione|op[çc][ãa]o|letra|lettre|buchstabe|вариант|выбор|pilihan|seçenek)(?![a-z]))"
    r"|选项|选择|选|選項|選擇|選択肢|選|보기|الخيار|विकल्प"
)
# spaces, brackets and marks that may stand before a label, then perhaps `option`, then brackets again
_OPENING = re.compile(
    rf"{_RUN}{{0,24}}(?:(?:{_LATEX}|{_TAG}|"
    rf"-(?![A-Za-z0-9])){_RUN}{{0,24}}){{0,8}}(?P<noun>(?:{_NOUN}){_RUN}{{0,8}}(?:(?:{_LATEX}|"
    rf"{_TAG}){_RUN}{{0,8}}){{0,3}})?"
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
    r"或者|或是|或|和|及|还是|나|이나|와|과|또는|혹은|または|か|と|や|\by\b|\bund\b|\boder\b|\bet\b|\bou\b|\bo\b)"
    r"[\s*_]{0,3}(?:(?:and/or|and|or|also|possibly|maybe|perhaps|even|either)\s){0,2}"
    r"(?:(?:the )?(?:option|choice|answer)s?\s)?[\s*_(\[\"'“]{0,6}(?P<letter>[A-Z])(?P<close>[*_)\]\"'”]{0,5})",
    re.IGNORECASE,
)
_ALSO_END = re.compile(
    r"\s{0,6}(?:$|[.,;:)\]}<|/&+\n?]|(?=[^\x00-\u2e7f])|\band\b|\bor\b|\bare\b|\bboth\b|\btogether\b|\((?!not)|"
    r"[–—-]\s)",
    re.IGNORECASE,
)
_ALSO_NAMED = re.compile(
    r"[\s*_)\]\"'”]{0,4}(?:,|;|\band\b|\bor\b|/|\+)[\s*_]{0,3}(?:(?:and|or|either)\s)?"
    r"(?P<text>[^\W\d_][^,;:()\[\]\n]{0,80}?)[\s*_]{0,3}[(\[](?:[Oo]ption |"
    r"[Cc]hoice )?(?P<letter>[A-Z])(?P<close>[)\]][*_]{0,3})"
)
_SENTENCE_STARTS = re.compile(
    r"(?:The|This|That|It|So|Therefore|Thus|Because|Explanation|Answer|Question|However|In|For|Based|Given|Final)\b"
)
_NEXT_LISTED = re.compile(r"[ ,;]{1,3}[(\[]?(?P<letter>[A-Z])[)\].]")
_ALSO_STARTS = frozenset(",;，、/&+([和或及나와과や–—-~")
_ALSO_WORDS = (
    "and",
    "or",
    "as well",
    "plus",
    "y ",
    "und",
    "oder",
    "et ",
    "ou ",
    "o ",
    "to ",
    "thr",
    "또는",
    "혹은",
    "または",
    "か",
    "と",
    "或",
)
_NEXT_STARTS = frozenset(" ,;")
_DENIED_STARTS = frozenset("iwascdmtb(:,-")
_NOTHING = frozenset(("", ".", ".\n", "\n", "\n\n"))  # after a label
_DOUBT = re.compile(r"[\s*_)\]\"'”.]{0,4}(?:\?|,?\s?\bif\b(?! any)|,?\s?\bunless\b)", re.IGNORECASE)
_IS = r"(?:is|was|are|were|would be|seems|appears)\s{1,6}(?:\w{1,12}ly\s{1,6})?(?:also\s{1,6})?"
_WRONG = (
    r"(?:in(?:correct|accurate|appropriate|valid)|wrong|false|unlikely|less likely|(?:ruled out|eliminated|"
    r"excluded)\b)"
)
_OUT = (
    r"(?:can|may|could|should|must|will) (?:\w{1,12} )?be (?:(?:\w{1,12}ly|all) )?(?:ruled out|eliminated|excluded|"
    r"discarded|dismissed|rejected|crossed out|struck out|discounted)\b"
)
# said of several at once
_LIST_OUT = (
    rf"{_OUT}|(?:all |both )?(?:do not|don['’]t|did not|didn['’]t|fail|have (?:all |both )?been (?:ruled out|"
    r"eliminated|excluded|discarded|dismissed|rejected)|(?:are|were) (?:all |both )?(?:out\b|ruled|not|"
    r"wrong|incorrect|excluded|eliminated|discarded|dismissed|rejected))\b"
)
_GOOD = (
    r"(?:\w{1,12}ly\s{1,6})?(?:be\s{1,6})?(?:(?:the|a|an|our|my|one of the|among the|"
    r"part of the)\s{1,6})?(?:most\s{1,6})?"
    r"(?:best|correct|right|answer|appropriate|likely|option|choice|suitable|accurate|true|valid|it|so|possible)\b"
)
_MODAL = r"(?:can|could)(?:not|n['’]t) be\b|(?:should|must|would|may|might|could) not\b|(?:should|would)n['’]t\b"
_LEADS = r"[\s*_)\]\"'”:,-]{0,4}(?:\(?\s?(?:which\s|that\s|(?:but|and) (?:this|that|it)\s)?"
# behind a letter any `is not` denies it; behind its text only what says that it is not the answer
_WRONG_THERE = (
    r"[はがも는은이가도都均是]?\s?(?:都?可以?排除|全?て?除外|(?:모두 )?제외|[를을] (?:모두 )?제외|"
    r"誤|間違|錯|错|不[对對正是成]|틀|오답|아[니닙]|잘못)"
)
_DENIED = re.compile(
    rf"{_LEADS}(?:{_IS}(?:not\b|{_WRONG})|(?:is|was|does)n['’]t\b|{_MODAL}|{_OUT}|{_WRONG_THERE}))", re.IGNORECASE
)
_SEVERAL_OUT = re.compile(
    r"[A-Z][)\]*_]{0,3}(?:(?:,\s?(?:and\s|or\s)?|\s(?:and|or)\s|\s?&\s?)[*_(]{0,3}[A-Z][)\]*_]{0,3}){1,9}\s"
    rf"(?:{_LIST_OUT})",
)
_BEGINS = re.compile(
    r"(?:^|[.!?:;\n])\s?[*_(\[]{0,4}(?:(?i:options?|choices?|answers?|thus|so|hence|both),?\s)?[*_(]{0,3}$"
)
_DENIED_GLOSS = re.compile(
    rf"{_LEADS}(?:{_IS}(?:not\s{{1,6}}{_GOOD}|not[.,;!]|{_WRONG})|(?:is|was)n['’]t\s{{1,6}}{_GOOD}|"
    rf"{_OUT}|(?:can|could)(?:not|n['’]t) be\s{{1,6}}{_GOOD}|(?:should|must|would|may|might) not be\s{{1,6}}{_GOOD}))",
    re.IGNORECASE,
)
_LABEL_BEHIND = re.compile(r"[ *_\"'”]{0,4}[(\[](?:[Oo]ption |[Cc]hoice )?(?P<letter>[A-Z])[)\]][*_]{0,3}")
_STOP = re.compile(r"[*_)\]]{0,3}\.[*_]{0,2}\s")
_BEGINS_SENTENCE = re.compile(
    r"\s(?:is|are|was|were|has|have|had|does|do|can|may|would|will|should|acts?|works?|helps?|causes?|treats?|"
    r"inhibits?|"
    r"\w{3,12}s)\b"
)
_ITEM_LEAD = re.compile(r"[\s>#*_•+-]{0,8}(?:[Oo]ption |[Cc]hoice )?[*_(\[]{0,4}")
_NEXT_ITEM = re.compile(
    r"\s{1,6}(?:[-•*+>]\s{1,3}|\d{1,2}[.)]\s)?[*_]{0,3}(?:[Oo]ption\s)?[(\[]?(?P<letter>[A-Z])(?:[)\].:*]|$|"
    r"(?=\n))[*_]{0,3}"
)
_RANGE = re.compile(
    r"[\s*_)\]]{0,3}(?:to|through|thru|[–—~-])[\s*_(\[]{0,3}(?P<letter>[A-Z])[)\]*_]{0,3}(?=$|[\s.,;](?![a-z]))"
)


@dataclass(slots=True)
class Mention:
    """An option that is named at a place.

    Attributes:
        letter: upper case; it may be none of the options'.
        start, end: of the letter and what closes it, or of the option's text.
        strong: brackets, bold, a noun (`option C`) or the option's own text stand with it.
        own_end: where the option's own text ends that follows its letter; 0 where none does.
        whole: that text stands there to its end.
        by_text: the option is named by its whole text.
        others: other letters named in the same breath (`B or C`).
        offers: these are all options, and one of them is meant (`A, B, C or D`): what was asked is repeated.
        doubt: a question mark or a condition follows.
        denied: `is wrong`, `is not` and the like follow.
        clash: the rule that says why letter and text do not agree.
        walked: it is an item of a list whose items are explained one by one.
    """

    letter: str
    start: int
    end: int
    strong: bool = False
    own_end: int = 0
    whole: bool = False
    by_text: bool = False
    others: tuple[str, ...] = ()
    offers: bool = False
    doubt: bool = False
    denied: bool = False
    clash: str | None = None
    walked: bool = False

    @property
    def last(self) -> int:
        """Where it ends with its own text."""
        return self.own_end or self.end


def mention_at(text: Text, position: int, *, formal: bool = False) -> Mention | None:
    """The option that is named at `position`, by its label or by its whole text; see `label_at`."""
    label = label_at(text, position, formal=formal)
    if label is None or label.others or label.letter not in text.options:
        named = named_at(text, position)  # an option may read `A and B`, or `I and D of the abscess`
        if named is not None:
            return named
    return label


def label_at(text: Text, position: int, *, formal: bool = False) -> Mention | None:  # noqa: PLR0911
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
    if text.cues[at : at + 1] == BLANK:
        return None  # within an option's own text
    end = at + 1
    then = body[end : end + 1]
    if continues_word(then):
        return None
    before = body[at - 1 : at] if at > position else ""
    closed = bold = brackets = False
    if then in _CLOSES and (closing := _CLOSING.match(body, end)) is not None and closing.end() > end:
        end = closing.end()
        closed = True
        bold = before == "*" and then == "*"
        brackets = then in _STRONG_CLOSING or not _STRONG_CLOSING.isdisjoint(closing[0])
        if continues_word(body[end : end + 1]) and not (brackets and own_text_follows(text, letter, end)):
            return None
    strong = noun or bold or brackets or ord(written) > 0x7F  # noqa: PLR2004
    if written.islower() and not _lower_case_label(body, letter, end, strong=strong, closed=closed, formal=formal):
        return None
    if not (bold or brackets or noun) and not _stands_alone(text, letter, at, end, before):
        return None
    if noun and not closed and body[end : end + 1] == "-" and body[end + 1 : end + 2].isalnum():
        return None
    if letter in "IVX" and not strong and _ROMAN.match(body, end):
        return None
    label = Mention(letter, at, end, strong)
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


def named_at(text: Text, position: int) -> Mention | None:
    """The option whose whole text stands at `position`, with a label behind it: `digoxin (D)`."""
    named = option_at(text, position)
    if named is None:
        return None
    mention = Mention(named.letter, named.start, named.end, strong=True, whole=True, by_text=True)
    behind = _LABEL_BEHIND.match(text.body, named.end)
    if behind is not None and behind["letter"] in text.options:
        mention.own_end = behind.end()
        if behind["letter"] != named.letter:
            mention.clash = "letter_and_text"
    _look_around(text, mention, mention.last)
    return mention


def _look_behind(text: Text, label: Mention) -> None:
    """Fills in what follows a label: its own text or another's, further letters, doubt, denial."""
    if text.body[label.end : label.end + 2] in _NOTHING:
        _list_below(text, label)
        return
    own_end, label.whole = own_text(text, label.letter, label.end)
    if (
        own_end
        and _BEGINS_SENTENCE.match(text.low, own_end)
        and _STOP.match(text.body, label.end)
        and text.body[text.body.rfind("\n", 0, label.start) + 1 : label.start][-40:].strip(" *_#>-•([")
    ):
        own_end, label.whole = 0, False  # `The answer is (C). Clonidine is not a first-line drug.`
        return
    if own_end:
        label.own_end, label.strong = own_end, True
    elif label.letter in text.options:
        label.clash = _clash(text, label)
    _look_around(text, label, label.last)


def _look_around(text: Text, mention: Mention, there: int) -> None:
    """Fills in what follows a mention that ends at `there`: further options, doubt, denial."""
    body = text.body
    window = body[there : there + 24]
    if not window.strip(SILENT):
        _list_below(text, mention)
        return
    if (mention.own_end or mention.by_text) and window[0] in _NEXT_STARTS:
        mention.others = _next_listed(text, mention.letter, there)
        if mention.others:
            return
    follows = window.lstrip(" *_)]\"'”").lower()
    lead = follows[:1]
    if lead in _ALSO_STARTS or follows.startswith(_ALSO_WORDS):
        mention.others, listed_end = _further_letters(text, mention.letter, there)
        if mention.others:
            # `A, C and D are incorrect`
            mention.denied = _DENIED.match(body, listed_end) is not None or _all_out(body, mention.start)
            named = text.low[mention.start : listed_end]
            mention.offers = len(mention.others) + 1 == len(text.options) > 2 and (" or " in named or "/" in named)  # noqa: PLR2004
            mention.doubt = body[listed_end : listed_end + 1] == "?"
            return
    if "?" in window[:6] or " if " in window[:12] or " unless" in window[:12] or ", if" in window[:8]:
        mention.doubt = _DOUBT.match(body, there) is not None
    if lead in _DENIED_STARTS or lead >= "\u2e80":
        denied = _DENIED_GLOSS if mention.own_end or mention.by_text else _DENIED
        mention.denied = denied.match(text.cues, there) is not None
    _list_below(text, mention)


def _all_out(body: str, start: int) -> bool:
    """Whether a sentence begins with the letter at `start` and says that it and further ones are out: `B, C and D can
    be ruled out`."""
    return _SEVERAL_OUT.match(body, start) is not None and _BEGINS.search(body, max(0, start - 24), start) is not None


def _list_below(text: Text, mention: Mention) -> None:
    """Whether a mention is the first item of a list over several lines, and of which kind.

    Items that are their options' texts and no more are named in one breath; a list of all options, or of items that are
    explained one by one, names none.
    """
    body = text.body
    line = body.rfind("\n", max(0, mention.start - 24), mention.start) + 1
    if not line or not _ITEM_LEAD.fullmatch(body, line, mention.start):
        return
    end = body.find("\n", mention.last)
    others: list[str] = []
    walked = not _is_plain_rest(body, mention.last, end)
    for _ in range(len(text.options)):
        item = _NEXT_ITEM.match(body, end) if end >= 0 else None
        if item is None or item["letter"] not in text.options or item["letter"] in (mention.letter, *others):
            break
        others.append(item["letter"])
        own_end, whole = own_text(text, item["letter"], item.end())
        end = body.find("\n", item.end())
        walked = walked or not ((whole or not text.options[item["letter"]]) and _is_plain_rest(body, own_end, end))
    if not others:
        return
    if walked or len(others) + 1 == len(text.options):
        mention.walked = True
    else:
        mention.others = tuple(others)


def _is_plain_rest(body: str, start: int, end: int) -> bool:
    """Whether nothing but marks stands on a line behind an item."""
    return not body[start : end if end >= 0 else len(body)].strip(" .*_)\"'\r,;")


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


def _clash(text: Text, label: Mention) -> str | None:
    """`letter_and_text` where another option's whole text follows the label: `(C) Metformin` where C is ceftriaxone."""
    low = text.low
    start = label.end
    while start < label.end + 6 and low[start : start + 1] in " *_:,.)-–—(\"'":
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
            return "letter_and_text"
    return None


def _further_letters(text: Text, letter: str, position: int) -> tuple[tuple[str, ...], int]:
    """Options that are named beside one (`, C`, `or (C)`, `and digoxin (D)`, `to D`), and where the last one ends."""
    body = text.body
    others: list[str] = []
    reach = _RANGE.match(body, position)
    if reach is not None and reach["letter"] in text.options and reach["letter"] > letter:
        between = [key for key in text.options if letter < key <= reach["letter"]]
        return tuple(between), reach.end()
    for _ in range(len(text.options)):
        also = _ALSO.match(body, position)
        if also is None or not _is_label_beside(text, also):
            named = _ALSO_NAMED.match(body, position)
            if named is None or not _is_named_beside(text, named):
                break
            also = named
        elif own_end := own_text_follows(text, also["letter"].upper(), also.end()):
            if also["letter"].upper() != letter:
                others.append(also["letter"].upper())
            position = own_end
            continue
        other = also["letter"].upper()
        if other != letter:
            others.append(other)
        position = also.end()
    return tuple(others), position


def _is_label_beside(text: Text, also: re.Match[str]) -> bool:
    """Whether the letter of `, C` or `or (C)` is a label."""
    body, other = text.body, also["letter"].upper()
    wrapped = also["close"][:1] in (")", "]", "*", '"', "'")
    if other not in text.options or continues_word(body[also.end() : also.end() + 1]):
        return False
    if also["letter"].islower() and not wrapped:
        return False
    if not _ALSO_END.match(body, also.end()) and not own_text_follows(text, other, also.end()):
        return False
    then = body[also.end() : also.end() + 3]
    if then[:2] == ". " and then[2:].islower() and not wrapped:
        return False
    return not (other == "I" and not wrapped and then.lstrip()[:1] not in ("", ".", ",", ";", ")", "\n"))


def _is_named_beside(text: Text, named: re.Match[str]) -> bool:
    """Whether `and digoxin (D)` names D: its own text stands before its letter."""
    own = text.offered.tokens.get(named["letter"], ())
    return bool(own) and own[0] in tokens_of(named["text"])


_RUN_TOGETHER = re.compile(r"[\s*_(\[$]{0,6}(?P<letters>[A-Z]{2,10})(?=[)\]*_.,$]{0,4}(?:\Z|\n))")


def run_together(text: Text, position: int) -> Mention | None:
    """Several letters written as one word, in the order of the alphabet: `Answer: ACE`, `(BGI)`."""
    found = _RUN_TOGETHER.match(text.body, position)
    if found is None:
        return None
    letters = found["letters"]
    if any(letter not in text.options for letter in letters) or list(letters) != sorted(set(letters)):
        return None
    if named_at(text, position) is not None:
        return None
    return Mention(letters[0], found.start("letters"), found.end(), others=tuple(letters[1:]))
