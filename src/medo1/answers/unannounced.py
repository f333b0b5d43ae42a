"""Letters that nothing announces: the text opens with one, ends with one, or is one."""
# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re
from itertools import islice

from medo1.answers.candidates import Mention, label_at, named_at
from medo1.answers.concluding import announcing
from medo1.answers.statements import Announced, Statement, clause_start, conditional, statement_of
from medo1.answers.text import Text, plain
from medo1.answers.walks import TURNED_DOWN

_MAY_OPEN = re.compile(
    r"[\s*_#>`\"'(\[{【（$\\=→➡⇒∴✅✔☑👉\ufe0f]{0,48}(?:(?:option|choice|letter|选项|选|\\boxed\{|\\text\{|"
    r"<[a-z]{1,8}>)[\s*(\[{]{0,4})?"
    r"[A-Za-zＡ-Ｚａ-ｚⒶ-ⓩ\\<🄰-🅩](?![a-z])",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"[\s.:,;*_)\]-]{0,8}(?:(?:because|since|as the|as it|is (?:the )?(?:correct|right|best|most)|\(|—|–|explanation|"
    r"rationale|reason|justification)|- )",
    re.IGNORECASE,
)
_EXPLAINS = re.compile(
    r"[\s*_#>\[(]{0,8}(?:explanation|rationale|reason(?:ing|s)?|justification|because|this is|this option|"
    r"here'?s why|"
    r"why)\b",
    re.IGNORECASE,
)
_NOT_OTHERS = re.compile(r"\bothers?\b|\bwhy\b|incorrect|explanation|rationale|\breason")
_ITEM = re.compile(r"[\s*_>#-]{0,8}(?:\d{1,2}[.)]\s{0,3})?[*_]{0,3}[(\[]?(?P<letter>[A-Z])[)\].:]")
_ITEM_BELOW = re.compile(
    r"\n[ \t>#]{0,6}(?:[-•*+]\s{1,3}|"
    r"\d{1,2}[.)]\s{1,3})?[*_]{0,3}(?:[Oo]ption\s)?[(\[]?(?P<letter>[A-Z])(?:[)\].:]|(?<=\n\n[A-Z])$)"
)
_ITEM_BESIDE = re.compile(
    r"[.!?;,✅❌✓✗] {1,2}[*_]{0,3}(?:[Oo]ption )?(?P<open>[(\[])?(?P<letter>[A-Z])(?(open)[)\]]|[).:]) {1,2}(?![a-z])"
)
_CALLS_IT = re.compile(r"\b(?:is (?:the )?(?:correct|right|best|most)|answer|because)\b|explanation|rationale")
_VERB_FIRST = re.compile(
    r"(?:is|was|are|can|could|may|might|should|would|will|has|had|does|did|must|cannot)(?:n['’]t)?\b"
)
_TEXT_THEN_LABEL = re.compile(r"[ *_][(\[](?:[Oo]ption |[Cc]hoice )?(?P<letter>[A-Z])[)\]][*_.\s]{0,6}$")
_LIST_BEFORE = re.compile(r"[:：][\s*_]{0,4}$")
_ANSWER_BEFORE = re.compile(
    r"\b(?:answer|is|be|(?:best|correct|right|final|chosen|selected|my) (?:choice|option)|diagnosis|conclusion)"
    r"[ *_]{0,4}[:：][ *_]{0,4}$"
)
_TAG = re.compile(r"</?[a-z]{1,8}>", re.IGNORECASE)
_AS_ANSWER = re.compile(r"[\s*_]{0,6}A[*_]{0,2}:[*_]{0,2}[ \t]{0,4}")
_OWN = Statement(None, 0, 0, 0, "bare_letter", "formal")  # no statement: a sign of `_after_a_colon`
_ANNOUNCING_MARKS = frozenset("→✅➡☑")
_BULLETS = ("- ", "• ", "* ", "+ ")

_MARKUP = 400  # characters of marks and white space around an option's text that is the whole output
_LONG_LINE = 30  # words of a first line that is no longer an answer with its option's text
_FIRST_LINE = 400  # characters of a first line that may be an option's text
_LAST_LINE = 60  # characters of a last line that may be a letter
_ABOVE = 600  # characters above the last line in which a list of options may stand
_BELOW = 3000  # characters below a first line in which the walk that it opens goes on


def first_line(text: Text) -> Statement | None:
    """The option that a text opens with a letter of: a letter alone, or a short line of a letter and a text."""
    body = text.body
    if _MAY_OPEN.match(body) is None:
        return None
    label = label_at(text, 0, formal=True)
    start = len(body) - len(body.lstrip())
    if label is None or label.letter not in text.options or label.denied or label.walked:
        return None
    before = body[start : label.start]
    if before.isalpha() and before.isascii():
        return None
    if label.letter == "A" and (after := _AS_ANSWER.match(body)) is not None and label.clash is None:
        line = _after_a_colon(text, after.end(), start)
        if line is not _OWN:
            return line
    if not _is_first_line(text, label):
        return None
    return statement_of(text, label, _bare(start))


