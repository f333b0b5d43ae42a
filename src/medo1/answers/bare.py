"""Letters and option texts that stand for themselves: the whole output, its first line, its last line, its last words.

Called by `medo1.answers.reading`.
"""

from __future__ import annotations

import re
from itertools import islice

from medo1.answers.labels import Label, label_at
from medo1.answers.statements import LAST_CUES, Statement, from_label
from medo1.answers.text import Text, option_at, plain

_MAY_OPEN = re.compile(
    r"[\s*_#>`\"'(\[{【（$\\]*(?:(?:option|choice|letter|选项|\\boxed\{|\\text\{|<[a-z]{1,8}>)[\s*(\[{]*)?"
    r"[A-Za-zＡ-Ｚａ-ｚⒶ-ⓩ\\<🄰-🅩](?![a-z])",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"[\s.:,;*_)\]-]*(?:(?:because|since|as the|as it|is (?:the )?(?:correct|right|best|most)|\(|—|–|"
    r"explanation|rationale|reason|justification)|- )",
    re.IGNORECASE,
)
_EXPLAINS = re.compile(
    r"[\s*_#>\[(]*(?:explanation|rationale|reason(?:ing|s)?|justification|because|this is|this option|"
    r"here'?s why|why)\b",
    re.IGNORECASE,
)
_ITEM = re.compile(r"[\s*_>#-]*(?:\d{1,2}[.)]\s*)?[*_]{0,3}[(\[]?(?P<letter>[A-Z])[)\].:]")
_TEXT_THEN_LABEL = re.compile(r"[ *_][(\[](?P<letter>[A-Z])[)\]][*_.\s]*$")
_TAG = re.compile(r"</?[a-z]{1,8}>", re.IGNORECASE)
_SHORT = 30  # words of a first line that is an answer with its option's text


def may_open(body: str) -> bool:
    """Whether a text may open with a letter of its own."""
    return _MAY_OPEN.match(body) is not None


def first_line(text: Text) -> Statement | None:
    """The option that a text opens with a letter of: a letter alone, or a short line of a letter and an option's text."""
    body = text.body
    if _MAY_OPEN.match(body) is None:
        return None
    label = label_at(text, 0, formal=True)
    start = len(body) - len(body.lstrip())
    if label is None or label.letter not in text.options or label.denied or body[start : label.start].isalpha():
        return None
    return _labelled(text, label, start)


def opening_text(text: Text) -> Statement | None:
    """The option whose whole text a text opens with: the output is that text, or its first line is `Lupus (C)`."""
    body = text.body
    start = len(body) - len(body.lstrip())
    line_end = body.find("\n", start, start + 400)
    if line_end < 0:
        line_end = len(body)
        if line_end - start > 400:  # noqa: PLR2004
            return None
    opens = body[start : start + 40].lower().lstrip("*_\"'“( ").removeprefix("the ")[:5]
    if not any(option[:16].lower().removeprefix("the ").startswith(opens) for option in text.options.values()):
        return None
    named = option_at(text, start)
    if named is None:
        return None
    closing = _TEXT_THEN_LABEL.search(body, max(start, line_end - 12), line_end)
    if closing is not None and closing["letter"] in text.options:
        label = Label(closing["letter"], closing.start("letter"), line_end, strong=True)
        return from_label(text, label, start, start, "bare_letter", "formal")
    whole = body.strip()
    if plain(whole) != text.plain[named.letter]:
        return None
    return Statement(named.letter, start, start + len(whole), "option_text", "formal", start)


def _labelled(text: Text, label: Label, start: int) -> Statement | None:
    """A first line that begins with a label."""
    body = text.body
    line_end = body.find("\n", label.end)
    line_end = len(body) if line_end < 0 else line_end
    rest = plain(_TAG.sub("", body[label.end : line_end]).strip(" .:*_)\"'-–—,$`]|}/"))
    after = body[line_end:].strip()
    following = _ITEM.match(after) if after else None
    if following is not None and following["letter"] in text.options and following["letter"] != label.letter:
        return None  # the first line of a list
    own = text.plain[label.letter]
    if not rest or rest == own or label.others:
        return from_label(text, label, start, start, "bare_letter", "formal")
    first = label.letter == min(text.options)
    if own and rest.startswith(own) and rest[len(own) :].lstrip(" )\"'")[:1] in (":", "-"):
        return None  # one turn of a walk through the options
    if label.clash is not None or (own and rest.startswith(own)) or _REASON.match(body, label.end, line_end):
        # of the first option, with reasons following, this may be the first turn of a walk through all
        return (
            None
            if first and not after and len(rest) > len(own) + 160
            else from_label(text, label, start, start, "bare_letter", "formal")
        )  # noqa: PLR2004
    labelled = text.low[label.end - 1 : label.end] in ")].:" or body[label.end : label.end + 1] in ".):"
    if not labelled or len(rest.split()) > _SHORT or ":" in rest or " - " in rest:
        return None
    if not after:
        return (
            from_label(text, label, start, start, "bare_letter", "formal")
            if body.rstrip()[-1:] != "," and len(rest.split()) <= _SHORT // 2
            else None
        )
    blank = body[line_end : line_end + 2] == "\n\n" or _EXPLAINS.match(after) is not None
    if not blank or (first and not _EXPLAINS.match(after)):
        return None
    return from_label(text, label, start, start, "bare_letter", "formal")


