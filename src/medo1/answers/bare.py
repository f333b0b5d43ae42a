"""Letters and option texts that stand for themselves: the whole output, its first line, its last line, its last words.

Called by `medo1.answers.reading`.
"""
# ruff: noqa: RUF001  (patterns hold the marks that models write)

from __future__ import annotations

import re
from itertools import islice

from medo1.answers.labels import LETTER_OF, Label, label_at
from medo1.answers.statements import LAST_CUES, Cue, Statement, clause_start, conditional, from_label
from medo1.answers.text import Text, option_at, plain

_MAY_OPEN = re.compile(
    r"[\s*_#>`\"'(\[{【（$\\=→➡⇒∴✅✔☑👉\ufe0f]{0,48}(?:(?:option|choice|letter|选项|选|\\boxed\{|\\text\{|<[a-z]{1,8}>)[\s*(\[{]*)?"
    r"[A-Za-zＡ-Ｚａ-ｚⒶ-ⓩ\\<🄰-🅩](?![a-z])",
    re.IGNORECASE,
)
_NOUNS = ("Option", "option", "Choice", "choice", "Letter", "letter")
_REASON = re.compile(
    r"[\s.:,;*_)\]-]*(?:(?:because|since|as the|as it|is (?:the )?(?:correct|right|best|most)|\(|—|–|explanation|"
    r"rationale|reason|justification)|- )",
    re.IGNORECASE,
)
_EXPLAINS = re.compile(
    r"[\s*_#>\[(]*(?:explanation|rationale|reason(?:ing|s)?|justification|because|this is|this option|here'?s why|"
    r"why)\b",
    re.IGNORECASE,
)
_ITEM = re.compile(r"[\s*_>#-]*(?:\d{1,2}[.)]\s*)?[*_]{0,3}[(\[]?(?P<letter>[A-Z])[)\].:]")
_TEXT_THEN_LABEL = re.compile(r"[ *_][(\[](?:[Oo]ption |[Cc]hoice )?(?P<letter>[A-Z])[)\]][*_.\s]*$")
_LIST_BEFORE = re.compile(r"[:：][\s*_]*$")
_ANSWER_BEFORE = re.compile(
    r"\b(?:answer|is|be|(?:best|correct|right|final|chosen|selected|my) (?:choice|option)|diagnosis|conclusion)"
    r"[\s*_]*[:：][\s*_]*$",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[a-z]{1,8}>", re.IGNORECASE)
_AS_ANSWER = re.compile(r"[\s*_]*A[*_]{0,2}:[*_]{0,2}[ \t]*")
_OWN = Statement(None, 0, 0, 0, "bare_letter", "formal")  # no statement: a sign of `_after_a_colon`
_ANNOUNCING_MARKS = frozenset("→✅➡☑")
_AFTER_LETTER = " .*_)\"'$`}~”’»」』】）》〉]|>\\"
_BULLETS = ("- ", "• ", "* ", "+ ")

_MARKUP = 400  # characters of marks and white space around an option's text that is the whole output
_LONG_LINE = 30  # words of a first line that is no longer an answer with its option's text
_WALK = 160  # characters on the first option after which a first line is the start of a walk through all
_FIRST_LINE = 400  # characters of a first line that may be an option's text
_LAST_LINE = 60  # characters of a last line that may be a letter
_ABOVE = 600  # characters above the last line in which a list of options may stand


def may_open(body: str) -> bool:
    """Whether a text may open with a letter of its own."""
    head = body[:12].lstrip()
    if head[:2].isalpha() and head[1:2].islower() and not head.startswith(_NOUNS):
        return False  # a word
    return _MAY_OPEN.match(body) is not None


def first_line(text: Text) -> Statement | None:
    """The option that a text opens with a letter of: a letter alone, or a short line of a letter and a text."""
    body = text.body
    if not may_open(body):
        return None
    label = label_at(text, 0, formal=True)
    start = len(body) - len(body.lstrip())
    if label is None or label.letter not in text.options or label.denied:
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
    return from_label(text, label, _bare(start))


def _after_a_colon(text: Text, position: int, start: int) -> Statement | None:
    """What `A: C` states: `A:` may stand for `Answer:`, as in prompts of questions and answers.

    `_OWN` where option A's own text follows, so that its letter is meant; None where neither is plain.
    """
    end = text.body.find("\n", position)
    rest = plain(text.body[position : end if end >= 0 else len(text.body)])
    own = text.plain["A"]
    if not rest or (own and rest.startswith(own)):
        return _OWN
    label = label_at(text, position, formal=True)
    if label is None or label.letter not in text.options or label.denied or label.doubt:
        return None
    if text.body[label.own_end or label.end : end if end >= 0 else len(text.body)].strip(" .*_)"):
        return None
    return from_label(text, label, Cue(start, start, "answer_line", "formal"))


def _bare(start: int) -> Cue:
    return Cue(start, start, "bare_letter", "formal")


def _is_first_line(text: Text, label: Label) -> bool:
    """Whether a first line that begins with a label states the answer, rather than opening a list or a walk."""
    body = text.body
    line_end = body.find("\n", label.end)
    line_end = len(body) if line_end < 0 else line_end
    rest = plain(_TAG.sub("", body[label.end : line_end]).strip(" .:*_)\"'-–—,$`]|}/"))
    after = body[line_end:].strip()
    following = _ITEM.match(after) if after else None
    own = text.plain[label.letter]
    if following is not None and following["letter"] in text.options and following["letter"] != label.letter:
        return False  # the first line of a list
    if not rest or rest == own or label.others:
        return True
    first = label.letter == min(text.options)
    opens_with_own = own != "" and rest.startswith(own)
    if first and opens_with_own and rest[len(own) :].lstrip(" )\"'")[:1] in (":", "-"):
        return False  # the first turn of a walk through the options
    if label.clash is not None or opens_with_own or _REASON.match(body, label.end, line_end):
        return not (first and not after and len(rest) > len(own) + _WALK)
    return _has_another_text(body, label, rest, line_end, first=first)


def _has_another_text(body: str, label: Label, rest: str, line_end: int, *, first: bool) -> bool:
    """Whether a first line is a label and a text that is not quite its option's, with nothing or its reasons below."""
    words = len(rest.split())
    labelled = body[label.end - 1 : label.end] in (")", "]", ".", ":") or body[label.end : label.end + 1] in (
        ".",
        ")",
        ":",
    )
    if not labelled or words > _LONG_LINE or ":" in rest or " - " in rest:
        return False
    after = body[line_end:].strip()
    if not after:
        return words <= _LONG_LINE // 2 and not body.rstrip().endswith(",")
    explained = _EXPLAINS.match(after) is not None
    # of the first option, without a word that explains, it may be the first turn of a walk through all
    return explained or (not first and body.startswith("\n\n", line_end))


def opening_text(text: Text) -> Statement | None:  # noqa: PLR0911
    """The option whose whole text a text opens with: the output is that text, or its first line is `Lupus (C)`."""
    body = text.body
    start = len(body) - len(body.lstrip())
    line_end = body.find("\n", start, start + _FIRST_LINE)
    if line_end < 0:
        line_end = len(body)
        if line_end - start > _FIRST_LINE:
            return None
    head = text.low[start : start + 40]
    word = head.lstrip("*_\"'“( ")
    if not text.may_name(start + len(head) - len(word)):
        return None
    opens = word.removeprefix("the ")[:5].rstrip("*_.:;,!)\"'” \n")
    if not any(option.startswith(opens) for option in text.offered.openings):
        return None
    named = option_at(text, start)
    if named is None:
        return None
    closing = _TEXT_THEN_LABEL.search(body, max(start, line_end - 20), line_end)
    if closing is not None and closing["letter"] in text.options:
        return from_label(text, Label(closing["letter"], closing.start("letter"), line_end, strong=True), _bare(start))
    whole = body.strip()
    if len(whole) > len(named_text := text.options[named.letter]) + _MARKUP or plain(whole) != plain(named_text):
        return None
    return Statement(named.letter, start, start + len(whole), start, "option_text", "formal")


def last_line(text: Text, *, ended: bool = False) -> Statement | None:  # noqa: PLR0911
    """A letter alone on the last line, unless it is an item of a list.

    `ended` says that the text is known not to be cut, so that a bare letter is no line's beginning.
    """
    body = text.body.rstrip()
    start = body.rfind("\n") + 1
    if start == 0 or len(body) - start > _LAST_LINE:
        return None
    ends = body[start:].rstrip(_AFTER_LETTER)
    if ends[-1:] not in LETTER_OF or ("a" <= ends[-2:-1].lower() <= "z"):
        return None  # a word
    label = label_at(text, start, formal=True)
    if label is None or label.letter not in text.options or label.denied or label.doubt:
        return None
    if body[label.end :].strip(" .*_)\"'$`}") or body[start : label.start].lstrip().startswith(_BULLETS):
        return None
    above = [line for line in body[max(0, start - _ABOVE) : start].splitlines() if line.strip()]
    if _is_next_item(label.letter, above[-3:]):
        return None
    announced = bool(above) and _ANSWER_BEFORE.search(above[-1]) is not None
    if not announced and _ANNOUNCING_MARKS.isdisjoint(body[start : label.start]):
        closed = ended or label.end > label.start + 1 or text.body[label.end : label.end + 1] in (".", "\n")
        if not closed or (above and _LIST_BEFORE.search(above[-1])):
            return None  # the first letter of a line that was cut, or the first item of a list
    return from_label(text, label, _bare(start))


def _is_next_item(letter: str, above: list[str]) -> bool:
    """Whether a list of options leads up to the letter."""
    previous = re.compile(rf"(?<![A-Za-z0-9]){chr(ord(letter) - 1)}[).:]")
    for line in above:
        item = _ITEM.match(line)
        if (item is not None and item["letter"] != letter) or previous.search(line):
            return True
    return False


_LABELLED = (
    r"[^\w\n]{0,6}+(?=[a-dflmnopr-tv])(?:(?:final|correct|my|the|best|selected|model)\s+){0,2}"
    r"(?:ans|final|solution|letter|response|result|conclusion|decision|verdict|prediction|output|diagnosis|selection|option|"
    r"next step|management|treatment|cause|pick|correct|right)\b[*_.)]{0,3}\s{0,2}[:=.–—-][\s*_]{0,4}"
)
# two patterns for one: the second begins with a literal, so that its search leaps from line to line
_FIRST_LABELLED = re.compile(_LABELLED)
_LABEL_LINE = re.compile("\n(?!\n)" + _LABELLED)
_LAST_WORDS = re.compile(
    r"(?:^|[.!?:;,\n→⇒∴]\s*)"
    r"(?P<lead>(?:(?:so|thus|therefore|hence|overall|in conclusion|finally|ok|okay|yes|then|definitely|certainly|"
    r"clearly|probably|(?:most )?likely|if (?:i|we) (?:had|have|need) to (?:guess|choose|pick|select)|"
    r"by (?:process of )?elimination)"
    r"[,:]?\s+(?:then\s+)?){0,2})"
    r"(?P<words>(?:(?:it|this|that)(?:['’]s| is| must be| has to be| should be)|"
    r"i(?:['’]d| would)? (?:think|believe|say|guess|vote|lean|answer)(?: for| with| towards?)?"
    r"(?: it(?:['’]s| is| must be))?(?: the answer is)?|must be|points to|"
    r"i(?:['’]m| am) (?:leaning|inclined)(?: to| towards?)|"
    r"(?:my|the|our) (?:(?:final|best|correct|right) )?(?:pick|vote|guess|selection|bet|response|solution) is|"
    r"(?:that|this|which) leaves(?: us with)?|(?:we(?:['’]re| are) )?left with|we (?:get|have))?\s*)"
    r"(?=[*_(\[\"'$]{0,3}(?:option |choice )?[*_(\[\"'$]{0,3}[a-z](?![a-z0-9]))"
)
_OTHERS_WRONG = re.compile(r"(?:the )?(?:incorrect|wrong|others?)\b", re.IGNORECASE)
_IT_IS = re.compile(
    r"(?:^|[.!?,;\n] ?)(?:(?:so|then|thus|ok|okay)[,:]? )?(?:option )?"
    r"[*_(]{0,3}(?P<letter>[a-z])[)*_]{0,3},? it is[\s.!*_]*$"
)
_CONCLUDES = ("so", "thus", "therefore", "hence", "if ", "by ")
_OWN_WORDS = ("my ", "our ", "the ", "that leaves", "this leaves", "which leaves", "left with", "we")
_ARROWS = frozenset("→⇒∴")
_LAST = 160  # characters from the end in which the last words are looked for


def labelled_line(text: Text) -> Statement | None:
    """The last line such as `Ans: C` or `Diagnosis: (C) Lupus`, with nothing else on it."""
    found: Statement | None = None
    first = _FIRST_LABELLED.match(text.low)
    lines = [*([first] if first is not None else []), *islice(_LABEL_LINE.finditer(text.low), LAST_CUES)]
    for announced in reversed(lines):
        start = announced.start() + text.low.startswith("\n", announced.start())
        label = label_at(text, announced.end(), formal=True)
        if label is None or label.letter not in text.options or label.denied or label.doubt:
            continue
        end = text.low.find("\n", label.end)
        rest = text.body[label.end : end if end >= 0 else len(text.body)].strip(" .:*_)\"'-–—,$`]|")
        if rest and plain(rest) != text.plain[label.letter] and not label.others and not _OTHERS_WRONG.match(rest):
            continue
        if found is None:
            found = from_label(text, label, Cue(start, start, "answer_line", "formal"))
        elif found.letter != label.letter:
            found.others = (label.letter,)
    return found


def last_words(text: Text, *, ended: bool = False) -> Statement | None:
    """A last sentence that is hardly more than a letter: `So it's C.`, `I think C.`, `Therefore, (C).`, `C it is.`

    `ended` says that the text is known not to be cut: only then a letter that nothing announces is no list's next item.
    """
    end = len(text.body.rstrip(" .*_)\n\"'"))
    floor = max(0, end - _LAST)
    for match in reversed(list(_LAST_WORDS.finditer(text.low, floor))):
        start = match.start("lead")
        if floor and match.start() == floor:
            continue  # no sentence begins there
        label = label_at(text, match.end())
        if label is None or label.letter not in text.options or label.denied or label.doubt:
            continue
        if (label.own_end or label.end) < end - 1:
            continue
        said = match["lead"] or match["words"].strip()
        if not said and not (ended and (match[0][:1] in _ARROWS or _closes(text, match.start(), label))):
            continue  # nothing says that the letter is meant
        if match[0][:1] in (",", ":", ";") and not (
            match["lead"].startswith(_CONCLUDES) or match["words"].startswith(_OWN_WORDS)
        ):
            continue  # in the middle of a sentence less will do for something else: `first C, then D`
        if conditional(text.low, clause_start(text.low, start), start):
            continue
        return from_label(text, label, Cue(start, start, "bare_letter", "sentence"))
    it_is = _IT_IS.search(text.low, floor)
    if it_is is not None and (letter := text.body[it_is.start("letter")]) in text.options:
        return Statement(letter, it_is.start("letter"), end, it_is.start("letter"), "bare_letter", "sentence")
    return None


def _closes(text: Text, at: int, label: Label) -> bool:
    """Whether a letter is the text's last sentence, closed as one, after a sentence that is more than a letter."""
    before = text.body[max(0, at - 2) : at]
    return (
        text.body[at : at + 2] in (". ", "! ", "? ")
        and before.isalnum()
        and len(before) > 1
        and text.body[label.end - 1 : label.end + 1].endswith((".", ")"))
    )