def _after_a_colon(text: Text, position: int, start: int) -> Statement | None:
    """What `A: C` states: `A:` may stand for `Answer:`, as in prompts of questions and answers.

    `_OWN` where option A's own text follows, so that its letter is meant; None where neither is plain.
    """
    end = text.body.find("\n", position)
    rest = plain(text.body[position : end if end >= 0 else len(text.body)])
    own = text.offered.plain["A"]
    if not rest or (own and rest.startswith(own)):
        return _OWN
    label = label_at(text, position, formal=True)
    if label is None or label.letter not in text.options or label.denied or label.doubt:
        return None
    if text.body[label.last : end if end >= 0 else len(text.body)].strip(" .*_)"):
        return None
    return statement_of(text, label, Announced(start, start, "answer_line", "formal"))


def _bare(start: int) -> Announced:
    return Announced(start, start, "bare_letter", "formal")


def _is_first_line(text: Text, label: Mention) -> bool:
    """Whether a first line that begins with a label states the answer, rather than opening a list or a walk."""
    body = text.body
    line_end = body.find("\n", label.end)
    line_end = len(body) if line_end < 0 else line_end
    rest = plain(_TAG.sub("", body[label.end : line_end][: 4 * _FIRST_LINE]).strip(" .:*_)\"'-–—,$`]|}/"))
    own = text.offered.plain[label.letter]
    if _opens_walk(text, label, line_end):
        return False
    if not rest or rest == own or label.others or label.whole:
        return True
    if TURNED_DOWN.match(rest) and not TURNED_DOWN.match(own):  # an option may itself begin with `no`
        return False
    if label.clash is not None or (own and rest.startswith(own)) or _REASON.match(body, label.end, line_end):
        return True
    return _has_another_text(body, label, rest, line_end)


def _opens_walk(text: Text, label: Mention, line_end: int) -> bool:
    """Whether the first line is the first turn of a list or a walk: the next option's label follows a sentence in it or
    begins a line below it."""
    for item in islice(_ITEM_BESIDE.finditer(text.body, label.end, min(line_end, label.end + _BELOW)), 3):
        if item["letter"] == chr(ord(label.letter) + 1) and item["letter"] in text.options:
            return _CALLS_IT.search(text.low, label.end, item.start()) is None
    following = _ITEM.match(text.body, line_end)
    if following is not None and following["letter"] in text.options and following["letter"] != label.letter:
        return True
    for item in islice(_ITEM_BELOW.finditer(text.body, line_end, line_end + _BELOW), 3):
        if item["letter"] in text.options and item["letter"] != label.letter:
            return item["letter"] == chr(ord(label.letter) + 1) and not _NOT_OTHERS.search(
                text.low, line_end, item.start()
            )
    return False


def _has_another_text(body: str, label: Mention, rest: str, line_end: int) -> bool:
    """Whether a first line is a label and a text that is not quite its option's, with nothing or its reasons below."""
    words = len(rest.split())
    labelled = body[label.end - 1 : label.end] in (")", "]", ".", ":") or body[label.end : label.end + 1] in (
        ".",
        ")",
        ":",
    )
    if not labelled or words > _LONG_LINE or _VERB_FIRST.match(rest) or ":" in rest or " - " in rest:
        return False
    after = body[line_end : line_end + _FIRST_LINE].strip()
    if not after:
        return words <= _LONG_LINE // 2 and not body.rstrip().endswith(",")
    return _EXPLAINS.match(after) is not None or body.startswith("\n\n", line_end)


def opening_text(text: Text) -> Statement | None:
    """The option whose whole text a text opens with: the output is that text, or its first line is `Lupus (C)`."""
    body = text.body
    start = len(body) - len(body.lstrip())
    line_end = body.find("\n", start, start + _FIRST_LINE)
    if line_end < 0:
        line_end = len(body)
        if line_end - start > _FIRST_LINE:
            return None
    named = named_at(text, start)
    if named is None or named.denied or named.doubt:
        return None
    closing = _TEXT_THEN_LABEL.search(body, max(start, line_end - 20), line_end)
    if closing is not None and closing["letter"] in text.options:
        label = Mention(closing["letter"], closing.start("letter"), line_end, strong=True, clash=named.clash)
        return statement_of(text, label, _bare(start))
    whole = body.strip()
    named_text = text.options[named.letter]
    if len(whole) > len(named_text) + _MARKUP or plain(whole) != plain(named_text):
        return None
    return Statement(named.letter, start, start + len(whole), start, "option_text", "formal")