_LIST_BEFORE = re.compile(r"[:：][\s*_]*$")
_ANSWER_BEFORE = re.compile(
    r"\b(?:answer|is|be|(?:best|correct|right|final|chosen|selected|my) (?:choice|option)|diagnosis|"
    r"conclusion)[\s*_]*[:：][\s*_]*$",
    re.IGNORECASE,
)


def last_line(text: Text) -> Statement | None:
    """A letter alone on the last line, unless it is the next item of a list."""
    body = text.body.rstrip()
    start = body.rfind("\n") + 1
    if start == 0 or len(body) - start > 60:  # noqa: PLR2004
        return None
    label = label_at(text, start, formal=True)
    if (
        label is None
        or label.letter not in text.options
        or label.denied
        or label.doubt
        or body[label.end :].strip(" .*_)\"'$`}")
    ):
        return None
    if body[start : label.start].lstrip()[:2] in ("- ", "• ", "* ", "+ "):
        return None
    above = [line for line in body[max(0, start - 600) : start].splitlines() if line.strip()]
    previous = re.compile(rf"(?<![A-Za-z0-9]){chr(ord(label.letter) - 1)}[).:]")
    for line in above[-3:]:
        item = _ITEM.match(line)
        if (item is not None and item["letter"] != label.letter) or previous.search(line):
            return None
    announced = bool(above) and _ANSWER_BEFORE.search(above[-1]) is not None
    announced = announced or not {"→", "✅", "➡", "☑"}.isdisjoint(body[start : label.start])
    if not announced and ((above and _LIST_BEFORE.search(above[-1])) or not _closed(text, label)):
        return None  # the first item of a list, or the first letter of a line that was cut
    return from_label(text, label, start, start, "bare_letter", "formal")


def _closed(text: Text, label: Label) -> bool:
    """Whether something ends the letter: `B.`, `(B)`, `**B**`, but not `B` alone or `Option B`."""
    return label.end > label.start + 1 or text.body[label.end : label.end + 1] in (".", "\n")


_LABEL_LINE = re.compile(
    r"(?:^|\n)[^\w\n]{0,6}(?:(?:final|correct|my|the|best|selected|model)\s+){0,2}"
    r"(?:ans|solution|letter|response|result|conclusion|decision|verdict|prediction|output|diagnosis|selection|option|"
    r"pick|correct|right)\b[*_.)]{0,3}\s{0,2}[:=.–—-][\s*_]{0,4}"
)
_LAST_WORDS = re.compile(
    r"(?:^|[.!?\n]\s*)"
    r"(?P<lead>(?:(?:so|thus|therefore|hence|overall|in conclusion|finally|ok|okay|yes|then)[,:]?\s+(?:then\s+)?){0,2})"
    r"(?P<words>(?:(?:it|this|that)(?:['’]s| is| must be| has to be| should be)|"
    r"i(?:['’]d| would)? (?:think|believe|say|guess|vote|lean)(?: for| towards?)?(?: it(?:['’]s| is|"
    r" must be))?(?: the answer is)?|"
    r"must be|points to|i(?:['’]m| am) (?:leaning|inclined)(?: to| towards?)|my (?:pick|vote|guess|selection|bet) is|"
    r"we (?:get|have))?\s*)"
    r"(?=[*_(\[\"'$]{0,3}(?:option |choice )?[*_(\[\"'$]{0,3}[a-z](?![a-z0-9]))"
)
_LAST = 160  # characters from the end in which the last words are looked for


def labelled_line(text: Text) -> Statement | None:
    """The last line such as `Ans: C` or `Diagnosis: (C) Lupus`, with nothing else on it."""
    found = None
    for announced in list(islice(_LABEL_LINE.finditer(text.low), LAST_CUES))[::-1]:
        label = label_at(text, announced.end(), formal=True)
        if label is None or label.letter not in text.options or label.denied or label.doubt:
            continue
        end = text.low.find("\n", label.end)
        rest = text.body[label.end : end if end >= 0 else len(text.body)].strip(" .:*_)\"'-–—,$`]|")
        if rest and plain(rest) != text.plain[label.letter] and not label.others:
            continue
        if found is None:
            found = from_label(text, label, announced.start(), announced.start(), "answer_line", "formal")
        elif found.letter != label.letter:
            found.others = (label.letter,)
    return found


def last_words(text: Text) -> Statement | None:
    """A last sentence that is hardly more than a letter: `So it's C.`, `I think C.`, `Therefore, (C).`"""
    body = text.body
    end = len(body.rstrip(" .*_)\n\"'"))
    floor = max(0, end - _LAST)
    for words in reversed(list(_LAST_WORDS.finditer(text.low, floor))):
        if floor and words.start() == floor:
            continue  # no sentence begins there
        label = label_at(text, words.end())
        if label is None or label.letter not in text.options or label.denied or label.doubt or label.end < end - 1:
            continue
        if words["lead"] or words["words"].strip():
            return from_label(text, label, words.start("lead"), words.start("lead"), "bare_letter", "sentence")
    return None