def last_line(text: Text, *, ended: bool = False) -> Statement | None:  # noqa: PLR0911
    """A letter alone on the last line, unless it is an item of a list.

    `ended` says that the text is known not to be cut, so that a bare letter is no line's beginning.
    """
    body = text.body.rstrip()
    start = body.rfind("\n") + 1
    if start == 0 or len(body) - start > _LAST_LINE + _MARKUP:
        return None
    label = label_at(text, start, formal=True)
    if label is None or label.letter not in text.options or label.denied or label.doubt:
        return None
    rest = body[label.end :].strip(" .*_)\"'$`}")
    own_text_alone = (
        ended
        and label.whole
        and not body[label.last :].strip(" .*_)\"'$`}")
        and not any(map(str.isalpha, body[start : label.start]))
    )
    if (rest and not own_text_alone) or body[start : label.start].lstrip().startswith(_BULLETS):
        return None
    above = [line for line in body[max(0, start - _ABOVE) : start].splitlines() if line.strip()]
    if _is_next_item(label.letter, above[-3:]):
        return None
    line = above[-1].lower() if above else ""
    announced = _ANSWER_BEFORE.search(line[-60:]) is not None or (
        _LIST_BEFORE.search(line[-8:]) is not None and announcing(line[line.rfind(". ") + 1 :].rstrip(":：*_ "))
    )
    if rest and (not announced and (body[start - 2 : start] != "\n\n" or _items_above(text, start))):
        return None
    if not announced and _ANNOUNCING_MARKS.isdisjoint(body[start : label.start]):
        closed = ended or label.end > label.start + 1 or text.body[label.end : label.end + 1] in (".", "\n")
        closed = closed or _named_just_above(text, label.letter, start)
        if not closed or _LIST_BEFORE.search(line[-8:]):
            return None  # the first letter of a line that was cut, or the first item of a list
    return statement_of(text, label, _bare(start))


def _items_above(text: Text, start: int) -> bool:
    """Whether a list of options, or a walk through them, leads up to the last line, which begins at `start`."""
    above = islice(_ITEM_BELOW.finditer(text.body, max(0, start - _BELOW), start - 1), _ABOVE)
    return any(item["letter"] in text.options for item in above)


def _named_just_above(text: Text, letter: str, start: int) -> bool:
    """Whether the paragraph above the last line, from `start` on, names this option last."""
    if text.body[start - 2 : start] != "\n\n":
        return False
    named = [match["letter"] for match in _NAMED.finditer(text.body, max(0, start - _ABOVE), start)]
    return bool(named) and named[-1] == letter


_NAMED = re.compile(r"(?:\b[Oo]ption |\b[Cc]hoice |\()[(*]{0,2}(?P<letter>[A-Z])(?![A-Za-z0-9])")


def _is_next_item(letter: str, above: list[str]) -> bool:
    """Whether a list of options leads up to the letter."""
    previous = chr(ord(letter) - 1)
    for line in above:
        item = _ITEM.match(line)
        if item is not None and item["letter"] != letter:
            return True
        at = line.find(previous)
        while at >= 0:
            if not line[at - 1 : at].isalnum() and line[at + 1 : at + 2] in (")", ".", ":"):
                return True
            at = line.find(previous, at + 1)
    return False


_LAST_WORDS = re.compile(
    r"(?:^|[.!?:;,\n→⇒∴]\s{0,4})"
    r"(?P<lead>(?:(?:so|thus|therefore|hence|overall|in conclusion|finally|ok|okay|yes|then|definitely|certainly|"
    r"clearly|probably|(?:most )?likely|if (?:i|we) (?:had|have|need) to (?:guess|choose|pick|select)|"
    r"by (?:process of )?elimination)"
    r"[,:]?\s{1,4}(?:then\s{1,4})?){0,2})"
    r"(?P<words>(?:(?:it|this|that)(?:['’]s| is| must be| has to be| should be)|"
    r"i(?:['’]d| would)? (?:think|believe|say|guess|vote|lean|answer)(?: for| with| towards?)?"
    r"(?: it(?:['’]s| is| must be))?(?: the answer is)?|must be|points to|"
    r"i(?:['’]m| am) (?:leaning|inclined)(?: to| towards?)|"
    r"(?:my|the|our) (?:(?:final|best|correct|right) )?(?:pick|vote|guess|selection|bet|response|solution) is|"
    r"(?:that|this|which) leaves(?: us with)?|(?:we(?:['’]re| are) )?left with|we (?:get|have))?\s{0,4})"
    r"(?=[*_(\[\"'$]{0,3}(?:option |choice )?[*_(\[\"'$]{0,3}[a-z](?![a-z0-9]))"
)
_IT_IS = re.compile(
    r"(?:^|[.!?,;\n] ?)(?:(?:so|then|thus|ok|okay)[,:]? )?(?:option )?"
    r"[*_(]{0,3}(?P<letter>[a-z])[)*_]{0,3},? it is[\s.!*_]{0,8}$"
)
_CONCLUDES = ("so", "thus", "therefore", "hence", "if ", "by ")
_OWN_WORDS = ("my ", "our ", "the ", "that leaves", "this leaves", "which leaves", "left with", "we")
_ARROWS = frozenset("→⇒∴")
_LAST = 160  # characters from the end in which the last words are looked for


def last_words(text: Text, *, ended: bool = False) -> Statement | None:
    """A last sentence that is hardly more than a letter: `So it's C.`, `I think C.`, `Therefore, (C).`, `C it is.`

    `ended` says that the text is known not to be cut: only then a letter that nothing announces is no list's next item.
    """
    end = len(text.body.rstrip(" .*_)\n\"'"))
    floor = max(0, end - _LAST)
    for match in reversed(list(_LAST_WORDS.finditer(text.cues, floor, end + 8))):
        start = match.start("lead")
        if floor and match.start() == floor:
            continue  # no sentence begins there
        label = label_at(text, match.end())
        if label is None or label.letter not in text.options or label.denied or label.doubt:
            continue
        if label.last < end - 1:
            continue
        said = match["lead"] or match["words"].strip()
        if not said and not (ended and (match[0][:1] in _ARROWS or _closes(text, match.start(), label))):
            continue  # nothing says that the letter is meant
        own_line = text.body[start - 1 : start] in ("", "\n")
        if not (ended or own_line or match["words"].strip() or text.body[label.last :].strip() or label.strong):
            continue  # `Okay, so C` may be the start of a word
        if match[0][:1] in (",", ":", ";") and not (
            match["lead"].startswith(_CONCLUDES) or match["words"].startswith(_OWN_WORDS)
        ):
            continue  # in the middle of a sentence less will do for something else: `first C, then D`
        if conditional(text.cues, clause_start(text.cues, start), start):
            continue
        return statement_of(text, label, Announced(start, start, "bare_letter", "sentence"))
    named = _last_name(text, floor, end)
    if named is not None:
        return named
    it_is = _IT_IS.search(text.cues[: end + 8], floor)
    if it_is is not None and (letter := text.body[it_is.start("letter")]) in text.options:
        return Statement(letter, it_is.start("letter"), end, it_is.start("letter"), "bare_letter", "sentence")
    return None


_NOT_THESE = re.compile(
    r"(?:^|[.!;,\n] ?)(?:it['’]?s |it is )?(?:not|neither|nor) (?:option )?[*_(]{0,3}[a-z][)*_]{0,3}"
    r"(?:(?:,? (?:or|nor|and)|,)(?: not)? [*_(]{0,3}[a-z][)*_]{0,3}){0,9}$"
)
_SO_NAMED = re.compile(
    r"(?:^|[.!?\n]\s{0,4})(?P<lead>(?:so|thus|therefore|hence|consequently|in conclusion|in summary|overall|"
    r"by (?:process of )?elimination)(?:,|:| -| —)?\s{1,4})(?=[*_\"“]{0,3}[^\W\d_])"
)
_LABEL_BEHIND = re.compile(r"[ *_\"”]{1,4}[(\[](?:[Oo]ption |[Cc]hoice )?(?P<letter>[A-Z])[)\]]")


def _last_name(text: Text, floor: int, end: int) -> Statement | None:
    """A last sentence that is an option's text with its letter: `Hence, lupus (C).`"""
    for match in reversed(list(_SO_NAMED.finditer(text.cues, floor, end))):
        if floor and match.start() == floor:
            continue  # no sentence begins there
        named = named_at(text, match.end())
        if named is None or named.denied or named.doubt or named.last < end - 1:
            continue
        if _LABEL_BEHIND.match(text.body, named.end) is None:
            continue  # an option's text alone is said of many things
        start = match.start("lead")
        return statement_of(text, named, Announced(start, start, "bare_letter", "sentence"))
    return None


def _closes(text: Text, at: int, label: Mention) -> bool:
    """Whether a letter is the text's last sentence, closed as one, after a sentence that is more than a letter."""
    before = text.body[max(0, at - 2) : at]
    told = before.isalnum() and len(before) > 1
    return (
        text.body[at : at + 2] in (". ", "! ", "? ")
        and (told or _NOT_THESE.search(text.cues, max(0, at - _LAST), at) is not None)
        and text.body[label.end - 1 : label.end + 1].endswith((".", ")"))
    )
